//! Differences between two JSON values, property by property.

use serde_json::Value;

/// One line for each property that differs.
pub(crate) fn differences(expected: &Value, found: &Value) -> Vec<String> {
    let mut all = Vec::new();
    walk("", expected, found, &mut all);
    all
}

fn walk(path: &str, expected: &Value, found: &Value, all: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let path = format!("{path}.{key}");
                match b.get(key) {
                    Some(other) => walk(&path, value, other, all),
                    None => all.push(format!("{path}: expected {value}, found nothing")),
                }
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                all.push(format!("{path}.{key}: expected nothing, found {value}"));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}[{index}]"), a, b, all);
            }
        }
        // A network that a service joins with `{}` or with nothing is the same.
        (Value::Object(map), Value::Null) if map.is_empty() && path.contains(".networks.") => {}
        (Value::Number(a), Value::Number(b)) if close(a.as_f64(), b.as_f64()) => {}
        (a, b) if a == b => {}
        (a, b) => all.push(format!("{path}: expected {a}, found {b}")),
    }
}

/// Compose keeps some numbers with single precision.
fn close(a: Option<f64>, b: Option<f64>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs())
}
