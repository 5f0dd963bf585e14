//! Block structure, line by line.

use std::ops::Range;

use plimsoll_text::{Layer, SyntaxError};

use super::ast::{CodeBlock, Heading, Line, LineKind, Markdown};
use crate::scan::{byte, lines, text_of, trim};

/// Reads a document. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Markdown {
    let mut reader = Reader {
        text: layer.text(),
        out: Markdown {
            layer: layer.clone(),
            headings: Vec::new(),
            blocks: Vec::new(),
            lines: Vec::new(),
            errors: Vec::new(),
        },
        fence: None,
        in_comment: false,
        in_list: false,
        after_blank: true,
    };
    let mut front_matter = false;
    for (index, line) in lines(layer.text()).enumerate() {
        let dashes =
            byte(layer.text(), line.start) == b'-' && text_of(layer.text(), line.clone()).trim_end() == "---";
        if dashes && (front_matter || index == 0) {
            front_matter = !front_matter;
        } else if front_matter {
            reader.push(LineKind::FrontMatter, line);
        } else {
            reader.line(line);
        }
    }
    if let Some(fence) = reader.fence.take() {
        let place = layer.place(narrow(&fence.block.whole));
        reader.out.errors.push(SyntaxError { place, message: "code block without an end".to_owned() });
        reader.close(fence, layer.text().len());
    }
    reader.out
}

fn narrow(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

fn wide(range: Range<usize>) -> Range<u32> {
    let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    narrow(range.start)..narrow(range.end)
}

/// Where the line's content starts after at most `most` quote marks, and how many there were.
pub(super) fn strip_quotes(text: &str, line: Range<usize>, most: u32) -> (usize, u32) {
    let (mut start, mut count) = (line.start, 0);
    while count < most {
        let mark = trim(text, start..line.end).start;
        if mark >= line.end || byte(text, mark) != b'>' {
            break;
        }
        count += 1;
        start = mark + 1;
        if byte(text, start) == b' ' && start < line.end {
            start += 1;
        }
    }
    (start, count)
}

struct Fence {
    block: CodeBlock,
    mark: u8,
    length: usize,
}

struct Reader<'a> {
    text: &'a str,
    out: Markdown,
    fence: Option<Fence>,
    in_comment: bool,
    in_list: bool,
    after_blank: bool,
}

impl Reader<'_> {
    fn push(&mut self, kind: LineKind, content: Range<usize>) {
        let content = wide(trim(self.text, content));
        let heading = self.out.headings.len().checked_sub(1);
        self.out.lines.push(Line { kind, heading, content });
    }

    fn close(&mut self, mut fence: Fence, end: usize) {
        fence.block.next_line = self.out.lines.len();
        fence.block.whole = fence.block.whole.start..wide(end..end).end;
        self.out.blocks.push(fence.block);
    }

    fn line(&mut self, line: Range<usize>) {
        if self.fence.is_some() {
            self.inside_fence(line);
            return;
        }
        let (start, quotes) = strip_quotes(self.text, line.clone(), u32::MAX);
        let content = trim(self.text, start..line.end);
        if content.is_empty() {
            self.after_blank = true;
            return;
        }
        let after_blank = std::mem::replace(&mut self.after_blank, false);
        let indent = columns(text_of(self.text, start..content.start));
        let first = byte(self.text, content.start);
        if self.in_comment || text_of(self.text, content.clone()).starts_with("<!--") {
            self.in_comment = !text_of(self.text, content.clone()).contains("-->");
            self.push(LineKind::Comment, content);
            return;
        }
        if matches!(first, b'`' | b'~') && self.open_fence(line.clone(), content.clone(), indent, quotes) {
            return;
        }
        if indent >= 4 && !self.in_list && (after_blank || self.continues_code(line.start)) {
            self.indented_code(line, quotes);
            return;
        }
        match first {
            b'#' if self.heading(content.clone()) => self.in_list = false,
            b'=' | b'-' if self.underline(content.clone(), after_blank) => {}
            b'|' => self.push(LineKind::TableRow, content),
            _ => match list_marker(text_of(self.text, content.clone())) {
                Some(length) => {
                    self.in_list = true;
                    // Code may open right behind the marker.
                    let inner = trim(self.text, content.start + length..content.end);
                    let column = indent + u32::try_from(inner.start - content.start).unwrap_or(0);
                    if matches!(byte(self.text, inner.start), b'`' | b'~')
                        && self.open_fence(line, inner.clone(), column, quotes)
                    {
                        return;
                    }
                    self.push(
                        LineKind::ListItem,
                        inner.start + task_box(self.text, inner.clone())..inner.end,
                    );
                }
                None => {
                    if after_blank && indent == 0 {
                        self.in_list = false;
                    }
                    self.push(LineKind::Text, content);
                }
            },
        }
    }

    fn inside_fence(&mut self, line: Range<usize>) {
        let Some(fence) = &mut self.fence else { return };
        let (start, quotes) = strip_quotes(self.text, line.clone(), fence.block.quotes);
        let quoted = quotes == fence.block.quotes;
        let content = trim(self.text, start..line.end);
        let marks = run_of(self.text, content.clone(), fence.mark);
        if quoted && (marks < fence.length || marks != content.len()) {
            let next = line.end + usize::from(byte(self.text, line.end) == b'\r');
            fence.block.body.end = wide(next..(next + 1).min(self.text.len())).end;
            return;
        }
        let Some(fence) = self.fence.take() else { return };
        if quoted {
            self.close(fence, line.end);
        } else {
            // The quote ended and the block with it.
            self.close(fence, line.start.saturating_sub(1));
            self.line(line);
        }
    }

    fn open_fence(&mut self, line: Range<usize>, content: Range<usize>, indent: u32, quotes: u32) -> bool {
        let mark = byte(self.text, content.start);
        let length = run_of(self.text, content.clone(), mark);
        let info = trim(self.text, content.start + length..content.end);
        if length < 3 || (mark == b'`' && text_of(self.text, info.clone()).contains('`')) {
            return false;
        }
        let body = (line.end + usize::from(byte(self.text, line.end) == b'\r') + 1).min(self.text.len());
        let block = CodeBlock {
            fenced: true,
            heading: self.out.headings.len().checked_sub(1),
            next_line: 0,
            info: wide(info),
            body: wide(body..body),
            whole: wide(content),
            indent,
            quotes,
        };
        self.fence = Some(Fence { block, mark, length });
        true
    }

    /// Whether the last thing read is an indented code block that ends right before this line.
    fn continues_code(&self, start: usize) -> bool {
        self.out.blocks.last().is_some_and(|block| !block.fenced && narrow(&block.body).end == start)
    }

    fn indented_code(&mut self, line: Range<usize>, quotes: u32) {
        let next = line.end + usize::from(byte(self.text, line.end) == b'\r');
        let end = wide(next..(next + 1).min(self.text.len())).end;
        let heading = self.out.headings.len().checked_sub(1);
        let next_line = self.out.lines.len();
        let text = self.text;
        if let Some(last) = self.out.blocks.last_mut() {
            let between = text_of(text, narrow(&last.body).end..line.start);
            if !last.fenced && last.next_line == next_line && between.trim().is_empty() {
                last.body.end = end;
                last.whole.end = wide(line).end;
                return;
            }
        }
        let whole = wide(line);
        let body = whole.start..end;
        let info = whole.start..whole.start;
        let block = CodeBlock { fenced: false, heading, next_line, info, body, whole, indent: 4, quotes };
        self.out.blocks.push(block);
    }

    fn heading(&mut self, content: Range<usize>) -> bool {
        let level = run_of(self.text, content.clone(), b'#');
        let after = content.start + level;
        if level > 6 || (after < content.end && !matches!(byte(self.text, after), b' ' | b'\t')) {
            return false;
        }
        let title = trim(self.text, after..content.end);
        let unclosed = text_of(self.text, title.clone()).trim_end_matches('#');
        let title = match unclosed.strip_suffix([' ', '\t']) {
            Some(closed) => trim(self.text, title.start..title.start + closed.len()),
            None if unclosed.is_empty() => title.start..title.start,
            None => title,
        };
        let level = u8::try_from(level).unwrap_or(6);
        self.out.headings.push(Heading { level, content: wide(title.clone()) });
        self.push(LineKind::Heading, title);
        true
    }

    /// A line of `=` or `-` under a line of text makes that a heading; `---` elsewhere is a rule.
    fn underline(&mut self, content: Range<usize>, after_blank: bool) -> bool {
        let mark = byte(self.text, content.start);
        if run_of(self.text, content.clone(), mark) != content.len() {
            return false;
        }
        if after_blank {
            return mark == b'-' && content.len() > 2;
        }
        let Some(last) = self.out.lines.last_mut().filter(|last| last.kind == LineKind::Text) else {
            return content.len() > 2;
        };
        last.kind = LineKind::Heading;
        last.heading = Some(self.out.headings.len());
        let level = if mark == b'=' { 1 } else { 2 };
        let content = last.content.clone();
        self.out.headings.push(Heading { level, content });
        self.in_list = false;
        true
    }
}

fn run_of(text: &str, range: Range<usize>, mark: u8) -> usize {
    range.take_while(|at| byte(text, *at) == mark).count()
}

fn columns(blank: &str) -> u32 {
    blank.bytes().fold(0, |column, byte| if byte == b'\t' { column - column % 4 + 4 } else { column + 1 })
}

/// Length of a list marker with its blank.
fn list_marker(text: &str) -> Option<usize> {
    let digits = text.bytes().take(9).take_while(u8::is_ascii_digit).count();
    let mark = byte(text, digits);
    let is_mark = match digits {
        0 => matches!(mark, b'-' | b'*' | b'+'),
        _ => matches!(mark, b'.' | b')'),
    };
    let blank = byte(text, digits + 1);
    (is_mark && matches!(blank, b' ' | b'\t' | 0)).then(|| (digits + 2).min(text.len()))
}

/// Length of `[ ] ` or `[x] `.
fn task_box(text: &str, range: Range<usize>) -> usize {
    let content = text_of(text, range);
    let boxed = ["[ ] ", "[x] ", "[X] "].iter().any(|mark| content.starts_with(mark));
    if boxed { 4 } else { 0 }
}
