//! Who comes by a token of a site, and who does not.

use std::time::Duration;

use ring::signature::KeyPair as _;
use serde_json::{Value, json};

use super::{ORIGIN, Pair, Shop, claims, hs256, text};
use crate::outside::python_with;
use crate::world::{START, World, each_world};

/// The answer to somebody who wants to know who they are.
async fn me(world: &World, token: &str) -> Result<String, String> {
    let said = world.get("/api/v1/me").bearer(token).send().await;
    match said.status.as_u16() {
        200 => Ok(text(&said.json()["id"])),
        401 => Err(said.detail()),
        other => panic!("{other}: {}", said.body),
    }
}

/// Refused, with something about this in the reason.
#[track_caller]
fn is_refused(said: Result<String, String>, about: &str) {
    let why = said.expect_err("must not be let in");
    assert!(why.contains(about), "{why}: says nothing of {about}");
}

#[test]
fn a_token_of_a_site_is_its_person() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let token = shop.token("u-ann");
        assert_eq!(me(world, &token).await.as_deref(), Ok("u-ann"));
        assert_eq!(
            me(world, &token).await.as_deref(),
            Ok("u-ann"),
            "also when it is remembered"
        );
        shop.publish("u-ann", "For Ann").await;
        let inbox = world.get("/api/v1/inbox").bearer(&token).send().await.is(200).json();
        assert_eq!(inbox["items"][0]["title"], "For Ann");
        let page = world.get("/inbox").bearer(&token).send().await.is(200);
        assert!(page.body.contains("For Ann"), "{}", page.body);
    });
}

#[test]
fn what_a_token_may_say_in_other_words_is_understood() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let now = START.0 / 1_000;
        let mut header = shop.header();
        header.as_object_mut().unwrap().remove("typ");
        header["x"] = json!("unknown");
        let of_several = json!({"sub": "u-ann", "aud": ["https://other.example", "http://campanile.test"],
            "iat": now as f64 + 0.5, "exp": now + 3_600, "nbf": now - 5, "iss": "shop", "roles": ["x"]});
        assert_eq!(
            me(world, &shop.signed(&header, &of_several)).await.as_deref(),
            Ok("u-ann")
        );
    });
}

#[test]
fn what_is_no_token_of_ours_is_refused_with_the_reason() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let header = |name: &str, value: Value| {
            let mut header = shop.header();
            header[name] = value;
            shop.signed(&header, &claims("u-ann"))
        };
        let without = |name: &str| {
            let mut header = shop.header();
            header.as_object_mut().unwrap().remove(name);
            shop.signed(&header, &claims("u-ann"))
        };
        let good = shop.token("u-ann");
        let (signed, _) = good.rsplit_once('.').unwrap();
        let other = shop.token("u-zoe");
        let (_, signature) = other.rsplit_once('.').unwrap();
        let long = format!("{good}{}", "A".repeat(4_096));
        for (token, about) in [
            ("a.b.c".to_owned(), "cannot be read"),
            (".".to_owned(), "cannot be read"),
            (long, "cannot be read"),
            (without("alg"), "cannot be read"),
            (without("kid"), "`kid`"),
            (header("kid", json!("0123456789abcdef0123456789abcdef")), "`kid`"),
            (header("kid", json!("\u{0}")), "`kid`"),
            (header("alg", json!("none")), "`alg`"),
            (header("alg", json!("ES256")), "`alg`"),
            (header("alg", json!("hs256")), "`alg`"),
            (header("typ", json!("at+jwt")), "`typ`"),
            (header("crit", json!(["exp"])), "`crit`"),
            (header("crit", json!(null)), "`crit`"),
            (format!("{signed}."), "signature"),
            (format!("{signed}.{signature}"), "signature"),
            (hs256(b"another secret", &shop.header(), &claims("u-ann")), "signature"),
        ] {
            is_refused(me(world, &token).await, about);
        }
        let said = world
            .get("/api/v1/me")
            .bearer(&header("alg", json!("none")))
            .send()
            .await;
        assert!(
            !said.body.contains(&shop.secret) && !said.body.contains(&shop.id),
            "{}",
            said.body
        );
    });
}

#[test]
fn what_a_token_claims_has_to_be_right() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let now = START.0 / 1_000;
        let with = |name: &str, value: Value| {
            let mut claims = claims("u-ann");
            claims[name] = value;
            shop.signed(&shop.header(), &claims)
        };
        for (name, value, about) in [
            ("aud", json!("http://campanile.test/"), "`aud`"),
            ("aud", json!("https://campanile.test"), "`aud`"),
            ("aud", json!([]), "`aud`"),
            ("aud", json!(null), "`aud`"),
            ("iat", json!(null), "`iat`"),
            ("iat", json!(now + 61), "`iat`"),
            ("iat", json!(now - 3_001), "too long"),
            ("iat", json!(-1e300), "too long"),
            ("exp", json!(null), "`exp`"),
            ("exp", json!(now - 60), "`exp`"),
            ("exp", json!(now + 3_601), "too long"),
            ("exp", json!(1e300), "too long"),
            ("exp", json!("later"), "cannot be read"),
            ("nbf", json!(now + 61), "`nbf`"),
            ("sub", json!(null), "`sub`"),
            ("sub", json!("u-none"), "`sub`"),
            ("sub", json!("ann"), "`sub`"),
            ("sub", json!("u-ann\u{0}"), "`sub`"),
        ] {
            is_refused(me(world, &with(name, value)).await, about);
        }
        for (name, value) in [
            ("iat", now + 60),
            ("exp", now - 59),
            ("nbf", now + 60),
            ("iat", now - 3_000),
        ] {
            assert_eq!(
                me(world, &with(name, json!(value))).await.as_deref(),
                Ok("u-ann"),
                "{name} {value}"
            );
        }
    });
}

#[test]
fn a_token_ends_when_it_says_though_it_is_remembered() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let token = shop.token("u-ann");
        world.advance(Duration::from_secs(659));
        assert_eq!(me(world, &token).await.as_deref(), Ok("u-ann"));
        world.advance(Duration::from_secs(1));
        is_refused(me(world, &token).await, "`exp`");
    });
}

#[test]
fn a_public_key_is_no_secret() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let pair = Pair::new();
        let new = json!({"algorithm": "ES256", "public_key": pair.jwk()});
        let made = shop.admin.post(&format!("{}/keys", shop.path()), &new).await.is(201);
        let key = text(&made.json()["id"]);
        assert_eq!(
            me(world, &pair.token(&key, &claims("u-ann"))).await.as_deref(),
            Ok("u-ann")
        );
        let header = json!({"alg": "HS256", "kid": key});
        let point = pair.0.public_key().as_ref();
        for secret in [point, &point[1..], pair.jwk().to_string().as_bytes()] {
            is_refused(me(world, &hs256(secret, &header, &claims("u-ann"))).await, "`alg`");
        }
        is_refused(me(world, &Pair::new().token(&key, &claims("u-ann"))).await, "signature");
        is_refused(me(world, &pair.token(&shop.key, &claims("u-ann"))).await, "`alg`");
    });
}

#[test]
fn keys_live_side_by_side_and_one_that_ends_ends_at_once() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let (key, secret) = shop.add_key().await;
        let old = shop.token("u-ann");
        let header = json!({"alg": "HS256", "kid": key});
        let new = hs256(secret.as_bytes(), &header, &claims("u-ann"));
        for token in [&old, &new] {
            assert_eq!(me(world, token).await.as_deref(), Ok("u-ann"));
        }
        shop.admin
            .delete(&format!("{}/keys/{}", shop.path(), shop.key))
            .await
            .is(204);
        is_refused(me(world, &old).await, "key has ended");
        assert_eq!(me(world, &new).await.as_deref(), Ok("u-ann"));
        shop.admin.delete(&shop.path()).await.is(204);
        is_refused(me(world, &new).await, "site");
        is_refused(me(world, &old).await, "site");
    });
}

#[test]
fn who_is_not_there_any_more_is_let_in_no_longer() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let token = shop.token("u-ann");
        assert_eq!(me(world, &token).await.as_deref(), Ok("u-ann"));
        shop.admin.delete("/api/v1/users/u-ann").await.is(204);
        is_refused(me(world, &token).await, "`sub`");
    });
}

#[test]
fn a_site_of_a_customer_signs_in_its_people_alone() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        assert_eq!(me(world, &shop.token("u-zoe")).await.as_deref(), Ok("u-zoe"));
        shop.admin.patch(&shop.path(), &json!({"customer": 17})).await.is(200);
        for user in ["u-ann", "u-sue"] {
            assert_eq!(me(world, &shop.token(user)).await.as_deref(), Ok(user));
        }
        for user in ["u-zoe", "u-abe"] {
            is_refused(me(world, &shop.token(user)).await, "`sub`");
        }
        let moved = json!({"customer": 19});
        shop.admin.patch("/api/v1/users/u-ann", &moved).await.is(200);
        is_refused(me(world, &shop.token("u-ann")).await, "`sub`");
        shop.admin.patch(&shop.path(), &json!({"customer": null})).await.is(200);
        assert_eq!(me(world, &shop.token("u-abe")).await.as_deref(), Ok("u-abe"));
    });
}

#[test]
fn the_use_of_a_key_is_noted_to_the_minute() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        me(world, &shop.token("u-ann")).await.unwrap();
        world.app.settle().await;
        let keys = shop.admin.get(&format!("{}/keys", shop.path())).await.is(200).json();
        assert_eq!(keys["items"][0]["used_at"], "2023-11-14T22:13:20Z");
        let site = shop.admin.get(&shop.path()).await.is(200).json();
        assert_eq!(site["used_at"], "2023-11-14T22:13:20Z");
    });
}

#[test]
fn the_contracts_of_others_take_no_token_of_a_site() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let token = shop.token("admin");
        assert_eq!(me(world, &token).await.as_deref(), Ok("admin"));
        for path in [
            "/management/organizations/DEFAULT/user",
            "/portal/environments/DEFAULT/user",
            "/v3/messages",
            "/V3/Users",
            "/v3/roles",
        ] {
            let said = world.get(path).bearer(&token).send().await;
            assert!(
                [401, 403].contains(&said.status.as_u16()),
                "{path}: {} {}",
                said.status,
                said.body
            );
        }
    });
}

/// The JWT of the console messaging contract has a dot as well, and is remembered.
#[test]
fn a_token_of_the_other_contract_is_none_of_a_site() {
    each_world(async |world| {
        let ask = world.post("/management/organizations/DEFAULT/user/login");
        let said = ask
            .basic("admin", crate::world::ADMIN_PASSWORD)
            .send()
            .await
            .is(200)
            .json();
        let token = text(&said["token"]);
        let user = world.get("/management/organizations/DEFAULT/user").bearer(&token);
        user.send().await.is(200);
        world.get("/api/v1/me").bearer(&token).send().await.is(401);
    });
}

const WITH_PYJWT: &str = r#"
import json, sys, jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
asked = json.load(sys.stdin)
pair = ec.generate_private_key(ec.SECP256R1())
public = pair.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
hs256 = jwt.encode(asked["claims"], asked["secret"], algorithm="HS256", headers={"kid": asked["key"]})
open_text = serialization.NoEncryption()
private = pair.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, open_text)
print(json.dumps({"hs256": hs256, "public": public.decode(), "private": private.decode()}))
"#;

const WITH_PAIR: &str = r#"
import json, sys, jwt
asked = json.load(sys.stdin)
print(jwt.encode(asked["claims"], asked["private"], algorithm="ES256", headers={"kid": asked["key"]}), end="")
"#;

#[test]
fn tokens_of_an_independent_library_are_taken() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let asked = json!({"claims": claims("u-ann"), "secret": shop.secret, "key": shop.key});
        let made: Value = serde_json::from_str(&python_with("pyjwt", WITH_PYJWT, &asked.to_string())).unwrap();
        assert_eq!(me(world, &text(&made["hs256"])).await.as_deref(), Ok("u-ann"));
        let new = json!({"algorithm": "ES256", "public_key": made["public"]});
        let key = shop
            .admin
            .post(&format!("{}/keys", shop.path()), &new)
            .await
            .is(201)
            .json();
        let asked = json!({"claims": claims("u-sue"), "private": made["private"], "key": key["id"]});
        let token = python_with("pyjwt", WITH_PAIR, &asked.to_string());
        assert_eq!(me(world, &token).await.as_deref(), Ok("u-sue"));
        let private = json!({"algorithm": "ES256", "public_key": made["private"]});
        shop.admin
            .post(&format!("{}/keys", shop.path()), &private)
            .await
            .is(422);
    });
}

#[test]
fn a_token_makes_nothing_that_outlives_it() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let token = shop.token("admin");
        for (path, body) in [
            ("/api/v1/me/tokens", json!({"name": "for ever"})),
            ("/api/v1/me/password", json!({"old": "x", "new": "a fine password"})),
            (
                "/api/v1/messages",
                json!({"title": "T", "audience": [{"kind": "everyone"}]}),
            ),
        ] {
            let said = world.post(path).bearer(&token).json(&body).send().await.is(403);
            assert!(said.detail().contains("opens the inbox alone"), "{}", said.body);
        }
        world.get("/messages").bearer(&token).send().await.is(403);
        world
            .get("/me")
            .bearer(&token)
            .header("origin", ORIGIN)
            .send()
            .await
            .is(403);
    });
}
