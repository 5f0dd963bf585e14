//! What is published beside the code, and what other readers of the file know.

use plimsoll_config::{reference, schema};
use plimsoll_rules::Profile;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../docs/schema/plimsoll.schema.json");
const REFERENCE: &str = include_str!("../../../docs/configuration.md");

#[test]
fn the_published_schema_and_reference_are_those_of_the_code() {
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    let reference = reference();
    if option_env!("PLIMSOLL_BLESS").is_some() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
        std::io::Write::write_all(
            &mut std::fs::File::create(format!("{docs}/schema/plimsoll.schema.json")).unwrap(),
            text.as_bytes(),
        )
        .unwrap();
        std::io::Write::write_all(
            &mut std::fs::File::create(format!("{docs}/configuration.md")).unwrap(),
            reference.as_bytes(),
        )
        .unwrap();
        return;
    }
    let how = "run `PLIMSOLL_BLESS=1 cargo test -p plimsoll-config --test published`";
    assert!(SCHEMA == text, "docs/schema/plimsoll.schema.json is not what the table of keys says: {how}");
    assert!(REFERENCE == reference, "docs/configuration.md is not what the table of keys says: {how}");
}

#[test]
fn the_profiles_are_those_of_the_judge() {
    let schema = schema();
    let words =
        schema.pointer("/properties/evaluate/properties/profile/enum").and_then(Value::as_array).unwrap();
    let judge: Vec<&str> = Profile::ALL.into_iter().map(Profile::name).collect();
    assert_eq!(words.iter().filter_map(Value::as_str).collect::<Vec<_>>(), judge);
}

#[test]
fn the_judge_reads_the_evaluate_section_of_a_file_that_is_accepted_here() {
    let text = include_str!("full.yaml");
    let files = plimsoll_text::Files::new([("plimsoll.yaml".into(), text.to_owned())]);
    let (id, file) = files.iter().next().unwrap();
    let settings = plimsoll_judge::settings::read(id, file).unwrap();
    assert_eq!(settings.profile, Some(Profile::Homelab));
    assert_eq!(settings.accept.len(), 1);
}
