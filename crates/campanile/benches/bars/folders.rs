//! The pages of the directory, as `pages` asks for them: lists with their filters and searches, things, forms.

use crate::house::Dice;
use crate::pages::{REQUESTS, Visitor};
use crate::used::WIDE;

const LISTS: [&str; 7] = [
    "customers",
    "users",
    "groups",
    "apis",
    "applications",
    "subscriptions",
    "environments",
];

pub(crate) fn directory(who: &Visitor<'_>) {
    who.page("directory", "/directory");
    for kind in LISTS {
        let at = format!("/directory/{kind}");
        who.page(kind, &at);
        for state in ["ended", "all"] {
            who.page(&format!("{kind}: {state}"), &format!("{at}?state={state}"));
        }
        for q in ["m", "a", "zzz"] {
            who.page(&format!("{kind}: {q}…"), &format!("{at}?q={q}"));
            who.page(&format!("{kind}: {q}…, ended"), &format!("{at}?q={q}&state=ended"));
            who.page(
                &format!("{kind}: {q}…, to choose from"),
                &format!("/directory/find/{kind}?q={q}"),
            );
        }
    }
    let customer = who.house.customers[0];
    who.page("users of a customer", &format!("/directory/users?customer={customer}"));
    for q in ["m", "zzz"] {
        let path = format!("/directory/users?customer={customer}&q={q}");
        who.page(&format!("users of a customer: {q}…"), &path);
    }
    who.page(
        "users of a customer: ended",
        &format!("/directory/users?customer={customer}&state=ended"),
    );
    for kind in ["apis", "applications"] {
        let path = format!("/directory/{kind}?environment=SMALL");
        who.page(&format!("{kind} of a small environment"), &path);
    }
    for status in ["closed", "pending"] {
        who.page(
            &format!("subscriptions: {status}"),
            &format!("/directory/subscriptions?status={status}"),
        );
        let path = format!("/directory/subscriptions?status={status}&state=ended");
        who.page(&format!("subscriptions: {status}, ended"), &path);
    }
    let api = &who.house.apis[0];
    who.page(
        "subscriptions to an API",
        &format!("/directory/subscriptions?api={api}"),
    );
    let path = format!("/directory/subscriptions?api={api}&state=ended");
    who.page("subscriptions to an API: ended", &path);
    let path = format!("/directory/subscriptions?api={api}&q=s-9");
    who.page("subscriptions to an API: s-9…", &path);
    who.page(
        "subscriptions of an application",
        "/directory/subscriptions?application=app-5",
    );
}

pub(crate) fn things(who: &Visitor<'_>) {
    let mut dice = Dice(29);
    let house = who.house;
    let mut some = |kind: &str, letter: &str, all: i64| -> Vec<String> {
        let number = |_| 1 + dice.below(all as usize) as i64;
        (0..REQUESTS)
            .map(number)
            .map(|n| format!("/directory/{kind}/{letter}{n}"))
            .collect()
    };
    let many = [
        ("a customer", some("customers", "", house.customers.len() as i64)),
        ("a user", some("users", "u-", house.people - 2_000)),
        ("a group", some("groups", "g-", (house.people / 500).max(2))),
        (
            "an API in the directory",
            some("apis", "api-", house.apis.len() as i64 - 1),
        ),
        ("an application", some("applications", "app-", house.people / 20 - 20)),
        ("a subscription", some("subscriptions", "s-", house.people / 5)),
    ];
    for (what, paths) in many {
        who.pages(what, &paths);
    }
    who.page(
        "the widest customer",
        &format!("/directory/customers/{}", house.customers[0]),
    );
    who.page("the widest group", &format!("/directory/groups/{WIDE}"));
    who.page("the widest API", &format!("/directory/apis/{}", house.apis[0]));
    who.page("the environment", "/directory/environments/DEFAULT");
    for scope in ["", "?scope=API"] {
        who.page(&format!("roles{scope}"), &format!("/directory/roles{scope}"));
    }
    who.page("who holds USER", "/directory/roles/ENVIRONMENT/USER");
    who.page(
        "who holds USER of an API",
        &format!("/directory/roles/API/PRIMARY_OWNER?on=api&id={}", house.apis[0]),
    );
    let path = format!("/directory/roles/APPLICATION/USER?on=group&id={WIDE}");
    who.page("who holds USER of a group", &path);
    who.page("memberships", "/directory/memberships");
    who.page("memberships of a user", "/directory/memberships?user=u-100");
    who.page(
        "memberships on the environment",
        "/directory/memberships?on=environment&id=DEFAULT",
    );
    let path = format!("/directory/memberships?on=group&id={WIDE}&scope=APPLICATION");
    who.page("memberships on a group", &path);
    who.page("memberships of whom? m…", "/directory/memberships?user=m");
}

/// What asks for something, and what asks whether it shall be.
pub(crate) fn forms(who: &Visitor<'_>) {
    for kind in LISTS {
        who.page(&format!("new: {kind}"), &format!("/directory/add/{kind}"));
    }
    for path in [
        "/directory/add/roles",
        "/directory/add/memberships",
        "/directory/import",
    ] {
        who.page(path, path);
    }
    let (customer, api) = (who.house.customers[0], &who.house.apis[0]);
    let things = [
        format!("customers/{customer}"),
        "users/u-100".into(),
        format!("groups/{WIDE}"),
        format!("apis/{api}"),
        "applications/app-5".into(),
        "subscriptions/s-1".into(),
        "environments/DEFAULT".into(),
    ];
    for thing in things {
        who.page(&format!("change {thing}"), &format!("/directory/{thing}/edit"));
        who.page(&format!("end {thing}"), &format!("/directory/{thing}/end"));
    }
    who.page("a password", "/directory/users/u-100/password");
}
