//! The world of the simulation: all nodes, the network, and time. Events are executed in order, and everything is checked
//! after each.
//!
//! It must not choose what applications do, nor the faults.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::audit::audit;
use super::super::pair::epoch;
use super::super::random::Random;
use super::agenda::{Agenda, At, End, SimEvent};
use super::clock::Clock;
use super::ledger::{Ended, Ledger};
use super::link::Waiter;
use super::network::Network;
use super::node::{Condition, Node};
use super::outages::Outages;
use super::tally::Tally;
use crate::id::NodeId;
use crate::limits::Limits;
use crate::session::event::Event;

/// The parameters of a world.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) lease: Duration,
    /// The minimum and maximum latency.
    pub(super) delay: [Duration; 2],
    /// The maximum delay until a task runs.
    pub(super) work: Duration,
    /// In percent: blocks that arrive again (300: three times each), that are split, and timers that fire while the node
    /// cannot read.
    pub(super) repeats: usize,
    pub(super) splits: usize,
    pub(super) unreadable: usize,
    /// In percent: references to objects of third nodes that are passed on with a token, and those without one that get one
    /// later.
    pub(super) hand_on: usize,
    pub(super) introduce: usize,
    /// True if applications pass on the references that they receive. With narrow windows they do not: nodes that forward
    /// for each other would fill the windows with calls that wait for each other, and each such deadlock takes a term.
    pub(super) passes_on: bool,
    /// In percent: calls that are sent in chunks.
    pub(super) big: usize,
    /// In percent: calls that are answered at once, and references in messages that are kept.
    pub(super) quick: usize,
    pub(super) keeps: usize,
    pub(super) limits: Limits,
}

impl Settings {
    /// Returns parameters without randomness.
    pub(super) fn plain() -> Settings {
        let millisecond = Duration::from_millis(1);
        Settings {
            lease: Duration::from_secs(30),
            delay: [millisecond, millisecond],
            work: Duration::ZERO,
            repeats: 0,
            splits: 0,
            unreadable: 0,
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
    /// The current node of each place.
    pub(super) places: Vec<usize>,
    pub(super) ledger: Ledger,
    pub(super) outages: Outages,
    pub(super) tally: Tally,
    /// The counter for unique numbers: identities, nonces, secrets, tokens.
    fresh: u64,
    start: Instant,
    /// True if every event is printed, to repeat a run.
    pub(super) is_verbose: bool,
}

impl World {
    /// Makes a world with one node for each gain of a clock, in nanoseconds in a million.
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
            outages: Outages::default(),
            tally: Tally::default(),
            fresh: 0,
            start: epoch(),
            is_verbose: false,
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
        // Not in the order of creation: the greater identity decides about connections.
        id[0] = self.random.below(256) as u8;
        id[8..].copy_from_slice(&fresh.to_le_bytes());
        let (lease, limits) = (self.settings.lease, self.settings.limits.clone());
        let clock = Clock::new(self.start, gain);
        self.nodes.push(Node::new(NodeId::from_bytes(id), place, clock, lease, limits));
        self.nodes.len() - 1
    }

    /// Returns a number that was not used before.
    pub(super) fn fresh(&mut self) -> u64 {
        self.fresh += 1;
        self.fresh
    }

    pub(super) fn fresh_bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.fresh().to_le_bytes());
        bytes
    }

    /// Returns the time that a node's clock shows.
    pub(super) fn local(&self, life: usize) -> Instant {
        self.nodes[life].clock.shows(self.now)
    }

    /// Returns a random duration up to this one.
    pub(super) fn up_to(&mut self, max: Duration) -> Duration {
        max * self.random.below(1001) as u32 / 1000
    }

    /// Executes the next event, if there is one.
    pub(super) fn step(&mut self) -> bool {
        let Some((moment, event)) = self.agenda.next() else { return false };
        self.now = self.now.max(moment);
        if self.is_verbose {
            eprintln!("{:?} {event:?}", self.now);
        }
        self.execute(event);
        self.settle();
        true
    }

    /// Executes all events within this time.
    pub(super) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.agenda.next_moment().is_some_and(|moment| moment <= until) {
            self.step();
        }
        self.now = until;
    }

    fn execute(&mut self, event: SimEvent) {
        let life = match event {
            SimEvent::Arrive(end)
            | SimEvent::LossDetected(end)
            | SimEvent::DialTimeout(end)
            | SimEvent::DialRefused(end) => Some(self.network.end(end).life),
            other => other.life(),
        };
        if let Some(life) = life {
            match self.nodes[life].condition {
                Condition::Runs => {}
                Condition::Stopped => return self.nodes[life].missed_events.push(event),
                Condition::Dead => return,
            }
        }
        match event {
            SimEvent::Arrive(end) => self.arrive(end),
            SimEvent::LossDetected(end) => self.detect_loss(end),
            SimEvent::DialTimeout(end) => self.give_up(end),
            SimEvent::DialRefused(end) => self.refuse_dial(end),
            SimEvent::Write(at) => self.write(at),
            SimEvent::Wake(at) => self.wake(at),
            SimEvent::StartCall(at) => self.begin(at),
            SimEvent::Redial(at) => self.redial(at),
            SimEvent::Gifts { life } => self.expire_gifts(life),
            SimEvent::ShorteningTimeout { life, proxy } => {
                self.stop_shortening(life, proxy);
                self.keep_forwarded(life, proxy);
            }
            SimEvent::Heal { from, to } => self.heal(from, to),
            SimEvent::Continue { life } => self.continue_node(life),
            SimEvent::Restart { place } => self.restart(place),
        }
    }

    /// Handles all consequences of an event, and checks everything.
    pub(super) fn settle(&mut self) {
        self.stop_unneeded_shortening();
        while let Some((life, link)) = self.changed() {
            let at = At { life, link };
            for event in in_order(&mut self.nodes[life].links[link].session) {
                if self.is_verbose {
                    eprintln!("{:?}   {at:?} {event:?}", self.now);
                }
                self.handle(at, event);
            }
            self.stop_unneeded_shortening();
            self.close_if_drained(at);
            audit(&self.nodes[life].links[link].session);
            self.arrange(at);
        }
        self.check();
    }

    /// Ends a session whose sides begin no more calls, when nothing is in progress.
    fn close_if_drained(&mut self, at: At) {
        let node = &mut self.nodes[at.life];
        let side = &mut node.links[at.link];
        let is_live = side.session.closed().is_none() && !side.session.is_suspended();
        let is_open = |waiter: &Waiter| waiter.link == at.link;
        if !(is_live && side.session.is_closing() && side.session.is_drained(0))
            || node.waiters.values().any(is_open)
        {
            return;
        }
        assert!(side.inbox.is_empty(), "what has arrived is executed");
        side.session.close("drained");
        self.tally.drained += 1;
        node.mark_changed(at.link);
    }

    /// Ends the shortening of paths of proxies that were dropped.
    fn stop_unneeded_shortening(&mut self) {
        for life in 0..self.nodes.len() {
            while let Some(proxy) = self.nodes[life].given_up.pop() {
                self.stop_shortening(life, proxy);
            }
        }
    }

    fn changed(&mut self) -> Option<(usize, usize)> {
        let mut nodes = self.nodes.iter_mut().enumerate();
        nodes.find_map(|(life, node)| Some((life, node.changed.pop()?)))
    }

    /// Delivers the bytes that were withheld in this direction.
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
        late.into_iter().for_each(|end| self.agenda.enter(self.now, SimEvent::Arrive(end)));
    }

    /// Continues a stopped node: the events that it missed happen now, in random order.
    pub(super) fn continue_node(&mut self, life: usize) {
        if self.nodes[life].condition != Condition::Stopped {
            return;
        }
        self.nodes[life].condition = Condition::Runs;
        self.nodes[life].continued = self.now;
        for event in std::mem::take(&mut self.nodes[life].missed_events) {
            let moment = self.now + self.up_to(self.settings.work);
            self.agenda.enter(moment, event);
        }
    }

    /// Starts another process at a place.
    pub(super) fn restart(&mut self, place: usize) {
        if self.nodes[self.places[place]].condition == Condition::Dead {
            let gain = self.random.below(20_001) as i64 - 10_000;
            self.places[place] = self.begin_life(place, gain);
        }
    }

    /// Kills the process at a place. Its machine closes its connections.
    pub(super) fn kill(&mut self, place: usize) {
        let life = self.places[place];
        self.nodes[life].condition = Condition::Dead;
        self.nodes[life].changed.clear();
        self.nodes[life].given_up.clear();
        for call in std::mem::take(&mut self.nodes[life].open) {
            self.ledger.end(call, Ended::GivenUp);
        }
        for connection in 0..self.network.connections.len() {
            for end in [0, 1].map(|end| End { connection, end }) {
                if self.network.end(end).life == life {
                    self.close_end(end);
                }
            }
        }
    }
}

/// Returns the events of a session. Those whose order depends on a hash table are sorted.
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
