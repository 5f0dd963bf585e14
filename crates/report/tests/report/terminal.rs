use plimsoll_report::{Detail, TerminalOptions, to_terminal};

use crate::sample::Sample;

fn shown(sample: &Sample, detail: Detail) -> String {
    let styled = to_terminal(&sample.report(), TerminalOptions { detail, width: 100 });
    plain(&styled)
}

/// Without ANSI styles.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, style)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = style.split_once('m').map_or("", |(_, after)| after);
    }
    out + rest
}

#[test]
fn findings_stand_with_their_evidence_and_many_alike_are_folded() {
    insta::assert_snapshot!("terminal", shown(&Sample::new(), Detail::Normal));
}

#[test]
fn brief_output_has_one_line_for_each_finding() {
    insta::assert_snapshot!("terminal_brief", shown(&Sample::new(), Detail::Brief));
}

#[test]
fn full_output_folds_nothing_and_lists_what_is_hidden() {
    insta::assert_snapshot!("terminal_full", shown(&Sample::new(), Detail::Full));
}

#[test]
fn a_clean_report_is_one_line() {
    insta::assert_snapshot!(shown(&Sample::clean(), Detail::Normal), @"no findings in 2 files, profile internet");
}

#[test]
fn secrets_and_escape_sequences_of_the_files_do_not_reach_the_terminal() {
    let sample = Sample::new();
    let styled = to_terminal(&sample.report(), TerminalOptions { detail: Detail::Full, width: 100 });
    assert!(!styled.contains("=hunter2"), "{styled}");
    assert!(!styled.contains("\u{1b}[31mspoken"), "{styled}");
}
