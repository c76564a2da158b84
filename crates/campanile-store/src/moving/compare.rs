//! Whether two databases hold the same: all rows of both, read side by side in the order of their keys.

use std::cmp::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};

use super::side::Side;
use super::table::{Row, Table};
use super::{AHEAD, Difference, NAMED, Progress, Report, Stage, Tell};
use crate::{Error, Result};

/// Reads every table from both sides; what differs stands in the report, in place of what stood there.
pub(super) fn compare(
    from: &mut Side,
    to: &mut Side,
    tables: &[Table],
    report: &mut Report,
    tell: Tell<'_>,
) -> Result<()> {
    (report.different, report.differences) = (0, Vec::new());
    let (mut done, total) = (0, super::total(report));
    for table in tables {
        std::thread::scope(|scope| {
            let (left, right) = (sync_channel(AHEAD), sync_channel(AHEAD));
            let (ours, theirs) = (left.0, right.0);
            let (from, to) = (&mut *from, &mut *to);
            let reading = [
                scope.spawn(move || from.read(table, None, |rows| ours.send(rows).is_ok())),
                scope.spawn(move || to.read(table, None, |rows| theirs.send(rows).is_ok())),
            ];
            let told = merge(table, left.1, right.1, report, |rows| {
                done += rows;
                let (stage, at) = (Stage::Comparing, table.name.clone());
                tell(&Progress { stage, done, total, at })
            });
            let read = reading.map(|one| one.join().unwrap_or(Err(Error::Panicked)));
            read.into_iter().collect::<Result<Vec<()>>>().and(told)
        })?;
    }
    Ok(())
}

/// Goes through both in step. `tick` hears how many rows of the source came with a batch.
fn merge(
    table: &Table,
    ours: Receiver<Vec<Row>>,
    theirs: Receiver<Vec<Row>>,
    report: &mut Report,
    mut tick: impl FnMut(u64) -> Result<()>,
) -> Result<()> {
    let mut failed = Ok(());
    let ticked = ours.into_iter().map_while(|rows| {
        failed = tick(rows.len() as u64);
        failed.is_ok().then_some(rows)
    });
    let (mut ours, mut theirs) = (ticked.flatten().peekable(), theirs.into_iter().flatten().peekable());
    loop {
        let order = match (ours.peek(), theirs.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(our), Some(their)) => table.key_of(our).cmp(&table.key_of(their)),
        };
        let our = if order.is_le() { ours.next() } else { None };
        let their = if order.is_ge() { theirs.next() } else { None };
        if our != their {
            note(table, our.as_ref(), their.as_ref(), report);
        }
    }
    drop(ours);
    failed
}

fn note(table: &Table, our: Option<&Row>, their: Option<&Row>, report: &mut Report) {
    report.different += 1;
    if report.differences.len() == NAMED {
        return;
    }
    let what = match (our, their) {
        (Some(our), Some(their)) => {
            let columns = table.columns.iter().zip(our.iter().zip(their));
            let differing = columns.filter(|(_, (our, their))| our != their);
            differing
                .map(|(column, _)| column.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        }
        (_, None) => "missing".to_owned(),
        (None, _) => "not in the source".to_owned(),
    };
    if let Some(row) = our.or(their) {
        let row = table.place_of(row);
        report.differences.push(Difference { row, what });
    }
}
