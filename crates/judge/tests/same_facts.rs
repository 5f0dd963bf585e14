//! The same facts give the same judgement, whatever services are called and in which order they stand.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use plimsoll_judge::settings::{Date, Settings};
use plimsoll_judge::{Assessment, Question, assess};
use plimsoll_model::{Facts, Inventory};
use plimsoll_rules::{Profile, Selection, evaluate};
use plimsoll_text::Files;
use proptest::prelude::*;

/// A service: what it depends on, by position, and its other keys.
const SERVICES: [(&[usize], &str); 5] = [
    (&[1], "    image: nginx:1.27\n    ports: ['8080:80']\n"),
    (&[2, 3], "    image: example.org/app:3.2\n    ports: ['8000:8000']\n    user: root\n"),
    (
        &[],
        "    image: postgres:16\n    ports: ['5432:5432']\n    volumes: ['data:/var/lib/postgresql/data']\n",
    ),
    (&[], "    image: redis:7\n    ports: ['6379:6379']\n    volumes: ['cache:/data']\n"),
    (&[], "    image: traefik:3.1\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock']\n"),
];

fn judged(names: &[&str; 5], order: &[usize]) -> Assessment {
    let mut compose = "services:\n".to_owned();
    for index in order {
        let (needs, keys) = SERVICES[*index];
        let _ = write!(compose, "  {}:\n{keys}", names[*index]);
        if !needs.is_empty() {
            let needs: Vec<&str> = needs.iter().map(|need| names[*need]).collect();
            let _ = writeln!(compose, "    depends_on: [{}]", needs.join(", "));
        }
    }
    compose.push_str("volumes:\n  data: {}\n  cache: {}\n");
    let script = "#!/bin/bash\nset -e\nssh root@pve 'pct create 120 local:vztmpl/debian.tar.zst --unprivileged 0 --features nesting=1'\nssh root@pve 'pct exec 120 -- docker compose -f compose.yml up -d'\n";
    let texts: [(Utf8PathBuf, String); 2] =
        [("compose.yml".into(), compose), ("deploy.sh".into(), script.to_owned())];
    let inventory = Inventory::new(texts.iter().map(|(path, _)| path.clone()));
    let facts = Facts::new(Files::new(texts), inventory);
    let findings = evaluate(&facts, &Selection { profile: Profile::Production, ..Selection::default() });
    let today = Date { year: 2027, month: 1, day: 1 };
    assess(
        &facts,
        &findings,
        &Question { profile: Profile::Production, settings: &Settings::default(), today },
    )
}

/// Everything of a judgement that may not depend on names: numbers, in sorted order.
fn shape(judged: &Assessment) -> String {
    let mut paths: Vec<String> = judged
        .paths
        .list
        .iter()
        .map(|path| format!("{} {} {:?} {}", path.points, path.edges.len(), path.cut_by, path.residual))
        .collect();
    paths.sort();
    let mut radii: Vec<String> = judged
        .blast_radii
        .iter()
        .map(|radius| {
            let points: Vec<u32> = radius.reaches.iter().map(|(_, points)| *points).collect();
            format!("{:?} {points:?}", radius.to_node)
        })
        .collect();
    radii.sort();
    let proposals: Vec<_> =
        judged.proposals.iter().map(|p| (p.id, p.effort_quarters, p.cuts, p.in_cut)).collect();
    let states: Vec<_> = judged.controls.iter().map(|compared| compared.state).collect();
    format!(
        "{paths:#?}\n{radii:#?}\n{proposals:#?}\n{:?}\n{:?}\n{:#?}\n{states:?}\n{}",
        judged.cut,
        judged.matrix,
        judged.verdict,
        judged.surface.len()
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn names_and_order_change_nothing(
        names in Just(["amber", "birch", "cedar", "drift", "ember"]).prop_shuffle(),
        order in Just([0_usize, 1, 2, 3, 4]).prop_shuffle(),
    ) {
        let first = judged(&["one", "two", "three", "four", "five"], &[0, 1, 2, 3, 4]);
        prop_assert!(first.paths.open().count() > 5);
        prop_assert_eq!(shape(&judged(&names, &order)), shape(&first));
    }
}
