//! The JSON Schema, from the table of keys.

use serde_json::{Map, Value, json};

use crate::keys;
use crate::shape::{Key, Need, Shape, Table};

/// The JSON Schema (2020-12) of `plimsoll.yaml`, as it is published in `docs/schema`.
#[must_use]
pub fn schema() -> Value {
    let mut root = table(&keys::FILE);
    if let Value::Object(map) = &mut root {
        map.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        map.insert("title".to_owned(), json!("plimsoll.yaml"));
        map.insert("patternProperties".to_owned(), json!({"^x-": true}));
    }
    root
}

fn table(table: &Table) -> Value {
    let mut properties = Map::new();
    for key in table.keys {
        properties.insert(key.name.to_owned(), value_of(key));
    }
    let required: Vec<&str> =
        table.keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect();
    json!({
        "type": "object",
        "description": table.about,
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn value_of(key: &Key) -> Value {
    let mut value = shape(key.shape);
    if let Value::Object(map) = &mut value {
        map.insert("description".to_owned(), json!(key.about));
        if let (Need::Default(default), true) =
            (key.need, matches!(key.shape, Shape::Form(_) | Shape::Choice(_)))
        {
            map.insert("default".to_owned(), json!(default));
        }
        if let (Need::Default(default), Shape::Whole(..)) = (key.need, key.shape) {
            map.insert("default".to_owned(), json!(default.parse::<u64>().unwrap_or_default()));
        }
    }
    value
}

fn shape(of: Shape) -> Value {
    match of {
        Shape::Text(example) => json!({"type": "string", "minLength": 1, "examples": [example]}),
        Shape::Form(form) => json!({"type": "string", "pattern": form.pattern}),
        Shape::Whole(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Choice(words) => json!({"enum": words}),
        Shape::List(item) => json!({"type": "array", "items": shape(*item)}),
        Shape::Some(item) => {
            json!({"anyOf": [shape(*item), {"type": "array", "minItems": 1, "items": shape(*item)}]})
        }
        Shape::Map(keys, value) => json!({
            "type": "object",
            "propertyNames": {"pattern": keys.pattern},
            "additionalProperties": shape(*value),
        }),
        Shape::Table(of) => table(of),
        Shape::Short(value, more) => json!({"oneOf": [shape(*value), table(more)]}),
        Shape::Either(tables) => json!({"oneOf": tables.iter().map(|of| table(of)).collect::<Vec<_>>()}),
        Shape::Tagged(tag, tables) => {
            let mut all: Vec<Value> = Vec::new();
            let mut seen: Vec<&str> = Vec::new();
            for (_, of) in tables {
                if seen.contains(&of.name) {
                    continue;
                }
                seen.push(of.name);
                let words: Vec<&str> =
                    tables.iter().filter(|(_, other)| other.name == of.name).map(|(word, _)| *word).collect();
                let mut one = table(of);
                if let Some(property) = one.pointer_mut(&format!("/properties/{tag}/enum")) {
                    *property = json!(words);
                }
                all.push(one);
            }
            json!({"oneOf": all})
        }
    }
}
