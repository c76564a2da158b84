//! What the store costs, on both databases: `cargo bench -p campanile-store`. Every commit is durable (fsync), the
//! figures are those of one run; what matters is their order of magnitude. `-- --quick` is a smoke test.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be made has no other way to say so"
)]
#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use campanile_store::testing::{Durable, start_server};
use campanile_store::{Db, Error, Migration, Options, Schema};
use futures_util::future::join_all;

static SCHEMA: Schema = Schema {
    migrations: &[Migration {
        number: 1,
        name: "0001_bench.sql",
        sql: "CREATE TABLE item (id {id} PRIMARY KEY, name TEXT NOT NULL)",
        oldest: 1,
    }],
};

campanile_store::sql! {
    ADD = "INSERT INTO item (id, name) VALUES ($1, $2)";
    GET = "SELECT name FROM item WHERE id = $1";
    ONE = "SELECT CAST(1 AS BIGINT)";
}

/// Ids over all measurements.
static NEXT: AtomicI64 = AtomicI64::new(1);

fn next() -> i64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

async fn execute(db: &Db) {
    let id = next();
    db.write(move |tx| tx.execute(&ADD, &[&id, &"a name of some length"]))
        .await
        .unwrap();
}

async fn send(db: &Db) {
    let id = next();
    db.write(move |tx| tx.send(&ADD, &[&id, &"a name of some length"]))
        .await
        .unwrap();
}

async fn numbered(db: &Db) {
    let id = next();
    db.write(move |tx| {
        let number = tx.tally()?.next("number");
        tx.send(&ADD, &[&id, &"a name of some length"])?;
        Ok::<_, Error>(number)
    })
    .await
    .unwrap();
}

async fn jot(db: &Db) {
    let id = next();
    db.jot(move |tx| tx.send(&ADD, &[&id, &"a name of some length"]))
        .await
        .unwrap();
}

async fn get(db: &Db) {
    let id = 1 + next() % 1_000;
    db.read(move |tx| tx.first(&GET, &[&id], |row| row.get::<String>(0)))
        .await
        .unwrap();
}

async fn one(db: &Db) {
    db.read(|tx| tx.one(&ONE, &[], |row| row.get::<i64>(0))).await.unwrap();
}

/// Repeats something from so many callers; operations per second, and the median and 99th percentile of one.
async fn measure(what: &str, db: &Db, time: Duration, callers: usize, work: impl AsyncFn(&Db)) {
    let before = db.commits();
    let end = Instant::now() + time;
    let (work, started) = (&work, Instant::now());
    let callers = (0..callers).map(|_| async move {
        let mut took = Vec::new();
        while Instant::now() < end {
            let begun = Instant::now();
            work(db).await;
            took.push(begun.elapsed());
            // A read on SQLite never waits, so the others would not have their turn.
            tokio::task::yield_now().await;
        }
        took
    });
    let mut took: Vec<Duration> = join_all(callers).await.into_iter().flatten().collect();
    let per_second = took.len() as f64 / started.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e6;
    let commits = db.commits().commits - before.commits;
    println!(
        "  {what:<44} {per_second:>9.0}/s   p50 {:>8.0} µs   p99 {:>8.0} µs   {commits:>6} commits",
        at(50),
        at(99)
    );
}

async fn run(db: &Db, time: Duration) {
    for _ in 0..1_000 {
        jot(db).await;
    }
    measure("write, 1 caller, execute", db, time, 1, execute).await;
    measure("write, 1 caller, send", db, time, 1, send).await;
    measure("write, 1 caller, tally and send", db, time, 1, numbered).await;
    measure("write, 64 callers, execute", db, time, 64, execute).await;
    measure("write, 64 callers, send", db, time, 64, send).await;
    measure("write, 64 callers, tally and send", db, time, 64, numbered).await;
    measure("jot, 64 callers, send", db, time, 64, jot).await;
    measure("read by key, 1 caller", db, time, 1, get).await;
    measure("read by key, 64 callers", db, time, 64, get).await;
    measure("SELECT 1, 1 caller", db, time, 1, one).await;
}

/// The same `SELECT 1` without the store.
async fn bare(url: &str, time: Duration) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let work = async {
        let statement = client.prepare("SELECT CAST(1 AS BIGINT)").await.unwrap();
        let mut took = Vec::new();
        let end = Instant::now() + time;
        while Instant::now() < end {
            let begun = Instant::now();
            client.query_one(&statement, &[]).await.unwrap();
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e6;
        println!(
            "  SELECT 1, bare tokio-postgres: p50 {:.0} µs, p99 {:.0} µs",
            at(50),
            at(99)
        );
    };
    tokio::select! {
        () = work => {}
        _ = connection => panic!("the server hung up"),
    }
}

fn main() {
    let quick = std::env::args().any(|word| word == "--quick");
    let time = Duration::from_millis(if quick { 20 } else { 2_000 });
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();

    println!("SQLite, synchronous=FULL");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    let db = Db::open(&Options::new(url), &SCHEMA).unwrap();
    rt.block_on(run(&db, time));
    drop(db);

    println!("PostgreSQL, fsync on");
    let url = start_server(Durable::Yes);
    let db = Db::open(&Options::new(&url), &SCHEMA).unwrap();
    rt.block_on(run(&db, time));
    rt.block_on(bare(&url, time));
}
