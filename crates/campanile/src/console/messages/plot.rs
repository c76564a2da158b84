//! "Seen and read over time", drawn here: two lines in a box that stretches, and the numbers as a table.

use std::fmt::Write as _;

use campanile_core::message::timeline::Timeline;
use campanile_core::time::Moment;

use crate::console::page::Reader;

/// The box in which the lines are drawn.
const WIDTH: u64 = 1_000;
const HEIGHT: u64 = 200;

/// What is drawn.
pub(super) struct Plot {
    /// Whether anybody has seen it: two flat lines would say less than a word.
    pub(super) seen_by_any: bool,
    /// The path of the line of those who had seen it, and of the area below it.
    pub(super) seen: String,
    pub(super) seen_area: String,
    /// The same of those who had read it.
    pub(super) read: String,
    /// The numbers beside the lines, from the top: whole, half, none.
    pub(super) scale: [u64; 3],
    /// When it begins and ends.
    pub(super) from: Moment,
    pub(super) to: Moment,
    /// How long that is.
    pub(super) span: String,
    /// The points at which something changed: when, seen, read.
    pub(super) points: Vec<(Moment, u64, u64)>,
}

/// Draws a timeline.
pub(super) fn plot(reader: &Reader, published: Moment, timeline: &Timeline) -> Plot {
    let most = timeline
        .seen
        .last()
        .copied()
        .unwrap_or(0)
        .max(timeline.read.last().copied().unwrap_or(0));
    let top = round_up(most);
    let seen = line(&timeline.seen, top);
    let end = |index: usize| published.plus_ms((index as i64 + 1) * timeline.length).min(reader.now);
    let to = end(timeline.seen.len() - 1).max(published);
    let numbers = timeline.seen.iter().zip(&timeline.read).enumerate();
    let mut points: Vec<(Moment, u64, u64)> = Vec::new();
    for (index, (seen, read)) in numbers {
        if points
            .last()
            .is_none_or(|(_, was_seen, was_read)| (was_seen, was_read) != (seen, read))
        {
            points.push((end(index), *seen, *read));
        }
    }
    Plot {
        seen_by_any: most > 0,
        seen_area: format!("{seen}V{HEIGHT}H0Z"),
        seen,
        read: line(&timeline.read, top),
        scale: [top, top / 2, 0],
        span: span(reader, timeline.length * timeline.seen.len() as i64),
        from: published,
        to,
        points,
    }
}

/// A line from nobody at the beginning through the numbers.
fn line(numbers: &[u64], top: u64) -> String {
    let mut out = format!("M0 {HEIGHT}");
    let count = numbers.len().max(1) as u64;
    for (index, number) in numbers.iter().enumerate() {
        let x = (index as u64 + 1) * WIDTH / count;
        let y = HEIGHT - number * HEIGHT / top;
        let _ = write!(out, "L{x} {y}");
    }
    out
}

/// The next even number that is round.
fn round_up(number: u64) -> u64 {
    let mut unit = 1;
    loop {
        let found = [2, 4, 6, 8, 10]
            .into_iter()
            .map(|steps| steps * unit)
            .find(|top| *top >= number);
        if let Some(top) = found {
            return top;
        }
        unit *= 10;
    }
}

/// A length of time in words.
fn span(reader: &Reader, ms: i64) -> String {
    let minutes = (ms / 60_000).max(1);
    match minutes {
        ..120 => reader.n("span-minutes", minutes),
        120..2_880 => reader.n("span-hours", minutes / 60),
        _ => reader.n("span-days", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_round_and_has_a_half() {
        let tops = [0, 1, 2, 3, 10, 11, 745, 1_000_000, 1_000_001].map(round_up);
        assert_eq!(tops, [2, 2, 2, 4, 10, 20, 800, 1_000_000, 2_000_000]);
    }

    #[test]
    fn a_line_begins_with_nobody_and_ends_at_the_right() {
        assert_eq!(line(&[1, 2], 2), "M0 200L500 100L1000 0");
        assert_eq!(line(&[0], 2), "M0 200L1000 200");
    }
}
