//! Schema is made by the app and by migrations.

use plimsoll_model::Facts;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-012",
    name: "schema-created-twice",
    title: "Schema is made by the app and by migrations",
    theme: Theme::DataSafety,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("schema_created_twice.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for creation in facts.application.schema_creations.iter().filter(|creation| !creation.destructive) {
        let path = facts.path(creation.place.file);
        if facts.is_development(creation.place.file)
            || path.as_str().contains("migrations/")
            || path.as_str().contains("conftest")
        {
            continue;
        }
        let Some(migration) =
            facts.application.migrations.iter().find(|migration| {
                migration.folder.as_str().is_empty() || path.starts_with(&migration.folder)
            })
        else {
            continue;
        };
        findings
            .add(creation.place, format!("`{}` makes the tables before `{}` can", creation.call, migration.tool))
            .label("makes whatever is missing, at every start")
            .related(migration.place, "the schema is kept in migrations")
            .note("the first migration then fails on a table that exists, or columns differ from the migrated schema")
            .help("leave the schema to the migrations, and call this in tests only");
    }
}
