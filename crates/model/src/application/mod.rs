//! What the application's source says: variables it reads, ports, routes, migrations, switches.

mod types;

pub use types::{
    ApiDocs, Application, BodyKind, Cors, DebugSwitch, EnvRead, Framework, Language, Listen, Migration,
    Phase, Presence, Project, Route, SchemaCreation, SwitchKind,
};
