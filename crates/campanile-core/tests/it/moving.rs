//! A world moved from one database into another: every table of the schema, and the same answers to any question.

use std::sync::Arc;

use campanile_core::audience::crowd;
use campanile_core::inbox::{self, Filter, View};
use campanile_core::lists;
use campanile_core::message::funnel::{self, Audiences};
use campanile_core::message::sent;
use campanile_core::schema::{LOCAL_COLUMNS, SCHEMA, TELLTALE};
use campanile_store::moving::{self, LEFT_OUT, Move, Report};
use campanile_store::testing::{self, options};
use campanile_store::{Db, Error};

use crate::migrations::{fill, tables};
use crate::random::Play;
use crate::world::{World, each_world};

fn task<'a>(from: &'a str, to: &'a str) -> Move<'a> {
    Move {
        from,
        to,
        schema: &SCHEMA,
        telltale: TELLTALE,
        local: LOCAL_COLUMNS,
        anew: false,
    }
}

fn copied(from: &str, to: &str) -> Report {
    moving::copy(&task(from, to), &mut |_| Ok(())).expect("it is copied")
}

/// An empty target of each kind.
fn targets(folder: &tempfile::TempDir) -> Vec<String> {
    let file = format!("sqlite://{}", folder.path().join("target.db").display());
    [Some(file), testing::postgres_url()].into_iter().flatten().collect()
}

#[test]
fn every_table_of_every_migration_is_copied_or_named_as_left_out() {
    testing::each_database(&SCHEMA, |source| {
        fill(source);
        let folder = tempfile::tempdir().unwrap();
        for target in targets(&folder) {
            let report = copied(&source.url, &target);
            assert_eq!((report.different, &report.unknown), (0, &Vec::new()));
            let mut expected: Vec<_> = SCHEMA.migrations.iter().flat_map(|one| tables(one.sql)).collect();
            expected.push("tally");
            expected.sort_unstable();
            let found: Vec<_> = report.tables.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(found, expected);
            assert!(
                LEFT_OUT
                    .iter()
                    .all(|(left, why)| !found.contains(left) && !why.is_empty())
            );
            let empty: Vec<_> = report
                .tables
                .iter()
                .filter(|(name, rows)| *rows == 0 && name != "tally")
                .collect();
            assert!(empty.is_empty(), "the sample has no row of {empty:?}");
        }
    });
}

/// The answers of a database to questions about everybody and every message, some at random times of the past.
fn answers(world: &World<'_>, db: &Db, play: &mut Play<'_>) -> Vec<String> {
    let (lists, residents) = (Arc::<lists::Shared>::default(), Arc::<crowd::Shared>::default());
    let (now, people, messages) = (world.now(), play.people, play.messages.clone());
    let at = now.plus_ms(-(play.dice.roll(400_000) as i64));
    let read = db.read(move |tx| {
        let mut told = Vec::new();
        for person in people {
            for view in [View::Inbox, View::Unread, View::Archived, View::Past] {
                let filter = Filter {
                    view,
                    ..Filter::default()
                };
                let page = inbox::page(tx, &lists, person, &filter, None, 100, now)?;
                let shown: Vec<_> = page.items.iter().map(inbox::Listed::shown).collect();
                told.push(format!("{person} {view:?} {:?} {shown:?}", page.counts));
            }
            told.push(format!("{:?}", sent::visible_at(tx, person, at, i64::MAX, 100)?));
        }
        let (sent, _) = sent::page(tx, i64::MAX, None, 100, |_, _| true)?;
        let residents = residents.at(tx)?;
        for message in &sent {
            let numbers = funnel::funnel(tx, &residents, &Audiences::default(), message, now)?;
            told.push(format!(
                "{message:?} {numbers:?} {:?}",
                sent::editions(tx, message.id, i64::MAX, 100)?
            ));
        }
        assert_eq!(sent.len(), messages.len(), "each was asked about");
        Ok::<_, campanile_core::Error>(told)
    });
    world.db.wait(read).expect("the questions are answered")
}

#[test]
fn a_world_in_which_anything_happened_answers_alike_before_and_after() {
    for seed in 1..4 {
        each_world(|world| {
            let mut play = Play::new(world, seed);
            for _ in 0..80 {
                play.step();
            }
            let folder = tempfile::tempdir().unwrap();
            let dice = play.dice.clone();
            let before = answers(world, &world.db.db, &mut play);
            for target in targets(&folder) {
                assert_eq!(copied(&world.db.url, &target).different, 0);
                let db = Db::open(&options(&target), &SCHEMA).unwrap();
                play.dice = dice.clone();
                assert_eq!(answers(world, &db, &mut play), before, "seed {seed}");
            }
        });
    }
}

#[test]
fn an_unfinished_copy_is_no_database() {
    testing::each_database(&SCHEMA, |source| {
        fill(source);
        let folder = tempfile::tempdir().unwrap();
        for target in targets(&folder) {
            let cut = moving::copy(&task(&source.url, &target), &mut |_| Err(Error::Timeout));
            assert!(matches!(cut, Err(Error::Timeout)));
            for refused in [
                Db::open(&options(&target), &SCHEMA).map(|_| ()),
                Db::look(&options(&target), &SCHEMA).map(|_| ()),
            ] {
                assert!(matches!(refused, Err(Error::Schema(why)) if why.contains("not finished")));
            }
        }
    });
}
