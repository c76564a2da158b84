//! The libraries of the standard judge what we sign.

use campanile_core::outbox::signing::SigningSecret;

use super::sink::{Sink, status};
use super::*;
use crate::judge::judged;

#[tokio::test]
async fn the_standards_libraries_accept_our_signatures_and_refuse_changed_bytes() {
    let [old, new, other] = [1, 2, 3].map(|byte| SigningSecret::new(&[byte; 32]));
    let sink = Sink::new(status("200 OK")).await;
    let client = loopback();
    // The library looks at the clock, and takes five minutes either way.
    let now = campanile::clock::Clock::system().now();
    let mut request = request(&sink.url());
    request.body = Bytes::from("{\"text\":\"gr\u{fc}\u{df}e \u{1f514}\"}");
    request.secrets = vec![new.clone(), old.clone()];
    assert_eq!(post(&client, &request, now, CHANCE).await, Outcome::Done { code: 200 });
    let seen = sink.seen();
    let (head, body) = seen.one().split_once("\r\n\r\n").unwrap();
    let (later, changed) = (head.replace("msg_7_9", "msg_7_8"), body.replace("text", "tent"));
    assert_ne!(later, head);
    let cases = [
        (&new, head, body),
        (&old, head, body),
        (&other, head, body),
        (&new, head, changed.as_str()),
        (&old, head, changed.as_str()),
        (&new, later.as_str(), body),
    ];
    for said in judged(&cases) {
        assert_eq!(said, ["yes", "yes", "no", "no", "no", "no"]);
    }
}
