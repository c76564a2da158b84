//! One thread of the load: a role, its people, and what it did to them, one thing after the other. What was accepted is
//! in its ledger, so it knows what each of them has to find in the end; no two lanes share anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::load::{self, Load};

/// People of a lane.
pub(crate) const PEOPLE: usize = 8;

/// A message as its sender knows it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) id: i64,
    /// Who held the role when it was published, by place in the lane.
    pub(crate) to: BTreeSet<usize>,
    pub(crate) recalled: bool,
    /// `email` or `http` beside the inbox.
    pub(crate) leaves: Option<&'static str>,
}

/// A lane with its ledger.
pub(crate) struct Lane {
    load: Arc<Load>,
    pub(crate) number: usize,
    dice: u64,
    /// The tokens of its people.
    pub(crate) tokens: Vec<String>,
    members: BTreeSet<usize>,
    pub(crate) sent: Vec<Sent>,
    /// What each has read.
    pub(crate) read: Vec<BTreeSet<i64>>,
    pub(crate) done: u64,
}

impl Lane {
    /// Makes role and people; the addresses of the mails are theirs alone.
    pub(crate) fn new(load: Arc<Load>, number: usize) -> Self {
        let role = format!("LANE_{number}");
        load.admin(
            "PUT",
            &format!("/api/v1/roles/ENVIRONMENT/{role}"),
            &json!({"permissions": {}}),
        );
        let mut tokens = Vec::new();
        for at in 0..PEOPLE {
            let login = format!("p{number}-{at}");
            let user = json!({"id": login, "login": login, "name": login, "email": format!("{login}@example.com"),
                "password": "a fine password"});
            load.admin("POST", "/api/v1/users", &user);
            let basic = load::basic(&login, "a fine password");
            let made = load.until(
                "POST",
                "/api/v1/me/tokens",
                &basic,
                None,
                Some(&json!({"name": "load"})),
                &[201],
            );
            tokens.push(format!("Bearer {}", made["token"].as_str().expect("a token")));
        }
        let mut lane = Self {
            load,
            number,
            dice: 0x9e37_79b9_7f4a_7c15 ^ number as u64,
            tokens,
            members: BTreeSet::new(),
            sent: Vec::new(),
            read: vec![BTreeSet::new(); PEOPLE],
            done: 0,
        };
        (0..PEOPLE / 2).for_each(|at| lane.moves(at));
        lane
    }

    fn roll(&mut self, below: usize) -> usize {
        // SplitMix64: the same lane does the same every time.
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }

    /// Goes on until it is told to stop.
    pub(crate) fn run(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            match self.roll(40) {
                20.. => self.looks(),
                0..=8 => self.publishes(),
                9..=11 => {
                    let at = self.roll(PEOPLE);
                    self.moves(at);
                }
                12..=16 => self.reads(),
                17 => self.reads_all(),
                _ => self.recalls(),
            }
            self.done += 1;
        }
    }

    fn publishes(&mut self) {
        let (number, at) = (self.number, self.sent.len());
        let mut draft = json!({"title": format!("Lane {number}, {at}"), "text": "Text.",
            "audience": [{"kind": "environment_role", "role": format!("LANE_{number}")}]});
        let leaves = match self.roll(6) {
            0 => Some("http"),
            1 if !self.members.is_empty() => Some("email"),
            _ => None,
        };
        if leaves == Some("http") {
            draft["channels"] = json!(["portal", "http"]);
            draft["posts"] = json!([{"url": self.load.hook}]);
        } else if leaves == Some("email") {
            draft["channels"] = json!(["portal", "email"]);
        }
        let key = format!("lane-{number}-{at}");
        let load = &self.load;
        let made = load.until(
            "POST",
            "/api/v1/messages",
            &load.token,
            Some(&key),
            Some(&draft),
            &[200, 201],
        );
        self.sent.push(Sent {
            id: made["id"].as_i64().expect("an id"),
            to: self.members.clone(),
            recalled: false,
            leaves,
        });
    }

    /// Gives the role, or takes it away.
    fn moves(&mut self, at: usize) {
        let (number, load) = (self.number, Arc::clone(&self.load));
        let (user, role) = (format!("p{number}-{at}"), format!("LANE_{number}"));
        if self.members.remove(&at) {
            let path = format!("/api/v1/memberships?user={user}&environment=DEFAULT&role={role}");
            load.until("DELETE", &path, &load.token, None, None, &[204, 404, 422]);
        } else {
            let membership = json!({"user": user, "on": {"environment": "DEFAULT"}, "role": role});
            load.until(
                "POST",
                "/api/v1/memberships",
                &load.token,
                None,
                Some(&membership),
                &[200, 201, 409],
            );
            self.members.insert(at);
        }
    }

    /// What somebody has to find, and whether it is read.
    pub(crate) fn inbox(&self, at: usize) -> BTreeMap<i64, bool> {
        let theirs = self.sent.iter().filter(|sent| !sent.recalled && sent.to.contains(&at));
        theirs.map(|sent| (sent.id, self.read[at].contains(&sent.id))).collect()
    }

    /// Somebody looks at their bell, at whichever server: what was answered before is in its number.
    fn looks(&mut self) {
        let at = self.roll(PEOPLE);
        let told = self
            .load
            .until("GET", "/api/v1/inbox/counts", &self.tokens[at], None, None, &[200]);
        let unread = self.inbox(at).into_values().filter(|read| !read).count();
        if told["unread"].as_u64() != Some(unread as u64) {
            let number = self.number;
            self.load
                .blame(format!("p{number}-{at} has {unread} unread, and was told {told}"));
        }
    }

    fn reads(&mut self) {
        let at = self.roll(PEOPLE);
        let unread: Vec<i64> = self
            .inbox(at)
            .into_iter()
            .filter(|(_, read)| !read)
            .map(|(id, _)| id)
            .collect();
        if unread.is_empty() {
            return;
        }
        let id = unread[self.roll(unread.len())];
        let body = json!({"action": "read", "ids": [id]});
        self.load
            .until("POST", "/api/v1/inbox", &self.tokens[at], None, Some(&body), &[200]);
        self.read[at].insert(id);
    }

    fn reads_all(&mut self) {
        let at = self.roll(PEOPLE);
        let body = json!({"action": "read"});
        self.load
            .until("POST", "/api/v1/inbox", &self.tokens[at], None, Some(&body), &[200]);
        let all: Vec<i64> = self.inbox(at).into_keys().collect();
        self.read[at].extend(all);
    }

    fn recalls(&mut self) {
        let there: Vec<usize> = (0..self.sent.len()).filter(|at| !self.sent[*at].recalled).collect();
        if there.is_empty() {
            return;
        }
        let at = there[self.roll(there.len())];
        let path = format!("/api/v1/messages/{}/recall", self.sent[at].id);
        // The second time, where the first answer was lost, it is recalled already.
        self.load.until(
            "POST",
            &path,
            &self.load.token.clone(),
            None,
            Some(&json!({})),
            &[200, 409],
        );
        self.sent[at].recalled = true;
    }

    /// Compares what everybody finds with the ledger; what is wrong, in words.
    pub(crate) fn check(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let who = format!("p{}-{at}", self.number);
            let expected = self.inbox(at);
            let unread = expected.values().filter(|read| !**read).count();
            let counts = self
                .load
                .until("GET", "/api/v1/inbox/counts", token, None, None, &[200]);
            let told = |name: &str| counts[name].as_u64().or_else(|| counts["counts"][name].as_u64());
            if (told("total"), told("unread")) != (Some(expected.len() as u64), Some(unread as u64)) {
                wrong.push(format!("{who}: {counts}, not {unread} of {}", expected.len()));
            }
            let mut found = BTreeMap::new();
            let mut path = "/api/v1/inbox?limit=100".to_owned();
            loop {
                let page = self.load.until("GET", &path, token, None, None, &[200]);
                for item in page["items"].as_array().into_iter().flatten() {
                    found.insert(item["id"].as_i64().unwrap_or(0), item["read"] == true);
                }
                match page["next"].as_str() {
                    Some(next) => path = format!("/api/v1/inbox?limit=100&cursor={next}"),
                    None => break,
                }
            }
            if found != expected {
                let lost: Vec<_> = expected.keys().filter(|id| !found.contains_key(id)).collect();
                let more: Vec<_> = found.keys().filter(|id| !expected.contains_key(id)).collect();
                wrong.push(format!(
                    "{who}: lost {lost:?}, has {more:?} too much, or another state of reading"
                ));
            }
        }
        wrong
    }

    /// Waits until all that was to leave has an outcome; notes the in-doubt count of each message, and tells what is
    /// wrong.
    pub(crate) fn deliveries(&self, in_doubt: &mut BTreeMap<i64, u64>) -> Vec<String> {
        let mut wrong = Vec::new();
        let limit = Instant::now() + Duration::from_mins(4);
        for sent in self.sent.iter().filter(|sent| sent.leaves.is_some()) {
            let path = format!("/api/v1/messages/{}/progress", sent.id);
            loop {
                let told = self.load.until("GET", &path, &self.load.token, None, None, &[200]);
                let runs = told["items"].as_array().cloned().unwrap_or_default();
                let is_over = !runs.is_empty() && runs.iter().all(|run| !run["ended_at"].is_null());
                if is_over || Instant::now() > limit {
                    in_doubt.insert(sent.id, runs.iter().filter_map(|run| run["in_doubt"].as_u64()).sum());
                    if !is_over {
                        wrong.push(format!("message {}: {told}", sent.id));
                    }
                    break;
                }
                load::wait(Duration::from_millis(200));
            }
        }
        wrong
    }
}
