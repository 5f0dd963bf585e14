//! The same input gives the same bytes; unrelated edits leave findings alone.

use proptest::prelude::*;

use crate::sandbox::{BAD, Sandbox};

const FORMATS: [&str; 4] = ["terminal", "json", "sarif", "markdown"];

#[test]
fn every_format_gives_the_same_bytes_whatever_the_order_of_creation() {
    let files =
        [("lxc/1.conf", BAD), ("b.sh", "# plimsoll: ignore[x] y\n"), ("a.sh", BAD), ("c/d.yml", "a: [\n")];
    let forwards = Sandbox::with(&files);
    let backwards = Sandbox::new();
    for (path, text) in files.iter().rev() {
        backwards.write(path, text);
    }
    for format in FORMATS {
        let run = |sandbox: &Sandbox| sandbox.run(&["evaluate", "--format", format]);
        assert_eq!(run(&forwards), run(&backwards), "{format}");
        assert_eq!(run(&forwards), run(&forwards), "{format}");
    }
}

fn fingerprints(sandbox: &Sandbox) -> Vec<String> {
    let run = sandbox.run(&["evaluate", "--rules", "ISO-003", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["fingerprint"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fingerprints_survive_unrelated_lines_and_files(
        before in "([a-z]{0,8}\n){0,5}",
        after in "([a-z]{0,8}\n){0,5}",
        other in "[a-z]{1,8}\\.sh",
    ) {
        let plain = Sandbox::with(&[("lxc/1.conf", BAD), ("z.conf", BAD)]);
        let edited = Sandbox::with(&[("z.conf", BAD), (&other, &after)]);
        edited.write("lxc/1.conf", format!("{before}{BAD}{after}"));
        prop_assert_eq!(fingerprints(&plain), fingerprints(&edited));
    }
}
