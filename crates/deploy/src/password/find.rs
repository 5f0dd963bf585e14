//! Which service is the server that a secret is the password of.

use std::collections::BTreeMap;

use plimsoll_config::{Rotate, Rotation};
use serde_json::Value as Json;

use crate::spec::{Spec, reference, referred};

/// A server whose password changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What it is.
    pub kind: Rotate,
    /// Its service.
    pub service: String,
    /// The users whose password it is.
    pub users: Vec<String>,
    /// Where that stands, in words: the variable or the command of the service.
    pub because: String,
}

/// Variables of an image: those that hold a password, and those that name its user with the user where none is named.
///
/// Sources: the pages of the official images `postgres`, `mysql` and `mariadb`.
const POSTGRES: [(&str, &[&str], Option<&str>); 1] =
    [("POSTGRES_PASSWORD", &["POSTGRES_USER"], Some("postgres"))];
const MYSQL: [(&str, &[&str], Option<&str>); 4] = [
    ("MYSQL_ROOT_PASSWORD", &[], Some("root")),
    ("MARIADB_ROOT_PASSWORD", &[], Some("root")),
    ("MYSQL_PASSWORD", &["MYSQL_USER", "MARIADB_USER"], None),
    ("MARIADB_PASSWORD", &["MARIADB_USER", "MYSQL_USER"], None),
];

/// Where a server finds its password in its command.
const BY_COMMAND: &str = "its command";

/// Finds the server of a secret; or says in words why it cannot be told.
pub fn server(spec: &Spec, secret: &str, rotation: &Rotation) -> Result<Server, String> {
    let services = spec.compose.get("services").and_then(Json::as_object);
    let mut found: Vec<Server> = Vec::new();
    for (name, service) in services.into_iter().flatten() {
        if rotation.service.as_ref().is_some_and(|meant| meant != name) {
            continue;
        }
        let look = Look { spec, secret, service };
        let (mut users, because) = match rotation.server {
            Rotate::Postgres => look.variables(&POSTGRES),
            Rotate::Mysql => look.variables(&MYSQL),
            Rotate::Redis => look.redis(),
        };
        if let Some(user) = &rotation.user {
            let is_said = rotation.service.is_some() && (rotation.server != Rotate::Redis || look.mentions());
            if because.is_none() && !is_said {
                continue;
            }
            users = vec![user.clone()];
        }
        let because = because.unwrap_or_else(|| "`plimsoll.yaml` says so".to_owned());
        if !users.is_empty() {
            let (kind, service) = (rotation.server, name.clone());
            found.push(Server { kind, service, users, because });
        }
    }
    if found.iter().any(|server| server.because == BY_COMMAND) {
        // Clients of Redis may have its image, and the password in a variable.
        found.retain(|server| server.because == BY_COMMAND);
    }
    let (kind, what) = (rotation.server.name(), rotation.server.word());
    let say =
        |rest: &str| format!("`rotate: {{kind: {what}, service: NAME{rest}}}` in `plimsoll.yaml` says it");
    let names: Vec<&str> = found.iter().map(|server| server.service.as_str()).collect();
    match (found.as_slice(), &rotation.service) {
        ([one], _) => {
            if spec.service(&one.service).is_some_and(|service| service.replicas > 1) {
                return Err(format!(
                    "{} runs in several containers, of which only one would be told",
                    one.service
                ));
            }
            let is_used =
                spec.compose.get("services").is_some_and(|all| referred(&all.to_string()).contains(secret));
            if is_used { Ok(one.clone()) } else { Err(format!("no service uses `{secret}`")) }
        }
        ([], Some(service)) if services.is_none_or(|all| !all.contains_key(service)) => {
            Err(format!("there is no service `{service}`, which should be the {kind} of `{secret}`"))
        }
        ([], Some(service)) => Err(format!(
            "nothing in {service} says whose password `{secret}` is: {}",
            match rotation.server {
                Rotate::Redis =>
                    "its command or a variable must name the secret, for it forgets passwords when it starts"
                        .to_owned(),
                _ => say(", user: USER"),
            }
        )),
        ([], None) => {
            Err(format!("no service has `{secret}` as the password of {kind}: {}", say(", user: USER")))
        }
        _ => Err(format!("`{secret}` is the password of {}: {}", names.join(" and of "), say(""))),
    }
}

/// A service, looked at for a secret.
struct Look<'a> {
    spec: &'a Spec,
    secret: &'a str,
    service: &'a Json,
}

impl Look<'_> {
    fn environment(&self) -> BTreeMap<&str, &str> {
        let map = self.service.get("environment").and_then(Json::as_object);
        map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
    }

    /// A value as the container sees it.
    fn seen(&self, value: &str) -> String {
        let known = referred(value).into_iter().find(|name| value == reference(name));
        known.and_then(|name| self.spec.values.0.get(&name).cloned()).unwrap_or_else(|| value.to_owned())
    }

    /// Whether a variable holds the secret, or names a file with it.
    fn holds(&self, environment: &BTreeMap<&str, &str>, variable: &str) -> bool {
        if environment.get(variable).is_some_and(|value| **value == reference(self.secret)) {
            return true;
        }
        let file = environment.get(format!("{variable}_FILE").as_str());
        let name = file.and_then(|path| path.strip_prefix("/run/secrets/"));
        let object =
            name.and_then(|name| self.spec.compose.get("secrets")?.get(name)?.get("environment")?.as_str());
        object == Some(self.secret)
    }

    fn variables(&self, known: &[(&str, &[&str], Option<&str>)]) -> (Vec<String>, Option<String>) {
        let environment = self.environment();
        let (mut users, mut because) = (Vec::new(), Vec::new());
        for (variable, names, usual) in
            known.iter().filter(|(variable, ..)| self.holds(&environment, variable))
        {
            let named = names.iter().find_map(|name| environment.get(name)).map(|value| self.seen(value));
            if let Some(user) = named.or_else(|| usual.map(ToOwned::to_owned))
                && !users.contains(&user)
            {
                users.push(user);
            }
            because.push(format!("`{variable}`"));
        }
        (users, (!because.is_empty()).then(|| because.join(" and ")))
    }

    /// The words that start it.
    fn words(&self) -> Vec<&str> {
        let lists = ["entrypoint", "command"].into_iter().filter_map(|key| self.service.get(key)?.as_array());
        lists.flatten().filter_map(Json::as_str).collect()
    }

    fn mentions(&self) -> bool {
        referred(&self.service.to_string()).contains(self.secret)
    }

    fn redis(&self) -> (Vec<String>, Option<String>) {
        let words = self.words();
        let image = self.service.get("image").and_then(Json::as_str).unwrap_or_default();
        let image = image.rsplit('/').next().unwrap_or_default();
        let is_redis = ["redis", "valkey"].iter().any(|name| image.starts_with(name))
            || words
                .iter()
                .any(|word| ["redis-server", "valkey-server"].iter().any(|name| word.contains(name)));
        if !is_redis || !self.mentions() {
            return (Vec::new(), None);
        }
        // Other users than the one of `requirepass` have to be named.
        let is_default = !words.contains(&"--user") && !words.iter().any(|word| word.contains("--user "));
        let users = if is_default { vec!["default".to_owned()] } else { Vec::new() };
        let is_word = words.iter().any(|word| referred(word).contains(self.secret));
        let because = if is_word { BY_COMMAND } else { "its variables" };
        (users, Some(because.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::spec::{Options, Values};

    fn spec(services: &Json) -> Spec {
        Spec {
            app: "shop".to_owned(),
            target: "production".to_owned(),
            version: None,
            compose: json!({"services": services.clone(), "secrets": {"db_password": {"environment": "PASSWORD"}}}),
            services: Vec::new(),
            values: Values(BTreeMap::from([("OWNER".to_owned(), "shop".to_owned())])),
            files: BTreeMap::new(),
            contexts: BTreeMap::new(),
            hooks: Vec::new(),
            checks: Vec::new(),
            options: Options::default(),
            warnings: Vec::new(),
        }
    }

    fn rotation(server: Rotate, service: Option<&str>, user: Option<&str>) -> Rotation {
        Rotation { server, service: service.map(ToOwned::to_owned), user: user.map(ToOwned::to_owned) }
    }

    #[expect(clippy::needless_pass_by_value, reason = "services are written where they are passed")]
    fn users(services: Json, rotation: &Rotation) -> Result<(String, Vec<String>), String> {
        server(&spec(&services), "PASSWORD", rotation).map(|found| (found.service, found.users))
    }

    fn found(service: &str, users: &[&str]) -> Result<(String, Vec<String>), String> {
        Ok((service.to_owned(), users.iter().map(|user| (*user).to_owned()).collect()))
    }

    #[test]
    fn the_variables_of_a_database_tell_server_and_user() {
        let (own, app) = (reference("PASSWORD"), format!("postgres://shop:{}@db", reference("PASSWORD")));
        let postgres = rotation(Rotate::Postgres, None, None);
        let services = json!({
            "db": {"environment": {"POSTGRES_PASSWORD": own, "POSTGRES_USER": reference("OWNER")}},
            "api": {"environment": {"POSTGRES_PASSWORD": "other", "DATABASE_URL": app}},
        });
        assert_eq!(users(services, &postgres), found("db", &["shop"]));
        let services = json!({
            "db": {"environment": {"POSTGRES_PASSWORD_FILE": "/run/secrets/db_password"}},
            "api": {"environment": {"X": own}},
        });
        assert_eq!(users(services, &postgres), found("db", &["postgres"]));
    }

    #[test]
    fn one_secret_may_be_the_password_of_two_users() {
        let own = reference("PASSWORD");
        let services = json!({"db": {"environment": {
            "MARIADB_ROOT_PASSWORD": own, "MARIADB_PASSWORD": own, "MARIADB_USER": "shop",
        }}});
        let mysql = rotation(Rotate::Mysql, None, None);
        assert_eq!(users(services.clone(), &mysql), found("db", &["root", "shop"]));
        let only = rotation(Rotate::Mysql, None, Some("shop"));
        assert_eq!(users(services, &only), found("db", &["shop"]));
    }

    #[test]
    fn redis_is_told_from_those_who_only_use_it() {
        let own = reference("PASSWORD");
        let services = json!({
            "cache": {"image": "redis:7-alpine", "command": ["redis-server", "--requirepass", own]},
            "api": {"image": "shop", "environment": {"REDIS_PASSWORD": own}},
            "worker": {"image": "redis:7-alpine", "environment": {"REDISCLI_AUTH": own}},
        });
        let redis = rotation(Rotate::Redis, None, None);
        assert_eq!(users(services, &redis), found("cache", &["default"]));
        let forgets = json!({
            "cache": {"image": "redis", "command": ["redis-server", "/etc/redis.conf"]},
            "api": {"environment": {"X": own}},
        });
        let said = users(forgets, &rotation(Rotate::Redis, Some("cache"), Some("default"))).unwrap_err();
        assert!(said.contains("forgets passwords when it starts"), "{said}");
    }

    #[test]
    fn what_cannot_be_told_must_be_said() {
        let own = reference("PASSWORD");
        let two = json!({
            "one": {"environment": {"POSTGRES_PASSWORD": own}},
            "two": {"environment": {"POSTGRES_PASSWORD": own}},
        });
        let said = users(two.clone(), &rotation(Rotate::Postgres, None, None)).unwrap_err();
        assert!(said.contains("one and of two") && said.contains("service: NAME"), "{said}");
        assert_eq!(users(two, &rotation(Rotate::Postgres, Some("two"), None)), found("two", &["postgres"]));
        let role = json!({"db": {"image": "postgres"}, "api": {"environment": {"DB_PASSWORD": own}}});
        let said = users(role.clone(), &rotation(Rotate::Postgres, None, None)).unwrap_err();
        assert!(said.contains("no service has `PASSWORD`"), "{said}");
        assert_eq!(users(role, &rotation(Rotate::Postgres, Some("db"), Some("api"))), found("db", &["api"]));
    }
}
