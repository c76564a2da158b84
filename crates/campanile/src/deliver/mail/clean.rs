//! What somebody typed, made fit for a header. It is done before the library that writes the header sees it: libraries
//! have been wrong about this.

/// The text in one line, without anything that ends a line or turns the direction of writing, at most so many
/// characters.
///
/// What looks like an encoded word (RFC 2047) is broken up: it would be shown decoded, as something that nobody typed.
pub(super) fn line(text: &str, most_chars: usize) -> String {
    let mut line = String::with_capacity(text.len());
    let mut length = 0;
    for word in text
        .split(|c: char| c.is_whitespace() || is_refused(c))
        .filter(|word| !word.is_empty())
    {
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        for c in word.chars() {
            if length >= most_chars {
                line.truncate(line.trim_end().len());
                line.push('…');
                return line;
            }
            if c == '?' && line.ends_with('=') {
                line.push(' ');
                length += 1;
            }
            line.push(c);
            length += 1;
        }
    }
    line
}

/// Controls (CR, LF and NUL among them), line and paragraph separators, and marks of direction.
fn is_refused(c: char) -> bool {
    let is_separator = matches!(c, '\u{2028}' | '\u{2029}');
    let is_direction = matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_separator || is_direction
}

/// A label of a host name out of any text: small letters, digits and single hyphens, at most 40; `fallback` if nothing
/// is left.
pub(super) fn label(text: &str, fallback: &str) -> String {
    let mut label = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        if label.len() >= 40 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            label.push(c);
        } else if !label.is_empty() && !label.ends_with('-') {
            label.push('-');
        }
    }
    let label = label.trim_end_matches('-');
    if label.is_empty() {
        fallback.to_owned()
    } else {
        label.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_that_ends_a_line_is_left() {
        assert_eq!(
            line("a\r\nBcc: x@y\0\u{85}\u{2028}b\u{202E}c\td", 100),
            "a Bcc: x@y b c d"
        );
        assert_eq!(line(" \r\n ", 100), "");
        assert_eq!(line("=?utf-8?q?hello?=", 100), "= ?utf-8?q?hello?=");
        assert_eq!(line("one two three", 7), "one two…");
        assert_eq!(line("one two", 7), "one two");
    }

    #[test]
    fn a_label_is_one_of_a_host_name() {
        assert_eq!(label("Kunde Müller & Söhne", "all"), "kunde-m-ller-s-hne");
        assert_eq!(label("-- ** --", "all"), "all");
        assert_eq!(label(&"a-".repeat(100), "all"), "a-".repeat(20).trim_end_matches('-'));
    }

    proptest! {
        #[test]
        fn every_text_becomes_one_line_of_what_is_shown(text in any::<String>(), most in 1_usize..80) {
            let line = line(&text, most);
            prop_assert!(!line.contains(|c: char| c.is_control()) && !line.contains("=?"));
            prop_assert!(line.chars().count() <= most + 2 && line.trim() == line);
        }
    }
}
