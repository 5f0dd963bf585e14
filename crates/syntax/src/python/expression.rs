//! Expressions.

use super::ast::{Argument, Expr, ExprKind, Str};
use super::lexer::Kind;
use super::parse::Parser;
use super::string;

/// Binding strength of a binary operator.
fn strength(operator: &str) -> Option<u8> {
    Some(match operator {
        "or" => 2,
        "and" => 3,
        "in" | "not" | "is" | "<" | ">" | "==" | ">=" | "<=" | "!=" => 5,
        "|" => 6,
        "^" => 7,
        "&" => 8,
        "<<" | ">>" => 9,
        "+" | "-" => 10,
        "*" | "/" | "//" | "%" | "@" => 11,
        "**" => 13,
        _ => return None,
    })
}

impl<'a> Parser<'a, '_> {
    /// `a, b` as a tuple, one expression as itself.
    pub(super) fn expression_list(&mut self) -> Expr<'a> {
        let start = self.next.start;
        let first = self.starred();
        if !self.is_operator(",") {
            return first;
        }
        let mut items = vec![first];
        while self.eat(",") {
            if !self.starts_expression() {
                break;
            }
            items.push(self.starred());
        }
        Expr { kind: ExprKind::Tuple(items), place: self.place(start) }
    }

    fn starts_expression(&self) -> bool {
        match self.next.kind {
            Kind::Number | Kind::String => true,
            Kind::Name => !matches!(self.peek(), "for" | "if" | "else" | "in" | "as" | "and" | "or" | "is"),
            Kind::Operator => matches!(self.peek(), "(" | "[" | "{" | "-" | "+" | "~" | "*" | "**" | "."),
            Kind::Newline | Kind::End => false,
        }
    }

    fn starred(&mut self) -> Expr<'a> {
        if self.is_operator("*") || self.is_operator("**") {
            self.take();
        }
        self.expression()
    }

    /// One expression, with conditions, `lambda` and `:=`.
    pub(super) fn expression(&mut self) -> Expr<'a> {
        let start = self.next.start;
        if self.too_deep() {
            self.skip_nested();
            return Expr { kind: ExprKind::Other(Vec::new()), place: self.place(start) };
        }
        self.depth += 1;
        let value = self.conditional();
        self.depth -= 1;
        value
    }

    fn conditional(&mut self) -> Expr<'a> {
        let start = self.next.start;
        if self.eat_keyword("lambda") {
            while !self.is_operator(":") && self.starts_parameter() {
                self.take();
            }
            self.eat(":");
            let body = self.expression();
            return Expr { kind: ExprKind::Other(vec![body]), place: self.place(start) };
        }
        let value = self.binary(0);
        if self.is_keyword("if") {
            let operator = self.peek();
            self.take();
            let condition = self.binary(0);
            let mut operands = vec![value, condition];
            if self.eat_keyword("else") {
                operands.push(self.expression());
            }
            return Expr { kind: ExprKind::Operation(operator, operands), place: self.place(start) };
        }
        if self.eat(":=") {
            let assigned = self.expression();
            return Expr { kind: ExprKind::Other(vec![value, assigned]), place: self.place(start) };
        }
        value
    }

    fn starts_parameter(&self) -> bool {
        !matches!(self.next.kind, Kind::Newline | Kind::End) && !self.is_operator(")")
    }

    fn binary(&mut self, least: u8) -> Expr<'a> {
        let start = self.next.start;
        let mut left = self.unary();
        loop {
            let operator = self.peek();
            let Some(own) =
                strength(operator).filter(|_| matches!(self.next.kind, Kind::Name | Kind::Operator))
            else {
                return left;
            };
            if own <= least {
                return left;
            }
            self.take();
            // `not in` and `is not`.
            if matches!(operator, "not" | "is") && (self.is_keyword("in") || self.is_keyword("not")) {
                self.take();
            }
            let right = self.binary(own);
            let operands = match left.kind {
                ExprKind::Operation(same, mut operands) if same == operator && operands.len() > 1 => {
                    operands.push(right);
                    operands
                }
                kind => vec![Expr { kind, place: left.place }, right],
            };
            left = Expr { kind: ExprKind::Operation(operator, operands), place: self.place(start) };
        }
    }

    fn unary(&mut self) -> Expr<'a> {
        let start = self.next.start;
        let operator = self.peek();
        let is_unary = match self.next.kind {
            Kind::Name => matches!(operator, "not" | "await" | "yield"),
            Kind::Operator => matches!(operator, "-" | "+" | "~"),
            _ => false,
        };
        if !is_unary {
            return self.postfix();
        }
        self.take();
        if operator == "yield" {
            self.eat_keyword("from");
        }
        if !self.starts_expression() && !self.is_keyword("not") || self.too_deep() {
            return Expr { kind: ExprKind::Operation(operator, Vec::new()), place: self.place(start) };
        }
        self.depth += 1;
        let operand = if operator == "not" { self.binary(4) } else { self.unary() };
        self.depth -= 1;
        Expr { kind: ExprKind::Operation(operator, vec![operand]), place: self.place(start) }
    }

    fn postfix(&mut self) -> Expr<'a> {
        let start = self.next.start;
        let mut value = self.atom();
        loop {
            if self.next.kind != Kind::Operator {
                return value;
            }
            let kind = match self.peek() {
                "." => {
                    self.take();
                    let Some(name) = self.name() else { return value };
                    ExprKind::Attribute(Box::new(value), name)
                }
                "(" => {
                    self.take();
                    ExprKind::Call(Box::new(value), self.arguments())
                }
                "[" => {
                    let index_start = self.next.start;
                    self.take();
                    let mut items = self.items("]");
                    let index = match (items.pop(), items.is_empty()) {
                        (Some(only), true) => only,
                        (last, _) => {
                            let items = items.into_iter().chain(last).collect();
                            Expr { kind: ExprKind::Tuple(items), place: self.place(index_start) }
                        }
                    };
                    ExprKind::Subscript(Box::new(value), Box::new(index))
                }
                _ => return value,
            };
            value = Expr { kind, place: self.place(start) };
        }
    }

    fn atom(&mut self) -> Expr<'a> {
        let start = self.next.start;
        let kind = match self.next.kind {
            Kind::Name => {
                let name = self.peek();
                self.take();
                ExprKind::Name(name)
            }
            Kind::Number => {
                let number = self.peek();
                self.take();
                ExprKind::Number(number)
            }
            Kind::String => self.strings(),
            Kind::Newline | Kind::End => ExprKind::Other(Vec::new()),
            Kind::Operator => match self.peek() {
                "(" => {
                    self.take();
                    return self.parenthesised(start);
                }
                "[" => {
                    self.take();
                    ExprKind::List(self.items("]"))
                }
                "{" => {
                    self.take();
                    self.braces()
                }
                ")" | "]" | "}" | "," | ":" | "=" => ExprKind::Other(Vec::new()),
                _ => {
                    self.take();
                    ExprKind::Other(Vec::new())
                }
            },
        };
        Expr { kind, place: self.place(start) }
    }

    fn strings(&mut self) -> ExprKind<'a> {
        let mut parts = Vec::new();
        while self.next.kind == Kind::String {
            let range = self.next.start..self.next.end;
            string::parts(self, range, &mut parts);
            self.take();
        }
        ExprKind::String(Str { parts })
    }

    fn parenthesised(&mut self, start: usize) -> Expr<'a> {
        let mut items = self.items(")");
        // A comma before the parenthesis makes one item a tuple; that is of no interest here.
        match (items.pop(), items.is_empty()) {
            (Some(only), true) => Expr { kind: only.kind, place: self.place(start) },
            (last, _) => {
                let items = items.into_iter().chain(last).collect();
                Expr { kind: ExprKind::Tuple(items), place: self.place(start) }
            }
        }
    }

    /// Items up to a closing bracket, which is taken. Comprehensions give one item with everything in it.
    fn items(&mut self, close: &str) -> Vec<Expr<'a>> {
        let mut out = Vec::new();
        loop {
            if self.eat(close) || self.next.kind == Kind::End {
                return out;
            }
            if self.is_operator(")") || self.is_operator("]") || self.is_operator("}") {
                return out;
            }
            let before = self.next.start;
            if self.eat(",") {
                continue;
            }
            let item = self.starred();
            let item = self.clauses(item, before);
            out.push(item);
            if self.next.start == before {
                self.take();
            }
        }
    }

    /// `for … in … if …` behind an item, and the parts of a slice.
    fn clauses(&mut self, item: Expr<'a>, start: usize) -> Expr<'a> {
        let mut parts = vec![item];
        loop {
            if self.eat_keyword("async") {
                continue;
            }
            if self.eat_keyword("for") {
                // The targets stop before `in`, which binds like a comparison.
                loop {
                    parts.push(self.operand(5));
                    if !self.eat(",") || !self.starts_expression() {
                        break;
                    }
                }
            } else if self.eat_keyword("in") || self.eat_keyword("if") {
                parts.push(self.operand(0));
            } else if self.eat(":") || self.eat("=") {
                if self.starts_expression() {
                    parts.push(self.expression());
                }
            } else {
                break;
            }
        }
        match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                let parts = parts.into_iter().chain(last).collect();
                Expr { kind: ExprKind::Other(parts), place: self.place(start) }
            }
        }
    }

    fn operand(&mut self, least: u8) -> Expr<'a> {
        if self.too_deep() { self.atom() } else { self.binary(least) }
    }

    fn braces(&mut self) -> ExprKind<'a> {
        let mut entries = Vec::new();
        let mut is_dict = false;
        loop {
            if self.eat("}") || self.next.kind == Kind::End {
                break;
            }
            if self.is_operator(")") || self.is_operator("]") {
                break;
            }
            let before = self.next.start;
            if self.eat(",") {
                continue;
            }
            if self.eat("**") {
                is_dict = true;
                let value = self.expression();
                entries.push((None, value));
                continue;
            }
            let key = self.starred();
            if self.eat(":") {
                is_dict = true;
                let value_start = self.next.start;
                let value = self.expression();
                let value = self.clauses(value, value_start);
                entries.push((Some(key), value));
            } else {
                let key = self.clauses(key, before);
                entries.push((None, key));
            }
            if self.next.start == before {
                self.take();
            }
        }
        if is_dict || entries.is_empty() {
            ExprKind::Dict(entries)
        } else {
            ExprKind::Set(entries.into_iter().map(|(_, value)| value).collect())
        }
    }

    /// Arguments up to the closing parenthesis, which is taken.
    pub(super) fn arguments(&mut self) -> Vec<Argument<'a>> {
        let mut out = Vec::new();
        loop {
            if self.eat(")") || self.next.kind == Kind::End {
                return out;
            }
            if self.is_operator("]") || self.is_operator("}") {
                return out;
            }
            let before = self.next.start;
            if self.eat(",") {
                continue;
            }
            let star = self.peek();
            if self.is_operator("*") || self.is_operator("**") {
                self.take();
                let value = self.expression();
                out.push(Argument { name: Some(star), value });
                continue;
            }
            let value = self.expression();
            let argument = match (&value.kind, self.is_operator("=")) {
                (ExprKind::Name(name), true) => {
                    let name = *name;
                    self.take();
                    Argument { name: Some(name), value: self.expression() }
                }
                _ => Argument { name: None, value: self.clauses(value, before) },
            };
            out.push(argument);
            if self.next.start == before {
                self.take();
            }
        }
    }

    /// Passes over what is nested too deep.
    fn skip_nested(&mut self) {
        let mut depth = 0usize;
        loop {
            match self.next.kind {
                Kind::Newline | Kind::End => return,
                Kind::Operator => match self.peek() {
                    "(" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" if depth == 0 => return,
                    ")" | "]" | "}" => depth -= 1,
                    "," if depth == 0 => return,
                    _ => {}
                },
                _ => {}
            }
            self.take();
        }
    }
}
