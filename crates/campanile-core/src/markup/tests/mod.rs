//! What each construct becomes.

mod markdown;
mod properties;
mod style_tags;

use super::{Format, MAX_NESTING, excerpt, html, plain};

const FORMATS: [Format; 2] = [Format::Markdown, Format::StyleTags];

fn md(text: &str) -> String {
    html(Format::Markdown, text)
}

fn md_plain(text: &str) -> String {
    plain(Format::Markdown, text)
}

fn tags(text: &str) -> String {
    html(Format::StyleTags, text)
}

fn tags_plain(text: &str) -> String {
    plain(Format::StyleTags, text)
}

/// A list in a list in a list, a line each.
fn staircase(lists: usize) -> String {
    let lines: Vec<String> = (0..lists).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect();
    lines.concat()
}

/// A link to an `http` or `https` address without anything to escape.
fn link(address: &str, text: &str) -> String {
    format!("<a href=\"{address}\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">{text}</a>")
}

mod format {
    use super::*;

    #[test]
    fn is_stored_as_a_number_and_sent_as_a_word() {
        for (format, code, word) in [
            (Format::Markdown, 0, "\"markdown\""),
            (Format::StyleTags, 1, "\"style-tags\""),
        ] {
            assert_eq!(format.code(), code);
            assert_eq!(Format::from_code(code), Some(format));
            assert_eq!(serde_json::to_string(&format).expect("a word"), word);
            assert_eq!(serde_json::from_str::<Format>(word).expect("the same word"), format);
        }
        assert_eq!(Format::from_code(2), None);
        assert_eq!(Format::from_code(-1), None);
    }
}

mod both_formats {
    use super::*;

    #[test]
    fn hidden_characters_are_dropped() {
        for format in FORMATS {
            let typed = "a\u{0}b\u{7}c\u{1b}d\u{7f}e\u{85}f\u{9b}g\u{202a}h\u{202e}i\u{2066}j\u{2069}k\tl\u{200f}m";
            assert_eq!(plain(format, typed), "abcdefghijk\tl\u{200f}m");
            assert!(html(format, typed).contains("abcdefghijk\tl\u{200f}m"));
        }
    }

    #[test]
    fn a_hidden_character_does_not_hide_a_mark() {
        assert_eq!(md("*\u{202e}*a**"), "<p><strong>a</strong></p>");
        assert_eq!(tags("[\u{0}b]a[/b]"), "<strong>a</strong>");
    }

    #[test]
    fn nothing_gives_nothing() {
        for format in FORMATS {
            for text in ["", " \n\t\n", "\u{0}"] {
                assert_eq!(plain(format, text), "");
                assert_eq!(excerpt(format, text, 10), "");
            }
            assert_eq!(html(format, ""), "");
        }
    }

    #[test]
    fn nesting_ends_at_the_limit_and_the_rest_is_text() {
        let deep = format!("{}x{}", "[b]".repeat(40), "[/b]".repeat(40));
        let over = 40 - MAX_NESTING;
        assert_eq!(
            tags(&deep),
            format!(
                "{}{}x{}{}",
                "<strong>".repeat(MAX_NESTING),
                "[b]".repeat(over),
                "[/b]".repeat(over),
                "</strong>".repeat(MAX_NESTING)
            )
        );
        let on_one_line = format!("{}x", "- ".repeat(40));
        assert_eq!(md(&on_one_line).matches("<ul>").count(), MAX_NESTING / 2);
        assert!(md(&on_one_line).contains("<li>- - - "));
        let by_indentation = staircase(40);
        assert_eq!(md(&by_indentation).matches("<ul>").count(), MAX_NESTING / 2);
        assert!(md(&by_indentation).contains("<br>- a"));
        let marks = md(&format!("{}x{}", "*a **b ".repeat(40), " c** d*".repeat(40)));
        // The paragraph is one level too.
        assert_eq!(
            marks.matches("<em>").count() + marks.matches("<strong>").count(),
            MAX_NESTING - 1
        );
        assert!(marks.contains("<em>a **b *a **b "), "{marks}");
    }
}

mod excerpts {
    use super::*;

    #[test]
    fn a_short_text_is_kept_in_one_line() {
        assert_eq!(excerpt(Format::Markdown, "**a**\n\nb\nc", 9), "a b c");
    }

    #[test]
    fn of_a_link_its_words_are_shown_and_of_a_bare_one_its_address() {
        let shown = |typed| excerpt(Format::Markdown, typed, 100);
        assert_eq!(
            shown("see [the *plan*](https://example.com/x), please"),
            "see the plan, please"
        );
        assert_eq!(shown("<https://example.com/x>"), "https://example.com/x");
        assert_eq!(shown("[](https://example.com/x)"), "https://example.com/x");
        let tags = "see [link=\"https://example.com/x\"]the plan[/link]";
        assert_eq!(excerpt(Format::StyleTags, tags, 100), "see the plan");
    }

    #[test]
    fn items_of_a_list_are_told_apart_without_their_marks() {
        let shown = |typed| excerpt(Format::Markdown, typed, 100);
        assert_eq!(
            shown("Do:\n\n- stop\n- start\n  1. it\n  2. them\n- look\n\nBye"),
            "Do: stop · start it · them · look Bye"
        );
    }

    #[test]
    fn a_long_text_is_cut_after_a_word() {
        assert_eq!(
            excerpt(Format::Markdown, "Maintenance tonight at ten", 22),
            "Maintenance tonight…"
        );
        assert_eq!(
            excerpt(Format::Markdown, "Maintenance tonight at ten", 20),
            "Maintenance tonight…"
        );
    }

    #[test]
    fn a_long_word_is_cut_inside() {
        assert_eq!(excerpt(Format::StyleTags, "a Donaudampfschiff", 10), "a Donauda…");
        assert_eq!(excerpt(Format::StyleTags, "äöüßéèêëñ", 4), "äöü…");
    }

    #[test]
    fn the_smallest_lengths() {
        assert_eq!(excerpt(Format::Markdown, "ab", 0), "");
        assert_eq!(excerpt(Format::Markdown, "ab", 1), "…");
        assert_eq!(excerpt(Format::Markdown, "ab", 2), "ab");
    }
}
