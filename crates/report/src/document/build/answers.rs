//! Questions that rules answer.

use super::show::{Show, table};
use crate::document::{Block, Text};

/// A question, and the rules whose findings answer it with no.
pub(super) struct Question {
    pub(super) text: &'static str,
    pub(super) rules: &'static [&'static str],
}

pub(super) const fn ask(text: &'static str, rules: &'static [&'static str]) -> Question {
    Question { text, rules }
}

/// A table of answers: the worst finding against it, or that nothing speaks against it.
pub(super) fn answers(show: &Show<'_>, caption: &str, questions: &[Question]) -> Block {
    let row = |question: &Question| {
        let found = show.of(question.rules);
        let Some(worst) = found.first() else {
            return vec![Text::of(question.text), "nothing found against it".into(), Text::default()];
        };
        let mut why = show.mention(worst);
        if found.len() > 1 {
            why = why.and(&format!("; {} more", found.len() - 1));
        }
        vec![Text::of(question.text), Text::default().strong("no"), why]
    };
    table(caption, &["question", "answer", "why"], questions.iter().map(row).collect())
}

#[cfg(test)]
pub(super) fn assert_rules_exist(rules: &[&str]) {
    for code in rules {
        assert!(plimsoll_rules::registry::find(code).is_some(), "{code}");
    }
}
