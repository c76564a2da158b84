//! Processor time as the kernel counts it: of the servers, of the load, and of all else on the machine, which is the
//! database where nothing else runs. Nothing is told where the kernel is not Linux.

use std::time::Duration;

/// The kernel counts in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) servers: Duration,
    pub(crate) load: Duration,
    pub(crate) rest: Duration,
}

impl Cost {
    /// What was spent until now, by the servers of these process ids.
    pub(crate) fn now(servers: &[u32]) -> Option<Self> {
        let servers = servers
            .iter()
            .map(|id| process(&id.to_string()))
            .sum::<Option<Duration>>()?;
        let load = process("self")?;
        Some(Self {
            servers,
            load,
            rest: machine()?.saturating_sub(servers + load),
        })
    }

    /// What was spent since.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            servers: self.servers.saturating_sub(earlier.servers),
            load: self.load.saturating_sub(earlier.load),
            rest: self.rest.saturating_sub(earlier.rest),
        }
    }
}

fn process(id: &str) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before may hold anything but a closing parenthesis at its end: utime and stime are fields 14 and 15.
    let fields = stat.rsplit(") ").next()?.split(' ');
    ticks(fields.skip(11).take(2))
}

/// Everything but waiting: fields 1 to 3 and 6 to 8 of the first line.
fn machine() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<&str> = stat.lines().next()?.split_whitespace().skip(1).collect();
    ticks(fields.get(..3)?.iter().chain(fields.get(5..8)?).copied())
}

fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> Option<Duration> {
    let ticks = fields.map(|at| at.parse::<u32>().ok()).sum::<Option<u32>>()?;
    Some(TICK * ticks)
}
