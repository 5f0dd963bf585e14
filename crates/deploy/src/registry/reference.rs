//! The name of an image, in its parts.

/// How Docker Hub is called.
const HUB: &str = "docker.io";

/// An image as Compose files name it: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`. Any text is one; whether it names something a
/// registry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The registry's name without a scheme, `docker.io` where none is written.
    registry: String,
    /// The image's path in that registry.
    path: String,
    /// As written, without tag and digest.
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// Takes a name apart.
    pub(crate) fn parse(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        // A colon before the last slash is that of a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if is_host(first) => (canonical(first), path),
            _ => (HUB.to_owned(), name),
        };
        let path = match path {
            path if registry == HUB && !path.contains('/') => format!("library/{path}"),
            path => path.to_owned(),
        };
        Self { registry, path, name: name.to_owned(), tag, digest }
    }

    /// The registry: host and port, `docker.io` for Docker Hub.
    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    /// The path of the image in its registry.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Whether it names one image for ever.
    pub(crate) fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }

    /// The same image by a digest, with the name as it is written and without a tag that says nothing beside it.
    pub(crate) fn at(&self, digest: &str) -> String {
        format!("{}@{digest}", self.name)
    }

    /// How engines list it: short names for Docker Hub, the digest where there is one, `latest` where nothing is said.
    pub(crate) fn listed(&self) -> String {
        let name = self.listed_name();
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{name}@{digest}"),
            (None, Some(tag)) => format!("{name}:{tag}"),
            (None, None) => format!("{name}:latest"),
        }
    }

    /// With everything that is left out.
    pub(crate) fn whole(&self) -> String {
        let name = format!("{}/{}", self.registry, self.path);
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{name}@{digest}"),
            (None, tag) => format!("{name}:{}", tag.as_deref().unwrap_or("latest")),
        }
    }

    /// The name that engines list, without tag and digest.
    pub(crate) fn listed_name(&self) -> String {
        match self.registry.as_str() {
            HUB => self.path.strip_prefix("library/").unwrap_or(&self.path).to_owned(),
            registry => format!("{registry}/{}", self.path),
        }
    }
}

/// One name for a registry that has several.
pub(crate) fn canonical(host: &str) -> String {
    match host.to_ascii_lowercase().as_str() {
        "index.docker.io" | "registry-1.docker.io" | HUB => HUB.to_owned(),
        host => host.to_owned(),
    }
}

/// The name under which Docker keeps the login for a registry.
pub(crate) fn login_key(registry: &str) -> &str {
    if registry == HUB { "https://index.docker.io/v1/" } else { registry }
}

/// What a person types to log in.
pub(crate) fn login_command(registry: &str) -> String {
    if registry == HUB { "docker login".to_owned() } else { format!("docker login {registry}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_docker_does() {
        let all = [
            ("redis", "docker.io", "library/redis", "redis:latest"),
            ("redis:7", "docker.io", "library/redis", "redis:7"),
            ("docker.io/library/redis:7", "docker.io", "library/redis", "redis:7"),
            ("index.docker.io/org/x", "docker.io", "org/x", "org/x:latest"),
            ("org/x:1@sha256:a", "docker.io", "org/x", "org/x@sha256:a"),
            ("localhost/x", "localhost", "x", "localhost/x:latest"),
            ("host:5000/x", "host:5000", "x", "host:5000/x:latest"),
            ("127.0.0.1:5000/a/b:1", "127.0.0.1:5000", "a/b", "127.0.0.1:5000/a/b:1"),
            ("ghcr.io/o/x@sha256:a", "ghcr.io", "o/x", "ghcr.io/o/x@sha256:a"),
        ];
        for (text, registry, path, listed) in all {
            let found = Reference::parse(text);
            assert_eq!((found.registry(), found.path(), found.listed()), (registry, path, listed.to_owned()));
        }
    }

    #[test]
    fn a_digest_takes_the_place_of_a_tag() {
        for text in ["ghcr.io/o/x", "ghcr.io/o/x:1", "ghcr.io/o/x:1@sha256:old"] {
            assert_eq!(Reference::parse(text).at("sha256:new"), "ghcr.io/o/x@sha256:new");
        }
        assert_eq!(Reference::parse("host:5000/x").at("sha256:a"), "host:5000/x@sha256:a");
        assert!(Reference::parse("x:1@sha256:a").is_pinned());
    }

    #[test]
    fn nothing_is_too_strange_to_be_read() {
        for text in ["", "@", ":", "/", "a/:b", "://", "a@b@c", "é:ü"] {
            let found = Reference::parse(text);
            let _ = (found.listed(), found.at("sha256:a"), login_command(found.registry()));
        }
    }
}
