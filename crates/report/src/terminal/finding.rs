//! One finding with its evidence.

use std::borrow::Cow;
use std::fmt::Write as _;

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use camino::Utf8PathBuf;
use plimsoll_rules::{Confidence, Finding, Label, Severity};
use plimsoll_text::{Applicability, FileId, Span};

use crate::report::Report;
use crate::source::{Sources, printable};

/// What findings are shown with.
pub(super) struct View<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) sources: &'a Sources<'a>,
    pub(super) width: usize,
}

/// A finding with the lines that prove it.
pub(super) fn block(view: &View<'_>, finding: &Finding, out: &mut String) {
    let title = level(finding.severity).primary_title(printable(&finding.message)).id(finding.rule.code);
    let excerpts = excerpts(view, finding);
    let mut group = title.elements(excerpts.iter().map(Excerpt::snippet));
    if finding.confidence < Confidence::High {
        group = group.element(Level::NOTE.with_name("confidence").message(finding.confidence.name()));
    }
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    if let Some(fix) = &finding.fix {
        let trust = if fix.applicability == Applicability::Safe { "safe" } else { "with `--unsafe`" };
        let text = format!("available ({trust}): {}", fix.title);
        group = group.element(Level::HELP.with_name("fix").message(printable(&text).into_owned()));
    }
    out.push_str(&Renderer::styled().term_width(view.width).render(&[group]));
    out.push_str("\n\n");
}

/// A finding in one line.
pub(super) fn line(view: &View<'_>, finding: &Finding, out: &mut String) {
    let file = view.report.files.get(finding.primary.place.file);
    let at = file.line_column(finding.primary.place.span.start);
    let path = view.report.shown(file.path());
    let style = style(finding.severity);
    let severity = finding.severity.name();
    let (code, message) = (finding.rule.code, printable(&finding.message));
    let path = printable(path.as_str());
    let _ = writeln!(out, "{path}:{}:{}: {style}{severity}[{code}]{style:#}: {message}", at.line, at.column);
}

/// The part of a file that a finding points into, lines whole.
struct Excerpt<'a> {
    path: Utf8PathBuf,
    first_line: usize,
    text: &'a str,
    marks: Vec<(AnnotationKind, Span, Cow<'a, str>)>,
}

impl<'a> Excerpt<'a> {
    fn snippet(&'a self) -> Snippet<'a, Annotation<'a>> {
        let marks = self.marks.iter().map(|(kind, span, label)| {
            let mark = kind.span(span.range());
            if label.is_empty() { mark } else { mark.label(label.as_ref()) }
        });
        Snippet::source(self.text).path(self.path.as_str()).line_start(self.first_line).annotations(marks)
    }
}

/// One excerpt for each file, in the order in which the labels name them.
fn excerpts<'a>(view: &View<'a>, finding: &'a Finding) -> Vec<Excerpt<'a>> {
    let labels: Vec<(AnnotationKind, &Label)> = std::iter::once((AnnotationKind::Primary, &finding.primary))
        .chain(finding.related.iter().map(|label| (AnnotationKind::Context, label)))
        .collect();
    let mut order: Vec<FileId> = Vec::new();
    for (_, label) in &labels {
        if !order.contains(&label.place.file) {
            order.push(label.place.file);
        }
    }
    order.into_iter().map(|id| excerpt(view, id, &labels)).collect()
}

fn excerpt<'a>(view: &View<'a>, id: FileId, labels: &[(AnnotationKind, &'a Label)]) -> Excerpt<'a> {
    let file = view.report.files.get(id);
    let marks: Vec<_> = labels
        .iter()
        .filter(|(_, label)| label.place.file == id)
        .map(|(kind, label)| (*kind, view.sources.first_line(label.place), printable(&label.text)))
        .collect();
    let lines = || marks.iter().map(|(_, span, _)| file.line_of(span.start));
    let (first, last) = (lines().min().unwrap_or(0), lines().max().unwrap_or(0));
    let start = file.line_span(first).start;
    let window = Span::new(start, file.line_span(last).end);
    Excerpt {
        path: view.report.shown(file.path()),
        first_line: first + 1,
        text: view.sources.text(id).get(window.range()).unwrap_or_default(),
        marks: marks
            .into_iter()
            .map(|(kind, span, label)| (kind, Span::new(span.start - start, span.end - start), label))
            .collect(),
    }
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Critical | Severity::High => Level::ERROR,
        Severity::Medium => Level::WARNING,
        Severity::Low => Level::INFO,
    }
    .with_name(severity.name())
}

/// The colour of a severity, the same as in its block.
pub(super) fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => AnsiColor::BrightRed.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default().bold(),
        Severity::Low => AnsiColor::BrightBlue.on_default().bold(),
    }
}
