//! What the application's source says: variables it reads, ports, routes, migrations, switches.

mod types;

pub use types::{
    ApiDocs, Application, BodyKind, Cors, DebugSwitch, EnvRead, Framework, Language, Listen, Migration,
    Phase, Presence, Project, Route, SchemaCreation, SwitchKind,
};
impl Application {
    pub(crate) fn new(_f: &plimsoll_text::Files, _t: &crate::Trees) -> Self {
        Self::default()
    }
}
