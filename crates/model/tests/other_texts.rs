//! Facts of files of which some have other texts now, beside facts of the same files read anew.

use std::path::Path;

use camino::Utf8PathBuf;
use plimsoll_model::{Facts, Inventory};
use plimsoll_text::Files;

#[expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "reads the example, or the test fails")]
fn read(folder: &Path, root: &Path, found: &mut Vec<(Utf8PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, root, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            found.push((path.into(), text));
        }
    }
}

/// All that facts hold, a line for each value; some tables keep no order.
fn said(facts: &Facts) -> Vec<String> {
    let mut lines: Vec<String> = format!("{facts:#?}").lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn files_with_other_texts_are_linked_as_if_all_had_been_read_anew() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/papertrade");
    let mut texts = Vec::new();
    read(&root, &root, &mut texts);
    let more = [
        ("main.tf", "resource \"proxmox_lxc\" \"app\" {\n  unprivileged = false\n  hostname = var.name\n}\n"),
        ("variables.tf", "variable \"name\" {\n  default = \"app\"\n}\n"),
        ("Makefile", "up:\n\tdocker compose up -d\n"),
        ("justfile", "down:\n  docker compose down\n"),
        ("proxy/nginx.conf", "server {\n  listen 80;\n}\n"),
        ("app.service", "[Service]\nExecStart=/usr/bin/docker compose up\n"),
        (
            "tools/deploy.py",
            "import subprocess\nsubprocess.run(['pct', 'start', '100'])\nF = '''\nFROM debian\nRUN true\n'''\n",
        ),
        ("broken.sh", "#!/bin/bash\nif true; then\n"),
        // What one file says, and what others make of it.
        (
            "service/main.py",
            "import os\nfrom fastapi import FastAPI\nfrom service.api import router\napp = FastAPI()\n\
             app.include_router(router, prefix='/api')\nKEY = os.environ['KEY']\n",
        ),
        (
            "service/api.py",
            "from fastapi import APIRouter\nrouter = APIRouter(prefix='/v1')\n@router.get('/debug')\n\
             def debug():\n    return {}\n",
        ),
        (
            "service/server.ts",
            "import express from 'express'\nconst app = express()\napp.listen(process.env.PORT || 3000)\n",
        ),
        ("worker/main.go", "package main\nfunc main() {\n  http.ListenAndServe(os.Getenv(\"AT\"), nil)\n}\n"),
        ("worker/main.rs", "fn main() {\n    let at = std::env::var(\"AT\").unwrap();\n}\n"),
        ("steps/lib.sh", "on_node() { ssh root@pve \"$@\"; }\n"),
        (
            "steps/run.sh",
            "#!/bin/bash\nset -e\n. ./lib.sh\nname=app\non_node pct exec 100 -- systemctl restart \"$name\"\n",
        ),
        (
            "steps/setup.sh",
            "#!/bin/sh\napt-get install -y docker.io\ncat > /opt/run.sh <<'EOF'\n#!/bin/sh\ndocker ps\nEOF\n",
        ),
        ("steps/plain.sh", "a=1\nfor b in $a c; do\n  echo \"$b\" | tee /tmp/x && sh ./setup.sh\ndone\n"),
        ("steps/node.sh", "#!/bin/sh\npct start 100\nssh root@10.0.0.2 uptime\n"),
        ("steps/README.md", "# Steps\n\n```sh\nssh root@pve\npct enter 100\n```\n\n```sh\n./plain.sh\n```\n"),
    ];
    texts.extend(more.map(|(path, text)| (path.into(), text.to_owned())));
    assert!(texts.len() > 30, "the example is small: {}", texts.len());
    let inventory = Inventory::new(texts.iter().map(|(path, _)| path.clone()));
    let before = Facts::new(Files::new(texts), inventory.clone());
    let known = said(&before);
    assert!(said(&before.with_files(before.files.clone())) == known, "no text is another");
    for part in 0..2 {
        let changes: [fn(&str) -> String; 3] = [
            |_| String::new(),
            |text| text.lines().step_by(2).map(|line| format!("{line}\n")).collect(),
            |text| format!("# one more line\n{text}"),
        ];
        for change in changes {
            let some = before.files.iter().skip(part).step_by(2);
            let files = before.files.with_texts(some.map(|(id, file)| (id, change(file.text()))));
            let again = before.with_files(files.clone());
            let anew = Facts::new(files, inventory.clone());
            assert!(said(&again) == said(&anew), "every second file from {part} on is another");
            assert!(said(&again.with_files(before.files.clone())) == known, "and back");
        }
    }
}
