//! What this process costs, as the kernel counts it: the server, its client and its sinks are threads of one process,
//! so the threads of the client and of the sinks say what is theirs.

use std::path::PathBuf;
use std::time::Duration;

/// The kernel counts a process in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// Time that all threads of the process have had so far, those that have ended included.
pub(crate) fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("the kernel tells");
    // The name before may hold anything but a closing parenthesis at its end.
    let fields = stat.rsplit(") ").next().expect("there are fields").split(' ');
    let ticks: u32 = fields
        .skip(11)
        .take(2)
        .map(|at| at.parse::<u32>().expect("ticks"))
        .sum();
    TICK * ticks
}

/// A thread of this process, by which anybody can ask what it has cost.
#[derive(Debug, Clone)]
pub(crate) struct Thread(PathBuf);

impl Thread {
    /// This one.
    pub(crate) fn this() -> Self {
        let link = std::fs::read_link("/proc/thread-self").expect("the kernel tells");
        Self(PathBuf::from("/proc").join(link).join("schedstat"))
    }

    /// Time that it has had so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(&self.0).expect("the kernel tells");
        let first = stat.split(' ').next().and_then(|at| at.parse().ok());
        Duration::from_nanos(first.expect("nanoseconds"))
    }
}

/// Resident memory of the process, in bytes.
pub(crate) fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.expect("a number of kB") * 1_024
}
