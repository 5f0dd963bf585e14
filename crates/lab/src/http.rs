//! Requests and answers without a network (pve-http-server, `AnyEvent.pm` and `Formatter/Standard.pm`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::reply::{Answer, Refusal};
use crate::validate::Raw;

/// A request as it arrives.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The verb.
    pub verb: String,
    /// The path as it was sent, `/api2/json/…`.
    pub path: String,
    /// What follows `?`.
    pub query: String,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `Cookie`.
    pub cookie: Option<String>,
    /// `CSRFPreventionToken`.
    pub csrf: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, the node's own 595 to 599 included.
    pub status: u16,
    /// The text of the status line.
    pub reason: String,
    /// `application/json` unless the body is plain or empty.
    pub json: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered, after a while.
    Answer {
        /// The answer.
        response: Response,
        /// Milliseconds to wait before it is sent.
        delay: u64,
    },
    /// The connection breaks without an answer.
    Lost,
}

/// How answers are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// `/api2/json`.
    Json,
    /// `/api2/extjs`: the status is always 200.
    Extjs,
}

/// The wrapping and the parts of a path.
pub(crate) fn split(path: &str) -> Option<(Wrapping, Vec<String>)> {
    let rest = path.strip_prefix("/api2/")?;
    let (format, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let wrapping = match format {
        "json" => Wrapping::Json,
        "extjs" => Wrapping::Extjs,
        _ => return None,
    };
    let parts = rest.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false)).collect();
    Some((wrapping, parts))
}

/// Undoes percent-encoding; in forms `+` is a blank.
pub(crate) fn decode(text: &str, form: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match (byte, hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
                continue;
            }
            (b'+', _) if form => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

pub(crate) type Given = BTreeMap<String, Raw>;

/// Parameters of a form or a query. A repeated name is a list.
pub(crate) fn form(text: &str) -> Given {
    let mut given = Given::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name, true), decode(value, true));
        let raw = match given.remove(&name) {
            None => Raw::Text(value),
            Some(Raw::Text(first)) => Raw::List(vec![first, value]),
            Some(Raw::List(mut list)) => {
                list.push(value);
                Raw::List(list)
            }
        };
        given.insert(name, raw);
    }
    given
}

fn json_body(body: &[u8]) -> Result<Given, Refusal> {
    let value: Value = serde_json::from_slice(body).map_err(|_| {
        Refusal::plain(500, "malformed JSON string, neither tag, array, object, number, string or atom")
    })?;
    let Value::Object(map) = value else {
        return Err(Refusal::plain(
            500,
            "Not a HASH reference at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 978.",
        ));
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        other => other.to_string(),
    };
    let some = map.iter().filter(|(_, value)| !value.is_null());
    Ok(some
        .map(|(name, value)| {
            let raw = match value {
                Value::Array(list) => Raw::List(list.iter().map(text).collect()),
                other => Raw::Text(text(other)),
            };
            (name.clone(), raw)
        })
        .collect())
}

/// Parameters of a request, from its query and its body.
pub(crate) fn parameters(request: &Request) -> Result<Given, Refusal> {
    let mut given = form(&request.query);
    if request.body.is_empty() {
        return Ok(given);
    }
    if matches!(request.verb.as_str(), "GET" | "DELETE") {
        return Err(Refusal::plain(501, format!("Unexpected content for method '{}'", request.verb)));
    }
    let kind = request.content_type.as_deref().unwrap_or_default();
    let body = match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => form(&String::from_utf8_lossy(&request.body)),
        "application/json" => json_body(&request.body)?,
        "multipart/form-data" => multipart(kind, &request.body)?,
        other => return Err(Refusal::plain(506, format!("upload 'Content-Type '{other}' not implemented"))),
    };
    given.extend(body);
    Ok(given)
}

/// Fields before the file, the file's name, and its size and digest under names that no form can have.
fn multipart(kind: &str, body: &[u8]) -> Result<Given, Refusal> {
    let boundary = kind.split("boundary=").nth(1).unwrap_or_default().trim_matches('"');
    if boundary.is_empty() {
        return Err(Refusal::new(501, "upload without boundary"));
    }
    let mut given = Given::new();
    let marker = format!("--{boundary}");
    let mut at = 0;
    while let Some(start) = find(body, marker.as_bytes(), at) {
        let begin = start + marker.len();
        if body.get(begin..begin + 2) == Some(b"--") {
            break;
        }
        let Some(head_end) = find(body, b"\r\n\r\n", begin) else { break };
        let head = String::from_utf8_lossy(body.get(begin..head_end).unwrap_or_default()).into_owned();
        let content = head_end + 4;
        let Some(end) = find(body, format!("\r\n{marker}").as_bytes(), content) else { break };
        let value = body.get(content..end).unwrap_or_default();
        let quoted = |key: &str| {
            let (_, rest) = head.split_once(&format!("{key}=\""))?;
            Some(rest.split('"').next().unwrap_or_default().to_owned())
        };
        let name = quoted(" name").or_else(|| quoted(";name")).unwrap_or_default();
        if name == "filename" {
            let filename = quoted("filename").unwrap_or_default();
            given.insert("filename".to_owned(), Raw::Text(filename));
            given.insert("\0size".to_owned(), Raw::Text(value.len().to_string()));
            given.insert("\0sha256".to_owned(), Raw::Text(sha256(value)));
            given.insert("\0from".to_owned(), Raw::Text(content.to_string()));
            // The node stops reading fields when it meets the file.
            break;
        }
        given.insert(name, Raw::Text(String::from_utf8_lossy(value).into_owned()));
        at = end;
    }
    Ok(given)
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn find(text: &[u8], part: &[u8], from: usize) -> Option<usize> {
    let (first, rest) = (part.first()?, text.get(from..)?);
    let mut at = 0;
    // A template has hundreds of megabytes: only places that begin right are compared.
    while let Some(next) = rest.get(at..)?.iter().position(|byte| byte == first) {
        at += next;
        if rest.get(at..)?.starts_with(part) {
            return Some(at + from);
        }
        at += 1;
    }
    None
}

/// The answer as it goes out.
pub(crate) fn render(answer: Answer, wrapping: Wrapping) -> Response {
    match (answer, wrapping) {
        (Ok(reply), wrapping) => {
            let mut body = Map::from_iter([("data".to_owned(), reply.data)]);
            if let Some(total) = reply.total {
                body.insert("total".to_owned(), json!(total));
            }
            if wrapping == Wrapping::Extjs {
                body.insert("success".to_owned(), json!(1));
            }
            response(200, "OK", &Value::Object(body))
        }
        (Err(refusal), _) if refusal.bare => Response {
            status: refusal.status,
            reason: first_line(&refusal.message),
            json: false,
            body: Vec::new(),
        },
        (Err(refusal), _) if refusal.plain => {
            let reason = first_line(&refusal.message);
            Response { status: refusal.status, reason, json: false, body: refusal.message.into_bytes() }
        }
        (Err(refusal), wrapping) => {
            // What is not implemented has no line break at its end.
            let end = if refusal.status == 501 { "" } else { "\n" };
            let mut body = Map::from_iter([
                ("data".to_owned(), Value::Null),
                ("message".to_owned(), json!(format!("{}{end}", refusal.message))),
            ]);
            if !refusal.errors.is_empty() {
                body.insert("errors".to_owned(), json!(refusal.errors));
            }
            if wrapping == Wrapping::Extjs {
                body.insert("success".to_owned(), json!(0));
                body.insert("status".to_owned(), json!(refusal.status.to_string()));
                return response(200, "OK", &Value::Object(body));
            }
            response(refusal.status, &first_line(&refusal.message), &Value::Object(body))
        }
    }
}

fn response(status: u16, reason: &str, body: &Value) -> Response {
    Response { status, reason: reason.to_owned(), json: true, body: body.to_string().into_bytes() }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_json_say_the_same() {
        let of = |kind: &str, body: &str| {
            let request = Request {
                verb: "PUT".into(),
                content_type: Some(kind.into()),
                body: body.as_bytes().to_vec(),
                ..Request::default()
            };
            parameters(&request)
        };
        let form = of("application/x-www-form-urlencoded; charset=UTF-8", "a=x+y&onboot=1&d=p&d=q").unwrap();
        let json = of("application/json", r#"{"a":"x y","onboot":true,"d":["p","q"],"n":null}"#).unwrap();
        assert_eq!(form, json);
        assert_eq!(of("text/plain", "x").unwrap_err().status, 506);
        assert_eq!(of("application/json", "[1]").unwrap_err().status, 500);
    }

    #[test]
    fn a_field_after_the_file_is_not_read() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"x.iso\"\r\n\r\nabc\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\niso\r\n--b--\r\n";
        let given = multipart("multipart/form-data; boundary=b", body.as_bytes()).unwrap();
        assert_eq!(given["filename"], Raw::Text("x.iso".into()));
        assert_eq!(given["\0size"], Raw::Text("3".into()));
        assert!(!given.contains_key("content"));
    }

    #[test]
    fn paths_are_split_and_decoded() {
        let (wrapping, parts) = split("/api2/json//nodes/pve1/tasks/UPID%3Apve1%3A/status/").unwrap();
        assert_eq!(
            (wrapping, parts.join("|").as_str()),
            (Wrapping::Json, "nodes|pve1|tasks|UPID:pve1:|status")
        );
    }
}
