//! Time as it is stored: whole milliseconds since 1970 in UTC, and revisions, the order of everything.
//!
//! Nothing in this crate asks for the time: it comes in as a [`Moment`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant, in whole milliseconds since 1970-01-01 UTC. On the wire it is RFC 3339 with a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub i64);

/// "Until" of a fact that still holds, and the end of a window without one.
pub const OPEN: i64 = i64::MAX;

impl Moment {
    /// Later than every instant that can occur.
    pub const NEVER: Self = Self(OPEN);

    /// The start of this instant's second: activity windows are compared to the second (decision 27).
    #[must_use]
    pub const fn second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000))
    }

    /// This instant plus so many milliseconds.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Reads RFC 3339 (`2026-01-01T00:00:00Z`, or with an offset, or with a fraction, which is cut to milliseconds).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let instant: jiff::Timestamp = text.parse().ok()?;
        Some(Self(instant.as_millisecond()))
    }

    /// In UTC as people read it: `2026-11-21 09:44 UTC`.
    #[must_use]
    pub fn utc(self) -> String {
        let iso = self.to_string();
        match (iso.get(..10), iso.get(11..16)) {
            (Some(day), Some(time)) => format!("{day} {time} UTC"),
            _ => iso,
        }
    }

    /// The same with seconds, where it is not at the beginning of a minute.
    #[must_use]
    pub fn utc_to_the_second(self) -> String {
        if self.0.rem_euclid(60_000) < 1_000 {
            return self.utc();
        }
        let iso = self.to_string();
        match (iso.get(..10), iso.get(11..19)) {
            (Some(day), Some(time)) => format!("{day} {time} UTC"),
            _ => iso,
        }
    }
}

impl std::fmt::Display for Moment {
    /// RFC 3339 in UTC; milliseconds only where there are any.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => f.write_str("9999-12-30T22:00:00Z"),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("must be a date and time of RFC 3339, such as 2026-01-01T00:00:00Z")
        })
    }
}

impl utoipa::PartialSchema for Moment {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
                utoipa::openapi::KnownFormat::DateTime,
            )))
            .into()
    }
}
impl utoipa::ToSchema for Moment {}

/// A place in the one total order of directory changes and publications, which orders history in place of the clock.
/// Larger is later.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Revision(pub i64);

/// The revision of an accepted change and the wall-clock time stamped beside it.
///
/// The time never runs backwards from one revision to the next, whatever the servers' clocks do, so a stored time can
/// be compared with another stored time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The order.
    pub revision: Revision,
    /// The time for people.
    pub at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_offsets_and_cuts_fractions() {
        assert_eq!(
            Moment::parse("2026-01-01T01:00:00.1239+01:00"),
            Moment::parse("2026-01-01T00:00:00.123Z")
        );
        assert_eq!(Moment::parse("2026-01-01T00:00:00"), None);
    }

    #[test]
    fn prints_what_it_read() {
        let text = "2026-11-22T10:00:00.5Z";
        assert_eq!(Moment::parse(text).map(|at| at.to_string()).as_deref(), Some(text));
    }

    #[test]
    fn reads_well_in_utc_with_seconds_where_there_are_any() {
        let at = Moment::parse("2026-11-22T10:00:00Z").unwrap_or_default();
        assert_eq!(at.utc_to_the_second(), "2026-11-22 10:00 UTC");
        assert_eq!(at.plus_ms(7_250).utc_to_the_second(), "2026-11-22 10:00:07 UTC");
    }

    #[test]
    fn cuts_to_the_second_before_1970_too() {
        assert_eq!(Moment(-1).second(), Moment(-1_000));
        assert_eq!(Moment(1_999).second(), Moment(1_000));
    }
}
