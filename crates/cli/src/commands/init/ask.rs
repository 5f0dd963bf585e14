//! Questions at a terminal: only what neither flags nor files say.

use std::io::{self, BufRead, Write};
use std::net::IpAddr;

use super::draft::{Choice, Draft, Given, NewKind};

/// What is asked, what an empty answer takes, and why.
#[derive(Debug)]
struct Question {
    about: &'static str,
    suggestion: Choice,
    take: fn(&mut Given, &str),
}

/// What an answer is that leaves a thing out.
const NONE: &str = "none";

/// Asks until nothing is open. What `accept` refuses is asked again, with its reason. The end of the input is an error.
pub(super) fn ask(
    input: &mut impl BufRead,
    output: &mut impl Write,
    draft: &Draft,
    accept: impl Fn(&Given) -> Result<(), String>,
) -> io::Result<Given> {
    let mut given = draft.given.clone();
    let mut is_first = true;
    while let Some(question) = next(draft, &given) {
        if std::mem::take(&mut is_first) {
            writeln!(
                output,
                "The files do not say all of it. An empty answer takes what stands in brackets."
            )?;
        }
        let Question { about, suggestion, take } = question;
        writeln!(output, "\n{about}\n  {}", suggestion.why)?;
        loop {
            write!(output, "[{}] ", suggestion.value)?;
            output.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let answer = Some(line.trim()).filter(|answer| !answer.is_empty()).unwrap_or(&suggestion.value);
            let mut filled = given.clone();
            take(&mut filled, answer);
            // Its gateway is asked for next.
            let gateway = filled.fixed().map(|address| gateway_for(draft, address).value);
            let whole = Given { gateway: filled.gateway.clone().or(gateway), ..filled.clone() };
            match accept(&whole) {
                Ok(()) => {
                    given = filled;
                    break;
                }
                Err(reason) => writeln!(output, "  not accepted: {reason}")?,
            }
        }
    }
    Ok(given)
}

/// The next thing that nothing says.
fn next(draft: &Draft, given: &Given) -> Option<Question> {
    if given.adopt.is_some() {
        return None;
    }
    let means_new =
        given.url.is_some() || given.node.is_some() || given.storage.is_some() || given.address.is_some();
    let choice = |value: &str, why: String| Choice { value: value.to_owned(), why };
    if given.kind.is_none() && !means_new {
        let today = draft
            .today
            .as_ref()
            .map_or(String::new(), |today| format!("today's guest is {today}, and stays; "));
        return Some(Question {
            about: "Where should the app run: `vm` or `lxc` for a new guest, or [USER@]HOST of a machine with Docker Engine?",
            suggestion: choice(
                "vm",
                format!("{today}a VM has a kernel of its own, a container shares the node's"),
            ),
            take: |given, answer| match answer {
                "vm" => given.kind = Some(NewKind::Vm),
                "lxc" => given.kind = Some(NewKind::Lxc),
                machine => given.adopt = Some(machine.to_owned()),
            },
        });
    }
    if given.url.is_none() {
        return Some(Question {
            about: "Where does the node's API answer?",
            suggestion: draft.url.clone(),
            take: |given, answer| given.url = Some(answer.to_owned()),
        });
    }
    if given.node.is_none() {
        let named =
            given.url.as_deref().and_then(host).and_then(|host| host.split('.').next()).unwrap_or("pve");
        let why = "the name below `Datacenter` in the node's web interface".to_owned();
        return Some(Question {
            about: "What is the node's name?",
            suggestion: choice(named, why),
            take: |given, answer| given.node = Some(answer.to_owned()),
        });
    }
    if given.storage.is_none() && draft.assumed.contains(&"guest.storage") {
        return Some(Question {
            about: "Which storage of the node takes the guest's disk?",
            suggestion: draft.storage.clone(),
            take: |given, answer| given.storage = Some(answer.to_owned()),
        });
    }
    if given.address.is_none() {
        let why = "a fixed one such as 192.168.1.50/24 keeps names and links that lead to the app".to_owned();
        return Some(Question {
            about: "Which address does the guest get: `dhcp`, or one with its prefix?",
            suggestion: choice("dhcp", why),
            take: |given, answer| given.address = Some(answer.to_owned()),
        });
    }
    if let (Some(address), None) = (given.fixed(), &given.gateway) {
        return Some(Question {
            about: "What is its gateway?",
            suggestion: gateway_for(draft, address),
            take: |given, answer| given.gateway = Some(answer.to_owned()),
        });
    }
    if given.backup.is_none() {
        let why = "a storage of the node that holds backups, better not the guest's own disk".to_owned();
        return Some(Question {
            about: "Which storage takes the guest's backups, or `none`?",
            suggestion: choice(NONE, why),
            take: |given, answer| given.backup = Some(answer.to_owned()),
        });
    }
    None
}

impl Given {
    /// The address that is said for good.
    fn fixed(&self) -> Option<&str> {
        self.address.as_deref().filter(|address| *address != "dhcp")
    }

    /// The storage of backups, unless there are none.
    pub(super) fn shelf(&self) -> Option<&str> {
        self.backup.as_deref().filter(|storage| *storage != NONE)
    }
}

/// The host of a URL that has a name.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let host =
        rest.split(['/', ':']).next().filter(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric()))?;
    host.parse::<IpAddr>().is_err().then_some(host)
}

fn gateway_for(draft: &Draft, address: &str) -> Choice {
    draft.gateway.clone().unwrap_or_else(|| gateway(address))
}

/// The first address of a network.
fn gateway(address: &str) -> Choice {
    let first = || {
        let (ip, prefix) = address.split_once('/')?;
        let IpAddr::V4(ip) = ip.parse().ok()? else { return None };
        let mask = u32::MAX.checked_shl(32_u32.checked_sub(prefix.parse().ok()?)?).unwrap_or(0);
        Some(std::net::Ipv4Addr::from((u32::from(ip) & mask).saturating_add(1)).to_string())
    };
    Choice {
        value: first().unwrap_or_else(|| "192.168.1.1".to_owned()),
        why: "the router of the guest's network; usually its first address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_of_a_network_is_suggested_as_its_gateway() {
        let first = |address: &str| gateway(address).value;
        assert_eq!(first("10.1.2.130/25"), "10.1.2.129");
        assert_eq!(first("192.168.7.50/24"), "192.168.7.1");
        assert_eq!(
            [first("fd00::7/64"), first("x/99"), first("10.0.0.7/0")],
            ["192.168.1.1", "192.168.1.1", "0.0.0.1"]
        );
    }

    #[test]
    fn a_node_may_be_named_like_its_host() {
        assert_eq!(host("https://pve7.lan:8006"), Some("pve7.lan"));
        assert_eq!(host("https://10.0.0.2:8006"), None);
        assert_eq!(host("https://[fd00::1]:8006"), None);
    }
}
