//! What compatible interfaces leave out of account in a draft.

use campanile_core::message::draft::{self, Draft, Leniency};

use crate::world::{World, api_role, draft, each_world, fields, outlets, role, subscribers};

/// Checks a draft that may name roles that there are not; how many selectors are left of it.
fn left(world: &World<'_>, draft: Draft) -> usize {
    let draft = Draft {
        leniency: Leniency {
            unknown_roles: true,
            ..Leniency::default()
        },
        ..draft
    };
    let now = world.now();
    let checked = world
        .db
        .read(move |tx| draft::check(tx, &draft, "The sender", &outlets(), now));
    let checked = checked.expect("the draft is accepted");
    assert!(checked.environment.is_some(), "it has a home all the same");
    checked.selectors.len()
}

#[test]
fn a_role_that_went_meanwhile_is_nobody_and_the_rest_counts() {
    each_world(|world| {
        world.shop();
        assert_eq!(left(world, draft("One", [role("KING"), role("ADMIN")])), 1);
        assert_eq!(left(world, draft("None", [role("KING")])), 0);
        let of_api = [api_role("payments", "KING"), subscribers("payments")];
        assert_eq!(left(world, draft("One", of_api)), 1);
        assert_eq!(left(world, draft("None", [api_role("payments", "KING")])), 0);
        assert_eq!(
            fields(world.hands_in(draft("Strict", [role("KING")]), None)),
            ["audience[0].role"]
        );
    });
}
