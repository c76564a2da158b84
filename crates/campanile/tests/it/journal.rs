//! The journal: who did what, from where, with what was there before and after; one row a deed, and no secret in it.

mod doors;

use std::fmt::Write as _;
use std::time::Duration;

use campanile::import::{self, Manner};
use campanile_core::id::PersonId;
use campanile_core::message::change;
use campanile_store::Sql;
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{ADMIN_PASSWORD, Ask, START, Said, each_world};

const JOURNAL: &str = "/api/v1/journal";

/// The items of a page, the newest first.
async fn items(admin: &Client<'_>, query: &str) -> Vec<Value> {
    let page = admin.get(&format!("{JOURNAL}?{query}")).await.is(200).json();
    page["items"].as_array().unwrap().clone()
}

static ROWS: Sql = Sql::new(
    "journal::ROWS",
    "SELECT (SELECT COUNT(*) FROM journal) + (SELECT COUNT(*) FROM edition) + (SELECT COUNT(*) FROM message)",
);

/// How many rows there are. To take it along would leave one.
async fn rows(admin: &Client<'_>) -> usize {
    let count = |tx: &mut campanile_store::Tx<'_>| tx.one(&ROWS, &[], |row| row.get::<i64>(0));
    admin.world.app.db.read(count).await.unwrap() as usize
}

/// What somebody did, and the one row that tells of it.
async fn noted(admin: &Client<'_>, doing: impl Future<Output = Said>) -> (Said, Value) {
    // Of one millisecond it is not told what was first.
    admin.world.advance(Duration::from_millis(1));
    let before = rows(admin).await;
    let said = doing.await;
    assert!(
        said.status.is_success() || said.status.is_redirection(),
        "{}",
        said.body
    );
    assert_eq!(rows(admin).await, before + 1, "one row for {}", said.body);
    (said, items(admin, "limit=1").await.remove(0))
}

/// Action, kind and object of a row.
fn deed(row: &Value) -> [&str; 3] {
    ["action", "kind", "object"].map(|name| row[name].as_str().unwrap())
}

fn is(row: &Value, wanted: [&str; 3]) {
    assert_eq!(deed(row), wanted, "{row}");
    let actor = json!({"id": "admin", "login": "admin", "name": "Administrator"});
    assert_eq!(
        [&row["actor"], &row["acting_for"], &row["address"], &row["via"]],
        [&actor, &Value::Null, &json!("192.0.2.1"), &json!("token")],
        "{row}"
    );
    assert_eq!(row["token"].as_str().unwrap().len(), 8);
}

fn draft(title: &str) -> Value {
    json!({"title": title, "text": "At *night*.", "audience": [{"kind": "environment_role", "role": "USER"}]})
}

async fn send(admin: &Client<'_>, draft: &Value) -> String {
    let sent = admin.post("/api/v1/messages", draft).await.is(201).json();
    sent["id"].to_string()
}

/// Asks in a session, through a proxy that is trusted.
async fn behind_a_proxy(ask: Ask<'_>, cookie: &str) -> Said {
    let ask = ask.cookie(cookie).from("10.0.0.9:1");
    ask.header("x-forwarded-for", "203.0.113.7").send().await
}

/// Asks with login and password.
async fn by_ann(ask: Ask<'_>) -> Said {
    ask.basic("ann", "geheim-and-new").send().await
}

// ------------------------------------------------------------------------------------------------ messages

#[test]
fn a_message_tells_who_sent_it_and_each_change_what_was_before_and_after() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let (sent, row) = noted(&admin, admin.post("/api/v1/messages", &draft("Tonigth"))).await;
        let id = sent.json()["id"].to_string();
        is(&row, ["sent", "message", &id]);
        assert_eq!([&row["name"], &row["before"]], [&json!("Tonigth"), &Value::Null]);
        let path = format!("/api/v1/messages/{id}");
        world.advance(Duration::from_secs(1));
        let (_, row) = noted(&admin, admin.patch(&path, &json!({"title": "Tonight", "ring": true}))).await;
        is(&row, ["corrected", "message", &id]);
        assert_eq!(
            [&row["before"], &row["after"]],
            [&json!({"title": "Tonigth"}), &json!({"title": "Tonight", "ring": true})]
        );
        world.advance(Duration::from_secs(1));
        let (_, row) = noted(&admin, admin.patch(&path, &json!({"enabled": false}))).await;
        is(&row, ["disabled", "message", &id]);
        assert_eq!(row["after"], json!({"enabled": false}));
        let (_, row) = noted(
            &admin,
            admin.patch(&path, &json!({"closes_at": "2099-01-01T00:00:00Z"})),
        )
        .await;
        assert_eq!(
            [&row["before"], &row["after"]],
            [&json!({}), &json!({"closes_at": "2099-01-01T00:00:00Z"})]
        );
        let (_, row) = noted(&admin, admin.post(&format!("{path}/recall"), &json!({}))).await;
        is(&row, ["recalled", "message", &id]);
        // What it was when it was sent stays what it was.
        let told = items(&admin, &format!("kind=message&object={id}")).await;
        let actions: Vec<_> = told.iter().map(|row| row["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["recalled", "corrected", "disabled", "corrected", "sent"]);
        let birth = &told[4]["after"];
        assert_eq!(
            [
                &birth["title"],
                &birth["enabled"],
                &birth["channels"],
                &birth["late_joiners"]
            ],
            [&json!("Tonigth"), &json!(true), &json!(["portal"]), &json!("at_send")]
        );
        assert_eq!(birth["audience"][0]["role"], "USER");
    });
}

#[test]
fn an_audience_that_changed_before_publication_is_told() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let mut later = draft("Later");
        later["opens_at"] = json!("2023-11-15T00:00:00Z");
        let id = send(&admin, &later).await;
        let everyone = json!([{"kind": "everyone"}]);
        let (path, other) = (format!("/api/v1/messages/{id}"), json!({"audience": everyone}));
        let (_, row) = noted(&admin, admin.patch(&path, &other)).await;
        is(&row, ["readdressed", "message", &id]);
        let users = json!([{"kind": "environment_role", "environment": "DEFAULT", "role": "USER"}]);
        assert_eq!(
            [&row["before"]["audience"], &row["after"]["audience"]],
            [&users, &everyone]
        );
        let birth = items(&admin, "action=sent").await.remove(0);
        assert_eq!(birth["after"]["audience"], users);
        // The server opens it by itself.
        world.advance(Duration::from_secs(10_000));
        let now = world.app.clock.now();
        assert_eq!(
            world
                .app
                .db
                .write(move |tx| change::open_due(tx, 9, now))
                .await
                .unwrap(),
            1
        );
        let opened = items(&admin, "limit=1").await.remove(0);
        assert_eq!(deed(&opened), ["opened", "message", &id]);
        assert_eq!(
            [&opened["actor"], &opened["address"], &opened["via"]],
            [&Value::Null, &Value::Null, &Value::Null]
        );
    });
}

// ------------------------------------------------------------------------------------------------ the directory

#[test]
fn every_kind_of_the_directory_has_a_row_a_change() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let things = [
            ("customer", "customers", json!({"id": 17, "name": "Acme"}), "17"),
            (
                "environment",
                "environments",
                json!({"id": "TEST", "name": "Test"}),
                "TEST",
            ),
            (
                "user",
                "users",
                json!({"id": "u-ann", "login": "ann", "name": "Ann"}),
                "u-ann",
            ),
            ("group", "groups", json!({"id": "g", "name": "Team"}), "g"),
            (
                "api",
                "apis",
                json!({"id": "pets", "name": "Pets", "environment": "TEST"}),
                "pets",
            ),
            (
                "application",
                "applications",
                json!({"id": "shop", "name": "Shop", "environment": "TEST"}),
                "shop",
            ),
        ];
        for (kind, path, one, id) in &things {
            let (said, row) = noted(&admin, admin.post(&format!("/api/v1/{path}"), one)).await;
            is(&row, ["created", kind, id]);
            assert_eq!([&row["before"], &row["after"]], [&Value::Null, &said.json()]);
            let change = json!({"name": "Other"});
            let (said, row) = noted(&admin, admin.patch(&format!("/api/v1/{path}/{id}"), &change)).await;
            is(&row, ["changed", kind, id]);
            assert_eq!([&row["before"]["name"], &row["after"]], [&one["name"], &said.json()]);
            assert!(row["revision"].is_i64());
        }
        let subscription = json!({"id": "s", "api": "pets", "application": "shop", "status": "ACCEPTED"});
        let (_, row) = noted(&admin, admin.post("/api/v1/subscriptions", &subscription)).await;
        is(&row, ["created", "subscription", "s"]);
        let membership = json!({"user": "u-ann", "on": {"environment": "TEST"}, "role": "USER"});
        let (_, row) = noted(&admin, admin.post("/api/v1/memberships", &membership)).await;
        is(&row, ["created", "membership", "u-ann"]);
        assert_eq!([&row["before"], &row["after"]], [&Value::Null, &membership]);
        let ending = admin.delete("/api/v1/memberships?user=u-ann&environment=TEST&role=USER");
        let (_, row) = noted(&admin, ending).await;
        is(&row, ["ended", "membership", "u-ann"]);
        assert_eq!([&row["before"], &row["after"]], [&membership, &Value::Null]);
        let role = json!({"permissions": {"MESSAGE": "CR"}});
        let (_, row) = noted(&admin, admin.put("/api/v1/roles/API/WRITER", &role)).await;
        is(&row, ["created", "role", "API/WRITER"]);
        let (_, row) = noted(&admin, admin.delete("/api/v1/roles/API/WRITER")).await;
        is(&row, ["ended", "role", "API/WRITER"]);
        assert_eq!(row["before"]["permissions"], role["permissions"]);
        let (_, row) = noted(&admin, admin.delete("/api/v1/users/u-ann")).await;
        is(&row, ["ended", "user", "u-ann"]);
        assert_eq!(
            [&row["before"]["active"], &row["after"]["active"]],
            [&json!(true), &json!(false)]
        );
    });
}

#[test]
fn an_import_is_one_row_however_long_it_is() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let user = |at: i32| json!({"kind": "user", "id": format!("u-{at}"), "login": format!("l-{at}"), "name": "N"});
        let lines: Vec<_> = (0..3_000).map(|at| user(at).to_string()).collect();
        let file = format!("{}\nnonsense\n", lines.join("\n"));
        let upload = |file: &str| {
            let ask = world.post("/api/v1/directory/import").bearer(&admin.token);
            ask.body(file.to_owned()).send()
        };
        let (_, row) = noted(&admin, upload(&file)).await;
        is(&row, ["imported", "directory", ""]);
        let after = &row["after"];
        assert_eq!(
            ["created", "changed", "unchanged", "bad", "lines"].map(|name| after[name].as_i64().unwrap()),
            [3_000, 0, 0, 1, 3_001]
        );
        let (first, last) = (
            after["first_revision"].as_i64().unwrap(),
            after["last_revision"].as_i64().unwrap(),
        );
        assert_eq!(last - first, 2_999);
        assert_eq!(row["revision"], last);
        let before = rows(&admin).await;
        // What changes nothing leaves nothing, and so does a rehearsal.
        upload(&file).await.is(200);
        let rehearsal = world.post("/api/v1/directory/import?dry_run=true").bearer(&admin.token);
        rehearsal.body(user(9_999).to_string()).send().await.is(200);
        assert_eq!(rows(&admin).await, before);
        // From the shell.
        let one = import::lines(std::iter::once(user(9_999).to_string()));
        let taken = import::run(&world.app, None, one, false, Manner::Quick, &mut |_| {}).await;
        assert!(taken.unwrap().ok);
        let row = items(&admin, "limit=1").await.remove(0);
        assert_eq!(
            [&row["action"], &row["actor"], &row["via"], &row["address"]],
            [&json!("imported"), &Value::Null, &json!("shell"), &Value::Null]
        );
    });
}

// ------------------------------------------------------------------------------------------------ the rest

#[test]
fn destinations_and_suppressed_addresses_have_a_row_a_change() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let new = json!({"name": "Pager", "url": "https://hooks.example.com/in?key=geheim", "secret": "new",
            "headers": [{"name": "X-Key", "value": "geheim"}]});
        let (said, row) = noted(&admin, admin.post("/api/v1/endpoints", &new)).await;
        let id = said.json()["id"].to_string();
        let path = format!("/api/v1/endpoints/{id}");
        is(&row, ["created", "endpoint", &id]);
        assert_eq!(
            [&row["name"], &row["after"]["url"], &row["after"]["headers"]],
            [
                &json!("Pager"),
                &json!("https://hooks.example.com/in?***"),
                &json!(["X-Key"])
            ]
        );
        let (_, row) = noted(&admin, admin.patch(&path, &json!({"name": "Bell"}))).await;
        is(&row, ["changed", "endpoint", &id]);
        assert_eq!(
            [&row["before"]["name"], &row["after"]["name"]],
            [&json!("Pager"), &json!("Bell")]
        );
        let headers = json!({"headers": [{"name": "X-Key", "value": "geheimer"}]});
        let (_, row) = noted(&admin, admin.patch(&path, &headers)).await;
        is(&row, ["changed", "endpoint", &id]);
        for (verb, action) in [("pause", "paused"), ("resume", "resumed"), ("rotate", "renewed")] {
            let (_, row) = noted(&admin, admin.post(&format!("{path}/{verb}"), &json!({}))).await;
            is(&row, [action, "endpoint", &id]);
        }
        let (_, row) = noted(&admin, admin.post(&format!("{path}/test"), &json!({}))).await;
        assert_eq!(row["action"], "sent");
        let message = row["object"].as_str().unwrap().to_owned();
        let (cancel, channel) = (format!("/api/v1/messages/{message}/cancel"), json!({"channel": "http"}));
        let (_, row) = noted(&admin, admin.post(&cancel, &channel)).await;
        is(&row, ["cancelled", "message", &message]);
        let (_, row) = noted(&admin, admin.delete(&path)).await;
        is(&row, ["ended", "endpoint", &id]);
        let suppressions = "/api/v1/suppressions";
        let address = json!({"address": "Ann@Example.com", "reason": "asked"});
        let (_, row) = noted(&admin, admin.post(suppressions, &address)).await;
        is(&row, ["created", "suppression", "ann@example.com"]);
        assert_eq!(row["after"]["reason"], "asked");
        let (_, row) = noted(&admin, admin.post(suppressions, &json!({"address": "ann@example.com"}))).await;
        is(&row, ["changed", "suppression", "ann@example.com"]);
        let (_, row) = noted(&admin, admin.delete(&format!("{suppressions}/ann%40example.com"))).await;
        is(&row, ["ended", "suppression", "ann@example.com"]);
    });
}

#[test]
fn what_is_ones_own_has_a_row_a_change_and_the_address_behind_the_proxy() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let log_in = || async {
            let body = json!({"login": "admin", "password": ADMIN_PASSWORD});
            world
                .post("/api/v1/session")
                .json(&body)
                .send()
                .await
                .is(201)
                .set_cookie()
        };
        let (cookie, other) = (log_in().await, log_in().await);
        let mine = |row: &Value, wanted: [&str; 3]| {
            assert_eq!(deed(row), wanted, "{row}");
            assert_eq!(
                [&row["address"], &row["via"]],
                [&json!("203.0.113.7"), &json!("session")]
            );
            assert_eq!([&row["actor"]["id"], &row["token"]], [&json!("admin"), &Value::Null]);
        };
        let token = json!({"name": "ci"});
        let (said, row) = noted(
            &admin,
            behind_a_proxy(world.post("/api/v1/me/tokens").json(&token), &cookie),
        )
        .await;
        mine(&row, ["created", "token", "admin"]);
        let id = said.json()["id"].as_str().unwrap().to_owned();
        assert_eq!([&row["after"]["id"], &row["name"]], [&json!(id), &json!("ci")]);
        let (_, row) = noted(
            &admin,
            behind_a_proxy(world.delete(&format!("/api/v1/me/tokens/{id}")), &cookie),
        )
        .await;
        mine(&row, ["ended", "token", "admin"]);
        let (_, row) = noted(&admin, behind_a_proxy(world.post("/api/v1/me/ticket"), &cookie)).await;
        mine(&row, ["renewed", "ticket", "admin"]);
        let (_, row) = noted(
            &admin,
            behind_a_proxy(world.patch("/api/v1/me").json(&json!({"locale": "de"})), &cookie),
        )
        .await;
        mine(&row, ["changed", "user", "admin"]);
        assert_eq!(
            [&row["before"]["locale"], &row["after"]["locale"]],
            [&Value::Null, &json!("de")]
        );
        let (_, row) = noted(&admin, behind_a_proxy(world.delete("/api/v1/me/sessions"), &cookie)).await;
        mine(&row, ["ended", "session", "admin"]);
        assert_eq!(row["before"], json!({"sessions": 1}));
        world.get("/api/v1/me").cookie(&other).send().await.is(401);
        let next = json!({"old": ADMIN_PASSWORD, "new": "another tower of bells"});
        let (_, row) = noted(
            &admin,
            behind_a_proxy(world.post("/api/v1/me/password").json(&next), &cookie),
        )
        .await;
        mine(&row, ["changed", "password", "admin"]);
        let email = json!({"email": "ann@example.com"});
        noted(&admin, behind_a_proxy(world.patch("/api/v1/me").json(&email), &cookie)).await;
        for (on, action) in [(false, "created"), (true, "ended")] {
            let (_, row) = noted(
                &admin,
                behind_a_proxy(world.put("/api/v1/me/mail").json(&json!({"on": on})), &cookie),
            )
            .await;
            mine(&row, [action, "suppression", "ann@example.com"]);
        }
    });
}

#[test]
fn what_is_refused_or_changes_nothing_leaves_no_row() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let id = send(&admin, &draft("One")).await;
        let user = json!({"id": "u-ann", "login": "ann", "name": "Ann"});
        admin.post("/api/v1/users", &user).await.is(201);
        let number = admin.get("/api/v1/users/u-ann").await.is(200).json()["number"]
            .as_i64()
            .unwrap();
        let ann = Client {
            world,
            token: world.token(PersonId(number)).await,
        };
        let before = rows(&admin).await;
        ann.post("/api/v1/messages", &draft("Two")).await.is(403);
        ann.patch("/api/v1/users/u-ann", &json!({"name": "Root"})).await.is(403);
        admin.post("/api/v1/messages", &draft("")).await.is(422);
        admin
            .patch(&format!("/api/v1/messages/{id}"), &json!({"title": ""}))
            .await
            .is(422);
        admin
            .patch(&format!("/api/v1/messages/{id}"), &json!({"title": "One"}))
            .await
            .is(200);
        admin.post("/api/v1/users", &user).await.is(409);
        admin
            .patch("/api/v1/users/u-ann", &json!({"name": "Ann"}))
            .await
            .is(200);
        admin
            .patch("/api/v1/users/u-ann", &json!({"customer": 99}))
            .await
            .is(422);
        admin
            .post("/api/v1/endpoints", &json!({"name": "", "url": ""}))
            .await
            .is(422);
        admin
            .post("/api/v1/suppressions", &json!({"address": "nowhere"}))
            .await
            .is(422);
        admin.delete("/api/v1/suppressions/nobody%40example.com").await.is(404);
        admin.delete("/api/v1/me/tokens/none").await.is(404);
        admin
            .post("/api/v1/users/u-ann/password", &json!({"password": "short"}))
            .await
            .is(422);
        admin
            .post(&format!("/api/v1/messages/{id}/resend"), &json!({"channel": "email"}))
            .await
            .is(409);
        assert_eq!(rows(&admin).await, before);
    });
}

static EVERYTHING: Sql = Sql::new(
    "journal::EVERYTHING",
    "SELECT COALESCE(object, '') || ' ' || COALESCE(before, '') || ' ' || COALESCE(after, '') || ' '
        || COALESCE(from_address, '') || ' ' || COALESCE(from_token, '') FROM journal",
);

#[test]
fn no_secret_of_any_kind_stands_in_it() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let mut secrets = vec![admin.token.clone(), "geheim".to_owned()];
        let user = json!({"id": "u-ann", "login": "ann", "name": "Ann", "password": "geheim-of-ann"});
        admin.post("/api/v1/users", &user).await.is(201);
        let other = json!({"password": "geheim-and-new"});
        admin.patch("/api/v1/users/u-ann", &other).await.is(200);
        admin.post("/api/v1/users/u-ann/password", &other).await.is(204);
        let token = by_ann(world.post("/api/v1/me/tokens").json(&json!({"name": "ci"})))
            .await
            .is(201)
            .json();
        secrets.push(token["token"].as_str().unwrap().to_owned());
        let ticket = by_ann(world.post("/api/v1/me/ticket")).await.is(200).json();
        secrets.push(ticket["ticket"].as_str().unwrap().to_owned());
        let new = json!({"name": "Pager", "url": "https://u:geheim@hooks.example.com/in?k=geheim", "secret": "new",
            "headers": [{"name": "X-Key", "value": "geheim"}]});
        let made = admin.post("/api/v1/endpoints", &new).await.is(201).json();
        secrets.push(made["secret"].as_str().unwrap().to_owned());
        let path = format!("/api/v1/endpoints/{}", made["id"]);
        let turned = admin.post(&format!("{path}/rotate"), &json!({})).await.is(200).json();
        secrets.push(turned["secret"].as_str().unwrap().to_owned());
        let headers = json!({"headers": [{"name": "X-Key", "value": "geheim"}]});
        admin.patch(&path, &headers).await.is(200);
        let mut posted = draft("Posted");
        posted["channels"] = json!(["portal", "http"]);
        posted["posts"] = json!([{"url": "https://hooks.example.com/?k=geheim",
            "headers": [{"name": "X-Key", "value": "geheim"}]}]);
        let sent = send(&admin, &posted).await;
        admin
            .post(&format!("/api/v1/messages/{sent}/recall"), &json!({}))
            .await
            .is(200);
        admin.delete(&path).await.is(204);
        let next = json!({"old": "geheim-and-new", "new": "geheim-once-more"});
        by_ann(world.post("/api/v1/me/password").json(&next)).await.is(204);

        let mut told = world
            .app
            .db
            .read(|tx| tx.rows(&EVERYTHING, &[], |row| row.get::<String>(0)))
            .await
            .unwrap()
            .join("\n");
        for format in ["csv", "ndjson"] {
            let all = admin.get(&format!("{JOURNAL}/export?format={format}")).await.is(200);
            writeln!(told, "{}", all.body).unwrap();
        }
        assert!(told.contains("\"password\":\"***\""), "{told}");
        for secret in secrets {
            assert!(!told.contains(&secret), "{secret} in {told}");
        }
    });
}

// ------------------------------------------------------------------------------------------------ reading

#[test]
fn it_is_filtered_and_paged() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let user = json!({"id": "u-ann", "login": "ann", "name": "Ann", "password": "a fine password"});
        admin.post("/api/v1/users", &user).await.is(201);
        let grant = json!({"user": "u-ann", "on": {"environment": "DEFAULT"}, "role": "ADMIN"});
        admin.post("/api/v1/memberships", &grant).await.is(201);
        let mut ids = Vec::new();
        for at in 0..5 {
            world.advance(Duration::from_hours(1));
            let ask = world.post("/api/v1/messages").basic("ann", "a fine password");
            let sent = ask.json(&draft(&format!("Notice {at}"))).send().await.is(201).json();
            ids.push(sent["id"].to_string());
        }
        admin
            .patch(&format!("/api/v1/messages/{}", ids[0]), &json!({"title": "Mended"}))
            .await
            .is(200);
        let count = |query: &'static str| {
            let admin = &admin;
            async move { items(admin, query).await.len() }
        };
        assert_eq!(count("").await, 8);
        assert_eq!(count("actor=ann").await, 5);
        assert_eq!(count("actor=u-ann&kind=message&action=sent").await, 5);
        assert_eq!(count("actor=Admin").await, 3);
        assert_eq!(count("action=corrected").await, 1);
        assert_eq!(count("kind=membership&object=u-ann").await, 1);
        assert_eq!(count("kind=user").await, 1);
        assert_eq!(count("q=NOTICE%203").await, 1);
        assert_eq!(count("q=mended").await, 2, "its title now, of birth and correction");
        assert_eq!(count("q=ann&kind=user").await, 1);
        // Hours after the start: the messages of the second and third.
        assert_eq!(count("from=2023-11-15T00:13:20Z&to=2023-11-15T02:13:20Z").await, 2);
        assert_eq!(count("to=2023-11-14T22:13:21Z").await, 2);
        assert_eq!(count("from=2024-01-01T00:00:00Z").await, 0);
        let object = format!("kind=message&object={}", ids[0]);
        assert_eq!(items(&admin, &object).await.len(), 2);

        let all: Vec<_> = items(&admin, "").await.iter().map(|row| row["id"].clone()).collect();
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{JOURNAL}?limit=3{cursor}");
            let page = admin.get(&path).await.is(200).json();
            paged.extend(page["items"].as_array().unwrap().iter().map(|row| row["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, all);
        for (query, field) in [
            ("actor=nobody", "actor"),
            ("object=1", "object"),
            ("limit=0", "limit"),
            ("cursor=x", "cursor"),
        ] {
            assert_eq!(admin.get(&format!("{JOURNAL}?{query}")).await.is(422).fields(), [field]);
        }
        for query in ["action=nothing", "kind=nothing", "from=yesterday", "more=1"] {
            admin.get(&format!("{JOURNAL}?{query}")).await.is(400);
        }
    });
}

static MANY: Sql = Sql::new(
    "journal::MANY",
    "INSERT INTO journal (at, actor, action, kind, object) VALUES ($1, $2, 2, 4, 'g')",
);

#[test]
fn a_page_looks_at_so_much_and_goes_on() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let ann = world.person(77, "ann", "a fine password").await;
        let fill = world.app.db.write(move |tx| {
            for at in 0..4_500 {
                let actor = if at == 10 { ann.0 } else { 1 };
                tx.execute(&MANY, &[&(START.0 + at * 60_000), &actor])?;
            }
            Ok::<_, campanile_store::Error>(())
        });
        fill.await.unwrap();
        let (mut pages, mut found, mut cursor) = (0, 0, String::new());
        loop {
            let page = admin.get(&format!("{JOURNAL}?actor=ann{cursor}")).await.is(200).json();
            pages += 1;
            found += page["items"].as_array().unwrap().len();
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!((pages, found), (3, 1));
        // A time is found without looking through what came since.
        let query = "actor=ann&from=2023-11-14T22:20:00Z&to=2023-11-14T22:30:00Z";
        let page = admin.get(&format!("{JOURNAL}?{query}")).await.is(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        assert_eq!(page["next"], Value::Null);
    });
}

#[test]
fn it_is_exported_whole_and_a_spreadsheet_runs_none_of_it() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for at in 0..150 {
            send(&admin, &draft(&format!("=HYPERLINK({at})"))).await;
        }
        let export = format!("{JOURNAL}/export");
        let lines = admin.get(&export).await.is(200);
        assert_eq!(lines.header("content-type"), "application/x-ndjson");
        assert_eq!(lines.body.lines().count(), 150);
        let first: Value = serde_json::from_str(lines.body.lines().next().unwrap()).unwrap();
        assert_eq!(
            [&first["action"], &first["name"]],
            [&json!("sent"), &json!("=HYPERLINK(149)")]
        );
        let csv = world.get(&export).bearer(&admin.token).header("accept", "text/csv");
        let csv = csv.send().await.is(200);
        assert!(csv.header("content-type").starts_with("text/csv"));
        assert_eq!(csv.body.lines().count(), 152, "with the head, and the export before");
        assert!(csv.body.starts_with("id,at,actor,"), "{}", csv.body);
        assert!(csv.body.contains(",'=HYPERLINK(149),"), "{}", csv.body);
        let some = admin.get(&format!("{export}?format=csv&action=recalled")).await.is(200);
        assert_eq!(some.body.lines().count(), 1);
    });
}

#[test]
fn the_page_shows_it_to_who_operates_the_server_alone() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        world.person(77, "ann", "a fine password").await;
        let log_in = async |login: &str, password: &str| {
            let body = json!({"login": login, "password": password});
            let said = world.post("/api/v1/session").json(&body).send().await.is(201);
            said.set_cookie()
        };
        let (boss, ann) = (
            log_in("admin", ADMIN_PASSWORD).await,
            log_in("ann", "a fine password").await,
        );
        let page = async |query: &str, cookie: &str| {
            let ask = world.get(&format!("/journal{query}")).cookie(cookie);
            ask.header("accept-language", "de").send().await
        };
        let nothing = "?kind=message";
        assert!(page(nothing, &boss).await.is(200).body.contains("Hier ist nichts"));
        let id = send(&admin, &draft("<b>Tonigth</b>")).await;
        admin
            .patch(&format!("/api/v1/messages/{id}"), &json!({"title": "Tonight"}))
            .await
            .is(200);
        let shown = page("?action=corrected&kind=message", &boss).await.is(200).body;
        for text in [
            "Berichtigt",
            "Administrator (admin)",
            "192.0.2.1",
            &format!("href=\"/messages/{id}\""),
            "<del><span class=\"sr\">Vorher: </span>&#60;b&#62;Tonigth&#60;/b&#62;</del>",
            "/api/v1/journal/export?format=csv&#38;kind=message&#38;action=corrected",
        ] {
            assert!(shown.contains(text), "{text} in {shown}");
        }
        assert!(page("?q=nowhere", &boss).await.is(200).body.contains("Hier ist nichts"));
        assert!(
            page("?actor=nobody", &boss)
                .await
                .is(200)
                .body
                .contains("diesen Benutzer gibt es nicht")
        );
        assert!(page("?from=soon", &boss).await.is(200).body.contains("kein Datum"));
        page("", &ann).await.is(403);
        let inbox = world.get("/inbox").cookie(&ann).send().await.is(200);
        assert!(!inbox.body.contains("/journal"), "it is not offered");
    });
}
