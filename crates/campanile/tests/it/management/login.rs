//! Logging in and out, and all the ways to show who one is (section 6 of the contract).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};

use super::site::{Site, cookies};
use super::{ENV, ORG, PORTAL, is_nobody, portal_refusal};
use crate::world::{ADMIN_PASSWORD, START, Said, each_world, each_world_at};

/// The JWT of a log-in, which its cookie holds as well.
fn jwt(said: &Said) -> String {
    let token = said.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(cookies(said)[0], format!("Auth-Graviteeio-APIM=Bearer%20{token}"));
    token
}

/// The user of an address, as JSON.
fn user_path() -> String {
    format!("{ORG}/user")
}

#[test]
fn a_log_in_answers_with_a_jwt_and_its_cookie() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.logs_in(&format!("{ORG}/user/login")).await;
        let token = jwt(&said);
        assert_eq!(said.json(), json!({"type": "BEARER", "token": token}));
        let set = said.header("set-cookie");
        assert!(
            set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800"),
            "{set}"
        );
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let mut claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["jti"].take().as_str().unwrap().len(), 32);
        let start = START.0 / 1_000;
        assert_eq!(
            claims,
            json!({
                "iss": "gravitee-management-auth", "sub": "admin", "org": "DEFAULT", "firstname": "Administrator",
                "permissions": [{"authority": "ORGANIZATION:ADMIN"}, {"authority": "ENVIRONMENT:ADMIN"}],
                "jti": null, "iat": start, "exp": start + 604_800,
            })
        );
    });
}

#[test]
fn who_holds_very_many_roles_gets_a_cookie_that_browsers_keep() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let mut lines = String::new();
        for n in 0..300 {
            let name = format!("A ROLE WITH QUITE A LONG NAME, AS THERE MAY BE ONES {n:03}");
            for line in [
                json!({"kind": "role", "scope": "ENVIRONMENT", "name": name, "permissions": {"MESSAGE": "R"}}),
                json!({"kind": "membership", "user": "admin", "on": {"environment": "DEFAULT"}, "role": name}),
            ] {
                lines.push_str(&line.to_string());
                lines.push('\n');
            }
        }
        site.import(&lines).await;
        let said = site.logs_in(&format!("{ORG}/user/login")).await;
        let set = said.header("set-cookie");
        assert!(set.len() < 4_096, "{}", set.len());
        // It decides nothing: all of them are told of the user.
        let user = world.get(&user_path()).bearer(&jwt(&said)).send().await.is(200).json();
        assert_eq!(user["roles"].as_array().unwrap().len(), 302);
    });
}

#[test]
fn over_https_the_cookies_are_secure() {
    each_world_at("https://bells.example", async |world| {
        let site = Site::new(world).await;
        let said = site.logs_in(&format!("{ORG}/user/login")).await;
        let set: Vec<_> = said.headers.get_all("set-cookie").iter().collect();
        assert_eq!(set.len(), 2);
        assert!(
            set.iter().all(|line| line.to_str().unwrap().ends_with("; Secure")),
            "{set:?}"
        );
    });
}

#[test]
fn jwt_cookie_token_and_password_let_in_on_every_call() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.logs_in(&format!("{ORG}/user/login")).await;
        let (token, cookie) = (jwt(&said), cookies(&said).remove(0));
        let user = user_path();
        for said in [
            world.get(&user).bearer(&token).send().await,
            world
                .get(&user)
                .header("authorization", &format!("bearer {token}"))
                .send()
                .await,
            world.get(&user).header("cookie", &cookie).send().await,
            world
                .get(&user)
                .header("cookie", &cookie.replace("%20", " "))
                .send()
                .await,
            world.get(&user).bearer(site.token("admin")).send().await,
            world.get(&user).basic("admin", ADMIN_PASSWORD).send().await,
            // A header decides alone.
            world
                .get(&user)
                .header("cookie", "Auth-Graviteeio-APIM=x")
                .bearer(&token)
                .send()
                .await,
        ] {
            assert_eq!(said.is(200).json()["id"], json!("admin"));
        }
    });
}

#[test]
fn who_is_not_known_is_told_so_and_loses_the_cookie() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.logs_in(&format!("{ORG}/user/login")).await;
        let (token, user) = (jwt(&said), user_path());
        let forged = format!("{}x", &token[..token.len() - 1]);
        let login = format!("{ORG}/user/login");
        for said in [
            world.get(&user).send().await,
            world.get(&user).bearer(&forged).send().await,
            world.get(&user).bearer("a.b.c").send().await,
            world.get(&user).bearer("cmp_nothing").send().await,
            world.get(&user).header("authorization", "Digest x").send().await,
            world.get(&user).basic("admin", "not the password").send().await,
            world.post(&login).send().await,
            world.post(&login).basic("admin", "not the password").send().await,
            // A personal token does not log in: what it opened would outlive it.
            world.post(&login).bearer(site.token("admin")).send().await,
        ] {
            assert_eq!(
                said.header("www-authenticate"),
                "Basic realm=\"Gravitee.io Management API\", Bearer"
            );
            // Whoever came without the cookie may be sent by another site, and does not lose one.
            assert!(cookies(&said).is_empty());
            is_nobody(said);
        }
        let stale = "Auth-Graviteeio-APIM=Bearer%20a.b.c";
        let said = world.get(&user).header("cookie", stale).send().await;
        assert_eq!(cookies(&said), ["Auth-Graviteeio-APIM=", "XSRF-TOKEN="]);
        is_nobody(said);
    });
}

#[test]
fn a_secret_is_good_at_its_own_door_alone() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let token = jwt(&site.logs_in(&format!("{ORG}/user/login")).await);
        // Known now, and still none of these.
        world.get(&user_path()).bearer(&token).send().await.is(200);
        world.get("/api/v1/me").bearer(&token).send().await.is(401);
        let cookie = format!("campanile_session={token}");
        world.get("/api/v1/me").cookie(&cookie).send().await.is(401);
    });
}

#[test]
fn a_browser_is_not_made_to_open_its_own_window() {
    each_world(async |world| {
        let said = world.get(&user_path()).header("sec-fetch-mode", "cors").send().await;
        assert_eq!(said.header("www-authenticate"), "Bearer");
        is_nobody(said);
    });
}

#[test]
fn logging_out_ends_the_session_everywhere() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for leave in [ORG, ENV] {
            let said = site.logs_in(&format!("{leave}/user/login")).await;
            let token = jwt(&said);
            let said = world
                .post(&format!("{leave}/user/logout"))
                .bearer(&token)
                .send()
                .await
                .is(200);
            assert_eq!(said.body, "");
            assert_eq!(cookies(&said), ["Auth-Graviteeio-APIM=", "XSRF-TOKEN="]);
            is_nobody(world.get(&user_path()).bearer(&token).send().await);
            is_nobody(world.post(&format!("{leave}/user/logout")).bearer(&token).send().await);
        }
        // Who came by something else stays who they are.
        site.post(&format!("{ORG}/user/logout"), "plain", &json!({}))
            .await
            .is(200);
        site.get(&user_path(), "plain").await.is(200);
    });
}

#[test]
fn a_jwt_is_over_with_its_session_its_time_and_its_person() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let login = format!("{ORG}/user/login");
        let token = jwt(&site.logs_in(&login).await);
        // The session is one of the person's like any other.
        let sessions = site.get("/api/v1/me/sessions", "admin").await.is(200).json();
        let id = sessions["sessions"][0]["id"].as_str().unwrap();
        site.delete(&format!("/api/v1/me/sessions/{id}"), "admin").await.is(204);
        is_nobody(world.get(&user_path()).bearer(&token).send().await);

        let token = jwt(&site.logs_in(&login).await);
        world.advance(Duration::from_secs(604_799));
        world.get(&user_path()).bearer(&token).send().await.is(200);
        world.advance(Duration::from_secs(1));
        is_nobody(world.get(&user_path()).bearer(&token).send().await);

        let token = jwt(&site.logs_in(&login).await);
        world.deactivate(site.id("admin")).await;
        is_nobody(world.get(&user_path()).bearer(&token).send().await);
    });
}

#[test]
fn the_user_is_told_with_roles_and_letters() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.get(&user_path(), "plain").await.is(200);
        assert_eq!(
            said.json(),
            json!({
                "id": "u-plain", "email": "plain@example.com", "firstname": "Ann", "lastname": "van der Lee",
                "displayName": "Ann van der Lee", "source": "gravitee", "sourceId": "plain",
                "organizationId": "DEFAULT",
                "roles": [{"scope": "ENVIRONMENT", "name": "USER", "permissions": {
                    "API": ["R"], "APPLICATION": ["C", "R", "U", "D"],
                }}],
                "authorities": [{"authority": "ENVIRONMENT:USER"}],
                "primaryOwner": false, "enabled": true, "system": false, "firstLogin": false,
                "displayNewsletterSubscription": false,
            })
        );
        // Where the address names an environment, what is held there.
        let elsewhere = format!("{ORG}/environments/TEST/user");
        assert_eq!(site.get(&elsewhere, "plain").await.is(200).json()["roles"], json!([]));
        let sender = site.get(&user_path(), "sender").await.is(200).json();
        assert_eq!(
            sender["roles"][0]["permissions"]["MESSAGE"],
            json!(["C", "R", "U", "D"])
        );
    });
}

#[test]
fn without_a_word_from_a_browser_the_cookie_alone_changes_nothing() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.logs_in(&format!("{ORG}/user/login")).await;
        let (token, cookie) = (said.header("x-xsrf-token").to_owned(), cookies(&said));
        assert_eq!(cookie[1], format!("XSRF-TOKEN={token}"));
        let all = format!("{ORG}/user/notifications");
        let change = || world.delete(&all).header("cookie", &cookie[0]);
        for (said, status) in [
            (change().send().await, 403),
            (change().header("x-xsrf-token", "x").send().await, 403),
            (change().header("x-xsrf-token", &token).send().await, 204),
            // A browser says where its page is from.
            (change().header("sec-fetch-site", "same-origin").send().await, 204),
            (change().header("origin", "http://campanile.test").send().await, 204),
            (change().header("sec-fetch-site", "cross-site").send().await, 403),
            (change().header("origin", "http://elsewhere.test").send().await, 403),
            // A header of one's own is no page's doing.
            (world.delete(&all).bearer(site.token("plain")).send().await, 204),
        ] {
            let said = said.is(status);
            if status == 403 {
                assert_eq!(said.json()["http_status"], json!(403), "{}", said.body);
            }
        }
        let said = world.get(&all).header("cookie", &cookie[0]).send().await.is(200);
        assert_eq!(said.header("x-xsrf-token"), token, "each answer says it again");
        let other = site.logs_in(&format!("{ORG}/user/login")).await;
        assert_ne!(other.header("x-xsrf-token"), token, "it belongs to the session");
    });
}

#[test]
fn who_guesses_passwords_has_to_wait() {
    each_world(async |world| {
        let login = format!("{ORG}/user/login");
        let wrong = || world.post(&login).basic("admin", "not the password").send();
        let mut said = wrong().await;
        for _ in 0..20 {
            if said.status == 429 {
                break;
            }
            is_nobody(said);
            said = wrong().await;
        }
        let said = said.is(429);
        assert_eq!(said.json()["http_status"], json!(429));
        assert!(!said.header("retry-after").is_empty());
        assert!(said.headers.get("set-cookie").is_none());
    });
}

#[test]
fn at_the_portal_one_logs_in_and_out_as_well() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.logs_in(&format!("{PORTAL}/auth/login")).await;
        let token = jwt(&said);
        assert_eq!(said.json(), json!({"token_type": "BEARER", "token": token}));
        let user = format!("{PORTAL}/user");
        world
            .get(&user)
            .header("cookie", &cookies(&said)[0])
            .send()
            .await
            .is(200);
        world
            .post(&format!("{PORTAL}/auth/logout"))
            .bearer(&token)
            .send()
            .await
            .is(200);
        let said = world.get(&user).bearer(&token).send().await;
        assert_eq!(
            portal_refusal(&said),
            (
                401,
                json!("errors.unauthorized"),
                json!("You must be authenticated to access this resource")
            )
        );
        // Whoever may do everything may do it on every environment.
        let elsewhere = user.replace("DEFAULT", "TEST");
        let all = site.get(&elsewhere, "admin").await.is(200).json();
        assert_eq!(all["permissions"]["MESSAGE"], json!(["C", "R", "U", "D"]), "{all}");
        let none = site.get(&elsewhere, "plain").await.is(200).json();
        assert_eq!(none["permissions"], json!({}));
        // Whoever is out already is out.
        world.post(&format!("{PORTAL}/auth/logout")).send().await.is(200);
        let said = site.ask(Method::GET, &user, "plain").send().await.is(200);
        assert_eq!(
            said.json(),
            json!({
                "id": "u-plain", "email": "plain@example.com", "first_name": "Ann", "last_name": "van der Lee",
                "display_name": "Ann van der Lee", "editable_profile": false,
                "permissions": {"API": ["R"], "APPLICATION": ["C", "R", "U", "D"]},
                "_links": {
                    "self": "http://campanile.test/portal/environments/DEFAULT/user",
                    "notifications": "http://campanile.test/portal/environments/DEFAULT/user/notifications",
                },
            })
        );
    });
}
