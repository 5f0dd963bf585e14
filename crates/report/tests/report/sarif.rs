use plimsoll_report::to_sarif;
use serde_json::Value;

use crate::sample::Sample;

fn sarif() -> Value {
    serde_json::from_str(&to_sarif(&Sample::new().report())).unwrap()
}

#[test]
fn reports_hold_to_the_official_schema() {
    let schema = official_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for sample in [Sample::new(), Sample::clean()] {
        let report = serde_json::from_str(&to_sarif(&sample.report())).unwrap();
        let errors: Vec<_> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({ "version": "2.1.0" })), "the schema accepts anything");
}

/// The schema of the OASIS standard as the package `serde-sarif` ships it. Cargo has the package because this
/// crate names it as a dependency for no target, so it is never compiled.
#[expect(clippy::disallowed_methods, reason = "asks cargo where the package lies, and reads it")]
fn official_schema() -> Value {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let folder = camino::Utf8Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
    let text = std::fs::read_to_string(folder.join("src/schema.json")).unwrap();
    // The standard's pattern for language tags has a bracket too many, which only some engines forgive. It is for
    // properties that are not written here.
    serde_json::from_str(&text.replace(r#""^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$""#, r#""^.*$""#)).unwrap()
}

#[test]
fn columns_are_counted_in_utf_16_and_paths_are_encoded() {
    let note = &sarif()["runs"][0]["results"][2]["locations"][0]["physicalLocation"];
    assert_eq!(note["artifactLocation"]["uri"], "deploy/docs/my%20notes.md");
    assert_eq!(note["region"]["startLine"], 3);
    assert_eq!(note["region"]["startColumn"], 4, "the ship takes two UTF-16 code units");
}

#[test]
fn facts_in_other_files_are_related_locations() {
    let related = &sarif()["runs"][0]["results"][1]["relatedLocations"];
    assert_eq!(related[0]["message"]["text"], "first used here");
    assert_eq!(related[1]["physicalLocation"]["artifactLocation"]["uri"], "deploy/docs/my%20notes.md");
}

#[test]
fn accepted_and_known_findings_are_suppressed_results() {
    let sarif = sarif();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let kinds: Vec<_> = results.iter().filter_map(|r| r["suppressions"][0]["kind"].as_str()).collect();
    assert_eq!(kinds, ["inSource", "external"]);
    let accepted = results.iter().find(|r| r["suppressions"][0]["kind"] == "inSource").unwrap();
    assert_eq!(accepted["suppressions"][0]["justification"], "it is a test");
}

#[test]
fn problems_and_broken_rules_are_notifications() {
    let invocation = &sarif()["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let texts: Vec<_> = invocation["toolExecutionNotifications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notification| notification["message"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            "not read: it has 50.0 MB, the limit is 5.0 MB",
            "cannot be read: permission denied",
            "rule NET-900 broke: index out of range"
        ]
    );
}

#[test]
fn report() {
    insta::assert_snapshot!("sarif", to_sarif(&Sample::new().report()));
}
