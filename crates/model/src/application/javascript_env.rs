//! Reads of environment variables in JavaScript and TypeScript.

use std::collections::BTreeSet;

use plimsoll_syntax::source::{TokenKind, Tokens};
use plimsoll_text::Spanned;

use super::types::{EnvRead, Language, Phase, Presence};

/// What a bundler defines itself.
const BUILT_IN: &[&str] = &["MODE", "DEV", "PROD", "SSR", "BASE_URL"];

/// Beginnings of names that frameworks put into the bundle.
const BUNDLED: &[&str] = &[
    "NEXT_PUBLIC_",
    "REACT_APP_",
    "VUE_APP_",
    "GATSBY_",
    "EXPO_PUBLIC_",
    "NUXT_PUBLIC_",
    "PUBLIC_",
    "VITE_",
];

/// All reads of a file. A schema of names counts as one of the environment only where that is read.
pub(super) fn reads(tokens: &Tokens<'_>, schemas: bool, out: &mut Vec<EnvRead>) {
    let guarded = guarded(tokens);
    let dynamic = (0..tokens.len())
        .any(|at| tokens.matches(at, &["process", ".", "env", "["]) && tokens.name(at + 4).is_some());
    for at in 0..tokens.len() {
        if let Some(read) = read(tokens, at, &guarded) {
            out.push(read);
        } else if tokens.is(at, "}") {
            destructured(tokens, at, out);
        } else if schemas && tokens.matches(at, &["z", ".", "object", "("]) {
            schema(tokens, at + 4, out);
        } else if dynamic {
            required_list(tokens, at, out);
        }
    }
}

fn is_variable(name: &str) -> bool {
    name.len() > 2
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `const requiredVariables = ["A", "B"]` beside `process.env[name]`.
fn required_list(tokens: &Tokens<'_>, at: usize, out: &mut Vec<EnvRead>) {
    let named = tokens.name(at).is_some_and(|name| name.to_ascii_lowercase().contains("require"));
    if !named || !tokens.matches(at + 1, &["=", "["]) {
        return;
    }
    for range in tokens.arguments(at + 2) {
        let Some(name) = tokens.string(range.start).filter(|name| range.len() == 1 && is_variable(name))
        else {
            continue;
        };
        out.push(EnvRead {
            name: name.into_owned(),
            language: Language::JavaScript,
            phase: Phase::Run,
            presence: Presence::Required,
            settings_field: false,
            place: tokens.place(range),
        });
    }
}

/// Literals that an `if` whose branch throws or exits compares with.
pub(super) fn refused(tokens: &Tokens<'_>, out: &mut Vec<Spanned<String>>) {
    for_each_failing_condition(tokens, |range| {
        for at in range {
            let compared = tokens.is(at.wrapping_sub(1), "=") && tokens.is(at.wrapping_sub(2), "=");
            if let Some(text) = tokens.string(at).filter(|text| compared && !text.is_empty()) {
                out.push(Spanned::new(text.into_owned(), tokens.place(at..at + 1)));
            }
        }
    });
}

/// The conditions of every `if` whose branch throws or exits.
fn for_each_failing_condition(tokens: &Tokens<'_>, mut visit: impl FnMut(std::ops::Range<usize>)) {
    for at in 0..tokens.len() {
        if !tokens.matches(at, &["if", "("]) {
            continue;
        }
        let close = tokens.close(at + 1);
        if (close..close + 8).any(|index| tokens.is(index, "throw") || tokens.is(index, "exit")) {
            visit(at + 2..close);
        }
    }
}

/// Names behind `if (!name)` whose branch throws or exits.
fn guarded<'a>(tokens: &Tokens<'a>) -> BTreeSet<&'a str> {
    let mut out = BTreeSet::new();
    for_each_failing_condition(tokens, |range| {
        for index in range {
            if tokens.is(index, "!") {
                // The last name of `!process.env.X` or the name of `!x`.
                let mut last = index + 1;
                while tokens.is(last + 1, ".") && tokens.name(last + 2).is_some() {
                    last += 2;
                }
                out.extend(tokens.name(last));
            }
        }
    });
    out
}

/// The object of an environment at a token: where the name follows and whether it is the bundler's.
fn environment(tokens: &Tokens<'_>, at: usize) -> Option<(usize, bool)> {
    for (path, bundler) in [
        (["process", ".", "env"].as_slice(), false),
        (&["import", ".", "meta", ".", "env"], true),
        (&["Bun", ".", "env"], false),
    ] {
        if tokens.matches(at, path) {
            return Some((at + path.len(), bundler));
        }
    }
    None
}

fn read(tokens: &Tokens<'_>, at: usize, guarded: &BTreeSet<&str>) -> Option<EnvRead> {
    let (name, end, bundler) = if tokens.matches(at, &["Deno", ".", "env", ".", "get", "("]) {
        (tokens.string(at + 6)?.into_owned(), at + 8, false)
    } else {
        let (next, bundler) = environment(tokens, at)?;
        let next = next + usize::from(tokens.is(next, "?"));
        if tokens.is(next, ".") {
            (tokens.name(next + 1)?.to_owned(), next + 2, bundler)
        } else if tokens.is(next, "[") {
            (tokens.string(next + 1)?.into_owned(), next + 3, bundler)
        } else {
            return None;
        }
    };
    let written_to = tokens.is(end, "=") && !tokens.is(end + 1, "=");
    if written_to || bundler && BUILT_IN.contains(&name.as_str()) {
        return None;
    }
    let bundled = bundler || BUNDLED.iter().any(|start| name.starts_with(start));
    let checked = guarded.contains(name.as_str())
        || (at >= 2
            && tokens.is(at - 1, "=")
            && tokens.name(at - 2).is_some_and(|name| guarded.contains(name)));
    Some(EnvRead {
        presence: presence(tokens, end, checked),
        name,
        language: Language::JavaScript,
        phase: if bundled { Phase::Build } else { Phase::Run },
        settings_field: false,
        place: tokens.place(at..end),
    })
}

fn presence(tokens: &Tokens<'_>, end: usize, checked: bool) -> Presence {
    let falls_back = tokens.matches(end, &["|", "|"]) || tokens.matches(end, &["?", "?"]);
    if falls_back {
        return literal(tokens, end + 2).map_or(Presence::Optional, Presence::Default);
    }
    let asserted = tokens.is(end, "!") && !tokens.is(end + 1, "=");
    if checked || asserted { Presence::Required } else { Presence::Optional }
}

/// A string or number that stands alone.
fn literal(tokens: &Tokens<'_>, at: usize) -> Option<Spanned<String>> {
    let token = tokens.get(at)?;
    // A piece of a template is followed by its interpolation.
    let whole = !tokens.is(at + 1, "{") && !tokens.is(at + 1, "+");
    let text = match token.kind {
        TokenKind::String if whole => tokens.string(at)?.into_owned(),
        TokenKind::Number => tokens.text(at).to_owned(),
        TokenKind::Name if matches!(tokens.text(at), "true" | "false") => tokens.text(at).to_owned(),
        _ => return None,
    };
    Some(Spanned::new(text, tokens.place(at..at + 1)))
}

/// `const { A, B = "x" } = process.env`.
fn destructured(tokens: &Tokens<'_>, close: usize, out: &mut Vec<EnvRead>) {
    let Some((end, bundler)) = tokens.is(close + 1, "=").then(|| environment(tokens, close + 2)).flatten()
    else {
        return;
    };
    let Some(depth) = tokens.get(close).map(|token| token.depth) else { return };
    if tokens.is(end, ".") || tokens.is(end, "[") {
        return;
    }
    let open = (0..close)
        .rev()
        .find(|index| tokens.is(*index, "{") && tokens.get(*index).is_some_and(|token| token.depth == depth));
    let Some(open) = open else { return };
    for range in tokens.arguments(open) {
        let Some(name) = tokens.name(range.start) else { continue };
        let equals = range.clone().find(|index| tokens.is(*index, "="));
        let default = equals.and_then(|equals| literal(tokens, equals + 1));
        out.push(EnvRead {
            name: name.to_owned(),
            language: Language::JavaScript,
            phase: if bundler { Phase::Build } else { Phase::Run },
            presence: default.map_or(Presence::Optional, Presence::Default),
            settings_field: false,
            place: tokens.place(range.start..range.start + 1),
        });
    }
}

/// `z.object({ NAME: z.string().default("x") })` with names of variables.
fn schema(tokens: &Tokens<'_>, open: usize, out: &mut Vec<EnvRead>) {
    if !tokens.is(open, "{") {
        return;
    }
    for range in tokens.arguments(open) {
        let Some(name) = tokens.name(range.start) else { continue };
        if !is_variable(name) || !tokens.is(range.start + 1, ":") {
            continue;
        }
        let default = range.clone().find(|index| tokens.matches(*index, &["default", "("]));
        let optional = range.clone().any(|index| matches!(tokens.text(index), "optional" | "nullish"));
        let presence = match default {
            Some(default) => literal(tokens, default + 2).map_or(Presence::Optional, Presence::Default),
            None if optional => Presence::Optional,
            None => Presence::Required,
        };
        out.push(EnvRead {
            name: name.to_owned(),
            language: Language::JavaScript,
            phase: if BUNDLED.iter().any(|start| name.starts_with(start)) {
                Phase::Build
            } else {
                Phase::Run
            },
            presence,
            settings_field: false,
            place: tokens.place(range.start..range.start + 1),
        });
    }
}

/// The reads among some tokens.
pub(super) fn reads_in(tokens: &Tokens<'_>, range: std::ops::Range<usize>, out: &mut Vec<EnvRead>) {
    out.extend(range.into_iter().filter_map(|at| read(tokens, at, &BTreeSet::new())));
}
