//! Migrations run against another database than the app.

use plimsoll_model::Facts;
use plimsoll_model::application::Migration;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-002",
    name: "migration-to-another-database",
    title: "Migrations run against another database than the app",
    theme: Theme::DataSafety,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Alembic, Tutorial, Editing the .ini File",
        url: "https://alembic.sqlalchemy.org/en/latest/tutorial.html#editing-the-ini-file",
    }],
    doc: include_str!("migration_to_another_database.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for migration in &facts.application.migrations {
        let (Some(url), None) = (&migration.url, migration.from_environment) else { continue };
        if !is_elsewhere(&url.value) {
            continue;
        }
        let Some((place, name)) = runtime_database(facts, migration) else { continue };
        findings
            .add(
                url.place,
                format!("`{}` migrates a database of its own, not the one the app uses", migration.tool),
            )
            .label("fixed here, and nothing replaces it")
            .related(place, format!("the app takes its database from `{name}`"))
            .note("migrations report success and change nothing that the app sees")
            .help("read the address from the environment where the migration tool is configured");
    }
}

/// Addresses that production does not use: files, and servers on the same machine.
fn is_elsewhere(url: &str) -> bool {
    url.starts_with("sqlite")
        || url.contains("@localhost")
        || url.contains("@127.0.0.1")
        || url.contains("driver://")
}

/// Where the deployed service gets the database address.
fn runtime_database(facts: &Facts, migration: &Migration) -> Option<(plimsoll_text::Place, String)> {
    let named = facts.stacks.deployed_services().find_map(|(_, service)| {
        let entry = service.environment.values().find(|entry| {
            let key = entry.key.to_ascii_uppercase();
            key.contains("DATABASE_URL")
                || key.contains("DB_URL")
                || key.contains("SQLALCHEMY")
                || key.contains("DB_HOST")
                || key.contains("POSTGRES_HOST")
                || key.contains("MYSQL_HOST")
        })?;
        let runs_it = service.build.is_some() || service.image.is_some();
        runs_it.then(|| (entry.place, entry.key.clone()))
    });
    named.or_else(|| {
        let read = facts.application.env_reads.iter().find(|read| {
            let same_project = facts.path(read.place.file).starts_with(&migration.folder);
            same_project && read.name.to_ascii_uppercase().contains("DATABASE_URL")
        })?;
        Some((read.place, read.name.clone()))
    })
}
