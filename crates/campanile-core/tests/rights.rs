//! What a person holds, read from the facts, on both databases.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use campanile_core::error::Error;
use campanile_core::id::{ApiId, CustomerId, EnvironmentId, PersonId};
use campanile_core::rights::{AsmRole, Letter, Permission, Rights};
use campanile_core::schema::SCHEMA;
use campanile_store::Sql;
use campanile_store::testing::{TestDb, each_database};

const ANN: PersonId = PersonId(1);
const PETS: ApiId = ApiId(1_001);
const TOYS: ApiId = ApiId(1_002);
const DEFAULT: EnvironmentId = EnvironmentId(1);
const TEAM: i64 = 1_010;
const OPEN: i64 = i64::MAX;

static PERSON: Sql = Sql::new(
    "test::PERSON",
    "INSERT INTO person (id, key, login, login_key, name, name_key, asm_role, guid, ticket_serial, changed)
     VALUES ($1, 'u', 'u', 'u', 'u', 'u', $2, 'u', 0, 1)",
);
static LIFE: Sql = Sql::new(
    "test::LIFE",
    "INSERT INTO life (kind, object, since, until, since_at, until_at) VALUES (1, $1, 1, $2, 1, $2)",
);
static MEMBERSHIP: Sql = Sql::new(
    "test::MEMBERSHIP",
    "INSERT INTO membership (person, place, object, role, since, until, since_at, until_at)
     VALUES (1, $1, $2, $3, 1, $4, 1, $4)",
);
static ROLE: Sql = Sql::new(
    "test::ROLE",
    "INSERT INTO role (id, scope, name, system) VALUES ($1, $2, 'CUSTOM', FALSE)",
);
static PERMISSION: Sql = Sql::new(
    "test::PERMISSION",
    "INSERT INTO role_permission (role, permission, letters) VALUES ($1, 'MESSAGE', $2), ($1, 'WEATHER', 15)",
);
static GROUP: Sql = Sql::new(
    "test::GROUP",
    "INSERT INTO grp (id, key, name, name_key) VALUES ($1, 'g', 'g', 'g')",
);
static ATTACHMENT: Sql = Sql::new(
    "test::ATTACHMENT",
    "INSERT INTO attachment (grp, place, object, since, until, since_at, until_at) VALUES ($1, $2, $3, 1, $4, 1, $4)",
);
static CUSTOMER: Sql = Sql::new(
    "test::CUSTOMER",
    "INSERT INTO customer (id, name, name_key) VALUES ($1, 'c', 'c')",
);
static RESIDENCE: Sql = Sql::new(
    "test::RESIDENCE",
    "INSERT INTO residence (person, customer, since, until, since_at, until_at) VALUES (1, $1, $2, $3, $2, $3)",
);
static LINEAGE: Sql = Sql::new(
    "test::LINEAGE",
    "INSERT INTO lineage (customer, ancestor, since, until, since_at, until_at) VALUES ($1, $2, 1, $3, 1, $3)",
);

/// Statements and their values.
type Facts<'a> = &'a [(&'static Sql, &'a [i64])];

/// What a person with an ASM role holds, given facts.
fn held(db: &TestDb, asm_role: i64, facts: Facts<'_>) -> Rights {
    let facts: Vec<_> = facts.iter().map(|(sql, values)| (*sql, values.to_vec())).collect();
    db.write(move |tx| {
        tx.execute(&PERSON, &[&ANN.0, &asm_role])?;
        tx.execute(&LIFE, &[&ANN.0, &OPEN])?;
        for (sql, values) in facts {
            let values: Vec<&dyn campanile_store::Param> = values.iter().map(|value| value as _).collect();
            tx.execute(sql, &values)?;
        }
        Ok::<(), Error>(())
    })
    .unwrap();
    db.read(|tx| Rights::load(tx, ANN)).unwrap()
}

fn message_letters(has: impl Fn(Letter) -> bool) -> String {
    let letters = [
        ('C', Letter::Create),
        ('R', Letter::Read),
        ('U', Letter::Update),
        ('D', Letter::Delete),
    ];
    letters
        .into_iter()
        .filter(|(_, letter)| has(*letter))
        .map(|(name, _)| name)
        .collect()
}

fn on_default(rights: &Rights) -> String {
    message_letters(|letter| rights.on_environment(DEFAULT, Permission::Message, letter))
}

fn on_api(rights: &Rights, api: ApiId) -> String {
    message_letters(|letter| rights.on_api(api, Permission::Message, letter))
}

#[test]
fn somebody_without_facts_holds_nothing() {
    each_database(&SCHEMA, |db| assert_eq!(held(db, 0, &[]), Rights::none(ANN)));
}

#[test]
fn roles_of_one_place_unite_their_letters_and_ended_ones_are_gone() {
    each_database(&SCHEMA, |db| {
        let rights = held(
            db,
            0,
            &[
                (&ROLE, &[100, 2]),
                (&PERMISSION, &[100, 8]),
                (&ROLE, &[101, 3]),
                (&PERMISSION, &[101, 4]),
                (&MEMBERSHIP, &[2, 1, 100, OPEN]),
                (&MEMBERSHIP, &[2, 1, 5, OPEN]),
                (&MEMBERSHIP, &[2, 1, 3, 2]),
                (&MEMBERSHIP, &[3, 1_001, 101, OPEN]),
                (&MEMBERSHIP, &[3, 1_001, 9, OPEN]),
            ],
        );
        assert_eq!(on_default(&rights), "C");
        assert_eq!(on_api(&rights, PETS), "R");
        assert_eq!(on_api(&rights, TOYS), "");
        assert!(!rights.is_organization_admin);
    });
}

#[test]
fn an_environment_administrator_holds_messages_there_alone() {
    each_database(&SCHEMA, |db| {
        let rights = held(db, 0, &[(&MEMBERSHIP, &[2, 1, 3, OPEN])]);
        assert_eq!(on_default(&rights), "CRUD");
        assert!(!rights.on_environment(EnvironmentId(2), Permission::Message, Letter::Create));
        assert!(!rights.on_organization(Permission::Role, Letter::Read));
        assert!(!rights.is_root());
    });
}

#[test]
fn an_organization_administrator_is_root() {
    each_database(&SCHEMA, |db| {
        let rights = held(db, 0, &[(&MEMBERSHIP, &[1, 1, 1, OPEN])]);
        assert!(rights.is_organization_admin && rights.is_root());
        assert_eq!(on_api(&rights, TOYS), "CRUD");
    });
}

#[test]
fn an_administrator_elsewhere_or_before_is_none() {
    each_database(&SCHEMA, |db| {
        // Role 1 on an environment is no sense, and the one on the organization has ended.
        let rights = held(db, 0, &[(&MEMBERSHIP, &[2, 1, 1, OPEN]), (&MEMBERSHIP, &[1, 1, 1, 2])]);
        assert!(!rights.is_organization_admin);
    });
}

#[test]
fn a_group_lends_its_roles_to_the_apis_to_which_it_is_attached() {
    each_database(&SCHEMA, |db| {
        let rights = held(
            db,
            0,
            &[
                (&GROUP, &[TEAM]),
                (&ROLE, &[100, 3]),
                (&PERMISSION, &[100, 12]),
                (&MEMBERSHIP, &[6, TEAM, 100, OPEN]),
                (&ATTACHMENT, &[TEAM, 3, 1_001, OPEN]),
                (&ATTACHMENT, &[TEAM, 3, 1_002, 2]),
                (&ATTACHMENT, &[TEAM, 4, 1_003, OPEN]),
            ],
        );
        assert_eq!(on_api(&rights, PETS), "CR");
        assert_eq!(on_api(&rights, TOYS), "", "it is attached there no more");
        assert_eq!(on_api(&rights, ApiId(1_003)), "", "that is an application");
    });
}

#[test]
fn a_role_for_applications_is_not_lent_to_apis() {
    each_database(&SCHEMA, |db| {
        let rights = held(
            db,
            0,
            &[
                (&GROUP, &[TEAM]),
                (&ROLE, &[100, 4]),
                (&PERMISSION, &[100, 15]),
                (&MEMBERSHIP, &[5, TEAM, 100, OPEN]),
                (&ATTACHMENT, &[TEAM, 3, 1_001, OPEN]),
            ],
        );
        assert_eq!(on_api(&rights, PETS), "");
    });
}

#[test]
fn a_lent_primary_owner_acts_as_owner() {
    each_database(&SCHEMA, |db| {
        let lent: Facts<'_> = &[
            (&GROUP, &[TEAM]),
            (&MEMBERSHIP, &[6, TEAM, 6, OPEN]),
            (&ATTACHMENT, &[TEAM, 3, 1_001, OPEN]),
            (&MEMBERSHIP, &[3, 1_002, 6, OPEN]),
        ];
        let rights = held(db, 0, lent);
        assert_eq!(on_api(&rights, PETS), "", "an OWNER has no MESSAGE");
        assert_eq!(on_api(&rights, TOYS), "CRUD", "a direct PRIMARY_OWNER has");
    });
}

const TREE: Facts<'_> = &[
    (&CUSTOMER, &[17]),
    (&CUSTOMER, &[18]),
    (&CUSTOMER, &[19]),
    (&CUSTOMER, &[20]),
    (&LINEAGE, &[17, 17, OPEN]),
    (&LINEAGE, &[18, 18, OPEN]),
    (&LINEAGE, &[18, 17, OPEN]),
    (&LINEAGE, &[19, 19, OPEN]),
    (&LINEAGE, &[19, 17, 2]),
    (&LINEAGE, &[20, 20, OPEN]),
    (&RESIDENCE, &[20, 1, 2]),
    (&RESIDENCE, &[17, 2, OPEN]),
];

#[test]
fn a_customer_administrator_holds_the_subtree_of_now() {
    each_database(&SCHEMA, |db| {
        let rights = held(db, 1, TREE);
        assert_eq!(
            (rights.asm_role, rights.customer),
            (AsmRole::CustomerAdmin, Some(CustomerId(17)))
        );
        assert_eq!(rights.subtree.iter().collect::<Vec<_>>(), [17, 18]);
        assert!(rights.on_customer(CustomerId(18)) && !rights.on_customer(CustomerId(19)));
        assert!(!rights.is_root());
    });
}

#[test]
fn a_resident_and_a_root_administrator_need_no_subtree() {
    each_database(&SCHEMA, |db| {
        let rights = held(db, 0, TREE);
        assert_eq!((rights.customer, rights.subtree.len()), (Some(CustomerId(17)), 0));
        assert!(!rights.on_customer(CustomerId(17)));
    });
    each_database(&SCHEMA, |db| {
        let rights = held(db, 2, TREE);
        assert!(rights.on_customer(CustomerId(20)) && rights.subtree.is_empty());
    });
}

#[test]
fn who_is_not_active_is_nobody() {
    each_database(&SCHEMA, |db| {
        db.write(|tx| {
            tx.execute(&PERSON, &[&ANN.0, &2_i64])?;
            tx.execute(&LIFE, &[&ANN.0, &5_i64])?;
            Ok::<(), Error>(())
        })
        .unwrap();
        assert!(matches!(
            db.read(|tx| Rights::load(tx, ANN)),
            Err(Error::Unauthenticated)
        ));
        assert!(matches!(
            db.read(|tx| Rights::load(tx, PersonId(9))),
            Err(Error::Unauthenticated)
        ));
    });
}
