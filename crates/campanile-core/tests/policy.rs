//! Who may do what, as one table: kinds of people by acts. A change of the policy is a change of the snapshot.

use std::fmt::Write;

use campanile_core::Error;
use campanile_core::id::{ApiId, CustomerId, EnvironmentId, PersonId};
use campanile_core::policy::{
    Act, Part, PortalAct, Reach, may, may_see_api, may_see_application, reach_of_apis, reach_of_customers, seen_apis,
};
use campanile_core::rights::{AsmRole, Letters, Permission, Rights};

const ME: PersonId = PersonId(1);
const SOMEBODY: PersonId = PersonId(2);
const DEFAULT: Part = Part::EnvironmentRole {
    environment: EnvironmentId(1),
};
const OTHER: Part = Part::EnvironmentRole {
    environment: EnvironmentId(7),
};
const PETS: Part = Part::Api { api: ApiId(1_001) };
const TOYS: Part = Part::Api { api: ApiId(1_002) };
const ACME: Part = Part::Customer {
    customer: CustomerId(17),
};
const FOREIGN: Part = Part::Customer {
    customer: CustomerId(99),
};
const TEAM: Part = Part::Directory {
    environment: Some(EnvironmentId(1)),
};
const HOMELESS: Part = Part::Directory { environment: None };

fn letters(permission: Permission, letters: u8) -> Letters {
    let mut out = Letters::default();
    out.add(permission, letters);
    out
}

fn on_default(held: u8) -> Rights {
    let mut rights = Rights::none(ME);
    rights
        .environments
        .insert(EnvironmentId(1), letters(Permission::Message, held));
    rights
}

fn kinds() -> Vec<(&'static str, Rights)> {
    let organization_admin = Rights {
        is_organization_admin: true,
        ..Rights::none(ME)
    };
    let root = Rights {
        asm_role: AsmRole::RootAdmin,
        ..Rights::none(ME)
    };
    let customer = Rights {
        asm_role: AsmRole::CustomerAdmin,
        customer: Some(CustomerId(17)),
        subtree: [17, 18].into_iter().collect(),
        ..Rights::none(ME)
    };
    let resident = Rights {
        customer: Some(CustomerId(17)),
        ..Rights::none(ME)
    };
    let mut owner = Rights::none(ME);
    owner.apis.insert(ApiId(1_001), letters(Permission::Message, 15));
    let clerk = Rights {
        organization: letters(Permission::User, 4),
        ..Rights::none(ME)
    };
    let lister = Rights {
        organization: letters(Permission::Role, 4),
        ..Rights::none(ME)
    };
    vec![
        ("ORGANIZATION:ADMIN", organization_admin),
        ("RootAdmin", root),
        ("CustomerAdmin of 17", customer),
        ("User of 17", resident),
        ("environment CRUD", on_default(15)),
        ("environment C", on_default(8)),
        ("environment R", on_default(4)),
        ("API pets CRUD", owner),
        ("ORGANIZATION_USER[R]", clerk),
        ("ORGANIZATION_ROLE[R]", lister),
    ]
}

/// What a person of customer 17 holds; in a test some may live for ever.
fn held(change: impl FnOnce(&mut Rights)) -> &'static Rights {
    let mut rights = Rights::none(SOMEBODY);
    rights.customer = Some(CustomerId(17));
    change(&mut rights);
    Box::leak(Box::new(rights))
}

fn portal_acts() -> Vec<(&'static str, PortalAct<'static>)> {
    let (own, foreign) = (Some(CustomerId(17)), Some(CustomerId(99)));
    let plain = held(|_| ());
    let homeless = held(|rights| rights.customer = None);
    let stranger = held(|rights| rights.customer = foreign);
    let root = held(|rights| rights.asm_role = AsmRole::RootAdmin);
    let organization = held(|rights| rights.is_organization_admin = true);
    let owner = held(|rights| {
        rights.apis.insert(ApiId(1_001), letters(Permission::Message, 8));
    });
    let above = held(|rights| {
        rights.asm_role = AsmRole::CustomerAdmin;
        rights.subtree = [5, 17, 18].into_iter().collect();
    });
    vec![
        ("see user: oneself", PortalAct::SeeUser(ME, None)),
        ("see user: of customer 17", PortalAct::SeeUser(SOMEBODY, own)),
        ("see user: of customer 99", PortalAct::SeeUser(SOMEBODY, foreign)),
        ("see user: of no customer", PortalAct::SeeUser(SOMEBODY, None)),
        ("edit anybody at all", PortalAct::EditAnybody),
        ("make user: of customer 18", PortalAct::MakeUser(Some(CustomerId(18)))),
        ("make user: of customer 99", PortalAct::MakeUser(foreign)),
        ("make user: of no customer", PortalAct::MakeUser(None)),
        ("edit user: of customer 17", PortalAct::EditUser(plain)),
        ("edit user: of customer 99", PortalAct::EditUser(stranger)),
        ("edit user: of no customer", PortalAct::EditUser(homeless)),
        ("edit user: RootAdmin of 17", PortalAct::EditUser(root)),
        ("edit user: ORGANIZATION:ADMIN of 17", PortalAct::EditUser(organization)),
        ("edit user: API pets C, of 17", PortalAct::EditUser(owner)),
        ("set password: of customer 17", PortalAct::SetPassword(plain)),
        ("set password: of customer 99", PortalAct::SetPassword(stranger)),
        ("set password: RootAdmin of 17", PortalAct::SetPassword(root)),
        (
            "set password: ORGANIZATION:ADMIN of 17",
            PortalAct::SetPassword(organization),
        ),
        ("set password: API pets C, of 17", PortalAct::SetPassword(owner)),
        ("set password: CustomerAdmin above 17", PortalAct::SetPassword(above)),
        ("see customer 17", PortalAct::SeeCustomer(CustomerId(17))),
        ("see customer 99", PortalAct::SeeCustomer(CustomerId(99))),
        ("make customer: below 18", PortalAct::MakeCustomer(Some(CustomerId(18)))),
        ("make customer: below 99", PortalAct::MakeCustomer(foreign)),
        ("make customer: a root", PortalAct::MakeCustomer(None)),
        ("subscription of customer 18", PortalAct::EditCustomer(CustomerId(18))),
        ("subscription of customer 99", PortalAct::EditCustomer(CustomerId(99))),
    ]
}

fn acts() -> Vec<(&'static str, Act<'static>)> {
    let portal = portal_acts().into_iter().map(|(name, act)| (name, Act::Portal(act)));
    acts_elsewhere().into_iter().chain(portal).collect()
}

fn acts_elsewhere() -> Vec<(&'static str, Act<'static>)> {
    vec![
        ("own", Act::Own),
        ("send: DEFAULT", Act::Send(&[DEFAULT])),
        ("send: other environment", Act::Send(&[OTHER])),
        ("send: group or person at DEFAULT", Act::Send(&[TEAM])),
        ("send: group or person, no home", Act::Send(&[HOMELESS])),
        ("send: API pets", Act::Send(&[PETS])),
        ("send: API toys", Act::Send(&[TOYS])),
        ("send: DEFAULT and API pets", Act::Send(&[DEFAULT, PETS])),
        ("send: customer 17", Act::Send(&[ACME])),
        ("send: customers 17 and 99", Act::Send(&[ACME, FOREIGN])),
        ("send: everyone", Act::Send(&[Part::Everyone])),
        ("send: no part", Act::Send(&[])),
        ("list sent", Act::ListSent),
        ("see: own, DEFAULT", Act::See(ME, &[DEFAULT])),
        ("see: own, customer 99", Act::See(ME, &[FOREIGN])),
        ("see: somebody's, DEFAULT", Act::See(SOMEBODY, &[DEFAULT])),
        ("see: somebody's, API pets", Act::See(SOMEBODY, &[PETS])),
        ("see: somebody's, customer 17", Act::See(SOMEBODY, &[ACME])),
        ("see: somebody's, customer 99", Act::See(SOMEBODY, &[FOREIGN])),
        ("see: somebody's, everyone", Act::See(SOMEBODY, &[Part::Everyone])),
        ("see: somebody's, no part", Act::See(SOMEBODY, &[])),
        ("correct: DEFAULT", Act::Correct(&[DEFAULT])),
        ("correct: API pets", Act::Correct(&[PETS])),
        ("correct: customer 17", Act::Correct(&[ACME])),
        ("recall: DEFAULT", Act::Recall(&[DEFAULT])),
        ("recall: customer 17", Act::Recall(&[ACME])),
        ("recall: everyone", Act::Recall(&[Part::Everyone])),
        ("see an endpoint: DEFAULT", Act::SeeEndpoint(DEFAULT)),
        ("see an endpoint: API pets", Act::SeeEndpoint(PETS)),
        ("make an endpoint: DEFAULT", Act::CreateEndpoint(DEFAULT)),
        ("make an endpoint: API pets", Act::CreateEndpoint(PETS)),
        ("change an endpoint: DEFAULT", Act::ChangeEndpoint(DEFAULT)),
        ("change an endpoint: API toys", Act::ChangeEndpoint(TOYS)),
        ("remove an endpoint: other environment", Act::RemoveEndpoint(OTHER)),
        ("remove an endpoint: API pets", Act::RemoveEndpoint(PETS)),
        ("list roles", Act::ListRoles),
        ("find people", Act::FindPeople),
        ("read the directory", Act::ReadDirectory),
        ("edit the directory", Act::EditDirectory),
        ("reset somebody's password", Act::ResetPassword(SOMEBODY)),
        ("reset own password unasked", Act::ResetPassword(ME)),
        ("visibility: own", Act::ReadVisibility(ME)),
        ("visibility: somebody's", Act::ReadVisibility(SOMEBODY)),
        ("operate", Act::Operate),
    ]
}

#[test]
fn the_table() {
    let kinds = kinds();
    let mut table = String::new();
    for (at, (kind, _)) in kinds.iter().enumerate() {
        writeln!(table, "{}{kind}", "| ".repeat(at)).unwrap();
    }
    for (name, act) in acts() {
        for (_, rights) in &kinds {
            table.push_str(if may(rights, &act).is_ok() { "x " } else { ". " });
        }
        writeln!(table, "{name}").unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_refusal_names_what_is_missing() {
    let nobody = Rights::none(ME);
    let mut refusals = String::new();
    for (name, act) in acts() {
        match may(&nobody, &act) {
            Err(Error::Denied(text)) => writeln!(refusals, "{name}: {text}").unwrap(),
            other => assert!(other.is_ok(), "{name}: {other:?}"),
        }
    }
    insta::assert_snapshot!(refusals);
}

#[test]
fn what_may_be_picked_is_what_may_be_sent_to() {
    for (kind, rights) in kinds() {
        for api in [ApiId(1_001), ApiId(1_002)] {
            let picked = match reach_of_apis(&rights) {
                Reach::All => true,
                Reach::Only(apis) => apis.contains(&api),
            };
            assert_eq!(
                picked,
                may(&rights, &Act::Send(&[Part::Api { api }])).is_ok(),
                "{kind}: {api}"
            );
        }
        for customer in [CustomerId(17), CustomerId(99)] {
            let picked = match reach_of_customers(&rights) {
                Reach::All => true,
                Reach::Only(top) => top == Some(customer),
            };
            let sent = may(&rights, &Act::Send(&[Part::Customer { customer }])).is_ok();
            assert_eq!(picked, sent, "{kind}: {customer}");
        }
    }
}

#[test]
fn who_may_know_of_an_api_finds_it_and_of_an_application_its_members_and_who_reads_the_directory() {
    for (kind, rights) in kinds() {
        let reads = may(&rights, &Act::ReadDirectory).is_ok();
        for api in [ApiId(1_001), ApiId(1_002)] {
            let found = reads || seen_apis(&rights).contains(&api);
            assert_eq!(found, may_see_api(&rights, api), "{kind}: {api}");
        }
        assert!(may_see_application(&rights, true), "{kind}");
        assert_eq!(may_see_application(&rights, false), reads, "{kind}");
    }
}
