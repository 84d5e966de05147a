//! Owns all nodes, the network between them, and time: what is to happen happens in its order, and everything is looked at
//! after each step.
//!
//! It must not choose what applications do, nor which faults there are.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::audit::audit;
use super::super::pair::epoch;
use super::super::random::Random;
use super::agenda::{Agenda, At, End, Happening};
use super::clock::Clock;
use super::ledger::{Ended, Ledger};
use super::network::Network;
use super::node::{Condition, Node};
use super::tally::Tally;
use super::troubles::Troubles;
use crate::id::NodeId;
use crate::limits::Limits;
use crate::session::event::Event;

/// How the world is.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) lease: Duration,
    /// How long something is on its way, at least and at most.
    pub(super) delay: [Duration; 2],
    /// How long a task takes at most before it is at work.
    pub(super) work: Duration,
    /// In a hundred: blocks that arrive again (300: each of them three times), and in parts; timers that go off while the node cannot hear.
    pub(super) repeats: usize,
    pub(super) splits: usize,
    pub(super) deaf: usize,
    /// In a hundred: references to third nodes' objects that are handed on with a token, and that are later introduced
    /// with one, if they were not.
    pub(super) hand_on: usize,
    pub(super) introduce: usize,
    /// Whether applications pass on what they were given to others. Where windows are narrow they do not: nodes that forward
    /// for each other would fill them with calls that wait for each other, again and again, and each time a term passes.
    pub(super) passes_on: bool,
    /// In a hundred: calls that come in parts.
    pub(super) big: usize,
    /// In a hundred: calls that are answered as soon as they begin, and references in messages that are kept.
    pub(super) quick: usize,
    pub(super) keeps: usize,
    pub(super) limits: Limits,
}

impl Settings {
    /// A world in which nothing is left to chance.
    pub(super) fn plain() -> Settings {
        let millisecond = Duration::from_millis(1);
        Settings {
            lease: Duration::from_secs(30),
            delay: [millisecond, millisecond],
            work: Duration::ZERO,
            repeats: 0,
            splits: 0,
            deaf: 0,
            hand_on: 100,
            introduce: 100,
            passes_on: true,
            big: 0,
            quick: 100,
            keeps: 100,
            limits: Limits::default(),
        }
    }
}

/// The world.
pub(super) struct World {
    pub(super) now: Duration,
    pub(super) random: Random,
    pub(super) settings: Settings,
    pub(super) agenda: Agenda,
    pub(super) network: Network,
    pub(super) nodes: Vec<Node>,
    /// Which node lives at each place.
    pub(super) places: Vec<usize>,
    pub(super) ledger: Ledger,
    pub(super) troubles: Troubles,
    pub(super) tally: Tally,
    /// Numbers for what must be new: identities, nonces, secrets, tokens.
    fresh: u64,
    start: Instant,
    /// Whether to say what happens: for whoever plays a run again.
    pub(super) speaks: bool,
}

impl World {
    /// A world of so many nodes, whose clocks gain so many nanoseconds in a million.
    pub(super) fn new(random: Random, settings: Settings, gains: &[i64]) -> World {
        let mut world = World {
            now: Duration::ZERO,
            random,
            settings,
            agenda: Agenda::default(),
            network: Network::default(),
            nodes: Vec::new(),
            places: Vec::new(),
            ledger: Ledger::default(),
            troubles: Troubles::default(),
            tally: Tally::default(),
            fresh: 0,
            start: epoch(),
            speaks: false,
        };
        for (place, gain) in gains.iter().enumerate() {
            let life = world.begin_life(place, *gain);
            world.places.push(life);
        }
        world
    }

    fn begin_life(&mut self, place: usize, gain: i64) -> usize {
        let fresh = self.fresh();
        let mut id = [0; 16];
        // Not in the order in which they were made: the greater one decides about connections.
        id[0] = self.random.below(256) as u8;
        id[8..].copy_from_slice(&fresh.to_le_bytes());
        let (lease, limits) = (self.settings.lease, self.settings.limits.clone());
        let clock = Clock::new(self.start, gain);
        self.nodes.push(Node::new(NodeId::from_bytes(id), place, clock, lease, limits));
        self.nodes.len() - 1
    }

    /// A number that was never used.
    pub(super) fn fresh(&mut self) -> u64 {
        self.fresh += 1;
        self.fresh
    }

    pub(super) fn fresh_bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.fresh().to_le_bytes());
        bytes
    }

    /// What a node's clock shows.
    pub(super) fn local(&self, life: usize) -> Instant {
        self.nodes[life].clock.shows(self.now)
    }

    /// Something between nothing and this.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        most * self.random.below(1001) as u32 / 1000
    }

    /// Has the next thing happen, if anything is to.
    pub(super) fn step(&mut self) -> bool {
        let Some((moment, happening)) = self.agenda.next() else { return false };
        self.now = self.now.max(moment);
        if self.speaks {
            eprintln!("{:?} {happening:?}", self.now);
        }
        self.happen(happening);
        self.settle();
        true
    }

    /// Has everything happen that does so within this time.
    pub(super) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.agenda.next_moment().is_some_and(|moment| moment <= until) {
            self.step();
        }
        self.now = until;
    }

    fn happen(&mut self, happening: Happening) {
        let life = match happening {
            Happening::Arrive(end)
            | Happening::Notice(end)
            | Happening::GiveUp(end)
            | Happening::Nobody(end) => Some(self.network.end(end).life),
            other => other.life(),
        };
        if let Some(life) = life {
            match self.nodes[life].condition {
                Condition::Runs => {}
                Condition::Stopped => return self.nodes[life].missed.push(happening),
                Condition::Dead => return,
            }
        }
        match happening {
            Happening::Arrive(end) => self.arrive(end),
            Happening::Notice(end) => self.lose(end),
            Happening::GiveUp(end) => self.give_up(end),
            Happening::Nobody(end) => self.find_nobody(end),
            Happening::Write(at) => self.write(at),
            Happening::Wake(at) => self.wake(at),
            Happening::Begin(at) => self.begin(at),
            Happening::Redial(at) => self.redial(at),
            Happening::Gifts { life } => self.time_gifts_out(life),
            Happening::Stay { life, proxy } => {
                self.give_up_seeking(life, proxy);
                self.stay(life, proxy);
            }
            Happening::Heal { from, to } => self.heal(from, to),
            Happening::Continue { life } => self.go_on(life),
            Happening::Restart { place } => self.restart(place),
        }
    }

    /// Sees to everything that follows from what was done, and looks at all of it.
    pub(super) fn settle(&mut self) {
        self.give_up_for_all();
        while let Some((life, link)) = self.stirred() {
            let at = At { life, link };
            for event in in_order(&mut self.nodes[life].links[link].session) {
                if self.speaks {
                    eprintln!("{:?}   {at:?} {event:?}", self.now);
                }
                self.handle(at, event);
            }
            self.give_up_for_all();
            audit(&self.nodes[life].links[link].session);
            self.arrange(at);
        }
        self.check();
    }

    /// Nobody looks for shorter ways any more for proxies that are gone.
    fn give_up_for_all(&mut self) {
        for life in 0..self.nodes.len() {
            while let Some(proxy) = self.nodes[life].given_up.pop() {
                self.give_up_seeking(life, proxy);
            }
        }
    }

    fn stirred(&mut self) -> Option<(usize, usize)> {
        let mut nodes = self.nodes.iter_mut().enumerate();
        nodes.find_map(|(life, node)| Some((life, node.stirred.pop()?)))
    }

    /// Everything that was withheld in this direction comes now.
    pub(super) fn heal(&mut self, from: usize, to: usize) {
        self.network.heal(from, to);
        let mut late = VecDeque::new();
        for connection in 0..self.network.connections.len() {
            for end in [0, 1].map(|end| End { connection, end }) {
                let places = [end.other(), end];
                let places = places.map(|end| self.nodes[self.network.end(end).life].place);
                if places == [from, to] {
                    late.extend(self.network.end(end).pipe.iter().map(|_| end));
                }
            }
        }
        late.into_iter().for_each(|end| self.agenda.enter(self.now, Happening::Arrive(end)));
    }

    /// A stopped node goes on: what it missed happens now, in any order.
    pub(super) fn go_on(&mut self, life: usize) {
        if self.nodes[life].condition != Condition::Stopped {
            return;
        }
        self.nodes[life].condition = Condition::Runs;
        self.nodes[life].continued = self.now;
        for happening in std::mem::take(&mut self.nodes[life].missed) {
            let moment = self.now + self.up_to(self.settings.work);
            self.agenda.enter(moment, happening);
        }
    }

    /// Another process begins at a place.
    pub(super) fn restart(&mut self, place: usize) {
        if self.nodes[self.places[place]].condition == Condition::Dead {
            let gain = self.random.below(20_001) as i64 - 10_000;
            self.places[place] = self.begin_life(place, gain);
        }
    }

    /// The process at a place is killed; its machine closes its connections.
    pub(super) fn kill(&mut self, place: usize) {
        let life = self.places[place];
        self.nodes[life].condition = Condition::Dead;
        self.nodes[life].stirred.clear();
        self.nodes[life].given_up.clear();
        for call in std::mem::take(&mut self.nodes[life].open) {
            self.ledger.end(call, Ended::GivenUp);
        }
        for connection in 0..self.network.connections.len() {
            for end in [0, 1].map(|end| End { connection, end }) {
                if self.network.end(end).life == life {
                    self.hang_up(end);
                }
            }
        }
    }
}

/// What a session has to tell. Of what it tells in no certain order, as its tables have none, the order is made certain.
fn in_order(session: &mut crate::session::Session) -> Vec<Event> {
    let mut events: Vec<Event> = std::iter::from_fn(|| session.poll_event()).collect();
    let key = |event: &Event| match event {
        Event::Lost { token, .. } => (1, token.0 as u64),
        Event::Unexported { object } => (2, object.0),
        _ => (0, 0),
    };
    let mut rest = &mut events[..];
    while let Some(first) = rest.first().map(|event| key(event).0) {
        let run = rest.iter().take_while(|event| key(event).0 == first).count();
        let (now, later) = rest.split_at_mut(run);
        if first > 0 {
            now.sort_by_key(key);
        }
        rest = later;
    }
    events
}
