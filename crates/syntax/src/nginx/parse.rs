//! Directives and blocks.

use plimsoll_text::{Layer, Place, Spanned, SyntaxError};

use crate::scan::{byte, char_len, start, text_of};

/// Blocks nested deeper than this are not read.
const MAX_DEPTH: usize = 64;

/// A configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The directives at the top level.
    pub directives: Vec<Directive>,
    /// Comments.
    pub comments: Vec<Spanned<String>>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// `name argument…;` or `name argument… { … }`.
#[derive(Clone, Debug)]
pub struct Directive {
    /// Its name.
    pub name: Spanned<String>,
    /// Its arguments, quotes removed.
    pub arguments: Vec<Spanned<String>>,
    /// The directives inside when it is a block.
    pub block: Option<Vec<Directive>>,
    /// From its name to `;` or to the closing brace.
    pub place: Place,
}

impl Directive {
    /// The directives inside.
    #[must_use]
    pub fn children(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }

    /// An argument's text.
    #[must_use]
    pub fn argument(&self, index: usize) -> Option<&str> {
        self.arguments.get(index).map(|argument| argument.value.as_str())
    }

    /// The directives of a name directly inside.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.children().iter().filter(move |child| child.name.value == name)
    }
}

impl Config {
    /// All directives at any depth in source order, each with the blocks around it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&[&'a Directive], &'a Directive)) {
        fn go<'a>(
            list: &'a [Directive],
            around: &mut Vec<&'a Directive>,
            visit: &mut dyn FnMut(&[&'a Directive], &'a Directive),
        ) {
            for directive in list {
                visit(around, directive);
                around.push(directive);
                go(directive.children(), around, visit);
                around.pop();
            }
        }
        go(&self.directives, &mut Vec::new(), visit);
    }
}

/// Reads a configuration. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Config {
    let mut parser = Parser { layer, text: layer.text(), at: start(layer.text()), out: Config::default() };
    let mut directives = Vec::new();
    while parser.block(&mut directives, 0) {
        let place = layer.place(parser.at.saturating_sub(1)..parser.at);
        parser.error(place, "`}` without a block");
    }
    parser.out.directives = directives;
    parser.out
}

struct Parser<'a> {
    layer: &'a Layer,
    text: &'a str,
    at: usize,
    out: Config,
}

impl Parser<'_> {
    fn error(&mut self, place: Place, message: &str) {
        self.out.errors.push(SyntaxError { place, message: message.to_owned() });
    }

    fn blanks(&mut self) {
        loop {
            while byte(self.text, self.at).is_ascii_whitespace() {
                self.at += 1;
            }
            if byte(self.text, self.at) != b'#' {
                return;
            }
            let rest = text_of(self.text, self.at..self.text.len());
            let end = self.at + rest.find('\n').unwrap_or(rest.len());
            let comment = text_of(self.text, self.at + 1..end).trim_end().to_owned();
            self.out.comments.push(Spanned::new(comment, self.layer.place(self.at..end)));
            self.at = end;
        }
    }

    /// Reads directives up to the end (false) or a closing brace (true, consumed).
    fn block(&mut self, out: &mut Vec<Directive>, depth: usize) -> bool {
        loop {
            self.blanks();
            match byte(self.text, self.at) {
                0 if self.at >= self.text.len() => return false,
                b'}' => {
                    self.at += 1;
                    return true;
                }
                b';' => self.at += 1,
                b'{' => {
                    self.error(self.layer.place(self.at..self.at + 1), "`{` without a name");
                    self.at += 1;
                }
                _ => {
                    let directive = self.directive(depth);
                    out.push(directive);
                }
            }
        }
    }

    fn directive(&mut self, depth: usize) -> Directive {
        let start = self.at;
        let name = self.word();
        let mut arguments = Vec::new();
        let mut block = None;
        let lua = name.value.ends_with("_by_lua_block");
        loop {
            self.blanks();
            match byte(self.text, self.at) {
                0 if self.at >= self.text.len() => {
                    self.error(name.place, "directive without `;`");
                    break;
                }
                b';' => {
                    self.at += 1;
                    break;
                }
                b'}' => {
                    self.error(name.place, "directive without `;`");
                    break;
                }
                b'{' => {
                    self.at += 1;
                    let mut inner = Vec::new();
                    if lua || depth >= MAX_DEPTH {
                        self.skip_block();
                    } else if !self.block(&mut inner, depth + 1) {
                        self.error(name.place, "block without `}`");
                    }
                    block = Some(inner);
                    break;
                }
                _ => arguments.push(self.word()),
            }
        }
        Directive { name, arguments, block, place: self.layer.place(start..self.at.min(self.text.len())) }
    }

    fn skip_block(&mut self) {
        let mut depth = 1usize;
        while depth > 0 && self.at < self.text.len() {
            match byte(self.text, self.at) {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn word(&mut self) -> Spanned<String> {
        let start = self.at;
        let quote = byte(self.text, self.at);
        let mut value = String::new();
        if matches!(quote, b'"' | b'\'') {
            self.at += 1;
            while self.at < self.text.len() && byte(self.text, self.at) != quote {
                if byte(self.text, self.at) == b'\\' {
                    self.escape(&mut value);
                } else {
                    self.take(&mut value);
                }
            }
            let place = self.layer.place(start..(self.at + 1).min(self.text.len()));
            if self.at >= self.text.len() {
                self.error(place, "string without an end");
            }
            self.at += 1;
            return Spanned::new(value, place);
        }
        while self.at < self.text.len() {
            match byte(self.text, self.at) {
                b';' | b'{' if byte(self.text, self.at.wrapping_sub(1)) != b'$' => break,
                b'{' => {
                    // `${name}` is part of the word.
                    while self.at < self.text.len() && !matches!(byte(self.text, self.at), b'}' | b'\n') {
                        self.take(&mut value);
                    }
                    if byte(self.text, self.at) == b'}' {
                        self.take(&mut value);
                    }
                }
                b if b.is_ascii_whitespace() => break,
                b'\\' => self.escape(&mut value),
                _ => self.take(&mut value),
            }
        }
        Spanned::new(value, self.layer.place(start..self.at))
    }

    fn take(&mut self, value: &mut String) {
        let end = self.at + char_len(self.text, self.at);
        value.push_str(text_of(self.text, self.at..end));
        self.at = end;
    }

    /// A backslash keeps itself, except before a quote, a backslash or a blank.
    fn escape(&mut self, value: &mut String) {
        if !matches!(byte(self.text, self.at + 1), b'"' | b'\'' | b'\\' | b' ' | b';') {
            value.push('\\');
        }
        self.at += 1;
        if self.at < self.text.len() {
            self.take(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::whole;
    use proptest::prelude::*;

    #[test]
    fn blocks_nest_and_regular_expressions_stay_whole() {
        let text = "# top\nserver {\n  listen [::]:80 default_server;\n  location ~* \\.(js|css)$ {\n    \
            add_header Cache-Control \"public, immutable\";\n  }\n  set $x ${host}a;\n}\n";
        let tree = parse(&whole(text));
        assert_eq!(tree.errors, []);
        let server = &tree.directives[0];
        assert_eq!(server.all("listen").next().unwrap().argument(0), Some("[::]:80"));
        let location = server.all("location").next().unwrap();
        assert_eq!(location.argument(1), Some("\\.(js|css)$"));
        let header = &location.children()[0];
        assert_eq!(header.argument(1), Some("public, immutable"));
        assert!(text[header.place.span.range()].ends_with(';'));
        assert_eq!(server.all("set").next().unwrap().argument(1), Some("${host}a"));
        let mut depths = Vec::new();
        tree.walk(&mut |around, one| depths.push((around.len(), one.name.value.clone())));
        assert_eq!(depths[3], (2, "add_header".to_owned()));
    }

    #[test]
    fn mistakes_are_reported_and_reading_goes_on() {
        let tree = parse(&whole("} server { listen 80 }\nworker 1;\nx {"));
        assert_eq!(tree.errors.len(), 3, "{:?}", tree.errors);
        assert_eq!(tree.directives.len(), 3);
        assert!(parse(&whole(&"a{".repeat(100_000))).errors.len() > 10);
    }

    proptest! {
        #[test]
        fn any_text_gives_directives_inside_it(text in "([ -~é\t\n]|\\{|\\}|;|\"|\\$\\{){0,60}") {
            parse(&whole(&text)).walk(&mut |_, one| assert!(text.get(one.place.span.range()).is_some()));
        }
    }
}
