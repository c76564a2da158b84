//! What a request brings to show who sends it: the header `Authorization`, and cookies.

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use http::{HeaderMap, header};

/// What a header `Authorization` says.
#[derive(Debug, PartialEq, Eq)]
pub enum Credentials<'a> {
    /// There is no such header.
    None,
    /// `Bearer`, and what follows.
    Bearer(&'a str),
    /// `Basic`: login and password (RFC 7617, in UTF-8).
    Basic(String, String),
    /// Something that is not understood, which is nobody.
    Other,
}

/// Reads the header `Authorization`.
#[must_use]
pub fn authorization(headers: &HeaderMap) -> Credentials<'_> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Credentials::None;
    };
    let Some((scheme, rest)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return Credentials::Other;
    };
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credentials::Bearer(rest);
    }
    let pair = scheme
        .eq_ignore_ascii_case("basic")
        .then(|| BASE64.decode(rest).ok())
        .flatten();
    let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok());
    match pair.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((login, password)) => Credentials::Basic(login.to_owned(), password.to_owned()),
        None => Credentials::Other,
    }
}

/// The value of a cookie.
#[must_use]
pub fn cookie_value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = cookies
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    pairs.find_map(|(at, value)| (at == name).then_some(value))
}

/// Base64 of RFC 4648, section 4; clients leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Credentials<'static> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        match authorization(&headers) {
            Credentials::Bearer(text) => Credentials::Bearer(text.to_owned().leak()),
            Credentials::Basic(login, password) => Credentials::Basic(login, password),
            Credentials::None => Credentials::None,
            Credentials::Other => Credentials::Other,
        }
    }

    #[test]
    fn schemes_are_read_in_any_case() {
        assert_eq!(read("bEARER cmp_x"), Credentials::Bearer("cmp_x"));
        let basic = |login: &str, password: &str| Credentials::Basic(login.into(), password.into());
        assert_eq!(read("basic YW5uOmE6Yg=="), basic("ann", "a:b"));
        assert_eq!(read("Basic YW5uOmE6Yg"), basic("ann", "a:b"));
        assert_eq!(read("Basic w7x6OsOpw6g="), basic("üz", "éè"));
        assert_eq!(read("Basic Og=="), basic("", ""));
    }

    #[test]
    fn what_is_not_understood_is_nobody() {
        for value in [
            "Bearer",
            "Basic",
            "Basic YW5u",
            "Basic !!!!",
            "Basic /w==",
            "Basic Y",
            "Digest x",
            "",
        ] {
            assert_eq!(read(value), Credentials::Other, "{value}");
        }
        assert_eq!(authorization(&HeaderMap::new()), Credentials::None);
    }

    #[test]
    fn padding_may_be_left_out() {
        for text in ["Og==", "Og=", "Og"] {
            assert_eq!(
                read(&format!("Basic {text}")),
                Credentials::Basic(String::new(), String::new()),
                "{text}"
            );
        }
        assert_eq!(read("Basic Om-v"), Credentials::Other);
    }
}
