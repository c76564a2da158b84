//! The stories by themselves: whether they can be told.

use std::collections::BTreeSet;

use super::*;
use crate::world::ACCOUNTS;

const NOW: Moment = Moment(1_795_000_000_000);

fn some(what: impl Fn(&Story) -> bool) -> bool {
    messages(NOW).iter().any(what)
}

#[test]
fn stories_are_told_in_order_and_within_reach() {
    let stories = messages(NOW);
    assert!((15..=25).contains(&stories.len()));
    assert!(stories.is_sorted_by_key(|story| story.at));
    for story in &stories {
        assert!(story.at > NOW.plus_ms(-REACH_MS) && story.at < NOW);
        assert!(story.then.is_sorted_by_key(|step| step.at), "{}", story.draft.title);
        assert!(
            story.then.iter().all(|step| step.at >= story.at && step.at < NOW),
            "{}",
            story.draft.title
        );
    }
}

#[test]
fn everybody_in_them_has_an_account() {
    let logins: BTreeSet<_> = ACCOUNTS.iter().map(|(login, _)| *login).chain(["admin"]).collect();
    for story in messages(NOW) {
        assert!(logins.contains(story.sender));
        for step in story.then {
            assert!(!matches!(step.what, What::Act(login, _) if !logins.contains(login)));
        }
    }
}

#[test]
fn there_is_one_of_every_sort() {
    assert!(some(|story| story.draft.opens_at.is_some_and(|at| at > NOW)));
    assert!(some(|story| story.draft.closes_at.is_some_and(|at| at < NOW)));
    assert!(some(|story| story.draft.closes_at.is_some_and(|at| at > NOW)));
    assert!(some(|story| !story.draft.enabled));
    assert!(some(|story| story.draft.rule() == Rule::WhileActive));
    assert!(some(|story| story.draft.importance == Importance::Critical));
    assert!(some(|story| story.then.iter().any(|step| step.what == What::Recall)));
    assert!(some(|story| story
        .then
        .iter()
        .any(|step| matches!(&step.what, What::Correct(_)))));
    assert!(some(|story| story
        .then
        .iter()
        .any(|step| matches!(step.what, What::Act(_, Action::Archive)))));
    for kind in [
        "environment_role",
        "api_role",
        "subscribers",
        "customer",
        "everyone",
        "group",
        "user",
    ] {
        let is_kind = |target: &Target| serde_json::to_value(target).expect("JSON")["kind"] == kind;
        assert!(some(|story| story.draft.audience.iter().any(is_kind)), "{kind}");
    }
}

#[test]
fn a_message_that_nobody_may_see_is_read_by_nobody() {
    for story in messages(NOW) {
        let hidden = !story.draft.enabled || story.draft.opens_at.is_some();
        assert!(
            !hidden || story.readers == 0 && story.then.is_empty(),
            "{}",
            story.draft.title
        );
    }
}
