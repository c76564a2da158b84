//! Numbers and times as templates have them: by value or by reference.

use campanile_core::time::Moment;

/// A number of things in a text. Templates have references.
pub(super) trait Count {
    /// As it is counted; nothing is less than none.
    fn count(&self) -> u64;
}

impl Count for u64 {
    fn count(&self) -> u64 {
        *self
    }
}

impl Count for usize {
    fn count(&self) -> u64 {
        *self as u64
    }
}

impl Count for i64 {
    fn count(&self) -> u64 {
        u64::try_from(*self).unwrap_or_default()
    }
}

impl Count for i32 {
    fn count(&self) -> u64 {
        u64::try_from(*self).unwrap_or_default()
    }
}

impl<T: Count + ?Sized> Count for &T {
    fn count(&self) -> u64 {
        (**self).count()
    }
}

/// A time in a text. Templates have references.
pub(super) trait At {
    /// The time.
    fn at(&self) -> Moment;
}

impl At for Moment {
    fn at(&self) -> Moment {
        *self
    }
}

impl<T: At + ?Sized> At for &T {
    fn at(&self) -> Moment {
        (**self).at()
    }
}
