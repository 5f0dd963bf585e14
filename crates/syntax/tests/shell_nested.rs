//! Commands inside the words of commands, with positions in the file.

mod shell_support;

use plimsoll_syntax::shell::{self, RedirectKind, Script, StmtKind, Visit, Word};
use shell_support::{dump, layer, read, word};

fn arguments(script: &Script) -> Vec<&Word> {
    let StmtKind::Simple(command) = &script.body[0].kind else { panic!("no simple command") };
    command.words.iter().map(AsRef::as_ref).collect()
}

fn inner(script: &Script, from: usize) -> Script {
    let Some((layer, outer)) = shell::join(&arguments(script)[from..]) else { panic!("no argument") };
    shell::parse_nested(&layer, &outer)
}

#[test]
fn three_levels_down_every_word_still_stands_where_it_stands() {
    let text = concat!(
        "x\n",
        r#"ssh "${H}" "pct exec ${ID} -- bash -c 'cd ${D} && docker compose -f x up --build -d'""#,
        "\n"
    );
    let script = shell::parse(&layer(text));
    let StmtKind::Simple(ssh) = &script.body[1].kind else { panic!() };
    let (joined, outer) = shell::join(&[&ssh.words[2]]).unwrap();
    let second = shell::parse_nested(&joined, &outer);
    let expected = "(pct exec {^ID} -- bash -c 'cd ''{^D}'' && docker compose -f x up --build -d')";
    assert_eq!(dump(&second).replace("\"{^D}\"", "'{^D}'"), expected);
    let pct = arguments(&second);
    let bash = pct.last().unwrap();
    let third = shell::parse_nested(&bash.decoded, &bash.outer);
    assert_eq!(dump(&third), "(and (cd {^^D}) (docker compose -f x up --build -d))");
    let StmtKind::And(_, docker) = &third.body[0].kind else { panic!() };
    assert_eq!(&text[docker.span.range()], "docker compose -f x up --build -d");
    assert_eq!(docker.span.start as usize, text.find("docker").unwrap());
    shell::walk_words(&third, &mut |visit| {
        if let Visit::Word(word) = visit {
            assert_eq!(&text[word.span.range()], word.text());
        }
    });
}

#[test]
fn only_what_this_shell_expands_is_expanded_outside() {
    let script = read(r#"ssh h "a $x \$y '$z' \`b\` $(c) \"\$w\"" '$v'"#);
    assert_eq!(dump(&inner(&script, 2)), r#"(a {^x} {y} "{^z}" $((b)) $((c)) "{w}" {v})"#);
    let nested = inner(&script, 2);
    let outside: Vec<u8> =
        arguments(&nested).iter().flat_map(|word| &word.parts).map(|part| part.expanded_outside).collect();
    assert_eq!(outside, [0, 1, 0, 1, 0, 1, 0, 0]);
}

#[test]
fn what_an_outer_shell_expands_cannot_break_the_text() {
    let script = read(r#"ssh h "echo $(a ')' "b;c") ${x:-"d e"} && f""#);
    assert_eq!(dump(&inner(&script, 2)), r#"(and (echo $((a ')' "b;c")) {^x:-"d e"}) (f))"#);
}

#[test]
fn heredoc_bodies_are_scripts_for_whoever_reads_them() {
    let body = |text: &str| {
        let script = read(text);
        let RedirectKind::Heredoc(heredoc) = &script.body[0].redirects[0].kind else { panic!() };
        dump(&shell::parse_nested(&heredoc.body, &heredoc.outer))
    };
    assert_eq!(body("ssh h <<E\ncd $a && \\$b \"\\`c\\`\"\nE\n"), "(and (cd {^a}) ({b} \"$((c))\"))");
    assert_eq!(body("ssh h <<'E'\ncd $a\nE\n"), "(cd {a})");
    assert_eq!(body("ssh h <<-E\n\tcat <<F\n\t$a\n\tF\nE\n"), "(cat) <<F plain \"$a\\n\" \"{^a}\"\"\\n\"");
}

#[test]
fn words_are_joined_with_blanks() {
    let script = read(r#"ssh h cd '/a b' \; "$c" """#);
    let (joined, outer) = shell::join(&arguments(&script)[2..]).unwrap();
    assert_eq!(joined.text(), "cd /a b ; $c ");
    assert_eq!((outer.len(), outer[0].range.clone(), outer[0].shells), (1, 10..12, 1));
    assert_eq!(dump(&shell::parse_nested(&joined, &outer)), "(cd /a b) ({^c})");
    assert!(shell::join(&[]).is_none());
}

#[test]
fn the_visitor_finds_every_command_and_word() {
    let script =
        read("a $(b \"${c:-$(d)}\") <(e)\nif f; then g=`h` i <<E\n$(j)\nE\nfi; k() { l | m >$(n); }");
    let mut commands = Vec::new();
    let mut words = Vec::new();
    shell::walk_words(&script, &mut |visit| match visit {
        Visit::Stmt(stmt) => {
            if let StmtKind::Simple(command) = &stmt.kind {
                commands.extend(command.words.first().map(|word| word.text().to_owned()));
            }
        }
        Visit::Word(seen) => words.push(word(seen)),
        Visit::Heredoc(_) => {}
    });
    commands.sort();
    assert_eq!(commands, ["a", "b", "d", "e", "f", "h", "i", "j", "l", "m", "n"]);
    assert!(words.contains(&"\"$((d))\"".to_owned()), "{words:?}");
    let mut top = 0;
    shell::walk(&script.body, &mut |_| top += 1);
    assert_eq!(top, 8);
}
