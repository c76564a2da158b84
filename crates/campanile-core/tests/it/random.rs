//! Worlds in which anything happens after anything: after every few steps each inbox equals the definition in SQL, its
//! counts equal its items, and the funnel of what is active equals the inboxes.

use std::collections::BTreeSet;

use campanile_core::id::{CustomerId, GroupId, MessageId, PersonId, SubscriptionId};
use campanile_core::inbox::View;
use campanile_core::inbox::act::{Action, All};
use campanile_core::inbox::live::Reader;
use campanile_core::message::Status as Standing;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::sent::Part;
use campanile_core::message::target::Target;
use campanile_core::time::Moment;

use crate::world::{
    At, OWNER, PUBLISHER, Shop, Status, World, active, api_role, customer, draft, each_world, group, role, subscribers,
    subtree, user,
};

const STEPS: u32 = 160;
const SEEDS: std::ops::Range<u64> = 1..4;

/// Numbers that look like chance and are the same every time (xorshift).
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }
}

/// What the test has to remember of a world to change it.
pub(crate) struct Play<'w> {
    world: &'w World<'w>,
    pub(crate) dice: Dice,
    pub(crate) people: [PersonId; 3],
    held: BTreeSet<(usize, usize)>,
    customers: [CustomerId; 3],
    pub(crate) shop: Shop,
    team: GroupId,
    pub(crate) messages: Vec<MessageId>,
    inactive: BTreeSet<usize>,
}

impl<'w> Play<'w> {
    pub(crate) fn new(world: &'w World<'w>, seed: u64) -> Self {
        let shop = world.shop();
        let top = world.customer(None);
        let team = world.group("team");
        world.attaches(team, shop.application);
        Self {
            world,
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            people: [shop.ann, world.person("bob"), world.person("cid")],
            held: BTreeSet::new(),
            customers: [top, world.customer(Some(top)), world.customer(Some(top))],
            shop,
            team,
            messages: Vec::new(),
            inactive: BTreeSet::new(),
        }
    }

    pub(crate) fn step(&mut self) {
        match self.dice.roll(12) {
            0 | 1 => self.while_listening(Self::publish),
            2 => self.while_listening(Self::change_message),
            3 | 4 => self.role(),
            5 => self.directory(),
            6 => self.subscription(),
            7 | 8 => self.act(),
            9 | 10 => self.mark(),
            _ => self.while_listening(|play| {
                play.world.pass(play.dice.roll(40) as i64);
                play.world.open_due();
            }),
        }
    }

    /// Does what touches messages or the clock alone: what is counted in memory of those who listen is what is read.
    fn while_listening(&mut self, step: impl FnOnce(&mut Self)) {
        let listen = |person: &PersonId| (*person, self.world.listens(*person));
        let readers: Vec<(PersonId, Reader)> = self.people.iter().map(listen).collect();
        step(self);
        for (person, reader) in readers {
            let tally = self.world.tallied(&reader).expect("they did little");
            let counted = self.world.counted(person);
            let banners = counted.banners.as_ref().map_or(0, |banners| banners.total);
            let expected = (counted.counts, banners, counted.stands_until);
            assert_eq!((tally.counts, tally.banners, tally.stands_until), expected, "{person}");
        }
    }

    /// None, or some seconds from now.
    pub(crate) fn time(&mut self) -> Option<Moment> {
        let seconds = self.dice.roll(60) as i64 + 5;
        (self.dice.roll(3) == 0).then(|| self.world.in_s(seconds))
    }

    fn audience(&mut self) -> Vec<Target> {
        let parts = [
            role("API_PUBLISHER"),
            api_role("payments", "OWNER"),
            subscribers("payments"),
            customer(self.customers[1]),
            subtree(self.customers[0]),
            Target::Everyone,
            group("team"),
            user("sender"),
        ];
        (0..=self.dice.roll(2))
            .map(|_| parts[self.dice.roll(parts.len())].clone())
            .collect()
    }

    fn publish(&mut self) {
        let audience = self.audience();
        let (opens_at, length) = (self.time(), self.dice.roll(80) as i64);
        let from = opens_at.unwrap_or_else(|| self.world.now());
        let closes_at = (self.dice.roll(2) == 0).then(|| from.plus_ms((length + 5) * 1_000));
        let title = format!("{}", self.messages.len());
        let plain = if self.dice.roll(2) == 0 {
            draft(&title, audience)
        } else {
            active(&title, audience)
        };
        self.messages.push(self.world.publish(Draft {
            opens_at,
            closes_at,
            enabled: self.dice.roll(8) > 0,
            ..plain
        }));
    }

    fn change_message(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let id = self.dice.one(&self.messages);
        let nothing = Correction::default();
        let correction = match self.dice.roll(6) {
            0 => Correction {
                enabled: Some(self.dice.roll(3) > 0),
                ..nothing
            },
            1 => Correction { ring: true, ..nothing },
            2 => Correction {
                closes_at: Some(self.time()),
                ..nothing
            },
            3 => Correction {
                opens_at: Some(self.time()),
                closes_at: Some(None),
                ..nothing
            },
            4 => Correction {
                audience: Some(self.audience()),
                ..nothing
            },
            _ => {
                // Recalled before is refused, as is much of the above where it may not be.
                if self.dice.roll(3) == 0 {
                    let _ = self.world.recall(id);
                }
                return;
            }
        };
        let _ = self.world.tries_to_correct(id, correction);
    }

    fn role(&mut self) {
        let (person, which) = (self.dice.roll(3), self.dice.roll(3));
        let (at, role) = [
            (At::Environment, PUBLISHER),
            (At::Application(self.shop.application), OWNER),
            (At::Group(self.team), OWNER),
        ][which];
        // Ann holds the second from the start.
        let held = self.held.remove(&(person, which)) != ((person, which) == (0, 1));
        if held {
            self.world.leaves(self.people[person], at, role);
        } else {
            self.world.holds(self.people[person], at, role);
        }
        if held == ((person, which) == (0, 1)) {
            self.held.insert((person, which));
        }
    }

    fn directory(&mut self) {
        let which = self.dice.roll(3);
        let person = self.people[which];
        match self.dice.roll(4) {
            0 => {
                if self.inactive.remove(&which) {
                    self.world.revives(person);
                } else {
                    self.inactive.insert(which);
                    self.world.deactivates(person);
                }
            }
            1 => {
                let parent = [None, Some(self.customers[0])][self.dice.roll(2)];
                self.world.puts_under(self.customers[2], parent);
            }
            _ => {
                let home = [
                    None,
                    Some(self.customers[0]),
                    Some(self.customers[1]),
                    Some(self.customers[2]),
                ];
                self.world.moves(person, home[self.dice.roll(4)]);
            }
        }
    }

    fn subscription(&mut self) {
        let id: SubscriptionId = self.shop.subscription;
        let status = self
            .dice
            .one(&[Status::Accepted, Status::Accepted, Status::Accepted, Status::Closed]);
        let (by, starts, ends) = (self.dice.one(&self.people), self.time(), self.time());
        self.world.sets(id, by, status, starts, ends);
    }

    fn act(&mut self) {
        let person = self.dice.one(&self.people);
        let action = self.dice.one(&[
            Action::Read,
            Action::Read,
            Action::Unread,
            Action::Archive,
            Action::Unarchive,
        ]);
        if let Some(item) = self.world.view(person, View::Inbox).first() {
            // A second later it may be gone by the clock.
            let _ = self.world.tries(person, action, &[item.id]);
        }
    }

    fn mark(&mut self) {
        let (person, all) = (self.dice.one(&self.people), self.dice.one(&[All::Seen, All::Read]));
        self.world.marks(person, all);
    }

    fn check(&self) {
        let mut shown = Vec::new();
        for person in self.people.into_iter().chain([self.world.sender]) {
            let mut items = self.world.inbox(person);
            items.extend(self.world.view(person, View::Archived));
            shown.push((person, items));
        }
        for id in &self.messages {
            if self.world.status(*id) != Standing::Active {
                continue;
            }
            let having = |takes: &dyn Fn(&campanile_core::inbox::Shown) -> bool| -> BTreeSet<u32> {
                let with = shown
                    .iter()
                    .filter(|(_, items)| items.iter().any(|item| item.id == *id && takes(item)));
                with.map(|(person, _)| person.0 as u32).collect()
            };
            let crowds = self.world.crowds(*id);
            let read: BTreeSet<u32> = crowds.read.iter().collect();
            // Whoever was deactivated keeps what was sent, and is in the audience still.
            assert_eq!(read, having(&|item| item.read), "who read message {id}");
            assert_eq!(
                crowds.people.iter().collect::<BTreeSet<u32>>(),
                having(&|_| true),
                "message {id}"
            );
            assert!(crowds.read.is_subset(&crowds.seen));
            for part in [Part::Seen, Part::Unseen, Part::Read, Part::Unread] {
                for one in self.world.recipients(*id, part) {
                    let (seen, read) = (one.seen_at.is_some(), one.read_at.is_some());
                    let right = match part {
                        // Of what was put away and taken back no time is left.
                        Part::Seen => true,
                        Part::Unseen => !seen && !read,
                        Part::Read => seen && read,
                        _ => !read,
                    };
                    assert!(right, "message {id}: {part:?} {one:?}");
                }
            }
        }
    }
}

#[test]
fn whatever_happens_inboxes_counts_and_funnels_agree() {
    for seed in SEEDS {
        each_world(|world| {
            let mut play = Play::new(world, seed);
            for step in 0..STEPS {
                play.step();
                if step % 8 == 7 {
                    play.check();
                }
            }
            let now = world.now();
            for (which, person) in play.people.into_iter().enumerate() {
                // Whoever is deactivated cannot look.
                if !play.inactive.contains(&which) {
                    assert_eq!(world.titles_at(person, now), world.titles_by_id(person));
                }
            }
        });
    }
}
