//! The session of `root@pam` on a lab whose time stands still until somebody moves it on.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

use plimsoll_lab::{Lab, Options, Outcome, Request};
use plimsoll_pve::percent_encode;
use serde_json::Value;

pub(crate) struct Root {
    pub(crate) lab: Lab,
    cookie: Option<String>,
    csrf: Option<String>,
}

impl Root {
    pub(crate) fn login(options: Options) -> Self {
        let lab = Lab::new(Options { virtual_time: true, ..options });
        let mut root = Self { lab, cookie: None, csrf: None };
        let session =
            root.ask("POST", "/access/ticket", "username=root@pam&password=plimsoll").1["data"].clone();
        root.cookie = Some(format!("PVEAuthCookie={}", percent_encode(session["ticket"].as_str().unwrap())));
        root.csrf = session["CSRFPreventionToken"].as_str().map(ToOwned::to_owned);
        root
    }

    /// Status and answer of a request; what stands after a `?` goes into the address.
    pub(crate) fn ask(&self, verb: &str, path: &str, form: &str) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        self.send(Request {
            verb: verb.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: form.as_bytes().to_vec(),
            ..Request::default()
        })
    }

    /// The same in full; by the ticket where no token is given, a form where no other type is.
    pub(crate) fn send(&self, request: Request) -> (u16, Value) {
        let by_ticket = request.authorization.is_none();
        let form = || Some("application/x-www-form-urlencoded".to_owned());
        let request = Request {
            path: format!("/api2/json{}", request.path),
            content_type: request.content_type.clone().or_else(form),
            cookie: self.cookie.clone().filter(|_| by_ticket),
            csrf: self.csrf.clone().filter(|_| by_ticket),
            ..request
        };
        let Outcome::Answer { response, .. } = self.lab.handle(&request) else { return (0, Value::Null) };
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }
}
