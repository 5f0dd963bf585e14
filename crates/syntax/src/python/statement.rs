//! Statements and blocks.

use super::ast::{Expr, ExprKind, Imported, Parameter, Statement, StatementKind};
use super::lexer::Kind;
use super::parse::Parser;
use crate::scan::text_of;

impl<'a> Parser<'a, '_> {
    /// Statements whose first token stands at this column or further right.
    pub(super) fn block(&mut self, column: usize) -> Vec<Statement<'a>> {
        let mut out = Vec::new();
        loop {
            while self.next.kind == Kind::Newline {
                self.take();
            }
            if self.next.kind == Kind::End || self.lexer.column(self.next) < column {
                return out;
            }
            let before = self.next.start;
            self.statement(&mut out);
            if self.next.start == before {
                self.take();
            }
        }
    }

    /// One statement with its decorators, or several separated by `;`.
    fn statement(&mut self, out: &mut Vec<Statement<'a>>) {
        let mut decorators = Vec::new();
        while self.is_operator("@") {
            self.take();
            decorators.push(self.expression());
            self.skip_line();
            while self.next.kind == Kind::Newline {
                self.take();
            }
        }
        let column = self.lexer.column(self.next);
        loop {
            let start = self.next.start;
            let kind = self.one(column, std::mem::take(&mut decorators));
            let compound = matches!(
                kind,
                StatementKind::Function { .. } | StatementKind::Class { .. } | StatementKind::Block { .. }
            );
            let place = if compound { self.head_place(start) } else { self.place(start) };
            out.push(Statement { kind, place });
            if compound {
                return;
            }
            if !self.eat(";") {
                break;
            }
            if matches!(self.next.kind, Kind::Newline | Kind::End) {
                break;
            }
        }
        if !matches!(self.next.kind, Kind::Newline | Kind::End) {
            self.skip_line();
        }
        self.lexer.reset_brackets();
    }

    /// The first line from a byte on.
    fn head_place(&self, start: usize) -> plimsoll_text::Place {
        let rest = text_of(self.text(), start..self.text().len());
        let line = rest.split('\n').next().unwrap_or_default().trim_end();
        self.layer.place(start..start + line.len())
    }

    fn one(&mut self, column: usize, decorators: Vec<Expr<'a>>) -> StatementKind<'a> {
        let word = if self.next.kind == Kind::Name { self.peek() } else { "" };
        match word {
            "import" => self.import(),
            "from" => self.import_from(),
            "async" => {
                self.take();
                self.one(column, decorators)
            }
            "def" => self.function(column, decorators),
            "class" => self.class(column, decorators),
            "return" => StatementKind::Return(self.after_keyword()),
            "raise" => {
                let value = self.after_keyword();
                self.skip_line();
                StatementKind::Raise(value)
            }
            "if" | "elif" | "else" | "for" | "while" | "with" | "try" | "except" | "finally" => {
                self.take();
                let header = self.header();
                let body = self.suite(column);
                StatementKind::Block { keyword: word, header, body }
            }
            "pass" | "break" | "continue" | "global" | "nonlocal" | "del" | "assert" => {
                self.take();
                let header = self.header();
                StatementKind::Other(word, header)
            }
            _ => self.simple(word, column),
        }
    }

    fn after_keyword(&mut self) -> Option<Expr<'a>> {
        self.take();
        let bare = matches!(self.next.kind, Kind::Newline | Kind::End) || self.is_operator(";");
        (!bare).then(|| self.expression_list())
    }

    /// Expressions up to the colon that opens a body, words such as `in` and `as` passed over.
    fn header(&mut self) -> Vec<Expr<'a>> {
        let mut out = Vec::new();
        loop {
            if matches!(self.next.kind, Kind::Newline | Kind::End)
                || self.is_operator(":")
                || self.is_operator(";")
            {
                return out;
            }
            let before = self.next.start;
            if ["in", "as", "if"].iter().any(|word| self.is_keyword(word)) || self.is_operator(",") {
                self.take();
                continue;
            }
            out.push(self.expression());
            if self.next.start == before {
                self.take();
            }
        }
    }

    /// The body behind a colon: on the same line or indented below.
    fn suite(&mut self, column: usize) -> Vec<Statement<'a>> {
        if !self.eat(":") {
            self.skip_line();
        }
        let mut out = Vec::new();
        if !matches!(self.next.kind, Kind::Newline | Kind::End) {
            if !self.too_deep() {
                self.depth += 1;
                self.statement(&mut out);
                self.depth -= 1;
            }
            return out;
        }
        while self.next.kind == Kind::Newline {
            self.take();
        }
        let inner = self.lexer.column(self.next);
        if self.next.kind == Kind::End || inner <= column {
            return out;
        }
        if self.too_deep() {
            while self.next.kind != Kind::End
                && (self.next.kind == Kind::Newline || self.lexer.column(self.next) >= inner)
            {
                self.skip_line();
                while self.next.kind == Kind::Newline {
                    self.take();
                }
            }
            return out;
        }
        self.depth += 1;
        let body = self.block(inner);
        self.depth -= 1;
        body
    }

    /// An assignment, an expression, or a block of `match` and `case`.
    fn simple(&mut self, word: &'a str, column: usize) -> StatementKind<'a> {
        let first = self.expression_list();
        if matches!(word, "match" | "case") && !matches!(self.next.kind, Kind::Newline | Kind::End) {
            let name_only = matches!(first.kind, ExprKind::Name(name) if name == word);
            if name_only && !self.is_operator("=") && !self.is_operator(":") {
                let header = self.header();
                let body = self.suite(column);
                return StatementKind::Block { keyword: word, header, body };
            }
        }
        if self.eat(":") {
            let annotation = self.expression();
            let value = self.eat("=").then(|| self.expression_list());
            return StatementKind::Assign {
                targets: vec![first],
                annotation: Some(annotation),
                value,
                augmented: false,
            };
        }
        let operator = self.peek();
        let augmented = self.next.kind == Kind::Operator
            && operator.len() > 1
            && operator.ends_with('=')
            && !matches!(operator, "==" | "!=" | "<=" | ">=" | ":=");
        if augmented {
            self.take();
            let value = Some(self.expression_list());
            return StatementKind::Assign { targets: vec![first], annotation: None, value, augmented };
        }
        if !self.is_operator("=") {
            return StatementKind::Expression(first);
        }
        let mut targets = vec![first];
        while self.eat("=") {
            targets.push(self.expression_list());
        }
        let value = targets.pop();
        StatementKind::Assign { targets, annotation: None, value, augmented: false }
    }

    fn class(&mut self, column: usize, decorators: Vec<Expr<'a>>) -> StatementKind<'a> {
        self.take();
        let name = self.name().unwrap_or_default();
        if self.is_operator("[") {
            // Type parameters.
            let _ = self.expression();
        }
        let bases = if self.eat("(") { self.arguments() } else { Vec::new() };
        let body = self.suite(column);
        StatementKind::Class { name, decorators, bases, body }
    }

    fn function(&mut self, column: usize, decorators: Vec<Expr<'a>>) -> StatementKind<'a> {
        self.take();
        let name = self.name().unwrap_or_default();
        if self.is_operator("[") {
            let _ = self.expression();
        }
        let mut parameters = Vec::new();
        if self.eat("(") {
            loop {
                if self.eat(")") || self.next.kind == Kind::End {
                    break;
                }
                let before = self.next.start;
                if self.is_operator("*")
                    || self.is_operator("**")
                    || self.is_operator(",")
                    || self.is_operator("/")
                {
                    self.take();
                    continue;
                }
                if let Some(name) = self.name() {
                    let annotation = self.eat(":").then(|| self.expression());
                    let default = self.eat("=").then(|| self.expression());
                    parameters.push(Parameter { name, annotation, default });
                }
                if self.next.start == before {
                    self.take();
                }
            }
        }
        if self.eat("->") {
            let _ = self.expression();
        }
        let body = self.suite(column);
        StatementKind::Function { name, decorators, parameters, body }
    }

    /// `a.b.c` as written, leading dots included.
    fn module_path(&mut self) -> (&'a str, plimsoll_text::Place) {
        let start = self.next.start;
        let mut end = start;
        loop {
            let dot = self.is_operator(".");
            let name = self.next.kind == Kind::Name && !matches!(self.peek(), "import" | "as");
            if !dot && !name {
                break;
            }
            end = self.next.end;
            self.take();
            if name && !self.is_operator(".") {
                break;
            }
        }
        (text_of(self.text(), start..end), self.layer.place(start..end))
    }

    fn import(&mut self) -> StatementKind<'a> {
        self.take();
        let mut out = Vec::new();
        loop {
            let (module, place) = self.module_path();
            let alias = if self.eat_keyword("as") { self.name() } else { None };
            out.push(Imported { module, name: None, alias, place });
            if !self.eat(",") {
                return StatementKind::Import(out);
            }
        }
    }

    fn import_from(&mut self) -> StatementKind<'a> {
        self.take();
        let (module, _) = self.module_path();
        let mut out = Vec::new();
        if !self.eat_keyword("import") {
            return StatementKind::Import(out);
        }
        self.eat("(");
        loop {
            let start = self.next.start;
            let name = match self.name() {
                Some(name) => name,
                None if self.eat("*") => "*",
                None => break,
            };
            let place = self.place(start);
            let alias = if self.eat_keyword("as") { self.name() } else { None };
            out.push(Imported { module, name: Some(name), alias, place });
            if !self.eat(",") {
                break;
            }
        }
        self.eat(")");
        StatementKind::Import(out)
    }
}
