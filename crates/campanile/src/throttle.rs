//! Slows down who guesses passwords. Only failed log-ins count, per login and per client address.
//!
//! In memory and of this process alone: after a restart, and on each of several servers, the count begins anew. What
//! has to hold for ever is the cost of a hash, not this.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use campanile_core::account::login_key;
use campanile_core::secret;
use campanile_core::time::Moment;
use campanile_core::{Error, Result};

/// Failures with one login that cost nothing.
const LOGIN_FREE: u32 = 5;
/// Failures from one address that cost nothing: behind it there may be an office full of people.
const ADDRESS_FREE: u32 = 20;
/// The longest wait.
const LONGEST_MS: i64 = 300_000;
/// Failures are forgotten so long after the last one.
const MEMORY_MS: i64 = 3_600_000;
/// Logins and addresses that are remembered, each.
const ROOM: usize = 10_000;

/// The failed log-ins of the last hour.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// By hash: logins that do not exist may be passwords typed into the wrong field.
    logins: Table<[u8; 32]>,
    addresses: Table<IpAddr>,
}

impl Throttle {
    /// Whether an attempt may be looked at now: `Throttled` with the seconds to wait where it may not. After the fifth
    /// failure with one login, or the twentieth from one address, each costs twice the wait of the one before: 1 s,
    /// 2 s, … up to five minutes.
    pub fn check(&self, login: &str, address: IpAddr, now: Moment) -> Result<()> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let by_login = counts.logins.wait_ms(&key(login), LOGIN_FREE, now);
        let by_address = counts.addresses.wait_ms(&block(address), ADDRESS_FREE, now);
        match by_login.max(by_address) {
            0 => Ok(()),
            ms => Err(Error::Throttled {
                retry_after_s: (ms + 999) / 1_000,
            }),
        }
    }

    /// Counts a failure.
    pub fn failed(&self, login: &str, address: IpAddr, now: Moment) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.logins.add(key(login), now);
        counts.addresses.add(block(address), now);
    }

    /// A success forgets the failures of its login. Those of the address stay: otherwise, one account of one's own
    /// would buy guesses at all the others.
    pub fn succeeded(&self, login: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.logins.entries.remove(&key(login));
    }
}

fn key(login: &str) -> [u8; 32] {
    secret::sha256(login_key(login).as_bytes())
}

/// The address, or for IPv6 the /64 that one customer of a provider has to choose from.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Debug)]
struct Table<K> {
    entries: HashMap<K, Failures>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Moment,
}

impl Failures {
    fn is_over(&self, now: Moment) -> bool {
        now.0 >= self.last.0.saturating_add(MEMORY_MS)
    }
}

impl<K: Copy + Eq + Hash> Table<K> {
    fn wait_ms(&self, key: &K, free: u32, now: Moment) -> i64 {
        let Some(failures) = self.entries.get(key).filter(|failures| !failures.is_over(now)) else {
            return 0;
        };
        if failures.count < free {
            return 0;
        }
        // 2^9 s is beyond the longest wait already.
        let wait = (1_000_i64 << (failures.count - free).min(9)).min(LONGEST_MS);
        // A clock that was set back makes nobody wait longer than that.
        (failures.last.0 + wait - now.0).clamp(0, wait)
    }

    fn add(&mut self, key: K, now: Moment) {
        if !self.entries.contains_key(&key) {
            self.make_room(now);
        }
        let failures = self.entries.entry(key).or_insert(Failures { count: 0, last: now });
        if failures.is_over(now) {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }

    /// Room for one more: what is over goes, else whose last failure is the longest ago.
    fn make_room(&mut self, now: Moment) {
        if self.entries.len() < ROOM {
            return;
        }
        self.entries.retain(|_, failures| !failures.is_over(now));
        if self.entries.len() >= ROOM {
            let oldest = self.entries.iter().min_by_key(|(_, failures)| failures.last);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                self.entries.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn there(last: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, last])
    }

    /// Seconds to wait, 0 for none.
    fn wait(throttle: &Throttle, login: &str, address: IpAddr, ms: i64) -> i64 {
        match throttle.check(login, address, Moment(ms)) {
            Ok(()) => 0,
            Err(Error::Throttled { retry_after_s }) => retry_after_s,
            Err(other) => panic!("{other}"),
        }
    }

    fn fail(throttle: &Throttle, login: &str, times: u8) {
        for at in 0..times {
            throttle.failed(login, there(at), Moment(0));
        }
    }

    #[test]
    fn the_wait_doubles_after_five_failures_up_to_five_minutes() {
        let throttle = Throttle::default();
        let mut waits = Vec::new();
        for at in 0..16 {
            throttle.failed("ann", there(at), Moment(0));
            waits.push(wait(&throttle, "ANN", HERE, 0));
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn the_wait_passes_and_is_told_in_whole_seconds() {
        let throttle = Throttle::default();
        fail(&throttle, "ann", 6);
        assert_eq!(wait(&throttle, "ann", HERE, 0), 2);
        assert_eq!(wait(&throttle, "ann", HERE, 1_001), 1);
        assert_eq!(wait(&throttle, "ann", HERE, 2_000), 0);
        assert_eq!(wait(&throttle, "ann", HERE, -1_000_000), 2, "the clock was set back");
    }

    #[test]
    fn others_do_not_wait() {
        let throttle = Throttle::default();
        fail(&throttle, "ann", 10);
        assert_eq!(wait(&throttle, "ben", HERE, 0), 0);
    }

    #[test]
    fn a_success_forgets_its_login_and_not_its_address() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            throttle.failed("ann", HERE, Moment(0));
        }
        throttle.succeeded("Ann");
        assert_eq!(wait(&throttle, "ann", there(1), 0), 0);
        assert_eq!(wait(&throttle, "ann", HERE, 0), 1);
    }

    #[test]
    fn an_address_waits_after_twenty_failures_with_any_login() {
        let throttle = Throttle::default();
        for at in 0..20 {
            assert_eq!(wait(&throttle, "me", HERE, 0), 0);
            throttle.failed(&format!("login {at}"), HERE, Moment(0));
        }
        assert_eq!(wait(&throttle, "me", HERE, 0), 1);
        assert_eq!(wait(&throttle, "me", there(1), 0), 0);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let throttle = Throttle::default();
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        for host in 0..20 {
            throttle.failed("x", at(&format!("2001:db8:1:2::{host:x}")), Moment(0));
        }
        assert_eq!(wait(&throttle, "me", at("2001:db8:1:2:ffff::1"), 0), 1);
        assert_eq!(wait(&throttle, "me", at("2001:db8:1:3::1"), 0), 0);
        assert_eq!(block(at("::ffff:192.0.2.1")), HERE);
    }

    #[test]
    fn failures_are_forgotten_after_an_hour() {
        let throttle = Throttle::default();
        fail(&throttle, "ann", 15);
        throttle.failed("ann", HERE, Moment(MEMORY_MS));
        assert_eq!(wait(&throttle, "ann", HERE, MEMORY_MS), 0);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let mut table = Table::<usize>::default();
        for key in 0..=ROOM {
            table.add(key, Moment(key as i64));
        }
        assert_eq!(table.entries.len(), ROOM);
        assert!(!table.entries.contains_key(&0) && table.entries.contains_key(&1));
        table.add(0, Moment(MEMORY_MS * 2));
        assert_eq!(table.entries.len(), 1, "what is over goes at once");
    }
}
