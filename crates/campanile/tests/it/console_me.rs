//! One's own pages and the first steps, as forms without any script.

use std::time::Duration;

use serde_json::json;

use crate::console_inbox::{Browser, submit, value};
use crate::world::{ADMIN_PASSWORD, each_world};

#[test]
fn own_pages_are_for_who_is_signed_in_and_lead_to_one_another() {
    each_world(async |world| {
        let pages = [
            "/me",
            "/me/password",
            "/me/tokens",
            "/me/ticket",
            "/me/devices",
            "/me/sessions",
        ];
        let admin = Browser::admin(world).await;
        for path in pages {
            assert!(
                world
                    .get(path)
                    .send()
                    .await
                    .is(303)
                    .header("location")
                    .starts_with("/login")
            );
            let page = admin.get(path).await.is(200).body;
            for other in pages {
                assert!(page.contains(&format!("href=\"{other}\"")), "{other} on {path}");
            }
            assert!(page.contains(&format!("<a href=\"{path}\" aria-current=\"page\">")));
        }
    });
}

// ---------------------------------------------------------------- profile

#[test]
fn a_profile_is_changed_and_the_pages_follow_it() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let fields = [
            ("name", "Ann Lee"),
            ("email", "ann@example.com"),
            ("locale", "de"),
            ("zone", "Europe/Berlin"),
        ];
        let page = admin.done("/me", &fields).await.body;
        assert!(page.contains("<html lang=\"de\">") && page.contains("Ihr Profil ist gespeichert."));
        assert_eq!(value(&page, "name=\"name\" value="), "Ann Lee");
        assert_eq!(value(&page, "type=\"email\" value="), "ann@example.com");
        assert!(page.contains("<option selected>Europe/Berlin</option>") && page.contains("value=\"de\" selected"));
        // Back to what the browser says.
        let page = admin
            .done("/me", &[("email", ""), ("locale", ""), ("zone", "")])
            .await
            .body;
        assert!(page.contains("<html lang=\"en\">") && page.contains("Times are now shown in UTC."));
        assert_eq!(value(&page, "name=\"name\" value="), "Ann Lee");
        assert_eq!(value(&page, "type=\"email\" value="), "");
    });
}

#[test]
fn a_profile_that_cannot_be_says_why_beside_each_field() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin.post("/me", &[("locale", "de")]).await.is(303);
        let fields = [
            ("name", " "),
            ("email", "ann\"@x"),
            ("locale", "de"),
            ("zone", "Europe/Atlantis"),
        ];
        let page = admin.post("/me", &fields).await.is(422).body;
        assert!(page.contains("role=\"alert\""));
        for (field, reason) in [
            ("name", "muss 1 bis 200 Zeichen in einer Zeile haben"),
            ("email", "muss eine einzelne Adresse sein, etwa ann@example.com"),
            ("zone", "muss eine Zeitzone der IANA-Datenbank sein, etwa Europe/Prague"),
        ] {
            assert!(
                page.contains(&format!("aria-invalid=\"true\" aria-describedby=\"{field}-fault\"")),
                "{field}"
            );
            assert!(page.contains(&format!("id=\"{field}-fault\">{reason}</p>")), "{field}");
        }
        assert_eq!(value(&page, "type=\"email\" value="), "ann&#34;@x");
        assert!(admin.get("/me").await.body.contains("value=\"Administrator\""));
    });
}

// ---------------------------------------------------------------- password

#[test]
fn a_new_password_ends_the_other_sessions_and_not_this_one() {
    each_world(async |world| {
        let (here, there) = (Browser::admin(world).await, Browser::admin(world).await);
        let new = "another tower of bells";
        let fields = [("old", ADMIN_PASSWORD), ("new", new), ("again", new)];
        let page = here.done("/me/password", &fields).await.body;
        assert!(page.contains("Your password is changed."));
        there.get("/me").await.is(303);
        Browser::log_in(world, "admin", new).await;
    });
}

#[test]
fn a_password_is_refused_beside_its_field_and_never_shown() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let good = "another tower of bells";
        for (old, new, again, field, reason) in [
            ("not the tower", good, good, "old", "is not your password"),
            (ADMIN_PASSWORD, good, "else", "again", "is not the same as above"),
            (ADMIN_PASSWORD, "short", "short", "new", "must have 8 to 1024 bytes"),
            (
                ADMIN_PASSWORD,
                "Password1",
                "Password1",
                "new",
                "is one of the passwords that are tried first",
            ),
        ] {
            let fields = [("old", old), ("new", new), ("again", again)];
            let page = admin.post("/me/password", &fields).await.is(422).body;
            assert!(page.contains(&format!("id=\"{field}-fault\">{reason}")), "{reason}");
            assert!(!page.contains(old) && !page.contains(&format!("\"{new}\"")));
        }
        Browser::admin(world).await;
    });
}

// ---------------------------------------------------------------- tokens and ticket

#[test]
fn a_token_is_shown_once_signs_in_and_is_revoked() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let made = admin
            .post("/me/tokens", &[("name", "nightly"), ("end", "30")])
            .await
            .is(200);
        assert_eq!(made.header("cache-control"), "no-store");
        let token = made.body.split("cmp_").nth(1).unwrap();
        let token = format!("cmp_{}", token.split('<').next().unwrap());
        world.get("/api/v1/me").bearer(&token).send().await.is(200);
        let list = admin.get("/me/tokens").await.body;
        assert!(list.contains("nightly") && !list.contains(&token) && list.contains("ends 14 Dec 2023, 22:13"));
        let revoke = value(list.split("class=\"confirm\"").nth(1).unwrap(), "action=");
        let page = admin.done(revoke, &[]).await.body;
        assert!(page.contains("The token is revoked.") && page.contains("No tokens"));
        world.get("/api/v1/me").bearer(&token).send().await.is(401);
    });
}

#[test]
fn a_token_ends_when_its_owner_says_in_their_zone() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin.post("/me", &[("zone", "Europe/Berlin")]).await.is(303);
        let own = [("name", "short"), ("end", "own"), ("expires_at", "2023-11-15T00:00")];
        admin.post("/me/tokens", &own).await.is(200);
        admin
            .post("/me/tokens", &[("name", "long"), ("end", "never")])
            .await
            .is(200);
        let page = admin.get("/me/tokens").await.body;
        assert!(page.contains("ends 15 Nov 2023, 00:00") && page.contains("does not end"));
        world.advance(Duration::from_hours(1));
        assert!(admin.get("/me/tokens").await.body.contains("ended 15 Nov 2023, 00:00"));
    });
}

#[test]
fn a_token_that_cannot_be_says_why_beside_its_field() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        admin
            .post("/me/tokens", &[("name", "nightly"), ("end", "90")])
            .await
            .is(200);
        for (name, end, at, field, reason) in [
            ("nightly", "90", "", "name", "you have a token of this name already"),
            ("", "never", "", "name", "must have 1 to 64 characters"),
            ("other", "own", "", "expires_at", "is not a time"),
            (
                "other",
                "own",
                "2001-01-01T00:00",
                "expires_at",
                "must lie in the future",
            ),
            ("other", "12345", "", "end", "is not a time"),
        ] {
            let fields = [("name", name), ("end", end), ("expires_at", at)];
            let page = admin.post("/me/tokens", &fields).await.is(422).body;
            assert!(
                page.contains(&format!("id=\"{field}-fault\">{reason}")),
                "{name} {end} {at}"
            );
            assert_eq!(value(&page, "name=\"name\" value="), name);
        }
    });
}

#[test]
fn the_ticket_is_hidden_until_it_is_asked_for_and_void_when_it_is_renewed() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        let ticket = |page: &str| {
            page.split("<code data-text")
                .nth(1)?
                .split(['>', '<'])
                .nth(1)
                .map(str::to_owned)
        };
        assert_eq!(ticket(&admin.get("/me/ticket").await.body), None);
        let shown = admin.post("/me/ticket", &[]).await.is(200);
        assert_eq!(shown.header("cache-control"), "no-store");
        let first = ticket(&shown.body).unwrap();
        let api = admin.get("/api/v1/me/ticket").await.json();
        assert_eq!(api["ticket"], first.as_str());
        let renewed = admin.post("/me/ticket/renew", &[]).await.is(200).body;
        assert!(renewed.contains("The one before is void."));
        assert_ne!(ticket(&renewed).unwrap(), first);
    });
}

#[test]
fn a_token_makes_no_other_way_in() {
    each_world(async |world| {
        let token = world.admin().await;
        let new = "another tower of bells";
        let password = [("old", ADMIN_PASSWORD), ("new", new), ("again", new)];
        for (path, fields) in [
            ("/me/tokens", &[("name", "more"), ("end", "never")][..]),
            ("/me/ticket", &[]),
            ("/me/ticket/renew", &[]),
            ("/me/password", &password),
        ] {
            let said = submit(world.post(path).bearer(&token), fields).await.is(403);
            assert!(said.body.contains("not by a personal token"), "{path}");
        }
        Browser::admin(world).await;
    });
}

// ---------------------------------------------------------------- sessions

#[test]
fn sessions_are_named_in_words_and_ended_one_by_one_or_all_at_once() {
    each_world(async |world| {
        let here = Browser::admin(world).await;
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let fields = [("login", "admin"), ("password", ADMIN_PASSWORD)];
        submit(world.post("/login").header("user-agent", firefox), &fields)
            .await
            .is(303);
        let there = Browser::admin(world).await;
        let page = here.get("/me/sessions").await.body;
        assert!(page.contains("Firefox on Linux") && page.contains("from 192.0.2.1"));
        assert_eq!(page.matches("This one").count(), 1);
        assert_eq!(page.matches("/end\"").count(), 2);
        let of_firefox = page.split("Firefox on Linux").nth(1).unwrap();
        let end = value(of_firefox, "<form method=\"post\" action=").to_owned();
        let page = here.done(&end, &[]).await.body;
        assert!(page.contains("The session has ended.") && !page.contains("Firefox on Linux"));
        here.done("/me/sessions/end-others", &[]).await;
        there.get("/me").await.is(303);
        here.post(&end, &[]).await.is(404);
    });
}

// ---------------------------------------------------------------- first steps

#[test]
fn an_empty_installation_leads_to_a_first_message() {
    each_world(async |world| {
        let admin = Browser::admin(world).await;
        assert_eq!(admin.get("/").await.is(303).header("location"), "/start");
        let page = admin.get("/start").await.is(200).body;
        assert_eq!(page.matches("aria-current=\"step\"").count(), 1);
        assert!(
            admin
                .get("/inbox")
                .await
                .body
                .contains("<a class=\"btn\" href=\"/start\">")
        );
        let refused = admin
            .post("/start", &[("title", ""), ("text", "Hello")])
            .await
            .is(422)
            .body;
        assert!(refused.contains("id=\"title-fault\">Say in a few words") && refused.contains("Hello</textarea>"));
        let page = admin
            .done("/start", &[("title", "The first bell"), ("text", "Hello")])
            .await
            .body;
        assert!(page.contains("Notifications, 1 unread") && page.contains("Press the bell"));
        assert!(admin.get("/bell").await.body.contains("The first bell"));
        assert_eq!(admin.get("/").await.is(303).header("location"), "/inbox");
    });
}

#[test]
fn the_first_steps_are_offered_until_others_get_a_message() {
    each_world(async |world| {
        world.person(7, "ann", "a word of ann").await;
        let admin = Browser::admin(world).await;
        assert_eq!(admin.get("/").await.is(303).header("location"), "/inbox");
        let is_offered = async |browser: &Browser<'_>| browser.get("/me").await.body.contains("href=\"/start\"");
        assert!(is_offered(&admin).await);
        let body = json!({"title": "Hello", "audience": [{"kind": "everyone"}]});
        let sent = world.post("/api/v1/messages").bearer(&world.admin().await).json(&body);
        sent.send().await.is(201);
        assert!(!is_offered(&admin).await);
        let ann = Browser::log_in(world, "ann", "a word of ann").await;
        assert!(!is_offered(&ann).await);
        ann.get("/start").await.is(403);
        ann.post("/start", &[("title", "Hello")]).await.is(403);
        assert_eq!(ann.get("/").await.is(303).header("location"), "/inbox");
    });
}
