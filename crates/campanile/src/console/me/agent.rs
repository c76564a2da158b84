//! What a client calls itself, in plain words: `Firefox on Linux`.
//!
//! For people to recognise their own devices by; nothing else is decided by it.

use crate::console::words::Words;

/// Programs by a mark of theirs. Most browsers also carry the marks of those that came before them: the order counts.
const PROGRAMS: [(&str, &str); 10] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// Systems by a mark of theirs; Android is a Linux and an iPhone is like a Mac.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// A client in words.
#[must_use]
pub(super) fn named(words: Words, agent: &str) -> String {
    let find = |marks: &[(&str, &'static str)]| {
        let found = marks.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    // One that we do not know is called what it calls itself first.
    let first = agent.split(['/', ' ']).next().filter(|name| !name.is_empty());
    let Some(program) = find(&PROGRAMS).or(first) else {
        return words.t("agent-unknown");
    };
    match find(&SYSTEMS) {
        Some(system) => words.with("agent-on", [("program", program.into()), ("system", system.into())]),
        None => program.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_called_what_people_call_them() {
        let words = Words::choose(None, None);
        let cases = [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl"),
            ("ticker/2 (nightly)", "ticker"),
            ("", "Unknown client"),
        ];
        for (agent, name) in cases {
            assert_eq!(named(words, agent), name);
        }
    }
}
