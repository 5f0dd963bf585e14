//! The parser's state and its small tools.

use std::ops::Range;

use plimsoll_text::{Layer, Place, SyntaxError};

use super::ast::{Expr, ExprKind, Module};
use super::lexer::{Kind, Lexer, Token};
use crate::scan::text_of;

/// What is nested deeper than this is passed over.
const MAX_DEPTH: usize = 64;

/// Reads a source file. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Module<'_> {
    let mut parser = Parser::new(layer, Lexer::new(layer.text()));
    let body = parser.block(0);
    let errors = parser
        .lexer
        .unclosed
        .iter()
        .map(|start| SyntaxError {
            place: layer.place(*start..*start + 1),
            message: "string without an end".to_owned(),
        })
        .collect();
    Module { body, errors }
}

/// Reads tokens with one token of lookahead. `'a` is the text, `'l` the layer.
pub(super) struct Parser<'a, 'l> {
    pub(super) layer: &'l Layer,
    pub(super) lexer: Lexer<'a>,
    pub(super) next: Token,
    /// The end of the last token taken.
    pub(super) last_end: usize,
    pub(super) depth: usize,
}

impl<'a> Parser<'a, 'a> {
    fn new(layer: &'a Layer, lexer: Lexer<'a>) -> Self {
        Self::with(layer, lexer, 0)
    }

    fn with(layer: &'a Layer, mut lexer: Lexer<'a>, depth: usize) -> Self {
        let next = lexer.token();
        Self { layer, lexer, next, last_end: 0, depth }
    }
}

impl<'a, 'l> Parser<'a, 'l> {
    pub(super) fn text(&self) -> &'a str {
        self.lexer.text
    }

    /// The expression of an interpolation.
    pub(super) fn inner(&self, range: Range<usize>) -> Expr<'a> {
        if self.depth >= MAX_DEPTH {
            return Expr { kind: ExprKind::Other(Vec::new()), place: self.layer.place(range) };
        }
        let mut lexer = Lexer::within(self.text(), range.start, range.end);
        let next = lexer.token();
        let mut inner: Parser<'a, 'l> =
            Parser { layer: self.layer, lexer, next, last_end: range.start, depth: self.depth + 1 };
        inner.expression_list()
    }

    pub(super) fn too_deep(&self) -> bool {
        self.depth >= MAX_DEPTH
    }

    /// The text of the next token.
    pub(super) fn peek(&self) -> &'a str {
        text_of(self.lexer.text, self.next.start..self.next.end)
    }

    pub(super) fn is_operator(&self, text: &str) -> bool {
        self.next.kind == Kind::Operator && self.peek() == text
    }

    pub(super) fn is_keyword(&self, text: &str) -> bool {
        self.next.kind == Kind::Name && self.peek() == text
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Token {
        let token = self.next;
        self.last_end = token.end;
        self.next = self.lexer.token();
        token
    }

    /// Takes an operator when it is next.
    pub(super) fn eat(&mut self, operator: &str) -> bool {
        let found = self.is_operator(operator);
        if found {
            self.take();
        }
        found
    }

    /// Takes a keyword when it is next.
    pub(super) fn eat_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        if found {
            self.take();
        }
        found
    }

    /// Takes a name when one is next.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        if self.next.kind != Kind::Name {
            return None;
        }
        let name = self.peek();
        self.take();
        Some(name)
    }

    pub(super) fn place(&self, start: usize) -> Place {
        self.layer.place(start..self.last_end.max(start))
    }

    /// Takes everything up to the end of the logical line.
    pub(super) fn skip_line(&mut self) {
        while !matches!(self.next.kind, Kind::Newline | Kind::End) {
            self.take();
        }
    }
}
