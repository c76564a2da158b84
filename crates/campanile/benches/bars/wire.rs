//! What is asked over HTTP, on loopback, with the client on the same machine.

use std::time::Duration;

use campanile_store::Sql;

use crate::client::{Run, drive, get, post};
use crate::house::House;
use crate::{Choice, human, print, row};

static ROWS: Sql = Sql::new(
    "bench::MESSAGE_ROWS",
    "SELECT (SELECT COUNT(*) FROM message) + (SELECT COUNT(*) FROM audience)",
);

/// Bytes of PostgreSQL's log so far.
static LOG: Sql = Sql::new(
    "bench::LOG",
    "SELECT CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS BIGINT)",
);

/// Requests of one measurement.
const REQUESTS: usize = 20_000;
/// Connections that ask at once.
const CONNECTIONS: usize = 32;

/// Parts of a measurement, in turns with those of its reference.
const TURNS: usize = 20;

/// People each of whom asks once.
const STRANGERS: usize = 4_000;

/// Unchanged, counts and first pages, in requests a second of `GET /health`. On PostgreSQL without a bar: a round trip
/// to another process is in each.
pub(crate) fn inbox(house: &House) {
    let tokens = house.tokens(500, 3);
    let plain = |path: &str| -> Vec<Vec<u8>> { tokens.iter().map(|(_, token)| get(path, &bearer(token))).collect() };
    let counts = plain("/api/v1/inbox/counts");
    let pages = plain("/api/v1/inbox");
    let unchanged: Vec<Vec<u8>> = tokens
        .iter()
        .map(|(_, token)| {
            let run = drive(house.address, vec![get("/api/v1/inbox", &bearer(token))], 1, 1);
            assert_eq!(run.status, 200);
            let tag = run.header("etag").expect("a page has a tag");
            get("/api/v1/inbox", &format!("{}If-None-Match: {tag}\r\n", bearer(token)))
        })
        .collect();
    let strangers = house.tokens(STRANGERS, 4);
    let first: Vec<Vec<u8>> = strangers
        .iter()
        .map(|(_, token)| get("/api/v1/inbox/counts", &bearer(token)))
        .collect();
    let health = vec![get("/health", "")];
    let cases = [
        ("unchanged (304)", unchanged, REQUESTS, 304, Some(0.60)),
        ("counts", counts, REQUESTS, 200, Some(0.40)),
        ("first page with texts", pages, REQUESTS, 200, Some(0.25)),
        // Neither the token nor the person is known: everything is read.
        ("counts, each asks once", first, STRANGERS, 200, None),
    ];
    for (name, requests, count, status, bar) in cases {
        let bar = bar.filter(|_| house.file.is_some());
        let (run, rate, reference) = in_turns(house, &requests, &health, count);
        assert_eq!(run.status, status, "{}", String::from_utf8_lossy(&run.body));
        let ratio = rate / reference;
        let figure = format!("{rate:.0}/s = {:.0} %", ratio * 100.0);
        let beside = format!("/health {reference:.0}/s");
        let (what, size) = (format!("inbox over HTTP: {name}"), size(&run));
        match bar {
            Some(bar) => row(
                &what,
                &size,
                &figure,
                &beside,
                &format!("≥ {:.0} %", bar * 100.0),
                ratio >= bar,
            ),
            None => print(&format!("| {what} | {size} | {figure} | {beside} | | |")),
        }
    }
}

/// Sends `count` requests, each part of them between two parts of the reference, as the machine's speed drifts from one
/// second to the next: the last run, the rate of all, and that of the reference.
fn in_turns(house: &House, requests: &[Vec<u8>], reference: &[Vec<u8>], count: usize) -> (Run, f64, f64) {
    let (mut took, mut beside, mut last) = (Duration::ZERO, Duration::ZERO, None);
    let part = count / TURNS;
    for turn in 0..TURNS {
        // Each part asks for others, so that nobody asks twice who is to ask once.
        let own: Vec<Vec<u8>> = requests
            .iter()
            .cycle()
            .skip(turn * part)
            .take(part.min(requests.len()))
            .cloned()
            .collect();
        beside += drive(house.address, reference.to_vec(), CONNECTIONS, part).took;
        let run = drive(house.address, own, CONNECTIONS, part);
        took += run.took;
        last = Some(run);
    }
    let rate = |took: Duration| (part * TURNS) as f64 / took.as_secs_f64();
    (last.expect("there is a turn"), rate(took), rate(beside))
}

fn size(run: &Run) -> String {
    format!("{CONNECTIONS} connections, {} B", run.body.len())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn message(at: usize, role: &str) -> String {
    let text = "From **22:00** to 23:00 UTC the gateway answers 503 for about ten minutes. Retry as usual; nothing \
                needs to be done on your side. Questions: [the status page](https://status.example.com). We will write \
                again when it is over, and here if anything changes.";
    let audience = format!(r#"[{{"kind":"environment_role","role":"{role}"}}]"#);
    format!(r#"{{"title":"Announcement {at}","text":"{text}","audience":{audience}}}"#)
}

/// Publishing to everybody: time, rows and log, at this size and at a thousand people.
pub(crate) fn announce(house: &House, choice: &Choice) {
    let big = announce_at(house);
    let small_choice = Choice {
        names: Vec::new(),
        people: 1_000,
        messages: 100,
        mails: 0,
        postgres: choice.postgres,
        file: None,
    };
    let small_house = House::build(&small_choice);
    let small = announce_at(&small_house);
    // Again, so that a drift of the machine does not decide.
    let big_again = announce_at(house);
    let big_median = big.time.min(big_again.time);
    let ratio = big_median.as_secs_f64() / small.time.as_secs_f64();
    for (people, one) in [(small_house.people, &small), (house.people, &big_again)] {
        let figure = format!("p50 {}, p99 {}", human(one.time), human(one.worst));
        let met = one.worst <= Duration::from_millis(10);
        row(
            "announce to role USER",
            &format!("{people} people"),
            &figure,
            "",
            "p99 ≤ 10 ms",
            met,
        );
    }
    let figure = format!("{} and {}", small.rows, big.rows);
    row(
        "announce: rows written",
        "one message",
        &figure,
        "",
        "equal",
        small.rows == big.rows,
    );
    let figure = format!("{ratio:.2} ×");
    row(
        "announce: big against small",
        "p50",
        &figure,
        &human(small.time),
        "≤ 1.2 ×",
        ratio <= 1.2,
    );
    row(
        "announce: log written alone",
        "one message",
        &format!("{} B", big.log),
        "",
        "≤ 16 KiB",
        big.log <= 16 * 1024,
    );
}

struct Announced {
    time: Duration,
    worst: Duration,
    rows: i64,
    log: u64,
}

fn announce_at(house: &House) -> Announced {
    let admin = house.token(
        campanile_core::id::PersonId(1),
        &format!("announce {}", house.app.clock.now().0),
    );
    let requests: Vec<Vec<u8>> = (0..400)
        .map(|at| post("/api/v1/messages", &bearer(&admin), &message(at, "USER")))
        .collect();
    let warm = drive(house.address, requests.clone(), 1, 50);
    assert_eq!(warm.status, 201, "{}", String::from_utf8_lossy(&warm.body));
    let before = rows(house);
    drive(house.address, requests.clone(), 1, 1);
    let rows = rows(house) - before;
    let log = log_of(house, || {
        drive(house.address, requests.clone(), 1, 100);
    });
    let run = drive(house.address, requests, 1, 400);
    Announced {
        time: run.at(0.5),
        worst: run.at(0.99),
        rows,
        log: log / 100,
    }
}

/// Bytes that some work adds to the database's log.
fn log_of(house: &House, work: impl FnOnce()) -> u64 {
    let Some(file) = &house.file else {
        let written = || house.read(|tx| tx.one(&LOG, &[], |row| row.get::<i64>(0)));
        let before = written();
        work();
        return (written() - before) as u64;
    };
    let conn = rusqlite::Connection::open(file).expect("the file opens");
    conn.busy_timeout(Duration::from_secs(5)).expect("the option is taken");
    // Emptied, and held by a reader, so that it does not begin again: then its length is what the work adds.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("the log is moved");
    conn.execute_batch("BEGIN; SELECT COUNT(*) FROM tally")
        .expect("it reads");
    work();
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    std::fs::metadata(&log).map_or(0, |at| at.len())
}

fn rows(house: &House) -> i64 {
    house.read(|tx| tx.one(&ROWS, &[], |row| row.get(0)))
}

/// Messages of which the log is measured under ingest.
const LOGGED: usize = 5_000;

/// 64 clients, every 201 durable, against one at a time.
pub(crate) fn ingest(house: &House) {
    let admin = house.token(campanile_core::id::PersonId(1), "ingest");
    let requests: Vec<Vec<u8>> = (0..1_000)
        .map(|at| post("/api/v1/messages", &bearer(&admin), &message(at, "API_PUBLISHER")))
        .collect();
    let one = drive(house.address, requests.clone(), 1, 1_500);
    let before = house.app.db.commits();
    let run = drive(house.address, requests.clone(), 64, 20_000);
    assert_eq!(run.status, 201);
    let commits = house.app.db.commits().commits - before.commits;
    let bar = if house.file.is_some() { 5_000.0 } else { 2_000.0 };
    let (figure, beside) = (
        format!("{:.0}/s", run.rate()),
        format!("one at a time {:.0}/s", one.rate()),
    );
    let size = format!("64 clients, {:.1} a commit", run.count as f64 / commits as f64);
    row(
        "ingest",
        &size,
        &figure,
        &beside,
        &format!("≥ {bar:.0}/s"),
        run.rate() >= bar,
    );
    let ratio = run.rate() / one.rate();
    row(
        "ingest: grouped against alone",
        &size,
        &format!("{ratio:.1} ×"),
        &beside,
        "≥ 3 ×",
        ratio >= 3.0,
    );
    // Apart from the rate: the reader that holds the log is in the writer's way.
    let bytes = log_of(house, || {
        drive(house.address, requests.clone(), 64, LOGGED);
    }) / LOGGED as u64;
    row(
        "ingest: log written",
        "64 clients, a message",
        &format!("{bytes} B"),
        "",
        "≤ 2 KiB",
        bytes <= 2 * 1024,
    );
}
