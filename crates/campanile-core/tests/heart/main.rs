//! The proof of the heart: who is in an audience.
//!
//! Worlds with history are drawn by chance ([`world`]), written into both databases ([`write`]) and judged three times:
//! by the naive definition ([`oracle`]), from the person's side ([`people`]) and from the message's ([`crowds`]). All
//! must agree, whatever happened before. [`faults`] shows that the worlds are rich enough to tell a wrong definition.
//!
//! The worlds are the same at every run. `PROPTEST_CASES` raises their number: a fourth of it, so 64 where it is not
//! set.

mod crowds;
mod faults;
mod lists;
mod oracle;
mod people;
mod statements;
mod world;
mod write;

use campanile_core::schema::SCHEMA;
use campanile_store::testing::{TestDb, each_database};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

use world::{Step, World};

/// How worlds are drawn.
fn runner() -> TestRunner {
    let default = Config::default();
    let config = Config {
        cases: default.cases / 4,
        max_shrink_iters: 4_000,
        failure_persistence: None,
        ..default
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Draws worlds and lets them go on, on both databases. After every step the check is asked; `last` says whether it
/// was the world's last one.
fn prove<S: Default>(check: impl Fn(&TestDb, &World, &mut S, bool) -> TestCaseResult) {
    each_database(&SCHEMA, |db| {
        write::furnish(db);
        let proof = runner().run(&world::steps(), |steps| history(db, &steps, &check));
        if let Err(error) = proof {
            panic!("{:?}: {error}", db.db.dialect());
        }
    });
}

fn history<S: Default>(
    db: &TestDb,
    steps: &[Step],
    check: impl Fn(&TestDb, &World, &mut S, bool) -> TestCaseResult,
) -> TestCaseResult {
    let (mut world, first) = World::new(None);
    let (beginning, later) = steps.split_first().expect("a world has a beginning");
    let mut revisions = vec![first];
    revisions.extend(world.go_on(beginning));
    write::begin(db, revisions);
    let mut state = S::default();
    check(db, &world, &mut state, later.is_empty())?;
    for (at, step) in later.iter().enumerate() {
        write::write(db, world.go_on(step));
        check(db, &world, &mut state, at + 1 == later.len())?;
    }
    Ok(())
}
