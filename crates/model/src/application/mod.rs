//! What the application's source says: variables it reads, ports, routes, migrations, switches.

mod collect;
mod compiled;
mod javascript;
mod javascript_env;
mod migrations;
mod projects;
mod python;
mod types;

pub use types::{
    ApiDocs, Application, BodyKind, Cors, DebugSwitch, EnvRead, Framework, Language, Listen, Migration,
    Phase, Presence, Project, Route, SchemaCreation, SwitchKind,
};

#[cfg(test)]
mod tests;
