//! Mails: everybody once, one bad address hurts nobody, a relay in trouble delays and loses nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use campanile_core::outbox::run::State;
use campanile_core::time::Moment;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{each_house, each_house_with};
use crate::relay::{Act, At, Manner, Server};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

async fn good() -> Server {
    Server::start(Manner::new(|_| Act::Usual)).await
}

/// The addresses that got something; each once.
fn reached(relay: &Server) -> BTreeSet<String> {
    let taken = relay.taken();
    let all: BTreeSet<String> = taken.iter().map(|mail| mail.to.clone()).collect();
    assert_eq!(all.len(), taken.len(), "nobody gets it twice");
    all
}

/// The Message-IDs that came for an address.
fn ids(relay: &Server, to: &str) -> Vec<String> {
    let of_one = relay.taken().into_iter().filter(|mail| mail.to == to);
    of_one
        .map(|mail| {
            let line = mail.content.lines().find(|line| line.starts_with("Message-ID:"));
            line.unwrap().to_owned()
        })
        .collect()
}

#[test]
fn everybody_gets_one_mail_and_the_run_ends() {
    each_house(good, async |house, relay| {
        house.people(30).await;
        let id = house.mail().await;
        let progress = house.until(id, |progress| progress.state == State::Ended).await;
        assert_eq!((progress.recipients, progress.sent, progress.in_doubt), (30, 30, 0));
        assert_eq!(reached(relay).len(), 30);
    });
}

#[test]
fn one_bad_address_among_a_thousand_is_one_failure_with_its_reason() {
    let relay = async || {
        Server::start(Manner::new(|at| match at {
            At::Rcpt("p500@example.org") => Act::Say("550 5.1.1 no such mailbox"),
            _ => Act::Usual,
        }))
        .await
    };
    each_house(relay, async |house, relay| {
        house.people(1_000).await;
        let id = house.mail().await;
        let progress = house.until(id, |progress| progress.state == State::Ended).await;
        assert_eq!((progress.sent, progress.failed), (999, 1));
        assert_eq!(reached(relay).len(), 999);
        // The address is left alone from now on.
        let again = house.mail().await;
        let progress = house.until(again, |progress| progress.state == State::Ended).await;
        assert_eq!((progress.sent, progress.suppressed), (999, 1));
    });
}

#[test]
fn an_address_that_is_deferred_gets_it_later_and_nobody_else_waits() {
    let relay = async || {
        let tries = AtomicUsize::new(0);
        Server::start(Manner::new(move |at| match at {
            At::Rcpt("p1@example.org") if tries.fetch_add(1, Ordering::SeqCst) == 0 => {
                Act::Say("450 4.2.0 greylisted, come back")
            }
            _ => Act::Usual,
        }))
        .await
    };
    each_house(relay, async |house, relay| {
        house.people(3).await;
        let id = house.mail().await;
        let progress = house
            .until(id, |progress| progress.sent == 2 && progress.retrying == 1)
            .await;
        assert_eq!(progress.state, State::Sending);
        let progress = house
            .while_time_passes(id, MINUTE, |progress| progress.state == State::Ended)
            .await;
        assert_eq!((progress.sent, progress.failed), (3, 0));
        assert_eq!(reached(relay).len(), 3);
    });
}

#[test]
fn a_relay_that_is_busy_or_hangs_up_delays_and_burns_nobodys_try() {
    let relay = async || {
        let count = Arc::new(AtomicUsize::new(0));
        Server::start(Manner::new(move |at| match at {
            At::Greeting(number) if number < 3 => Act::Say("421 4.3.2 busy"),
            At::Greeting(3) => Act::Drop,
            At::Data(_) if count.fetch_add(1, Ordering::SeqCst) == 2 => Act::Drop,
            _ => Act::Usual,
        }))
        .await
    };
    each_house(relay, async |house, relay| {
        house.people(10).await;
        let id = house.mail().await;
        let progress = house
            .while_time_passes(id, SECOND, |progress| progress.state == State::Ended)
            .await;
        assert_eq!((progress.sent, progress.failed, progress.in_doubt), (10, 0, 0));
        assert_eq!(reached(relay).len(), 10);
    });
}

#[test]
fn a_relay_that_hangs_delays_its_mails_and_doubts_only_what_it_had_whole() {
    let hung = Arc::new(Semaphore::new(0));
    let relay = async || {
        let (hung, asked, sent) = (Arc::clone(&hung), AtomicBool::new(true), AtomicBool::new(true));
        Server::start(Manner::new(move |at| {
            let hangs = match at {
                At::Greeting(0) => true,
                At::Data("p2@example.org") => asked.swap(false, Ordering::SeqCst),
                At::Dot("p3@example.org") => sent.swap(false, Ordering::SeqCst),
                _ => return Act::Usual,
            };
            if hangs {
                hung.add_permits(1);
                return Act::Hang;
            }
            Act::Usual
        }))
        .await
    };
    // Long enough that all the others are through before. Who is idle stays so: no mail may wait for that to end.
    let patience = [
        ("CONNECT", "2s"),
        ("COMMAND", "2s"),
        ("DATA", "2s"),
        ("DOT", "2s"),
        ("IDLE", "10min"),
    ];
    let patience = patience.map(|(of, time)| (format!("CAMPANILE_SMTP_{of}_TIMEOUT"), time.to_owned()));
    let patience: Vec<(&str, String)> = patience.iter().map(|(name, time)| (&**name, time.clone())).collect();
    each_house_with(&patience, relay, async |house, relay| {
        house.people(10).await;
        let id = house.mail().await;
        tokio::time::timeout(MINUTE, hung.acquire_many(3))
            .await
            .unwrap()
            .unwrap()
            .forget();
        let progress = house
            .while_time_passes(id, MINUTE, |progress| progress.state == State::Ended)
            .await;
        assert_eq!((progress.sent, progress.failed, progress.in_doubt), (10, 0, 1));
        assert_eq!(reached(relay).len(), 10);
    });
}

#[test]
fn a_connection_that_is_lost_after_the_last_byte_is_in_doubt_and_sent_again_with_the_same_id() {
    let relay = async || {
        let once = AtomicBool::new(true);
        Server::start(Manner::new(move |at| match at {
            At::Dot("p0@example.org") if once.swap(false, Ordering::SeqCst) => Act::Drop,
            _ => Act::Usual,
        }))
        .await
    };
    each_house(relay, async |house, relay| {
        house.people(1).await;
        let id = house.mail().await;
        house.until(id, |progress| progress.in_doubt == 1).await;
        let progress = house
            .while_time_passes(id, MINUTE, |progress| progress.state == State::Ended)
            .await;
        assert_eq!((progress.sent, progress.in_doubt), (1, 1));
        assert_eq!(
            ids(relay, "p0@example.org").len(),
            1,
            "the first was not taken by this relay"
        );
    });
}

#[test]
fn mails_wait_for_a_relay_that_is_away_for_a_minute() {
    each_house(good, async |house, relay| {
        // Away: as if nothing listened there.
        relay.refuse(true);
        house.people(20).await;
        let id = house.mail().await;
        house
            .while_time_passes(id, SECOND, |progress| progress.state == State::Sending)
            .await;
        for _ in 0..60 {
            house.world.advance(SECOND);
            tokio::task::yield_now().await;
        }
        assert_eq!(house.progress(id).await.sent, 0);
        relay.refuse(false);
        let progress = house
            .while_time_passes(id, SECOND, |progress| progress.state == State::Ended)
            .await;
        assert_eq!((progress.sent, progress.failed, progress.in_doubt), (20, 0, 0));
        assert_eq!(reached(relay).len(), 20);
    });
}

#[test]
fn what_keeps_mails_waiting_is_told_to_their_sender_and_is_no_reason_to_be_not_ready() {
    each_house(good, async |house, relay| {
        let ready = async || house.world.get("/ready").send().await.is(200).json()["relay"].clone();
        let progress = async |id| {
            let path = format!("/api/v1/messages/{id}/progress");
            let asked = house.world.get(&path).bearer(&house.token);
            asked.send().await.is(200).json()["relay"].clone()
        };
        assert_eq!(ready().await, "ok");
        relay.refuse(true);
        house.people(3).await;
        let mut changes = house.world.app.relay.changes();
        let (id, since) = (house.mail().await, house.world.app.clock.now());
        tokio::time::timeout(MINUTE, changes.wait_for(Option::is_some))
            .await
            .unwrap()
            .unwrap();
        house.until(id, |progress| progress.state == State::Sending).await;
        let told = progress(id).await;
        assert_eq!(told["reason"], "the relay closed the connection");
        assert_eq!(told["since"], json!(since));
        let next = Moment::parse(told["next_try_at"].as_str().unwrap()).unwrap();
        assert!(
            (1_000..MINUTE.as_millis() as i64).contains(&(next.0 - since.0)),
            "{told}"
        );
        assert!(
            told["said"]
                .as_str()
                .unwrap()
                .starts_with("waiting for the mail relay since")
        );
        assert_eq!(ready().await, format!("mails wait since {since}"));
        // A message that is not mailed waits for nothing.
        let other = house
            .send(&json!({"title": "x", "text": "x", "audience": [{"kind": "everyone"}]}))
            .await;
        assert_eq!(progress(other).await, Value::Null);
        relay.refuse(false);
        house
            .while_time_passes(id, SECOND, |progress| progress.state == State::Ended)
            .await;
        assert_eq!((progress(id).await, ready().await), (Value::Null, json!("ok")));
    });
}

#[test]
fn a_relay_that_refuses_us_is_told_in_its_own_words() {
    let relay = async || {
        Server::start(Manner::new(|at| match at {
            At::Greeting(_) => Act::Say("554 5.7.1 we do not talk to you"),
            _ => Act::Usual,
        }))
        .await
    };
    each_house(relay, async |house, _| {
        house.people(1).await;
        let mut changes = house.world.app.relay.changes();
        let id = house.mail().await;
        let told = tokio::time::timeout(MINUTE, changes.wait_for(Option::is_some)).await;
        let told = told.unwrap().unwrap().clone().unwrap();
        assert_eq!(
            told.reason,
            "the relay refused the connection: 554 5.7.1 we do not talk to you"
        );
        // It will say the same until somebody has changed something.
        assert!(told.next_try_at >= told.since.plus_ms(60_000), "{told:?}");
        let progress = house.progress(id).await;
        assert_eq!((progress.queued, progress.failed), (1, 0));
    });
}

#[test]
fn recall_stops_what_has_not_left() {
    let relay = async || {
        Server::start(Manner::new(|at| match at {
            At::Rcpt("p5@example.org") => Act::Say("450 4.2.0 later"),
            _ => Act::Usual,
        }))
        .await
    };
    each_house(relay, async |house, relay| {
        house.people(8).await;
        let id = house.mail().await;
        house
            .until(id, |progress| progress.retrying == 1 && progress.sent == 7)
            .await;
        house.recall(id).await;
        let progress = house.until(id, |progress| progress.state == State::Cancelled).await;
        assert_eq!((progress.sent, progress.cancelled, progress.queued), (7, 1, 0));
        house.world.advance(Duration::from_hours(1));
        assert_eq!(reached(relay).len(), 7);
    });
}

#[test]
fn a_mail_whose_window_closes_is_given_up() {
    let relay = async || {
        Server::start(Manner::new(|at| match at {
            At::Rcpt(_) => Act::Say("450 4.2.0 later"),
            _ => Act::Usual,
        }))
        .await
    };
    each_house(relay, async |house, _| {
        house.people(1).await;
        let id = house
            .send(&serde_json::json!({
                "title": "Tonight", "text": "Tonight.", "audience": [{"kind": "everyone"}],
                "channels": ["email"], "closes_at": "2023-11-14T22:15:00Z",
            }))
            .await;
        let progress = house
            .while_time_passes(id, MINUTE, |progress| progress.state == State::Ended)
            .await;
        assert_eq!((progress.sent, progress.failed), (0, 1));
    });
}

#[test]
fn a_reminder_goes_to_who_has_not_acknowledged_and_opens_the_message_itself() {
    each_house(good, async |house, relay| {
        house.people(2).await;
        let message = json!({
            "title": "New terms", "text": "Please read them.", "must_acknowledge": true,
            "audience": [{"kind": "user", "user": "p0"}, {"kind": "user", "user": "p1"}],
            "channels": ["portal", "banner"],
        });
        let id = house.send(&message).await;
        let find = |tx: &mut campanile_store::Tx<'_>| campanile_core::message::preview::person(tx, "p0");
        let ann = house.world.app.db.read(find).await.unwrap();
        let ann = house.world.token(ann).await;
        let path = format!("/api/v1/inbox/{id}/acknowledge");
        house.world.post(&path).bearer(&ann).send().await.is(204);
        let said = house
            .ask(&format!("/api/v1/messages/{id}/remind"), &json!({}))
            .await
            .is(200)
            .json();
        assert_eq!((&said["people"], &said["mails"]), (&json!(1), &json!(1)));
        let reminder = campanile_core::id::MessageId(said["reminder"].as_i64().unwrap());
        house.until(reminder, |progress| progress.state == State::Ended).await;
        assert_eq!(reached(relay), BTreeSet::from(["p1@example.org".to_owned()]));
        let mail = relay.taken().remove(0).content;
        assert!(mail.contains("Subject: Reminder: New terms"), "{mail}");
        assert!(mail.contains(&format!("/inbox/{id}")), "{mail}");
        // Its page says whom it went to, and not for whom the message is.
        let page = async |path: &str| {
            let ask = house.world.get(path).bearer(&house.token);
            ask.send().await.is(200).body
        };
        let shown = page(&format!("/messages/{reminder}")).await;
        assert!(shown.contains("To those who had not acknowledged it"), "{shown}");
        assert!(shown.contains(&format!("href=\"/messages/{id}\"")), "{shown}");
        assert!(
            shown.contains(&format!("/messages/{reminder}/people?part=all\">1<")),
            "{shown}"
        );
        let people = page(&format!("/messages/{reminder}/people")).await;
        assert!(people.contains("p1") && !people.contains("p0"), "{people}");
        let told = page("/api/v1/journal?action=sent").await;
        assert!(told.contains(&format!("\"reminds\":{id}")), "{told}");
    });
}
