//! Messages by HTTP POST against real sockets: targets that misbehave, names that lie, TLS, a real proxy, and the
//! library of the standard as the judge of our signatures.

mod answers;
mod guard;
mod proxy;
mod signature;
pub(crate) mod sink;
mod tls;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use campanile::config::Http;
use campanile::deliver::guard::{Addresses, Resolve};
use campanile::deliver::http::{Client, Outcome, Request, post};
use campanile_core::outbox::post::{Headers, Proxy};
use campanile_core::time::Moment;
use url::Url;

const NOW: Moment = Moment(1_767_225_600_000);
/// Of which the jitter is none.
const CHANCE: u32 = 100;

/// A resolver that answers what it was told, in turn; the last answer again and again.
#[derive(Clone, Default)]
struct Names {
    answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    silent: bool,
}

impl Names {
    fn answering(answers: &[&[&str]]) -> Self {
        let read = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Self {
            answers: Arc::new(Mutex::new(answers.iter().map(read).collect())),
            ..Self::default()
        }
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Resolve for Names {
    fn resolve(&self, host: &str) -> Addresses {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        };
        let silent = self.silent;
        Box::pin(async move {
            if silent {
                std::future::pending::<()>().await;
            }
            answer.ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }
}

/// Settings that let these targets be reached, with limits that a test can wait for.
fn settings(allow: &[&str]) -> Http {
    Http {
        allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
        timeout: Duration::from_secs(5),
        ..Http::default()
    }
}

fn client(settings: &Http, names: Names) -> Client {
    Client::new(settings, Vec::new(), Arc::new(names), rustls::RootCertStore::empty())
}

/// A client that may reach loopback, and asks nobody.
fn loopback() -> Client {
    client(&settings(&["127.0.0.0/8"]), Names::default())
}

fn headers(list: &[(&str, &str)]) -> Headers {
    let list: Vec<_> = list
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Headers::check(&list).unwrap()
}

fn request(url: &str) -> Request {
    Request {
        url: Url::parse(url).unwrap(),
        headers: Headers::default(),
        proxy: Proxy::No,
        body: Bytes::from_static(b"{\"text\":\"hello\"}"),
        id: "msg_7_9".into(),
        secrets: Vec::new(),
        own: None,
        attempt: 1,
        give_up_at: Moment::NEVER,
    }
}

async fn post_to(client: &Client, url: &str) -> Outcome {
    post(client, &request(url), NOW, CHANCE).await
}

/// The reason of an outcome that is no success, and whether it will be tried again.
fn reason(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Done { .. } => ("done", ""),
        Outcome::Retry { reason, .. } => ("retry", reason),
        Outcome::Ours { reason, .. } => ("ours", reason),
        Outcome::Dead { reason, .. } => ("dead", reason),
    }
}
