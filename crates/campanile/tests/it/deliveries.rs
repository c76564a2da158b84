//! Email and POST of a message as its sender sees them, over HTTP. What workers would do is done by hand.

use campanile_core::Error;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::message::Channel;
use campanile_core::outbox::delivery::{self, End, Settled};
use campanile_core::outbox::run::{self, Lane};
use campanile_core::outbox::{Worker, chunk};
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{World, each_world, each_world_with};

const ONE: Worker = Worker(1);

const PEOPLE: &str = r#"
{"kind":"api","id":"pets","name":"Pets","environment":"DEFAULT"}
{"kind":"user","id":"u-env","login":"env","name":"Eve"}
{"kind":"user","id":"u-1","login":"=one","name":"Una, \"the\" First","email":"una@example.com"}
{"kind":"user","id":"u-2","login":"two","name":"Tom","email":"tom@example.com"}
{"kind":"user","id":"u-3","login":"three","name":"Thea","email":"thea@example.com"}
{"kind":"user","id":"u-4","login":"four","name":"Fay"}
{"kind":"membership","user":"u-env","on":{"environment":"DEFAULT"},"role":"ADMIN"}
{"kind":"membership","user":"u-1","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-2","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-3","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-4","on":{"environment":"DEFAULT"},"role":"USER"}
"#;

/// A world with a relay.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a test reads better as `each_house(async |admin| …)`"
)]
fn each_house(test: impl AsyncFn(Client<'_>)) {
    let relay = [
        ("CAMPANILE_SMTP_URL", "smtp://relay.test:25"),
        ("CAMPANILE_MAIL_FROM", "Bell <bell@example.com>"),
    ];
    each_world_with("http://campanile.test", &relay, async |world: &World| {
        let admin = Client::admin(world).await;
        let ask = world.post("/api/v1/directory/import").bearer(&admin.token);
        assert_eq!(ask.body(PEOPLE).send().await.is(200).json()["ok"], json!(true));
        test(admin).await;
    });
}

async fn client<'w>(admin: &Client<'w>, id: &str) -> Client<'w> {
    let token = admin.world.token(PersonId(number(admin, id).await)).await;
    Client {
        world: admin.world,
        token,
    }
}

async fn number(admin: &Client<'_>, id: &str) -> i64 {
    let user = admin.get(&format!("/api/v1/users/{id}")).await.is(200).json();
    user["number"].as_i64().unwrap()
}

async fn send(admin: &Client<'_>, draft: &Value) -> MessageId {
    let sent = admin.post("/api/v1/messages", draft).await.is(201).json();
    MessageId(sent["id"].as_i64().unwrap())
}

fn by_mail() -> Value {
    let audience = json!([{"kind": "environment_role", "role": "USER"}]);
    json!({"title": "Tonight", "text": "At ten.", "audience": audience, "channels": ["portal", "email"]})
}

fn by_post() -> Value {
    json!({"title": "", "text": "{}", "audience": [], "channels": ["http"],
        "posts": [{"url": "https://hooks.example.com/in", "headers": [{"name": "X-Key", "value": "geheim"}]}]})
}

/// Lists the three who have an address, and sends them their mails: the first goes, the second fails for good, and the
/// third is to be tried again.
async fn work(admin: &Client<'_>, id: MessageId) {
    let mut people = Vec::new();
    for user in ["u-1", "u-2", "u-3"] {
        people.push(number(admin, user).await as u32);
    }
    let now = admin.world.app.clock.now();
    let worked = admin.world.app.db.jot(move |tx| {
        let found = run::listable(tx, None, 1, now)?;
        let mut listing = run::take_listing(tx, ONE, &found[0], now)?.expect("it is to be listed");
        assert_eq!(listing.message, id);
        run::store_listed(tx, &mut listing, &[people.clone()], people[2], 3, true, now)?;
        let mut chunk = chunk::take(tx, ONE, Lane::Normal, 0, 0, now)?.expect("there is a chunk");
        chunk.begun = 3;
        (0..3).for_each(|at| chunk.done.set(at));
        let failed = |at: usize, end| Settled {
            end,
            code: Some(550),
            reason: Some("the relay says: no such mailbox".into()),
            address: Some("old@example.com".into()),
            ..Settled::sent(i64::from(people[at]), None, now, 12)
        };
        let again = End::Again {
            at: now.plus_ms(300_000),
            counts: true,
        };
        let sent = Settled::sent(i64::from(people[0]), Some(250), now, 5);
        let outcomes = [sent, failed(1, End::Failed), failed(2, again)];
        assert!(chunk::write(tx, &chunk, &outcomes, now)?);
        Ok::<_, Error>(())
    });
    worked.await.unwrap();
}

fn targets(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["target"].as_str().unwrap()).collect()
}

#[test]
fn a_sender_sees_how_far_a_message_got() {
    each_house(async |admin| {
        let id = send(&admin, &by_mail()).await;
        work(&admin, id).await;
        let progress = admin
            .get(&format!("/api/v1/messages/{id}/progress"))
            .await
            .is(200)
            .json();
        let mail = &progress["items"][0];
        assert_eq!(
            [&mail["channel"], &mail["state"], &mail["recipients"]],
            [&json!("email"), &json!("sending"), &json!(3)]
        );
        assert_eq!(
            [&mail["sent"], &mail["failed"], &mail["queued"], &mail["retrying"]],
            [1, 1, 1, 1]
        );
        let message = admin.get(&format!("/api/v1/messages/{id}")).await.is(200).json();
        assert_eq!(message["progress"], progress["items"]);
        assert_eq!(message["channels"], json!(["portal", "email"]));
    });
}

#[test]
fn recipients_are_listed_by_how_they_stand_page_by_page() {
    each_house(async |admin| {
        let id = send(&admin, &by_mail()).await;
        work(&admin, id).await;
        let list = async |query: &str| {
            let path = format!("/api/v1/messages/{id}/deliveries{query}");
            admin.get(&path).await.is(200).json()
        };
        assert_eq!(targets(&list("").await), ["u-1", "u-2", "u-3"]);
        for (query, who) in [
            ("?state=sent", "u-1"),
            ("?state=failed", "u-2"),
            ("?state=retrying&channel=email", "u-3"),
            ("?q=thE", "u-3"),
            ("?q=tom%40", "u-2"),
        ] {
            assert_eq!(targets(&list(query).await), [who], "{query}");
        }
        let first = list("?limit=2").await;
        let next = first["next"].as_str().unwrap();
        assert_eq!(targets(&list(&format!("?limit=2&cursor={next}")).await), ["u-3"]);
        let failed = &list("?state=failed").await["items"][0];
        assert_eq!(failed["reason"], "the relay says: no such mailbox");
        assert_eq!(
            [&failed["address"], &failed["person"]["name"]],
            ["old@example.com", "Tom"]
        );
        // Who may not read the directory sees no address, and finds nobody by one.
        let env = client(&admin, "u-env").await;
        let path = format!("/api/v1/messages/{id}/deliveries");
        let failed = env.get(&format!("{path}?state=failed")).await.is(200).json();
        assert_eq!(failed["items"][0].get("address"), None);
        assert_eq!(
            targets(&env.get(&format!("{path}?q=tom%40")).await.is(200).json()),
            Vec::<&str>::new()
        );
    });
}

#[test]
fn one_recipient_has_the_line_of_every_try() {
    each_house(async |admin| {
        let id = send(&admin, &by_mail()).await;
        work(&admin, id).await;
        let one = async |user: &str| {
            let path = format!("/api/v1/messages/{id}/deliveries/email/{user}");
            admin.get(&path).await
        };
        let waits = one("u-3").await.is(200).json();
        assert_eq!([&waits["state"], &waits["next_at"]], ["queued", "2023-11-14T22:18:20Z"]);
        assert_eq!(
            waits["timeline"],
            json!([{"number": 1, "at": "2023-11-14T22:13:20Z", "took_ms": 12, "outcome": "again", "code": 550,
                "reason": "the relay says: no such mailbox"}])
        );
        let sent = one("u-1").await.is(200).json();
        assert_eq!(sent["timeline"][0]["outcome"], "sent");
        // Without an address there is no mail.
        one("u-4").await.is(404);
        let portal = admin
            .get(&format!("/api/v1/messages/{id}/deliveries/portal/u-1"))
            .await
            .is(422);
        assert_eq!(portal.fields(), ["channel"]);
    });
}

#[test]
fn the_export_is_csv_without_formulas() {
    each_house(async |admin| {
        let id = send(&admin, &by_mail()).await;
        work(&admin, id).await;
        let said = admin
            .get(&format!("/api/v1/messages/{id}/deliveries.csv"))
            .await
            .is(200);
        assert_eq!(said.header("content-type"), "text/csv; charset=utf-8; header=present");
        let lines: Vec<_> = said.body.split("\r\n").collect();
        assert_eq!(
            lines,
            [
                "channel,target,login,name,address,destination,state,attempts,in_doubt,code,reason,at,next_at",
                "email,u-1,'=one,\"Una, \"\"the\"\" First\",una@example.com,,sent,1,0,,,2023-11-14T22:13:20Z,",
                "email,u-2,two,Tom,old@example.com,,failed,1,0,550,the relay says: no such mailbox,\
                 2023-11-14T22:13:20Z,",
                "email,u-3,three,Thea,old@example.com,,queued,1,0,550,the relay says: no such mailbox,\
                 2023-11-14T22:13:20Z,2023-11-14T22:18:20Z",
                "",
            ]
        );
        let failed = admin
            .get(&format!(
                "/api/v1/messages/{id}/deliveries.csv?state=failed&channel=email"
            ))
            .await
            .is(200);
        assert_eq!(failed.body.lines().count(), 2);
    });
}

#[test]
fn what_failed_is_sent_again_and_nothing_else() {
    each_house(async |admin| {
        let id = send(&admin, &by_mail()).await;
        work(&admin, id).await;
        let path = format!("/api/v1/messages/{id}/resend");
        let to = |target: &str| json!({"channel": "email", "target": target});
        for sent in ["u-1", "u-3"] {
            let said = admin.post(&path, &to(sent)).await.is(409);
            assert_eq!(said.detail(), "nothing that failed is there to be sent again");
        }
        admin.post(&path, &to("u-4")).await.is(404);
        let again = admin.post(&path, &to("u-2")).await.is(200).json();
        assert_eq!(again, json!({"queued": 1}));
        let waiting = admin
            .get(&format!("/api/v1/messages/{id}/deliveries?state=retrying"))
            .await
            .is(200)
            .json();
        assert_eq!(targets(&waiting), ["u-2", "u-3"]);
        admin.post(&path, &json!({"channel": "email"})).await.is(409);
    });
}

#[test]
fn what_has_not_left_is_taken_back_by_one_channel() {
    each_house(async |admin| {
        let id = send(&admin, &by_mail()).await;
        work(&admin, id).await;
        let path = format!("/api/v1/messages/{id}/cancel");
        admin.post(&path, &json!({"channel": "http"})).await.is(409);
        let progress = admin.post(&path, &json!({"channel": "email"})).await.is(200).json();
        let mail = &progress["items"][0];
        assert_eq!([&mail["queued"], &mail["cancelled"], &mail["sent"]], [0, 1, 1]);
        // It is still where it is shown.
        let message = admin.get(&format!("/api/v1/messages/{id}")).await.is(200).json();
        assert_eq!(message["status"], "active");
        let said = admin.post(&path, &json!({"channel": "portal"})).await.is(422);
        assert_eq!(said.fields(), ["channel"]);
    });
}

#[test]
fn a_post_tells_where_it_went_and_no_secret() {
    each_world(async |world: &World| {
        let admin = Client::admin(world).await;
        let id = send(&admin, &by_post()).await;
        let now = world.app.clock.now();
        let settled = world.app.db.jot(move |tx| {
            let shares = delivery::shares(tx, Channel::Http, Lane::Normal)?;
            let taken = delivery::take(tx, ONE, Channel::Http, Lane::Normal, shares[0].0, 9, now)?;
            let failed = Settled {
                end: End::Failed,
                code: Some(500),
                reason: Some("the target answered 500".into()),
                ..Settled::sent(1, None, now, 31)
            };
            delivery::settle(tx, &[(taken[0], failed)], now)
        });
        assert_eq!(settled.await.unwrap(), 0);
        let page = admin
            .get(&format!("/api/v1/messages/{id}/deliveries?state=failed"))
            .await
            .is(200);
        assert!(!page.body.contains("geheim"), "{}", page.body);
        let item = &page.json()["items"][0];
        assert_eq!(
            item["destination"],
            json!({"number": 1, "url": "https://hooks.example.com/in"})
        );
        let message = admin.get(&format!("/api/v1/messages/{id}")).await.is(200).json();
        assert_eq!(message["posts"], json!([item["destination"]]));
        let story = admin
            .get(&format!("/api/v1/messages/{id}/deliveries/http/1"))
            .await
            .is(200)
            .json();
        assert_eq!(story["timeline"][0]["reason"], "the target answered 500");
        admin
            .get(&format!("/api/v1/messages/{id}/deliveries/http/x"))
            .await
            .is(404);
        let path = format!("/api/v1/messages/{id}/resend");
        let again = admin.post(&path, &json!({"channel": "http"})).await;
        assert_eq!(again.is(200).json(), json!({"queued": 1}));
    });
}

#[test]
fn a_message_of_the_bell_alone_says_nothing_of_channels() {
    each_world(async |world: &World| {
        let admin = Client::admin(world).await;
        let id = send(&admin, &json!({"title": "T", "audience": [{"kind": "everyone"}]})).await;
        let message = admin.get(&format!("/api/v1/messages/{id}")).await.is(200).json();
        assert_eq!((message.get("progress"), message.get("posts")), (None, None));
        let none = admin
            .get(&format!("/api/v1/messages/{id}/deliveries"))
            .await
            .is(200)
            .json();
        assert_eq!(none, json!({"items": []}));
    });
}

#[test]
fn channels_that_are_off_say_why() {
    each_world(async |world: &World| {
        let admin = Client::admin(world).await;
        let channels = admin.get("/api/v1/channels").await.is(200).json();
        assert_eq!(
            channels["items"],
            json!([
                {"channel": "portal", "on": true},
                {"channel": "banner", "on": true},
                {"channel": "email", "on": false, "why": "this server has no mail relay (CAMPANILE_SMTP_URL)"},
                {"channel": "http", "on": true, "system_proxy": false},
            ])
        );
        let said = admin.post("/api/v1/messages", &by_mail()).await.is(422);
        assert!(said.fields().contains(&"channels[1]".to_owned()), "{}", said.body);
    });
}

#[test]
fn a_request_is_shown_before_it_is_made() {
    each_world(async |world: &World| {
        let admin = Client::admin(world).await;
        let path = "/api/v1/messages/preview/post";
        let post = json!({"url": "https://ann:pw@hooks.example.com/in",
            "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "headers": [{"name": "X-Key", "value": "geheim"}, {"name": "Content-Type", "value": "text/plain"}]});
        let said = admin
            .post(path, &json!({"posts": [post], "text": "Hello"}))
            .await
            .is(200);
        assert!(
            !said.body.contains("geheim") && !said.body.contains("whsec_"),
            "{}",
            said.body
        );
        let request = &said.json()["items"][0];
        assert_eq!(
            [&request["method"], &request["url"], &request["body"]],
            ["POST", "https://hooks.example.com/in", "Hello"]
        );
        let names: Vec<_> = request["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| (line["name"].as_str().unwrap(), line["value"].as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("X-Key", None),
                ("Content-Type", Some("text/plain")),
                ("Authorization", None),
                ("webhook-id", None),
                ("webhook-timestamp", None),
                ("webhook-signature", None),
            ]
        );
        let wrong = json!({"posts": [{"url": "http://127.0.0.1/"}], "text": ""});
        let said = admin.post(path, &wrong).await.is(422);
        assert_eq!(said.fields(), ["text", "posts[0].url"]);
    });
}
