//! Parser events to the tree.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, StructureStyle, options};
use plimsoll_text::{Layer, SyntaxError};

use super::template::Masked;
use super::{Comment, Entry, Node, NodeKind, Scalar, ScalarStyle, Stream, scalar};

/// Deepest nesting that is read, aliases followed. Real files stay under 30.
const MAX_DEPTH: usize = 120;
/// Nodes that a document may have once every alias is followed, so that walking a tree always ends soon.
const MAX_NODES: usize = 200_000;
/// Documents that may be abandoned before the rest of a stream is.
const MAX_RECOVERIES: usize = 100;

/// Reads a stream of YAML documents.
///
/// Of a document with a syntax error the part before the error is kept, closed as if it ended there; reading goes
/// on with the next document. A value that starts with a template (`{{ name }}`) is kept as a plain scalar and
/// reported, as is a key that a mapping has twice (the first one wins in [`Node::get`]).
#[must_use]
pub fn parse(layer: &Layer) -> Stream {
    let masked = Masked::values(layer.text());
    let stream = read(layer, &masked);
    if stream.errors.is_empty() || !layer.text().contains("{%") {
        return stream;
    }
    let statements = Masked::values_and_statements(layer.text());
    let retried = read(layer, &statements);
    if retried.errors.len() < stream.errors.len() { retried } else { stream }
}

fn read(layer: &Layer, masked: &Masked<'_>) -> Stream {
    let limits = options! {
        emit_unresolved_aliases: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: MAX_DEPTH / 2,
        block_nesting_limit: MAX_DEPTH / 2,
        max_buffered_comment_events: usize::MAX,
        simple_key_max_lookahead: 4096,
    };
    let mut parser = Parser::new_from_str_with_options(masked.text(), limits);
    let mut builder = Builder::new(layer, masked);
    let mut recoveries = 0;
    while let Some(next) = parser.next() {
        match next {
            Ok((event, span)) => {
                let tag = span.tag_span().and_then(|tag| tag.byte_range());
                let range = span.byte_range().unwrap_or_default();
                builder.event(event, range, tag);
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or_default();
                builder.error(at..at + 1, error.info());
                builder.abandon();
                recoveries += 1;
                if recoveries > MAX_RECOVERIES || parser.proceed_next_document().is_err() {
                    break;
                }
            }
        }
    }
    builder.abandon();
    builder.stream
}

/// An open collection.
struct Frame {
    kind: Open,
    range: Range<usize>,
    tag: Option<String>,
    anchor: usize,
    flow: bool,
    size: usize,
    height: usize,
}

enum Open {
    Sequence(Vec<Arc<Node>>),
    Mapping { entries: Vec<Entry>, key: Option<Arc<Node>>, seen: BTreeMap<String, ()> },
}

/// A finished anchored node with the number of nodes in it and its height, aliases followed.
#[derive(Clone)]
struct Anchored {
    node: Arc<Node>,
    size: usize,
    height: usize,
}

struct Builder<'a> {
    layer: &'a Layer,
    masked: &'a Masked<'a>,
    stream: Stream,
    stack: Vec<Frame>,
    root: Option<Arc<Node>>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
}

impl<'a> Builder<'a> {
    fn new(layer: &'a Layer, masked: &'a Masked<'a>) -> Self {
        Self {
            layer,
            masked,
            stream: Stream::default(),
            stack: Vec::new(),
            root: None,
            anchors: BTreeMap::new(),
            nodes: 0,
        }
    }

    fn error(&mut self, mut range: Range<usize>, message: impl Into<String>) {
        // The parser counts an error in characters of its own; the place must not split one of ours.
        let text = self.layer.text();
        range.start = text.floor_char_boundary(range.start);
        range.end = text.ceil_char_boundary(range.end.max(range.start));
        self.stream.errors.push(SyntaxError { place: self.layer.place(range), message: message.into() });
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>, tag: Option<Range<usize>>) {
        let written = |tag: Option<Range<usize>>| Some(self.layer.text().get(tag?)?.to_owned());
        match event {
            Event::DocumentStart(..) => {
                self.abandon();
                self.anchors.clear();
                self.nodes = 0;
            }
            Event::DocumentEnd => self.abandon(),
            Event::Comment(text, _) => {
                let span = self.layer.span(range);
                self.stream.comments.push(Comment { span, text: text.into_owned() });
            }
            Event::Alias(id) => self.alias(id, range),
            Event::UnresolvedAlias(name) => {
                self.error(range.clone(), format!("no anchor `{name}` before this alias"));
                self.null(range, true);
            }
            Event::Scalar(value, style, anchor, _) => {
                let tag = written(tag);
                self.scalar(value, style, range, tag, anchor);
            }
            Event::SequenceStart(style, anchor, _) => {
                let tag = written(tag);
                self.open(Open::Sequence(Vec::new()), style, range, tag, anchor);
            }
            Event::MappingStart(style, anchor, _) => {
                let tag = written(tag);
                let kind = Open::Mapping { entries: Vec::new(), key: None, seen: BTreeMap::new() };
                self.open(kind, style, range, tag, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(range.end),
            // The start and end of the stream, and anchors: nodes carry their own.
            _ => {}
        }
    }

    fn open(
        &mut self,
        kind: Open,
        style: StructureStyle,
        range: Range<usize>,
        tag: Option<String>,
        anchor: usize,
    ) {
        let flow = matches!(style, StructureStyle::Flow);
        self.stack.push(Frame { kind, range, tag, anchor, flow, size: 1, height: 1 });
    }

    fn close(&mut self, end: usize) {
        let Some(mut frame) = self.stack.pop() else { return };
        if let Open::Mapping { key: Some(_), .. } = frame.kind {
            let at = frame.range.end;
            self.stack.push(frame);
            self.null(at..at, false);
            let Some(finished) = self.stack.pop() else { return };
            frame = finished;
        }
        if frame.flow {
            frame.range.end = frame.range.end.max(end);
        }
        let span = self.layer.span(frame.range.clone());
        let kind = match frame.kind {
            Open::Sequence(items) => NodeKind::Sequence { items, flow: frame.flow },
            Open::Mapping { entries, .. } => NodeKind::Mapping { entries, flow: frame.flow },
        };
        let node = Arc::new(Node { span, tag: frame.tag, alias: false, kind });
        let end = frame.range.end;
        self.finish(node, frame.anchor, frame.size, frame.height, end);
    }

    fn scalar(
        &mut self,
        value: Cow<'_, str>,
        style: granit_parser::ScalarStyle,
        range: Range<usize>,
        tag: Option<String>,
        anchor: usize,
    ) {
        let style = match style {
            granit_parser::ScalarStyle::Plain => ScalarStyle::Plain,
            granit_parser::ScalarStyle::SingleQuoted => ScalarStyle::SingleQuoted,
            granit_parser::ScalarStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
            granit_parser::ScalarStyle::Literal => ScalarStyle::Literal,
            granit_parser::ScalarStyle::Folded => ScalarStyle::Folded,
        };
        let range = scalar::with_header(self.layer.text(), range, style);
        let (value, layer) = match self.masked.touches(&range) {
            false => {
                let layer = scalar::layer(self.layer, range.clone(), style, &value);
                (value.into_owned(), layer)
            }
            true => {
                if style == ScalarStyle::Plain {
                    self.error(range.clone(), "a value with a template in braces needs quotes");
                }
                let layer = scalar::original(self.layer, range.clone(), style, &value);
                (layer.text().to_owned(), layer)
            }
        };
        let range = scalar::trimmed(self.layer.text(), range, style);
        let span = self.layer.span(range.clone());
        let kind = NodeKind::Scalar(Scalar { value, style, layer });
        self.finish(Arc::new(Node { span, tag, alias: false, kind }), anchor, 1, 1, range.end);
    }

    fn null(&mut self, range: Range<usize>, alias: bool) {
        let layer = self.layer.slice(range.start..range.start);
        let kind = NodeKind::Scalar(Scalar { value: String::new(), style: ScalarStyle::Plain, layer });
        let node = Node { span: self.layer.span(range.clone()), tag: None, alias, kind };
        self.finish(Arc::new(node), 0, 1, 1, range.end);
    }

    fn alias(&mut self, id: usize, range: Range<usize>) {
        let Some(target) = self.anchors.get(&id).cloned() else {
            self.error(range.clone(), "an alias stands inside the node that it names");
            return self.null(range, true);
        };
        if self.nodes.saturating_add(target.size) > MAX_NODES {
            self.error(range.clone(), "aliases make this document too large to follow");
            return self.null(range, true);
        }
        if self.stack.len() + target.height > MAX_DEPTH {
            self.error(range.clone(), "aliases nest too deeply to follow");
            return self.null(range, true);
        }
        let span = self.layer.span(range.clone());
        let node = Node { span, tag: target.node.tag.clone(), alias: true, kind: target.node.kind.clone() };
        self.finish(Arc::new(node), 0, target.size, target.height, range.end);
    }

    /// Hands a finished node to the collection that is open, or makes it the document.
    fn finish(&mut self, node: Arc<Node>, anchor: usize, size: usize, height: usize, end: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), size, height });
        }
        if node.alias || matches!(node.kind, NodeKind::Scalar(_)) {
            self.nodes = self.nodes.saturating_add(size);
        } else {
            self.nodes += 1;
        }
        let duplicate = match self.stack.last_mut() {
            None => {
                self.root = Some(node);
                return;
            }
            Some(frame) => {
                frame.size = frame.size.saturating_add(size);
                frame.height = frame.height.max(height + 1);
                frame.range.end = frame.range.end.max(end);
                match &mut frame.kind {
                    Open::Sequence(items) => {
                        items.push(node);
                        None
                    }
                    Open::Mapping { entries, key, seen } => match key.take() {
                        Some(key) => {
                            entries.push(Entry { key, value: node });
                            None
                        }
                        None => {
                            let name = node.as_str().map(ToOwned::to_owned);
                            *key = Some(node.clone());
                            name.filter(|name| seen.insert(name.clone(), ()).is_some())
                                .map(|name| (name, node.span))
                        }
                    },
                }
            }
        };
        if let Some((name, span)) = duplicate {
            let place = plimsoll_text::Place::new(self.layer.file(), span);
            let message = format!("the key `{name}` stands in this mapping twice");
            self.stream.errors.push(SyntaxError { place, message });
        }
    }

    /// Ends the document wherever it is.
    fn abandon(&mut self) {
        while let Some(frame) = self.stack.last() {
            let end = frame.range.end;
            self.close(end);
        }
        self.stream.documents.extend(self.root.take());
    }
}

#[cfg(test)]
mod tests;
