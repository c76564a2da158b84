//! Copies of the embedded database while others write, and files put in its place.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use campanile_store::backup::{self, Place};
use campanile_store::testing;
use campanile_store::{Db, Options};

use crate::*;

fn file(db: &TestDb) -> PathBuf {
    db.url.strip_prefix("sqlite://").unwrap().into()
}

fn empty(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, []).unwrap();
    path
}

fn ids(path: &Path) -> Vec<i64> {
    let db = Db::open(&Options::new(format!("sqlite://{}", path.display())), &SCHEMA).unwrap();
    let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
    rt.block_on(db.read(|tx| tx.rows(&IDS, &[], |row| row.get(0)))).unwrap()
}

#[test]
fn a_copy_beside_a_writer_is_one_instant_and_the_writer_goes_on() {
    let db = testing::sqlite(&SCHEMA);
    let folder = tempfile::tempdir().unwrap();
    let into = empty(&folder, "copy.db");
    let (over, mut written) = (AtomicBool::new(false), 0);
    let copied = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut last = 0;
            while !over.load(Ordering::Relaxed) || last < 100 {
                last += 1;
                let (item, id) = (last, last);
                db.write(add(item)).unwrap();
                // Both rows of one operation or none.
                let part = move |tx: &mut Tx<'_>| {
                    tx.execute(&ADD, &[&(id + 500_000), &format!("second {id}")])?;
                    tx.execute(&ADD_PART, &[&id, &(id + 500_000), &"of it"])
                };
                db.write(part).unwrap();
            }
            last
        });
        for _ in 0..5 {
            backup::copy(&file(&db), &empty(&folder, "copy.db"), &mut |_, _| Ok(())).unwrap();
        }
        over.store(true, Ordering::Relaxed);
        written = writing.join().unwrap();
        ids(&into)
    });
    let (firsts, seconds): (Vec<i64>, Vec<i64>) = copied.iter().partition(|id| **id < 500_000);
    let expected: Vec<i64> = (1..=firsts.len() as i64).collect();
    assert_eq!(firsts, expected, "what was committed before, without a gap");
    assert!(firsts.len() - seconds.len() <= 1 && written >= firsts.len() as i64);
}

#[test]
fn a_copy_says_how_far_it_is_and_ends_when_it_is_told_to() {
    let db = testing::sqlite(&SCHEMA);
    db.write(add(1)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut told = (0, 0);
    backup::copy(&file(&db), &empty(&folder, "a.db"), &mut |done, total| {
        told = (done, total);
        Ok(())
    })
    .unwrap();
    assert!(told.0 > 0 && told.0 == told.1, "{told:?}");
    let ended = backup::copy(&file(&db), &empty(&folder, "b.db"), &mut |_, _| Err(Error::Timeout));
    assert!(matches!(ended, Err(Error::Timeout)));
}

#[test]
fn a_file_takes_the_place_of_a_database_and_of_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("db");
    let url = format!("sqlite://{}", place.display());
    let old = testing::sqlite(&SCHEMA);
    old.write(add(1)).unwrap();
    backup::copy(&file(&old), &empty(&folder, "new"), &mut |_, _| Ok(())).unwrap();
    // One that ended without moving its log into the file.
    let conn = rusqlite::Connection::open(&place).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE kept (id); INSERT INTO kept VALUES (7)")
        .unwrap();
    for ending in ["", "-wal"] {
        std::fs::copy(
            format!("{}{ending}", place.display()),
            folder.path().join(format!("was{ending}")),
        )
        .unwrap();
    }
    drop(conn);
    for ending in ["", "-wal"] {
        std::fs::rename(
            folder.path().join(format!("was{ending}")),
            format!("{}{ending}", place.display()),
        )
        .unwrap();
    }
    let kept = folder.path().join("kept");
    Place::take(&place)
        .unwrap()
        .put(&folder.path().join("new"), &kept)
        .unwrap();
    assert_eq!(ids(&place), [1]);
    let read = rusqlite::Connection::open(&kept).unwrap();
    assert_eq!(
        read.query_row("SELECT id FROM kept", [], |row| row.get::<_, i64>(0))
            .unwrap(),
        7
    );

    let open = Db::open(&Options::new(url), &SCHEMA).unwrap();
    assert!(matches!(Place::take(&place), Err(Error::Unavailable(why)) if why.contains("in use")));
    drop(open);
    assert!(Place::take(&place).is_ok());
}

#[test]
fn what_is_no_database_of_this_schema_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    std::fs::write(
        &none,
        "a text that is longer than the head of a database, as it is written at the beginning of it",
    )
    .unwrap();
    assert!(matches!(backup::examine(&none, &SCHEMA), Err(Error::Schema(_))));
    let db = testing::sqlite(&SCHEMA);
    backup::examine(&file(&db), &SCHEMA).unwrap();
    let older = Schema { migrations: &[] };
    let newer = backup::examine(&file(&db), &older);
    assert!(matches!(newer, Err(Error::Schema(why)) if why.contains("newer")));
}
