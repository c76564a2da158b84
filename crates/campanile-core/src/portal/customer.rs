//! Customers as the contract has them, each with its subscription to the portal. Subscription, quotas, contact and
//! `enabled` are kept and shown; nothing is decided by them here.

use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::renamed;
use crate::account::profile::{EMAIL_BYTES, is_email};
use crate::directory::entry::{self, Entry, Patch};
use crate::directory::{self, list};
use crate::error::{Error, Faults, Result};
use crate::id::CustomerId;
use crate::journal::{self, Action, By, Deed, Kind};
use crate::policy::{self, Act, PortalAct};
use crate::rights::Rights;
use crate::time::Moment;

/// The greatest quota: clients hold 32 bits.
pub const QUOTA_LIMIT: i64 = 2_147_483_647;

sql! {
    FIND = "SELECT contact_email, country_code, enabled, subscription_type, subscription_enabled, period_from,
            period_to, global_check_quota, alert_sms_quota, alert_email_quota
        FROM portal_customer WHERE customer = $1";
    SAVE = "INSERT INTO portal_customer (customer, contact_email, country_code, enabled, subscription_type,
            subscription_enabled, period_from, period_to, global_check_quota, alert_sms_quota, alert_email_quota)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (customer) DO UPDATE SET contact_email = $2, country_code = $3, enabled = $4,
            subscription_type = $5, subscription_enabled = $6, period_from = $7, period_to = $8,
            global_check_quota = $9, alert_sms_quota = $10, alert_email_quota = $11";
}

/// What sort of subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Sort {
    /// An ordinary one.
    #[default]
    Standard,
    /// A proof of concept.
    PoC,
    /// To look at it.
    Evaluation,
    /// On trial.
    Trial,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Standard, Self::PoC, Self::Evaluation, Self::Trial];

    fn from_code(code: i64) -> Self {
        Self::ALL
            .into_iter()
            .find(|sort| *sort as i64 == code)
            .unwrap_or_default()
    }
}

/// A customer's subscription to the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscription {
    /// What sort.
    pub sort: Sort,
    /// Its beginning, a whole second.
    pub period_from: Option<Moment>,
    /// Its end, a whole second.
    pub period_to: Option<Moment>,
    /// Checks.
    pub global_check_quota: Option<i64>,
    /// Text messages.
    pub alert_sms_quota: Option<i64>,
    /// Mails.
    pub alert_email_quota: Option<i64>,
    /// Whether it is on.
    pub enabled: bool,
}

/// A customer as the contract shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id.
    pub id: CustomerId,
    /// The name.
    pub name: String,
    /// The customer above.
    pub parent: Option<CustomerId>,
    /// An address for questions.
    pub contact_email: Option<String>,
    /// A country (ISO 3166-1, two letters).
    pub country_code: Option<String>,
    /// Whether it is on.
    pub enabled: bool,
    /// Its subscription.
    pub subscription: Subscription,
}

/// What is asked for of a subscription; `None` is "as it was", in a new one "nothing".
#[derive(Debug, Clone, Default)]
pub struct WantedSubscription {
    /// What sort.
    pub sort: Option<Sort>,
    /// Its beginning.
    pub period_from: Option<Moment>,
    /// Its end.
    pub period_to: Option<Moment>,
    /// Checks.
    pub global_check_quota: Option<i64>,
    /// Text messages.
    pub alert_sms_quota: Option<i64>,
    /// Mails.
    pub alert_email_quota: Option<i64>,
    /// Whether it is on.
    pub enabled: Option<bool>,
}

/// What is asked for of a new customer.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The name.
    pub name: Option<String>,
    /// The customer above; `None`: that of a customer administrator, or none at all.
    pub parent: Option<i64>,
    /// An address for questions.
    pub contact_email: Option<String>,
    /// A country.
    pub country_code: Option<String>,
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// Its subscription.
    pub subscription: WantedSubscription,
}

/// The customer with an id that somebody may see; `Missing` for all others.
pub fn find(tx: &mut Tx<'_>, rights: &Rights, id: CustomerId) -> Result<Customer> {
    let seen = policy::may(rights, &Act::Portal(PortalAct::SeeCustomer(id)));
    seen.map_err(|_| Error::Missing("customer"))?;
    read(tx, id)
}

/// Makes a customer. An ordered write.
///
/// `Denied` where it is not theirs to make, also below one that is not there; `Invalid` names the field.
pub fn create(tx: &mut Tx<'_>, by: &By, wanted: &Wanted, now: Moment) -> Result<Customer> {
    // What is looked at before the lock, another server may change.
    tx.tally()?;
    let rights = Rights::load(tx, by.somebody()?)?;
    let own = rights.customer.filter(|_| !rights.is_root());
    let parent = wanted.parent.map(CustomerId).or(own);
    policy::may(&rights, &Act::Portal(PortalAct::MakeCustomer(parent)))?;
    let mut faults = Faults::default();
    faults.require(wanted.name.is_some(), "name", "is needed");
    let contact = wanted.contact_email.as_deref().map(str::trim);
    faults.require(contact.is_some(), "contact_email", "is needed");
    let why = format!("must be one address such as ann@example.com, of at most {EMAIL_BYTES} bytes");
    faults.require(contact.is_none_or(is_email), "contact_email", why);
    let country = wanted.country_code.as_deref().filter(|code| !code.is_empty());
    let is_country = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    let why = "must be two letters (ISO 3166-1), such as CZ";
    faults.require(country.is_none_or(is_country), "country_code", why);
    let subscription = merged(&mut faults, "subscription.", &wanted.subscription, &usual());
    faults.finish()?;
    let id = directory::next_customer_id(tx)?;
    let entry = Entry::Customer(entry::Customer {
        id: Some(id),
        name: wanted.name.clone().map_or(Patch::Absent, Patch::Set),
        parent: parent.map_or(Patch::Absent, |parent| Patch::Set(parent.0)),
    });
    let made = Customer {
        id: CustomerId(id),
        name: String::new(),
        parent,
        contact_email: contact.map(str::to_owned),
        country_code: country.map(str::to_ascii_uppercase),
        enabled: wanted.enabled.unwrap_or(true),
        subscription,
    };
    let told = json!({"contact_email": made.contact_email, "country_code": made.country_code,
        "enabled": made.enabled, "subscription": made.subscription});
    journal::apply_with(tx, by, &entry, Deed::fields(told), now)
        .map_err(|error| renamed(error, &[("parent", "parent_id")]))?;
    save(tx, &made)?;
    read(tx, made.id)
}

/// Changes the subscription of a customer. An ordered write.
///
/// `Denied` for who may change none at all, `Missing` for one that they may not see; `Invalid` names the field.
pub fn change(tx: &mut Tx<'_>, by: &By, id: CustomerId, wanted: &WantedSubscription, now: Moment) -> Result<Customer> {
    tx.tally()?;
    let rights = Rights::load(tx, by.somebody()?)?;
    policy::may(&rights, &Act::Portal(PortalAct::EditAnybody))?;
    let mut customer = find(tx, &rights, id)?;
    policy::may(&rights, &Act::Portal(PortalAct::EditCustomer(id)))?;
    let mut faults = Faults::default();
    let before = customer.subscription.clone();
    customer.subscription = merged(&mut faults, "", wanted, &before);
    faults.finish()?;
    save(tx, &customer)?;
    if customer.subscription != before {
        let deed = Deed {
            before: Some(json!({ "subscription": before })),
            after: Some(json!({ "subscription": customer.subscription })),
            ..Deed::new(Action::Changed, Kind::Customer, id.0.to_string())
        };
        journal::record(tx, by, &deed, now)?;
    }
    Ok(customer)
}

/// Of which nothing was said.
const fn usual() -> Subscription {
    Subscription {
        sort: Sort::Standard,
        period_from: None,
        period_to: None,
        global_check_quota: None,
        alert_sms_quota: None,
        alert_email_quota: None,
        enabled: true,
    }
}

fn read(tx: &mut Tx<'_>, id: CustomerId) -> Result<Customer> {
    let known = list::customer(tx, id.0)?;
    if !known.active {
        return Err(Error::Missing("customer"));
    }
    let said = tx.first(&FIND, &[&id.0], |row: &Row<'_>| {
        let subscription = Subscription {
            sort: Sort::from_code(row.get(3)?),
            enabled: row.get(4)?,
            period_from: row.get::<Option<i64>>(5)?.map(Moment),
            period_to: row.get::<Option<i64>>(6)?.map(Moment),
            global_check_quota: row.get(7)?,
            alert_sms_quota: row.get(8)?,
            alert_email_quota: row.get(9)?,
        };
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, subscription))
    })?;
    let (contact_email, country_code, enabled, subscription) = said.unwrap_or((None, None, true, usual()));
    Ok(Customer {
        id,
        name: known.name,
        parent: known.parent.map(CustomerId),
        contact_email,
        country_code,
        enabled,
        subscription,
    })
}

fn merged(faults: &mut Faults, at: &str, wanted: &WantedSubscription, old: &Subscription) -> Subscription {
    let second = |given: Option<Moment>, old: Option<Moment>| given.map(Moment::second).or(old);
    let new = Subscription {
        sort: wanted.sort.unwrap_or(old.sort),
        period_from: second(wanted.period_from, old.period_from),
        period_to: second(wanted.period_to, old.period_to),
        global_check_quota: wanted.global_check_quota.or(old.global_check_quota),
        alert_sms_quota: wanted.alert_sms_quota.or(old.alert_sms_quota),
        alert_email_quota: wanted.alert_email_quota.or(old.alert_email_quota),
        enabled: wanted.enabled.unwrap_or(old.enabled),
    };
    for (field, quota) in [
        ("global_check_quota", new.global_check_quota),
        ("alert_sms_quota", new.alert_sms_quota),
        ("alert_email_quota", new.alert_email_quota),
    ] {
        let fits = quota.is_none_or(|quota| (0..=QUOTA_LIMIT).contains(&quota));
        faults.require(fits, &format!("{at}{field}"), format!("must be 0 to {QUOTA_LIMIT}"));
    }
    if let (Some(from), Some(to)) = (new.period_from, new.period_to) {
        faults.require(
            to >= from,
            &format!("{at}period_to_utc"),
            "must not be before period_from_utc",
        );
    }
    new
}

fn save(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    let Customer {
        id,
        contact_email,
        country_code,
        enabled,
        subscription,
        ..
    } = customer;
    let moment = |at: Option<Moment>| at.map(|at| at.0);
    tx.execute(
        &SAVE,
        &[
            &id.0,
            contact_email,
            country_code,
            enabled,
            &(subscription.sort as i64),
            &subscription.enabled,
            &moment(subscription.period_from),
            &moment(subscription.period_to),
            &subscription.global_check_quota,
            &subscription.alert_sms_quota,
            &subscription.alert_email_quota,
        ],
    )?;
    Ok(())
}
