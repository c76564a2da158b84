//! Customers and their subscriptions.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use campanile_core::id::CustomerId;
use campanile_core::portal::customer::{self, Sort, Wanted, WantedSubscription};
use serde::{Deserialize, Serialize};

use super::asked::{Id, created};
use super::caller::Caller;
use super::dates::Date;
use super::place;
use crate::api::extract::LooseJson;
use crate::app::App;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(place::CUSTOMERS, post(create))
        .route(place::CUSTOMER, get(find))
        .route(place::SUBSCRIPTION, put(change))
}

/// A customer as the contract shows it, and ours below: what can be written is told.
#[derive(Serialize)]
struct Customer {
    id: i64,
    name: String,
    subscription: Subscription,
    contact_email: Option<String>,
    country_code: Option<String>,
    enabled: bool,
    parent_id: Option<i64>,
}

/// A subscription, with the quotas of alerts, which the contract has where it is written.
#[derive(Serialize)]
struct Subscription {
    #[serde(rename = "subscription_type")]
    sort: Sort,
    period_from_utc: Option<Date>,
    period_to_utc: Option<Date>,
    global_check_quota: Option<i64>,
    alert_sms_quota: Option<i64>,
    alert_email_quota: Option<i64>,
    enabled: bool,
}

impl From<customer::Subscription> for Subscription {
    fn from(said: customer::Subscription) -> Self {
        Self {
            sort: said.sort,
            period_from_utc: said.period_from.map(Date),
            period_to_utc: said.period_to.map(Date),
            global_check_quota: said.global_check_quota,
            alert_sms_quota: said.alert_sms_quota,
            alert_email_quota: said.alert_email_quota,
            enabled: said.enabled,
        }
    }
}

impl From<customer::Customer> for Customer {
    fn from(customer: customer::Customer) -> Self {
        Self {
            id: customer.id.0,
            name: customer.name,
            subscription: customer.subscription.into(),
            contact_email: customer.contact_email,
            country_code: customer.country_code,
            enabled: customer.enabled,
            parent_id: customer.parent.map(|parent| parent.0),
        }
    }
}

/// A new customer. `parent_id` is ours: without it a customer administrator's hangs below their own.
#[derive(Deserialize)]
struct Input {
    name: Option<String>,
    contact_email: Option<String>,
    country_code: Option<String>,
    enabled: Option<bool>,
    parent_id: Option<i64>,
    subscription: Option<SubscriptionInput>,
}

/// A subscription as it shall be.
#[derive(Default, Deserialize)]
struct SubscriptionInput {
    #[serde(rename = "subscription_type")]
    sort: Option<Sort>,
    period_from_utc: Option<Date>,
    period_to_utc: Option<Date>,
    global_check_quota: Option<i64>,
    alert_sms_quota: Option<i64>,
    alert_email_quota: Option<i64>,
    enabled: Option<bool>,
}

impl From<SubscriptionInput> for WantedSubscription {
    fn from(input: SubscriptionInput) -> Self {
        Self {
            sort: input.sort,
            period_from: input.period_from_utc.map(|date| date.0),
            period_to: input.period_to_utc.map(|date| date.0),
            global_check_quota: input.global_check_quota,
            alert_sms_quota: input.alert_sms_quota,
            alert_email_quota: input.alert_email_quota,
            enabled: input.enabled,
        }
    }
}

async fn find(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<Json<Customer>, Problem> {
    let rights = Arc::clone(&caller.rights);
    let found = app
        .db
        .read(move |tx| customer::find(tx, &rights, CustomerId(id)))
        .await?;
    Ok(Json(found.into()))
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    LooseJson(input): LooseJson<Input>,
) -> Result<Response, Problem> {
    let (by, now) = (caller.principal.by(), app.clock.now());
    let wanted = Wanted {
        name: input.name,
        parent: input.parent_id,
        contact_email: input.contact_email,
        country_code: input.country_code,
        enabled: input.enabled,
        subscription: input.subscription.unwrap_or_default().into(),
    };
    let made = app.db.write(move |tx| customer::create(tx, &by, &wanted, now)).await?;
    let path = format!("{}/{}", place::CUSTOMERS, made.id);
    Ok(created(&app, &path, &Customer::from(made)))
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    LooseJson(input): LooseJson<SubscriptionInput>,
) -> Result<Json<Subscription>, Problem> {
    let (by, now) = (caller.principal.by(), app.clock.now());
    let wanted = WantedSubscription::from(input);
    let changed = app
        .db
        .write(move |tx| customer::change(tx, &by, CustomerId(id), &wanted, now))
        .await?;
    Ok(Json(changed.subscription.into()))
}
