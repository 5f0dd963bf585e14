//! Ports, mounts and devices in one text.

use std::net::IpAddr;

use super::{Item, Kind, Map, Value};

fn entry(of: &Value, kind: Kind) -> Item {
    Item { key: of.place, value: of.derived(kind) }
}

fn put(map: &mut Map, of: &Value, key: &str, text: &str) {
    map.insert(key.to_owned(), entry(of, Kind::Text(text.to_owned())));
}

/// `[[address:]host:]container[/protocol]`, ports or ranges of ports.
pub(super) fn ports(of: &Value, text: &str) -> Result<Vec<Map>, String> {
    let (rest, protocol) = match text.split_once('/') {
        Some((rest, "")) => (rest, "tcp"),
        Some((rest, protocol)) => (rest, protocol),
        None => (text, "tcp"),
    };
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("`{protocol}` is no protocol of a port; there are tcp, udp and sctp"));
    }
    let (before, container) =
        rest.rsplit_once(':').map_or((None, rest), |(before, last)| (Some(before), last));
    let (address, host) = match before {
        None => ("", ""),
        Some(before) => before.rsplit_once(':').unwrap_or(("", before)),
    };
    let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    if !address.is_empty() && address.parse::<IpAddr>().is_err() {
        return Err(format!("`{address}` is no address"));
    }
    if container.is_empty() {
        return Err(format!("`{text}` names no port of the container"));
    }
    let (first, last) = range(container)?;
    let published = if host.is_empty() { None } else { Some(range(host)?) };
    let spread = last - first;
    if let Some((from, to)) = published
        && spread != to - from
        && spread != 0
    {
        return Err(format!("`{text}` has ranges of different lengths"));
    }
    let mut all: Vec<(String, Map)> = Vec::new();
    for offset in 0..=spread {
        let mut map = Map::new();
        map.insert("target".to_owned(), entry(of, Kind::Integer(i64::from(first + offset))));
        put(&mut map, of, "protocol", &protocol);
        put(&mut map, of, "mode", "ingress");
        if !address.is_empty() {
            put(&mut map, of, "host_ip", address);
        }
        if let Some((from, to)) = published {
            let one =
                if spread == 0 && from != to { format!("{from}-{to}") } else { (from + offset).to_string() };
            put(&mut map, of, "published", &one);
        }
        all.push((format!("{}/{protocol}", first + offset), map));
    }
    // Compose orders a range by its ports as texts.
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all.into_iter().map(|(_, map)| map).collect())
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse::<u16>().map_err(|_| format!("`{text}` is no port"));
    let (first, last) = (number(first)?, number(last)?);
    if last < first { Err(format!("the range of ports `{text}` runs backwards")) } else { Ok((first, last)) }
}

/// `[source:]target[:options]`.
pub(super) fn volume(of: &Value, text: &str) -> Result<Vec<Map>, String> {
    let mut map = Map::new();
    if text.is_empty() {
        return Err("a mount must not be empty".to_owned());
    }
    if text.len() <= 2 {
        put(&mut map, of, "type", "volume");
        put(&mut map, of, "target", text);
        return Ok(vec![map]);
    }
    let parts = sections(text);
    if parts.iter().any(String::is_empty) {
        return Err(format!("`{text}` has an empty part between colons"));
    }
    let (source, target, options) = match parts.as_slice() {
        [target] => ("", target.as_str(), ""),
        [source, target] => (source.as_str(), target.as_str(), ""),
        [source, target, options] => (source.as_str(), target.as_str(), options.as_str()),
        _ => return Err(format!("`{text}` has too many colons")),
    };
    let mut bind = Map::new();
    let mut volume = Map::new();
    for option in options.split(',') {
        match option {
            "ro" => {
                map.insert("read_only".to_owned(), entry(of, Kind::Bool(true)));
            }
            "rw" => {
                map.remove("read_only");
            }
            "nocopy" => {
                volume.insert("nocopy".to_owned(), entry(of, Kind::Bool(true)));
            }
            "z" | "Z" => put(&mut bind, of, "selinux", option),
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                put(&mut bind, of, "propagation", option);
            }
            _ => {}
        }
    }
    let is_path = is_path(source);
    if is_path {
        bind.insert("create_host_path".to_owned(), entry(of, Kind::Bool(true)));
    }
    put(&mut map, of, "type", if is_path { "bind" } else { "volume" });
    if !source.is_empty() {
        put(&mut map, of, "source", source);
    }
    put(&mut map, of, "target", &clean(target));
    if is_path || !bind.is_empty() {
        map.insert("bind".to_owned(), entry(of, Kind::Map(bind)));
    }
    if !is_path || !volume.is_empty() {
        map.insert("volume".to_owned(), entry(of, Kind::Map(volume)));
    }
    Ok(vec![map])
}

/// The parts between colons; the colon after a single letter belongs to a Windows drive.
fn sections(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for c in text.chars() {
        let drive = part.chars().count() == 1 && part.starts_with(char::is_alphabetic);
        if c == ':' && !drive {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    parts
}

fn is_path(source: &str) -> bool {
    let mut chars = source.chars();
    match chars.next() {
        Some('.' | '/' | '~') => true,
        Some('\\') => chars.next() == Some('\\'),
        Some(letter) => letter.is_alphabetic() && chars.next() == Some(':'),
        None => false,
    }
}

/// A path in a container without `.`, `..` and doubled slashes.
pub(super) fn clean(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// `host[:container[:permissions]]`.
pub(super) fn device(of: &Value, text: &str) -> Result<Vec<Map>, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, permissions) = match parts.as_slice() {
        [source] => (*source, *source, "rwm"),
        [source, target] => (*source, *target, "rwm"),
        [source, target, permissions] => (*source, *target, *permissions),
        _ => return Err(format!("`{text}` has too many colons for a device; use the long form")),
    };
    let target = if target.is_empty() { source } else { target };
    let mut map = Map::new();
    put(&mut map, of, "source", source);
    put(&mut map, of, "target", target);
    put(&mut map, of, "permissions", permissions);
    Ok(vec![map])
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_text::{Files, Place, Span};

    fn value() -> Value {
        let files = Files::new([("x".into(), String::new())]);
        let (id, _) = files.iter().next().unwrap();
        Value::new(Kind::Null, Place::new(id, Span::default()), camino::Utf8Path::new("").into())
    }

    fn show(maps: Result<Vec<Map>, String>) -> String {
        let show = |map: Map| {
            let parts: Vec<_> = map
                .iter()
                .map(|(k, v)| format!("{k}={}", v.value.display().unwrap_or("{}".into())))
                .collect();
            parts.join(" ")
        };
        maps.map_or_else(
            |e| format!("error: {e}"),
            |maps| maps.into_iter().map(show).collect::<Vec<_>>().join(" | "),
        )
    }

    #[test]
    fn forms_of_ports() {
        for (text, expected) in [
            ("80", "mode=ingress protocol=tcp target=80"),
            ("8080:80/UDP", "mode=ingress protocol=udp published=8080 target=80"),
            ("127.0.0.1::80", "host_ip=127.0.0.1 mode=ingress protocol=tcp target=80"),
            ("[::1]:1:2", "host_ip=::1 mode=ingress protocol=tcp published=1 target=2"),
            ("8000-9000:80", "mode=ingress protocol=tcp published=8000-9000 target=80"),
            ("1-3:1-2", "error: `1-3:1-2` has ranges of different lengths"),
            ("x:80", "error: `x` is no port"),
            ("host:1:2", "error: `host` is no address"),
            ("80/icmp", "error: `icmp` is no protocol of a port; there are tcp, udp and sctp"),
            ("1:", "error: `1:` names no port of the container"),
        ] {
            assert_eq!(show(ports(&value(), text)), expected, "{text}");
        }
        assert_eq!(ports(&value(), "9-10").unwrap()[0]["target"].value.kind, Kind::Integer(10));
    }

    #[test]
    fn forms_of_mounts() {
        for (text, expected) in [
            ("/data", "target=/data type=volume volume={}"),
            ("db:/d/:ro", "read_only=true source=db target=/d type=volume volume={}"),
            ("./a:/b:z", "bind={} source=./a target=/b type=bind"),
            ("v:/v", "target=v:/v type=volume volume={}"),
            ("C:\\x:/y", "bind={} source=C:\\x target=/y type=bind"),
            ("aa::b", "error: `aa::b` has an empty part between colons"),
            ("a1:b1:c1:d1", "error: `a1:b1:c1:d1` has too many colons"),
        ] {
            assert_eq!(show(volume(&value(), text)), expected, "{text}");
        }
    }
}
