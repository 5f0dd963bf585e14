//! Rules, assignments and conditionals, line by line.

use std::ops::Range;

use plimsoll_text::{Layer, Spanned};

use super::ast::{Makefile, Target, Variable};
use super::recipe::{expanded, is_name, recipe_line};
use crate::scan::{byte, lines, text_of, trim};

/// Reads a Makefile. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Makefile {
    let text = layer.text();
    let mut reader = Reader { layer, text, out: Makefile::default(), current: 0..0, doc: Vec::new() };
    let mut logical: Option<Range<usize>> = None;
    let mut define = false;
    for line in lines(text) {
        let whole = logical.take().map_or(line.clone(), |open| open.start..line.end);
        let continued =
            text_of(text, line.clone()).bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
        if continued && line.end < text.len() {
            logical = Some(whole);
            continue;
        }
        let first = text_of(text, trim(text, whole.clone())).split([' ', '\t']).next().unwrap_or_default();
        if define || first == "define" {
            define = first != "endef";
            continue;
        }
        reader.line(whole);
    }
    if let Some(open) = logical {
        reader.line(open);
    }
    reader.out
}

struct Reader<'a> {
    layer: &'a Layer,
    text: &'a str,
    out: Makefile,
    /// The targets that recipe lines belong to.
    current: Range<usize>,
    /// Comment lines right above the next rule.
    doc: Vec<Range<usize>>,
}

impl Reader<'_> {
    fn spanned(&self, range: Range<usize>) -> Spanned<String> {
        Spanned::new(text_of(self.text, range.clone()).to_owned(), self.layer.place(range))
    }

    fn line(&mut self, line: Range<usize>) {
        let content = trim(self.text, line.clone());
        if content.is_empty() {
            self.doc.clear();
            return;
        }
        if byte(self.text, line.start) == b'\t' && !self.current.is_empty() {
            let recipe = recipe_line(self.layer, line);
            for target in self.out.targets.get_mut(self.current.clone()).unwrap_or_default() {
                target.recipe.push(recipe.clone());
            }
            return;
        }
        if byte(self.text, content.start) == b'#' {
            let comment = content.start + 1..content.end;
            let spanned = self.spanned(comment.clone());
            self.out.comments.push(spanned);
            self.doc.push(comment);
            return;
        }
        let doc = std::mem::take(&mut self.doc);
        let word_length = text_of(self.text, content.clone()).find([' ', '\t']).unwrap_or(content.len());
        match text_of(self.text, content.start..content.start + word_length) {
            "ifeq" | "ifneq" | "ifdef" | "ifndef" | "else" | "endif" | "unexport" | "vpath" | "undefine" => {}
            "include" | "-include" | "sinclude" => {
                let names = self.words(content.start + word_length..content.end);
                self.out.includes.extend(names);
            }
            "export" | "override" => self.statement(content.start + word_length..content.end, true, &doc),
            _ => self.statement(content, false, &doc),
        }
    }

    fn words(&self, range: Range<usize>) -> Vec<Spanned<String>> {
        let mut out = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let rest = text_of(self.text, at..range.end);
            let length = rest.find([' ', '\t', '\n', '\r']).unwrap_or(rest.len());
            if length > 0 && text_of(rest, 0..length) != "\\" {
                out.push(self.spanned(at..at + length));
            }
            at += length + 1;
        }
        out
    }

    /// An assignment or a rule.
    fn statement(&mut self, range: Range<usize>, exported: bool, doc: &[Range<usize>]) {
        let Some((at, is_rule)) = self.separator(range.clone()) else {
            if !exported {
                // A call such as `$(eval …)` or `$(call …)` stands for itself.
                let body = text_of(self.text, range.clone());
                if !body.starts_with("$(") && !body.starts_with("${") {
                    let message = "expected a rule or an assignment".to_owned();
                    let place = self.layer.place(range);
                    self.out.errors.push(plimsoll_text::SyntaxError { place, message });
                }
            }
            return;
        };
        if is_rule {
            self.rule(range, at, doc);
        } else {
            self.assignment(range, at, None, exported);
        }
    }

    /// Where the first `:` or `=` outside of `$(…)` is, and whether it makes a rule.
    fn separator(&self, range: Range<usize>) -> Option<(usize, bool)> {
        let mut depth = 0usize;
        for at in range.clone() {
            match byte(self.text, at) {
                b'(' | b'{' if byte(self.text, at.wrapping_sub(1)) == b'$' || depth > 0 => depth += 1,
                b')' | b'}' if depth > 0 => depth -= 1,
                b'#' if depth == 0 => return None,
                b'=' if depth == 0 => return Some((at, false)),
                b':' if depth == 0 => {
                    let colons = (at..range.end).take_while(|at| byte(self.text, *at) == b':').count();
                    let assigns = byte(self.text, at + colons) == b'=' && at + colons < range.end;
                    return Some(if assigns { (at + colons, false) } else { (at, true) });
                }
                _ => {}
            }
        }
        None
    }

    fn assignment(&mut self, range: Range<usize>, equals: usize, target: Option<&str>, exported: bool) {
        let mut operator = equals;
        while operator > range.start && matches!(byte(self.text, operator - 1), b':' | b'?' | b'+' | b'!') {
            operator -= 1;
        }
        let name = trim(self.text, range.start..operator);
        let (exported, name) = match text_of(self.text, name.clone()).strip_prefix("export ") {
            Some(rest) => (true, name.end - rest.len()..name.end),
            None => (exported, name),
        };
        let mut value = trim(self.text, equals + 1..range.end);
        // A comment ends the value.
        if let Some(hash) = text_of(self.text, value.clone()).find(" #") {
            value = trim(self.text, value.start..value.start + hash);
        }
        let variable = Variable {
            name: self.spanned(trim(self.text, name)),
            operator: text_of(self.text, operator..equals + 1).to_owned(),
            value: expanded(self.layer, value),
            target: target.map(str::to_owned),
            exported,
            place: self.layer.place(range),
        };
        self.out.variables.push(variable);
    }

    fn rule(&mut self, range: Range<usize>, colon: usize, doc: &[Range<usize>]) {
        let names = self.words(range.start..colon);
        let colons = (colon..range.end).take_while(|at| byte(self.text, *at) == b':').count();
        let mut rest = trim(self.text, colon + colons..range.end);
        if let Some((equals, false)) = self.separator(rest.clone()) {
            let name = trim(self.text, rest.start..equals);
            let name = text_of(self.text, name).trim_end_matches([':', '?', '+', '!', ' ']);
            if is_name(name.trim_start_matches("export ")) {
                let target = names.first().map(|name| name.value.clone());
                self.assignment(rest, equals, target.as_deref(), false);
                return;
            }
        }
        let mut documentation = None;
        if let Some(hash) = text_of(self.text, rest.clone()).find('#') {
            let comment = rest.start + hash;
            if text_of(self.text, comment..rest.end).starts_with("##") {
                documentation = Some(self.spanned(trim(self.text, comment + 2..rest.end)));
            }
            rest = trim(self.text, rest.start..comment);
        }
        if documentation.is_none()
            && let (Some(first), Some(last)) = (doc.first(), doc.last())
        {
            let text: Vec<&str> = doc.iter().map(|line| text_of(self.text, line.clone()).trim()).collect();
            documentation = Some(Spanned::new(text.join("\n"), self.layer.place(first.start..last.end)));
        }
        let inline = text_of(self.text, rest.clone()).find(';').map(|semicolon| rest.start + semicolon);
        let dependencies = self.words(rest.start..inline.unwrap_or(rest.end));
        let place = self.layer.place(range.clone());
        let first = self.out.targets.len();
        for name in names {
            match name.value.as_str() {
                ".PHONY" => self.out.phony.extend(dependencies.iter().cloned()),
                ".ONESHELL" => self.out.one_shell = true,
                _ => self.out.targets.push(Target {
                    name,
                    dependencies: dependencies.clone(),
                    doc: documentation.clone(),
                    recipe: inline
                        .map(|semicolon| recipe_line(self.layer, semicolon + 1..rest.end))
                        .into_iter()
                        .collect(),
                    place,
                }),
            }
        }
        self.current = first..self.out.targets.len();
    }
}
