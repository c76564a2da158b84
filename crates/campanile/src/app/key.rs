//! The key of the installation: the setting, or a file beside the embedded database that the first start makes.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use campanile_core::secret::InstallationKey;

use crate::chance::Chance;
use crate::config::Settings;

/// The key by the settings (decision 37).
///
/// # Errors
/// With PostgreSQL when the setting is missing; else when the file can be neither read nor made.
pub(super) fn of_installation(settings: &Settings, chance: &Chance) -> anyhow::Result<InstallationKey> {
    if let Some(key) = settings.server_key()? {
        return Ok(InstallationKey::from_text(key.expose())?);
    }
    let database = settings.database.expose();
    let database = Path::new(database.strip_prefix("sqlite://").unwrap_or(database));
    beside(database, &path(database), chance)
}

/// Where the key of an embedded database is.
pub(crate) fn path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".key");
    PathBuf::from(path)
}

/// The key that there is, where it was found; makes none. `None`: the first start makes it.
///
/// # Errors
/// As [`of_installation`].
pub(super) fn existing(settings: &Settings) -> anyhow::Result<Option<(InstallationKey, String)>> {
    if let Some(key) = settings.server_key()? {
        return Ok(Some((
            InstallationKey::from_text(key.expose())?,
            "the setting secret_key".into(),
        )));
    }
    let database = settings.database.expose();
    let path = path(Path::new(database.strip_prefix("sqlite://").unwrap_or(database)));
    let failed = || format!("the key of this installation, {}", path.display());
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let key = InstallationKey::from_text(&text).with_context(failed)?;
            Ok(Some((key, path.display().to_string())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(failed),
    }
}

fn beside(database: &Path, path: &Path, chance: &Chance) -> anyhow::Result<InstallationKey> {
    let failed = || format!("the key of this installation, {}", path.display());
    match std::fs::read_to_string(path) {
        Ok(text) => return InstallationKey::from_text(&text).with_context(failed),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(failed),
    }
    if database.exists() {
        tracing::warn!(
            path = %path.display(),
            "the key of this database is missing; a new one is made, and tickets, links and stored secrets of the old \
             one are void"
        );
    }
    let text = InstallationKey::new_text(&chance.bytes());
    if write(path, &text)? {
        return Ok(InstallationKey::from_text(&text)?);
    }
    let text = std::fs::read_to_string(path).with_context(failed)?;
    InstallationKey::from_text(&text).with_context(failed)
}

/// The text of the key beside an embedded database or a backup of one, where there is one.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn text_beside(database: &Path) -> anyhow::Result<Option<String>> {
    let path = path(database);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Writes the key beside a database, where it is not there already.
///
/// # Errors
/// When it cannot be written, or another key is there.
pub(crate) fn put_beside(database: &Path, text: &str) -> anyhow::Result<()> {
    let path = path(database);
    if write(&path, text)? || text_beside(database)?.is_some_and(|there| there == text.trim()) {
        return Ok(());
    }
    anyhow::bail!("{} is another key: move it away first", path.display())
}

/// Writes a key unless there is one; whether it did. Written whole and then given its name: another process that starts
/// at the same time reads all of it, or makes its own and loses. A temporary file is readable by its owner alone.
fn write(path: &Path, text: &str) -> anyhow::Result<bool> {
    let failed = || format!("the key of this installation, {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    writeln!(file, "{}", text.trim()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => {
            // Its name too has to be there after a power cut, before there is a database that needs it.
            campanile_store::backup::sync_folder(folder).with_context(failed)?;
            Ok(true)
        }
        Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(refused) => Err(refused.error).with_context(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn settings(database: &str, env: &[(&str, &str)]) -> Settings {
        let flags = Flags {
            database: Some(database.into()),
            ..Flags::default()
        };
        let env = |name: &str| {
            env.iter()
                .find(|(at, _)| *at == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Settings::from_sources(None, &env, flags).unwrap()
    }

    fn key(settings: &Settings, seed: u64) -> anyhow::Result<[u8; 32]> {
        of_installation(settings, &Chance::seeded(seed)).map(|key| key.derive("test", &[]))
    }

    #[test]
    fn the_first_start_makes_a_key_that_stays() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let first = key(&settings(&url, &[]), 1).unwrap();
        assert_eq!(key(&settings(&url, &[]), 2).unwrap(), first);
        let path = folder.path().join("a.db.key");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        // The file's text as the setting is the same key: that is how a database moves to PostgreSQL.
        let text = std::fs::read_to_string(path).unwrap();
        let moved = settings("postgres://localhost/x", &[("CAMPANILE_SECRET_KEY", text.trim())]);
        assert_eq!(key(&moved, 3).unwrap(), first);
    }

    #[test]
    fn servers_that_start_at_once_have_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let settings = settings(&url, &[]);
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|seed| {
                    scope.spawn({
                        let settings = &settings;
                        move || key(settings, seed).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_key_that_was_cut_short_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        std::fs::write(folder.path().join("a.db.key"), "short").unwrap();
        let error = format!("{:#}", key(&settings(&url, &[]), 1).unwrap_err());
        assert!(
            error.contains("a.db.key") && error.contains("at least 32 bytes"),
            "{error}"
        );
    }

    #[test]
    fn postgres_needs_the_setting() {
        let error = key(&settings("postgres://localhost/x", &[]), 1)
            .unwrap_err()
            .to_string();
        assert!(error.contains("CAMPANILE_SECRET_KEY"), "{error}");
    }
}
