//! Writes pieces as HTML and as plain text.

use super::{Element, Piece, is_hidden};

/// The pieces as an HTML fragment; see [`super::html`].
pub(super) fn html(pieces: Vec<Piece<'_>>) -> String {
    let mut out = String::new();
    // Each with the place where its content starts.
    let mut open: Vec<(Element, usize)> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => escape(text, &mut out),
            Piece::Open(element) => {
                open_tag(&element, &mut out);
                open.push((element, out.len()));
            }
            Piece::Close => close_tag(open.pop(), &mut out),
        }
    }
    while !open.is_empty() {
        close_tag(open.pop(), &mut out);
    }
    out
}

fn open_tag(element: &Element, out: &mut String) {
    match element {
        Element::Paragraph => out.push_str("<p>"),
        Element::Strong => out.push_str("<strong>"),
        Element::Emphasis => out.push_str("<em>"),
        Element::Link(address) => {
            out.push_str("<a href=\"");
            escape(address, out);
            out.push_str("\" rel=\"noopener noreferrer nofollow\"");
            // A mail program is no window; a blank one would stay behind.
            if address
                .as_bytes()
                .get(..4)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http"))
            {
                out.push_str(" target=\"_blank\"");
            }
            out.push('>');
        }
        Element::List(None) => out.push_str("<ul>"),
        Element::List(Some(1)) => out.push_str("<ol>"),
        Element::List(Some(first)) => {
            out.push_str("<ol start=\"");
            out.push_str(&first.to_string());
            out.push_str("\">");
        }
        Element::Item => out.push_str("<li>"),
    }
}

fn close_tag(element: Option<(Element, usize)>, out: &mut String) {
    let Some((element, content)) = element else {
        return;
    };
    let tag = match element {
        Element::Paragraph => "</p>",
        Element::Strong => "</strong>",
        Element::Emphasis => "</em>",
        Element::Link(address) => {
            // A link without text could be neither seen nor reached.
            if out[content..].trim().is_empty() {
                escape(&address, out);
            }
            "</a>"
        }
        Element::List(None) => "</ul>",
        Element::List(Some(_)) => "</ol>",
        Element::Item => "</li>",
    };
    out.push_str(tag);
}

pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br>"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' => out.push('\t'),
            c if is_hidden(c) => {}
            c => out.push(c),
        }
    }
}

/// The pieces as plain text; see [`super::plain`].
pub(super) fn plain(pieces: Vec<Piece<'_>>) -> String {
    let mut text = Plain::default();
    let mut open = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(typed) => text.write(typed),
            Piece::Open(element) => {
                let content = text.open(&element);
                open.push((element, content));
            }
            Piece::Close => {
                if let Some((element, content)) = open.pop() {
                    text.close(&element, content);
                }
            }
        }
    }
    while let Some((element, content)) = open.pop() {
        text.close(&element, content);
    }
    text.out.trim().to_owned()
}

/// The words of the pieces with white space between them; see [`super::excerpt`].
pub(super) fn words(pieces: Vec<Piece<'_>>) -> String {
    let mut out = String::new();
    // Each with the place where its content starts and, of a list, whether it has an item.
    let mut open: Vec<(Element, usize, bool)> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend(text.chars().filter(|c| *c == '\n' || *c == '\t' || !is_hidden(*c))),
            Piece::Open(element) => {
                match (&element, open.last_mut()) {
                    (Element::Item, Some((_, _, follows))) => {
                        out.push_str(if *follows { " · " } else { " " });
                        *follows = true;
                    }
                    (Element::Paragraph | Element::List(_) | Element::Item, _) => out.push(' '),
                    _ => {}
                }
                open.push((element, out.len(), false));
            }
            Piece::Close => match open.pop() {
                Some((Element::Link(address), content, _)) if out[content..].trim().is_empty() => {
                    out.extend(address.chars().filter(|c| !is_hidden(*c)));
                }
                Some((Element::Paragraph | Element::List(_), _, _)) => out.push(' '),
                _ => {}
            },
        }
    }
    out
}

/// Plain text as it grows.
#[derive(Default)]
struct Plain {
    out: String,
    /// Line breaks due before the next text.
    due: usize,
    /// The open lists, each with the number of its next item if it is numbered.
    lists: Vec<Option<u64>>,
    /// The last thing written is the mark of an item; what comes next belongs on the same line.
    after_mark: bool,
}

impl Plain {
    /// Deeper lists are not indented further: a line break would cost more output than a constant.
    const MOST_INDENTED: usize = 8;

    fn write(&mut self, typed: &str) {
        self.settle(self.lists.len());
        for c in typed.chars() {
            match c {
                '\n' => {
                    self.out.push('\n');
                    self.indent(self.lists.len());
                }
                '\t' => self.out.push('\t'),
                c if is_hidden(c) => {}
                c => self.out.push(c),
            }
        }
    }

    /// Opens an element and gives the place where its content starts.
    fn open(&mut self, element: &Element) -> usize {
        match element {
            Element::Paragraph => self.ask_breaks(2),
            Element::Strong | Element::Emphasis => {}
            Element::Link(_) => self.settle(self.lists.len()),
            Element::List(first) => {
                self.ask_breaks(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push(*first);
            }
            Element::Item => self.mark(),
        }
        self.out.len()
    }

    fn close(&mut self, element: &Element, content: usize) {
        match element {
            Element::Strong | Element::Emphasis => {}
            Element::Link(address) => {
                let text = self.out[content..].trim();
                if text.is_empty() {
                    self.write(address);
                } else if text != address && address.strip_prefix("mailto:") != Some(text) {
                    self.out.push_str(" (");
                    self.write(address);
                    self.out.push(')');
                }
            }
            Element::Paragraph => self.ask_breaks(2),
            Element::List(_) => {
                self.lists.pop();
                self.ask_breaks(if self.lists.is_empty() { 2 } else { 1 });
            }
            Element::Item => {
                self.after_mark = false;
                self.ask_breaks(1);
            }
        }
    }

    fn mark(&mut self) {
        self.ask_breaks(1);
        self.settle(self.lists.len().saturating_sub(1));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                self.out.push_str(&number.to_string());
                self.out.push_str(". ");
                *number += 1;
            }
            _ => self.out.push_str("- "),
        }
        self.after_mark = true;
    }

    fn ask_breaks(&mut self, breaks: usize) {
        if !self.after_mark {
            self.due = self.due.max(breaks);
        }
    }

    /// Writes the line breaks that are due, and the indentation of the line they start.
    fn settle(&mut self, depth: usize) {
        if self.due > 0 && !self.out.is_empty() {
            self.out.extend(std::iter::repeat_n('\n', self.due));
            self.indent(depth);
        }
        self.due = 0;
        self.after_mark = false;
    }

    fn indent(&mut self, depth: usize) {
        self.out
            .extend(std::iter::repeat_n("  ", depth.min(Self::MOST_INDENTED)));
    }
}
