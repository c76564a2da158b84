//! The lineage of customers against a naive recomputation, at every revision that ever was.

use std::collections::{BTreeMap, BTreeSet};

use campanile_core::schema::SCHEMA;
use campanile_store::sql;
use campanile_store::testing::{TestDb, postgres, sqlite};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::world::{empty_intervals, run};

sql! {
    LIVES = "SELECT object, CAST(0 AS BIGINT), since, until FROM life WHERE kind = 2 AND object BETWEEN $1 AND $2";
    PARENTS = "SELECT customer, parent, since, until FROM parentage WHERE customer BETWEEN $1 AND $2";
    PAIRS = "SELECT customer, ancestor, since, until FROM lineage WHERE customer BETWEEN $1 AND $2";
}

/// Customers of one world.
const CUSTOMERS: i64 = 12;

#[derive(Debug, Clone)]
enum Step {
    /// A customer is there, below this one or nobody.
    Put(i64, Option<i64>),
    /// A customer goes.
    Remove(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let customer = || 0..CUSTOMERS;
    let put = (customer(), proptest::option::weighted(0.8, customer())).prop_map(|(id, parent)| Step::Put(id, parent));
    let remove = customer().prop_map(Step::Remove);
    proptest::collection::vec(prop_oneof![6 => put, 1 => remove], 1..60)
}

/// The tree as a map, and whether a step is allowed in it.
#[derive(Default)]
struct Model(BTreeMap<i64, Option<i64>>);

impl Model {
    fn chain(&self, from: i64) -> Vec<i64> {
        std::iter::successors(Some(from), |at| self.0.get(at).copied().flatten()).collect()
    }

    fn apply(&mut self, step: &Step) -> bool {
        match *step {
            Step::Put(id, Some(parent)) => {
                if !self.0.contains_key(&parent) || self.chain(parent).contains(&id) {
                    return false;
                }
                self.0.insert(id, Some(parent));
            }
            Step::Put(id, None) => {
                self.0.insert(id, None);
            }
            Step::Remove(id) => {
                if self.0.values().any(|parent| *parent == Some(id)) {
                    return false;
                }
                self.0.remove(&id);
            }
        }
        true
    }
}

type Fact = (i64, i64, i64, i64);

fn facts(db: &TestDb, sql: &'static campanile_store::Sql, first: i64) -> Vec<Fact> {
    let last = first + CUSTOMERS;
    db.read(move |tx| {
        tx.rows(sql, &[&first, &last], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
    })
    .expect("it is no fault")
}

fn at(facts: &[Fact], revision: i64) -> impl Iterator<Item = (i64, i64)> {
    let holds = move |fact: &&Fact| fact.2 <= revision && revision < fact.3;
    facts.iter().filter(holds).map(|fact| (fact.0, fact.1))
}

/// Every pair of a customer with itself and whoever is above, from parentage alone.
fn naive(lives: &[Fact], parents: &[Fact], revision: i64) -> BTreeSet<(i64, i64)> {
    let parents: BTreeMap<i64, i64> = at(parents, revision).collect();
    let above = |id: i64| std::iter::successors(Some(id), |at| parents.get(at).copied());
    at(lives, revision)
        .flat_map(|(id, _)| above(id).map(move |ancestor| (id, ancestor)))
        .collect()
}

/// Runs the steps in a world of their own and compares.
fn check(db: &TestDb, world: i64, steps: &[Step]) {
    let first = world * (CUSTOMERS + 1) + 1;
    let (mut model, mut lines, mut wanted) = (Model::default(), String::new(), Vec::new());
    for step in steps {
        let line = match *step {
            Step::Put(id, parent) => {
                let parent = parent.map_or("null".into(), |parent| (first + parent).to_string());
                let id = first + id;
                format!(r#"{{"kind":"customer","id":{id},"name":"C","parent":{parent}}}"#)
            }
            Step::Remove(id) if model.0.contains_key(&id) => {
                format!(r#"{{"kind":"remove","of":"customer","id":{}}}"#, first + id)
            }
            Step::Remove(_) => continue,
        };
        lines += &line;
        lines.push('\n');
        wanted.push(model.apply(step));
    }
    let outcomes = run(db, &lines);
    let found: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(found, wanted, "{lines}{outcomes:?}");
    let (alive, parents, pairs) = (
        facts(db, &LIVES, first),
        facts(db, &PARENTS, first),
        facts(db, &PAIRS, first),
    );
    let ends = alive.iter().chain(&parents).flat_map(|fact| [fact.2, fact.3 - 1]);
    for revision in ends.collect::<BTreeSet<i64>>() {
        let found: BTreeSet<(i64, i64)> = at(&pairs, revision).collect();
        assert_eq!(
            found,
            naive(&alive, &parents, revision),
            "at revision {revision} of {steps:?}"
        );
    }
    keeps_intervals(&pairs);
}

/// What did not change was not ended and begun again.
fn keeps_intervals(pairs: &[Fact]) {
    for fact in pairs {
        let torn = pairs
            .iter()
            .any(|other| other.0 == fact.0 && other.1 == fact.1 && other.2 == fact.3);
        assert!(!torn, "{fact:?} was ended and begun in one revision");
    }
}

fn random_trees(db: &TestDb, cases: u32) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
    let world = std::cell::Cell::new(0);
    TestRunner::new_with_rng(config, random)
        .run(&steps(), |steps| {
            world.set(world.get() + 1);
            check(db, world.get(), &steps);
            Ok(())
        })
        .expect("it is no fault");
    assert_eq!(empty_intervals(db), 0);
}

#[test]
fn lineage_is_what_parentage_says_at_every_revision() {
    random_trees(&sqlite(&SCHEMA), 60);
    if let Some(db) = postgres(&SCHEMA) {
        random_trees(&db, 15);
    }
}
