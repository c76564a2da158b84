//! The library of the standard (`standardwebhooks` for Python) judges what we sign.

use std::io::Write as _;
use std::process::{Command, Stdio};

use campanile_core::outbox::signing::SigningSecret;

use super::sink::{Sink, status, value};
use super::*;

/// Reads lines of JSON `[secret, headers, body]`, and answers each with `yes` or `no`.
const JUDGE: &str = "
import sys, json
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
for line in sys.stdin:
    secret, headers, body = json.loads(line)
    try:
        Webhook(secret).verify(body, headers)
        print('yes')
    except WebhookVerificationError:
        print('no')
";

#[expect(
    clippy::disallowed_methods,
    reason = "a test is told by scripts/test where its tools are"
)]
fn python() -> String {
    std::env::var("CAMPANILE_TEST_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// What the library says of each case: the secret, the signed request as it went over the wire, the body.
fn judged(cases: &[(&SigningSecret, &str, &str)]) -> Vec<String> {
    const NEEDED: &str = "Python with `standardwebhooks` is needed: run scripts/test, which makes one, or set \
                          CAMPANILE_TEST_PYTHON to a Python after `pip install standardwebhooks`";
    let lines: String = cases
        .iter()
        .map(|(secret, request, body)| {
            let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
            let headers: std::collections::BTreeMap<_, _> = names
                .into_iter()
                .map(|name| (name, value(request, name).unwrap()))
                .collect();
            serde_json::json!([secret.text(), headers, body]).to_string() + "\n"
        })
        .collect();
    let mut child = Command::new(python())
        .args(["-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect(NEEDED);
    // Where Python ends at once, because the library is missing, its words are on standard error.
    let written = child.stdin.take().unwrap().write_all(lines.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && written.is_ok(), "{NEEDED}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn the_standards_library_accepts_our_signatures_and_refuses_changed_bytes() {
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
    assert_eq!(judged(&cases), ["yes", "yes", "no", "no", "no", "no"]);
}
