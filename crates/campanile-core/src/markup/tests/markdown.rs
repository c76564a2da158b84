//! The Markdown subset, construct by construct.

use super::*;

#[test]
fn bold_and_italic() {
    assert_eq!(
        md("**bold** __too__ *it* _too_ ***both***"),
        "<p><strong>bold</strong> <strong>too</strong> <em>it</em> <em>too</em> <em><strong>both</strong></em></p>"
    );
    assert_eq!(md_plain("**bold** and *it*"), "bold and it");
}

#[test]
fn names_with_underscores_stay_whole() {
    assert_eq!(
        md("API_MESSAGE_CREATE 2 * 3 * 4"),
        "<p>API_MESSAGE_CREATE 2 * 3 * 4</p>"
    );
}

#[test]
fn line_breaks_are_kept_as_typed() {
    assert_eq!(
        md("one\ntwo  \nthree\\\nfour\r\nfive\rsix"),
        "<p>one<br>two<br>three<br>four<br>five<br>six</p>"
    );
    assert_eq!(md_plain("one\ntwo\r\nthree"), "one\ntwo\nthree");
}

#[test]
fn empty_lines_separate_paragraphs() {
    assert_eq!(md("one\n\n\ntwo"), "<p>one</p><p>two</p>");
    assert_eq!(md_plain("\none\n\n\ntwo\n"), "one\n\ntwo");
}

#[test]
fn bulleted_lists_nest() {
    assert_eq!(
        md("- a\n- b\n  - c\n  - d\n- e"),
        "<ul><li>a</li><li>b<ul><li>c</li><li>d</li></ul></li><li>e</li></ul>"
    );
    assert_eq!(md_plain("- a\n- b\n  - c\n  - d\n- e"), "- a\n- b\n  - c\n  - d\n- e");
}

#[test]
fn numbered_lists_keep_their_first_number() {
    assert_eq!(md("1. a\n2. b"), "<ol><li>a</li><li>b</li></ol>");
    assert_eq!(md("3) a\n4) b"), "<ol start=\"3\"><li>a</li><li>b</li></ol>");
    assert_eq!(md_plain("text\n\n3) a\n4) b\n\ntext"), "text\n\n3. a\n4. b\n\ntext");
}

#[test]
fn an_item_may_hold_paragraphs_and_lines() {
    assert_eq!(
        md("- a\n\n- b\n  c\n\n  d"),
        "<ul><li><p>a</p></li><li><p>b<br>c</p><p>d</p></li></ul>"
    );
    assert_eq!(md_plain("- a\n\n- b\n  c\n\n  d"), "- a\n\n- b\n  c\n\n  d");
}

#[test]
fn items_without_text_and_lists_that_start_at_once_keep_their_marks() {
    assert_eq!(md_plain("- - a\n  - b\n-\n- c"), "- - a\n  - b\n- \n- c");
}

#[test]
fn links_show_their_text() {
    assert_eq!(
        md("[the *docs*](https://x.y/a \"title\")"),
        format!("<p>{}</p>", link("https://x.y/a", "the <em>docs</em>"))
    );
    assert_eq!(
        md_plain("see [the *docs*](https://x.y/a \"title\")."),
        "see the docs (https://x.y/a)."
    );
}

#[test]
fn a_link_whose_text_is_its_address_is_said_once() {
    assert_eq!(
        md_plain("[https://x.y](https://x.y) <https://x.y>"),
        "https://x.y https://x.y"
    );
    assert_eq!(md_plain("[ann@x.y](mailto:ann@x.y)"), "ann@x.y");
}

#[test]
fn a_link_without_text_shows_its_address() {
    assert_eq!(
        md("[](https://x.y)"),
        format!("<p>{}</p>", link("https://x.y", "https://x.y"))
    );
    assert_eq!(md_plain("[](https://x.y)"), "https://x.y");
}

#[test]
fn addresses_in_angle_brackets_are_links_and_bare_ones_text() {
    assert_eq!(
        md("<https://x.y>"),
        format!("<p>{}</p>", link("https://x.y", "https://x.y"))
    );
    assert_eq!(md("https://x.y <ann@x.y>"), "<p>https://x.y &lt;ann@x.y&gt;</p>");
}

#[test]
fn mail_links_open_no_window() {
    assert_eq!(
        md("[Ann](MAILTO:ann@x.y)"),
        "<p><a href=\"MAILTO:ann@x.y\" rel=\"noopener noreferrer nofollow\">Ann</a></p>"
    );
}

#[test]
fn addresses_are_escaped() {
    assert_eq!(
        md("[a](https://x.y/?a=1&b='\"<c>)"),
        format!("<p>{}</p>", link("https://x.y/?a=1&amp;b=&#39;&quot;&lt;c&gt;", "a"))
    );
}

#[test]
fn other_targets_leave_the_link_as_typed() {
    for typed in [
        "[a](javascript:alert`1`)",
        "[a](JaVaScRiPt:x)",
        "[a](java&#115;cript:x)",
        "[a](&#1;javascript:x)",
        "[a](data:text/html;base64,xx)",
        "[a](vbscript:x)",
        "[a](file:///etc/passwd)",
        "[a](//x.y)",
        "[a](/path)",
        "[a](#here)",
        "[a](https:x)",
        "[a](https://)",
        "[a](mailto:)",
        "[a]()",
        "![a](javascript:x)",
    ] {
        assert_eq!(md_plain(typed), typed);
        assert!(!md(typed).contains("<a"), "{typed}");
    }
    assert_eq!(md("<javascript:x>"), "<p>&lt;javascript:x&gt;</p>");
    assert_eq!(md("[*a*](x:y)"), "<p>[<em>a</em>](x:y)</p>");
}

#[test]
fn hidden_characters_of_an_address_go_even_when_written_as_entities() {
    assert_eq!(
        md("[a](https://x&#x202e;.y)"),
        format!("<p>{}</p>", link("https://x.y", "a"))
    );
    assert_eq!(
        md("[a](&#32;https://x.y&#9;)"),
        format!("<p>{}</p>", link("https://x.y", "a"))
    );
}

#[test]
fn html_shows_as_typed() {
    assert_eq!(
        md("<b>x</b> &lt; &copy; AT&T"),
        "<p>&lt;b&gt;x&lt;/b&gt; &amp;lt; &amp;copy; AT&amp;T</p>"
    );
    assert_eq!(
        md("<div>\n**x**\n</div>"),
        "<p>&lt;div&gt;<br><strong>x</strong><br>&lt;/div&gt;</p>"
    );
    assert_eq!(md("<svg/onload=alert(1)>"), "<p>&lt;svg/onload=alert(1)&gt;</p>");
    assert_eq!(md("a <!-- b\n\nc -->"), "<p>a &lt;!-- b</p><p>c --&gt;</p>");
    assert_eq!(md_plain("- <script>x</script>\n<b>"), "- <script>x</script>\n  <b>");
}

#[test]
fn images_become_links() {
    assert_eq!(
        md("![logo](https://x.y/a.png)"),
        format!("<p>{}</p>", link("https://x.y/a.png", "logo"))
    );
    assert_eq!(md_plain("![](https://x.y/a.png)"), "https://x.y/a.png");
}

#[test]
fn a_link_in_a_link_stays_as_typed() {
    assert_eq!(
        md("[![a](https://x.y)](https://z) [b <https://x> c](https://z)"),
        format!(
            "<p>{} {}</p>",
            link("https://z", "![a](https://x.y)"),
            link("https://z", "b &lt;https://x&gt; c")
        )
    );
}

#[test]
fn headings_keep_their_marks() {
    assert_eq!(
        md("## *a* ##\nb\n#1 issue"),
        "<p>## <em>a</em> ##</p><p>b<br>#1 issue</p>"
    );
    assert_eq!(md("a\nb\n---\nc"), "<p>a<br>b<br>---</p><p>c</p>");
    assert_eq!(md_plain("#\n\na\n=="), "#\n\na\n==");
}

#[test]
fn quotes_keep_their_marks() {
    assert_eq!(
        md("> **a**\n> - b\n\nc"),
        "<p>&gt; <strong>a</strong><br>&gt; - b</p><p>c</p>"
    );
    assert_eq!(md("- > a"), "<ul><li>&gt; a</li></ul>");
}

#[test]
fn rules_and_tables_keep_their_marks() {
    let long = "- ".repeat(40);
    assert_eq!(md(&long), format!("<p>{}</p>", long.trim()));
    assert_eq!(
        md("- a\n---\n* * *\nb"),
        "<ul><li>a</li></ul><p>---</p><p>* * *</p><p>b</p>"
    );
    assert_eq!(md("| a | b |\n|---|---|"), "<p>| a | b |<br>|---|---|</p>");
}

#[test]
fn code_keeps_its_marks_and_is_not_read() {
    assert_eq!(
        md("run `rm *.log *.tmp &amp; \\*`"),
        "<p>run `rm *.log *.tmp &amp;amp; \\*`</p>"
    );
    assert_eq!(
        md("```sh\n__a__\n  <b>\n\n- c\n```\nd"),
        "<p>```sh<br>__a__<br>  &lt;b&gt;<br><br>- c<br>```</p><p>d</p>"
    );
    assert_eq!(
        md_plain("- a\n\n  ~~~\n  [b]: c\n    d\n  ~~~"),
        "- a\n\n  ~~~\n  [b]: c\n    d\n  ~~~"
    );
    assert_eq!(md("    *a*\n      b"), "<p>*a*<br>  b</p>");
}

#[test]
fn reference_links_and_their_definitions_show_as_typed() {
    assert_eq!(
        md_plain("[a] [b][a]\n\n[a]: https://x.y 'z'"),
        "[a] [b][a]\n\n[a]: https://x.y 'z'"
    );
    assert_eq!(md_plain("- [a]: https://x.y\n- [a]"), "- [a]: https://x.y\n- [a]");
}

#[test]
fn a_backslash_takes_the_meaning_from_a_mark() {
    assert_eq!(
        md(r"\*a\* \[b](https://x) \<c> C:\dir"),
        r"<p>*a* [b](https://x) &lt;c&gt; C:\dir</p>"
    );
}
