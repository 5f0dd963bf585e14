//! What the shell reader makes of each construct.

mod shell_support;

use plimsoll_text::Span;
use shell_support::{dump, layer, read};

fn check(text: &str, expected: &str) {
    let script = read(text);
    assert_eq!(dump(&script), expected, "{text}");
    assert_eq!(script.errors, [], "{text}");
}

#[test]
fn words_keep_their_quotes_apart() {
    check(r#"a b"c"'d'\e f\ g"#, r#"(a b"c"'d''e' f' 'g)"#);
    check(r#"a "" '' x"" $'a\n\x41\'' $"t""#, r#"(a "" '' x"" 'a\nA'' "t")"#);
    check("a \"\\$x \\n \\\"\" 'b\nc' d\\\ne", "(a \"$x \\n \"\" 'b\\nc' de)");
    check("a {b,c} *.d ~ [e] f#g", "(a {b,c} *.d ~ [e] f#g)");
}

#[test]
fn parameters_name_their_operation() {
    check("$a ${b} $1 ${10} $@ $? ${#} $", "({a} {b} {1} {10} {@} {?} {#} $)");
    check("${a:-b c} ${a=\"b\"} ${a?} ${a:+$b}", "({a:-b c} {a:=\"b\"} {a:?-} {a:+{b}})");
    check("\"${a:-'b' \"c d\"}\" ${a:-'}'}", "(\"{a:-\"'b' \"\"c d\"}\" {a:-'}'})");
    check("${#a} ${a%.*} ${a//x/y} ${a:1:2} ${a@Q}", "({a|#a} {a|a%.*} {a|a//x/y} {a|a:1:2} {a@Q})");
    check("${a[@]} ${!a} ${a[0]:-x} ${!a@}", "({a|a[@]} {a|!a} {a|a[0]:-x} {a|!a@})");
    check("${a:-${b:-$(c \"${d:-e}\")}}", "({a:-{b:-$((c \"{d:-\"e\"}\"))}})");
}

#[test]
fn substitutions_are_scripts() {
    check(
        "a=$(b | c) \"$(d \"$e\")\" `f \\`g\\`` $((1+2)) <(h)",
        "(a=$((pipe (b) (c))) \"$((d \"{e}\"))\" $((f $((g)))) $((1+2)) <((h)))",
    );
    check("a $( (b) ) $(case x in y) z;; esac) $(# c\n)", "(a $((subshell (b))) $((case x [y => (z)])) $())");
    check("a $(<b) $(cat <<E\nx)\nE\n)", "(a $(() <b) $((cat) <<E plain \"x)\\n\" \"x)\\n\"))");
}

#[test]
fn lists_and_pipelines_lean_left() {
    check("a | b |& c && d || ! e & f", "(or (and (pipe (a) (b) (c)) (d)) !(e)) & (f)");
    check("! a | b && c", "(and !(pipe (a) (b)) (c))");
    check("a && b | c; d", "(and (a) (pipe (b) (c))) (d)");
}

#[test]
fn compound_commands_keep_their_pieces() {
    check("if a; then b; elif c; then d; else e; fi >f", "(if [(a) => (b)] [(c) => (d)] else (e)) >f");
    check("while a; do b; done <c; until d; do e; done", "(while (a) do (b)) <c (until (d) do (e))");
    check("for i in a \"$b\"; do c; done; for j; do d; done", "(for i [a \"{b}\"] do (c)) (for j - do (d))");
    check(
        "for ((i=0;i<2;i++)); do a; done; select x in y; do z; done",
        "(for - - do (a)) (for x [y] do (z))",
    );
    check("case $a in b|\"c\") d;; *) e;& f) ;; esac", "(case {a} [b|\"c\" => (d)] [* => (e)] [f => ])");
    check("(a; b) | { c; } 2>&1", "(pipe (subshell (a) (b)) (group (c)) 2>&1)");
    check(
        "f() { a; }; function g { b; } >c; h() (d)",
        "(fn f (a)) (fn g (group (b)) >c) (fn h (subshell (d)))",
    );
    check("time a; coproc X { b; }; ((c++))", "(group (a)) (group (group (b))) & (arithmetic)");
    check("[[ -n $a && ( $b == c* || ! -f \"d\" ) ]]", "(test -n {a} && ( {b} == c* || ! -f \"d\" ))");
    check("[[ $a =~ ^[0-9]+$ ]]", "(test {a} =~ ^[0-9]+$)");
}

#[test]
fn builtins_are_simple_commands() {
    check(
        "export A=1 B; local -r c=\"$d\"; declare -A e",
        "(A=1 export B) (c=\"{d}\" local -r) (declare -A e)",
    );
    check("A=1 B= exit 2; return; break 2 >a", "(A=1 B=- exit 2) (return) (break 2) >a");
    check("a=(b \"c\" [d]=e # f\n g) h+=(i) j+=k l[0]=m", "(a=[b \"c\" e g] h+=[i] j+=k l=m)");
    check("[ -n \"$a\" ] || exit", "(or ([ -n \"{a}\" ]) (exit))");
}

#[test]
fn redirects_name_files_and_descriptors() {
    check("a >b 2>>c <d 3<>e <<<\"f\" >|g", "(a) >b 2>>c <d 3<>e <<<\"f\" >g");
    check("a 2>&1 >&2 <&- &>b &>>c >&d {e}>f", "(a) 2>&1 >&2 >&- &>b &>>c &>d >f");
    check(">a b; >c", "(b) >a () >c");
}

#[test]
fn heredocs_are_read_as_the_command_reads_them() {
    check("a <<E\nb $c \\$d \\\\ \\x\nE\ne", r#"(a) <<E plain "b $c $d \\ \\x\n" "b ""{c}"" $d \ \x\n" (e)"#);
    check("a <<'E'\nb $c \\$d\nE\n", r#"(a) <<E quoted "b $c \\$d\n" 'b $c \$d\n'"#);
    check("if x; then\n\ta <<-E\n\t\tb\n\tc\n\tE\nfi", r#"(if [(x) => (a) <<E plain "b\nc\n" "b\nc\n"])"#);
    check(
        "a <<A <<B | c\n$(d e)\nA\nf\nB\n",
        r#"(pipe (a) <<A plain "$(d e)\n" "$((d e))""\n" <<B plain "f\n" "f\n" (c))"#,
    );
    check("{ a <<E\n}\nE\n}", r#"(group (a) <<E plain "}\n" "}\n")"#);
}

#[test]
fn template_placeholders_are_text() {
    check(
        "{{.A}} {{ .B | default \"x y\" }}/z ${{ github.c }}",
        "({{.A}} {{ .B | default \"x y\" }}/z ${{ github.c }})",
    );
    check("a=\"{{ .B | default \"x\" }}\" '{{ .C }}'", "(a=\"{{ .B | default \"x\" }}\" '{{ .C }}')");
    check(
        "docker ps --format '{{.Names}}' \"{{index .X \\\"$y\\\"}}\"",
        "(docker ps --format '{{.Names}}' \"{{index .X \"\"\"{y}\"\"\"}}\")",
    );
    check("f() { { {{.A}}; }; }", "(fn f (group ({{.A}})))");
}

#[test]
fn windows_line_ends_are_line_ends() {
    check(
        "a b\r\nif c; then\r\n  d <<E\r\nf\r\nE\r\nfi\r\n",
        r#"(a b) (if [(c) => (d) <<E plain "f\n" "f\n"])"#,
    );
    let text = "a\r\nb \\\r\n  \"c\"\r\n";
    assert_eq!(read(text).body[1].span, Span::new(3, 13));
}

#[test]
fn aliases_stay_as_they_are_written() {
    check("shopt -s expand_aliases\nalias a='b c'\na d", "(shopt -s expand_aliases) (alias a='b c') (a d)");
}

#[test]
fn comments_are_collected_from_every_depth() {
    let text = "#!/bin/sh\na # b\nf() { # c\n  d \"$(e # f\n)\" # g\n}\nh=( # i\nj)\ncase x in # k\n y) ;; # l\nesac\n";
    let comments: Vec<_> = read(text).comments.into_iter().map(|comment| comment.text).collect();
    assert_eq!(comments, ["!/bin/sh", " b", " c", " f", " g", " i", " k", " l"]);
}

#[test]
fn statements_end_with_their_last_word() {
    let spans = |text: &str| {
        let layer = layer(text);
        let script = plimsoll_syntax::shell::parse(&layer);
        script.body.iter().map(|stmt| text[stmt.span.range()].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(spans("a b  # c\n  d >e ; "), ["a b", "d >e"]);
    assert_eq!(spans("( a; b ) ; { c\n# }\n} 2>&1 # d"), ["( a; b )", "{ c\n# }\n} 2>&1"]);
    assert_eq!(spans("if a; then b; fi  ;\n! c |  d &"), ["if a; then b; fi", "c |  d"]);
    assert_eq!(
        spans("f() { # x\n a; } >b\n{ # (\n # {\n c\n}"),
        ["f() { # x\n a; } >b", "{ # (\n # {\n c\n}"]
    );
    assert_eq!(spans("(a <<E\n)\nE\n) && exit 1 \n"), ["(a <<E\n)\nE\n) && exit 1"]);
    assert_eq!(
        spans("case a in b) c;; esac | d; [[ -n a ]] ; ((1)) ; time a"),
        ["case a in b) c;; esac | d", "[[ -n a ]]", "((1))", "time a"]
    );
}

#[test]
fn a_mistake_costs_little_of_the_rest() {
    let dumped = |text: &str| {
        let script = read(text);
        assert!(!script.errors.is_empty(), "{text}");
        dump(&script)
    };
    assert_eq!(dumped("a\nif b; then\nc\n"), "(a) (c)");
    assert_eq!(dumped("a\nfi\nb\n"), "(a) (b)");
    assert_eq!(dumped("f() {\n  if a; then\n    b\n}\nc\n"), "(b) (c)");
    assert_eq!(dumped("a \"b\nc\n"), "(a) (c)");
    assert_eq!(dumped("a $(b; fi) c\nd"), "(a $((b)) c) (d)");
}
