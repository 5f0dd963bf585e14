//! Containers of the Docker provider (`kreuzwerker/docker`, resource `docker_container`) as Compose services.

use std::collections::BTreeSet;

use plimsoll_syntax::hcl::{Attribute, Block, Body, Expression, ExpressionKind};
use plimsoll_text::{Files, Layer, LayerBuilder, Span};

use super::text::text;
use crate::{Kind, Trees};

/// The Compose file that says the same as the `docker_container` resources of a Terraform file, each of its parts at
/// the place of the expression that it comes from.
pub(crate) fn containers(files: &Files, trees: &Trees) -> Vec<Layer> {
    let mut found = Vec::new();
    for file in trees.of_kind(Kind::Terraform) {
        let Some(tree) = trees.terraform.get(&file) else { continue };
        let resources: Vec<&Block> = tree
            .body
            .blocks("resource")
            .filter(|block| block.label(0) == Some("docker_container") && block.labels.len() == 2)
            .collect();
        if let Some(first) = resources.first() {
            let whole = Layer::whole(file, files.get(file));
            let mut writer = Writer {
                trees,
                out: LayerBuilder::new(&whole, first.place.span.range().start),
                volumes: BTreeSet::new(),
                networks: BTreeSet::new(),
                siblings: resources.iter().filter_map(|block| block.label(1)).collect(),
            };
            writer.file(&resources);
            found.push(writer.out.finish());
        }
    }
    found
}

struct Writer<'a> {
    trees: &'a Trees,
    out: LayerBuilder<'a>,
    volumes: BTreeSet<String>,
    networks: BTreeSet<String>,
    siblings: BTreeSet<&'a str>,
}

/// Attributes that mean the same under another or the same key, as text.
const TEXTS: &[(&str, &str)] = &[
    ("image", "image"),
    ("restart", "restart"),
    ("user", "user"),
    ("network_mode", "network_mode"),
    ("working_dir", "working_dir"),
    ("hostname", "hostname"),
    ("pid_mode", "pid"),
    ("ipc_mode", "ipc"),
    ("userns_mode", "userns_mode"),
    ("runtime", "runtime"),
    ("stop_signal", "stop_signal"),
];
const SWITCHES: &[(&str, &str)] =
    &[("privileged", "privileged"), ("read_only", "read_only"), ("init", "init"), ("tty", "tty")];
const LISTS: &[(&str, &str)] = &[
    ("env", "environment"),
    ("command", "command"),
    ("entrypoint", "entrypoint"),
    ("security_opts", "security_opt"),
    ("group_add", "group_add"),
    ("dns", "dns"),
];

impl<'a> Writer<'a> {
    fn file(&mut self, resources: &[&'a Block]) {
        let top = resources.first().map(|block| block.kind.place.span).unwrap_or_default();
        self.put("services:\n", top);
        for block in resources {
            self.service(block);
        }
        for (key, names) in
            [("volumes", std::mem::take(&mut self.volumes)), ("networks", std::mem::take(&mut self.networks))]
        {
            if !names.is_empty() {
                self.put(&format!("{key}:\n"), top);
            }
            for name in names {
                self.put(&format!("  {}: {{}}\n", quoted(&name)), top);
            }
        }
    }

    fn put(&mut self, text: &str, span: Span) {
        self.out.decoded(text, span.range());
    }

    fn service(&mut self, block: &'a Block) {
        let Some(label) = block.labels.get(1) else { return };
        self.put(&format!("  {}:\n", quoted(&label.value)), label.place.span);
        let body = &block.body;
        for (own, key) in TEXTS {
            if let Some(attribute) = body.attribute(own) {
                let value = text(&attribute.value, self.trees, 0);
                if !value.contains("${") {
                    self.pair(key, &quoted(&value), attribute);
                }
            }
        }
        for (own, key) in SWITCHES {
            if let Some(attribute) = body.attribute(own)
                && let Ok(value) = text(&attribute.value, self.trees, 0).parse::<bool>()
            {
                self.pair(key, &value.to_string(), attribute);
            }
        }
        // `must_run` and `restart` aside, the provider starts a container once and leaves it.
        for (own, key) in LISTS {
            if let Some(attribute) = body.attribute(own) {
                self.list(key, attribute);
            }
        }
        if let Some(attribute) = body.attribute("memory") {
            let value = text(&attribute.value, self.trees, 0);
            if value.bytes().all(|b| b.is_ascii_digit()) {
                self.pair("mem_limit", &format!("{value}m"), attribute);
            }
        }
        self.logging(body);
        self.ports(body);
        self.volumes(body);
        self.networks(body);
        self.capabilities(body);
        self.health(body);
        self.dependencies(body);
    }

    fn pair(&mut self, key: &str, value: &str, attribute: &Attribute) {
        self.put(&format!("    {key}: "), attribute.name.place.span);
        self.put(value, attribute.value.place.span);
        self.put("\n", attribute.value.place.span);
    }

    fn list(&mut self, key: &str, attribute: &Attribute) {
        let items = items(&attribute.value);
        if items.is_empty() {
            return;
        }
        self.put(&format!("    {key}:\n"), attribute.name.place.span);
        for item in items {
            let value = text(item, self.trees, 0);
            // An entry that is not `NAME=value` is not known before the run.
            if key == "environment" && !value.contains('=') {
                self.put("      - \"COMPUTED=${computed:?}\"\n", item.place.span);
            } else {
                self.put(&format!("      - {}\n", quoted(&value)), item.place.span);
            }
        }
    }

    fn logging(&mut self, body: &Body) {
        let (driver, options) = (body.attribute("log_driver"), body.attribute("log_opts"));
        let Some(first) = driver.or(options) else { return };
        self.put("    logging:\n", first.name.place.span);
        if let Some(driver) = driver {
            let value = text(&driver.value, self.trees, 0);
            self.put(&format!("      driver: {}\n", quoted(&value)), driver.place.span);
        }
        if let Some(options) = options
            && let ExpressionKind::Object(entries) = &options.value.kind
            && !entries.is_empty()
        {
            self.put("      options:\n", options.name.place.span);
            for (key, value) in entries {
                let name = match key.as_reference() {
                    Some(name) => name.to_owned(),
                    None => text(key, self.trees, 0),
                };
                let value = text(value, self.trees, 0);
                self.put(&format!("        {}: {}\n", quoted(&name), quoted(&value)), key.place.span);
            }
        }
    }

    fn attribute(&self, block: &Block, name: &str) -> Option<String> {
        block.body.get(name).map(|value| text(value, self.trees, 0))
    }

    fn ports(&mut self, body: &Body) {
        let mut is_first = true;
        for block in body.blocks("ports") {
            let Some(inside) = self.attribute(block, "internal") else { continue };
            let address = self.attribute(block, "ip").filter(|ip| ip != "0.0.0.0");
            let address = address.map(|ip| format!("{ip}:")).unwrap_or_default();
            let outside =
                self.attribute(block, "external").map(|port| format!("{port}:")).unwrap_or_default();
            let protocol =
                self.attribute(block, "protocol").map(|name| format!("/{name}")).unwrap_or_default();
            let value = quoted(&format!("{address}{outside}{inside}{protocol}"));
            if value.contains("${") {
                continue;
            }
            if std::mem::take(&mut is_first) {
                self.put("    ports:\n", block.kind.place.span);
            }
            self.put(&format!("      - {value}\n"), block.place.span);
        }
    }

    fn volumes(&mut self, body: &Body) {
        let mut is_first = true;
        for block in body.blocks("volumes").chain(body.blocks("mounts")) {
            let target = self.attribute(block, "container_path").or_else(|| self.attribute(block, "target"));
            let Some(target) = target else { continue };
            let host = self.attribute(block, "host_path").filter(|path| !path.is_empty());
            let named = block.body.get("volume_name").or_else(|| block.body.get("source"));
            let source = host.or_else(|| named.map(|value| self.volume_name(value)));
            if std::mem::take(&mut is_first) {
                self.put("    volumes:\n", block.kind.place.span);
            }
            let read_only = self.attribute(block, "read_only").is_some_and(|value| value == "true");
            let mut value = source.map_or(target.clone(), |source| format!("{source}:{target}"));
            if read_only {
                value.push_str(":ro");
            }
            self.put(&format!("      - {}\n", quoted(&value)), block.place.span);
        }
    }

    /// The name of a volume: the resource's when it is one, else the text.
    fn volume_name(&mut self, value: &Expression) -> String {
        let resource = value.as_reference().and_then(|name| name.strip_prefix("docker_volume."));
        let name = match resource {
            Some(rest) => rest.split(['.', '[']).next().unwrap_or(rest).to_owned(),
            None => text(value, self.trees, 0),
        };
        if !name.starts_with(['/', '.', '$']) {
            self.volumes.insert(name.clone());
        }
        name
    }

    fn networks(&mut self, body: &Body) {
        let mut is_first = true;
        for block in body.blocks("networks_advanced") {
            let Some(value) = block.body.get("name") else { continue };
            let resource = value.as_reference().and_then(|name| name.strip_prefix("docker_network."));
            let name = match resource {
                Some(rest) => rest.split(['.', '[']).next().unwrap_or(rest).to_owned(),
                None => text(value, self.trees, 0).replace(['$', '{', '}', ':', '?'], ""),
            };
            if std::mem::take(&mut is_first) {
                self.put("    networks:\n", block.kind.place.span);
            }
            self.put(&format!("      - {}\n", quoted(&name)), block.place.span);
            self.networks.insert(name);
        }
    }

    fn capabilities(&mut self, body: &Body) {
        for block in body.blocks("capabilities") {
            for (own, key) in [("add", "cap_add"), ("drop", "cap_drop")] {
                if let Some(attribute) = block.body.attribute(own) {
                    self.list(key, attribute);
                }
            }
        }
    }

    fn health(&mut self, body: &Body) {
        let Some(block) = body.blocks("healthcheck").next() else { return };
        let Some(test) = block.body.attribute("test") else { return };
        self.put("    healthcheck:\n      test:\n", block.kind.place.span);
        for item in items(&test.value) {
            let value = text(item, self.trees, 0);
            self.put(&format!("        - {}\n", quoted(&value)), item.place.span);
        }
        for key in ["interval", "timeout", "start_period", "retries"] {
            if let Some(attribute) = block.body.attribute(key) {
                let value = text(&attribute.value, self.trees, 0);
                self.put(&format!("      {key}: {value}\n"), attribute.place.span);
            }
        }
    }

    fn dependencies(&mut self, body: &Body) {
        let Some(attribute) = body.attribute("depends_on") else { return };
        let mut is_first = true;
        for item in items(&attribute.value) {
            let name = item.as_reference().and_then(|name| name.strip_prefix("docker_container."));
            let Some(name) = name.and_then(|name| name.split(['.', '[']).next()) else { continue };
            if !self.siblings.contains(name) {
                continue;
            }
            if std::mem::take(&mut is_first) {
                self.put("    depends_on:\n", attribute.name.place.span);
            }
            self.put(&format!("      - {}\n", quoted(name)), item.place.span);
        }
    }
}

fn items(value: &Expression) -> Vec<&Expression> {
    match &value.kind {
        ExpressionKind::List(items) => items.iter().collect(),
        // `concat([…], […])`, `compact([…])` and conditions: what is in them may be in the result.
        ExpressionKind::Call { arguments, .. } => arguments.iter().flat_map(items).collect(),
        ExpressionKind::Other(parts) => parts.iter().flat_map(items).collect(),
        _ => Vec::new(),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;
    use crate::{Facts, Inventory};

    fn facts(text: &str) -> Facts {
        let path = Utf8PathBuf::from("main.tf");
        Facts::new(Files::new([(path.clone(), text.to_owned())]), Inventory::new([path]))
    }

    #[test]
    fn a_docker_container_is_a_service_with_the_places_of_its_attributes() {
        let facts = facts(
            "variable \"tag\" {\n  default = \"latest\"\n}\nresource \"docker_container\" \"web\" {\n  \
             name  = \"web\"\n  image = \"nginx:${var.tag}\"\n  env   = [\"A=1\", \"SECRET=${random_password.x.result}\"]\n  \
             ports {\n    internal = 80\n    external = 8080\n  }\n  volumes {\n    volume_name    = docker_volume.data.name\n    \
             container_path = \"/data\"\n  }\n  depends_on = [docker_container.db]\n}\nresource \"docker_container\" \"db\" {\n  \
             image   = \"redis\"\n  command = [\"redis-server\", \"--save\", \"$X\"]\n}\n",
        );
        let stack = facts.stacks.deployed().next().unwrap();
        let refused = stack.problems.iter().find(|problem| problem.is_error && problem.place.is_some());
        assert_eq!(refused, None);
        let web = &stack.compose.services["web"];
        let image = web.image.as_ref().unwrap();
        assert_eq!(image.value, "nginx:latest");
        assert_eq!(facts.text(image.place), "\"nginx:${var.tag}\"");
        assert_eq!(web.environment["A"].value.as_deref(), Some("1"));
        assert_eq!(web.ports.len(), 1);
        assert_eq!(web.volumes.len(), 1);
        assert!(web.depends_on.contains_key("db"));
        assert_eq!(facts.text(web.place), "web");
    }
}
