//! Finding an image's facts.

use plimsoll_syntax::dockerfile::ImageReference;

use super::data;
use super::system::Os;

/// Facts about a public image that its reference does not tell. Sources: the images' own Dockerfiles and
/// documentation on Docker Hub.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownImage {
    /// Names that it goes by, without registry and tag.
    pub names: &'static [&'static str],
    /// What it is for.
    pub role: Role,
    /// Distribution when the tag does not say.
    pub default_os: Os,
    /// Ports it listens on by default, the main one first.
    pub ports: &'static [u16],
    /// The user it starts as when not root.
    pub user: Option<&'static str>,
    /// Whether its entry point drops from root to a user of its own.
    pub drops_root: bool,
    /// Whether it answers without any credential unless it is configured to ask for one.
    pub open: bool,
    /// Variables that only the first start with an empty data directory reads. The first one is the credential.
    pub first_start: &'static [&'static str],
    /// Where it keeps its data.
    pub data: &'static [&'static str],
    /// Programs in it besides those of its distribution.
    pub programs: &'static [&'static str],
}

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A distribution.
    System,
    /// A language runtime or toolchain.
    Runtime,
    /// A web server or reverse proxy.
    WebServer,
    /// A database.
    Database,
    /// A cache or key-value store.
    Cache,
    /// A message broker.
    Broker,
    /// A search engine.
    Search,
    /// Object storage.
    ObjectStorage,
    /// Monitoring, logs, time series.
    Monitoring,
    /// Identity and secrets.
    Identity,
    /// An administration interface.
    Administration,
    /// An application.
    Application,
}

impl Role {
    /// Whether it keeps state that other services rely on and that nobody outside should reach directly.
    #[must_use]
    pub fn is_data_service(self) -> bool {
        matches!(self, Self::Database | Self::Cache | Self::Broker | Self::Search | Self::ObjectStorage)
    }
}

impl KnownImage {
    /// The facts about a reference's image, if it is a known one.
    #[must_use]
    pub fn find(reference: &ImageReference) -> Option<&'static Self> {
        let wanted = reference.name.as_str();
        // A copy in another registry keeps the last parts of the name.
        data::all().find(|image| image.names.contains(&wanted)).or_else(|| {
            let last_two = wanted
                .rmatch_indices('/')
                .nth(1)
                .map_or(wanted, |(at, _)| wanted.get(at + 1..).unwrap_or(wanted));
            data::all().find(|image| image.names.contains(&last_two)).or_else(|| {
                let mirrored = reference.registry.is_some() || wanted.starts_with("library/");
                let short = reference.short_name();
                data::all().find(|image| mirrored && image.names.first() == Some(&short))
            })
        })
    }

    /// The name that it is usually called by.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Whether a program is in the image; nothing when that is not known.
    #[must_use]
    pub fn provides(&self, os: Os, program: &str) -> Option<bool> {
        if self.programs.contains(&program) {
            return Some(true);
        }
        os.provides(program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Option<&'static str> {
        KnownImage::find(&ImageReference::parse(text).unwrap()).map(KnownImage::name)
    }

    #[test]
    fn images_are_found_by_name_in_any_registry() {
        assert_eq!(find("postgres:16"), Some("postgres"));
        assert_eq!(find("pgvector/pgvector:pg16"), Some("postgres"));
        assert_eq!(find("registry.lan/library/redis:7"), Some("redis"));
        assert_eq!(find("mirror.lan/hub/postgres"), Some("postgres"));
        assert_eq!(find("someone/postgres"), None);
        assert_eq!(find("acme/shop"), None);
    }

    #[test]
    fn no_name_belongs_to_two_images() {
        let mut names: Vec<&str> = data::all().flat_map(|image| image.names).copied().collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
