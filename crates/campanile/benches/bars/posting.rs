//! Messages by HTTP POST: accepted, signed, posted, recorded, through the whole server, to receivers on one thread.

use std::time::{Duration, Instant};

use campanile_core::id::PersonId;
use campanile_store::Sql;

use crate::client::{Run, drive, paced, post};
use crate::house::House;
use crate::sinks::Sink;
use crate::{Choice, at, human, process, row};

static RECORDED: Sql = Sql::new(
    "bench::POSTS_RECORDED",
    "SELECT COUNT(*) FROM run WHERE channel = 8 AND state = 2",
);
static UNSENT: Sql = Sql::new(
    "bench::POSTS_UNSENT",
    "SELECT CAST(COALESCE(SUM(recipients - sent), 0) AS BIGINT) FROM run WHERE channel = 8",
);

/// Messages of one measurement.
const MESSAGES: usize = 4_000;
/// Destinations of the message that has many.
const MANY: usize = 10;
const CLIENTS: usize = 64;
/// Connections of the client that does nothing else, as many as a target gets of us.
const CONNECTIONS: usize = 8;
/// Messages at a steady pace, and the pace.
const STEADY: usize = 500;
const EVERY: Duration = Duration::from_millis(10);

const TEXT: &str = "{\"type\":\"gateway.maintenance\",\"data\":{\"from\":\"22:00\",\"to\":\"23:00\",\
                    \"text\":\"The gateway answers 503 for about ten minutes. Retry as usual; nothing needs to \
                    be done on your side.\"}}";

struct Bench {
    house: House,
    sink: Sink,
    bearer: String,
    endpoints: Vec<i64>,
}

pub(crate) fn bench(choice: &Choice) {
    let small = Choice {
        names: Vec::new(),
        people: 100,
        messages: 0,
        mails: 0,
        postgres: choice.postgres,
        file: None,
    };
    let house = House::with(&small, &[("CAMPANILE_HTTP_ALLOW", "127.0.0.1".to_owned())]);
    let token = house.token(PersonId(1), "http");
    let mut bench = Bench {
        house,
        sink: Sink::of_posts(MANY),
        bearer: format!("Authorization: Bearer {token}\r\n"),
        endpoints: Vec::new(),
    };
    bench.endpoints = (0..MANY).map(|at| bench.endpoint(at)).collect();
    // Connections, threads and caches are there before anything is measured.
    bench.messages(1, 200);
    bench.messages(MANY, 50);
    bench.steady();
    bench.one();
    bench.many();
    bench.house.stop();
}

impl Bench {
    /// Saves a destination that is signed for; its id.
    fn endpoint(&self, at: usize) -> i64 {
        let body = format!(
            r#"{{"name":"Hook {at}","url":"http://{}/in","secret":"new","headers":[{{"name":"X-Key","value":"k1"}}]}}"#,
            self.sink.addresses[at]
        );
        let asked = vec![post("/api/v1/endpoints", &self.bearer, &body)];
        let made = drive(self.house.address, asked, 1, 1);
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        id(&made.body)
    }

    fn request(&self, destinations: usize) -> Vec<u8> {
        let posts: Vec<_> = self.endpoints[..destinations]
            .iter()
            .map(|id| serde_json::json!({"endpoint": id}))
            .collect();
        let body = serde_json::json!({
            "title": "", "text": TEXT, "audience": [], "channels": ["http"], "environment": "DEFAULT", "posts": posts,
        });
        post("/api/v1/messages", &self.bearer, &body.to_string())
    }

    /// Hands messages in as fast as they are taken, and waits until each is posted and recorded. How long that took,
    /// what it cost, and what the client saw.
    fn messages(&self, destinations: usize, count: usize) -> (Duration, Duration, Run) {
        let house = &self.house;
        let recorded = || house.read(|tx| tx.one(&RECORDED, &[], |row| row.get::<i64>(0)));
        let requests = vec![self.request(destinations)];
        let (before, came) = (recorded(), self.sink.count());
        let (cpu, of_sink) = (process::cpu(), self.sink.thread.cpu());
        let begun = Instant::now();
        let run = drive(house.address, requests, CLIENTS, count);
        self.sink.wait_for(came + count * destinations);
        while recorded() < before + count as i64 {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let took = begun.elapsed();
        let of_others = self.sink.thread.cpu().saturating_sub(of_sink) + run.cpu;
        let cost = process::cpu().saturating_sub(cpu).saturating_sub(of_others);
        assert_eq!(run.status, 201, "{}", String::from_utf8_lossy(&run.body));
        let unsent = house.read(|tx| tx.one(&UNSENT, &[], |row| row.get::<i64>(0)));
        assert_eq!(unsent, 0, "not all were taken");
        (took, cost, run)
    }

    /// What a client does that has nothing but the requests, in a second.
    fn bare(&self, count: usize) -> f64 {
        let headers = "User-Agent: bare\r\nX-Key: k1\r\nWebhook-Id: msg_0\r\nWebhook-Timestamp: 1800000000\r\n\
                       Webhook-Signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n";
        drive(
            self.sink.addresses[0],
            vec![post("/in", headers, TEXT)],
            CONNECTIONS,
            count,
        )
        .rate()
    }

    fn one(&self) {
        let before = self.bare(MESSAGES * 4);
        let (took, cost, run) = self.messages(1, MESSAGES);
        let reference = f64::midpoint(before, self.bare(MESSAGES * 4));
        self.rows(
            "http: one endpoint",
            MESSAGES,
            (took, cost, run.rate()),
            reference,
            (1_500.0, 1.0),
        );
    }

    fn many(&self) {
        let before = self.bare(MESSAGES * 4);
        let (took, cost, run) = self.messages(MANY, MESSAGES / 2);
        let reference = f64::midpoint(before, self.bare(MESSAGES * 4));
        let posts = MESSAGES / 2 * MANY;
        self.rows(
            "http: one message to ten",
            posts,
            (took, cost, run.rate()),
            reference,
            (5_000.0, 0.3),
        );
    }

    #[expect(clippy::unused_self, reason = "its neighbours have one")]
    fn rows(&self, what: &str, posts: usize, of: (Duration, Duration, f64), reference: f64, bars: (f64, f64)) {
        let (took, cost, accepted) = of;
        let rate = posts as f64 / took.as_secs_f64();
        let size = format!("{posts} posts, {CLIENTS} clients");
        row(
            what,
            &size,
            &format!("{rate:.0}/s, {:.0} % of bare", rate / reference * 100.0),
            &format!("bare keep-alive client {reference:.0}/s; {accepted:.0} messages/s accepted"),
            &format!("≥ {:.0}/s", bars.0),
            rate >= bars.0,
        );
        let each = cost.as_secs_f64() * 1e3 / posts as f64;
        row(
            &format!("{what}: CPU"),
            &size,
            &format!("{each:.2} ms each"),
            "without the client and the sink",
            &format!("≤ {} ms", bars.1),
            each <= bars.1,
        );
    }

    fn steady(&self) {
        self.sink.take();
        let answered = paced(self.house.address, &self.request(1), EVERY, |count| count < STEADY);
        self.sink.wait_for(STEADY);
        let came: std::collections::HashMap<i64, Instant> = self.sink.take().into_iter().collect();
        let mut latencies: Vec<Duration> = answered
            .into_iter()
            .map(|(answered, body)| came[&id(&body)].saturating_duration_since(answered))
            .collect();
        latencies.sort_unstable();
        let (half, most) = (at(&latencies, 0.5), at(&latencies, 0.99));
        row(
            "http: from 201 to received",
            &format!("{STEADY} at 100/s"),
            &format!("p50 {}, p99 {}", human(half), human(most)),
            "",
            "p50 ≤ 2 ms, p99 ≤ 8 ms",
            half <= Duration::from_millis(2) && most <= Duration::from_millis(8),
        );
    }
}

/// The `id` of a body.
pub(crate) fn id(body: &[u8]) -> i64 {
    let value: serde_json::Value = serde_json::from_slice(body).expect("a body of JSON");
    value["id"].as_i64().unwrap_or_else(|| panic!("an id in {value}"))
}
