use plimsoll_report::{rules_to_json, to_json};

use crate::sample::{REUSED, Sample};

const SCHEMA: &str = include_str!("../../../../docs/schema/report-v1.json");

#[test]
fn reports_are_as_published() {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for sample in [Sample::new(), Sample::clean()] {
        let report = serde_json::from_str(&to_json(&sample.report())).unwrap();
        let errors: Vec<_> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_is_not_published() {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let mut report: serde_json::Value = serde_json::from_str(&to_json(&Sample::new().report())).unwrap();
    report["findings"][0]["surprise"] = 1.into();
    assert!(!jsonschema::is_valid(&schema, &report));
}

#[test]
fn report() {
    insta::assert_snapshot!("json", to_json(&Sample::new().report()));
}

#[test]
fn list_of_rules() {
    insta::assert_snapshot!(rules_to_json([&REUSED].into_iter()), @r#"
    {
      "version": 1,
      "rules": [
        {
          "code": "SEC-900",
          "name": "reused-password",
          "title": "One password for two services",
          "theme": "secrets",
          "severity": "high",
          "confidence": "high",
          "fix": "none",
          "references": [
            {
              "title": "A book on passwords",
              "url": "https://example.org/passwords"
            }
          ]
        }
      ]
    }
    "#);
}
