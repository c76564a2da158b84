//! Applications that embed us: how administrators look after them; `tokens` says who comes by them, `pages` what
//! browsers are told.

mod pages;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campanile::chance::Chance;
use campanile_core::id::PersonId;
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{START, World, each_world};

/// Ann of Acme, whose customer has Shops below it; Sue of Shops; Zoe of Zeta; Abe of none.
const PEOPLE: &str = r#"{"kind":"customer","id":17,"name":"Acme"}
{"kind":"customer","id":18,"name":"Shops","parent":17}
{"kind":"customer","id":19,"name":"Zeta"}
{"kind":"user","id":"u-ann","login":"ann","name":"Ann","customer":17}
{"kind":"user","id":"u-sue","login":"sue","name":"Sue","customer":18}
{"kind":"user","id":"u-zoe","login":"zoe","name":"Zoe","customer":19}
{"kind":"user","id":"u-abe","login":"abe","name":"Abe"}"#;

/// Where the pages of [`Shop`] are.
pub(crate) const ORIGIN: &str = "https://shop.example.com";

/// A site with a key, and people whom it signs in.
pub(crate) struct Shop<'w> {
    pub(crate) admin: Client<'w>,
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) secret: String,
}

impl<'w> Shop<'w> {
    pub(crate) async fn new(world: &'w World) -> Self {
        let shop = Self::bare(world).await;
        let ask = world.post("/api/v1/directory/import").bearer(&shop.admin.token);
        assert_eq!(ask.body(PEOPLE).send().await.is(200).json()["ok"], json!(true));
        shop
    }

    /// The same, without people of its own.
    pub(crate) async fn bare(world: &'w World) -> Self {
        let admin = Client::admin(world).await;
        let new = json!({"name": "Shop", "origins": [ORIGIN]});
        let id = text(&admin.post("/api/v1/sites", &new).await.is(201).json()["id"]);
        let mut shop = Self {
            admin,
            id,
            key: String::new(),
            secret: String::new(),
        };
        (shop.key, shop.secret) = shop.add_key().await;
        shop
    }

    pub(crate) fn path(&self) -> String {
        format!("/api/v1/sites/{}", self.id)
    }

    /// One more key: its name and its secret.
    pub(crate) async fn add_key(&self) -> (String, String) {
        let path = format!("{}/keys", self.path());
        let made = self.admin.post(&path, &json!({"algorithm": "HS256"})).await;
        let made = made.is(201).json();
        (text(&made["id"]), text(&made["secret"]))
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "HS256", "typ": "JWT", "kid": self.key})
    }

    /// A token of somebody.
    pub(crate) fn token(&self, user: &str) -> String {
        self.signed(&self.header(), &claims(user))
    }

    /// What is to be signed, signed by the site's key.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        hs256(self.secret.as_bytes(), header, claims)
    }

    /// Sends a message to somebody; its id.
    pub(crate) async fn publish(&self, user: &str, title: &str) -> Value {
        let message = json!({"title": title, "text": "Text.", "audience": [{"kind": "user", "user": user}]});
        self.admin.post("/api/v1/messages", &message).await.is(201).json()["id"].clone()
    }
}

/// Claims that are good.
pub(crate) fn claims(user: &str) -> Value {
    let now = START.0 / 1_000;
    json!({"sub": user, "aud": "http://campanile.test", "iat": now, "exp": now + 600})
}

pub(crate) fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    compact(header, claims, |signed| hmac::sign(&key, signed).as_ref().to_vec())
}

/// The compact form of a token.
fn compact(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A key pair of a site's own.
struct Pair(EcdsaKeyPair);

impl Pair {
    fn new() -> Self {
        let random = Chance::blinding();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        Self(pair.unwrap())
    }

    /// The public key as a JWK.
    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let number = |at: usize| URL_SAFE_NO_PAD.encode(&point[at..at + 32]);
        json!({"kty": "EC", "crv": "P-256", "x": number(1), "y": number(33)})
    }

    fn token(&self, key: &str, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": key});
        compact(&header, claims, |signed| {
            let signature = self.0.sign(&Chance::blinding(), signed).unwrap();
            signature.as_ref().to_vec()
        })
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[test]
fn a_site_is_made_changed_and_ended() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let made = shop.admin.get(&shop.path()).await.is(200).json();
        assert_eq!(
            [
                &made["name"],
                &made["origins"],
                &made["keys"],
                &made["by"],
                &made["customer"]
            ],
            [
                &json!("Shop"),
                &json!([ORIGIN]),
                &json!(1),
                &json!("Administrator"),
                &json!(null)
            ]
        );
        let change =
            json!({"name": "Shops", "origins": ["HTTPS://B.example:443", "http://localhost:3000"], "customer": 17});
        let changed = shop.admin.patch(&shop.path(), &change).await.is(200).json();
        assert_eq!(
            [
                &changed["name"],
                &changed["origins"],
                &changed["customer"],
                &changed["customer_name"]
            ],
            [
                &json!("Shops"),
                &json!(["http://localhost:3000", "https://b.example"]),
                &json!(17),
                &json!("Acme")
            ]
        );
        let listed = shop.admin.get("/api/v1/sites").await.is(200).json();
        assert_eq!(listed["items"], json!([changed]));
        shop.admin.delete(&shop.path()).await.is(204);
        shop.admin.get(&shop.path()).await.is(404);
        shop.admin.delete(&shop.path()).await.is(404);
        assert_eq!(shop.admin.ids("/api/v1/sites").await, Vec::<Value>::new());
        let again = json!({"name": "shops"});
        shop.admin.post("/api/v1/sites", &again).await.is(201);
    });
}

#[test]
fn sites_are_listed_by_name_a_page_at_a_time() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for name in ["beta", "Alpha", "gamma"] {
            let new = json!({"name": name, "origins": [format!("https://{name}.example")]});
            admin.post("/api/v1/sites", &new).await.is(201);
        }
        let first = admin.get("/api/v1/sites?limit=2").await.is(200).json();
        let names = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().unwrap();
            items.iter().map(|site| text(&site["name"])).collect()
        };
        assert_eq!(names(&first), ["Alpha", "beta"]);
        assert_eq!(first["items"][1]["origins"], json!(["https://beta.example"]));
        let next = format!("/api/v1/sites?limit=2&cursor={}", text(&first["next"]));
        let second = admin.get(&next).await.is(200).json();
        assert_eq!(
            (names(&second), &second["next"]),
            (vec!["gamma".to_owned()], &json!(null))
        );
    });
}

#[test]
fn what_is_wrong_with_a_site_is_named() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let new =
            json!({"name": " ", "customer": 99, "origins": ["https://*.example.com", ORIGIN, "http://x.example"]});
        let refused = shop.admin.post("/api/v1/sites", &new).await.is(422);
        assert_eq!(refused.fields(), ["name", "origins[0]", "origins[2]", "customer"]);
        let refused = shop.admin.post("/api/v1/sites", &json!({"name": "SHOP"})).await.is(422);
        assert_eq!(refused.fields(), ["name"]);
        let many: Vec<_> = (0..21).map(|at| format!("https://{at}.example")).collect();
        let refused = shop.admin.patch(&shop.path(), &json!({"origins": many})).await.is(422);
        assert_eq!(refused.fields(), ["origins"]);
        let same = json!({"name": "Shop"});
        shop.admin.patch(&shop.path(), &same).await.is(200);
        shop.admin.get("/api/v1/sites/nothing").await.is(404);
    });
}

#[test]
fn there_are_a_hundred_sites_at_most() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for at in 0..100 {
            admin
                .post("/api/v1/sites", &json!({"name": format!("site {at}")}))
                .await
                .is(201);
        }
        admin.post("/api/v1/sites", &json!({"name": "one more"})).await.is(409);
    });
}

#[test]
fn a_secret_is_told_once_and_ten_keys_are_good_at_once() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        assert!(
            shop.secret.starts_with("cmpsite_") && shop.secret.len() == 51,
            "{}",
            shop.secret
        );
        let path = format!("{}/keys", shop.path());
        let listed = shop.admin.get(&path).await.is(200);
        assert!(!listed.body.contains("cmpsite_"), "{}", listed.body);
        let key = &listed.json()["items"][0];
        assert_eq!([&key["id"], &key["algorithm"]], [&json!(shop.key), &json!("HS256")]);
        for _ in 1..10 {
            shop.add_key().await;
        }
        let hs256 = json!({"algorithm": "HS256"});
        shop.admin.post(&path, &hs256).await.is(409);
        shop.admin.delete(&format!("{path}/{}", shop.key)).await.is(204);
        shop.admin.delete(&format!("{path}/{}", shop.key)).await.is(404);
        shop.admin.post(&path, &hs256).await.is(201);
    });
}

#[test]
fn a_public_key_is_taken_as_pem_and_as_jwk_and_a_private_one_is_not() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let path = format!("{}/keys", shop.path());
        let pair = Pair::new();
        let prefix = [
            0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1,
            7, 3, 0x42, 0,
        ];
        let der = [&prefix[..], pair.0.public_key().as_ref()].concat();
        let base64 = base64::engine::general_purpose::STANDARD.encode(der);
        let (first, rest) = base64.split_at(64);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{first}\n{rest}\n-----END PUBLIC KEY-----\n");
        for given in [json!(pem), pair.jwk(), json!(pair.jwk().to_string())] {
            let new = json!({"algorithm": "ES256", "public_key": given});
            let made = shop.admin.post(&path, &new).await.is(201).json();
            assert_eq!(made["secret"], json!(null));
            let token = pair.token(&text(&made["id"]), &claims("u-ann"));
            world.get("/api/v1/me").bearer(&token).send().await.is(200);
        }
        let mut private = pair.jwk();
        private["d"] = json!("AAAA");
        let mut short = pair.jwk();
        short["x"] = json!("AAAA");
        let secret = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
        for wrong in [
            private,
            short,
            json!(secret),
            json!("AAAA"),
            json!(7),
            json!("{"),
            json!(null),
        ] {
            let new = json!({"algorithm": "ES256", "public_key": wrong});
            let refused = shop.admin.post(&path, &new).await.is(422);
            assert_eq!(refused.fields(), ["public_key"], "{wrong}");
        }
        let both = json!({"algorithm": "HS256", "public_key": pem});
        shop.admin.post(&path, &both).await.is(422);
        shop.admin.post(&path, &json!({"algorithm": "RS256"})).await.is(400);
    });
}

#[test]
fn who_does_not_administer_the_installation_has_no_sites() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let ann = shop.admin.get("/api/v1/users/u-ann").await.is(200).json();
        let token = world.token(PersonId(ann["number"].as_i64().unwrap())).await;
        let keys = format!("{}/keys", shop.path());
        for path in ["/api/v1/sites", &shop.path(), &keys] {
            world.get(path).bearer(&token).send().await.is(403);
        }
    });
}

#[test]
fn what_is_done_with_sites_is_in_the_journal_without_their_secrets() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        shop.admin.patch(&shop.path(), &json!({"customer": 17})).await.is(200);
        shop.admin.patch(&shop.path(), &json!({"customer": 17})).await.is(200);
        shop.admin
            .delete(&format!("{}/keys/{}", shop.path(), shop.key))
            .await
            .is(204);
        shop.admin.delete(&shop.path()).await.is(204);
        let told = shop
            .admin
            .get(&format!("/api/v1/journal?object={}&kind=site", shop.id))
            .await;
        let told = told.is(200).json();
        let deeds = |told: &Value| -> Vec<(String, String)> {
            let items = told["items"].as_array().unwrap();
            items
                .iter()
                .map(|item| (text(&item["action"]), text(&item["name"])))
                .collect()
        };
        let of_shop = |action: &str| (action.to_owned(), "Shop".to_owned());
        assert_eq!(deeds(&told), ["ended", "changed", "created"].map(of_shop));
        let keys = shop
            .admin
            .get(&format!("/api/v1/journal?object={}&kind=key", shop.id))
            .await;
        assert_eq!(deeds(&keys.is(200).json()), ["ended", "created"].map(of_shop));
        let all = shop.admin.get("/api/v1/journal?limit=100").await.is(200);
        assert!(!all.body.contains("cmpsite_"), "{}", all.body);
    });
}
