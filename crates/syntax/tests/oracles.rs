//! Our readers against parsers that others wrote, on texts that both accept.

#![expect(clippy::unwrap_used, reason = "a test may stop where it cannot prepare its case")]

use hcl_edit::structure::{Body as OtherBody, Structure};
use parse_dockerfile::Instruction;
use plimsoll_syntax::dockerfile::{self, InstructionKind};
use plimsoll_syntax::hcl;
use plimsoll_text::{Files, Layer};

fn whole(text: &str) -> Layer {
    let files = Files::new([("file".into(), text.to_owned())]);
    let (id, file) = files.iter().next().unwrap();
    Layer::whole(id, file)
}

const DOCKERFILES: &[&str] = &[
    "FROM alpine\n",
    "# syntax=docker/dockerfile:1\nARG V=3\nFROM python:${V}-slim AS build\nRUN --mount=type=cache,target=/c pip install \\\n  # why\n  -r a.txt && \\\n\n  x\nCOPY --chown=1:1 [\"a b\", \"c\"]\nADD https://x/y /z/\nFROM build\nCMD [\"a\", \"b\"]\n",
    "FROM --platform=$BUILDPLATFORM nginx:1@sha256:ab\nCOPY <<EOF <<'B' /etc/\na $x\nEOF\nb\nB\nRUN <<E\nset -e\nE\nEXPOSE 80 443/udp\nVOLUME [\"/a\"]\nUSER 1:2\n",
    "from a\nenv A=1 B=\"x y\"\nlabel a=b\nhealthcheck --interval=5s cmd curl -f x || exit 1\nstopsignal 9\nshell [\"/bin/sh\", \"-c\"]\nonbuild run x\nworkdir /a b\nentrypoint a b\nhealthcheck none\n",
];

#[test]
fn dockerfiles_have_the_same_stages_and_instructions() {
    for text in DOCKERFILES {
        let ours = dockerfile::parse(&whole(text));
        assert_eq!(ours.errors, [], "{text}");
        let others = parse_dockerfile::parse(text).unwrap();
        let stages: Vec<_> = others.stages().collect();
        assert_eq!(ours.stages.len(), stages.len(), "{text}");
        for (our, other) in ours.stages.iter().zip(&stages) {
            assert_eq!(our.base.written.value, other.from.image.value, "{text}");
            let name = other.from.as_.as_ref().map(|(_, name)| name.value.to_lowercase());
            assert_eq!(our.name.as_ref().map(|name| name.value.clone()), name, "{text}");
            let our_kinds: Vec<&str> = our.instructions.iter().map(|one| our_name(&one.kind)).collect();
            let other_kinds: Vec<&str> = other.instructions.iter().map(other_name).collect();
            assert_eq!(our_kinds, other_kinds, "{text}");
        }
    }
}

fn our_name(kind: &InstructionKind) -> &'static str {
    match kind {
        InstructionKind::Arg(_) => "ARG",
        InstructionKind::Env(_) => "ENV",
        InstructionKind::Label(_) => "LABEL",
        InstructionKind::Run(_) => "RUN",
        InstructionKind::Copy(copy) if copy.add => "ADD",
        InstructionKind::Copy(_) => "COPY",
        InstructionKind::Cmd(_) => "CMD",
        InstructionKind::Entrypoint(_) => "ENTRYPOINT",
        InstructionKind::Healthcheck(_) => "HEALTHCHECK",
        InstructionKind::User(_) => "USER",
        InstructionKind::Workdir(_) => "WORKDIR",
        InstructionKind::Expose(_) => "EXPOSE",
        InstructionKind::Volume(_) => "VOLUME",
        InstructionKind::Shell(_) => "SHELL",
        InstructionKind::Stopsignal(_) => "STOPSIGNAL",
        InstructionKind::Onbuild(_) => "ONBUILD",
        InstructionKind::Other { .. } => "OTHER",
    }
}

fn other_name(instruction: &Instruction<'_>) -> &'static str {
    match instruction {
        Instruction::Arg(_) => "ARG",
        Instruction::Env(_) => "ENV",
        Instruction::Label(_) => "LABEL",
        Instruction::Run(_) => "RUN",
        Instruction::Add(_) => "ADD",
        Instruction::Copy(_) => "COPY",
        Instruction::Cmd(_) => "CMD",
        Instruction::Entrypoint(_) => "ENTRYPOINT",
        Instruction::Healthcheck(_) => "HEALTHCHECK",
        Instruction::User(_) => "USER",
        Instruction::Workdir(_) => "WORKDIR",
        Instruction::Expose(_) => "EXPOSE",
        Instruction::Volume(_) => "VOLUME",
        Instruction::Shell(_) => "SHELL",
        Instruction::Stopsignal(_) => "STOPSIGNAL",
        Instruction::Onbuild(_) => "ONBUILD",
        _ => "OTHER",
    }
}

const TERRAFORM: &[&str] = &[
    "",
    "# a\nresource \"x\" \"y\" {\n  a = 1\n  b = \"c-${var.d}\"\n  e {\n    f = [1, 2,]\n  }\n}\n",
    "locals {\n  a = { b = 1, \"c\" : true }\n  d = var.x != \"\" ? var.y : null\n  e = [for k, v in var.m : upper(k) if v]\n  f = (\n    1 + 2\n  )\n  g = <<-EOT\n    h ${i}\n  EOT\n}\n/* x */ variable \"z\" {}\n",
    "a = b.c[0].d[*].e\nf = g(h...)\ni = -1.5e3\nj = !k && l >= 2\n",
];

#[test]
fn terraform_has_the_same_attributes_and_blocks() {
    for text in TERRAFORM {
        let ours = hcl::parse(&whole(text));
        assert_eq!(ours.errors, [], "{text}");
        let other: OtherBody = text.parse().unwrap();
        same(&ours.body, &other, text);
    }
}

fn same(ours: &hcl::Body, other: &OtherBody, text: &str) {
    let names: Vec<String> = other.attributes().map(|attribute| attribute.key.to_string()).collect();
    let our_names: Vec<String> =
        ours.attributes.iter().map(|attribute| attribute.name.value.clone()).collect();
    assert_eq!(our_names, names, "{text}");
    let blocks: Vec<_> = other.iter().filter_map(Structure::as_block).collect();
    assert_eq!(ours.blocks.len(), blocks.len(), "{text}");
    for (our, other) in ours.blocks.iter().zip(blocks) {
        assert_eq!(our.kind.value, other.ident.as_str());
        let labels: Vec<&str> = other.labels.iter().map(hcl_edit::structure::BlockLabel::as_str).collect();
        let our_labels: Vec<&str> = our.labels.iter().map(|label| label.value.as_str()).collect();
        assert_eq!(our_labels, labels, "{text}");
        same(&our.body, &other.body, text);
    }
}
