//! Who came in and left, and who took which list along.

use serde_json::{Value, json};

use super::{JOURNAL, deed, draft, is, items, noted, rows, send};
use crate::directory::Client;
use crate::world::{ADMIN_PASSWORD, World, each_world};

/// Signs in by the API, from behind a trusted proxy.
async fn log_in(world: &World, password: &str) -> crate::world::Said {
    let body = json!({"login": "admin", "password": password});
    let ask = world.post("/api/v1/session").json(&body).from("10.0.0.9:1");
    let ask = ask
        .header("x-forwarded-for", "203.0.113.7")
        .header("user-agent", "Bell/1");
    ask.send().await
}

/// Who, from where and how, of a row.
fn origin(row: &Value) -> [&str; 3] {
    [&row["actor"]["login"], &row["address"], &row["via"]].map(|value| value.as_str().unwrap())
}

#[test]
fn who_comes_in_and_leaves_stands_in_it_with_address_and_door() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let (said, row) = noted(&admin, log_in(world, ADMIN_PASSWORD)).await;
        assert_eq!(deed(&row), ["created", "session", "admin"]);
        assert_eq!(origin(&row), ["admin", "203.0.113.7", "basic"]);
        let after = &row["after"];
        assert_eq!([&after["door"], &after["agent"]], [&json!("api"), &json!("Bell/1")]);
        let cookie = said.set_cookie();
        let form = format!("login=admin&password={}", ADMIN_PASSWORD.replace(' ', "+"));
        let by_form = world.post("/login").body(form);
        let by_form = by_form.header("content-type", "application/x-www-form-urlencoded");
        let (said, row) = noted(&admin, by_form.send()).await;
        assert_eq!(deed(&row), ["created", "session", "admin"]);
        assert_eq!(origin(&row), ["admin", "192.0.2.1", "basic"]);
        assert_eq!(row["after"]["door"], "console");
        let left = world.post("/logout").cookie(&said.set_cookie());
        let (_, row) = noted(&admin, left.send()).await;
        assert_eq!(deed(&row), ["ended", "session", "admin"]);
        assert_eq!(origin(&row), ["admin", "192.0.2.1", "session"]);
        let (_, row) = noted(&admin, world.delete("/api/v1/session").cookie(&cookie).send()).await;
        assert_eq!(deed(&row), ["ended", "session", "admin"]);
        assert_eq!(
            [&row["before"]["agent"], &row["before"]["address"]],
            [&json!("Bell/1"), &json!("203.0.113.7")]
        );
    });
}

#[test]
fn who_does_not_get_in_leaves_no_row() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let before = rows(&admin).await;
        log_in(world, "not the tower of bells").await.is(401);
        world.post("/logout").cookie("session=none").send().await.is(303);
        assert_eq!(rows(&admin).await, before);
    });
}

#[test]
fn what_comes_while_it_is_read_is_on_none_of_the_pages() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for at in 0..5 {
            send(&admin, &draft(&format!("No {at}"))).await;
        }
        let (mut path, mut seen) = (format!("{JOURNAL}?limit=2"), Vec::new());
        loop {
            let page = admin.get(&path).await.is(200).json();
            let names = page["items"].as_array().unwrap().iter();
            seen.extend(names.map(|row| row["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{JOURNAL}?limit=2&cursor={next}");
            let group = json!({"id": format!("g-{}", seen.len()), "name": "New"});
            admin.post("/api/v1/groups", &group).await.is(201);
        }
        assert_eq!(seen, ["No 4", "No 3", "No 2", "No 1", "No 0"]);
    });
}

#[test]
fn no_field_is_called_by_its_raw_name_in_german() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        log_in(world, ADMIN_PASSWORD).await.is(201);
        for (path, body) in [
            ("customers", json!({"id": 17, "name": "Acme"})),
            ("environments", json!({"id": "TEST", "name": "Test"})),
            ("groups", json!({"id": "g", "name": "Team"})),
            (
                "users",
                json!({"id": "u-ann", "login": "ann", "name": "Ann", "password": "a fine password"}),
            ),
            ("apis", json!({"id": "pets", "name": "Pets", "environment": "TEST"})),
            (
                "applications",
                json!({"id": "shop", "name": "Shop", "environment": "TEST"}),
            ),
            (
                "subscriptions",
                json!({"id": "s", "api": "pets", "application": "shop", "status": "ACCEPTED"}),
            ),
            (
                "memberships",
                json!({"user": "u-ann", "on": {"environment": "TEST"}, "role": "USER"}),
            ),
            (
                "endpoints",
                json!({"name": "Pager", "url": "https://hooks.example.com/in"}),
            ),
            ("suppressions", json!({"address": "ann@example.com", "reason": "asked"})),
            (
                "messages",
                json!({"text": "Now", "channels": ["portal", "banner"], "title": "T", "must_acknowledge": true,
                    "importance": "critical", "audience": [{"kind": "customer", "customer": 17}]}),
            ),
        ] {
            admin.post(&format!("/api/v1/{path}"), &body).await.is(201);
        }
        for (path, body) in [
            (
                "users",
                json!({"login": "bob", "email": "bob@example.com", "password": "a fine password", "phone": "1",
                    "mobile": "2", "roles": ["ReportUser"]}),
            ),
            (
                "customers",
                json!({"name": "Globex", "contact_email": "it@globex.example", "country_code": "CZ",
                    "subscription": {"global_check_quota": 7, "alert_sms_quota": 1, "alert_email_quota": 2,
                    "period_from_utc": "2023-01-01T00:00:00", "period_to_utc": "2024-01-01T00:00:00"}}),
            ),
        ] {
            let ask = world.post(&format!("/v3/{path}")).bearer(&admin.token).json(&body);
            ask.send().await.is(201);
        }
        let token = world.post("/api/v1/me/tokens").basic("admin", ADMIN_PASSWORD);
        token.json(&json!({"name": "ci"})).send().await.is(201);
        let line = json!({"kind": "group", "id": "h", "name": "Other"}).to_string();
        let import = world.post("/api/v1/directory/import").bearer(&admin.token);
        import.body(line).send().await.is(200);
        admin.get(&format!("{JOURNAL}/export?q=nothing")).await.is(200);
        let told = items(&admin, "limit=100").await;
        let page = world
            .get("/journal")
            .bearer(&admin.token)
            .header("accept-language", "de");
        let page = page.send().await.is(200).body;
        for row in &told {
            for state in [&row["before"], &row["after"]] {
                for name in state.as_object().into_iter().flat_map(|fields| fields.keys()) {
                    let raw = name.replace('_', " ");
                    assert!(!page.contains(&format!("<dt>{raw}</dt>")), "{raw} of {row}");
                }
            }
        }
        for text in [
            "Kunde 17 ohne Unterkunden",
            "Ankündigung oben auf jeder Seite",
            "Kritisch",
            "Prüfungen 7",
        ] {
            assert!(page.contains(text), "{text} in {page}");
        }
    });
}

#[test]
fn who_takes_a_list_along_leaves_a_row() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let id = send(&admin, &draft("Tonight")).await;
        let export = format!("{JOURNAL}/export?format=csv&action=sent");
        let (said, row) = noted(&admin, admin.get(&export)).await;
        is(&row, ["exported", "journal", ""]);
        assert_eq!(row["after"], json!({"format": "csv", "action": "sent"}));
        assert!(!said.body.contains("exported"), "{}", said.body);
        let people = format!("/messages/{id}/people.csv?part=unseen");
        let (_, row) = noted(&admin, admin.get(&people)).await;
        is(&row, ["exported", "message", &id]);
        assert_eq!(
            [&row["name"], &row["after"]],
            [&json!("Tonight"), &json!({"list": "people", "part": "unseen"})]
        );
        let deliveries = format!("/api/v1/messages/{id}/deliveries.csv?channel=email");
        let (_, row) = noted(&admin, admin.get(&deliveries)).await;
        is(&row, ["exported", "message", &id]);
        assert_eq!(row["after"]["list"], "deliveries");
        assert_eq!(items(&admin, "action=exported").await.len(), 3);
        // Who may not have it, takes nothing along.
        let ann = world.person(77, "ann", "a fine password").await;
        let ann = Client {
            world,
            token: world.token(ann).await,
        };
        let before = rows(&admin).await;
        ann.get(&export).await.is(403);
        ann.get(&people).await.is(404);
        ann.get(&deliveries).await.is(404);
        assert_eq!(rows(&admin).await, before);
    });
}
