//! What leaves the house, in the console, as a browser without scripts meets it: how far it got, who did not get it and
//! why, sending again and taking back.

use std::sync::atomic::{AtomicUsize, Ordering};

use campanile_core::id::PersonId;
use campanile_core::message::preview;
use campanile_core::outbox::run::State;
use serde_json::json;

use crate::outbox::{House, each_house};
use crate::relay::{Act, At, Manner, Server};
use crate::world::Said;

/// Somebody with a browser.
struct Browser<'h> {
    house: &'h House,
    token: String,
}

impl<'h> Browser<'h> {
    async fn of(house: &'h House, login: &'static str) -> Self {
        let found = house.world.app.db.read(move |tx| preview::person(tx, login));
        let person: PersonId = found.await.unwrap();
        let token = house.world.token(person).await;
        Self { house, token }
    }

    async fn get(&self, path: &str) -> Said {
        self.house.world.get(path).bearer(&self.token).send().await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Said {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let ask = self.house.world.post(path).bearer(&self.token);
        let ask = ask.header("content-type", "application/x-www-form-urlencoded");
        ask.body(body).send().await
    }
}

#[track_caller]
fn shows(page: &Said, texts: &[&str]) {
    for text in texts {
        assert!(page.body.contains(text), "{text:?} is not in {}", page.body);
    }
}

#[track_caller]
fn hides(page: &Said, texts: &[&str]) {
    for text in texts {
        assert!(!page.body.contains(text), "{text:?} is in {}", page.body);
    }
}

/// A relay that refuses p2 once, and puts p1 off.
async fn difficult() -> Server {
    let tries = AtomicUsize::new(0);
    Server::start(Manner::new(move |at| match at {
        At::Rcpt("p1@example.org") => Act::Say("450 4.2.0 come back later"),
        At::Rcpt("p2@example.org") if tries.fetch_add(1, Ordering::SeqCst) == 0 => Act::Say("554 not today"),
        _ => Act::Usual,
    }))
    .await
}

#[test]
fn a_sender_sees_what_failed_sends_it_again_and_takes_back_what_waits() {
    each_house(difficult, async |house, _| {
        house.people(5).await;
        let id = house.mail().await;
        house
            .until(id, |of| (of.sent, of.failed, of.retrying) == (3, 1, 1))
            .await;
        let admin = Browser::of(house, "admin").await;
        let page = |name: &str| format!("/messages/{id}/{name}");

        let card = admin.get(&format!("/messages/{id}")).await.is(200);
        shows(
            &card,
            &[
                "On its way",
                "Under way",
                "4 of 5 dealt with",
                "state=failed",
                "data-module=\"way\"",
            ],
        );
        let fragment = admin.get(&page("progress")).await.is(200);
        shows(&fragment, &["data-moves", "4 of 5 dealt with"]);
        hides(&fragment, &["<html"]);

        // What failed comes first, and nothing else with it.
        let failed = admin.get(&page("deliveries")).await.is(200);
        shows(
            &failed,
            &[
                "p2@example.org",
                "not today",
                "Send again",
                "Take back what has not left",
            ],
        );
        hides(&failed, &["p1@example.org", "p3@example.org"]);
        let waits = admin
            .get(&page("deliveries?channel=email&state=retrying"))
            .await
            .is(200);
        shows(&waits, &["p1@example.org", "next try"]);
        let found = admin
            .get(&page("deliveries?channel=email&state=all&q=p3"))
            .await
            .is(200);
        shows(&found, &["p3@example.org"]);
        hides(&found, &["p2@example.org"]);
        let csv = admin
            .get(&format!("/api/v1{}", page("deliveries.csv?channel=email&state=failed")))
            .await;
        shows(&csv.is(200), &["p2@example.org"]);
        shows(&failed, &["deliveries.csv?channel=email&#38;state=failed"]);
        let story = admin.get(&page("delivery?channel=email&target=p2")).await.is(200);
        shows(&story, &["What was tried", "not today", "answer 554", "Send again"]);

        let ask = admin.get(&page("resend?channel=email")).await.is(200);
        shows(&ask, &["Send 1 failed delivery again?"]);
        let done = admin.post(&page("resend"), &[("channel", "email")]).await.is(303);
        assert!(done.header("location").ends_with("done=sent-again&n=1"));
        house.until(id, |of| (of.sent, of.failed) == (4, 0)).await;
        let nothing = admin.post(&page("resend"), &[("channel", "email")]).await.is(422);
        shows(&nothing, &["nothing that failed is there to be sent again"]);

        let ask = admin.get(&page("cancel?channel=email")).await.is(200);
        shows(&ask, &["Take back 1 delivery that has not left?"]);
        admin.post(&page("cancel"), &[("channel", "email")]).await.is(303);
        house.until(id, |of| of.state == State::Cancelled).await;
        let taken = admin
            .get(&page("deliveries?channel=email&state=cancelled"))
            .await
            .is(200);
        shows(&taken, &["p1@example.org"]);
        hides(&taken, &["Take back what has not left"]);
        hides(&admin.get(&page("progress")).await.is(200), &["data-moves"]);
    });
}

#[test]
fn what_is_done_but_failed_for_some_does_not_look_well() {
    let refusing = async || {
        Server::start(Manner::new(|at| match at {
            At::Rcpt("p2@example.org") => Act::Say("554 never"),
            _ => Act::Usual,
        }))
        .await
    };
    each_house(refusing, async |house, _| {
        house.people(3).await;
        let id = house.mail().await;
        house.until(id, |of| of.state == State::Ended).await;
        let admin = Browser::of(house, "admin").await;
        let card = admin.get(&format!("/messages/{id}/progress")).await.is(200);
        shows(&card, &["<span class=\"pill high\">Done, 1 failed</span>"]);
    });
}

#[test]
fn who_may_not_see_a_message_learns_nothing_of_its_way() {
    each_house(difficult, async |house, _| {
        house.people(3).await;
        let id = house.mail().await;
        let reader = Browser::of(house, "p0").await;
        for path in [
            "progress",
            "deliveries",
            "delivery?channel=email&target=p2",
            "resend?channel=email",
            "cancel?channel=email",
        ] {
            reader.get(&format!("/messages/{id}/{path}")).await.is(404);
        }
        for path in ["resend", "cancel"] {
            let fields = [("channel", "email")];
            reader.post(&format!("/messages/{id}/{path}"), &fields).await.is(404);
        }
    });
}

async fn quiet() -> Server {
    Server::start(Manner::new(|_| Act::Usual)).await
}

/// What was answered without a page: where it led.
#[track_caller]
fn led(said: &Said, what: &str) {
    let to = said.header("location");
    assert!(to.contains(&format!("done={what}")), "{to}");
}

#[test]
fn a_destination_is_saved_its_secret_is_shown_once_and_it_is_paused_and_removed() {
    each_house(quiet, async |house, _| {
        house.people(1).await;
        let admin = Browser::of(house, "admin").await;
        shows(&admin.get("/messages").await, &["href=\"/endpoints\""]);
        shows(&admin.get("/endpoints").await.is(200), &["No saved destinations"]);

        let fields = [
            ("name", ""),
            ("url", "ftp://example.com"),
            ("environment", "DEFAULT"),
            ("sign", "new"),
        ];
        let refused = admin.post("/endpoints/new", &fields).await.is(422);
        shows(
            &refused,
            &["id=\"name-fault\"", "id=\"url-fault\"", "ftp://example.com"],
        );
        let typed = [
            ("header", "X-Key"),
            ("value", "deep-secret"),
            ("header", ""),
            ("value", ""),
        ];
        let more = [&fields[..], &typed, &[("more", "1")]].concat();
        let rows = admin.post("/endpoints/new", &more).await.is(200);
        assert_eq!(rows.body.matches("name=\"header\"").count(), 4);

        let good = [
            ("name", "Tickets"),
            ("url", "http://127.0.0.1:8080/in"),
            fields[2],
            fields[3],
        ];
        let made = admin
            .post("/endpoints/new", &[&good[..], &typed].concat())
            .await
            .is(200);
        shows(
            &made,
            &["Tickets", "whsec_", "X-Key", "Messages of the environment Default"],
        );
        hides(&made, &["deep-secret"]);
        let listed = admin.get("/endpoints").await.is(200);
        let id = listed
            .body
            .split("href=\"/endpoints/")
            .find_map(|rest| rest.split('"').next()?.parse::<i64>().ok());
        let at = format!("/endpoints/{}", id.unwrap());
        let shown = admin.get(&at).await.is(200);
        shows(&shown, &["Not used yet", "http://127.0.0.1:8080/in"]);
        hides(&shown, &["whsec_", "deep-secret"]);

        led(
            &admin.post(&format!("{at}/pause"), &[]).await.is(303),
            "endpoint-paused",
        );
        shows(&admin.get("/endpoints").await, &["Paused"]);
        shows(
            &admin.post(&format!("{at}/test"), &[]).await.is(422),
            &["it is paused or off"],
        );
        led(
            &admin.post(&format!("{at}/resume"), &[]).await.is(303),
            "endpoint-resumed",
        );
        let rotated = admin
            .post(&format!("{at}/rotate"), &[("grace_hours", "24")])
            .await
            .is(200);
        shows(&rotated, &["whsec_", "The secret before signs too until"]);
        let wrong = admin
            .post(&format!("{at}/rotate"), &[("grace_hours", "999")])
            .await
            .is(422);
        shows(&wrong, &["id=\"grace_hours-fault\""]);

        let renamed = [
            ("name", "Desk"),
            ("url", "http://127.0.0.1:8080/in"),
            ("use_system_proxy", "no"),
        ];
        led(
            &admin.post(&format!("{at}/edit"), &renamed).await.is(303),
            "endpoint-changed",
        );
        shows(&admin.get(&at).await, &["Desk", "X-Key"]);

        let reader = Browser::of(house, "p0").await;
        reader.get("/endpoints").await.is(403);
        reader.get("/endpoints/new").await.is(403);
        reader.get(&at).await.is(404);
        reader.post(&format!("{at}/remove"), &[]).await.is(404);

        shows(&admin.get(&format!("{at}/remove")).await.is(200), &["Remove Desk?"]);
        led(
            &admin.post(&format!("{at}/remove"), &[]).await.is(303),
            "endpoint-removed",
        );
        admin.get(&at).await.is(404);
    });
}

#[test]
fn an_operator_keeps_the_list_of_addresses_that_get_no_mail() {
    each_house(quiet, async |house, _| {
        house.people(1).await;
        let admin = Browser::of(house, "admin").await;
        shows(&admin.get("/directory").await, &["href=\"/suppressions\""]);
        shows(&admin.get("/suppressions").await.is(200), &["No suppressed addresses"]);
        let wrong = admin
            .post("/suppressions", &[("address", "nobody"), ("reason", "left")])
            .await
            .is(422);
        shows(&wrong, &["id=\"address-fault\"", "value=\"nobody\"", "value=\"left\""]);
        let fields = [("address", "Ann@example.org"), ("reason", "left <us>")];
        led(&admin.post("/suppressions", &fields).await.is(303), "suppressed");
        shows(
            &admin.get("/suppressions?q=ann").await,
            &["ann@example.org", "left &#60;us&#62;", "Added by hand"],
        );
        hides(&admin.get("/suppressions?q=bob").await, &["ann@example.org"]);

        let reader = Browser::of(house, "p0").await;
        let which = [("address", "ann@example.org"), ("source", "added")];
        reader.get("/suppressions").await.is(403);
        reader.post("/suppressions", &fields).await.is(403);
        reader.post("/suppressions/remove", &which).await.is(403);

        let ask = admin
            .get("/suppressions/remove?address=ann@example.org&source=added")
            .await
            .is(200);
        shows(&ask, &["Let ann@example.org get mail again?"]);
        led(
            &admin.post("/suppressions/remove", &which).await.is(303),
            "unsuppressed",
        );
        shows(&admin.get("/suppressions").await, &["No suppressed addresses"]);
    });
}

#[test]
fn a_card_says_what_keeps_its_mails_waiting_in_the_readers_language() {
    each_house(quiet, async |house, relay| {
        relay.refuse(true);
        house.people(2).await;
        let mut changes = house.world.app.relay.changes();
        let id = house.mail().await;
        let limit = std::time::Duration::from_mins(1);
        let told = tokio::time::timeout(limit, changes.wait_for(Option::is_some)).await;
        drop(told.unwrap().unwrap());
        house.until(id, |progress| progress.state == State::Sending).await;
        let admin = Browser::of(house, "admin").await;
        let waits =
            "Mails wait for the mail relay: the relay closed the connection. Since 14 Nov 2023, 22:13; next try";
        shows(&admin.get(&format!("/messages/{id}")).await.is(200), &[waits]);
        shows(&admin.get(&format!("/messages/{id}/progress")).await.is(200), &[waits]);
        let german = house.world.get(&format!("/messages/{id}")).bearer(&admin.token);
        let german = german.header("accept-language", "de").send().await.is(200);
        shows(
            &german,
            &["Die E-Mails warten auf das Mail-Relay: das Relay hat die Verbindung geschlossen."],
        );
    });
}

#[test]
fn a_post_is_seen_before_it_is_sent_and_its_secrets_are_not() {
    each_house(quiet, async |house, _| {
        let admin = Browser::of(house, "admin").await;
        let fields = [
            ("ways", "1"),
            ("channel", "http"),
            ("environment", "DEFAULT"),
            ("text", "{\"a\": \"<b>\"}"),
            ("url", "http://127.0.0.1:8080/in?key=1"),
            ("header_name", "Accept"),
            ("header_value", "text/plain"),
            ("header_name", "Authorization"),
            ("header_value", "Bearer deep-secret"),
            ("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ];
        let seen = [
            "What is posted",
            "<b>POST</b> http://127.0.0.1:8080/in?key=1",
            "<dt>Accept:</dt> <dd>text/plain</dd>",
            "<dt>Authorization:</dt> <dd><i>set, not shown</i></dd>",
            "<dt>Content-Type:</dt> <dd>application/json</dd>",
            "<dt>webhook-signature:</dt> <dd><i>made when it is sent</i></dd>",
            "{&#34;a&#34;: &#34;&#60;b&#62;&#34;}</pre>",
        ];
        // Beside the form while it is typed, and once more when it is asked whether it shall be sent.
        let aside = admin.post("/messages/new/aside", &fields).await.is(200);
        shows(&aside, &seen);
        hides(&aside, &["deep-secret", "whsec_"]);
        let asked = [&fields[..], &[("do", "review")]].concat();
        shows(&admin.post("/messages/new", &asked).await.is(200), &seen);
        let wrong = fields.map(|(name, value)| {
            if name == "url" {
                (name, "http://10.0.0.1/")
            } else {
                (name, value)
            }
        });
        let aside = admin.post("/messages/new/aside", &wrong).await.is(200);
        shows(&aside, &["What is posted", "which this server does not post to"]);
        hides(&aside, &["<b>POST</b>"]);
    });
}

#[test]
fn a_mail_is_seen_before_it_is_sent_as_a_page_and_as_text() {
    each_house(quiet, async |house, _| {
        let admin = Browser::of(house, "admin").await;
        let mut fields = vec![
            ("ways", "1"),
            ("channel", "email"),
            ("environment", "DEFAULT"),
            ("title", "Slower <tonight>"),
            ("text", "From **22:00**. <script>alert(1)</script>"),
            ("do", "mail"),
        ];
        let page = admin.post("/messages/new", &fields).await.is(200);
        shows(&page, &["<strong>22:00</strong>", "Slower &#60;tonight&#62;"]);
        hides(&page, &["<script"]);
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.ends_with("sandbox"),
            "{policy}"
        );
        fields[5] = ("do", "mail-text");
        let text = admin.post("/messages/new", &fields).await.is(200);
        assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
        shows(&text, &["Slower <tonight>", "From 22:00."]);
    });
}

#[test]
fn what_is_posted_alone_has_a_name_and_no_readers() {
    each_house(quiet, async |house, _| {
        let admin = Browser::of(house, "admin").await;
        // Nobody listens there: it stays on its way.
        let id = house
            .send(&json!({
                "title": "", "audience": [], "text": "the body", "channels": ["http"], "environment": "DEFAULT",
                "posts": [{"url": "http://127.0.0.1:8080/in"}],
            }))
            .await;
        let list = admin.get("/messages").await.is(200);
        let link = format!("<a class=\"t\" href=\"/messages/{id}\">POST HTTP message</a>");
        shows(&list, &[&link, "To HTTP destinations"]);
        let page = admin.get(&format!("/messages/{id}")).await.is(200);
        shows(&page, &["<h1>POST HTTP message</h1>", ">Recall</a>"]);
        hides(
            &page,
            &[
                "To nobody",
                "How far it got",
                "Who joins later",
                "No email address",
                ">Correct</a>",
            ],
        );
        let list = admin.get(&format!("/messages/{id}/deliveries")).await.is(200);
        shows(&list, &["</svg>POST HTTP message</a>"]);
        let recall = admin.get(&format!("/messages/{id}/recall")).await.is(200);
        shows(&recall, &["What has not been posted yet will not be."]);
        hides(&recall, &["every bell"]);
    });
}
