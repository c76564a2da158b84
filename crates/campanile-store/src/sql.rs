//! Statements by name, and the few words in which the two databases differ.

use std::sync::OnceLock;

/// Which database a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Embedded SQLite.
    Sqlite,
    /// PostgreSQL 15 or newer.
    Postgres,
}

/// The words that differ: token, SQLite's word, PostgreSQL's word.
const TOKENS: &[(&str, &str, &str)] = &[
    ("{blob}", "BLOB", "BYTEA"),
    ("{greatest}", "MAX", "GREATEST"),
    ("{least}", "MIN", "LEAST"),
    // SQLite's only writer needs no lock of a row.
    ("{for_update}", "", "FOR UPDATE"),
    ("{skip_locked}", "", "FOR UPDATE SKIP LOCKED"),
    // A table whose primary key is its order on disk. PostgreSQL has no such thing and needs none.
    ("{clustered}", "WITHOUT ROWID", ""),
    ("{id}", "INTEGER", "BIGINT"),
    // Texts in the order of their bytes, whatever the language of the installation: lists are paged and searched so.
    ("{bytewise}", "", "COLLATE \"C\""),
    // What time it is for the database, in milliseconds since 1970.
    (
        "{clock}",
        "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    ),
    // The number of this transaction; the least number of one whose work this snapshot may not show; the least that is
    // above all whose work it may show. A row that this snapshot does not show yet has the second or a greater one,
    // even if it is committed late. SQLite has no numbers and needs none: its writers take turns, so it is NULL.
    (
        "{transaction}",
        "NULL",
        "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
    ),
    (
        "{first_unseen}",
        "NULL",
        "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)",
    ),
    (
        "{beyond_seen}",
        "NULL",
        "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)",
    ),
];

impl Dialect {
    /// The text in this dialect: tokens replaced and, for SQLite, `$1` written as `?1` (there `$1` would be a name).
    #[must_use]
    pub fn translate(self, text: &str) -> String {
        let mut out = text.to_owned();
        for (token, sqlite, postgres) in TOKENS {
            out = out.replace(token, if self == Self::Sqlite { sqlite } else { postgres });
        }
        if self == Self::Sqlite {
            let mut numbered = String::with_capacity(out.len());
            let mut rest = out.chars().peekable();
            while let Some(char) = rest.next() {
                let parameter = char == '$' && rest.peek().is_some_and(char::is_ascii_digit);
                numbered.push(if parameter { '?' } else { char });
            }
            out = numbered;
        }
        out
    }
}

/// One named statement. Made by [`sql!`](crate::sql!).
#[derive(Debug)]
pub struct Sql {
    /// Module path and name, for logs and test messages.
    pub name: &'static str,
    text: &'static str,
    sqlite: OnceLock<String>,
    postgres: OnceLock<String>,
}

impl Sql {
    /// A statement as a constant.
    #[must_use]
    pub const fn new(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            text,
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    /// The text for one database, translated once.
    pub fn text(&self, dialect: Dialect) -> &str {
        let cell = match dialect {
            Dialect::Sqlite => &self.sqlite,
            Dialect::Postgres => &self.postgres,
        };
        cell.get_or_init(|| dialect.translate(self.text))
    }
}

/// Names the statements of a module: `sql! { FIND = "SELECT ..."; }`.
///
/// Makes one static [`Sql`] each and a list `STATEMENTS`, which the crate gathers so that a test prepares every
/// statement on both databases. Parameters are `$1`, `$2`, …; an only-nullable one needs `CAST($1 AS BIGINT)`.
#[macro_export]
macro_rules! sql {
    ($($(#[$meta:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$meta])* static $name: $crate::Sql =
            $crate::Sql::new(concat!(module_path!(), "::", stringify!($name)), $text);)*
        /// Every statement of this module, for the test that prepares them all.
        pub(crate) static STATEMENTS: &[&$crate::Sql] = &[$(&$name),*];
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_gets_numbered_parameters_and_its_own_words() {
        let text = "SELECT {greatest}($1, a) FROM t WHERE b = $12 AND c = '$' {skip_locked}";
        assert_eq!(
            Dialect::Sqlite.translate(text),
            "SELECT MAX(?1, a) FROM t WHERE b = ?12 AND c = '$' "
        );
    }

    #[test]
    fn postgres_keeps_parameters() {
        assert_eq!(
            Dialect::Postgres.translate("SELECT {least}($1, a)"),
            "SELECT LEAST($1, a)"
        );
    }
}
