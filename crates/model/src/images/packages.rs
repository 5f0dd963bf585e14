//! Packages and the programs that they put on the path.

use plimsoll_text::Place;

use super::image::{Package, PackageManager};

/// A package word split into name and version.
pub(super) fn package(manager: PackageManager, word: &str, place: Place) -> Package {
    let marks: &[char] = match manager {
        PackageManager::Pip | PackageManager::Uv | PackageManager::PythonProject => {
            &['=', '<', '>', '~', '!', '[', ';', ' ', '@']
        }
        PackageManager::Apt | PackageManager::Apk | PackageManager::Dnf => &['=', '<', '>', '~'],
        PackageManager::Npm | PackageManager::Go | PackageManager::Cargo | PackageManager::Gem => &['@'],
    };
    // A scope of npm starts with `@`.
    let from = usize::from(word.starts_with('@'));
    let end = word.get(from..).and_then(|rest| rest.find(marks)).map_or(word.len(), |at| at + from);
    let (name, version) = word.split_at_checked(end).unwrap_or((word, ""));
    let local =
        name.is_empty() || matches!(name, "." | "./") || name.starts_with("./") || name.starts_with('/');
    Package {
        manager,
        name: if local { ".".to_owned() } else { name.to_owned() },
        version: (!version.is_empty()).then(|| version.to_owned()),
        place,
    }
}

/// Programs of distribution packages whose name is another one.
const SYSTEM: &[(&str, &[&str])] = &[
    ("postgresql-client", &["psql", "pg_isready", "pg_dump", "pg_dumpall", "pg_restore"]),
    ("postgresql", &["psql", "pg_isready", "pg_dump", "postgres"]),
    ("mysql-client", &["mysql", "mysqladmin", "mysqldump"]),
    ("default-mysql-client", &["mysql", "mysqladmin", "mysqldump"]),
    ("mariadb-client", &["mariadb", "mysql", "mysqladmin", "mariadb-admin", "mysqldump"]),
    ("redis-tools", &["redis-cli"]),
    ("redis", &["redis-cli", "redis-server"]),
    ("netcat-openbsd", &["nc", "netcat"]),
    ("netcat-traditional", &["nc", "netcat"]),
    ("netcat", &["nc", "netcat"]),
    ("ncat", &["ncat"]),
    ("iputils-ping", &["ping"]),
    ("iputils", &["ping"]),
    ("procps", &["ps", "pgrep", "pkill", "top", "free", "watch"]),
    ("iproute2", &["ip", "ss"]),
    ("net-tools", &["ifconfig", "netstat", "route"]),
    ("dnsutils", &["dig", "nslookup", "host"]),
    ("bind-tools", &["dig", "nslookup", "host"]),
    ("bind9-dnsutils", &["dig", "nslookup", "host"]),
    ("openssh-client", &["ssh", "scp", "ssh-keygen"]),
    ("openssh-server", &["sshd"]),
    ("supervisor", &["supervisord", "supervisorctl"]),
    ("nginx-light", &["nginx"]),
    ("nginx-full", &["nginx"]),
    ("nodejs", &["node", "npm", "npx"]),
    ("python3", &["python3"]),
    ("python3-pip", &["pip", "pip3"]),
    ("py3-pip", &["pip", "pip3"]),
    ("python-is-python3", &["python"]),
    ("build-essential", &["gcc", "g++", "make", "cc"]),
    ("build-base", &["gcc", "g++", "make", "cc"]),
    ("golang-go", &["go"]),
    ("default-jre-headless", &["java"]),
    ("default-jre", &["java"]),
    ("docker.io", &["docker", "dockerd"]),
    ("docker-ce-cli", &["docker"]),
    ("docker-cli", &["docker"]),
    ("cron", &["cron", "crontab"]),
    ("gettext-base", &["envsubst"]),
    ("gettext", &["envsubst"]),
    ("gnupg", &["gpg"]),
    ("xz-utils", &["xz"]),
    ("imagemagick", &["convert", "magick"]),
    ("coreutils", &["timeout"]),
    ("util-linux", &["flock", "mount"]),
    ("busybox-extras", &["telnet"]),
    ("ca-certificates", &["update-ca-certificates"]),
];

/// Console scripts of Python packages whose name is another one or that have several.
const PYTHON: &[(&str, &[&str])] = &[
    ("django", &["django-admin"]),
    ("celery", &["celery"]),
    ("fastapi", &["fastapi"]),
    ("sqlalchemy-utils", &[]),
    ("pytest", &["pytest", "py.test"]),
    ("huey", &["huey_consumer"]),
    ("rq", &["rq", "rqworker"]),
    ("apache-airflow", &["airflow"]),
    ("jupyterlab", &["jupyter", "jupyter-lab"]),
    ("notebook", &["jupyter"]),
    ("python-dotenv", &["dotenv"]),
    ("aerich", &["aerich"]),
    ("granian", &["granian"]),
    ("ansible-core", &["ansible", "ansible-playbook"]),
    ("awscli", &["aws"]),
];

/// The programs that a package brings.
pub(super) fn programs(package: &Package) -> Vec<String> {
    let lower = package.name.to_ascii_lowercase().replace('_', "-");
    let table = match package.manager {
        PackageManager::Apt | PackageManager::Apk | PackageManager::Dnf => SYSTEM,
        PackageManager::Pip | PackageManager::Uv | PackageManager::PythonProject => PYTHON,
        PackageManager::Npm | PackageManager::Cargo | PackageManager::Go | PackageManager::Gem => {
            return package.name.rsplit('/').next().map(str::to_owned).into_iter().collect();
        }
    };
    // `postgresql-client-16` and `postgresql16-client` bring what the plain name brings.
    let plain: String =
        lower.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')).to_owned();
    let without_digits: String = lower.chars().filter(|c| !c.is_ascii_digit()).collect();
    let mut out = vec![package.name.clone(), plain.clone()];
    for (name, programs) in table {
        if [lower.as_str(), plain.as_str(), without_digits.as_str()].contains(name) {
            out.extend(programs.iter().map(|program| (*program).to_owned()));
        }
    }
    out.sort();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_text::Files;

    #[test]
    fn words_split_into_name_and_version() {
        let files = Files::new([("x".into(), String::new())]);
        let (file, _) = files.iter().next().unwrap();
        let place = Place::new(file, plimsoll_text::Span::default());
        let read = |manager, word: &str| {
            let package = package(manager, word, place);
            (package.name.clone(), package.version.clone(), programs(&package))
        };
        let (name, version, programs) = read(PackageManager::Pip, "uvicorn[standard]>=0.3");
        assert_eq!((name.as_str(), version.as_deref()), ("uvicorn", Some("[standard]>=0.3")));
        assert_eq!(programs, ["uvicorn"]);
        assert_eq!(read(PackageManager::Npm, "@scope/tool@1").0, "@scope/tool");
        assert_eq!(read(PackageManager::Pip, ".[dev]").0, ".");
        assert!(read(PackageManager::Apt, "postgresql-client-16").2.contains(&"pg_isready".to_owned()));
        assert!(read(PackageManager::Apk, "postgresql16-client").2.contains(&"psql".to_owned()));
        assert!(read(PackageManager::Apt, "curl=8.*").2.contains(&"curl".to_owned()));
    }
}
