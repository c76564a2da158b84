//! Reads the style tags of the UI messages contract, section 1.6.
//!
//! First every tag is found and paired, then the pairs are shown. A closing tag pairs with the last open tag of its
//! kind; what opened behind that one and is still open stays text, and so does its closing tag when it comes.

use super::{Element, MAX_NESTING, Piece, link_target};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bold,
    Italic,
    Both,
    Link,
}

/// Something in the text that looks like a tag.
struct Tag {
    start: usize,
    end: usize,
    kind: Kind,
    closes: bool,
    /// Of an opening link: where it leads, if it may.
    address: Option<String>,
    /// Of an opening tag: the index of the tag that closes it.
    closed_by: Option<usize>,
    /// Of a closing tag: its opening tag is shown as an element.
    shown: bool,
}

/// The pieces of a text.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut tags = find(text);
    pair(&mut tags);
    let mut pieces = Vec::new();
    let mut written = 0;
    let mut depth = 0;
    let mut in_link = false;
    for at in 0..tags.len() {
        let tag = &mut tags[at];
        let elements = if tag.closes {
            Vec::new()
        } else {
            let free = depth < MAX_NESTING && tag.closed_by.is_some() && !(in_link && tag.kind == Kind::Link);
            if free {
                elements(tag.kind, tag.address.take())
            } else {
                Vec::new()
            }
        };
        if !tag.shown && elements.is_empty() {
            continue;
        }
        pieces.push(Piece::Text(&text[written..tag.start]));
        written = tag.end;
        in_link ^= tag.kind == Kind::Link;
        if tag.shown {
            depth -= 1;
            let count = if tag.kind == Kind::Both { 2 } else { 1 };
            pieces.extend((0..count).map(|_| Piece::Close));
        } else {
            depth += 1;
            pieces.extend(elements.into_iter().map(Piece::Open));
            if let Some(closing) = tag.closed_by {
                tags[closing].shown = true;
            }
        }
    }
    pieces.push(Piece::Text(&text[written..]));
    pieces
}

/// What a tag opens; nothing for a link that may not lead where it leads.
fn elements(kind: Kind, address: Option<String>) -> Vec<Element> {
    match kind {
        Kind::Bold => vec![Element::Strong],
        Kind::Italic => vec![Element::Emphasis],
        Kind::Both => vec![Element::Strong, Element::Emphasis],
        Kind::Link => address.map(Element::Link).into_iter().collect(),
    }
}

fn find(text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find('[').map(|found| from + found) {
        let tag = tag_at(text, start);
        from = tag.as_ref().map_or(start + 1, |tag| tag.end);
        tags.extend(tag);
    }
    tags
}

/// Pairs opening and closing tags. Every tag is pushed and popped at most once.
fn pair(tags: &mut [Tag]) {
    let mut open: Vec<usize> = Vec::new();
    let mut open_of = [0_usize; 4];
    for at in 0..tags.len() {
        let kind = tags[at].kind;
        if !tags[at].closes {
            open.push(at);
            open_of[kind as usize] += 1;
        } else if open_of[kind as usize] > 0 {
            while let Some(last) = open.pop() {
                open_of[tags[last].kind as usize] -= 1;
                if tags[last].kind == kind {
                    tags[last].closed_by = Some(at);
                    break;
                }
            }
        }
    }
}

/// The tag that starts at the bracket at `start`.
fn tag_at(text: &str, start: usize) -> Option<Tag> {
    let inside = &text[start + 1..];
    let closes = inside.starts_with('/');
    let name_start = &inside[usize::from(closes)..];
    let name_length = name_start.bytes().take_while(u8::is_ascii_alphabetic).take(5).count();
    let (name, rest) = name_start.split_at(name_length);
    let kind = match name.to_ascii_lowercase().as_str() {
        "b" => Kind::Bold,
        "i" => Kind::Italic,
        "ib" => Kind::Both,
        "link" => Kind::Link,
        _ => return None,
    };
    let (address, rest) = if kind == Kind::Link && !closes {
        typed_address(rest)?
    } else {
        ("", rest)
    };
    let end = text.len() - rest.strip_prefix(']')?.len();
    Some(Tag {
        start,
        end,
        kind,
        closes,
        address: link_target(address),
        closed_by: None,
        shown: false,
    })
}

/// The address behind `[link`, and what follows it. It ends where another tag could begin (without quotes) or at the
/// next quote, so that a text full of unfinished links is not searched to its end for every one of them.
fn typed_address(rest: &str) -> Option<(&str, &str)> {
    let rest = rest.strip_prefix('=')?;
    if let Some(quoted) = rest.strip_prefix('"') {
        let (address, rest) = quoted.split_at(quoted.find(['"', '\n'])?);
        return Some((address, rest.strip_prefix('"')?));
    }
    Some(rest.split_at(rest.find([']', '[', '"', '\n'])?))
}
