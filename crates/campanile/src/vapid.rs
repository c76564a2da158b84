//! How push services know this installation: a key pair that is made when it is first asked for, and short tokens
//! signed with it (RFC 8292), one for each service and a few hours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campanile_core::outbox::vapid;
use campanile_core::time::Moment;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::app::App;
use crate::chance::Chance;
use crate::jwt;
use crate::problem::Problem;

/// A token is good for so long; RFC 8292, section 2, allows a day.
const GOOD_MS: i64 = 12 * 60 * 60 * 1_000;
/// With less than this left another one is made.
const LEFT_MS: i64 = 60 * 60 * 1_000;
/// Push services whose token is remembered; there are five or so in the world.
const REMEMBERED: usize = 100;

/// The key pair, once it was needed.
#[derive(Debug, Default)]
pub struct Vapid(OnceCell<Arc<Pair>>);

/// A token and until when it is good.
type Token = (String, Moment);

/// A key pair, and the tokens that were signed with it.
#[derive(Debug)]
pub struct Pair {
    key: EcdsaKeyPair,
    subject: Option<String>,
    tokens: Mutex<HashMap<String, Token>>,
}

/// The key pair of this installation; the first one to ask makes it.
///
/// # Errors
/// Those of the database.
pub async fn pair(app: &App) -> Result<Arc<Pair>, Problem> {
    app.vapid.0.get_or_try_init(|| make(app)).await.cloned()
}

async fn make(app: &App) -> Result<Arc<Pair>, Problem> {
    let key = app.key.clone();
    let found = app.db.read(move |tx| vapid::find(tx, &key)).await?;
    let pkcs8 = if let Some(found) = found {
        found
    } else {
        let fresh = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &Chance::blinding());
        let fresh = fresh.map_err(|_| Problem::internal("no key pair can be made"))?;
        let (key, random) = (app.key.clone(), app.chance.bytes());
        let keep = move |tx: &mut campanile_store::Tx<'_>| vapid::keep(tx, &key, fresh.as_ref(), &random);
        app.db.jot(keep).await?
    };
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &Chance::blinding());
    let key = key.map_err(|_| Problem::internal("the stored key pair of push messages is none"))?;
    Ok(Arc::new(Pair {
        key,
        subject: subject(app),
        tokens: Mutex::default(),
    }))
}

/// Where the operator of a push service finds the operator of this installation.
fn subject(app: &App) -> Option<String> {
    if app.is_secure() {
        return Some(app.origin.clone());
    }
    let from = app.settings.mail.from.as_ref()?;
    Some(format!("mailto:{}", from.address))
}

impl Pair {
    /// The public key in base64url, as browsers want it for a subscription.
    #[must_use]
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref())
    }

    /// The value of `Authorization` for a push service.
    #[must_use]
    pub fn authorization(&self, origin: &str, now: Moment) -> String {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tokens.get(origin).filter(|(_, until)| now.plus_ms(LEFT_MS) < *until);
        let token = if let Some((token, _)) = known {
            token.clone()
        } else {
            let until = now.plus_ms(GOOD_MS);
            let token = self.sign(origin, until);
            if tokens.len() >= REMEMBERED {
                tokens.clear();
            }
            tokens.insert(origin.to_owned(), (token.clone(), until));
            token
        };
        format!("vapid t={token}, k={}", self.public())
    }

    fn sign(&self, origin: &str, until: Moment) -> String {
        let mut claims = json!({"aud": origin, "exp": until.0.div_euclid(1_000)});
        if let Some(subject) = &self.subject {
            claims["sub"] = json!(subject);
        }
        jwt::signed(
            br#"{"typ":"JWT","alg":"ES256"}"#,
            claims.to_string().as_bytes(),
            |signed| {
                let signature = self.key.sign(&Chance::blinding(), signed);
                signature.expect("the system gives random bytes")
            },
        )
    }
}
