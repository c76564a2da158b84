//! Stylesheets and scripts of the console and of the elements for pages of other sites, in the binary.
//!
//! One number for all of them stands in their addresses, so that a browser may keep them for ever and modules import
//! one another by plain relative names.

use std::io::Write as _;
use std::sync::{LazyLock, OnceLock};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use campanile_core::secret::{hex, sha256};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::json;

use crate::problem::{Kind, Problem};

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";

/// Modules, and pictures of stylesheets, are loaded by pages of other sites only where their server allows it (Fetch
/// Standard, section 3.2). They hold nothing of anybody.
const ANYWHERE: (HeaderName, HeaderValue) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// A file in the binary.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
    /// The same in a third of the bytes, once somebody has asked for it.
    packed: OnceLock<Bytes>,
}

impl Asset {
    /// As gzip (RFC 1952).
    fn packed(&self) -> Bytes {
        let pack = || {
            let mut packer = GzEncoder::new(Vec::new(), Compression::best());
            packer.write_all(self.bytes).expect("memory takes everything");
            packer.finish().expect("memory takes everything").into()
        };
        self.packed.get_or_init(pack).clone()
    }
}

macro_rules! asset {
    ($name:literal, $type:expr) => {
        Asset {
            name: $name,
            media_type: $type,
            bytes: include_bytes!(concat!("../../static/", $name)),
            packed: OnceLock::new(),
        }
    };
}

/// Those of the console's pages, and the elements, which are for pages of others too.
static ASSETS: [Asset; 31] = [
    asset!("console/announce.css", CSS),
    asset!("console/console.css", CSS),
    asset!("console/console.js", JS),
    asset!("console/compose.js", JS),
    asset!("console/copy.js", JS),
    asset!("console/device.js", JS),
    asset!("console/import.js", JS),
    asset!("console/notify.js", JS),
    asset!("console/pick.js", JS),
    asset!("console/push.js", JS),
    asset!("console/session.js", JS),
    asset!("console/tags.js", JS),
    asset!("console/way.js", JS),
    asset!("console/year.js", JS),
    asset!("console/icon.svg", SVG),
    asset!("console/icon-192.png", PNG),
    asset!("console/icon-512.png", PNG),
    asset!("console/icon-maskable-512.png", PNG),
    asset!("embed/parts.css", CSS),
    asset!("embed/banner.css", CSS),
    asset!("embed/acts.svg", SVG),
    asset!("embed/campanile.js", JS),
    asset!("embed/banner.js", JS),
    asset!("embed/bell.js", JS),
    asset!("embed/calm.js", JS),
    asset!("embed/chosen.js", JS),
    asset!("embed/client.js", JS),
    asset!("embed/element.js", JS),
    asset!("embed/fragment.js", JS),
    asset!("embed/inbox.js", JS),
    asset!("embed/live.js", JS),
];

/// The folder of this build's assets.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut all = Vec::new();
    for asset in &ASSETS {
        all.extend_from_slice(asset.name.as_bytes());
        all.extend_from_slice(asset.bytes);
    }
    hex(&sha256(&all)[..6])
});

/// The address of an asset.
#[must_use]
pub(crate) fn address(name: &str) -> String {
    debug_assert!(ASSETS.iter().any(|asset| asset.name == name), "there is no {name}");
    format!("/assets/{}/{name}", *FOLDER)
}

/// `GET /assets/{folder}/{*name}`.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/assets/{folder}/{*name}", get(send))
        .route("/embed/campanile.js", get(elements))
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
            icon("console/icon.svg", "any", SVG, "any"),
            icon("console/icon-192.png", "192x192", PNG, "any"),
            icon("console/icon-512.png", "512x512", PNG, "any"),
            icon("console/icon-maskable-512.png", "512x512", PNG, "maskable"),
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

/// `GET /embed/campanile.js`: the elements, at the address that pages of other sites name. What it leads to is kept by
/// browsers for ever; this one is looked at each time, so that a page never has half of another version.
async fn elements() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(JS)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ANYWHERE,
    ];
    let module = format!("export * from \"{}\";\n", address("embed/campanile.js"));
    (headers, module).into_response()
}

async fn send(Path((folder, name)): Path<(String, String)>, asked: HeaderMap) -> Response {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    let Some(asset) = found.filter(|_| folder == *FOLDER) else {
        return Problem::new(Kind::Missing, "there is nothing at this address").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
        ANYWHERE,
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if asset.media_type == PNG || !takes_gzip(&asked) {
        return (headers, asset.bytes).into_response();
    }
    let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
    (headers, encoding, asset.packed()).into_response()
}

/// Whether gzip is named among what may come (RFC 9110, section 12.5.3), and not ruled out.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let lines = asked.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|q| q.trim().parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_packed_is_the_same() {
        for asset in &ASSETS {
            let mut bytes = Vec::new();
            let packed = asset.packed();
            flate2::read::GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, asset.bytes, "{}", asset.name);
        }
    }

    #[test]
    fn it_is_packed_for_who_says_so() {
        let takes = |said: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(said),
            )]))
        };
        for said in ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.8", "deflate,gzip"] {
            assert!(takes(said), "{said}");
        }
        for said in ["", "br", "gzip;q=0", "gzip; q=0.0", "*;q=0"] {
            assert!(!takes(said), "{said}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn scripts_find_what_they_import() {
        for asset in ASSETS.iter().filter(|asset| asset.media_type == JS) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            let folder = asset.name.split_once('/').unwrap().0;
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let path = line.rsplit('"').nth(1).unwrap();
                let name = match path.strip_prefix("./") {
                    Some(beside) => format!("{folder}/{beside}"),
                    None => path.trim_start_matches("../").to_owned(),
                };
                assert!(
                    ASSETS.iter().any(|asset| asset.name == name),
                    "{} imports {path}",
                    asset.name
                );
            }
        }
    }
}
