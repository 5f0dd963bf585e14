//! What a file is, by its name and, where the name does not tell, its text.

use camino::Utf8Path;

/// The kinds of files that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A shell script.
    Shell,
    /// A batch file of Windows.
    Batch,
    /// A Compose file.
    Compose,
    /// A Taskfile (taskfile.dev).
    Taskfile,
    /// A GitHub Actions workflow or a GitLab/Gitea equivalent of the same shape.
    Workflow,
    /// An Ansible playbook, task list or role file.
    Ansible,
    /// Cloud-init user-data.
    CloudInit,
    /// Other YAML.
    Yaml,
    /// JSON.
    Json,
    /// A Dockerfile or Containerfile.
    Dockerfile,
    /// `.env` and its relatives.
    Dotenv,
    /// A Proxmox guest configuration (`/etc/pve/lxc/ID.conf`, `/etc/pve/qemu-server/ID.conf`).
    GuestConfig,
    /// Markdown.
    Markdown,
    /// A Makefile.
    Makefile,
    /// A justfile.
    Justfile,
    /// Terraform or OpenTofu.
    Terraform,
    /// Python source.
    Python,
    /// JavaScript or TypeScript source.
    JavaScript,
    /// Go source.
    Go,
    /// Rust source.
    Rust,
    /// An nginx configuration.
    Nginx,
    /// INI-like: `alembic.ini`, `ansible.cfg`.
    Ini,
    /// A systemd unit.
    Systemd,
    /// TOML.
    Toml,
    /// `.dockerignore`, `.gitignore`.
    Ignore,
    /// Anything else.
    Other,
}

impl Kind {
    /// The kind of a file.
    #[must_use]
    pub fn of(path: &Utf8Path, text: &str) -> Self {
        let name = path.file_name().unwrap_or_default();
        let lower = name.to_ascii_lowercase();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match lower.as_str() {
            "taskfile.yml" | "taskfile.yaml" | "taskfile.dist.yml" | "taskfile.dist.yaml" => {
                return Self::Taskfile;
            }
            "makefile" | "gnumakefile" => return Self::Makefile,
            "justfile" | ".justfile" => return Self::Justfile,
            "nginx.conf" => return Self::Nginx,
            ".gitignore" | ".dockerignore" => return Self::Ignore,
            "ansible.cfg" => return Self::Ini,
            "user-data" => return Self::CloudInit,
            "envrc" | ".envrc" => return Self::Shell,
            _ => {}
        }
        if is_dockerfile(&lower) {
            return Self::Dockerfile;
        }
        if is_dotenv(&lower) {
            return Self::Dotenv;
        }
        match extension.as_str() {
            "sh" | "bash" | "func" | "ksh" => Self::Shell,
            "cmd" | "bat" => Self::Batch,
            "yml" | "yaml" => yaml_kind(path, &lower, text),
            "json" => Self::Json,
            "md" | "markdown" => Self::Markdown,
            "mk" => Self::Makefile,
            "just" => Self::Justfile,
            // Nomad takes heredocs that HCL itself does not know.
            "hcl" if lower.ends_with(".nomad.hcl") => Self::Other,
            "tf" | "tfvars" | "hcl" => Self::Terraform,
            "py" => Self::Python,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "vue" | "svelte" => Self::JavaScript,
            "go" => Self::Go,
            "rs" => Self::Rust,
            "ini" | "cfg" => Self::Ini,
            "service" | "timer" | "socket" | "path" => Self::Systemd,
            "toml" => Self::Toml,
            "conf" | "template" if looks_like_guest_config(path, text) => Self::GuestConfig,
            "conf" | "template" if looks_like_nginx(path, text) => Self::Nginx,
            "" if is_shell_shebang(text) => Self::Shell,
            "j2" => Self::of(&path.with_extension(""), text),
            _ => Self::Other,
        }
    }
}

fn is_dockerfile(lower: &str) -> bool {
    lower == "dockerfile"
        || lower == "containerfile"
        || lower.starts_with("dockerfile.")
        || lower.starts_with("dockerfile-")
        || lower.ends_with(".dockerfile")
        || lower.ends_with(".containerfile")
}

fn is_dotenv(lower: &str) -> bool {
    lower == ".env"
        || lower.starts_with(".env.")
        || lower.starts_with(".env-")
        || lower.ends_with(".env")
        || lower == "env.example"
        || lower.ends_with(".env.example")
        || lower.ends_with(".env.template")
}

fn is_shell_shebang(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.starts_with("#!")
        && ["bash", "sh", "dash", "ash"]
            .iter()
            .any(|shell| first.split(['/', ' ']).any(|part| part == *shell))
}

fn has_top_key(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
}

fn yaml_kind(path: &Utf8Path, lower: &str, text: &str) -> Kind {
    let parent = path.parent().map(Utf8Path::as_str).unwrap_or_default();
    if parent.ends_with(".github/workflows")
        || parent.ends_with(".gitea/workflows")
        || parent.ends_with(".forgejo/workflows")
    {
        return Kind::Workflow;
    }
    if parent.ends_with(".github/ISSUE_TEMPLATE") {
        return Kind::Other;
    }
    if lower.starts_with("docker-compose") || lower.starts_with("compose.") || lower.starts_with("compose-") {
        return Kind::Compose;
    }
    if text.starts_with("#cloud-config") || lower.starts_with("user-data") || lower.starts_with("cloud-init")
    {
        return Kind::CloudInit;
    }
    if lower.starts_with("taskfile") || (has_top_key(text, "tasks") && has_top_key(text, "version")) {
        return Kind::Taskfile;
    }
    let in_role =
        ["/tasks", "/handlers", "roles", "playbooks", "ansible"].iter().any(|part| parent.contains(part));
    let is_list = text.lines().any(|line| line.starts_with("- "));
    let plays = text.lines().any(|line| line.starts_with("- hosts:") || line.starts_with("  hosts:"));
    if plays || (is_list && (in_role || parent == "tasks") && text.contains("name:")) {
        return Kind::Ansible;
    }
    if has_top_key(text, "services")
        && text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("image:") || line.starts_with("build:") || line.starts_with("extends:")
        })
        && !has_top_key(text, "apiVersion")
    {
        return Kind::Compose;
    }
    Kind::Yaml
}

fn looks_like_guest_config(path: &Utf8Path, text: &str) -> bool {
    let parent = path.parent().map(Utf8Path::as_str).unwrap_or_default();
    let by_place = parent.ends_with("/lxc") || parent.ends_with("qemu-server") || parent == "lxc";
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    (has("rootfs:") && (has("arch:") || has("ostype:") || has("net0:")))
        || (has("ostype:") && has("memory:") && has("cores:"))
        || has("lxc.")
        || (by_place && (has("net0:") || has("features:")))
}

fn looks_like_nginx(path: &Utf8Path, text: &str) -> bool {
    path.as_str().contains("nginx")
        || text.lines().any(|line| {
            let line = line.trim();
            line.starts_with("server {")
                || line == "server"
                || line.starts_with("location ") && line.ends_with('{')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_names_and_texts() {
        let kind = |path: &str, text: &str| Kind::of(Utf8Path::new(path), text);
        assert_eq!(kind("a/Dockerfile.prod", ""), Kind::Dockerfile);
        assert_eq!(kind("bin/deploy", "#!/usr/bin/env bash\n"), Kind::Shell);
        assert_eq!(kind("bin/tool", "#!/usr/bin/env python3\n"), Kind::Other);
        assert_eq!(kind("stack.yml", "services:\n  a:\n    image: b\n"), Kind::Compose);
        assert_eq!(kind("values.yml", "services:\n  a: b\n"), Kind::Yaml);
        assert_eq!(kind(".env.production.example", ""), Kind::Dotenv);
        assert_eq!(kind("lxc/101.conf", "rootfs: local:1\narch: amd64\n"), Kind::GuestConfig);
        assert_eq!(kind("site.yml", "- hosts: all\n"), Kind::Ansible);
        assert_eq!(kind("web/default.conf", "server {\n"), Kind::Nginx);
        assert_eq!(kind("docker-compose.yml.j2", "services: {}\n"), Kind::Compose);
    }
}
