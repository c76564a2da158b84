//! The four style tags.

use super::*;

#[test]
fn the_four_tags() {
    assert_eq!(
        tags("[b]x[/b] [i]y[/i] [ib]z[/ib]"),
        "<strong>x</strong> <em>y</em> <strong><em>z</em></strong>"
    );
    assert_eq!(tags("[link=\"https://x.y\"]t[/link]"), link("https://x.y", "t"));
    assert_eq!(
        tags_plain("[b]x[/b] [link=\"https://x.y\"]t[/link]"),
        "x t (https://x.y)"
    );
}

#[test]
fn case_does_not_matter() {
    assert_eq!(
        tags("[B]x[/b] [Ib]y[/iB]"),
        "<strong>x</strong> <strong><em>y</em></strong>"
    );
    assert_eq!(tags("[LINK=\"HTTPS://x.y\"]t[/Link]"), link("HTTPS://x.y", "t"));
}

#[test]
fn the_quotes_of_an_address_may_be_absent() {
    assert_eq!(tags("[link=https://x.y]t[/link]"), link("https://x.y", "t"));
}

#[test]
fn an_address_in_quotes_may_hold_brackets() {
    assert_eq!(tags("[link=\"http://[::1]/\"]t[/link]"), link("http://[::1]/", "t"));
}

#[test]
fn line_breaks_are_kept() {
    assert_eq!(tags("a\nb\r\n\nc"), "a<br>b<br><br>c");
    assert_eq!(tags_plain("a\n  b\n\nc\n"), "a\n  b\n\nc");
}

#[test]
fn tags_nest() {
    assert_eq!(
        tags("[b]x [i]y[/i] [b]z[/b][/b]"),
        "<strong>x <em>y</em> <strong>z</strong></strong>"
    );
    assert_eq!(tags("[b][link=\"https://x.y\"][i]t[/i][/link][/b]"), {
        format!("<strong>{}</strong>", link("https://x.y", "<em>t</em>"))
    });
}

#[test]
fn unclosed_and_unopened_tags_are_text() {
    for typed in ["[b]x", "x[/b]", "[/b]x[b]", "[i][ib]x[/b]", "[link=https://x.y]t"] {
        assert_eq!(tags(typed), typed);
    }
    assert_eq!(tags("[b]x [i]y[/b]"), "<strong>x [i]y</strong>");
    assert_eq!(
        tags(&format!("{}[b]x[/b]", "[i]".repeat(100))),
        format!("{}<strong>x</strong>", "[i]".repeat(100))
    );
}

#[test]
fn of_crossed_tags_the_first_counts() {
    assert_eq!(tags("[b]x[i]y[/b]z[/i]"), "<strong>x[i]y</strong>z[/i]");
}

#[test]
fn unknown_and_malformed_tags_are_text() {
    for typed in [
        "[u]x[/u]",
        "[b ]x[/b ]",
        "[ b]x[/ b]",
        "[b=1]x[/b=1]",
        "[link]x[/link]",
        "[/link=https://x]",
        "[url=https://x]y[/url]",
        "[]",
        "[",
        "[/",
        "[bold]x[/bold]",
        "[link=https://x",
    ] {
        assert_eq!(tags(typed), typed);
        assert_eq!(tags_plain(typed), typed);
    }
    assert_eq!(tags_plain("[link=\"https://x]y[/link]"), "[link=\"https://x]y[/link]");
}

#[test]
fn markdown_is_text() {
    assert_eq!(tags("**a** [b](https://x)\n- c"), "**a** [b](https://x)<br>- c");
}

#[test]
fn other_targets_leave_the_link_as_typed() {
    for address in [
        "javascript:x",
        " JaVaScRiPt:x",
        "java\tscript:x",
        "data:x",
        "/a",
        "https:x",
        "",
        "x",
    ] {
        let typed = format!("[link=\"{address}\"]t[/link]");
        assert_eq!(tags_plain(&typed), typed);
        assert!(!tags(&typed).contains("<a"), "{typed}");
    }
}

#[test]
fn a_refused_link_does_not_close_the_one_around_it() {
    assert_eq!(
        tags("[link=https://x.y]a[link=x:y]b[/link]c[/link]"),
        link("https://x.y", "a[link=x:y]b[/link]c")
    );
}

#[test]
fn a_link_in_a_link_stays_as_typed() {
    assert_eq!(
        tags("[link=https://x]a[link=https://y]b[/link]c[/link][link=https://z]d[/link]"),
        format!(
            "{}{}",
            link("https://x", "a[link=https://y]b[/link]c"),
            link("https://z", "d")
        )
    );
}

#[test]
fn white_space_and_hidden_characters_of_an_address_go() {
    assert_eq!(
        tags("[link=\" ht\ttps://x\u{202e}.y \"]t[/link]"),
        link("https://x.y", "t")
    );
}

#[test]
fn text_and_addresses_are_escaped() {
    assert_eq!(tags("<b>&amp;\"'"), "&lt;b&gt;&amp;amp;&quot;&#39;");
    assert_eq!(
        tags("[link=https://x?a&b='<]t[/link]"),
        link("https://x?a&amp;b=&#39;&lt;", "t")
    );
}
