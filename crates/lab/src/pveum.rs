//! Lines of `pveum`, the node's own tool for users and roles, as its administrator would type them.

use plimsoll_pve::percent_encode;
use serde_json::Value;

use crate::http::{Outcome, Request};
use crate::lab::Lab;

/// Verb, path, parameters.
type Call = (&'static str, String, Vec<(String, String)>);

/// A line as a call of the API. Only what makes and changes users, tokens, roles, pools and lists.
fn call(words: &[String]) -> Option<Call> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = words.strip_prefix(&["pveum"]).unwrap_or(&words);
    let flags = words.iter().position(|word| word.starts_with("--")).unwrap_or(words.len());
    let (fixed, rest) = words.split_at_checked(flags)?;
    let mut form = Vec::new();
    for pair in rest.chunks(2) {
        let [name, value] = pair else { return None };
        form.push((name.strip_prefix("--")?.to_owned(), (*value).to_owned()));
    }
    let mut with = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    let (verb, path) = match fixed {
        ["role", "add", name] => {
            with("roleid", name);
            ("POST", "/access/roles".to_owned())
        }
        ["role", "modify", name] => ("PUT", format!("/access/roles/{}", percent_encode(name))),
        ["role", "delete", name] => ("DELETE", format!("/access/roles/{}", percent_encode(name))),
        ["pool", "add", name] => {
            with("poolid", name);
            ("POST", "/pools".to_owned())
        }
        ["user", "add", name] => {
            with("userid", name);
            ("POST", "/access/users".to_owned())
        }
        ["user", "delete", name] => ("DELETE", format!("/access/users/{}", percent_encode(name))),
        ["user", "token", verb @ ("add" | "remove"), user, token] => {
            let path = format!("/access/users/{}/token/{}", percent_encode(user), percent_encode(token));
            (if *verb == "add" { "POST" } else { "DELETE" }, path)
        }
        ["acl", verb @ ("modify" | "delete"), path] => {
            with("path", path);
            if *verb == "delete" {
                with("delete", "1");
            }
            ("PUT", "/access/acl".to_owned())
        }
        _ => return None,
    };
    Some((verb, path, form))
}

impl Lab {
    /// Does what a line of `pveum` says, as `root@pam` on the node, and answers what it prints: of a new token its name and
    /// its secret, else nothing.
    pub fn pveum(&self, words: &[String]) -> Result<String, String> {
        let Some((verb, path, form)) = call(words) else {
            return Err("the lab knows `pveum role add|modify|delete`, `pool add`, `user add|delete`, `user token add|remove` and `acl modify|delete`".to_owned());
        };
        let login =
            [("username".to_owned(), "root@pam".to_owned()), ("password".to_owned(), self.password())];
        let session = self.ask("POST", "/access/ticket", &login, None)?;
        let text = |key: &str| session.get(key).and_then(Value::as_str).unwrap_or_default();
        let cookie = format!("PVEAuthCookie={}", percent_encode(text("ticket")));
        let answer = self.ask(verb, &path, &form, Some((cookie, text("CSRFPreventionToken").to_owned())))?;
        let shown = ["full-tokenid", "value"]
            .into_iter()
            .filter_map(|key| Some(format!("{key:<12}  {}\n", answer.get(key)?.as_str()?)));
        Ok(shown.collect())
    }

    fn ask(
        &self,
        verb: &str,
        path: &str,
        form: &[(String, String)],
        session: Option<(String, String)>,
    ) -> Result<Value, String> {
        let pairs: Vec<String> =
            form.iter().map(|(key, value)| format!("{key}={}", percent_encode(value))).collect();
        let in_address = matches!(verb, "GET" | "DELETE");
        let (cookie, csrf) = session.unzip();
        let request = Request {
            verb: verb.to_owned(),
            path: format!("/api2/json{path}"),
            query: if in_address { pairs.join("&") } else { String::new() },
            content_type: (!in_address).then(|| "application/x-www-form-urlencoded".to_owned()),
            authorization: None,
            cookie,
            csrf,
            body: if in_address { Vec::new() } else { pairs.join("&").into_bytes() },
        };
        let Outcome::Answer { response, .. } = self.handle(&request) else {
            return Err("the connection was lost".to_owned());
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if response.status == 200 {
            return Ok(body.get("data").cloned().unwrap_or_default());
        }
        let errors = body.get("errors").map(|errors| format!(" {errors}")).unwrap_or_default();
        Err(format!("{} {}{errors}", response.status, response.reason))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Lab, Options};

    fn run(lab: &Lab, line: &str) -> Result<String, String> {
        let words: Vec<String> = line.split(' ').map(|word| word.replace('_', " ")).collect();
        lab.pveum(&words)
    }

    #[test]
    fn lines_do_what_they_do_on_a_node() {
        let lab = Lab::new(Options::default());
        for line in [
            "pveum role add app --privs VM.Audit_SDN.Use",
            "pveum pool add apps",
            "user add plimsoll@pve",
            "pveum acl modify /pool/apps --users plimsoll@pve --roles app",
            "pveum role modify app --privs VM.Audit",
        ] {
            assert_eq!(run(&lab, line), Ok(String::new()), "{line}");
        }
        let made = run(&lab, "pveum user token add plimsoll@pve ci --privsep 1").unwrap();
        assert!(made.starts_with("full-tokenid  plimsoll@pve!ci\nvalue "), "{made}");
        let acl = run(&lab, "pveum acl modify /pool/apps --tokens plimsoll@pve!ci --roles app");
        assert_eq!(acl, Ok(String::new()));
    }

    #[test]
    fn what_a_node_refuses_is_refused() {
        let lab = Lab::new(Options::default());
        assert!(run(&lab, "pveum role add app --privs VM.Monitor").unwrap_err().contains("VM.Monitor"));
        assert!(run(&lab, "pveum acl modify /pool/apps --users nobody@pve --roles PVEAdmin").is_err());
        for line in
            ["", "pveum", "pveum role", "pveum user list", "pveum role add app --privs", "qm start 100"]
        {
            assert!(run(&lab, line).unwrap_err().starts_with("the lab knows"), "{line}");
        }
    }
}
