//! Reads the Markdown subset.
//!
//! The parser knows more constructs than the subset. Those that would swallow what was typed (quotes, HTML blocks,
//! definitions of links) are kept from it by a [`guard`]; of the others it says where they stand, and that stretch of
//! the text is shown as it was typed.

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};
use std::ops::Range;

use super::{Element, MAX_NESTING, Piece, link_target};

/// Put before a character that must not start a block. Cleaned text does not hold it, and the writers drop it.
const GUARD: char = '\u{1}';

/// The text with a guard before every start of a line, behind its list marks, that would begin a quote, an HTML block
/// or the definition of a link; and before list marks beyond the nesting limit, because the parser takes time for every
/// open list on every line.
pub(super) fn guard(text: &str) -> String {
    let mut guarded = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        match guarded_at(line) {
            Some(at) => {
                guarded.push_str(&line[..at]);
                guarded.push(GUARD);
                guarded.push_str(&line[at..]);
            }
            None => guarded.push_str(line),
        }
    }
    guarded
}

/// Where a line needs a guard, if it does.
fn guarded_at(line: &str) -> Option<usize> {
    if is_rule(line) {
        return None;
    }
    let mut rest = line;
    // A list and its item are two levels.
    for _ in 0..MAX_NESTING / 2 {
        rest = rest.trim_start_matches([' ', '\t']);
        let Some(length) = list_mark(rest) else { break };
        rest = &rest[length..];
    }
    rest = rest.trim_start_matches([' ', '\t']);
    (rest.starts_with(['>', '<', '[']) || list_mark(rest).is_some()).then(|| line.len() - rest.len())
}

/// Whether a line is a rule: it looks like nested lists without content.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['-', '*']) && line.chars().all(|c| c == ' ' || c == '\t' || line.starts_with(c))
}

/// The length of the list mark that `rest` starts with.
fn list_mark(rest: &str) -> Option<usize> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let ends = if digits == 0 {
        ['-', '+', '*'].as_slice()
    } else {
        &['.', ')']
    };
    let behind = rest[digits..].strip_prefix(ends)?;
    (behind.is_empty() || behind.starts_with([' ', '\t', '\n'])).then_some(digits + 1)
}

/// The pieces of a guarded text.
pub(super) fn pieces(guarded: &str) -> Vec<Piece<'_>> {
    let mut reader = Reader {
        source: guarded,
        pieces: Vec::new(),
        open: Vec::new(),
        in_link: false,
        read: 0,
    };
    let mut in_code = false;
    for (event, range) in Parser::new_ext(guarded, Options::empty()).into_offset_iter() {
        match event {
            Event::End(TagEnd::CodeBlock) => in_code = false,
            _ if in_code => {}
            Event::Start(Tag::CodeBlock(_)) => {
                in_code = true;
                reader.block(range);
            }
            Event::Rule => reader.block(range),
            Event::Start(tag) => reader.start(&tag, &range),
            Event::End(_) => reader.end(&range),
            Event::SoftBreak | Event::HardBreak => {
                reader.text("\n");
                reader.read = range.end;
            }
            // Also what the parser decoded, such as entities: shown as it was typed.
            _ => reader.typed(range),
        }
    }
    reader.pieces
}

/// A construct that has started and not ended.
struct Construct {
    /// It opened an element.
    element: bool,
    /// Its marks are shown.
    literal: bool,
    /// It is the outermost link.
    link: bool,
}

struct Reader<'a> {
    source: &'a str,
    pieces: Vec<Piece<'a>>,
    open: Vec<Construct>,
    in_link: bool,
    /// The end of what has been read: closing marks of a construct stand between here and its end.
    read: usize,
}

impl<'a> Reader<'a> {
    fn text(&mut self, text: &'a str) {
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text));
        }
    }

    fn typed(&mut self, range: Range<usize>) {
        self.read = range.end;
        self.text(&self.source[range]);
    }

    /// A whole block as it was typed, without the indentation that it has only because of where it stands.
    fn block(&mut self, range: Range<usize>) {
        self.read = range.end;
        let column = range.start - self.source[..range.start].rfind('\n').map_or(0, |end| end + 1);
        self.pieces.push(Piece::Open(Element::Paragraph));
        for (number, line) in self.source[range].trim_end().lines().enumerate() {
            if number == 0 {
                self.text(line);
            } else {
                let blank = line
                    .bytes()
                    .take(column)
                    .take_while(|byte| matches!(byte, b' ' | b'\t'))
                    .count();
                self.text("\n");
                self.text(&line[blank..]);
            }
        }
        self.pieces.push(Piece::Close);
    }

    fn start(&mut self, tag: &Tag<'_>, range: &Range<usize>) {
        let typed = &self.source[range.clone()];
        let too_deep = self.open.len() >= MAX_NESTING;
        let mut literal = false;
        let mut marks = 0;
        let element = match tag {
            Tag::Paragraph => Some(Element::Paragraph),
            Tag::Heading { .. } => {
                literal = true;
                marks = typed.len() - typed.trim_start_matches('#').trim_start_matches([' ', '\t']).len();
                Some(Element::Paragraph)
            }
            Tag::Emphasis => {
                marks = 1;
                (!too_deep).then_some(Element::Emphasis)
            }
            Tag::Strong => {
                marks = 2;
                (!too_deep).then_some(Element::Strong)
            }
            Tag::Link {
                link_type, dest_url, ..
            }
            | Tag::Image {
                link_type, dest_url, ..
            } => {
                marks = if matches!(tag, Tag::Image { .. }) { 2 } else { 1 };
                let known = matches!(link_type, LinkType::Inline | LinkType::Autolink) && !self.in_link;
                known.then(|| link_target(dest_url)).flatten().map(Element::Link)
            }
            Tag::List(first) => (!too_deep).then_some(Element::List(*first)),
            Tag::Item if self.open.last().is_some_and(|list| list.element) => Some(Element::Item),
            Tag::Item => {
                self.text("\n");
                marks = list_mark(typed).map_or(0, |mark| typed.len().min(mark + 1));
                None
            }
            // Nothing else is turned on or passes the guard.
            _ => None,
        };
        literal |= element.is_none();
        let link = matches!(element, Some(Element::Link(_)));
        self.in_link |= link;
        self.open.push(Construct {
            element: element.is_some(),
            literal,
            link,
        });
        self.pieces.extend(element.map(Piece::Open));
        self.read = range.start + marks;
        if literal {
            self.text(typed.get(..marks).unwrap_or_default());
        }
    }

    fn end(&mut self, range: &Range<usize>) {
        let Some(construct) = self.open.pop() else {
            return;
        };
        if construct.literal {
            self.text(self.source.get(self.read..range.end).unwrap_or_default().trim_end());
        }
        if construct.element {
            self.pieces.push(Piece::Close);
        }
        if construct.link {
            self.in_link = false;
        }
        self.read = range.end;
    }
}
