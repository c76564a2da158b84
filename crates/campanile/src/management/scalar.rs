//! Texts and flags of a body as clients of the contract may write them: the mapper of the original turns one scalar
//! into another, a number or a flag into a text, and a text or a whole number into a flag.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// A text, or a number or a flag as a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfText).map(Self)
    }
}

struct OfText;

impl Visitor<'_> for OfText {
    type Value = String;

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<String, E> {
        Ok(flag.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("must be a string"))?;
        Ok(number.to_string())
    }
}

/// A flag: `true` and `false`, also as texts, and whole numbers, of which 0 is `false`. An empty text is `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfFlag).map(Self)
    }
}

struct OfFlag;

impl Visitor<'_> for OfFlag {
    type Value = bool;

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("a boolean")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<bool, E> {
        Ok(flag)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        match text.trim() {
            "true" | "True" | "TRUE" => Ok(true),
            "" | "false" | "False" | "FALSE" => Ok(false),
            _ => Err(E::custom("must be true or false")),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
        Ok(number != 0)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<bool, E> {
        Ok(number != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_become_texts() {
        for (json, text) in [
            (r#""a""#, "a"),
            ("5", "5"),
            ("-5", "-5"),
            ("1.5", "1.5"),
            ("true", "true"),
        ] {
            let read: Text = serde_json::from_str(json).unwrap();
            assert_eq!(read.0, text);
        }
        for json in ["[]", "{}", "null"] {
            assert!(serde_json::from_str::<Text>(json).is_err(), "{json}");
        }
        assert_eq!(serde_json::from_str::<Option<Text>>("null").unwrap(), None);
    }

    #[test]
    fn scalars_become_flags() {
        for (json, flag) in [
            ("true", true),
            (r#"" True ""#, true),
            ("1", true),
            ("-1", true),
            ("false", false),
            (r#""FALSE""#, false),
            (r#""""#, false),
            ("0", false),
        ] {
            let read: Flag = serde_json::from_str(json).unwrap();
            assert_eq!(read.0, flag, "{json}");
        }
        for json in ["[]", "{}", "1.5", r#""tRUE""#, r#""yes""#] {
            assert!(serde_json::from_str::<Flag>(json).is_err(), "{json}");
        }
    }
}
