//! What the `docker` backend lacks: the program, an engine that answers, one that runs what the guest image holds.

use super::doctor::{Check, check};
use super::image::Image;
use super::run::{HostError, Tool};

/// What brings the program and an engine.
const INSTALL: &str = if cfg!(target_os = "macos") {
    "brew install --cask docker-desktop && open -a Docker"
} else {
    "apt-get update && apt-get install -y docker.io"
};

/// What starts an engine that is there.
const START: &str = if cfg!(target_os = "macos") { "open -a Docker" } else { "systemctl start docker" };

/// What the engine says about its machine where the image fits (`docker version`).
const FITS: &str = "linux/amd64";

pub(super) fn checks(image: &Image) -> Vec<Check> {
    let asked = Tool::new("docker").args(["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]).run();
    let mut checks = told(asked);
    checks.push(check("the guest image", image.is_built(), "plimsoll lab image build"));
    checks
}

fn told(asked: Result<String, HostError>) -> Vec<Check> {
    let program = "program docker";
    let engine = "a Docker engine that answers";
    match asked {
        Err(HostError::Absent { .. }) => vec![check(program, false, INSTALL), check(engine, false, INSTALL)],
        Err(error) => {
            let said = error.said();
            let start =
                if said.contains("permission denied") { "run it as root, or with sudo" } else { START };
            let reason = said.split("; ").next().unwrap_or_default();
            vec![check(program, true, ""), check(&format!("{engine} ({reason})"), false, start)]
        }
        Ok(machine) => {
            let machine = machine.trim();
            let what = format!("an engine for {FITS}, which the guest image is made for");
            let other = "name one with DOCKER_HOST";
            vec![check(program, true, ""), check(engine, true, ""), check(&what, machine == FITS, other)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(asked: Result<String, HostError>) -> Vec<(String, String)> {
        let lacking = told(asked).into_iter().filter(|check| !check.found);
        lacking.map(|check| (check.what, check.enable)).collect()
    }

    #[test]
    fn each_lack_of_docker_has_the_line_that_ends_it() {
        assert!(missing(Ok("linux/amd64\n".into())).is_empty());
        assert!(missing(Ok("linux/arm64\n".into()))[0].0.contains("linux/amd64"));
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        let absent = missing(Err(HostError::Absent { program: "docker".into(), source }));
        assert_eq!(absent[0], ("program docker".to_owned(), INSTALL.to_owned()));
        let failed = |said: &str| HostError::Failed {
            program: "docker".into(),
            status: "1".into(),
            said: said.into(),
        };
        let silent = missing(Err(failed("Cannot connect to the Docker daemon at unix:///x; more")));
        assert_eq!(silent.len(), 1);
        assert!(silent[0].0.ends_with("(Cannot connect to the Docker daemon at unix:///x)"), "{silent:?}");
        assert_eq!(silent[0].1, START);
        let denied = missing(Err(failed("permission denied while trying to connect")));
        assert_eq!(denied[0].1, "run it as root, or with sudo");
    }
}
