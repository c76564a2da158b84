//! A directory file that arrives over HTTP: not more of it than the settings allow, and what broke said as a problem.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::{Broken, Manner, Progress, Report};
use crate::api::extract::body_error_problem;
use crate::app::App;
use crate::auth::Principal;
use crate::problem::{Kind, Problem};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// More came than may.
#[derive(Debug, thiserror::Error)]
#[error("more than {0} bytes")]
struct Overlong(u64);

/// A rehearsal remembers what each line would have made, so its file may have so many lines here. The command line's
/// own has no such limit.
const REHEARSED: u64 = 100_000;

/// More lines came to be rehearsed than may.
#[derive(Debug, thiserror::Error)]
#[error("more than {REHEARSED} lines")]
struct TooMany;

/// Takes in a file as it arrives, of at most `import_limit` bytes. `announced` is how many bytes will come, where the
/// client says so. A problem in the middle says up to which line the file was taken.
pub(crate) async fn run<S, E>(
    app: &App,
    by: &Principal,
    source: S,
    announced: Option<u64>,
    dry_run: bool,
) -> Result<Report, Problem>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<BoxError>,
{
    let limit = app.settings.limits.import_limit;
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(stopped(too_large(limit), 0, dry_run));
    }
    let mut taken = 0;
    let mut progress = |done: Progress| taken = done.lines;
    let source = limited(source, limit, dry_run);
    let done = super::run(app, Some(by), source, dry_run, Manner::Polite, &mut progress).await;
    done.map_err(|broken| stopped(problem(broken), taken, dry_run))
}

/// The file as it arrives; after more than `limit` bytes, or lines of a rehearsal, an error.
fn limited<S, E>(source: S, limit: u64, dry_run: bool) -> impl Stream<Item = Result<Bytes, BoxError>> + Send
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<BoxError>,
{
    let (mut room, mut lines) = (limit, if dry_run { REHEARSED } else { u64::MAX });
    source.map(move |piece| {
        let piece: Bytes = piece.map_err(Into::into)?;
        let ended = piece.split(|byte| *byte == b'\n').count() as u64 - 1;
        lines = lines.checked_sub(ended).ok_or(TooMany)?;
        room = room.checked_sub(piece.len() as u64).ok_or(Overlong(limit))?;
        Ok(piece)
    })
}

fn problem(broken: Broken) -> Problem {
    match broken {
        Broken::Source(error) => match error.downcast_ref::<Overlong>() {
            Some(Overlong(limit)) => too_large(*limit),
            None if error.is::<TooMany>() => Problem::new(
                Kind::TooLarge,
                format!("more than {REHEARSED} lines; rehearse part of the file, or by `campanile import --dry-run`"),
            ),
            None => body_error_problem(error.as_ref()),
        },
        Broken::Rule(error) => error.into(),
        Broken::Defect(cause) => Problem::internal(cause),
    }
}

fn too_large(limit: u64) -> Problem {
    let detail = format!("the file is larger than {limit} bytes, the setting `import_limit`");
    Problem::new(Kind::TooLarge, detail)
}

/// A problem in the middle of a file: it says what has been taken.
fn stopped(mut problem: Problem, lines: u64, dry_run: bool) -> Problem {
    // Where the server failed, some of what came after may have been written.
    let is_exact = problem.kind.status().is_client_error();
    let taken = match (lines, dry_run) {
        (_, true) => "nothing was to be taken".to_owned(),
        (0, false) if is_exact => "nothing was taken".to_owned(),
        (lines, false) if is_exact => format!("the good lines up to line {lines} were taken, and stay"),
        (lines, false) => format!("the good lines up to line {lines}, and perhaps some after it, were taken, and stay"),
    };
    problem.detail = format!("{}; {taken}", problem.detail);
    problem
}
