use plimsoll_report::to_markdown;

use crate::sample::Sample;

#[test]
fn findings_are_listed_by_theme_without_secrets() {
    let text = to_markdown(&Sample::new().report());
    assert!(!text.contains("=hunter2"));
    insta::assert_snapshot!("markdown", text);
}
