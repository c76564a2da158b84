//! The worlds are rich enough: whoever misunderstands the definition is found out by them.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};

use crate::oracle::Fault;
use crate::world::{Step, World, steps};

const FAULTS: [Fault; 15] = [
    Fault::IgnoresLife,
    Fault::LendsPrimaryOwner,
    Fault::CountsTheEnd,
    Fault::SkipsTheStart,
    Fault::IgnoresStatus,
    Fault::IgnoresSubscribersClock,
    Fault::LendsNothing,
    Fault::LendsApiRoles,
    Fault::ConfusesAttachments,
    Fault::CountsHalfAGroup,
    Fault::LooksOneLevelDown,
    Fault::SendsDown,
    Fault::JudgesLate,
    Fault::JudgesEarly,
    Fault::IgnoresPublication,
];

#[test]
fn every_misunderstanding_is_found_out() {
    let mut runner = crate::runner();
    let worlds = steps();
    let cases = runner.config().cases;
    let histories: Vec<Vec<Step>> = (0..cases)
        .map(|_| worlds.new_tree(&mut runner).expect("a world can be drawn").current())
        .collect();
    for fault in FAULTS {
        let caught = histories.iter().filter(|steps| is_caught(fault, steps)).count();
        assert!(
            caught >= 2,
            "{fault:?} differs from the definition in {caught} of {cases} worlds"
        );
    }
}

/// Whether some person gets other messages by the misunderstanding than by the definition.
fn is_caught(fault: Fault, steps: &[Step]) -> bool {
    let ((mut right, _), (mut wrong, _)) = (World::new(None), World::new(Some(fault)));
    steps.iter().any(|step| {
        right.go_on(step);
        wrong.go_on(step);
        let reached = |world: &World| -> BTreeSet<(i64, i64)> {
            let everybody = world.oracle.messages(world.now).into_iter();
            let pairs = everybody.flat_map(|(person, messages)| messages.into_keys().map(move |id| (person, id)));
            pairs.collect()
        };
        reached(&right) != reached(&wrong)
    })
}
