//! What a person holds, read from the facts that hold now: the input of [`crate::policy`], which decides.
//!
//! Loaded afresh for each request that needs it: a role taken away is gone with the next request.

use std::collections::BTreeMap;

use campanile_store::{Sql, Tx, sql};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::account::admitted;
use crate::error::{Error, Result};
use crate::id::{ApiId, CustomerId, EnvironmentId, PersonId};
use crate::place::{ORGANIZATION_ADMIN, place};

sql! {
    PERSON = concat!("SELECT p.asm_role, r.customer FROM person p", admitted!("p.id"),
        "LEFT JOIN residence r ON r.person = p.id AND r.until = 9223372036854775807 WHERE p.id = $1");
    KEPT_OUT = "
        SELECT p.asm_role, r.customer FROM person p
        JOIN life l ON l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807
        LEFT JOIN residence r ON r.person = p.id AND r.until = 9223372036854775807
        WHERE p.id = $1";
    // Held directly, and lent by groups to the APIs to which they are attached. A role without permissions counts too:
    // ORGANIZATION:ADMIN is known by its id. A lent PRIMARY_OWNER (6) acts as OWNER (7), by decision 10.
    HELD = "
        SELECT m.place, m.object, m.role, p.permission, p.letters
        FROM membership m LEFT JOIN role_permission p ON p.role = m.role
        WHERE m.person = $1 AND m.place BETWEEN 1 AND 3 AND m.until = 9223372036854775807
        UNION ALL
        SELECT a.place, a.object, 0, p.permission, p.letters
        FROM membership m
        JOIN attachment a ON a.grp = m.object AND a.place = 3 AND a.until = 9223372036854775807
        JOIN role_permission p ON p.role = CASE m.role WHEN 6 THEN 7 ELSE m.role END
        WHERE m.person = $1 AND m.place = 6 AND m.until = 9223372036854775807";
    SUBTREE = "SELECT customer FROM lineage WHERE ancestor = $1 AND until = 9223372036854775807";
}

/// The role of a person in the UI messages contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub enum AsmRole {
    /// Reads what is addressed to them.
    #[default]
    User,
    /// Manages the messages of their own customer and of those below it.
    CustomerAdmin,
    /// Manages the messages of all customers.
    RootAdmin,
}

impl AsmRole {
    /// As stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// From storage; what is unknown has no rights.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::CustomerAdmin,
            2 => Self::RootAdmin,
            _ => Self::User,
        }
    }
}

/// What a permission may be used for, as a bit: C 8, R 4, U 2, D 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// C: send.
    Create = 8,
    /// R: see.
    Read = 4,
    /// U: correct.
    Update = 2,
    /// D: recall.
    Delete = 1,
}

impl Letter {
    /// As it is written in the contracts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Read => "READ",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// The permissions that decide something. Roles may carry others; they are kept with the role and decide nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Messages: of an environment, or of an API.
    Message,
    /// The list of roles.
    Role,
    /// People: the directory.
    User,
}

impl Permission {
    /// As it is stored and written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "MESSAGE",
            Self::Role => "ROLE",
            Self::User => "USER",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Message, Self::Role, Self::User]
            .into_iter()
            .find(|permission| permission.name() == name)
    }
}

/// The letters of each permission, united over the roles held at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Letters([u8; 3]);

impl Letters {
    /// Whether a permission is held with a letter.
    #[must_use]
    pub const fn has(self, permission: Permission, letter: Letter) -> bool {
        self.0[permission as usize] & letter as u8 != 0
    }

    /// Whether all that is held there is held here.
    const fn covers(self, other: Self) -> bool {
        let [message, role, user] = other.0;
        message & !self.0[0] == 0 && role & !self.0[1] == 0 && user & !self.0[2] == 0
    }

    /// Adds letters (bits C 8, R 4, U 2, D 1) of a permission.
    pub const fn add(&mut self, permission: Permission, letters: u8) {
        self.0[permission as usize] |= letters & 15;
    }
}

/// What a person holds now.
#[derive(Debug, Clone, PartialEq)]
pub struct Rights {
    /// The person.
    pub person: PersonId,
    /// ORGANIZATION:ADMIN: may do everything.
    pub is_organization_admin: bool,
    /// The role in the UI messages contract.
    pub asm_role: AsmRole,
    /// The person's customer.
    pub customer: Option<CustomerId>,
    /// For a customer administrator: their customer and all below it. Empty for everybody else.
    pub subtree: RoaringBitmap,
    /// On the organization.
    pub organization: Letters,
    /// On environments; without those on which nothing that decides is held.
    pub environments: BTreeMap<EnvironmentId, Letters>,
    /// On APIs, held or lent; without those on which nothing that decides is held.
    pub apis: BTreeMap<ApiId, Letters>,
}

impl Rights {
    /// A person who holds nothing.
    #[must_use]
    pub fn none(person: PersonId) -> Self {
        Self {
            person,
            is_organization_admin: false,
            asm_role: AsmRole::User,
            customer: None,
            subtree: RoaringBitmap::new(),
            organization: Letters::default(),
            environments: BTreeMap::new(),
            apis: BTreeMap::new(),
        }
    }

    /// Reads what an active person holds, in two statements, three for a customer administrator. `Unauthenticated` for
    /// somebody who is not active (any more), or is kept out.
    pub fn load(tx: &mut Tx<'_>, person: PersonId) -> Result<Self> {
        Self::read(tx, person, &PERSON)
    }

    /// What an active person holds, also one who is kept out, and so cannot use it: to be compared with.
    pub fn of(tx: &mut Tx<'_>, person: PersonId) -> Result<Self> {
        Self::read(tx, person, &KEPT_OUT)
    }

    fn read(tx: &mut Tx<'_>, person: PersonId, of: &'static Sql) -> Result<Self> {
        let mut rights = Self::none(person);
        let row = tx.first(of, &[&person.0], |row| Ok((row.get(0)?, row.get::<Option<i64>>(1)?)))?;
        let (asm_role, customer) = row.ok_or(Error::Unauthenticated)?;
        rights.asm_role = AsmRole::from_code(asm_role);
        rights.customer = customer.map(CustomerId);
        tx.each(&HELD, &[&person.0], |row| {
            let (place, object, role): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            rights.is_organization_admin |= place == place::ORGANIZATION && role == ORGANIZATION_ADMIN.0;
            if let Some(permission) = row.get::<Option<String>>(3)?.as_deref().and_then(Permission::parse) {
                rights.letters(place, object).add(permission, row.get::<i64>(4)? as u8);
            }
            Ok::<(), campanile_store::Error>(())
        })?;
        if let (AsmRole::CustomerAdmin, Some(customer)) = (rights.asm_role, rights.customer) {
            tx.each(&SUBTREE, &[&customer.0], |row| {
                rights.subtree.insert(row.get::<i64>(0)? as u32);
                Ok::<(), campanile_store::Error>(())
            })?;
        }
        Ok(rights)
    }

    fn letters(&mut self, place: i64, object: i64) -> &mut Letters {
        match place {
            place::ENVIRONMENT => self.environments.entry(EnvironmentId(object)).or_default(),
            place::API => self.apis.entry(ApiId(object)).or_default(),
            _ => &mut self.organization,
        }
    }

    /// Root administrator: by the role of the UI messages contract, or as ORGANIZATION:ADMIN (decision 15).
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.is_organization_admin || self.asm_role == AsmRole::RootAdmin
    }

    /// Whether a permission is held on an environment.
    #[must_use]
    pub fn on_environment(&self, environment: EnvironmentId, permission: Permission, letter: Letter) -> bool {
        self.is_organization_admin
            || self
                .environments
                .get(&environment)
                .is_some_and(|held| held.has(permission, letter))
    }

    /// Whether a permission is held on an API.
    #[must_use]
    pub fn on_api(&self, api: ApiId, permission: Permission, letter: Letter) -> bool {
        self.is_organization_admin || self.apis.get(&api).is_some_and(|held| held.has(permission, letter))
    }

    /// Whether a permission is held on the organization.
    #[must_use]
    pub fn on_organization(&self, permission: Permission, letter: Letter) -> bool {
        self.is_organization_admin || self.organization.has(permission, letter)
    }

    /// Whether a permission is held on any environment.
    #[must_use]
    pub fn on_any_environment(&self, permission: Permission, letter: Letter) -> bool {
        self.is_organization_admin || self.environments.values().any(|held| held.has(permission, letter))
    }

    /// Whether a permission is held on any API.
    #[must_use]
    pub fn on_any_api(&self, permission: Permission, letter: Letter) -> bool {
        self.is_organization_admin || self.apis.values().any(|held| held.has(permission, letter))
    }

    /// Whether the messages of anything are this person's to manage, in whatever way.
    #[must_use]
    pub fn is_sender(&self) -> bool {
        let letters = [Letter::Create, Letter::Read, Letter::Update, Letter::Delete];
        let somewhere = letters.into_iter().any(|letter| {
            self.on_any_environment(Permission::Message, letter) || self.on_any_api(Permission::Message, letter)
        });
        somewhere || self.is_root() || !self.subtree.is_empty()
    }

    /// Whether this person may do all that another one may: with the other's password they would come to nothing new.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.is_organization_admin || other.is_organization_admin {
            return self.is_organization_admin;
        }
        let none = Letters::default();
        let on_environments = other
            .environments
            .iter()
            .all(|(at, held)| self.environments.get(at).unwrap_or(&none).covers(*held));
        let on_apis = other
            .apis
            .iter()
            .all(|(at, held)| self.apis.get(at).unwrap_or(&none).covers(*held));
        let on_customers = self.is_root() || (!other.is_root() && other.subtree.is_subset(&self.subtree));
        on_customers && on_environments && on_apis && self.organization.covers(other.organization)
    }

    /// Whether the messages of a customer are this person's to manage (contract B, section 1.4).
    #[must_use]
    pub fn on_customer(&self, customer: CustomerId) -> bool {
        self.is_root() || u32::try_from(customer.0).is_ok_and(|customer| self.subtree.contains(customer))
    }
}
