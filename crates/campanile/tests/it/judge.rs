//! The official libraries of Standard Webhooks, for Python and for JavaScript, which judge what we sign. `scripts/test`
//! sees to it that they are there; a test without one of them names it and fails.

use std::io::Write as _;
use std::process::{Command, Stdio};

use campanile_core::outbox::signing::SigningSecret;

use crate::post::sink::value;

// Each reads lines of JSON `[secret, headers, body]`, and answers each with `yes` or `no`.
const PYTHON: &str = "
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
const JAVASCRIPT: &str = "
const { Webhook, WebhookVerificationError } = require('standardwebhooks');
const lines = require('fs').readFileSync(0, 'utf8').split('\\n').filter((line) => line);
for (const line of lines) {
    const [secret, headers, body] = JSON.parse(line);
    try {
        new Webhook(secret).verify(body, headers);
        console.log('yes');
    } catch (error) {
        if (!(error instanceof WebhookVerificationError)) throw error;
        console.log('no');
    }
}
";
const NEEDED: [&str; 2] = [
    "Python with `standardwebhooks` is needed: run scripts/test, which makes one, or set CAMPANILE_TEST_PYTHON to a \
     Python after `pip install standardwebhooks`",
    "Node with what tests/browser/package-lock.json names is needed: run scripts/test, or `npm ci` in tests/browser",
];

#[expect(
    clippy::disallowed_methods,
    reason = "a test is told by scripts/test where its tools are"
)]
fn python() -> Command {
    let named = std::env::var("CAMPANILE_TEST_PYTHON");
    let mut command = Command::new(named.unwrap_or_else(|_| "python3".into()));
    command.args(["-c", PYTHON]);
    command
}

fn javascript() -> Command {
    let mut command = Command::new("node");
    command
        .args(["--input-type=commonjs", "-e", JAVASCRIPT])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/browser"));
    command
}

/// What both say of each case: the secret, the signed request as it went over the wire, the body.
pub(crate) fn judged(cases: &[(&SigningSecret, &str, &str)]) -> [Vec<String>; 2] {
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
    let judges = [python(), javascript()].into_iter().zip(NEEDED);
    let answers: Vec<_> = judges.map(|(judge, needed)| asked(judge, needed, &lines)).collect();
    answers.try_into().unwrap()
}

fn asked(mut judge: Command, needed: &str, lines: &str) -> Vec<String> {
    let child = judge.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{needed} ({error})"));
    // Where it ends at once, because the library is missing, its words are on standard error.
    let written = child.stdin.take().unwrap().write_all(lines.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && written.is_ok(), "{needed}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(str::to_owned).collect()
}
