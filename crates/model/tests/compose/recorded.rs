//! Every case equals what was recorded from Docker Compose.

use crate::case;
use crate::compare::differences;
use plimsoll_model::compose::{Paths, render};

#[test]
fn every_case_equals_what_compose_makes_of_it() {
    let mut report = Vec::new();
    let cases = case::all();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for case in cases {
        let Some(expected) = case.expected() else {
            report.push(format!("{}: no expected.json", case.name));
            continue;
        };
        let (files, resolution) = case.resolve();
        let problems: Vec<String> = resolution
            .problems
            .iter()
            .filter(|problem| problem.is_error)
            .map(|problem| {
                let at = problem.place.map_or("?".to_owned(), |place| {
                    let file = files.get(place.file);
                    format!("{}:{}", file.path(), file.line_column(place.span.start).line)
                });
                format!("{at} {}", problem.message)
            })
            .collect();
        match (expected.get("error"), resolution.is_refused()) {
            (Some(_), true) => {}
            (Some(error), false) => report.push(format!("{}: Compose refuses it: {error}", case.name)),
            (None, true) => report.push(format!("{}: Compose takes it, we refuse: {problems:?}", case.name)),
            (None, false) => {
                for difference in differences(
                    &expected,
                    &render(&resolution.compose, Paths { root: case::ROOT, home: case::HOME }),
                ) {
                    report.push(format!("{}: {difference}", case.name));
                }
            }
        }
    }
    assert!(report.is_empty(), "{} differences\n{}", report.len(), report.join("\n"));
}
