//! What a sender typed becomes safe HTML and plain text.
//!
//! There is one reader per format (`markdown` and `tags`). Both turn the text into the same short list of
//! pieces, and one writer per kind of output (`write`) turns these into text. So no channel has a path of its own
//! that could forget to escape, and a message reads the same on every one.
//!
//! Nothing here refuses a text: what is not markup of the subset is shown as it was typed. Three rules hold for both
//! formats and every output:
//! - Control characters (except line break and tab) and the characters that turn the direction of writing
//!   (U+202A..U+202E, U+2066..U+2069) are dropped; a message cannot reorder the page around it.
//! - A link leads to `http://`, `https://` or `mailto:`; any other target leaves the link as it was typed.
//! - Time and output are linear in the input; elements nest at most 32 deep.

mod markdown;
mod tags;
#[cfg(test)]
mod tests;
mod write;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Constructs inside one another beyond this number are shown as they were typed. People do not nest so deep, and
/// browsers stop building their tree somewhere above it.
const MAX_NESTING: usize = 32;

/// How the text of a message was typed. It is stored beside the text, which stays as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Bold, italic, links, lists and paragraphs of Markdown; line breaks as typed; no HTML, no images.
    ///
    /// What is not in the subset is shown with its marks: headings, quotes, code, rules, tables, HTML, entities,
    /// reference links and their definitions. Nothing inside code is markup. An image becomes a link to the image with
    /// its description as text, so that no reader's client fetches it unasked.
    Markdown,
    /// The four tags of the UI messages contract, section 1.6: `[link="url"]`, `[b]`, `[i]`, `[ib]`, each with its
    /// closing tag. Tags may nest and their case does not matter; unclosed, crossed and unknown ones are text. Of two
    /// tags that cross, the one that opened first counts.
    StyleTags,
}

impl Format {
    /// The number under which this format is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Markdown => 0,
            Self::StyleTags => 1,
        }
    }

    /// The format stored under `code`, `None` for a number that [`Format::code`] never gives.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Markdown),
            1 => Some(Self::StyleTags),
            _ => None,
        }
    }
}

/// The safe HTML fragment that shows `text`.
///
/// It holds only `<p>`, `<br>`, `<strong>`, `<em>`, `<a href rel target>`, `<ul>`, `<ol start>` and `<li>`, balanced
/// and nested properly; everything else is escaped text. There is no line break in it, so it also fits where white
/// space counts. Style tags give no `<p>`: their lines are separated by `<br>` alone. `target` stands on `http` and
/// `https` links only.
#[must_use]
pub fn html(format: Format, text: &str) -> String {
    let text = clean(text);
    match format {
        Format::Markdown => write::html(markdown::pieces(&markdown::guard(&text))),
        Format::StyleTags => write::html(tags::pieces(&text)),
    }
}

/// The text part of a mail, or the text of an operating-system notification.
///
/// Links read `text (url)`, or just the address where both are equal; list items start with `- ` or their number;
/// paragraphs are separated by an empty line. White space at both ends is trimmed.
#[must_use]
pub fn plain(format: Format, text: &str) -> String {
    let text = clean(text);
    match format {
        Format::Markdown => write::plain(markdown::pieces(&markdown::guard(&text))),
        Format::StyleTags => write::plain(tags::pieces(&text)),
    }
}

/// The text in one line of at most `most_chars` characters: of a link its words alone, between the items of a list
/// ` · `. A longer text is cut, after a word where one ends in the second half, and then ends in `…`, which is counted.
#[must_use]
pub fn excerpt(format: Format, text: &str, most_chars: usize) -> String {
    let text = clean(text);
    let words = match format {
        Format::Markdown => write::words(markdown::pieces(&markdown::guard(&text))),
        Format::StyleTags => write::words(tags::pieces(&text)),
    };
    let mut line = String::with_capacity(words.len());
    for word in words.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.chars().nth(most_chars).is_none() {
        return line;
    }
    let Some(room) = most_chars.checked_sub(1) else {
        return String::new();
    };
    let end = line.char_indices().nth(room).map_or(line.len(), |(at, _)| at);
    let word_end = if line[end..].starts_with(' ') {
        Some(end)
    } else {
        line[..end].rfind(' ')
    };
    line.truncate(word_end.filter(|at| at * 2 >= end).unwrap_or(end));
    line.push('…');
    line
}

/// One line of text that is no markup as HTML, between tags or in an attribute.
#[must_use]
pub fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    write::escape(line, &mut out);
    out
}

/// What a reader hands to a writer. Every `Open` is ended by a `Close`, the last opened first; the writers close what a
/// reader left open, so that their output is balanced whatever they are given.
enum Piece<'a> {
    /// Text as typed, unescaped; a line break in it is shown as one.
    Text(&'a str),
    /// The start of an element.
    Open(Element),
    /// The end of the element opened last.
    Close,
}

/// What can be opened.
#[derive(Clone)]
enum Element {
    Paragraph,
    Strong,
    Emphasis,
    /// With an address that [`link_target`] gave.
    Link(String),
    /// With the number of the first item if it is numbered.
    List(Option<u64>),
    Item,
}

/// Whether a character is no part of a line: it has no shape of its own and can change what stands around it, or breaks
/// the line.
pub(crate) fn breaks_line(c: char) -> bool {
    is_hidden(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character is never shown: it has no shape of its own and can change what stands around it. Line breaks and
/// tabs are among these; who keeps them says so.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The text with every line break as `\n` and without hidden characters. It is done before reading, so that no reader
/// judges another text than the one that is shown.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.contains(|c| is_hidden(c) && c != '\n' && c != '\t') {
        text.replace(|c| is_hidden(c) && c != '\n' && c != '\t', "")
    } else {
        text
    }
}

/// The address a link may lead to, or `None`. Browsers ignore line breaks, tabs and outer white space in an address, so
/// these go first. The slashes are required because `https:x` is relative to the page.
fn link_target(typed: &str) -> Option<String> {
    let shown = typed.replace(is_hidden, "");
    let address = shown.trim();
    let (scheme, rest) = address.split_once(':')?;
    let leads_somewhere = match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => rest.strip_prefix("//").is_some_and(|host| !host.is_empty()),
        "mailto" => !rest.is_empty(),
        _ => false,
    };
    leads_somewhere.then(|| address.to_owned())
}
