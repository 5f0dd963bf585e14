//! The lab: requests in, answers out, and what only a lab can do.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use plimsoll_pve::Secret;

use crate::access::Caller;
use crate::backend::{Backend, Network, Simulated};
use crate::contract::{Contract, Detail};
use crate::cx::Cx;
use crate::faults::{Fault, Rule};
use crate::handlers::{self, ROUTES};
use crate::http::{Given, Outcome, Request, Wrapping, decode, parameters, render, split};
use crate::options::Options;
use crate::reply::{Answer, Refusal, Reply};
use crate::state::State;
use crate::validate::{Args, Raw, validate};

/// A Proxmox VE cluster that is not there.
pub struct Lab {
    options: Options,
    contract: Contract,
    state: Mutex<State>,
}

/// A request that was taken.
pub(crate) enum Begun {
    /// This becomes of it.
    Done(Outcome),
    /// Somebody outside the lab is asked, which takes its time: this says what becomes of it.
    Asks(Box<dyn FnOnce() -> Outcome + Send>),
}

/// Two hours.
const TICKET_LIFE: i64 = 7_200_000;
/// A node takes no larger body, uploads aside.
const MOST_BODY: usize = 512 << 10;

impl Lab {
    /// Makes a lab with simulated guests.
    pub fn new(options: Options) -> Self {
        Self::with_backend(options, Box::new(Simulated))
    }

    /// Makes a lab with guests of a backend.
    pub fn with_backend(options: Options, backend: Box<dyn Backend>) -> Self {
        let contract = Contract::of(options.release);
        let state = Mutex::new(State::new(&options, backend));
        Self { options, contract, state }
    }

    /// Answers a request.
    pub fn handle(&self, request: &Request) -> Outcome {
        match self.begin(request) {
            Begun::Done(outcome) => outcome,
            Begun::Asks(ask) => ask(),
        }
    }

    /// Answers a request, or says what is to be asked first. The lab is nobody's meanwhile.
    pub(crate) fn begin(&self, request: &Request) -> Begun {
        let mut state = self.state();
        state.settle();
        let delay = state.faults.latency(&request.verb, &request.path);
        let fault = state.faults.on_request(&request.verb, &request.path);
        match fault {
            Some(Fault::LostBefore) => return Begun::Done(Outcome::Lost),
            Some(Fault::Status { status, message }) => {
                let text = if message.is_empty() { usual(status).to_owned() } else { message };
                // Between nodes there is no JSON.
                let refusal =
                    if status >= 502 { Refusal::bare(status, text) } else { Refusal::new(status, text) };
                let response = render(Err(refusal), Wrapping::Json);
                return Begun::Done(Outcome::Answer { response, delay });
            }
            _ => {}
        }
        let (answer, wrapping) = self.respond(&mut state, request);
        let lost = matches!(fault, Some(Fault::LostAfter));
        let end = move |answer: Answer| {
            let response = render(answer, wrapping);
            if lost { Outcome::Lost } else { Outcome::Answer { response, delay } }
        };
        match answer {
            Ok(Reply { later: Some(ask), .. }) => Begun::Asks(Box::new(move || end(ask().map(Reply::from)))),
            answer => Begun::Done(end(answer)),
        }
    }

    fn respond(&self, state: &mut State, request: &Request) -> (Answer, Wrapping) {
        let Some((wrapping, path)) = split(&request.path) else {
            let refusal = Refusal::bare(501, format!("no such uri '{}'", request.path));
            return (Err(refusal), Wrapping::Json);
        };
        if !matches!(request.verb.as_str(), "GET" | "POST" | "PUT" | "DELETE") {
            let refusal = Refusal::bare(501, format!("method '{}' not available", request.verb));
            return (Err(refusal), wrapping);
        }
        let answer = self.answer(state, request, &path);
        state.settle();
        (answer, wrapping)
    }

    fn answer(&self, state: &mut State, request: &Request, path: &[String]) -> Answer {
        let joined = format!("/{}", path.join("/"));
        let login = joined == "/access/ticket" && request.verb == "POST";
        let upload = joined.ends_with("/upload");
        if request.body.len() > MOST_BODY && !upload {
            return Err(Refusal::bare(501, "for data too large"));
        }
        let caller = if login {
            Caller { user: String::new(), token: None }
        } else {
            authenticate(state, request, upload)?
        };
        let given = parameters(request)?;
        if path.is_empty() {
            let names = ["version", "cluster", "nodes", "storage", "access", "pools"];
            return Ok(json!(names.map(|name| json!({ "subdir": name }))).into());
        }
        let found = self.contract.find(&request.verb, path);
        let Some((endpoint, places)) = found else {
            return Err(Refusal::new(501, format!("Method '{} {joined}' not implemented", request.verb)));
        };
        let handler = ROUTES.iter().find(|(verb, path, _)| *verb == endpoint.verb && *path == endpoint.path);
        let (Some(detail), Some((_, _, handler))) = (&endpoint.detail, handler) else {
            let text = format!("the lab does not implement {} {}", endpoint.verb, endpoint.path);
            return Err(Refusal::new(501, text));
        };
        if caller.token.is_some() && !detail.token {
            let text = format!("URI '{joined}' not available with API token, need proper ticket.");
            return Err(Refusal::denied(&text));
        }
        let (given, hidden) = without_hidden(given);
        let mut all = given;
        all.extend(places.into_iter().map(|(name, value)| (name, Raw::Text(value))));
        let mut args = validate(detail, all)?;
        args.0.extend(hidden);
        self.permit(state, &caller, detail, &args)?;
        spool(state, &mut args, &request.body)?;
        known_node(state, &args)?;
        if request.verb != "GET" && !login && state.faults.no_quorum() {
            return Err(Refusal::died("cluster not ready - no quorum?"));
        }
        let mut cx = Cx { state, contract: &self.contract, caller, args };
        handler(&mut cx)
    }

    fn permit(
        &self,
        state: &mut State,
        caller: &Caller,
        detail: &Detail,
        args: &Args,
    ) -> Result<(), Refusal> {
        if detail.check.is_null() {
            return match detail.user.as_str() {
                "root" if !caller.is_root() => Err(Refusal::denied("user != root@pam")),
                _ => Ok(()),
            };
        }
        handlers::permit(state, caller, &detail.check, args)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves time on, and does what falls due.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.clock.advance(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        state.settle();
    }

    /// The password of `root@pam`.
    pub(crate) fn password(&self) -> String {
        self.options.password.clone()
    }

    /// What the nodes' clocks show, in seconds since 1970.
    pub fn clock(&self) -> i64 {
        self.state().seconds()
    }

    /// Throws everything away but the certificate and the lab's own tokens, and begins anew.
    pub fn reset(&self) {
        let mut state = self.state();
        state.backend.clean();
        let certificate = state.certificate.clone();
        let issued = std::mem::take(&mut state.issued);
        let backend = std::mem::replace(&mut state.backend, Box::new(Simulated));
        *state = State::new(&self.options, backend);
        state.certificate = certificate;
        for (name, secret) in issued {
            state.issue(name, secret);
        }
    }

    /// Takes everything away that the lab made on this machine. Guests of a lab that was closed are gone.
    pub fn close(&self) {
        let mut state = self.state();
        state.guests.clear();
        state.backend.close();
    }

    /// The network of its guests, where they can be reached from this machine.
    pub fn network(&self) -> Option<Network> {
        self.state().backend.network()
    }

    /// Names of templates in its storage `local`, ready to make containers from.
    pub fn templates(&self) -> Vec<String> {
        let state = self.state();
        let volumes = state.storages.get("local").map(|local| local.volumes.keys());
        let names = volumes.into_iter().flatten().filter(|name| name.starts_with("vztmpl/"));
        names.map(|name| format!("local:{name}")).collect()
    }

    /// Names of disk images in its storage `local` that hold one, ready to make virtual machines from.
    pub fn images(&self) -> Vec<String> {
        let images = self.state().backend.images().unwrap_or_default();
        images.into_iter().map(|image| format!("local:import/{}", image.name)).collect()
    }

    /// Makes a token of the administrator `lab@pve`, which a reset leaves, and answers how a client shows it. It has every
    /// privilege and is nobody's root, like the token that a deploy to a real node should have.
    pub fn issue_token(&self, name: &str, secret: &str) -> Secret {
        self.state().issue(name.to_owned(), secret.to_owned());
        Secret::new(format!("lab@pve!{name}={secret}"))
    }

    /// Sets a fault and answers its number.
    pub fn add_fault(&self, rule: Rule) -> u32 {
        self.state().faults.add(rule)
    }

    /// Takes a fault away.
    pub fn remove_fault(&self, number: u32) -> bool {
        self.state().faults.remove(number)
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// The faults that are set.
    pub fn faults(&self) -> BTreeMap<u32, Rule> {
        self.state().faults.list().clone()
    }

    /// Verb and path of the requests that met a fault, oldest first; the first thousand.
    pub fn met(&self) -> Vec<(String, String)> {
        self.state().faults.met().to_vec()
    }

    /// Shows this certificate's fingerprint and text in answers.
    pub fn show_certificate(&self, fingerprint: String, pem: String) {
        self.state().certificate = (fingerprint, pem);
    }

    /// What the lab is, for people: release, nodes, guests by number with their state, and the backend's name.
    pub fn summary(&self) -> Summary {
        let mut state = self.state();
        state.settle();
        Summary {
            release: state.release.version().to_owned(),
            nodes: state.nodes.clone(),
            backend: state.backend.name(),
            vms: state.backend.vms(),
            limits: state.backend.limits(),
            guests: state
                .guests
                .values()
                .map(|guest| (guest.vmid, guest.kind.api(), guest.name(), guest.running.is_some()))
                .collect(),
            published: state
                .guests
                .keys()
                .filter_map(|vmid| Some((*vmid, state.backend.published(*vmid)?)))
                .collect(),
            tasks: state.tasks.len(),
            faults: state.faults.list().len(),
        }
    }

    /// Names and logs of tasks, oldest first.
    pub fn logs(&self) -> Vec<(String, Option<String>, Vec<String>)> {
        let mut state = self.state();
        state.settle();
        state.tasks.iter().map(|task| (task.upid.to_string(), task.exit.clone(), task.log.clone())).collect()
    }
}

/// What a lab is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The release.
    pub release: String,
    /// Names of nodes.
    pub nodes: Vec<String>,
    /// The backend of its guests.
    pub backend: &'static str,
    /// What its virtual machines are made of.
    pub vms: &'static str,
    /// What its guests cannot show.
    pub limits: Vec<&'static str>,
    /// Number, kind, name, whether it runs.
    pub guests: Vec<(u32, &'static str, String, bool)>,
    /// Guests whose SSH server is reached at another address than their own: number and address with port.
    pub published: Vec<(u32, String)>,
    /// Tasks so far.
    pub tasks: usize,
    /// Faults that are set.
    pub faults: usize,
}

impl Summary {
    /// What guests are made of, for people.
    pub fn made_of(&self) -> String {
        let (guests, vms) = (self.backend, self.vms);
        match (guests, vms) {
            _ if guests == vms => format!("{guests} guests"),
            (_, "simulated") => format!("{guests} guests, virtual machines simulated"),
            _ => format!("{guests} guests, virtual machines by {vms}"),
        }
    }
}

/// Endpoints of a release: verb, path, whether the lab answers.
pub fn coverage(release: crate::contract::Release) -> Vec<(String, String, bool)> {
    let contract = Contract::of(release);
    contract.endpoints().iter().map(|e| (e.verb.clone(), e.path.clone(), e.detail.is_some())).collect()
}

/// What the vendor's contract says that an endpoint checks: the expression of privileges, where there is one, and whether
/// tokens may call it. Nothing for an endpoint that the lab does not answer.
pub fn privileges(
    release: crate::contract::Release,
    verb: &str,
    path: &str,
) -> Option<(serde_json::Value, bool)> {
    let contract = Contract::of(release);
    let endpoint = contract.endpoints().iter().find(|e| e.verb == verb && e.path == path)?;
    endpoint.detail.as_ref().map(|detail| (detail.check.clone(), detail.token))
}

fn usual(status: u16) -> &'static str {
    match status {
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        595 => "Connection refused",
        596 => "Connection timed out",
        _ => "Internal Server Error",
    }
}

/// What the lab's own reader put beside the parameters of an upload.
fn without_hidden(given: Given) -> (Given, BTreeMap<String, Vec<String>>) {
    let (hidden, given): (Given, Given) = given.into_iter().partition(|(name, _)| name.starts_with('\0'));
    let hidden = hidden.into_iter().filter_map(|(name, raw)| match raw {
        Raw::Text(text) => Some((name, vec![text])),
        Raw::List(_) => None,
    });
    (given, hidden.collect())
}

/// Puts the file of an upload where the backend wants it.
fn spool(state: &mut State, args: &mut Args, body: &[u8]) -> Result<(), Refusal> {
    let of = |name: &str| args.get(name).and_then(|text| text.parse::<usize>().ok());
    let (Some(from), Some(size)) = (of("\0from"), of("\0size")) else { return Ok(()) };
    let Some(path) = state.backend.spool() else { return Ok(()) };
    let content = from.checked_add(size).and_then(|to| body.get(from..to)).unwrap_or_default();
    keep_file(&path, content)
        .map_err(|error| Refusal::died(format!("unable to write the upload: {error}")))?;
    args.0.insert("\0file".to_owned(), vec![path.display().to_string()]);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the lab keeps what is uploaded to it")]
fn keep_file(path: &std::path::Path, content: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, content)
}

fn known_node(state: &State, args: &Args) -> Result<(), Refusal> {
    match args.get("node") {
        Some(node) if node != "localhost" && !state.nodes.iter().any(|known| known == node) => {
            let text = "failed to get address info for";
            Err(Refusal::died(format!(
                "hostname lookup '{node}' failed - {text}: {node}: Name or service not known"
            )))
        }
        _ => Ok(()),
    }
}

/// Who asks: by ticket, else by token, in the node's order.
fn authenticate(state: &mut State, request: &Request, upload: bool) -> Result<Caller, Refusal> {
    let failed = || Refusal::bare(401, "Authentication failed!");
    let now = state.now();
    let cookie = request.cookie.as_deref().and_then(|text| {
        let found = text.split(';').map(str::trim).find_map(|part| part.strip_prefix("PVEAuthCookie="));
        found.map(|value| decode(value, false))
    });
    if let Some(ticket) = cookie {
        let (user, given) = state.access.tickets.get(&ticket).ok_or_else(failed)?;
        if now - given > TICKET_LIFE {
            return Err(Refusal::bare(401, "permission denied - invalid PVE ticket"));
        }
        let csrf_needed = request.verb != "GET" && !upload;
        if csrf_needed && request.csrf.as_deref() != Some(crate::handlers::csrf(&ticket).as_str()) {
            return Err(Refusal::bare(401, "Permission denied - invalid csrf token"));
        }
        return Ok(Caller { user: user.clone(), token: None });
    }
    let Some(header) = request.authorization.as_deref() else { return Err(Refusal::bare(401, "No ticket")) };
    let rest = header.split("PVEAPIToken").nth(1).and_then(|rest| rest.strip_prefix(['=', ' ']));
    let value =
        rest.map(|rest| decode(rest.split(';').next().unwrap_or_default(), false)).ok_or_else(failed)?;
    let (id, secret) = value.rsplit_once('=').ok_or_else(failed)?;
    let (user, name) = id.split_once('!').ok_or_else(failed)?;
    let token = state.access.token(user, name).ok_or_else(failed)?;
    let over = token.expire > 0 && token.expire < now / 1000;
    let enabled = state.access.users.get(user).is_some_and(|user| user.enable);
    if token.secret != secret || over || !enabled {
        return Err(failed());
    }
    Ok(Caller { user: user.to_owned(), token: Some(name.to_owned()) })
}
