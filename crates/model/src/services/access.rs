//! Whether a public service asks for a credential.

use plimsoll_text::Place;

use super::reach::{known, reference};
use crate::compose::Service;
use crate::images::Role;

/// Whether a service asks for a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// It answers anybody.
    Open {
        /// Why, as a fragment.
        why: String,
        /// Where it can be seen.
        place: Place,
    },
    /// It asks.
    Guarded,
    /// The files do not tell.
    Unknown,
}

/// Whether a service that runs a public image asks for a credential. Sources: the images' documentation on Docker
/// Hub and the manuals of the programs.
#[must_use]
pub fn access(service: &Service) -> Access {
    let Some(image) = known(service) else { return Access::Unknown };
    let place = service.image.as_ref().map_or(service.place, |image| image.place);
    let open = |why: &str| Access::Open { why: why.to_owned(), place };
    match image.name() {
        "redis" | "valkey/valkey" | "eqalpha/keydb" | "dragonflydb/dragonfly" => memory_store(service, place),
        "bitnami/redis" => match service.environment.get("ALLOW_EMPTY_PASSWORD") {
            Some(entry)
                if is_true(entry.value.as_deref())
                    && !has(service, &["REDIS_PASSWORD", "REDIS_PASSWORD_FILE"]) =>
            {
                Access::Open { why: "an empty password is allowed".to_owned(), place: entry.place }
            }
            _ => Access::Guarded,
        },
        "postgres" => match service.environment.get("POSTGRES_HOST_AUTH_METHOD") {
            Some(entry) if entry.value.as_deref() == Some("trust") => {
                Access::Open { why: "`trust` lets anybody in as any user".to_owned(), place: entry.place }
            }
            _ => Access::Guarded,
        },
        "mysql" | "mariadb" => {
            let empty = [
                "MYSQL_ALLOW_EMPTY_PASSWORD",
                "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
                "MYSQL_ALLOW_EMPTY_ROOT_PASSWORD",
            ];
            match empty.iter().find_map(|name| service.environment.get(*name)) {
                Some(entry) if is_true(entry.value.as_deref()) => {
                    Access::Open { why: "root has an empty password".to_owned(), place: entry.place }
                }
                _ => Access::Guarded,
            }
        }
        "mongo" => {
            let auth = has(service, &["MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_USERNAME_FILE"])
                || words(service).any(|word| {
                    word.contains("--auth") || word.contains("--keyFile") || word.contains("--config")
                });
            if auth { Access::Guarded } else { open("no root user is set, so authentication is off") }
        }
        "elasticsearch" => match service.environment.get("xpack.security.enabled") {
            Some(entry) if entry.value.as_deref() == Some("false") => {
                Access::Open { why: "its security is switched off".to_owned(), place: entry.place }
            }
            None if reference(service)
                .and_then(|image| image.tag)
                .is_some_and(|tag| tag.starts_with('7')) =>
            {
                open("version 7 has its security off unless it is switched on")
            }
            _ => Access::Guarded,
        },
        "opensearchproject/opensearch" => {
            let switches = ["DISABLE_SECURITY_PLUGIN", "plugins.security.disabled"];
            match switches.iter().find_map(|name| service.environment.get(*name)) {
                Some(entry) if is_true(entry.value.as_deref()) => {
                    Access::Open { why: "its security plugin is switched off".to_owned(), place: entry.place }
                }
                _ => Access::Guarded,
            }
        }
        "neo4j" => match service.environment.get("NEO4J_AUTH") {
            Some(entry) if entry.value.as_deref() == Some("none") => {
                Access::Open { why: "authentication is set to `none`".to_owned(), place: entry.place }
            }
            _ => Access::Guarded,
        },
        "getmeili/meilisearch" if has(service, &["MEILI_MASTER_KEY"]) => Access::Guarded,
        "qdrant/qdrant" if has(service, &["QDRANT__SERVICE__API_KEY"]) => Access::Guarded,
        _ if image.open => {
            let guarded = service.environment.keys().any(|key| {
                let key = key.to_ascii_lowercase();
                ["password", "_token", "api_key", "auth"].iter().any(|word| key.contains(word))
            }) || words(service)
                .any(|word| ["auth", "password", "tls"].iter().any(|part| word.contains(part)));
            if guarded { Access::Unknown } else { open("it has no authentication unless it is configured") }
        }
        _ if image.role == Role::Monitoring => Access::Unknown,
        _ => Access::Guarded,
    }
}

fn memory_store(service: &Service, place: Place) -> Access {
    let guarded = words(service)
        .any(|word| ["requirepass", "aclfile", "--user "].iter().any(|part| word.contains(part)));
    let configured = words(service).any(|word| word.ends_with(".conf"))
        || service
            .volumes
            .iter()
            .any(|mount| mount.target.ends_with(".conf") || mount.target.ends_with(".acl"));
    if guarded
        || has(service, &["REDIS_PASSWORD", "DFLY_requirepass", "VALKEY_PASSWORD"])
            && words(service).any(|word| word.contains("PASSWORD"))
    {
        Access::Guarded
    } else if configured
        || has(service, &["DFLY_requirepass"])
        || words(service).any(|word| word.contains('$'))
    {
        Access::Unknown
    } else {
        Access::Open { why: "no `requirepass` and no user list is set".to_owned(), place }
    }
}

fn words(service: &Service) -> impl Iterator<Item = &str> {
    [&service.entrypoint, &service.command]
        .into_iter()
        .flatten()
        .flat_map(|command| &command.value.words)
        .map(String::as_str)
}

fn has(service: &Service, names: &[&str]) -> bool {
    names.iter().any(|name| service.environment.contains_key(*name))
}

fn is_true(value: Option<&str>) -> bool {
    value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes"))
}
