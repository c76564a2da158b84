//! PostgreSQL behind a `PgBouncer` that gives a connection for one transaction, and has fewer than are asked for.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use campanile_store::testing::pooled;
use campanile_store::{Db, Error, Options, Signal, Sql};

use crate::*;

static SLOW: Sql = Sql::new("pooled::SLOW", "SELECT 1 FROM pg_sleep(20)");
static SET: Sql = Sql::new(
    "pooled::SET",
    "SELECT current_setting('statement_timeout') || ' ' || current_setting('transaction_read_only')",
);

/// Longer than any of this takes; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(20);

/// The same database by way of the pooler.
fn open(db: &TestDb) -> Db {
    Db::open(&pooled(&db.url), &SCHEMA).unwrap()
}

#[test]
fn servers_that_share_a_poolers_connections_read_and_write() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let (one, two) = (open(&db), open(&db));
    db.wait(async {
        for turn in 0..40 {
            let id = turn * 10;
            let (ordered, unordered, body) = (one.write(send(id)), two.jot(add(id + 1)), vec![7_u8; 9]);
            let typed = one.jot(move |tx| {
                tx.execute(&ADD_BODY, &[&(id + 2), &format!("body {id}"), &body])?;
                tx.send(&ADD_PART, &[&(id + 2), &(id + 2), &None::<String>])?;
                tx.one(&COUNT, &[], |row| row.get::<i64>(0))
            });
            let refused = two.write(operation(move |tx| {
                tx.execute(&ADD, &[&(id + 3), &"taken"])?;
                tx.execute(&ADD, &[&(id + 3), &"twice"]).map(|_| 0)
            }));
            let (ordered, unordered) = join(ordered, unordered).await;
            let (typed, refused) = join(typed, refused).await;
            for done in [ordered, unordered, typed] {
                done.unwrap();
            }
            assert!(matches!(refused, Err(Error::Constraint { .. })), "{refused:?}");
            let count = |tx: &mut Tx<'_>| tx.one(&COUNT, &[], |row| row.get::<i64>(0));
            let (first, second) = join(one.read(count), two.scan(count)).await;
            assert_eq!((first.unwrap(), second.unwrap()), ((turn + 1) * 3, (turn + 1) * 3));
        }
    });
    let joined = one.read(|tx| tx.first(&JOINED, &[&"body 20", &"x", &0_i64], |row| row.get::<i64>(0)));
    assert_eq!(db.wait(joined).unwrap(), None);
}

#[test]
fn a_transaction_brings_its_settings_along_and_leaves_none_behind() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let options = Options {
        read_limit: Duration::from_millis(1_234),
        ..pooled(&db.url)
    };
    let ours = Db::open(&options, &SCHEMA).unwrap();
    let set = |tx: &mut Tx<'_>| tx.one(&SET, &[], |row| row.get::<String>(0));
    db.wait(async {
        assert_eq!(ours.read(set).await.unwrap(), "1234ms on");
        assert_eq!(ours.scan(set).await.unwrap(), "2min on");
        assert_eq!(ours.jot(set).await.unwrap(), "2min off");
        // Whoever else is given these connections finds them as they were.
        let (client, connection) = tokio_postgres::connect(&options.url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let looks = async {
            for _ in 0..10 {
                let rows = client.simple_query(
                    "SELECT current_setting('statement_timeout'), current_setting('transaction_read_only'),
                         current_setting('lock_timeout'), (SELECT COUNT(*) FROM pg_prepared_statements)",
                );
                let rows = rows.await.unwrap();
                let row = rows.iter().find_map(|row| match row {
                    tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                let row = row.unwrap();
                let found: Vec<_> = (0..4).map(|at| row.get(at).unwrap()).collect();
                assert_eq!(found, ["0", "off", "0", "0"]);
            }
        };
        tokio::select! {
            () = looks => {}
            _ = connection => panic!("the pooler hung up"),
        }
    });
}

#[test]
fn a_read_that_takes_too_long_is_ended() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let options = Options {
        read_limit: Duration::from_millis(50),
        ..pooled(&db.url)
    };
    let ours = Db::open(&options, &SCHEMA).unwrap();
    let slow = db.wait(ours.read(|tx| tx.first(&SLOW, &[], |row| row.get::<i64>(0))));
    assert!(matches!(slow, Err(Error::Timeout)), "{slow:?}");
    db.wait(ours.write(add(1))).unwrap();
}

/// What comes next on a receiver.
fn next(db: &TestDb, receiver: &mut tokio::sync::broadcast::Receiver<std::sync::Arc<[Signal]>>) -> Vec<Signal> {
    let heard = db.wait(async { tokio::time::timeout(LONG, receiver.recv()).await });
    heard.expect("something comes").expect("nothing was missed").to_vec()
}

#[test]
fn who_cannot_listen_looks_and_finds_that_others_have_written() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let ours = open(&db);
    let mut receiver = ours.signals();
    db.jot(add(1)).unwrap();
    assert_eq!(next(&db, &mut receiver), [], "a hint to look");
    assert!(!ours.is_deaf());
}

#[test]
fn who_has_a_connection_of_its_own_to_listen_hears_what_it_was() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let options = Options {
        listen: Some(db.url.clone()),
        ..pooled(&db.url)
    };
    let ours = Db::open(&options, &SCHEMA).unwrap();
    let mut receiver = ours.signals();
    let signal = Signal { topic: 1, key: 2 };
    let others = open(&db);
    let announce = operation(move |tx| {
        tx.signal(signal);
        tx.execute(&ADD, &[&1_i64, &"one"]).map(|_| 0)
    });
    db.wait(others.write(announce)).unwrap();
    assert_eq!(next(&db, &mut receiver), [signal]);
}

/// Passes bytes on between two sockets until one of them closes.
fn pass_on(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}

#[expect(clippy::disallowed_methods, reason = "a relay of this test, on loopback")]
fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).unwrap()
}

#[test]
fn a_connection_that_listens_and_is_lost_is_told_until_it_is_back() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let way = TcpListener::bind("127.0.0.1:0").unwrap();
    let config: tokio_postgres::Config = db.url.parse().unwrap();
    let server = SocketAddr::from(([127, 0, 0, 1], config.get_ports()[0]));
    let let_through = |way: &TcpListener| {
        let (inside, outside) = (way.accept().unwrap().0, connect(server));
        pass_on(&inside, &outside);
        pass_on(&outside, &inside);
        inside
    };
    let by_the_way = db.url.replace(
        &server.port().to_string(),
        &way.local_addr().unwrap().port().to_string(),
    );
    let options = Options {
        listen: Some(by_the_way),
        ..testing::options(&db.url)
    };
    let opening = std::thread::spawn(move || Db::open(&options, &SCHEMA).unwrap());
    let open = let_through(&way);
    let ours = opening.join().unwrap();
    let mut receiver = ours.signals();
    assert!(!ours.is_deaf());
    open.shutdown(std::net::Shutdown::Both).unwrap();
    // It comes back by itself; who comes back has noticed the loss.
    let again = let_through(&way);
    assert_eq!(next(&db, &mut receiver), [], "a hint to look");
    assert!(!ours.is_deaf());
    again.shutdown(std::net::Shutdown::Both).unwrap();
    drop(way.accept().unwrap());
    assert!(ours.is_deaf());
}
