//! Devices of the person who asks: browsers that get push messages.

use std::sync::Arc;

use axum::extract::State;
use campanile_core::message::Importance;
use campanile_core::outbox::device::{self, Device, Subscription};
use campanile_core::time::Moment;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::extract::{Json, Path};
use crate::api::refusals::{Conflict, Invalid, Malformed, Missing, Unauthenticated};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::{Client, Principal};
use crate::devices;
use crate::problem::Problem;
use crate::vapid;

pub(super) const ROUTES: Part = part![
    (list_devices, add_device),
    (change_device, remove_device),
    (hear_device),
    (read_push_key)
];

/// The devices.
#[derive(Serialize, ToSchema)]
struct Devices {
    /// The last heard of first; at most 20.
    devices: Vec<Device>,
}

/// A subscription, as a browser's `PushSubscription.toJSON()` has it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDevice {
    /// Where messages for it are posted to. An `https` URL of a public address.
    #[schema(example = "https://push.example.com/send/x")]
    endpoint: String,
    /// When it ends, in milliseconds since 1970; null or absent: it is not known.
    #[serde(default, rename = "expirationTime")]
    expiration_time: Option<i64>,
    /// Its keys.
    keys: Keys,
    /// The least importance of what is to be pushed; absent: as before, or everything.
    #[serde(default)]
    importance: Option<Importance>,
}

/// The keys of a subscription, in base64url.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeviceKeys)]
struct Keys {
    /// The public key: 65 bytes.
    p256dh: String,
    /// The secret: 16 bytes.
    auth: String,
}

/// What is to change of a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeDevice {
    /// The least importance of what is to be pushed to it.
    importance: Importance,
}

/// The key that browsers subscribe with.
#[derive(Serialize, ToSchema)]
struct PushKey {
    /// The public key in base64url, for `applicationServerKey`. It stays the same.
    public_key: String,
}

/// Lists one's devices
#[utoipa::path(
    get, path = "/api/v1/me/devices", tag = "Me",
    responses((status = 200, description = "The devices.", body = Devices), Unauthenticated)
)]
async fn list_devices(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Devices>, Problem> {
    let devices = app.db.read(move |tx| device::list(tx, principal.person)).await?;
    Ok(Json(Devices { devices }))
}

/// Registers a device
///
/// What rings the bell is pushed to it from then on (RFC 8030), encrypted for it (RFC 8291). One that is not heard of
/// is told of later messages by a summary only, and forgotten after 60 days. What another user registered with the same
/// browser is theirs no longer.
#[utoipa::path(
    post, path = "/api/v1/me/devices", tag = "Me",
    request_body = NewDevice,
    responses(
        (status = 200, description = "It was known.", body = Device),
        (status = 201, description = "Registered.", body = Device),
        Malformed, Unauthenticated, Conflict, Invalid,
    )
)]
async fn add_device(
    State(app): State<Arc<App>>,
    principal: Principal,
    client: Client,
    Json(wanted): Json<NewDevice>,
) -> Result<(StatusCode, Json<Device>), Problem> {
    let wanted = Subscription {
        endpoint: wanted.endpoint,
        p256dh: wanted.keys.p256dh,
        auth: wanted.keys.auth,
        expires_at: wanted.expiration_time.map(Moment),
        importance: wanted.importance,
        agent: client.agent,
    };
    let (device, is_new) = devices::register(&app, &principal, &wanted).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(device)))
}

/// Changes what is pushed to one of one's devices
#[utoipa::path(
    patch, path = "/api/v1/me/devices/{id}", tag = "Me",
    params(("id" = String, Path, description = "The device's id.")),
    request_body = ChangeDevice,
    responses((status = 200, description = "Changed.", body = Device), Malformed, Unauthenticated, Missing)
)]
async fn change_device(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    Json(wanted): Json<ChangeDevice>,
) -> Result<Json<Device>, Problem> {
    let changed = devices::change(&app, &principal, id, wanted.importance).await?;
    Ok(Json(changed))
}

/// Removes one of one's devices
///
/// Nothing is pushed to it any more.
#[utoipa::path(
    delete, path = "/api/v1/me/devices/{id}", tag = "Me",
    params(("id" = String, Path, description = "The device's id.")),
    responses((status = 204, description = "Removed."), Unauthenticated, Missing)
)]
async fn remove_device(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    devices::remove(&app, &principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes that one of one's devices is in use
///
/// What a browser says of itself whenever somebody has a page open. 404 tells it that it was removed: it ends its
/// subscription then.
#[utoipa::path(
    post, path = "/api/v1/me/devices/{id}/heard", tag = "Me",
    params(("id" = String, Path, description = "The device's id.")),
    responses((status = 204, description = "Noted."), Unauthenticated, Missing)
)]
async fn hear_device(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (person, now) = (principal.person, app.clock.now());
    app.db.jot(move |tx| device::heard(tx, person, &id, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The key to subscribe with
#[utoipa::path(
    get, path = "/api/v1/push/key", tag = "Me",
    responses((status = 200, description = "The key of this installation.", body = PushKey), Unauthenticated)
)]
async fn read_push_key(State(app): State<Arc<App>>, _principal: Principal) -> Result<Json<PushKey>, Problem> {
    let public_key = vapid::pair(&app).await?.public();
    Ok(Json(PushKey { public_key }))
}
