//! The texts are complete, and what is said is found.

use std::collections::BTreeSet;

use super::*;

fn keys(tag: &str) -> BTreeSet<String> {
    let folder = format!("{}/locales/{tag}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let texts: Vec<String> = texts.collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let keys = lines.filter(|line| line.starts_with(|char: char| char.is_ascii_lowercase()));
    keys.map(|line| line.split_once(" =").unwrap().0.to_owned()).collect()
}

fn files(folder: &std::path::Path, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The texts that code and templates ask for by name. A name that is put together says so with a `family`.
fn used() -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    files(&root.join("src/console"), &mut sources);
    files(&root.join("templates/console"), &mut sources);
    let mut used = BTreeSet::new();
    for call in [".t(\"", ".n(\"", ".s(\"", ".with(\"", ".around(\""] {
        let found = sources.iter().flat_map(|source| source.split(call).skip(1));
        used.extend(found.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    used
}

#[test]
fn every_language_has_every_text() {
    let english: BTreeSet<String> = keys("en").into_iter().collect();
    let missing: Vec<_> = english.difference(&keys("de")).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "texts that German lacks");
    // Refusals are in English already.
    let refusals = include_str!("../../../locales/de/refusals.ftl");
    let more: Vec<_> = keys("de")
        .difference(&english)
        .filter(|key| !refusals.contains(&format!("\n{key} =")))
        .cloned()
        .collect();
    assert_eq!(more, Vec::<String>::new(), "texts that English lacks");
}

#[test]
fn every_text_that_is_asked_for_is_there() {
    let there = keys("en");
    let missing: Vec<_> = used().into_iter().filter(|key| !there.contains(key)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn no_text_is_given_twice_and_every_file_reads() {
    assert_eq!(Language::all().len(), 2);
}

#[test]
fn the_language_is_the_persons_then_the_browsers_then_english() {
    let chosen = |person, accepted| Words::choose(person, accepted).tag();
    assert_eq!(chosen(Some("de-AT"), Some("en")), "de");
    assert_eq!(chosen(Some("fr"), Some("fr, en;q=0.5, de;q=0.8")), "de");
    assert_eq!(chosen(None, Some("nonsense;q=x")), "en");
    assert_eq!(chosen(None, None), "en");
}

#[test]
fn numbers_are_readable() {
    let german = Words::choose(Some("de"), None);
    assert_eq!(
        [0, 999, 1_000, 1_284_000].map(|n| german.number(n)),
        ["0", "999", "1.000", "1.284.000"]
    );
}

#[test]
fn a_refusal_is_found_by_its_own_words() {
    let german = Words::choose(Some("de"), None);
    let cases = [
        ("is longer than 1,000 characters", "ist länger als 1,000 Zeichen"),
        ("must be 1 to 20", "muss 1 bis 20 sein"),
        ("there is no user u-7", "einen Benutzer u-7 gibt es nicht"),
        (
            "there is no role Night Watch of scope API",
            "eine Rolle Night Watch gibt es im Bereich API nicht",
        ),
        (
            "Łódź is the login of another user",
            "Łódź ist der Anmeldename eines anderen Benutzers",
        ),
        (
            "you lack: API_MESSAGE[CREATE] on this API",
            "Ihnen fehlt: API_MESSAGE[CREATE] an dieser API",
        ),
        (
            "the target cannot be reached (connection refused), as at 9 attempts before",
            "das Ziel ist nicht erreichbar (Verbindung abgelehnt), wie schon bei 9 Versuchen davor",
        ),
        (
            "the relay refused the user and password of smtp_url: 535 5.7.8 no",
            "das Relay lehnte ab: Benutzer und Passwort aus smtp_url: 535 5.7.8 no",
        ),
        (
            "the target leads to a private address, which this server does not post to (CAMPANILE_HTTP_ALLOW)",
            "das Ziel führt zu: eine private Adresse, an die dieser Server nicht sendet (CAMPANILE_HTTP_ALLOW)",
        ),
        (
            "450 4.2.0 mailbox busy; the next try would come too late",
            "450 4.2.0 mailbox busy; der nächste Versuch käme zu spät",
        ),
        ("there is no user ", "there is no user "),
        ("is of another world", "is of another world"),
    ];
    for (english, shown) in cases {
        assert_eq!(german.refusal(english), shown);
    }
}

// ---------------------------------------------------------------- refusals

/// Where a rule or an interface says why not, up to the text itself.
const SAID: [&str; 21] = [
    "faults.add(",
    "faults.require(",
    "Error::field(",
    "Error::Conflict(",
    "Problem::at(",
    "Problem::new(",
    "Self::new(Kind::",
    "whole(",
    " fault(",
    "denied(",
    "holds(",
    "let why =",
    "let reason =",
    "let refusal =",
    "let differs =",
    "let detail =",
    "#[error(",
    "fn plain_reason(",
    "fn held_as(",
    "fn why_not(",
    "fn nearly(",
];
/// Sources that say nothing to people, or say it on a terminal, or to programs of the contracts alone.
const SILENT: [&str; 15] = [
    "/cli",
    "/tests",
    "/config",
    "/demo",
    "/telemetry",
    "/world",
    "/serve",
    "/src/send",
    "/api/docs",
    "/app/",
    "/problem/",
    "/management/",
    "/v3/",
    "/portal/",
    "/live",
];
/// Texts of defects, and parts of texts.
const NO_REFUSAL: [&str; 4] = ["a password came to a transaction", "no such {0}", "; ", "no longer: {}"];
/// What `{word}` stands for.
const NOUNS: [&str; 7] = [
    "user",
    "customer",
    "environment",
    "group",
    "API",
    "application",
    "subscription",
];

/// The texts in quotes from a place on to the end of the call, statement or function that begins there.
fn quoted(source: &str, is_statement: bool) -> Vec<String> {
    let (mut out, mut depth, mut text) = (Vec::new(), 0, None::<String>);
    let mut chars = source.chars();
    while let Some(char) = chars.next() {
        match (&mut text, char) {
            (Some(open), '\\') => match chars.next() {
                // A text goes on behind the blanks of the next line.
                Some('\n') => {
                    let rest = chars.as_str().trim_start();
                    chars = rest.chars();
                }
                other => open.extend(other),
            },
            (Some(_), '"') => out.extend(text.take()),
            (Some(open), other) => open.push(other),
            (None, '"') => text = Some(String::new()),
            (None, '(' | '{' | '[') => depth += 1,
            (None, ')' | '}' | ']') => {
                depth -= 1;
                if depth < 0 || (depth == 0 && !is_statement) {
                    break;
                }
            }
            (None, ';') if depth == 0 => break,
            _ => {}
        }
    }
    out
}

/// Everything that the rules and interfaces say against an input.
fn said() -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["src", "../campanile-core/src"] {
        named_files(&root.join(folder), &mut sources);
    }
    let mut said = BTreeSet::new();
    for (path, source) in sources {
        if SILENT.iter().any(|part| path.contains(part)) {
            continue;
        }
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for call in SAID {
            for (at, _) in code.match_indices(call) {
                // The parameters of a function say nothing.
                let body = if call.starts_with("fn ") {
                    code[at..].find('{')
                } else {
                    None
                };
                let texts = quoted(&code[at + body.unwrap_or_default()..], call.starts_with("let "));
                let forms: &[&str] = match call {
                    "denied(" | "holds(" => &["you lack: {}"],
                    "fn held_as(" => &["{} since 7 o'clock", "no longer: {} until 7 o'clock"],
                    _ => &["{}"],
                };
                let texts = texts
                    .into_iter()
                    .filter(|text| forms[0].starts_with("you") || text.contains(' '));
                let texts = texts.filter(|text| !NO_REFUSAL.iter().any(|no| text.starts_with(no)));
                said.extend(texts.flat_map(|text| forms.iter().map(move |form| form.replacen("{}", &text, 1))));
            }
        }
    }
    said
}

/// Files with their paths.
fn named_files(folder: &std::path::Path, out: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named_files(&path, out);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            out.push((
                path.to_string_lossy().into_owned(),
                std::fs::read_to_string(&path).unwrap(),
            ));
        }
    }
}

/// The text with its places filled: constants by numbers, and the others by this.
fn filled(text: &str, by: &str) -> String {
    let mut parts = text.split('{');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            // As typed: the braces of an example.
            Some((name, _)) if name.contains('"') => {
                out.push('{');
                out.push_str(part);
            }
            Some((name, rest)) => {
                let is_number = name.starts_with(|char: char| char.is_ascii_uppercase());
                out.push_str(if is_number { "1,000" } else { by });
                out.push_str(rest);
            }
            None => out.push_str(part),
        }
    }
    out
}

#[test]
fn german_has_every_refusal() {
    let german = Words::choose(Some("de"), None);
    let all = said();
    assert!(all.len() > 100, "the rules say more than this: {all:?}");
    let is_there = |text: &str| {
        let ways = ["Night Watch", "7"].map(|by| filled(text, by));
        ways.iter().any(|english| german.refusal(english) != *english)
    };
    let nouns = |text: &String| {
        if text.contains("{word}") {
            NOUNS.map(|noun| text.replace("{word}", noun)).to_vec()
        } else {
            vec![text.clone()]
        }
    };
    let missing: Vec<String> = all.iter().flat_map(nouns).filter(|text| !is_there(text)).collect();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "refusals that locales/de/refusals.ftl lacks"
    );
}

// ---------------------------------------------------------------- reasons of deliveries

/// Where deliveries say why they are not there yet, or never will be.
const OF_DELIVERIES: [&str; 21] = [
    "src/deliver/bounce/door.rs",
    "src/deliver/bounce/report.rs",
    "src/deliver/connector.rs",
    "src/deliver/guard.rs",
    "src/deliver/http.rs",
    "src/deliver/mail/address.rs",
    "src/deliver/mailer.rs",
    "src/deliver/mailer/outcome.rs",
    "src/deliver/poster.rs",
    "src/deliver/proxy.rs",
    "src/deliver/smtp/connect.rs",
    "src/deliver/smtp/pool.rs",
    "src/deliver/smtp/stream.rs",
    "src/deliver/smtp/talk.rs",
    "../campanile-core/src/outbox/bounce.rs",
    "../campanile-core/src/outbox/delivery.rs",
    "../campanile-core/src/outbox/endpoint.rs",
    "../campanile-core/src/outbox/reader.rs",
    "../campanile-core/src/outbox/suppression.rs",
    "../campanile-core/src/outbox/target.rs",
    "../campanile-core/src/outbox/wish.rs",
];
/// What stands before a text that is for no reader: of a defect, of a lint.
const FOR_NOBODY: [&str; 3] = ["expect(", "name =", " reason ="];
/// How texts of these files begin that are no reasons: of settings, and of keys.
const NO_REASON: [&str; 5] = [
    "must be an address, or Name",
    "must have no letters",
    "not an address, a block",
    "not a URL such as",
    "webhook id",
];

/// Everything in quotes that reads as words.
fn reasons() -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = BTreeSet::new();
    for file in OF_DELIVERIES {
        let source = std::fs::read_to_string(root.join(file)).unwrap();
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let (head, rest) = code.split_once("sql! {").unwrap_or(("", code));
        let rest = rest
            .split_once("\n}\n")
            .map_or(rest, |(_, rest)| if head.is_empty() { code } else { rest });
        let lines = rest.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        let mut at = 0;
        while let Some(start) = code[at..].find('"').map(|found| at + found) {
            let end = start + 1 + closing(&code[start + 1..]);
            let text = code[start + 1..end].split("\\\n").map(str::trim_start);
            let text: String = text.collect();
            let before = code[..start].trim_end();
            let is_logged = code[..start]
                .rsplit(';')
                .next()
                .is_some_and(|last| last.contains("tracing::"));
            let is_words =
                text.contains(' ') && text.starts_with(|char: char| char.is_ascii_lowercase() || char == '{');
            let is_other = NO_REASON.iter().any(|begin| text.starts_with(begin));
            let is_let = before.ends_with("let reason =");
            let is_for_nobody = !is_let && FOR_NOBODY.iter().any(|part| before.ends_with(part));
            if (is_words || text.starts_with("TLS with")) && !is_other && !is_logged && !is_for_nobody {
                out.insert(text);
            }
            at = end + 1;
        }
    }
    out
}

/// Where a text in quotes ends.
fn closing(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, char)| {
        let is_end = *char == '"' && !escaped;
        escaped = *char == '\\' && !escaped;
        is_end
    });
    end.map_or(text.len(), |(at, _)| at)
}

#[test]
fn german_has_every_reason_of_a_delivery() {
    let german = Words::choose(Some("de"), None);
    let all = reasons();
    assert!(all.len() > 60, "deliveries say more than this: {all:?}");
    let is_there = |text: &&String| {
        let ways = ["Night Watch", "7"].map(|by| filled(text, by));
        ways.iter().any(|english| german.refusal(english) != *english)
    };
    let missing: Vec<&String> = all.iter().filter(|text| !is_there(text)).collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "reasons that locales/de/refusals.ftl lacks"
    );
}
