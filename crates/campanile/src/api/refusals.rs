//! The refusals of the API as its description lists them, one type each: `responses(.., Unauthenticated, Denied)`.

use crate::problem::Document;

macro_rules! refusals {
    ($($(#[$meta:meta])* $name:ident = $status:literal, $words:literal;)*) => {$(
        $(#[$meta])*
        #[derive(utoipa::IntoResponses)]
        #[response(status = $status, description = $words, content_type = "application/problem+json")]
        pub struct $name(pub Document<'static>);
    )*};
}

refusals! {
    /// [`crate::problem::Kind::Malformed`].
    Malformed = 400, "The request cannot be read.";
    /// [`crate::problem::Kind::Unauthenticated`].
    Unauthenticated = 401, "Signing in is needed, or the credentials are wrong, expired or revoked.";
    /// [`crate::problem::Kind::Denied`].
    Denied = 403, "A right is missing; the text says which.";
    /// [`crate::problem::Kind::Missing`].
    Missing = 404, "There is no such thing, or the caller may not know of it.";
    /// [`crate::problem::Kind::Conflict`].
    Conflict = 409, "The present state does not allow it; the text says what stands in the way.";
    /// [`crate::problem::Kind::TooLarge`].
    TooLarge = 413, "The body is larger than this address takes.";
    /// [`crate::problem::Kind::Invalid`].
    Invalid = 422, "A rule refuses the values; every fault is named.";
    /// [`crate::problem::Kind::Throttled`].
    Throttled = 429, "Too many failed attempts; `Retry-After` says when to come back.";
    /// [`crate::problem::Kind::Unavailable`].
    Unavailable = 503, "The server cannot work at the moment; `Retry-After` says when to come back.";
}
