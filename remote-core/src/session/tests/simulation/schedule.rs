//! The actions of applications and the faults in a random run, determined by the seed.
//!
//! It must not know the expected results.

use std::time::Duration;

use super::super::random::Random;
use super::agenda::SimEvent;
use super::link::Waits;
use super::node::{Condition, Receiver};
use super::tally::Tally;
use super::world::{Settings, World};
use crate::limits::Limits;
use crate::wire::frame::Manner;

/// A run from a seed to its end.
pub(super) struct Schedule {
    world: World,
    faults: Faults,
}

/// The faults, each with its frequency in a thousand steps.
#[derive(Clone, Copy, Default)]
struct Faults {
    cut: usize,
    partition: usize,
    stop: usize,
    kill: usize,
    close: usize,
}

/// Longer runs find no more, and take time.
const STEPS: usize = 900;

impl Schedule {
    pub(super) fn new(seed: u64) -> Schedule {
        let mut random = Random::new(seed);
        let places = 3 + random.below(3);
        let often = |random: &mut Random, max: usize| {
            if random.percent(50) { random.below(max) } else { 0 }
        };
        let faults = Faults {
            cut: often(&mut random, 60),
            partition: often(&mut random, 40),
            stop: often(&mut random, 30),
            kill: often(&mut random, 15),
            close: often(&mut random, 8),
        };
        let gains: Vec<i64> = (0..places).map(|_| random.below(20_001) as i64 - 10_000).collect();
        let settings = settings(&mut random);
        Schedule { world: World::new(random, settings, &gains), faults }
    }

    /// Prints every event.
    pub(super) fn verbose(mut self) -> Schedule {
        self.world.is_verbose = true;
        self
    }

    pub(super) fn run(mut self) -> Tally {
        self.begin();
        for _ in 0..STEPS {
            let chance = self.world.random.below(1000);
            let Faults { cut, partition, stop, kill, close } = self.faults;
            let chances = [cut, partition, stop, kill, close, 300];
            let mut below = 0;
            let chosen = chances.iter().position(|often| {
                below += often;
                chance < below
            });
            match chosen {
                Some(0) => self.cut(),
                Some(1) => self.partition(),
                Some(2) => self.stop(),
                Some(3) => self.kill(),
                Some(4) => self.close(),
                Some(_) => self.act(),
                None if self.world.random.percent(2) => {
                    let max = self.world.settings.lease;
                    let duration = self.world.up_to(max);
                    self.pass(duration);
                }
                None => {
                    if !self.world.step() {
                        self.act();
                    }
                }
            }
            self.world.settle();
        }
        self.world.end();
        self.world.tally
    }

    /// Lets some nodes look up objects of others.
    fn begin(&mut self) {
        for _ in 0..self.world.places.len() + 2 {
            let [one, other] = self.two_places();
            self.world.request_session(self.world.places[one], other, None, Waits::Lookup);
            self.world.settle();
        }
    }

    /// Advances the time, up to a maximum number of events.
    fn pass(&mut self, duration: Duration) {
        let until = self.world.now + duration;
        for _ in 0..100 {
            if self.world.agenda.next_moment().is_none_or(|moment| moment > until) {
                return;
            }
            self.world.step();
        }
    }

    fn place(&mut self) -> usize {
        self.world.random.below(self.world.places.len())
    }

    fn two_places(&mut self) -> [usize; 2] {
        let one = self.place();
        let other = (one + 1 + self.world.random.below(self.world.places.len() - 1))
            % self.world.places.len();
        [one, other]
    }

    /// Returns a duration, short or longer than a lease.
    fn a_while(&mut self) -> Duration {
        let lease = self.world.settings.lease;
        let max = [lease / 20, lease / 2, lease * 2][self.world.random.below(3)];
        self.world.up_to(max)
    }

    fn cut(&mut self) {
        let live = |world: &World| -> Vec<usize> {
            let all = world.network.connections.iter().enumerate();
            all.filter(|(_, connection)| !connection.is_cut).map(|(number, _)| number).collect()
        };
        let live = live(&self.world);
        let recent = &live[live.len().saturating_sub(8)..];
        let Some(connection) = self.world.random.pick(recent).copied() else { return };
        let notices = [self.world.random.percent(70), self.world.random.percent(70)];
        self.world.cut(connection, notices);
    }

    fn partition(&mut self) {
        let [one, other] = self.two_places();
        let duration = self.a_while();
        self.world.partition(one, other, duration);
        if self.world.random.percent(60) {
            self.world.partition(other, one, duration);
        }
    }

    fn stop(&mut self) {
        let (place, duration) = (self.place(), self.a_while());
        self.world.stop(place, duration);
    }

    fn kill(&mut self) {
        let place = self.place();
        if self.world.nodes[self.world.places[place]].condition == Condition::Dead {
            return;
        }
        self.world.kill(place);
        let moment = self.world.now + self.a_while();
        self.world.agenda.enter(moment, SimEvent::Restart { place });
    }

    /// Lets a node end a session in good order, at once or when both sides have executed what was handed over.
    fn close(&mut self) {
        let place = self.place();
        let node = &mut self.world.nodes[self.world.places[place]];
        let link = self.world.random.below(node.links.len().max(1));
        if node.condition == Condition::Runs && link < node.links.len() && !node.is_over(link) {
            if self.world.random.percent(50) {
                node.links[link].session.close("enough");
            } else {
                node.links[link].session.begin_closing();
            }
            node.mark_changed(link);
        }
    }

    /// Lets an application do something.
    fn act(&mut self) {
        let place = self.place();
        let life = self.world.places[place];
        if self.world.nodes[life].condition != Condition::Runs {
            return;
        }
        match self.world.random.below(100) {
            0..6 => {
                let [_, other] = self.two_places();
                if other != place {
                    self.world.request_session(life, other, None, Waits::Lookup);
                }
            }
            6..58 => self.call(life),
            58..78 => {
                let mut running = std::mem::take(&mut self.world.nodes[life].running);
                let one = self.world.random.take(&mut running);
                self.world.nodes[life].running = running;
                if let Some(one) = one {
                    let references = self.references(life);
                    self.world.finish(life, one, references);
                }
            }
            78..91 => {
                let mut held = std::mem::take(&mut self.world.nodes[life].held);
                let one = self.world.random.take(&mut held);
                self.world.nodes[life].held = held;
                if let Some(proxy) = one {
                    self.world.nodes[life].drop_holder(Receiver::Far(proxy));
                }
            }
            91..96 => {
                let mut roots = std::mem::take(&mut self.world.nodes[life].roots);
                let one = self.world.random.take(&mut roots);
                self.world.nodes[life].roots = roots;
                if let Some(object) = one {
                    self.world.nodes[life].drop_holder(Receiver::Near(object));
                }
            }
            _ => {
                let open = &self.world.nodes[life].open;
                let one = self.world.random.pick(open).copied();
                if let Some(call) = one {
                    self.world.cancel(life, call);
                }
            }
        }
    }

    fn call(&mut self, life: usize) {
        let held = &self.world.nodes[life].held;
        let Some(proxy) = self.world.random.pick(held).copied() else { return };
        let manner = if self.world.random.percent(85) { Manner::Call } else { Manner::OneWay };
        let references = self.references(life);
        let is_big = self.world.random.percent(self.world.settings.big);
        let size = if is_big { self.world.random.below(60_000) } else { 0 };
        self.world.call(life, proxy, manner, references, size);
    }

    /// Returns references to new objects, to known ones, and to far ones, held to be sent.
    fn references(&mut self, life: usize) -> Vec<Receiver> {
        let mut references = Vec::new();
        while references.len() < 3 && self.world.random.percent(50) {
            let random = &mut self.world.random;
            let node = &mut self.world.nodes[life];
            match random.below(10) {
                0..2 => references.push(Receiver::Near(node.new_object())),
                2..4 => {
                    let root = random.pick(&node.roots).copied();
                    references.extend(root.map(|root| node.add_holder(Receiver::Near(root))));
                }
                _ => {
                    let held = random.pick(&node.held).copied();
                    let held = held.filter(|_| self.world.settings.passes_on);
                    references.extend(held.map(|held| node.add_holder(Receiver::Far(held))));
                }
            }
        }
        references
    }
}

fn settings(random: &mut Random) -> Settings {
    let lease = Duration::from_secs([3, 10, 30][random.below(3)]);
    let milliseconds = |milliseconds: usize| Duration::from_micros(milliseconds as u64 * 1000);
    let max = [1, 20, 100][random.below(3)];
    let is_narrow = random.percent(20);
    let limits = Limits {
        window_calls: if is_narrow { 1 + random.below(6) as u32 } else { 1000 },
        references: [5, 1000, 1000][random.below(3)],
        unacknowledged: [4096, 8 << 20, 8 << 20][random.below(3)],
        window_bytes: if is_narrow { 70_000 } else { 200_000 },
        body: 65_000,
        queue: 120_000,
        ..Limits::default()
    };
    Settings {
        lease,
        delay: [Duration::from_micros(100), milliseconds(max)],
        work: milliseconds([0, 3, 20][random.below(3)]),
        repeats: [0, 20][random.below(2)],
        splits: [0, 20][random.below(2)],
        unreadable: [0, 0, 5][random.below(3)],
        hand_on: [0, 70, 100][random.below(3)],
        introduce: [0, 70, 100, 100][random.below(4)],
        passes_on: !is_narrow,
        big: if is_narrow { 40 } else { 4 },
        quick: [20, 80][random.below(2)],
        keeps: [50, 90][random.below(2)],
        limits,
    }
}
