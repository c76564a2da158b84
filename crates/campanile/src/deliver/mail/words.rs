//! The few texts of a mail and of a push message that are ours, in the reader's language: the Fluent files
//! `locales/*/mail.ftl` and `locales/*/push.ftl`.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

struct Language {
    tag: &'static str,
    bundle: FluentBundle<FluentResource>,
}

static LANGUAGES: LazyLock<[Language; 2]> = LazyLock::new(|| {
    [
        language(
            "en",
            [
                include_str!("../../../locales/en/mail.ftl"),
                include_str!("../../../locales/en/push.ftl"),
            ],
        ),
        language(
            "de",
            [
                include_str!("../../../locales/de/mail.ftl"),
                include_str!("../../../locales/de/push.ftl"),
            ],
        ),
    ]
});

fn language(tag: &'static str, files: [&str; 2]) -> Language {
    let id: LanguageIdentifier = tag.parse().expect("a tag of ours");
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // The marks would stand in headers and plain text, where nothing needs them.
    bundle.set_use_isolating(false);
    for texts in files {
        let texts = FluentResource::try_new(texts.to_owned()).expect("a test reads every file");
        bundle.add_resource(texts).expect("a test looks for texts given twice");
    }
    Language { tag, bundle }
}

/// The texts in one language.
#[derive(Clone, Copy)]
pub(in crate::deliver) struct Words(&'static Language);

impl Words {
    /// In the language of a tag, whatever its region; else in English.
    pub(in crate::deliver) fn of(tag: Option<&str>) -> Self {
        let primary = tag.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
        let known = LANGUAGES
            .iter()
            .find(|language| language.tag.eq_ignore_ascii_case(primary));
        Self(known.unwrap_or(&LANGUAGES[0]))
    }

    pub(in crate::deliver) fn tag(self) -> &'static str {
        self.0.tag
    }

    /// A text about `$what`.
    pub(in crate::deliver) fn text(self, key: &str, what: &str) -> String {
        let bundle = &self.0.bundle;
        let mut args = FluentArgs::new();
        args.set("what", what.to_owned());
        let pattern = bundle.get_message(key).and_then(|message| message.value());
        let pattern = pattern.expect("a test looks for every text in every language");
        bundle
            .format_pattern(pattern, Some(&args), &mut Vec::new())
            .into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_every_language() {
        let texts = |tag: &str| {
            let words = Words::of(Some(tag));
            let keys = ["high", "critical", "from", "open", "why", "why-critical", "unsubscribe"];
            let pushed = ["more", "recalled"].map(|key| words.text(&format!("push-{key}"), "x"));
            let mailed = keys.map(|key| words.text(&format!("mail-{key}"), "x"));
            mailed.into_iter().chain(pushed).collect::<Vec<_>>()
        };
        let (english, german) = (texts("en-GB"), texts("de_AT"));
        assert!(
            english
                .iter()
                .zip(&german)
                .all(|(english, german)| english != german || english == "x")
        );
        assert_eq!(texts("fr"), english);
    }
}
