//! The token of a log-in: a JWT (RFC 7519) under HS256, whose `jti` names the session's row, so that log-out ends it
//! (decision 31). Pure.

use campanile_core::secret::InstallationKey;
use campanile_core::time::Moment;
use serde::{Deserialize, Serialize};

use crate::jwt::{self, Key};

/// The issuer, as clients know it.
const ISSUER: &str = "gravitee-management-auth";
/// The one header that is signed, and understood.
const HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;
/// Characters of a token at most: what is longer is refused unread.
const LIMIT: usize = 16 << 10;
/// Bytes of the claims of a token that is made, at most: it goes into a cookie, and browsers keep none over 4 KB with
/// its name, as many a proxy takes no longer header.
const CLAIMS: usize = 2_800;

/// What a client may want to know of who is signed in. It decides nothing: rights are read at each request.
#[derive(Debug, Serialize)]
pub(super) struct About {
    /// The id of the user.
    pub(super) sub: String,
    /// The roles held, as many as there is room for.
    pub(super) permissions: Vec<Authority>,
    /// The email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) firstname: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lastname: Option<String>,
    /// The organization.
    pub(super) org: &'static str,
}

/// A role as the contract writes it: `ENVIRONMENT:ADMIN`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Authority {
    /// Scope and name.
    pub(super) authority: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    #[serde(flatten)]
    about: &'a About,
    jti: &'a str,
    iat: i64,
    exp: i64,
}

/// What is believed of a token.
#[derive(Deserialize)]
struct Believed {
    iss: String,
    jti: String,
    exp: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// The token of a session, from `now` until the session ends.
#[must_use]
pub(super) fn sign(key: &InstallationKey, about: &mut About, session: &str, now: Moment, until: Moment) -> String {
    let all = std::mem::take(&mut about.permissions);
    let claims = |about: &About| {
        json(&Claims {
            iss: ISSUER,
            about,
            jti: session,
            iat: now.0.div_euclid(1_000),
            exp: until.0.div_euclid(1_000),
        })
    };
    let mut left = CLAIMS.saturating_sub(claims(about).len());
    let fits = |authority: &Authority| {
        // With the comma.
        let bytes = json(authority).len() + 1;
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    };
    about.permissions = all.into_iter().take_while(fits).collect();
    jwt::signed(HEADER, &claims(about), |signed| jwt::hs256(&signing_key(key), signed))
}

/// The public name of the session of a token that we signed and whose time is not over.
#[must_use]
pub(super) fn session(key: &InstallationKey, token: &str, now: Moment) -> Option<String> {
    let parts = jwt::parts(token, LIMIT)?;
    if !parts.is_signed_by(Key::Hs256(&signing_key(key))) {
        return None;
    }
    let (header, claims): (Header, Believed) = (parts.header()?, parts.claims()?);
    let holds = header.alg == "HS256" && claims.iss == ISSUER && now.0 < claims.exp.saturating_mul(1_000);
    holds.then_some(claims.jti)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers always serialise")
}

fn signing_key(key: &InstallationKey) -> [u8; 32] {
    key.derive("console messaging jwt", &[])
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const NOW: Moment = Moment(1_700_000_000_500);
    const END: Moment = Moment(1_700_000_060_500);

    fn key(text: &str) -> InstallationKey {
        InstallationKey::from_text(&text.repeat(32)).unwrap()
    }

    fn token() -> String {
        sign(&key("k"), &mut about(&["ENVIRONMENT:ADMIN"]), "a session", NOW, END)
    }

    fn about(authorities: &[&str]) -> About {
        let authority = |name: &&str| Authority {
            authority: (*name).to_owned(),
        };
        About {
            sub: "u-ann".into(),
            permissions: authorities.iter().map(authority).collect(),
            email: None,
            firstname: Some("Ann".into()),
            lastname: None,
            org: "DEFAULT",
        }
    }

    /// The same token with another part.
    fn with(part: usize, text: &[u8]) -> String {
        let token = token();
        let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        parts[part] = URL_SAFE_NO_PAD.encode(text);
        parts.join(".")
    }

    #[test]
    fn a_token_says_who_and_until_when() {
        let token = token();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let wanted = concat!(
            r#"{"iss":"gravitee-management-auth","sub":"u-ann","permissions":[{"authority":"ENVIRONMENT:ADMIN"}],"#,
            r#""firstname":"Ann","org":"DEFAULT","jti":"a session","iat":1700000000,"exp":1700000060}"#,
        );
        assert_eq!(String::from_utf8(claims).unwrap(), wanted);
        assert_eq!(session(&key("k"), &token, NOW).as_deref(), Some("a session"));
        assert_eq!(
            session(&key("k"), &token, Moment(1_700_000_059_999)).as_deref(),
            Some("a session")
        );
        assert_eq!(session(&key("k"), &token, Moment(1_700_000_060_000)), None);
    }

    #[test]
    fn of_many_roles_it_tells_as_many_as_a_cookie_holds() {
        let names = vec!["ENVIRONMENT:QUITE_A_LONG_NAME_OF_A_ROLE"; 5_000];
        let mut about = about(&names);
        let token = sign(&key("k"), &mut about, "a session", NOW, END);
        assert!((3_700..3_900).contains(&token.len()), "{}", token.len());
        assert!(session(&key("k"), &token, NOW).is_some());
    }

    #[test]
    fn what_we_did_not_sign_is_nothing() {
        let (token, ours) = (token(), key("k"));
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        let none = with(0, br#"{"alg":"none"}"#);
        let other = with(
            1,
            br#"{"iss":"gravitee-management-auth","jti":"another","exp":9999999999}"#,
        );
        for forged in [
            unsigned,
            none,
            other,
            with(2, &[0; 32]),
            "a.b.c".into(),
            "..".into(),
            ".".into(),
        ] {
            assert_eq!(session(&ours, &forged, NOW), None, "{forged}");
        }
        assert_eq!(session(&key("l"), &token, NOW), None);
    }

    #[test]
    fn another_algorithm_is_refused_even_if_it_is_signed() {
        let claims = br#"{"iss":"gravitee-management-auth","jti":"x","exp":9999999999}"#;
        let signing = signing_key(&key("k"));
        let token = jwt::signed(br#"{"alg":"none"}"#, claims, |signed| jwt::hs256(&signing, signed));
        assert_eq!(session(&key("k"), &token, NOW), None);
    }
}
