//! POSTs: signed, retried by the schedule with the same id, one bad target hurts no other.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use campanile_core::outbox::run::State;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::each_house;
use crate::relay::{Act, Manner, Server};

const SECOND: Duration = Duration::from_secs(1);

/// A receiver that answers what it was told, in turn, the last again and again; one request a connection.
pub(crate) struct Hook {
    address: SocketAddr,
    got: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

pub(crate) async fn hook(answers: &[u16]) -> Hook {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let got = Arc::new(Mutex::new(Vec::new()));
    let (mut answers, seen): (VecDeque<u16>, _) = (answers.iter().copied().collect(), Arc::clone(&got));
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
            loop {
                // Who sends may be gone in the middle.
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                bytes.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let is_whole = text.ends_with("the body");
                if is_whole {
                    seen.lock().unwrap().push(text);
                }
                if is_whole || read == 0 {
                    break;
                }
            }
            let code = if answers.len() > 1 {
                answers.pop_front().unwrap()
            } else {
                answers[0]
            };
            let answer = format!("HTTP/1.1 {code} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            // The client may have gone.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Hook {
        address,
        got,
        _task: task,
    }
}

impl Hook {
    pub(crate) fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    pub(crate) fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }

    /// The values of a header, in order.
    pub(crate) fn header(&self, name: &str) -> Vec<String> {
        let line = |request: &String| {
            let found = request
                .lines()
                .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)));
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        self.got().iter().map(line).collect()
    }
}

pub(crate) async fn no_relay() -> Server {
    Server::start(Manner::new(|_| Act::Usual)).await
}

#[test]
fn a_post_is_made_signed_and_recorded() {
    each_house(no_relay, async |house, _| {
        let hook = hook(&[204]).await;
        let id = house
            .send(&json!({
                "title": "", "text": "the body", "audience": [], "channels": ["http"],
                "posts": [{
                    "url": hook.url(), "headers": [{"name": "X-Key", "value": "k1"}],
                    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                }],
            }))
            .await;
        let progress = house.until(id, |progress| progress.state == State::Ended).await;
        assert_eq!((progress.sent, progress.failed), (1, 0));
        assert_eq!(hook.header("x-key"), ["k1"]);
        assert!(hook.header("webhook-signature")[0].starts_with("v1,"));
        assert!(hook.got()[0].ends_with("\r\n\r\nthe body"));
    });
}

#[test]
fn a_target_that_fails_is_tried_again_with_the_same_id_and_hurts_no_other() {
    each_house(no_relay, async |house, _| {
        let (bad, good) = (hook(&[500, 500, 204]).await, hook(&[200]).await);
        let id = house
            .send(&json!({
                "title": "", "text": "the body", "audience": [], "channels": ["http"],
                "posts": [{"url": bad.url()}, {"url": good.url()}],
            }))
            .await;
        house
            .until(id, |progress| progress.sent == 1 && progress.retrying == 1)
            .await;
        let progress = house
            .while_time_passes(id, 10 * SECOND, |progress| progress.state == State::Ended)
            .await;
        assert_eq!((progress.sent, progress.failed), (2, 0));
        let ids = bad.header("webhook-id");
        assert_eq!(ids.len(), 3);
        assert!(ids.iter().all(|one| *one == ids[0]) && ids[0].starts_with("msg_"));
        assert_ne!(ids[0], good.header("webhook-id")[0]);
    });
}

#[test]
fn a_target_that_wants_no_more_is_given_up_at_once() {
    each_house(no_relay, async |house, _| {
        let hook = hook(&[410]).await;
        let id = house
            .send(&json!({
                "title": "", "text": "the body", "audience": [], "channels": ["http"], "posts": [{"url": hook.url()}],
            }))
            .await;
        let progress = house.until(id, |progress| progress.state == State::Ended).await;
        assert_eq!((progress.sent, progress.failed), (0, 1));
        assert_eq!(hook.got().len(), 1);
    });
}

#[test]
fn one_message_goes_by_all_its_channels() {
    each_house(no_relay, async |house, relay| {
        house.people(2).await;
        let hook = hook(&[204]).await;
        let id = house
            .send(&json!({
                "title": "All", "text": "the body", "audience": [{"kind": "everyone"}],
                "channels": ["portal", "email", "http"], "posts": [{"url": hook.url()}],
            }))
            .await;
        house.until(id, |mails| mails.state == State::Ended).await;
        let posts = move |tx: &mut campanile_store::Tx<'_>| campanile_core::outbox::run::progress(tx, id);
        let mut signals = house.world.app.db.signals();
        while house.world.app.db.read(posts).await.unwrap()[1].state != State::Ended {
            signals.recv().await.unwrap();
        }
        assert_eq!((relay.taken().len(), hook.got().len()), (2, 1));
    });
}
