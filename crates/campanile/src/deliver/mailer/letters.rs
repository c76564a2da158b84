//! Letters that are written: once for each edition of a message and language, not once for each reader.

use std::collections::HashMap;
use std::sync::Arc;

use campanile_core::message;
use campanile_core::outbox::reader::ToMail;

use crate::deliver::mail::{self, Letter, Stationery, Written};

/// Letters kept at most; each is some kilobytes.
const KEPT: usize = 64;

/// The message, its edition, and the language.
type Key = (i64, i64, Option<String>);

/// The letters that are being sent.
pub(super) struct Letters {
    stationery: Arc<Stationery>,
    written: HashMap<Key, Arc<Written>>,
}

impl Letters {
    pub(super) fn new(stationery: Arc<Stationery>) -> Self {
        Self {
            stationery,
            written: HashMap::new(),
        }
    }

    /// The letter for readers of a language (RFC 5646; what stands behind the first part makes no other letter).
    pub(super) fn of(&mut self, to: &ToMail, language: Option<&str>) -> Arc<Written> {
        let language = language.map(|language| {
            let first = language.split(['-', '_']).next().unwrap_or_default();
            first.to_ascii_lowercase()
        });
        let message = &to.message;
        let key = (message.id.0, message.edition, language);
        if let Some(found) = self.written.get(&key) {
            return Arc::clone(found);
        }
        if self.written.len() >= KEPT {
            self.written.clear();
        }
        let shown = message.shown_title();
        let mut title = message::name(&shown, message.format, &message.text).into_owned();
        if message.reminds.is_some() {
            title = mail::reminder(key.2.as_deref(), &title);
        }
        let letter = Letter {
            message: message.id,
            opens: message.reminds.unwrap_or(message.id),
            title: &title,
            text: &message.text,
            format: message.format,
            sender: &message.sender_name,
            importance: message.importance,
            at: message.published_at.unwrap_or(message.created_at),
            list: &to.list,
            language: key.2.as_deref(),
        };
        let written = Arc::new(self.stationery.write(&letter));
        self.written.insert(key, Arc::clone(&written));
        written
    }
}
