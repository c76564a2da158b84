//! Stylesheet and scripts of the console, in the binary.
//!
//! One number for all of them stands in their addresses, so that a browser may keep them for ever and modules import
//! one another by plain relative names.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use campanile_core::secret::{hex, sha256};
use http::{HeaderValue, header};
use serde_json::json;

use crate::problem::{Kind, Problem};

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";

macro_rules! asset {
    ($name:literal, $type:expr) => {
        ($name, $type, include_bytes!(concat!("../../static/console/", $name)))
    };
}

/// Name, media type and bytes of each.
static ASSETS: &[(&str, &str, &[u8])] = &[
    asset!("announce.css", CSS),
    asset!("banner.css", CSS),
    asset!("console.css", CSS),
    asset!("console.js", JS),
    asset!("banner.js", JS),
    asset!("bell.js", JS),
    asset!("calm.js", JS),
    asset!("chosen.js", JS),
    asset!("copy.js", JS),
    asset!("compose.js", JS),
    asset!("device.js", JS),
    asset!("fragment.js", JS),
    asset!("import.js", JS),
    asset!("inbox.js", JS),
    asset!("live.js", JS),
    asset!("notify.js", JS),
    asset!("pick.js", JS),
    asset!("push.js", JS),
    asset!("session.js", JS),
    asset!("tags.js", JS),
    asset!("way.js", JS),
    asset!("year.js", JS),
    asset!("acts.svg", SVG),
    asset!("icon.svg", SVG),
    asset!("icon-192.png", PNG),
    asset!("icon-512.png", PNG),
    asset!("icon-maskable-512.png", PNG),
];

/// The folder of this build's assets.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut all = Vec::new();
    for (name, _, bytes) in ASSETS {
        all.extend_from_slice(name.as_bytes());
        all.extend_from_slice(bytes);
    }
    hex(&sha256(&all)[..6])
});

/// The address of an asset.
#[must_use]
pub(crate) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *FOLDER)
}

/// `GET /assets/{folder}/{name}`.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/assets/{folder}/{name}", get(send))
        .route("/worker.js", get(worker))
        .route("/manifest.webmanifest", get(manifest))
}

/// `GET /manifest.webmanifest`: what the console is called and looks like where it is installed, which Apple's phones
/// want before they take push messages. The same for everybody: a browser asks for it without cookies.
async fn manifest() -> Response {
    let icon =
        |name, sizes, kind, purpose| json!({"src": address(name), "sizes": sizes, "type": kind, "purpose": purpose});
    let manifest = json!({
        "id": "/",
        "name": "Campanile",
        "short_name": "Campanile",
        "start_url": "/inbox",
        "scope": "/",
        "display": "standalone",
        // Those of the light theme, as `--card` and `--paper` of the stylesheet; pages say both of their own.
        "theme_color": "#ffffff",
        "background_color": "#f7f6f3",
        "icons": [
            icon("icon.svg", "any", SVG, "any"),
            icon("icon-192.png", "192x192", PNG, "any"),
            icon("icon-512.png", "512x512", PNG, "any"),
            icon("icon-maskable-512.png", "512x512", PNG, "maskable"),
        ],
    });
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/manifest+json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, manifest.to_string()).into_response()
}

/// `GET /worker.js`: the service worker, at an address of its own that covers all pages. Browsers look for a new one by
/// themselves.
async fn worker() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(JS)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; connect-src 'self'"),
        ),
    ];
    (headers, include_str!("../../static/console/worker.js")).into_response()
}

async fn send(Path((folder, name)): Path<(String, String)>) -> Response {
    let found = ASSETS.iter().find(|(at, _, _)| *at == name);
    let Some((_, media_type, bytes)) = found.filter(|_| folder == *FOLDER) else {
        return Problem::new(Kind::Missing, "there is nothing at this address").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
    ];
    (headers, *bytes).into_response()
}
