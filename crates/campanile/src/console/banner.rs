//! What stands at the top of every page: one banner as a template shows it, and the word on its dismissal.

use campanile_core::inbox::{Acknowledgement, Banner, Listed};

use super::form::Fields;
use super::notice::Undo;
use super::visit::Viewer;
use super::voice::importance_name;

/// Characters of a text that stand in a banner; a longer one is told by its beginning, and opened.
const WHOLE_CHARS: usize = 600;

/// One banner.
pub(super) struct BannerRow<'r> {
    /// The message.
    pub(super) item: &'r Listed,
    /// `low`, `high` or `critical`.
    pub(super) importance: &'static str,
    /// The text as safe HTML, where it is short enough to stand here whole.
    pub(super) html: Option<&'r str>,
    /// `API name · sender · until when`, as far as there is something to say.
    pub(super) from: String,
    /// Whether the person may take it away.
    pub(super) dismissible: bool,
    /// Whether the person has to say that they have read it.
    pub(super) to_acknowledge: bool,
}

impl<'r> BannerRow<'r> {
    pub(super) fn new(viewer: &Viewer, item: &'r Listed) -> Self {
        let (shown, state) = (item.shared(), item.state());
        let until = shown.closes_at.map(|at| viewer.s("closes-at", viewer.when(at)));
        let from = [Some(shown.sender_name.clone()), until];
        Self {
            item,
            importance: importance_name(item.importance()),
            html: (shown.text.chars().nth(WHOLE_CHARS).is_none()).then_some(shown.html.as_str()),
            from: from.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            dismissible: state.banner == Some(Banner::Dismissible),
            to_acknowledge: state.acknowledgement == Some(Acknowledgement::Needed),
        }
    }
}

/// What lets a dismissed banner stand again, on the page where it was dismissed.
pub(super) fn undo(viewer: &Viewer, asked: &Fields) -> Undo {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Undo {
        to: "/inbox".to_owned(),
        fields: vec![
            field("action", "show"),
            field("id", asked.get("ids")),
            field("back", &viewer.at),
        ],
        label: viewer.words.t("undo"),
    }
}
