//! Words, assignments, redirects and tests of the parser's statements.

use std::ops::Range;
use std::sync::Arc;

use shuck_ast as ast;

use super::build::WordBuilder;
use super::lower::cover;
use super::word::{Known, KnownKind, Mode, Reader};
use super::{Assignment, Heredoc, Redirect, RedirectKind, SimpleCommand, Word};

impl Reader<'_> {
    pub(super) fn shell_word(&mut self, word: &ast::Word) -> Word {
        let range = self.range(word.span);
        let known = self.known(&word.parts);
        self.word(range, Mode::Bare, &known)
    }

    pub(super) fn word_list(&mut self, words: &[ast::Word]) -> Vec<Arc<Word>> {
        words.iter().map(|word| self.shell_word(word).into()).collect()
    }

    /// Adds words to a command; returns what they cover.
    pub(super) fn words(&mut self, words: &[&ast::Word], command: &mut SimpleCommand) -> Range<usize> {
        let mut covered = 0..0;
        for word in words {
            let range = self.range(word.span);
            if !range.is_empty() {
                command.words.push(self.shell_word(word).into());
                cover(&mut covered, range);
            }
        }
        covered
    }

    /// Adds assignments to a command; returns what they cover.
    pub(super) fn assignments(
        &mut self,
        assignments: &[ast::Assignment],
        command: &mut SimpleCommand,
    ) -> Range<usize> {
        let mut covered = 0..0;
        for assignment in assignments {
            let name = self.range(assignment.target.name_span);
            let mut whole = self.range(assignment.span);
            let (value, elements) = match &assignment.value {
                ast::AssignmentValue::Scalar(word) => {
                    let range = self.range(word.span);
                    let inside = range.start > name.end && range.end <= whole.end && !range.is_empty();
                    let known = self.known(&word.parts);
                    let range = if inside { range } else { whole.end..whole.end };
                    (self.word(range, Mode::Bare, &known), None)
                }
                ast::AssignmentValue::Compound(array) => {
                    let mut range = self.range(array.span);
                    // Where the closing parenthesis is missing, the parser ends the array before its elements.
                    for element in &array.elements {
                        range.end = range.end.max(self.range(element.value().word.span).end);
                    }
                    whole.end = whole.end.max(range.end);
                    let value = Word {
                        span: self.layer.span(range.clone()),
                        parts: Vec::new(),
                        decoded: self.layer.slice(range),
                        outer: Vec::new(),
                    };
                    let elements =
                        array.elements.iter().map(|element| self.shell_word(&element.value().word).into());
                    (value, Some(elements.collect()))
                }
            };
            command.assignments.push(Assignment {
                name: self.slice(&name).to_owned(),
                name_span: self.layer.span(name),
                append: assignment.append,
                value: value.into(),
                elements,
                span: self.layer.span(whole.clone()),
            });
            cover(&mut covered, whole);
        }
        covered
    }

    /// The redirects of a statement; widens what it covers and how far it reaches.
    pub(super) fn redirects(
        &mut self,
        redirects: &[ast::Redirect],
        covered: &mut Range<usize>,
        reach: &mut usize,
    ) -> Vec<Redirect> {
        let mut lowered = Vec::with_capacity(redirects.len());
        for redirect in redirects {
            let mut range = self.range(redirect.span);
            let written = self.slice(&range);
            // The parser reads `&>>f` as `>>f` and a `2>&1` in the same place.
            let both = written.starts_with("&>>");
            if both && redirect.kind == ast::RedirectKind::DupOutput {
                continue;
            }
            if let Some(name) = redirect.fd_var_span {
                range.start = self.range(name).start.saturating_sub(1);
            }
            let digits = written.bytes().take_while(u8::is_ascii_digit).count();
            let fd = written.get(..digits).and_then(|digits| digits.parse().ok());
            let kind = match &redirect.target {
                ast::RedirectTarget::Heredoc(heredoc) => {
                    RedirectKind::Heredoc(self.heredoc(heredoc, reach).into())
                }
                ast::RedirectTarget::Word(word) => {
                    let target = self.target(redirect, word, &range);
                    match redirect.kind {
                        ast::RedirectKind::Append if both => RedirectKind::WriteBoth { target, append: true },
                        ast::RedirectKind::Append => RedirectKind::Append(target),
                        ast::RedirectKind::Output | ast::RedirectKind::Clobber => RedirectKind::Write(target),
                        ast::RedirectKind::Input => RedirectKind::Read(target),
                        ast::RedirectKind::HereString => RedirectKind::HereString(target),
                        ast::RedirectKind::OutputBoth => RedirectKind::WriteBoth { target, append: false },
                        ast::RedirectKind::DupOutput if fd.is_none() && names_a_file(&target) => {
                            RedirectKind::WriteBoth { target, append: false }
                        }
                        ast::RedirectKind::DupOutput | ast::RedirectKind::DupInput => {
                            RedirectKind::Duplicate(target)
                        }
                        _ => RedirectKind::Other(target),
                    }
                }
            };
            cover(covered, range.clone());
            lowered.push(Redirect { fd, kind, span: self.layer.span(range) });
        }
        lowered
    }

    /// The word after the operator; the parser gives the `1` of `2>&1` no place of its own.
    fn target(&mut self, redirect: &ast::Redirect, word: &ast::Word, range: &Range<usize>) -> Word {
        let target = self.range(word.span);
        if !target.is_empty() && target.end <= range.end && target.start >= range.start {
            return self.shell_word(word);
        }
        let written = self.slice(range);
        let operator = match redirect.kind {
            ast::RedirectKind::DupOutput | ast::RedirectKind::DupInput => written.find('&'),
            _ => written.rfind(['<', '>']),
        };
        let start = range.start + operator.map_or(0, |operator| operator + 1);
        self.word(start..range.end.max(start), Mode::Bare, &[])
    }

    fn heredoc(&mut self, heredoc: &ast::Heredoc, reach: &mut usize) -> Heredoc {
        let range = self.range(heredoc.body.span);
        let strip = heredoc.delimiter.strip_tabs;
        // The parser takes the delimiter of a second heredoc of the same line for quoted.
        let quoted = self.slice(&self.range(heredoc.delimiter.span)).contains(['\'', '"', '\\']);
        let mode = if quoted { Mode::Fixed { strip } } else { Mode::Heredoc { strip } };
        let mut known = Vec::new();
        for part in &heredoc.body.parts {
            match &part.kind {
                ast::HeredocBodyPart::CommandSubstitution { body, .. } => {
                    self.note(part.span, KnownKind::Commands(body), &mut known);
                }
                ast::HeredocBodyPart::ArithmeticExpansion { .. } => {
                    self.note(part.span, KnownKind::Arithmetic, &mut known);
                }
                ast::HeredocBodyPart::Parameter(parameter) => {
                    self.note_parameter(parameter, part.span, &mut known);
                }
                _ => {}
            }
        }
        known.sort_by_key(|known| known.range.start);
        let mut builder = WordBuilder::default();
        self.parts(range.clone(), mode, None, &known, &mut builder);
        let (parts, body, outer) = builder.finish(self.layer, range.start);
        let delimiter = self.text.get(range.end..).and_then(|rest| rest.find('\n')).unwrap_or(0);
        *reach = (*reach).max(range.end + delimiter);
        Heredoc { delimiter: heredoc.delimiter.cooked.to_string(), quoted, body, parts, outer }
    }

    /// Operands, operators and parentheses of `[[ … ]]` in source order.
    pub(super) fn test(&mut self, expression: &ast::ConditionalExpr) -> Vec<Word> {
        enum Step<'s> {
            Expression(&'s ast::ConditionalExpr),
            Operator(ast::Span),
        }
        let mut words = Vec::new();
        let mut steps = vec![Step::Expression(expression)];
        while let Some(step) = steps.pop() {
            let expression = match step {
                Step::Expression(expression) => expression,
                Step::Operator(span) => {
                    let range = self.range(span);
                    words.push(self.word(range, Mode::Bare, &[]));
                    continue;
                }
            };
            match expression {
                ast::ConditionalExpr::Binary(binary) => {
                    steps.push(Step::Expression(&binary.right));
                    steps.push(Step::Operator(binary.op_span));
                    steps.push(Step::Expression(&binary.left));
                }
                ast::ConditionalExpr::Unary(unary) => {
                    steps.push(Step::Expression(&unary.expr));
                    steps.push(Step::Operator(unary.op_span));
                }
                ast::ConditionalExpr::Parenthesized(group) => {
                    steps.push(Step::Operator(group.right_paren_span));
                    steps.push(Step::Expression(&group.expr));
                    steps.push(Step::Operator(group.left_paren_span));
                }
                ast::ConditionalExpr::Word(word) | ast::ConditionalExpr::Regex(word) => {
                    words.push(self.shell_word(word));
                }
                ast::ConditionalExpr::Pattern(_) | ast::ConditionalExpr::VarRef(_) => {
                    steps.push(Step::Operator(expression.span()));
                }
            }
        }
        words
    }

    /// The expansions among the parts of a word whose borders can be trusted, in order.
    fn known<'s>(&self, parts: &'s [ast::WordPartNode]) -> Vec<Known<'s>> {
        let mut known = Vec::new();
        self.note_parts(parts, &mut known);
        known.sort_by_key(|known| known.range.start);
        known
    }

    fn note_parts<'s>(&self, parts: &'s [ast::WordPartNode], known: &mut Vec<Known<'s>>) {
        for part in parts {
            match &part.kind {
                ast::WordPart::DoubleQuoted { parts, .. } => self.note_parts(parts, known),
                ast::WordPart::CommandSubstitution { body, .. }
                | ast::WordPart::ProcessSubstitution { body, .. } => {
                    self.note(part.span, KnownKind::Commands(body), known);
                }
                ast::WordPart::ArithmeticExpansion { .. } => {
                    self.note(part.span, KnownKind::Arithmetic, known);
                }
                ast::WordPart::Parameter(parameter) => self.note_parameter(parameter, part.span, known),
                ast::WordPart::ParameterExpansion { operand_word_ast, .. }
                | ast::WordPart::IndirectExpansion { operand_word_ast, .. } => {
                    self.note(part.span, KnownKind::Parameter, known);
                    if let Some(word) = operand_word_ast {
                        self.note_parts(&word.parts, known);
                    }
                }
                ast::WordPart::Literal(_)
                | ast::WordPart::SingleQuoted { .. }
                | ast::WordPart::Variable(_) => {}
                _ => self.note(part.span, KnownKind::Parameter, known),
            }
        }
    }

    fn note_parameter<'s>(
        &self,
        parameter: &'s ast::ParameterExpansion,
        span: ast::Span,
        known: &mut Vec<Known<'s>>,
    ) {
        self.note(span, KnownKind::Parameter, known);
        if let Some(word) = parameter.bourne().and_then(|syntax| syntax.operand_word_ast()) {
            self.note_parts(&word.parts, known);
        }
    }

    /// Notes an expansion if the text has its brackets where the parser says.
    fn note<'s>(&self, span: ast::Span, kind: KnownKind<'s>, known: &mut Vec<Known<'s>>) {
        let range = span.start.offset()..span.end.offset();
        let Some(written) = self.text.get(range.clone()) else { return };
        let brackets: &[(&str, &str)] = match kind {
            KnownKind::Commands(_) => &[("$(", ")"), ("<(", ")"), (">(", ")"), ("`", "`")],
            KnownKind::Arithmetic => &[("$((", "))"), ("$[", "]")],
            KnownKind::Parameter => &[("${", "}")],
        };
        let fits = |(open, close): &(&str, &str)| {
            written.len() >= open.len() + close.len() && written.starts_with(open) && written.ends_with(close)
        };
        if brackets.iter().any(fits) {
            known.push(Known { range, kind });
        }
    }
}

/// Whether `>&word` writes to a file rather than to another descriptor.
fn names_a_file(target: &Word) -> bool {
    target.literal().is_some_and(|text| {
        !text.is_empty() && !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    })
}
