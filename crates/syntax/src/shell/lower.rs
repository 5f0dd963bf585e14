//! From the parser's statements to ours.

use std::ops::Range;

use shuck_ast as ast;

use super::scan::{opening, skip_separators};
use super::word::{Mode, Reader};
use super::{CaseArm, Comment, SimpleCommand, Stmt, StmtKind};

/// A statement, where it stands in the text, and where everything that belongs to it (heredoc bodies too) ends.
pub(super) struct Lowered {
    stmt: Stmt,
    range: Range<usize>,
    reach: usize,
}

/// What is known of a statement before its redirects are.
struct Shape {
    kind: StmtKind,
    range: Range<usize>,
    reach: usize,
}

impl Shape {
    fn new(kind: StmtKind, range: Range<usize>) -> Self {
        let reach = range.end;
        Self { kind, range, reach }
    }
}

impl Reader<'_> {
    /// The statements of a sequence, and where the last one and what belongs to it ends.
    pub(super) fn sequence(&mut self, sequence: &ast::StmtSeq) -> (Vec<Stmt>, usize) {
        self.comment_all(&sequence.leading_comments);
        self.comment_all(&sequence.trailing_comments);
        let mut reach = 0;
        let mut stmts = Vec::with_capacity(sequence.stmts.len());
        for stmt in &sequence.stmts {
            let lowered = self.statement(stmt);
            reach = reach.max(lowered.reach);
            stmts.push(lowered.stmt);
        }
        (stmts, reach)
    }

    fn statement(&mut self, stmt: &ast::Stmt) -> Lowered {
        self.comment_all(&stmt.leading_comments);
        self.comment_all(stmt.inline_comment.as_slice());
        if !self.enter(self.range(stmt.span)) {
            let range = self.trimmed(stmt.span);
            let span = self.layer.span(range.clone());
            let kind = StmtKind::Simple(SimpleCommand::default());
            let stmt = Stmt { kind, span, negated: false, background: false, redirects: Vec::new() };
            return Lowered { stmt, reach: range.end, range };
        }
        let mut shape = self.shape(stmt);
        self.depth -= 1;
        let redirects = self.redirects(&stmt.redirects, &mut shape.range, &mut shape.reach);
        if shape.range.is_empty() {
            shape.range = self.trimmed(stmt.span);
        }
        let range = shape.range;
        let background = matches!(stmt.terminator, Some(ast::StmtTerminator::Background(_)));
        let coproc = matches!(&stmt.command, ast::Command::Compound(ast::CompoundCommand::Coproc(_)));
        let lowered = Stmt {
            kind: shape.kind,
            span: self.layer.span(range.clone()),
            negated: stmt.negated,
            background: background || coproc,
            redirects,
        };
        Lowered { stmt: lowered, reach: shape.reach.max(range.end), range }
    }

    fn shape(&mut self, stmt: &ast::Stmt) -> Shape {
        match &stmt.command {
            ast::Command::Simple(command) => {
                let mut simple = SimpleCommand::default();
                let mut range = self.assignments(&command.assignments, &mut simple);
                let words: Vec<_> = std::iter::once(&command.name).chain(&command.args).collect();
                cover(&mut range, self.words(&words, &mut simple));
                Shape::new(StmtKind::Simple(simple), range)
            }
            ast::Command::Builtin(command) => self.builtin(command),
            ast::Command::Decl(command) => self.declaration(command),
            ast::Command::Binary(_) => self.chain(stmt),
            ast::Command::Compound(command) => self.compound(command, stmt.span),
            ast::Command::Function(function) => {
                let first = function.header.entries.first();
                let name = first.map_or(0..0, |entry| self.range(entry.word.span));
                let body = self.statement(&function.body);
                let keyword = function.header.function_keyword_span.map(|span| self.range(span).start);
                let kind = StmtKind::Function {
                    name: self.slice(&name).to_owned(),
                    name_span: self.layer.span(name.clone()),
                    body: match body.stmt.kind {
                        StmtKind::Group(inner) if body.stmt.redirects.is_empty() => inner,
                        _ => vec![body.stmt],
                    },
                };
                let range = keyword.unwrap_or(name.start)..body.range.end;
                Shape { kind, range, reach: body.reach }
            }
            ast::Command::AnonymousFunction(function) => {
                let body = self.statement(&function.body);
                Shape { kind: StmtKind::Group(vec![body.stmt]), range: body.range, reach: body.reach }
            }
        }
    }

    fn builtin(&mut self, command: &ast::BuiltinCommand) -> Shape {
        let (name, first, rest, assignments, span) = match command {
            ast::BuiltinCommand::Break(c) => ("break", &c.depth, &c.extra_args, &c.assignments, c.span),
            ast::BuiltinCommand::Continue(c) => ("continue", &c.depth, &c.extra_args, &c.assignments, c.span),
            ast::BuiltinCommand::Return(c) => ("return", &c.code, &c.extra_args, &c.assignments, c.span),
            ast::BuiltinCommand::Exit(c) => ("exit", &c.code, &c.extra_args, &c.assignments, c.span),
        };
        let mut simple = SimpleCommand::default();
        let mut range = self.assignments(assignments, &mut simple);
        let from = if range.is_empty() { self.range(span).start } else { range.end };
        let offset = self.text.get(from..).and_then(|rest| rest.find(name)).unwrap_or(0);
        let keyword = from + offset..from + offset + name.len();
        simple.words.push(self.word(keyword.clone(), Mode::Bare, &[]).into());
        cover(&mut range, keyword);
        let words: Vec<_> = first.iter().chain(rest).collect();
        cover(&mut range, self.words(&words, &mut simple));
        Shape::new(StmtKind::Simple(simple), range)
    }

    fn declaration(&mut self, command: &ast::DeclClause) -> Shape {
        let mut simple = SimpleCommand::default();
        let mut range = self.assignments(&command.assignments, &mut simple);
        let name = self.range(command.variant_span);
        simple.words.push(self.word(name.clone(), Mode::Bare, &[]).into());
        cover(&mut range, name);
        for operand in &command.operands {
            let operand = match operand {
                ast::DeclOperand::Flag(word) | ast::DeclOperand::Dynamic(word) => {
                    self.words(&[word], &mut simple)
                }
                ast::DeclOperand::Name(name) => {
                    let name = self.range(name.span);
                    simple.words.push(self.word(name.clone(), Mode::Bare, &[]).into());
                    name
                }
                ast::DeclOperand::Assignment(assignment) => {
                    self.assignments(std::slice::from_ref(assignment), &mut simple)
                }
            };
            cover(&mut range, operand);
        }
        Shape::new(StmtKind::Simple(simple), range)
    }

    /// `a | b`, `a && b` and `a || b`, which lean to the left however long they are.
    fn chain(&mut self, stmt: &ast::Stmt) -> Shape {
        let mut links = Vec::new();
        let mut first = stmt;
        while let ast::Command::Binary(binary) = &first.command {
            let plain = !first.negated && first.redirects.is_empty() && first.terminator.is_none();
            if !links.is_empty() && !plain {
                break;
            }
            if !links.is_empty() {
                self.comment_all(&first.leading_comments);
                self.comment_all(first.inline_comment.as_slice());
            }
            links.push((binary.op, binary.right.as_ref()));
            first = &binary.left;
        }
        let Lowered { mut stmt, mut range, mut reach } = self.statement(first);
        let mut in_pipeline = false;
        let last = links.len();
        for (index, (operator, right)) in links.into_iter().rev().enumerate() {
            let right = self.statement(right);
            cover(&mut range, right.range);
            reach = reach.max(right.reach);
            let pipe = matches!(operator, ast::BinaryOp::Pipe | ast::BinaryOp::PipeAll);
            let kind = match stmt.kind {
                StmtKind::Pipeline(mut steps) if pipe && in_pipeline => {
                    steps.push(right.stmt);
                    StmtKind::Pipeline(steps)
                }
                _ if pipe => StmtKind::Pipeline(vec![stmt, right.stmt]),
                _ if operator == ast::BinaryOp::And => StmtKind::And(Box::new(stmt), Box::new(right.stmt)),
                _ => StmtKind::Or(Box::new(stmt), Box::new(right.stmt)),
            };
            in_pipeline = pipe;
            if index + 1 == last {
                return Shape { kind, range, reach };
            }
            let span = self.layer.span(range.clone());
            stmt = Stmt { kind, span, negated: false, background: false, redirects: Vec::new() };
        }
        Shape { kind: stmt.kind, range, reach }
    }

    fn compound(&mut self, command: &ast::CompoundCommand, outer: ast::Span) -> Shape {
        let whole = self.trimmed(outer);
        match command {
            ast::CompoundCommand::If(command) => {
                let mut reach = 0;
                let mut arms = vec![(&command.condition, &command.then_branch)];
                arms.extend(command.elif_branches.iter().map(|(condition, body)| (condition, body)));
                let arms = arms
                    .into_iter()
                    .map(|(condition, body)| {
                        let (condition, _) = self.sequence(condition);
                        let (body, end) = self.sequence(body);
                        reach = reach.max(end);
                        (condition, body)
                    })
                    .collect();
                let otherwise = command.else_branch.as_ref().map(|body| self.sequence(body).0);
                let end = match command.syntax {
                    ast::IfSyntax::ThenFi { fi_span, .. } => fi_span,
                    ast::IfSyntax::Brace { right_brace_span, .. } => right_brace_span,
                };
                self.closed(StmtKind::If { arms, otherwise }, command.span, Some(end), &whole)
            }
            ast::CompoundCommand::While(command) => {
                let (condition, _) = self.sequence(&command.condition);
                let (body, _) = self.sequence(&command.body);
                let kind = StmtKind::Loop { until: false, condition, body };
                self.closed(kind, command.span, command.done_span, &whole)
            }
            ast::CompoundCommand::Until(command) => {
                let (condition, _) = self.sequence(&command.condition);
                let (body, _) = self.sequence(&command.body);
                let kind = StmtKind::Loop { until: true, condition, body };
                self.closed(kind, command.span, command.done_span, &whole)
            }
            ast::CompoundCommand::For(command) => {
                let target = command.targets.first().map(|target| self.range(target.span));
                let variable = target.map(|range| self.slice(&range).to_owned());
                let words = command.words.as_ref().map(|words| self.word_list(words));
                let (body, _) = self.sequence(&command.body);
                let end = match command.syntax {
                    ast::ForSyntax::InDoDone { done_span, .. }
                    | ast::ForSyntax::ParenDoDone { done_span, .. } => Some(done_span),
                    ast::ForSyntax::InBrace { right_brace_span, .. }
                    | ast::ForSyntax::ParenBrace { right_brace_span, .. } => Some(right_brace_span),
                    _ => None,
                };
                self.closed(StmtKind::For { variable, words, body }, command.span, end, &whole)
            }
            ast::CompoundCommand::Select(command) => {
                let variable = Some(self.slice(&self.range(command.variable_span)).to_owned());
                let words = Some(self.word_list(&command.words));
                let (body, _) = self.sequence(&command.body);
                let kind = StmtKind::For { variable, words, body };
                self.closed(kind, command.span, Some(command.done_span), &whole)
            }
            ast::CompoundCommand::ArithmeticFor(command) => {
                let (body, _) = self.sequence(&command.body);
                let kind = StmtKind::For { variable: None, words: None, body };
                self.closed(kind, command.span, command.done_span, &whole)
            }
            ast::CompoundCommand::Case(command) => {
                let subject = Box::new(self.shell_word(&command.word));
                let arms = command.cases.iter().map(|case| self.case_arm(case)).collect();
                let kind = StmtKind::Case { subject, arms };
                self.closed(kind, command.span, Some(command.esac_span), &whole)
            }
            ast::CompoundCommand::Subshell(body) => self.group(body, b'(', &whole),
            ast::CompoundCommand::BraceGroup(body) => self.group(body, b'{', &whole),
            ast::CompoundCommand::Arithmetic(command) => {
                self.closed(StmtKind::Arithmetic, command.span, Some(command.right_paren_span), &whole)
            }
            ast::CompoundCommand::Conditional(command) => {
                let kind = StmtKind::Test(self.test(&command.expression));
                self.closed(kind, command.span, Some(command.right_bracket_span), &whole)
            }
            ast::CompoundCommand::Time(command) => {
                let start = self.range(command.span).start;
                let inner = command.command.as_deref().map(|stmt| self.statement(stmt));
                let end = inner.as_ref().map_or(whole.end, |inner| inner.range.end);
                let reach = inner.as_ref().map_or(end, |inner| inner.reach);
                let kind = StmtKind::Group(inner.into_iter().map(|inner| inner.stmt).collect());
                Shape { kind, range: start..end.max(start), reach }
            }
            ast::CompoundCommand::Coproc(command) => {
                let start = self.range(command.span).start;
                let inner = self.statement(&command.body);
                let range = start..inner.range.end.max(start);
                Shape { kind: StmtKind::Group(vec![inner.stmt]), range, reach: inner.reach }
            }
            ast::CompoundCommand::Repeat(command) => self.group(&command.body, b'{', &whole),
            ast::CompoundCommand::Foreach(command) => self.group(&command.body, b'{', &whole),
            ast::CompoundCommand::Always(command) => self.group(&command.body, b'{', &whole),
        }
    }

    fn closed(
        &self,
        kind: StmtKind,
        span: ast::Span,
        last: Option<ast::Span>,
        whole: &Range<usize>,
    ) -> Shape {
        let start = self.range(span).start;
        let end = last.map_or(whole.end, |last| self.range(last).end);
        Shape::new(kind, start..end.max(start))
    }

    fn group(&mut self, body: &ast::StmtSeq, open: u8, whole: &Range<usize>) -> Shape {
        let (stmts, reach) = self.sequence(body);
        let inside = self.range(body.span);
        let start = opening(self.text, inside.start, open).unwrap_or(whole.start);
        let close = skip_separators(self.text, reach.max(inside.start));
        let wanted = if open == b'(' { b')' } else { b'}' };
        let found = self.text.as_bytes().get(close) == Some(&wanted);
        let end = if found { close + 1 } else { whole.end.max(reach) };
        let kind = if open == b'(' { StmtKind::Subshell(stmts) } else { StmtKind::Group(stmts) };
        Shape::new(kind, start..end.max(start))
    }

    fn case_arm(&mut self, case: &ast::CaseItem) -> CaseArm {
        let patterns = case
            .patterns
            .iter()
            .map(|pattern| self.slice(&self.range(pattern.span)).trim().to_owned())
            .collect();
        CaseArm { patterns, body: self.sequence(&case.body).0 }
    }

    fn comment_all(&mut self, comments: &[ast::Comment]) {
        for comment in comments {
            let start = usize::from(comment.range.start());
            let end = usize::from(comment.range.end()).min(self.text.len());
            let Some(text) = self.text.get(start..end).and_then(|text| text.strip_prefix('#')) else {
                continue;
            };
            let text = text.trim_end_matches('\n');
            let span = self.layer.span(start..start + 1 + text.len());
            self.comments.push(Comment { span, text: text.to_owned() });
        }
    }

    pub(super) fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// A parser's span as bytes of the text, moved onto it and onto characters if need be.
    pub(super) fn range(&self, span: ast::Span) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start.offset());
        let end = self.text.floor_char_boundary(span.end.offset());
        start..end.max(start)
    }

    /// The same without the blanks and separators that the parser counts to the end of a statement.
    fn trimmed(&self, span: ast::Span) -> Range<usize> {
        let range = self.range(span);
        let text = self.slice(&range).trim_end_matches([' ', '\t', '\n', ';', '&']);
        range.start..range.start + text.len()
    }
}

/// Widens a range by another; an empty one counts for nothing.
pub(super) fn cover(range: &mut Range<usize>, other: Range<usize>) {
    if other.start >= other.end {
        return;
    }
    *range =
        if range.start >= range.end { other } else { range.start.min(other.start)..range.end.max(other.end) };
}
