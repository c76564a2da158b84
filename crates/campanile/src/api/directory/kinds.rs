//! The kinds of things that have an id, and their routes: six for each, the same for all.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use campanile_core::directory::entry;
use campanile_core::directory::history::Interval;
use campanile_core::directory::list::{self, Page};
use campanile_core::policy::Act;
use http::StatusCode;

use super::queries::{CustomerQuery, PageQuery, PlacedQuery, SubscriptionQuery, ThingQuery, UserQuery};
use super::{Editor, create, look, past, read};
use crate::api::extract::{Json, Path, Query};
use crate::api::refusals::{Conflict, Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::directory;
use crate::problem::Problem;

/// The routes of each kind, for themselves: see [`crate::api::routes`].
pub(super) const PARTS: [Part; 7] = [
    CUSTOMERS,
    ENVIRONMENTS,
    USERS,
    GROUPS,
    APIS,
    APPLICATIONS,
    SUBSCRIPTIONS,
];

const CUSTOMERS: Part = part![
    (list_customers, create_customer),
    (read_customer, change_customer, end_customer),
    (customer_history)
];

const ENVIRONMENTS: Part = part![
    (list_environments, create_environment),
    (read_environment, change_environment, end_environment),
    (environment_history)
];

const USERS: Part = part![
    (list_users, create_user),
    (read_user, change_user, end_user),
    (user_history)
];

const GROUPS: Part = part![
    (list_groups, create_group),
    (read_group, change_group, end_group),
    (group_history)
];

const APIS: Part = part![(list_apis, create_api), (read_api, change_api, end_api), (api_history)];

const APPLICATIONS: Part = part![
    (list_applications, create_application),
    (read_application, change_application, end_application),
    (application_history)
];

const SUBSCRIPTIONS: Part = part![
    (list_subscriptions, create_subscription),
    (read_subscription, change_subscription, end_subscription),
    (subscription_history)
];

/// A kind: its name in a path and with an article; its object and id; how one is shown; what its list is asked with;
/// the names of its operations, which are also those of the OpenAPI document.
macro_rules! kind {
    (
        $path:tt, $article:tt, $words:tt; $Body:ident($Id:ident) => $Item:ident;
        $list:ident($Query:ident), $create:ident, $read:ident, $change:ident, $end:ident, $history:ident
    ) => {
        #[utoipa::path(
            get, path = concat!("/api/v1/", $path), tag = "Directory", summary = concat!("Lists ", $words),
            description = "Needs ORGANIZATION_USER[READ].",
            params($Query),
            responses(
                (status = 200, description = "A page.", body = Page<list::$Item>),
                Malformed, Unauthenticated, Denied, Invalid, Unavailable,
            )
        )]
        async fn $list(
            State(app): State<Arc<App>>,
            principal: Principal,
            Query(query): Query<$Query>,
        ) -> Result<Json<Page<list::$Item>>, Problem> {
            look(&app, &principal, Act::ReadDirectory, move |tx| query.$list(tx)).await
        }

        #[utoipa::path(
            post, path = concat!("/api/v1/", $path), tag = "Directory", summary = concat!("Makes ", $article),
            description = "One that has ended comes back. Needs ORGANIZATION:ADMIN.",
            request_body = entry::$Body,
            responses(
                (status = 201, description = "Made.", body = list::$Item, headers(
                    ("Location" = String, description = "Its address.")
                )),
                Malformed, Unauthenticated, Denied, Conflict, Invalid, Unavailable,
            )
        )]
        async fn $create(
            State(app): State<Arc<App>>,
            Editor(by): Editor,
            Json(wanted): Json<entry::$Body>,
        ) -> Result<Response, Problem> {
            create(&app, &by, concat!("/api/v1/", $path), wanted).await
        }

        #[utoipa::path(
            get, path = concat!("/api/v1/", $path, "/{id}"), tag = "Directory", summary = concat!("Shows ", $article),
            description = "Also one that has ended: then it is not `active`. Needs ORGANIZATION_USER[READ].",
            params(("id" = $Id, Path, description = "Its id in the directory.")),
            responses(
                (status = 200, description = "It.", body = list::$Item),
                Malformed, Unauthenticated, Denied, Missing, Unavailable,
            )
        )]
        async fn $read(
            State(app): State<Arc<App>>,
            principal: Principal,
            Path(id): Path<$Id>,
        ) -> Result<Json<list::$Item>, Problem> {
            read::<entry::$Body>(&app, &principal, id).await
        }

        #[utoipa::path(
            patch, path = concat!("/api/v1/", $path, "/{id}"), tag = "Directory",
            summary = concat!("Changes ", $article),
            description = "What is absent stays, what is null is cleared. Needs ORGANIZATION:ADMIN.",
            params(("id" = $Id, Path, description = "Its id in the directory.")),
            request_body = entry::$Body,
            responses(
                (status = 200, description = "It, as it is now.", body = list::$Item),
                Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
            )
        )]
        async fn $change(
            State(app): State<Arc<App>>,
            Editor(by): Editor,
            Path(id): Path<$Id>,
            Json(wanted): Json<entry::$Body>,
        ) -> Result<Json<list::$Item>, Problem> {
            directory::change(&app, &by, id, wanted).await.map(Json)
        }

        #[utoipa::path(
            delete, path = concat!("/api/v1/", $path, "/{id}"), tag = "Directory", summary = concat!("Ends ", $article),
            description = "Its history stays. What still needs it stands in the way. Needs ORGANIZATION:ADMIN.",
            params(("id" = $Id, Path, description = "Its id in the directory.")),
            responses(
                (status = 204, description = "Ended."),
                Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
            )
        )]
        async fn $end(
            State(app): State<Arc<App>>,
            Editor(by): Editor,
            Path(id): Path<$Id>,
        ) -> Result<StatusCode, Problem> {
            directory::end::<entry::$Body>(&app, &by, id).await?;
            Ok(StatusCode::NO_CONTENT)
        }

        #[utoipa::path(
            get, path = concat!("/api/v1/", $path, "/{id}/history"), tag = "Directory",
            summary = concat!("Tells the history of ", $article),
            description = "What was so and when, the newest beginning first. Needs ORGANIZATION_USER[READ].",
            params(("id" = $Id, Path, description = "Its id in the directory."), PageQuery),
            responses(
                (status = 200, description = "A page.", body = Page<Interval>),
                Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
            )
        )]
        async fn $history(
            State(app): State<Arc<App>>,
            principal: Principal,
            Path(id): Path<$Id>,
            Query(query): Query<PageQuery>,
        ) -> Result<Json<Page<Interval>>, Problem> {
            past::<entry::$Body>(&app, &principal, id, query.into()).await
        }
    };
}

kind! {
    "customers", "a customer", "customers: by id; by name where something is searched; \
        else the last to end first where only inactive ones are asked for";
    Customer(i64) => Customer;
    list_customers(CustomerQuery), create_customer, read_customer, change_customer, end_customer, customer_history
}

kind! {
    "environments", "an environment", "environments by id";
    Environment(String) => Thing;
    list_environments(ThingQuery), create_environment, read_environment, change_environment, end_environment,
    environment_history
}

kind! {
    "users", "a user", "users: by login; by number where a customer is named; \
        the last to leave first where only inactive ones are asked for";
    User(String) => User;
    list_users(UserQuery), create_user, read_user, change_user, end_user, user_history
}

kind! {
    "groups", "a group", "groups by id; by name too where something is searched; \
        else the last to end first where only inactive ones are asked for";
    Group(String) => Thing;
    list_groups(ThingQuery), create_group, read_group, change_group, end_group, group_history
}

kind! {
    "apis", "an API", "APIs by id; by name too where something is searched; \
        else the last to end first where only inactive ones are asked for";
    Api(String) => Thing;
    list_apis(PlacedQuery), create_api, read_api, change_api, end_api, api_history
}

kind! {
    "applications", "an application", "applications by id; by name too where something is searched; \
        else the last to end first where only inactive ones are asked for";
    Application(String) => Thing;
    list_applications(PlacedQuery), create_application, read_application, change_application, end_application,
    application_history
}

kind! {
    "subscriptions", "a subscription", "subscriptions by id; as they came where an API or application is named; \
        else the last to end first where only inactive ones are asked for";
    Subscription(String) => Subscription;
    list_subscriptions(SubscriptionQuery), create_subscription, read_subscription, change_subscription,
    end_subscription, subscription_history
}
