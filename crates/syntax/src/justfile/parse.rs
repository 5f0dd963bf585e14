//! Recipes and assignments, line by line.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder, Place, Spanned, SyntaxError};

use crate::scan::{byte, lines, text_of, trim};

/// A justfile.
#[derive(Clone, Debug, Default)]
pub struct Justfile {
    /// `name := value` in order.
    pub variables: Vec<Variable>,
    /// Recipes in order.
    pub recipes: Vec<Recipe>,
    /// `set name := value` and `set name`, as written after `set`.
    pub settings: Vec<Spanned<String>>,
    /// Files of `import` and `mod`.
    pub imports: Vec<Spanned<String>>,
    /// Comments with their text after `#`.
    pub comments: Vec<Spanned<String>>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// An assignment.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Spanned<String>,
    /// The expression as written.
    pub expression: Spanned<String>,
    /// The value when the expression is one string.
    pub literal: Option<Layer>,
    /// Whether it is exported to recipes.
    pub exported: bool,
}

/// A recipe.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Its name.
    pub name: Spanned<String>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Recipes that run before (and, after `&&`, behind) it.
    pub dependencies: Vec<Spanned<String>>,
    /// The comment above it.
    pub doc: Option<Spanned<String>>,
    /// Attributes such as `private`, without brackets.
    pub attributes: Vec<Spanned<String>>,
    /// Its lines, each for a shell of its own; one entry with everything when `script` is set.
    pub lines: Vec<RecipeLine>,
    /// Whether it starts with `#!` and is one script.
    pub script: bool,
    /// Its first line.
    pub place: Place,
}

/// A recipe's parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Spanned<String>,
    /// Its default as written.
    pub default: Option<Spanned<String>>,
}

/// What one shell gets.
#[derive(Clone, Debug)]
pub struct RecipeLine {
    /// The text for the shell; a plain `{{name}}` reads `${name}`, other expressions stay as written.
    pub shell: Layer,
    /// Whether `@` hides it.
    pub silent: bool,
    /// Whether `-` ignores its failure.
    pub ignores_errors: bool,
}

/// Reads a justfile. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Justfile {
    let text = layer.text();
    let mut reader = Reader {
        layer,
        text,
        out: Justfile::default(),
        doc: None,
        attributes: Vec::new(),
        body: Vec::new(),
        in_recipe: false,
    };
    let mut skip_until = 0;
    for line in lines(text) {
        if line.start < skip_until {
            continue;
        }
        let indented = matches!(byte(text, line.start), b' ' | b'\t') && !line.is_empty();
        let blank = text_of(text, line.clone()).trim().is_empty();
        if (indented || blank) && reader.in_recipe {
            reader.body.push(line);
            continue;
        }
        reader.end_body();
        if !blank {
            skip_until = reader.top(line);
        }
    }
    reader.end_body();
    reader.out
}

struct Reader<'a> {
    layer: &'a Layer,
    text: &'a str,
    out: Justfile,
    doc: Option<Spanned<String>>,
    attributes: Vec<Spanned<String>>,
    body: Vec<Range<usize>>,
    /// Whether indented lines belong to the last recipe.
    in_recipe: bool,
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl Reader<'_> {
    fn spanned(&self, range: Range<usize>) -> Spanned<String> {
        Spanned::new(text_of(self.text, range.clone()).to_owned(), self.layer.place(range))
    }

    /// Reads a line at the left margin; gives the byte from which reading goes on.
    fn top(&mut self, line: Range<usize>) -> usize {
        self.in_recipe = false;
        let content = trim(self.text, line);
        let body = text_of(self.text, content.clone());
        if body.starts_with('#') {
            let comment = self.spanned(content.start + 1..content.end);
            self.doc = Some(comment.clone().map(|text| text.trim().to_owned()));
            self.out.comments.push(comment);
            return 0;
        }
        if body.starts_with('[') {
            let end = body.rfind(']').unwrap_or(body.len());
            let attribute = self.spanned(content.start + 1..content.start + end.max(1));
            self.attributes.push(attribute);
            return 0;
        }
        let word = body.split([' ', '\t']).next().unwrap_or_default();
        let rest = trim(self.text, content.start + word.len()..content.end);
        match word {
            "set" => {
                let setting = self.spanned(rest);
                self.out.settings.push(setting);
            }
            "import" | "import?" | "mod" | "mod?" => {
                let inner = text_of(self.text, rest.clone()).trim_matches(['\'', '"']);
                let quoted = usize::from(inner.len() < rest.len());
                let range = rest.start + quoted..rest.start + quoted + inner.len();
                let import = self.spanned(range);
                self.out.imports.push(import);
            }
            "alias" => {}
            _ => return self.statement(content, word == "export"),
        }
        self.doc = None;
        0
    }

    fn statement(&mut self, content: Range<usize>, exported: bool) -> usize {
        let start = if exported { content.start + "export".len() } else { content.start };
        let body = text_of(self.text, start..content.end);
        let doc = self.doc.take();
        let attributes = std::mem::take(&mut self.attributes);
        if let Some(at) = body.find(":=") {
            let name = trim(self.text, start..start + at);
            if is_name(text_of(self.text, name.clone())) {
                return self.variable(name, trim(self.text, start + at + 2..content.end), exported);
            }
        }
        let Some(header) = self.header(content.clone()) else {
            let message = "expected a recipe or an assignment".to_owned();
            self.out.errors.push(SyntaxError { place: self.layer.place(content), message });
            return 0;
        };
        self.out.recipes.push(Recipe { doc, attributes, ..header });
        self.in_recipe = true;
        0
    }

    fn variable(&mut self, name: Range<usize>, value: Range<usize>, exported: bool) -> usize {
        let text = text_of(self.text, value.clone());
        let mut end = value.end;
        let mut literal = None;
        for quote in ["'''", "\"\"\"", "'", "\"", "```", "`"] {
            if !text.starts_with(quote) {
                continue;
            }
            let from = value.start + quote.len();
            let rest = text_of(self.text, from..self.text.len());
            if let Some(length) = rest.find(quote) {
                let after = from + length + quote.len();
                let tail = trim(self.text, after..value.end.max(after));
                let alone = tail.is_empty() || byte(self.text, tail.start) == b'#';
                if alone && !quote.starts_with('`') {
                    literal = Some(self.layer.slice(from..from + length));
                }
                end = end.max(after);
            }
            break;
        }
        let (name, expression) = (self.spanned(name), self.spanned(value.start..end));
        self.out.variables.push(Variable { name, expression, literal, exported });
        end
    }

    /// `@name param default='x' *rest: dependency (other arg)`.
    fn header(&self, content: Range<usize>) -> Option<Recipe> {
        let colon = self.colon(content.clone())?;
        let mut words = self.words(content.start..colon).into_iter();
        let mut name = words.next()?;
        if byte(self.text, name.start) == b'@' {
            name.start += 1;
        }
        if !is_name(text_of(self.text, name.clone())) {
            return None;
        }
        let parameters = words.map(|word| self.parameter(word)).collect();
        let mut end = content.end;
        if let Some(hash) = text_of(self.text, colon..content.end).find(" #") {
            end = colon + hash;
        }
        let dependencies = self
            .words(colon + 1..end)
            .into_iter()
            .filter_map(|word| {
                let inner = text_of(self.text, word.clone());
                let name = inner.trim_start_matches('(').split([' ', ')']).next().unwrap_or_default();
                let start = word.start + inner.len() - inner.trim_start_matches('(').len();
                is_name(name).then(|| self.spanned(start..start + name.len()))
            })
            .collect();
        Some(Recipe {
            name: self.spanned(name),
            parameters,
            dependencies,
            doc: None,
            attributes: Vec::new(),
            lines: Vec::new(),
            script: false,
            place: self.layer.place(content),
        })
    }

    fn parameter(&self, word: Range<usize>) -> Parameter {
        let body = text_of(self.text, word.clone());
        let start = word.start + body.len() - body.trim_start_matches(['*', '+', '$']).len();
        match text_of(self.text, start..word.end).find('=') {
            Some(at) => Parameter {
                name: self.spanned(start..start + at),
                default: Some(self.spanned(start + at + 1..word.end)),
            },
            None => Parameter { name: self.spanned(start..word.end), default: None },
        }
    }

    /// The colon that ends the head of a recipe: not in quotes or parentheses, not `:=`.
    fn colon(&self, range: Range<usize>) -> Option<usize> {
        let (mut quote, mut depth) = (0, 0usize);
        for at in range {
            match byte(self.text, at) {
                b if quote != 0 => quote = if b == quote { 0 } else { quote },
                b @ (b'"' | b'\'' | b'`') => quote = b,
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                b':' if depth == 0 && byte(self.text, at + 1) != b'=' => return Some(at),
                _ => {}
            }
        }
        None
    }

    /// Words split at blanks outside of quotes and parentheses.
    fn words(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        let (mut quote, mut depth) = (0, 0usize);
        let mut start = None;
        for at in range.clone() {
            let b = byte(self.text, at);
            let blank = matches!(b, b' ' | b'\t') && quote == 0 && depth == 0;
            match (blank, start) {
                (true, Some(from)) => {
                    out.push(from..at);
                    start = None;
                }
                (false, None) => start = Some(at),
                _ => {}
            }
            match b {
                _ if quote != 0 => quote = if b == quote { 0 } else { quote },
                b'"' | b'\'' | b'`' => quote = b,
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        out.extend(start.map(|from| from..range.end));
        out
    }

    fn end_body(&mut self) {
        let mut body = std::mem::take(&mut self.body);
        if body.is_empty() {
            return;
        }
        while body.last().is_some_and(|line| text_of(self.text, line.clone()).trim().is_empty()) {
            body.pop();
        }
        let indent = body
            .iter()
            .filter(|line| !text_of(self.text, (*line).clone()).trim().is_empty())
            .map(|line| trim(self.text, line.clone()).start - line.start)
            .min()
            .unwrap_or(0);
        let stripped = |line: &Range<usize>| (line.start + indent).min(line.end)..line.end;
        let script = body.iter().map(stripped).find(|line| !line.is_empty());
        let script = script.is_some_and(|line| text_of(self.text, line).starts_with("#!"));
        let mut found = Vec::new();
        let mut open: Vec<Range<usize>> = Vec::new();
        for line in body.iter().map(stripped) {
            let continued = text_of(self.text, line.clone()).ends_with('\\');
            open.push(line);
            if !script && !continued {
                found.extend(self.recipe_line(&std::mem::take(&mut open), false));
            }
        }
        found.extend(self.recipe_line(&open, script));
        if let (Some(recipe), false) = (self.out.recipes.last_mut(), found.is_empty()) {
            recipe.script = script;
            recipe.lines = found;
        }
    }

    fn recipe_line(&self, pieces: &[Range<usize>], script: bool) -> Option<RecipeLine> {
        let first = pieces.first()?;
        let mut start = if script { first.start } else { trim(self.text, first.clone()).start };
        let (mut silent, mut ignores_errors) = (false, false);
        while !script && start < first.end {
            match byte(self.text, start) {
                b'@' => silent = true,
                b'-' => ignores_errors = true,
                _ => break,
            }
            start += 1;
        }
        let mut builder = LayerBuilder::new(self.layer, start);
        for (index, piece) in pieces.iter().enumerate() {
            let from = if index == 0 { start } else { piece.start };
            self.interpolated(&mut builder, from..piece.end);
            if index + 1 < pieces.len() {
                builder.decoded("\n", piece.end..piece.end + 1);
            }
        }
        (!builder.is_empty()).then(|| RecipeLine { shell: builder.finish(), silent, ignores_errors })
    }

    fn interpolated(&self, builder: &mut LayerBuilder<'_>, range: Range<usize>) {
        let mut at = range.start;
        while let Some(offset) = text_of(self.text, at..range.end).find("{{") {
            let open = at + offset;
            let Some(length) = text_of(self.text, open..range.end).find("}}") else { break };
            let close = open + length;
            let inner = trim(self.text, open + 2..close.max(open + 2));
            builder.verbatim(at..open);
            if is_name(text_of(self.text, inner.clone())) {
                builder.decoded("${", open..open + 2);
                builder.verbatim(inner);
                builder.decoded("}", close..close + 2);
            } else {
                builder.verbatim(open..close + 2);
            }
            at = close + 2;
        }
        builder.verbatim(at..range.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::whole;
    use proptest::prelude::*;

    const TEXT: &str = "set dotenv-load\nhost := \"root@pve\" # x\nexport v := `git describe`\nimport 'a.just'\n\n\
        # Ships it\n[private]\ndeploy target='prod' *args: build (push \"x\")\n    @ssh {{host}} \\\n      \
        \"run {{ target }}\"\n    -rm {{ a + b }}\n\nscript:\n  #!/usr/bin/env bash\n  set -e\n\n    x\n";

    #[test]
    fn recipes_read_as_the_shell_gets_them() {
        let tree = parse(&whole(TEXT));
        assert_eq!(tree.errors, []);
        let [deploy, script] = tree.recipes.as_slice() else { panic!("{:?}", tree.recipes) };
        assert_eq!(deploy.name.value, "deploy");
        assert_eq!(deploy.doc.as_ref().unwrap().value, "Ships it");
        assert_eq!(deploy.attributes[0].value, "private");
        let names: Vec<&str> = deploy.parameters.iter().map(|one| one.name.value.as_str()).collect();
        assert_eq!(names, ["target", "args"]);
        let names: Vec<&str> = deploy.dependencies.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(names, ["build", "push"]);
        let [first, second] = deploy.lines.as_slice() else { panic!() };
        assert_eq!(first.shell.text(), "ssh ${host} \\\n  \"run ${target}\"");
        let at = first.shell.text().find("target").unwrap();
        assert_eq!(&TEXT[first.shell.span(at..at + 6).range()], "target");
        assert!(first.silent && second.ignores_errors);
        assert_eq!(second.shell.text(), "rm {{ a + b }}");
        assert!(script.script);
        assert_eq!(script.lines[0].shell.text(), "#!/usr/bin/env bash\nset -e\n\n  x");
    }

    #[test]
    fn variables_and_settings_are_listed() {
        let tree = parse(&whole(TEXT));
        assert_eq!(tree.variables[0].literal.as_ref().unwrap().text(), "root@pve");
        assert!(tree.variables[1].exported && tree.variables[1].literal.is_none());
        assert_eq!(tree.imports[0].value, "a.just");
        assert_eq!(tree.settings[0].value, "dotenv-load");
    }

    proptest! {
        #[test]
        fn any_text_gives_recipes_inside_it(text in "([ -~é\t]|\n|\n  |a:|b := |\\{\\{|\\}\\}|\\\\\n|'|@|#){0,60}") {
            for recipe in parse(&whole(&text)).recipes {
                prop_assert!(text.get(recipe.place.span.range()).is_some());
                for line in recipe.lines {
                    prop_assert!(text.get(line.shell.full_place().span.range()).is_some());
                }
            }
        }
    }
}
