//! What holds for every text, whatever it is.

use proptest::prelude::*;

use super::super::{Format, MAX_NESTING, excerpt, html, is_hidden, plain};
use super::{FORMATS, md_plain, staircase};

/// Most bytes of output for a byte of input: an empty list of one item each for `-` and a line break is the worst.
const MOST_GROWTH: usize = 10;

/// Whether a fragment holds nothing but what [`html`] promises.
fn check(fragment: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = fragment;
    while let Some(c) = rest.chars().next() {
        if c == '<' {
            let (tag, behind) = rest[1..].split_once('>').ok_or("a tag without end")?;
            check_tag(tag, &mut open)?;
            rest = behind;
            continue;
        }
        let text = &rest[..rest.find('<').unwrap_or(rest.len())];
        check_escaped(text)?;
        if matches!(open.last(), Some(&("ul" | "ol"))) {
            return Err(format!("text between items: {text:?}"));
        }
        rest = &rest[text.len()..];
    }
    if open.is_empty() {
        Ok(())
    } else {
        Err(format!("open: {open:?}"))
    }
}

fn check_tag<'a>(tag: &'a str, open: &mut Vec<&'a str>) -> Result<(), String> {
    if let Some(name) = tag.strip_prefix('/') {
        return if open.pop() == Some(name) {
            Ok(())
        } else {
            Err(format!("</{name}> does not fit"))
        };
    }
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    let parent = open.last().copied().unwrap_or_default();
    let fits = match name {
        "p" | "ul" | "ol" => matches!(parent, "" | "li"),
        "li" => matches!(parent, "ul" | "ol"),
        "br" | "strong" | "em" => !matches!(parent, "ul" | "ol"),
        "a" => !matches!(parent, "ul" | "ol") && !open.contains(&"a"),
        _ => false,
    };
    let allowed = match (name, attributes) {
        ("ol", _) if !attributes.is_empty() => attributes
            .strip_prefix("start=\"")
            .and_then(|value| value.strip_suffix('"'))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())),
        ("a", _) => check_link(attributes)?,
        _ => attributes.is_empty(),
    };
    if !fits || !allowed {
        return Err(format!("<{tag}> in <{parent}>"));
    }
    if name != "br" {
        open.push(name);
    }
    if open.len() > MAX_NESTING * 2 {
        Err("too deep".to_owned())
    } else {
        Ok(())
    }
}

fn check_link(attributes: &str) -> Result<bool, String> {
    let value = attributes.strip_prefix("href=\"").ok_or("no href first")?;
    let (address, behind) = value.split_once('"').ok_or("no end of href")?;
    check_escaped(address)?;
    if address.contains(['\n', '\t']) {
        return Err(format!("white space in {address:?}"));
    }
    let lower = address.to_ascii_lowercase();
    Ok(match behind {
        " rel=\"noopener noreferrer nofollow\" target=\"_blank\"" => {
            lower.starts_with("http://") || lower.starts_with("https://")
        }
        " rel=\"noopener noreferrer nofollow\"" => lower.starts_with("mailto:"),
        _ => false,
    })
}

fn check_escaped(text: &str) -> Result<(), String> {
    if text.contains(['<', '>', '"', '\'']) {
        return Err(format!("not escaped: {text:?}"));
    }
    if text.contains(|c| c != '\t' && is_hidden(c)) {
        return Err(format!("a hidden character in {text:?}"));
    }
    let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    match text
        .split('&')
        .skip(1)
        .find(|behind| !known.iter().any(|entity| behind.starts_with(entity)))
    {
        Some(behind) => Err(format!("a bare & before {behind:?}")),
        None => Ok(()),
    }
}

#[test]
fn the_checker_refuses_what_it_must() {
    for wrong in [
        "<b>x</b>",
        "<p>",
        "</p>",
        "<p><em></p></em>",
        "<p class=\"x\">y</p>",
        "<p><p>x</p></p>",
        "<ul>x</ul>",
        "<li>x</li>",
        "a > b",
        "a & b",
        "a &nbsp; b",
        "\"",
        "\u{202e}",
        "\n",
        "<a href=\"javascript:x\" rel=\"noopener noreferrer nofollow\">y</a>",
        "<a href=\"https://x\">y</a>",
        "<a href=\"https://x\" onclick=\"y\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">y</a>",
        "<ol start=\"x\"></ol>",
        "<img src=\"x\">",
    ] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        check("<p>a<br><strong>b</strong> &amp; c</p><ol start=\"2\"><li>d</li></ol>"),
        Ok(())
    );
}

/// Marks of both formats, and what has broken cleaners before.
const HOSTILE: &str = r#"
    * ** *** _ __ ` `` ``` ~~~ \ | [ ] ( ) ]( ![ [a]: < > " ' & # === ---
    &amp; &#106; &#x202e; &colon; &Tab;
    [b] [/b] [i] [/i] [ib] [/ib] [/link] [LINK=" [link= "] [link="https://x.y"] [link=https://x.y] [link="javascript:x"]
    ](https://x.y) ](javascript:x) ](<https://x>) <https://x.y> <javascript:x> <mailto:a@b> <a@b.c>
    javascript: https:// http: mailto: data:text/html,
    <svg/onload=alert(1)> <script> </script> <!-- --> <![CDATA[ ]]> <? <img/src=x/onerror="y"> </p> <a/href="
    é 😀 word x
"#;

/// More of it, with what is not seen.
const UNSEEN: &[&str] = &[
    "\n",
    "\n\n",
    "\r",
    " ",
    "  ",
    "    ",
    "\t",
    "- ",
    "-\n",
    "+ ",
    "* ",
    "1. ",
    "7) ",
    "# ",
    "> ",
    "---\n",
    "===\n",
    "<div>\n",
    "<a href=\"",
    "<!-- ",
    "\u{0}",
    "\u{1}",
    "\u{1b}",
    "\u{85}",
    "\u{202e}",
    "\u{2066}",
    "\u{2028}",
    "\u{200d}",
    "\u{feff}",
];

fn hostile() -> Vec<&'static str> {
    HOSTILE.split_whitespace().chain(UNSEEN.iter().copied()).collect()
}

/// Hostile parts that make no link with a target of its own, no escape and no line break that is not kept.
fn typed_without_targets() -> impl Strategy<Value = String> {
    let parts: Vec<&str> = hostile()
        .into_iter()
        .filter(|part| !part.contains(['(', '\\']))
        .collect();
    prop::collection::vec(prop::sample::select(parts), 0..40).prop_map(|parts| parts.concat())
}

fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => any::<String>(),
        4 => prop::collection::vec(prop::sample::select(hostile()), 0..60).prop_map(|parts| parts.concat()),
    ]
}

fn format() -> impl Strategy<Value = Format> {
    prop::sample::select(FORMATS.as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn html_holds_only_what_it_promises(format in format(), text in typed()) {
        let fragment = html(format, &text);
        prop_assert_eq!(check(&fragment), Ok(()), "{}", fragment);
    }

    #[test]
    fn plain_text_holds_no_hidden_character(format in format(), text in typed()) {
        let shown = plain(format, &text);
        prop_assert!(!shown.contains(|c| is_hidden(c) && c != '\n' && c != '\t'), "{:?}", shown);
    }

    #[test]
    fn an_excerpt_is_a_line_of_at_most_its_length(format in format(), text in typed(), most in 0_usize..80) {
        let line = excerpt(format, &text, most);
        prop_assert!(line.chars().count() <= most);
        prop_assert!(!line.contains(is_hidden), "{:?}", line);
        let whole = excerpt(format, &text, usize::MAX);
        match line.strip_suffix('…').filter(|_| line != whole) {
            Some(start) => prop_assert!(whole.starts_with(start) && whole.chars().count() > most),
            None => prop_assert!(line == whole || most == 0),
        }
    }

    #[test]
    fn words_without_marks_stay_as_they_are(
        format in format(),
        lines in prop::collection::vec(prop::collection::vec("[a-zA-Zäé😀,;:?%=/]{1,9}", 1..9), 1..6),
    ) {
        // A line of `=` alone, with a line before it, is a heading: shown the same, but in a paragraph of its own.
        let lines: Vec<String> = lines.iter().map(|words| format!("w{}", words.join(" "))).collect();
        let text = lines.join("\n");
        prop_assert_eq!(plain(format, &text), text.clone());
        let shown = lines.join("<br>");
        let expected = if format == Format::Markdown { format!("<p>{shown}</p>") } else { shown };
        prop_assert_eq!(html(format, &text), expected);
    }

    #[test]
    fn markdown_loses_no_letter(text in typed_without_targets()) {
        let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
        let shown = md_plain(&text);
        prop_assert_eq!(letters(&shown), letters(&text), "{:?}", shown);
    }
}

#[test]
fn the_longest_text_stays_bounded_and_safe_whatever_it_repeats() {
    const LONGEST: usize = 64 * 1024;
    let nested = |open: &str, close: &str| {
        let times = LONGEST / (open.len() + close.len());
        format!("{}{}", open.repeat(times), close.repeat(times))
    };
    let mut texts = vec![
        nested("[b]", "[/b]"),
        nested("[", "](https://x)"),
        nested("*a ", " a*"),
        nested("**a *b ", "* **"),
        // Every open list would be asked about every line.
        format!("{}{}", "- ".repeat(LONGEST / 4), "\n".repeat(LONGEST / 2)),
        format!("{}{}", "> ".repeat(LONGEST / 4), "\n> a".repeat(LONGEST / 8)),
        staircase(250),
    ];
    let repeated = [
        "[b]",
        "[ib]",
        "[link=\"http://a",
        "[link=http://a",
        "[",
        "- ",
        "+\n-\n",
        "2)\n1.\n",
        "*_",
        "a*_ ",
        "[a](",
        "![a](",
        "<a a=\"",
        "<!--",
        "<?",
        "``a`",
        "&amp;",
        "\"",
        "[](http://x)",
        "a\n\n",
        "[a]: b\n",
    ];
    texts.extend(repeated.iter().map(|part| part.repeat(LONGEST / part.len())));
    for text in texts {
        for format in FORMATS {
            let start: String = text.chars().take(12).collect();
            let fragment = html(format, &text);
            assert_eq!(check(&fragment), Ok(()), "{format:?} {start:?}");
            let most = text.len() * MOST_GROWTH;
            assert!(fragment.len() <= most, "{format:?} {start:?}: {}", fragment.len());
            let shown = plain(format, &text).len();
            assert!(shown <= most, "{format:?} {start:?}: {shown}");
        }
    }
}
