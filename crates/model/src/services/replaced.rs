//! Dockerfiles that a script puts in the place of a service's own.

use camino::Utf8Path;

use super::dockerfile_path;
use crate::Facts;
use crate::compose::Service;
use crate::images::{Image, Stage};

/// Programs that bring a file to its place.
const COPIERS: [&str; 7] = ["pct", "scp", "cp", "mv", "install", "docker", "rsync"];

/// The Dockerfiles that scripts write where the service's Dockerfile is, each with the stage that the service runs. What is built is
/// then one of these, whatever the repository says.
#[must_use]
pub fn replacements<'a>(facts: &'a Facts, service: &Service) -> Vec<(&'a Image, &'a Stage)> {
    let Some(path) = dockerfile_path(service) else { return Vec::new() };
    let target =
        service.build.as_ref().and_then(|build| build.target.as_ref()).map(|target| target.value.as_str());
    let there = facts.images.written().filter(|image| is_put_at(facts, image, &path));
    there.filter_map(|image| Some((image, image.stage(target)?))).collect()
}

/// Whether a written Dockerfile gets this path, at once or by a copy in the same script.
fn is_put_at(facts: &Facts, image: &Image, path: &Utf8Path) -> bool {
    let name = image.path.file_name().unwrap_or_default();
    let is_there =
        |operand: &str| operand.strip_suffix(path.as_str()).is_some_and(|head| head.ends_with('/'));
    is_there(image.path.as_str())
        || facts.commands.in_file(image.file).any(|command| {
            let is_source = |operand: &str| operand.ends_with(name) && !operand.ends_with(path.as_str());
            COPIERS.contains(&command.program.as_str())
                && command.arg_texts().any(is_there)
                && command.arg_texts().any(is_source)
        })
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use plimsoll_text::Files;

    use super::*;
    use crate::Inventory;

    fn replaced(script: &str) -> Vec<String> {
        let stack = "services:\n  api:\n    build: ./backend\n  web:\n    build: ./web\n";
        let own = "FROM python:3.12\nUSER app\n";
        let files = [
            ("compose.yml", stack),
            ("backend/Dockerfile", own),
            ("web/Dockerfile", own),
            ("deploy.sh", script),
        ];
        let files = files.map(|(path, text)| (Utf8PathBuf::from(path), text.to_owned()));
        let names: Vec<Utf8PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
        let facts = Facts::new(Files::new(files), Inventory::new(names));
        let all = facts.stacks.deployed_services();
        all.filter(|(_, service)| !replacements(&facts, service).is_empty())
            .map(|(_, service)| service.name.clone())
            .collect()
    }

    #[test]
    fn a_script_that_pushes_its_own_dockerfile_replaces_that_of_one_service() {
        let write = "cat > /tmp/Dockerfile.api << 'EOF'\nFROM python:3.12\nCMD [\"python\"]\nEOF\n";
        let push = "pct push 107 /tmp/Dockerfile.api /opt/app/backend/Dockerfile\n";
        assert_eq!(replaced(&format!("{write}{push}docker compose up -d\n")), ["api"]);
        assert_eq!(replaced(&format!("{write}docker compose up -d\n")), Vec::<String>::new());
        let at_once = write.replace("/tmp/Dockerfile.api", "/opt/app/web/Dockerfile");
        assert_eq!(replaced(&format!("{at_once}docker compose up -d\n")), ["web"]);
    }
}
