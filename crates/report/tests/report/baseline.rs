use plimsoll_report::{BaselineError, read_baseline, write_baseline};

use crate::sample::Sample;

#[test]
fn a_written_baseline_is_read_back_without_secrets_in_it() {
    let sample = Sample::new();
    let text = write_baseline(&sample.report());
    assert!(!text.contains("=hunter2"), "{text}");
    let baseline = read_baseline(&text).unwrap();
    let assessment = sample.report().assessment;
    assert!(
        assessment.findings.iter().chain(&assessment.known).all(|judged| baseline.has(&judged.fingerprint))
    );
}

#[test]
fn other_files_and_newer_versions_are_refused() {
    assert!(matches!(read_baseline("[]"), Err(BaselineError::Form(_))));
    assert!(matches!(read_baseline(r#"{"version": 2, "findings": []}"#), Err(BaselineError::Version(2))));
}
