//! Changes as text.

use camino::Utf8Path;
use similar::TextDiff;

/// The change of one file as a unified diff that `git apply` and `patch -p1` accept.
#[must_use]
pub fn unified_diff(path: &Utf8Path, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    // A name with a blank needs an end mark, as git writes it.
    let end = if path.as_str().contains(' ') { "\t" } else { "" };
    let diff = TextDiff::from_lines(before, after);
    let hunks = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}{end}"), &format!("b/{path}{end}"))
        .to_string();
    format!("diff --git a/{path} b/{path}\n{hunks}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_diff_with_names_and_context() {
        let diff = unified_diff("a b/x".into(), "1\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n");
        let expected = "diff --git a/a b/x b/a b/x\n--- a/a b/x\t\n+++ b/a b/x\t\n@@ -2,4 +2,4 @@\n 2\n 3\n 4\n-5\n+five\n";
        assert_eq!(diff, expected);
        assert_eq!(unified_diff("x".into(), "1\n", "1\n"), "");
    }

    #[test]
    fn a_missing_end_of_line_is_said() {
        let diff = unified_diff("x".into(), "1", "2\n");
        assert!(diff.contains("-1\n\\ No newline at end of file\n+2\n"), "{diff}");
    }
}
