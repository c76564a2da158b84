//! What a token of a site opens: the inbox of its person, and nothing else. The one list of it, for the door and for
//! what browsers are told of it ([`crate::cors`]).

use http::Method;

/// Routes, as their patterns, and the methods that are open there. `HEAD` goes with `GET`.
const OPEN: [(&str, &str); 14] = [
    // Parts of the console.
    ("/inbox", "GET, POST"),
    ("/inbox/{id}", "GET"),
    ("/inbox/{id}/{action}", "POST"),
    ("/bell", "GET"),
    ("/bell/button", "GET"),
    ("/banners", "GET"),
    // The API.
    ("/api/v1/inbox", "GET, POST"),
    ("/api/v1/inbox/counts", "GET"),
    ("/api/v1/inbox/seen", "POST"),
    ("/api/v1/inbox/{id}", "GET"),
    ("/api/v1/inbox/{id}/{action}", "POST"),
    ("/api/v1/live", "GET"),
    ("/api/v1/live/tickets", "POST"),
    // Who am I?
    ("/api/v1/me", "GET"),
];

/// The methods that are open at a route, as a header lists them; `None` where nothing is.
#[must_use]
pub(crate) fn methods(pattern: &str) -> Option<&'static str> {
    let found = OPEN.iter().find(|(open, _)| *open == pattern);
    found.map(|(_, methods)| *methods)
}

/// Whether something is open.
#[must_use]
pub(super) fn is_open(method: &Method, pattern: &str) -> bool {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    methods(pattern).is_some_and(|methods| methods.split(", ").any(|open| open == method))
}
