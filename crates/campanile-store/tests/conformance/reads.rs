//! Reads: one snapshot each, no writes, a limit on time.

use std::time::Duration;

use campanile_store::testing::options;
use campanile_store::{Db, Error, Options};
use futures_util::future::{BoxFuture, poll_immediate};

use crate::*;

fn count(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tx.one(&COUNT, &[], |row| row.get(0))
}

/// Writes from another thread and waits for it.
fn write_meanwhile(db: &Db, id: i64) {
    let db = db.clone();
    let write = move || {
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build();
        rt.unwrap().block_on(db.write(add(id)))
    };
    std::thread::spawn(write).join().unwrap().unwrap();
}

#[test]
fn a_read_sees_one_state_from_its_first_statement_on() {
    each(|db| {
        let other = db.db.clone();
        let seen = db.read(move |tx| {
            let first = count(tx)?;
            write_meanwhile(&other, 1);
            Ok::<_, Error>((first, count(tx)?))
        });
        assert_eq!(seen.unwrap(), (0, 0));
        assert_eq!(ids(db), [1]);
    });
}

#[test]
fn a_scan_sees_one_state_too() {
    each(|db| {
        let other = db.db.clone();
        let seen = db.wait(db.db.scan(move |tx| {
            let first = count(tx)?;
            write_meanwhile(&other, 1);
            Ok::<_, Error>((first, count(tx)?))
        }));
        assert_eq!(seen.unwrap(), (0, 0));
    });
}

#[test]
fn a_read_cannot_write() {
    each(|db| {
        let executed = db.read(|tx| tx.execute(&ADD, &[&1_i64, &"one"]));
        assert!(matches!(executed, Err(Error::Internal(_))), "{executed:?}");
        let returned = db.read(|tx| tx.first(&ADD_RETURNING, &[&2_i64, &"two"], |row| row.get::<i64>(0)));
        assert!(matches!(returned, Err(Error::Internal(_))), "{returned:?}");
        let sent = db.read(|tx| {
            tx.send(&ADD, &[&3_i64, &"three"])?;
            count(tx)
        });
        assert!(matches!(sent, Err(Error::Internal(_))), "{sent:?}");
        let scanned = db.wait(db.db.scan(|tx| tx.execute(&ADD, &[&4_i64, &"four"])));
        assert!(matches!(scanned, Err(Error::Internal(_))), "{scanned:?}");
        assert_eq!(ids(db), [0; 0]);
    });
}

#[test]
fn a_read_that_panics_is_reported_and_the_next_one_works() {
    each(|db| {
        for _ in 0..5 {
            let result = db.read(|tx| {
                count(tx)?;
                panic!("a panic on purpose");
                #[expect(unreachable_code, reason = "it gives the closure its type")]
                Ok::<(), Error>(())
            });
            assert!(matches!(result, Err(Error::Panicked)));
        }
        assert_eq!(ids(db), [0; 0]);
    });
}

/// A database with little patience for short reads.
fn impatient(db: &TestDb) -> Db {
    let impatient = Options {
        read_limit: Duration::from_millis(20),
        ..options(&db.url)
    };
    Db::open(&impatient, &SCHEMA).unwrap()
}

/// Takes both databases far longer than [`impatient`] allows a read, and not so long that a test could not wait for it.
const LONG: i64 = 1_000_000;

fn count_to(end: i64) -> impl FnOnce(&mut Tx<'_>) -> Result<i64, Error> + Send + 'static {
    move |tx| tx.one(&COUNT_TO, &[&end], |row| row.get(0))
}

#[test]
fn a_slow_read_is_ended_and_the_next_one_works() {
    each(|db| {
        let impatient = impatient(db);
        for _ in 0..5 {
            let slow = db.wait(impatient.read(count_to(LONG)));
            assert!(matches!(slow, Err(Error::Timeout)), "{slow:?}");
        }
        assert_eq!(db.wait(impatient.read(count_to(10))).unwrap(), 10);
    });
}

#[test]
fn a_scan_may_take_longer_than_a_read() {
    each(|db| {
        let impatient = impatient(db);
        for _ in 0..4 {
            let slow = db.wait(impatient.read(count_to(LONG)));
            assert!(matches!(slow, Err(Error::Timeout)), "{slow:?}");
            assert_eq!(db.wait(impatient.scan(count_to(LONG))).unwrap(), LONG);
        }
    });
}

#[test]
fn scans_leave_room_for_reads() {
    each(|db| {
        let mut gates = Vec::new();
        let mut scans = Vec::new();
        for _ in 0..6 {
            let (open, gate) = mpsc::sync_channel(1);
            gates.push(open);
            let scan = db.db.scan(move |tx| {
                count(tx)?;
                gate.recv().map_err(|_| Error::Panicked)
            });
            scans.push(scan.boxed());
        }
        db.wait(async {
            for scan in &mut scans {
                assert!(poll_immediate(scan).await.is_none());
            }
            assert_eq!(db.db.read(count).await.unwrap(), 0);
            for gate in gates {
                gate.send(()).unwrap();
            }
            for scan in scans {
                scan.await.unwrap();
            }
        });
    });
}

/// Some scans that have begun and go on until their gates open.
async fn held_scans(db: &Db, count_of: usize) -> (Vec<mpsc::SyncSender<()>>, Vec<BoxFuture<'_, Result<(), Error>>>) {
    let (gates, mut scans): (Vec<_>, Vec<_>) = (0..count_of)
        .map(|_| {
            let (open, gate) = mpsc::sync_channel(1);
            let scan = db.scan(move |tx| {
                count(tx)?;
                gate.recv().map_err(|_| Error::Panicked)
            });
            (open, scan.boxed())
        })
        .unzip();
    for scan in &mut scans {
        assert!(poll_immediate(scan).await.is_none());
    }
    (gates, scans)
}

#[test]
fn a_scan_that_was_given_up_keeps_its_place_until_it_has_ended() {
    each(|db| {
        db.wait(async {
            let (gates, scans) = held_scans(&db.db, 4).await;
            drop(scans);
            let mut next = db.db.scan(count).boxed();
            assert!(poll_immediate(&mut next).await.is_none());
            drop(gates);
            assert_eq!(next.await.unwrap(), 0);
        });
    });
}

#[test]
fn who_waits_for_a_place_to_scan_is_told_after_a_while() {
    each(|db| {
        let hurried = Options {
            queue_time: Duration::from_millis(20),
            ..options(&db.url)
        };
        let hurried = Db::open(&hurried, &SCHEMA).unwrap();
        db.wait(async {
            let (gates, scans) = held_scans(&hurried, 4).await;
            let refused = hurried.scan(count).await;
            assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
            drop((gates, scans));
        });
    });
}

#[test]
fn a_long_read_that_nobody_waits_for_is_ended() {
    each(|db| {
        let patient = Options {
            scan_limit: Duration::from_hours(1),
            ..options(&db.url)
        };
        let patient = Db::open(&patient, &SCHEMA).unwrap();
        let (tell, told) = mpsc::sync_channel(2);
        db.wait(async {
            let scan = patient.scan(move |tx| {
                count(tx)?;
                tell.send(None).unwrap();
                let counted = count_to(i64::MAX)(tx);
                tell.send(Some(counted.clone())).unwrap();
                counted
            });
            let mut scan = scan.boxed();
            assert!(poll_immediate(&mut scan).await.is_none());
            assert!(told.recv().unwrap().is_none());
        });
        let ended = told.recv().unwrap();
        assert!(matches!(ended, Some(Err(Error::Timeout))), "{ended:?}");
        assert_eq!(db.wait(patient.scan(count)).unwrap(), 0);
    });
}

#[test]
fn a_read_of_nothing_is_fine() {
    each(|db| assert_eq!(db.read(|_| Ok::<_, Error>(7)).unwrap(), 7));
}

#[test]
fn many_reads_at_once_all_answer() {
    each(|db| {
        db.write(add(1)).unwrap();
        let reads = (0..200).map(|_| db.db.read(count));
        let answers = db.wait(join_all(reads));
        assert!(answers.into_iter().all(|answer| answer.unwrap() == 1));
    });
}

#[test]
fn a_query_without_rows_gives_none_and_one_row_that_is_demanded_is_an_error() {
    each(|db| {
        let none = db.read(|tx| tx.first(&NAME, &[&1_i64], |row| row.get::<String>(0)));
        assert_eq!(none.unwrap(), None);
        let missing = db.read(|tx| tx.one(&NAME, &[&1_i64], |row| row.get::<String>(0)));
        assert!(matches!(missing, Err(Error::Internal(why)) if why.contains("NAME")));
    });
}

#[test]
fn the_first_row_of_many_is_the_first() {
    each(|db| {
        together(db, (1..=50).map(add).collect());
        let first = db.read(|tx| {
            let first = tx.first(&IDS, &[], |row| row.get::<i64>(0))?;
            Ok::<_, Error>((first, count(tx)?))
        });
        assert_eq!(first.unwrap(), (Some(1), 50));
    });
}
