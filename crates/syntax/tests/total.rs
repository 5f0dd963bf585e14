//! Every reader takes any text: no panic, no hang, errors inside the text.
//!
//! Each reader gets `PLIMSOLL_FUZZ_SECONDS` (1 when unset) of random text: fragments of its own language in wild order,
//! with arbitrary characters between them.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its case should stop")]

use std::time::{Duration, Instant};

use plimsoll_syntax::source::Dialect;
use plimsoll_syntax::{
    dockerfile, dotenv, hcl, ini, justfile, makefile, markdown, nginx, pveconf, python, shell, source, toml,
    yaml,
};
use plimsoll_text::{Files, Layer, SyntaxError};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[expect(clippy::disallowed_methods, reason = "says how long to try")]
fn budget() -> Duration {
    let seconds = std::env::var("PLIMSOLL_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

fn layer(text: &str) -> Layer {
    let files = Files::new([("x".into(), text.to_owned())]);
    let (id, file) = files.iter().next().unwrap();
    Layer::whole(id, file)
}

/// Reads `text` and checks the errors' places.
fn read(text: &str, reader: fn(&Layer) -> Vec<SyntaxError>) {
    let length = u32::try_from(text.len()).unwrap();
    for error in reader(&layer(text)) {
        let span = error.place.span;
        assert!(span.start <= span.end && span.end <= length, "{error:?} is outside of {text:?}");
        assert!(
            text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize),
            "{error:?} splits a character of {text:?}"
        );
    }
}

/// Reads random text for the time there is. The seed is fixed: a failure can be seen again.
fn hold(fragments: &'static [&'static str], reader: fn(&Layer) -> Vec<SyntaxError>) {
    let piece = prop_oneof![
        6 => proptest::sample::select(fragments).prop_map(str::to_owned),
        2 => proptest::sample::select(&["\n", " ", "  ", "\t", "\r\n", "\"", "'", "`", "\\", "$", "{", "}", "(", ")", "[", "]", "#", "é", "\u{0}", "漢"][..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let strategy = proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let end = Instant::now() + budget();
    let mut count = 0_u64;
    while Instant::now() < end || count < 200 {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        let before = Instant::now();
        read(&text, reader);
        assert!(before.elapsed() < Duration::from_secs(20), "took {:?}: {text:?}", before.elapsed());
        count += 1;
    }
    for text in deep() {
        read(&text, reader);
    }
}

/// Text nested far deeper than anything real.
fn deep() -> Vec<String> {
    let n = 100_000;
    let pairs = [
        ("[", "]"),
        ("{", "}"),
        ("(", ")"),
        ("$(", ")"),
        ("${a:-", "}"),
        ("\"$(", ")\""),
        ("if true; then ", "; fi"),
        ("{ ", "; }"),
        ("- ", ""),
        ("a: {", "}"),
        ("> ", ""),
        ("location / {", "}"),
        ("f(", ")"),
        ("!", ""),
        ("x = [", "]"),
        ("a {\n", "}\n"),
        ("`", "`"),
    ];
    let mut texts: Vec<String> =
        pairs.iter().map(|(open, close)| open.repeat(n / 10) + &close.repeat(n / 10)).collect();
    texts.extend(["[", "{", "(", "\"", "- ", "* ", "    "].map(|open| open.repeat(n)));
    texts
}

macro_rules! total {
    ($name:ident, $fragments:expr, $reader:expr) => {
        #[test]
        fn $name() {
            hold($fragments, $reader);
        }
    };
}

total!(
    shell_reads_any_text,
    &[
        "if [ -f x ]; then ",
        "fi\n",
        "for i in a b; do ",
        "done\n",
        "while read -r x; do ",
        "case $x in a) ",
        ";; esac\n",
        "cat <<EOF\n",
        "EOF\n",
        "<<-'E'\n",
        "E\n",
        "ssh root@pve \"pct exec 1 -- bash -c 'a && b'\"\n",
        "$(",
        "${x:-",
        "${#x}",
        "$((1+",
        "))",
        "[[ a == b ]] ",
        "f() { ",
        "}\n",
        " | ",
        " && ",
        " || true\n",
        " 2>&1",
        " > /dev/null",
        "local x=1\n",
        "a=(1 2)\n",
        "'",
        "\"",
        "<(",
        "!",
        "# c\n",
        "\\\n"
    ],
    |layer| shell::parse(layer).errors
);
total!(
    yaml_reads_any_text,
    &[
        "a: b\n",
        "- x\n",
        "  c: |\n",
        "    text\n",
        "&a ",
        "*a",
        "<<: *a\n",
        "!reset ",
        "key: [1, 2",
        "]\n",
        "{a: b",
        "}\n",
        "---\n",
        "...\n",
        "'x'",
        "\"y\\n\"",
        ">-\n",
        "? k\n",
        ": v\n",
        "{{ x }}",
        "{% if %}\n",
        "# c\n"
    ],
    |layer| yaml::parse(layer).errors
);
total!(
    dotenv_reads_any_text,
    &["A=b\n", "export B=\"c $D\"\n", "C='x\ny'\n", "D=${E:-f}\n", "# c\n", "=x\n", "A", "F=g # h\n"],
    |layer| dotenv::parse(layer).errors
);
total!(
    dockerfile_reads_any_text,
    &[
        "FROM a AS b\n",
        "RUN x \\\n",
        "  && y\n",
        "RUN <<EOF\n",
        "EOF\n",
        "COPY --from=b /a /c\n",
        "CMD [\"a\", \"b\"]\n",
        "ENTRYPOINT []\n",
        "HEALTHCHECK --interval=5s CMD curl x\n",
        "ENV A=b C=\"d e\"\n",
        "ARG V=1\n",
        "# syntax=x\n",
        "USER $U\n",
        "COPY <<'E' /x\n",
        "E\n"
    ],
    |layer| dockerfile::parse(layer).errors
);
total!(
    pveconf_reads_any_text,
    &[
        "arch: amd64\n",
        "net0: name=eth0,bridge=vmbr0\n",
        "lxc.cap.drop:\n",
        "lxc.mount.entry = a b\n",
        "[snap]\n",
        "#d\n",
        "mp0: x,mp=/y\n",
        ":\n"
    ],
    |layer| pveconf::parse(layer).errors
);
total!(
    markdown_reads_any_text,
    &[
        "# H\n",
        "```bash\n",
        "```\n",
        "~~~\n",
        "- item\n",
        "> q\n",
        "| a | b |\n",
        "`code`",
        "[x](y)",
        "    indented\n",
        "<!-- c\n",
        "-->\n",
        "---\n"
    ],
    |layer| markdown::parse(layer).errors
);
total!(
    makefile_reads_any_text,
    &[
        "a: b c\n",
        "\techo $$x\n",
        "V := $(shell x)\n",
        "define X\n",
        "endef\n",
        "ifeq (a,b)\n",
        "endif\n",
        "include y.mk\n",
        ".PHONY: a\n",
        "\\\n",
        "$(V)"
    ],
    |layer| makefile::parse(layer).errors
);
total!(
    justfile_reads_any_text,
    &[
        "a b='c': d\n",
        "  echo {{b}}\n",
        "x := 'y'\n",
        "set shell := []\n",
        "import 'z'\n",
        "[private]\n",
        "#!/bin/sh\n"
    ],
    |layer| justfile::parse(layer).errors
);
total!(
    hcl_reads_any_text,
    &[
        "resource \"a\" \"b\" {\n",
        "}\n",
        "x = 1\n",
        "y = \"a ${b}\"\n",
        "z = [1, 2]\n",
        "<<EOT\n",
        "EOT\n",
        "for_each = { for k in v : k => k }\n",
        "# c\n"
    ],
    |layer| hcl::parse(layer).errors
);
total!(ini_reads_any_text, &["[a]\n", "b = c\n", "d: e\n", "  more\n", "; x\n", "=\n"], |layer| ini::parse(
    layer
)
.errors);
total!(
    nginx_reads_any_text,
    &[
        "server {\n",
        "listen 80;\n",
        "location / {\n",
        "}\n",
        "add_header A \"b\";\n",
        "# c\n",
        "if ($x) {\n",
        ";"
    ],
    |layer| nginx::parse(layer).errors
);
total!(
    toml_reads_any_text,
    &[
        "[a.b]\n",
        "c = \"d\"\n",
        "e = [1, \"f\"]\n",
        "g = {h = 1}\n",
        "[[i]]\n",
        "j = '''k\n",
        "'''\n",
        "# l\n"
    ],
    |layer| toml::parse(layer).errors
);
total!(
    python_reads_any_text,
    &[
        "def f(a, b=1):\n",
        "    return x\n",
        "class A(B):\n",
        "    c: str = 'd'\n",
        "os.getenv('X', \"y\")\n",
        "f\"{a!r:>{w}}\"\n",
        "@app.get('/')\n",
        "'''doc\n",
        "'''\n",
        "x = [a for a in b]\n",
        "lambda: 1\n",
        "if a:\n",
        "async with x as y:\n",
        "\\\n"
    ],
    |layer| python::parse(layer).errors
);
total!(
    javascript_reads_any_text,
    &[
        "const a = process.env.X ?? 'y';\n",
        "`t ${a} u`",
        "app.get('/x', (q, r) => {\n",
        "});\n",
        "/re[/]x/g",
        "// c\n",
        "/* d\n",
        "*/\n",
        "import x from 'y';\n",
        "<A b={c} />\n"
    ],
    |layer| {
        let _ = source::parse(layer, Dialect::JavaScript);
        Vec::new()
    }
);
