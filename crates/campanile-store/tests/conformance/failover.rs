//! A PostgreSQL with a standby: after a fail-over the server goes on with the other one by itself.

use campanile_store::testing::Pair;
use campanile_store::{Db, Error, Options};

use crate::*;

#[test]
fn a_server_that_knows_both_hosts_goes_on_with_the_one_that_takes_writes() {
    if testing::postgres_url().is_none() {
        return;
    }
    let mut pair = Pair::start();
    let options = Options {
        connections: 2,
        ..Options::new(&pair.url)
    };
    let db = Db::open(&options, &SCHEMA).unwrap();
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let write = |id| rt.block_on(db.write(add(id)));
    write(1).unwrap();
    pair.stop_the_first();
    // The standby answers, and takes no writes: it is not taken for the server.
    for _ in 0..3 {
        assert!(matches!(write(2), Err(Error::Unavailable(_) | Error::Unknown(_))));
    }
    assert!(db.is_failing());
    pair.promote_the_second();
    write(3).unwrap();
    assert!(!db.is_failing());
    let found = rt.block_on(async {
        // Readers notice the loss at their next use.
        let ids = || db.read(|tx| tx.rows(&IDS, &[], |row| row.get::<i64>(0)));
        let _ = (ids().await, ids().await);
        ids().await
    });
    assert_eq!(found.unwrap(), [1, 3], "what was accepted is there");
}
