//! Random schedules: both applications do anything that is allowed, in any order, over pipes that split bytes anywhere.
//!
//! A seed determines a schedule. A failure prints the command that repeats it.

use std::time::Duration;

use super::super::SHUTTING_DOWN;
use super::audit::assert_empty;
use super::pair::{DIRECTORY, Side};
use super::random::Random;
use super::world::World;
use crate::error::Error;
use crate::id::{Identity, NameId, NodeId, ObjectId, WatchId};
use crate::limits::Limits;
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{Manner, Status, Target};

/// The number of seeds of one test. There are several tests so that they run in parallel.
const SEEDS: u64 = 800;
const STEPS: usize = 100;

#[test]
fn schedules_end_with_empty_tables() {
    play(0..SEEDS, Schedule::run_to_the_end);
}

#[test]
fn more_schedules_end_with_empty_tables() {
    play(SEEDS..2 * SEEDS, Schedule::run_to_the_end);
}

#[test]
fn interrupted_schedules_report_correct_outcomes() {
    play(2 * SEEDS..3 * SEEDS, Schedule::run_and_interrupt);
}

#[test]
fn schedules_with_lost_connections_lose_nothing() {
    play(3 * SEEDS..4 * SEEDS, Schedule::run_and_cut);
}

#[test]
fn schedules_that_end_in_good_order_lose_nothing() {
    play(4 * SEEDS..5 * SEEDS, Schedule::run_and_close);
}

/// Runs the seed in the environment, or else these seeds.
fn play(seeds: std::ops::Range<u64>, run: impl Fn(Schedule)) {
    match std::env::var("REMOTE_SEED") {
        Ok(seed) => run(Schedule::new(seed.parse().expect("REMOTE_SEED is a number"))),
        Err(_) => seeds.for_each(|seed| run(Schedule::new(seed))),
    }
}

struct Schedule {
    random: Random,
    world: World,
    next_object: u64,
    next_watch: u64,
    watches: Vec<(Side, u64)>,
    seed: u64,
}

impl Drop for Schedule {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to repeat it: REMOTE_SEED={} cargo test -p remote-core session", self.seed);
        }
    }
}

impl Schedule {
    fn new(seed: u64) -> Schedule {
        let mut random = Random::new(seed);
        let world = World::new(limits(&mut random), limits(&mut random));
        Schedule { random, world, next_object: 1, next_watch: 0, watches: Vec::new(), seed }
    }

    fn run_to_the_end(mut self) {
        (0..STEPS).for_each(|_| self.step());
        self.drain();
        for side in Side::BOTH {
            assert_eq!(self.world.pair[side].closed(), None);
            assert_empty(&self.world.pair[side]);
        }
        self.world.assert_complete();
    }

    /// Breaks the connection repeatedly and makes another one: nothing is lost, and nothing happens twice.
    fn run_and_cut(mut self) {
        let mut is_cut = false;
        for _ in 0..STEPS {
            match self.random.below(100) {
                0..2 => {
                    let first = self.random.below(2);
                    let noticed = [Side::BOTH[first], Side::BOTH[1 - first]];
                    let count = self.random.below(3);
                    self.world.pair.cut(&noticed[..count]);
                    is_cut = true;
                }
                2..6 if is_cut => {
                    self.world.pair.reconnect();
                    is_cut = false;
                }
                _ => self.step(),
            }
            // Bytes that are written to a broken connection are lost, before any side notices.
            if is_cut {
                self.world.pair.cut(&[]);
            }
        }
        self.world.pair.reconnect();
        self.drain();
        for side in Side::BOTH {
            assert_eq!(self.world.pair[side].closed(), None);
            assert_empty(&self.world.pair[side]);
        }
        self.world.assert_complete();
    }

    /// One side or both announce the end of the session while the applications go on: new calls are refused, and all others
    /// arrive and end.
    fn run_and_close(mut self) {
        (0..self.random.below(STEPS)).for_each(|_| self.step());
        let first = Side::BOTH[self.random.below(2)];
        self.world.pair[first].begin_closing();
        (0..self.random.below(STEPS)).for_each(|_| self.step());
        if self.random.percent(50) {
            self.world.pair[first.other()].begin_closing();
        }
        (0..self.random.below(STEPS)).for_each(|_| self.step());
        self.drain();
        for side in Side::BOTH {
            assert!(self.world.pair.application(side).peer_is_closing);
            assert!(self.world.pair[side].is_drained(0), "{side:?} is not drained");
            let refused = self.world.pair.send(side, Manner::OneWay, DIRECTORY, Content::default());
            assert_eq!(refused, Err(Error::Ended(SHUTTING_DOWN.into())));
        }
        self.world.assert_complete();
        self.world.pair[first].close("done");
        self.world.pair.handle_events(first);
        self.world.pair.run_until_idle();
        for side in Side::BOTH {
            assert!(self.world.pair.application(side).peer_is_gone);
            assert_empty(&self.world.pair[side]);
        }
    }

    fn run_and_interrupt(mut self) {
        (0..self.random.below(STEPS)).for_each(|_| self.step());
        let first = Side::BOTH[self.random.below(2)];
        if self.random.percent(50) {
            self.world.pair[first].close("enough");
        } else {
            self.world.pair[first].handle_failure("pulled the plug");
        }
        self.world.pair.handle_events(first);
        self.world.check_events(first);
        // The bytes in transit may still arrive, or a part of them. Then the other side notices.
        let second = first.other();
        for _ in 0..self.random.below(20) {
            self.step_of(second);
            self.world.pair.transmit(first);
            self.advance();
            self.deliver(second);
        }
        self.world.pair.run_until_idle();
        self.world.check_events(second);
        self.world.pair[second].handle_failure("the peer is gone");
        self.world.pair.handle_events(second);
        Side::BOTH.into_iter().for_each(|side| self.world.check_events(side));
        self.world.assert_all_reported();
        Side::BOTH.into_iter().for_each(|side| assert_empty(&self.world.pair[side]));
    }

    fn step(&mut self) {
        let side = Side::BOTH[self.random.below(2)];
        match self.random.below(100) {
            0..15 => self.world.pair.transmit(side),
            15..35 => self.deliver(side),
            35..50 => self.advance(),
            _ => self.step_of(side),
        }
        self.world.check_events(side);
    }

    /// Lets one application do something.
    fn step_of(&mut self, side: Side) {
        if self.world.pair[side].closed().is_some() {
            return;
        }
        match self.random.below(100) {
            0..40 => self.send(side),
            40..65 => self.answer(side),
            65..75 => self.release(side),
            75..83 => {
                if let Some(number) = self.random.take(&mut self.world.end(side).open) {
                    self.world.cancel(number);
                }
            }
            83..92 => {
                if let Some(number) = self.random.pick(&self.world.end(side).promises).copied() {
                    self.finish(side, number);
                }
            }
            _ => self.watch(side),
        }
    }

    fn send(&mut self, side: Side) {
        let end = &self.world.ends[side as usize];
        let target = match self.random.below(3) {
            0 => self.random.pick(&end.proxies).map(|object| Target::Object(*object)),
            1 => {
                let promise = self.random.pick(&end.promises);
                promise.map(|number| Target::Answer(self.world.question(*number)))
            }
            _ => None,
        };
        let manner =
            [Manner::Call, Manner::Call, Manner::Promise, Manner::OneWay][self.random.below(4)];
        let (size, references) = (self.size(), self.references(side));
        let target = target.unwrap_or(DIRECTORY);
        self.world.send(side, manner, target, size, references);
    }

    fn answer(&mut self, side: Side) {
        let Some(question) = self.random.take(&mut self.world.end(side).running) else { return };
        let status = [Status::Value, Status::Value, Status::Failure, Status::Fault];
        let status = status[self.random.below(4)];
        let (size, references) = (self.size(), self.references(side));
        self.world.answer(side, question, status, size, references);
    }

    fn release(&mut self, side: Side) {
        if let Some(object) = self.random.take(&mut self.world.end(side).proxies) {
            self.world.release(side, object);
        }
    }

    fn finish(&mut self, side: Side, number: usize) {
        self.world.end(side).open.retain(|open| *open != number);
        self.world.finish(number);
    }

    fn watch(&mut self, side: Side) {
        let proxies = &self.world.ends[side as usize].proxies;
        let (watcher, owner) = (side, side.other());
        match self.random.pick(proxies).copied() {
            Some(object) if self.random.percent(50) => {
                self.next_watch += 1;
                self.world.pair[watcher].watch(WatchId(self.next_watch), object);
                self.watches.push((watcher, self.next_watch));
            }
            _ => {
                let Some((watcher, watch)) = self.random.take(&mut self.watches) else { return };
                self.world.pair[watcher].unwatch(WatchId(watch));
            }
        }
        let watched: Vec<u64> =
            self.world.pair.application(owner).watched.keys().copied().collect();
        if let Some(watch) = watched.into_iter().min().filter(|_| self.random.percent(20)) {
            self.world.pair.application(owner).watched.remove(&watch);
            self.world.pair[owner].notify_ended(WatchId(watch), true, "stopped");
        }
    }

    fn deliver(&mut self, side: Side) {
        let most = [1, 7, 100, 20_000, usize::MAX][self.random.below(5)];
        self.world.pair.deliver(side, most);
        self.world.check_events(side);
    }

    fn advance(&mut self) {
        self.world.pair.now += Duration::from_millis(self.random.below(4) as u64);
        Side::BOTH.into_iter().for_each(|side| self.world.pair.wake(side));
    }

    fn size(&mut self) -> usize {
        match self.random.below(20) {
            0..14 => self.random.below(100),
            14..18 => self.random.below(40_000),
            _ => self.random.below(200_000),
        }
    }

    /// Returns references to new objects, to known ones, to objects of third nodes, and to objects of the receiver.
    fn references(&mut self, side: Side) -> Vec<Descriptor> {
        let mut references = Vec::new();
        while self.random.percent(30) {
            let named = self.random.percent(50);
            let interface = if named {
                self.world.pair[side].intern_interface("Face").unwrap()
            } else {
                NameId::NONE
            };
            let end = &self.world.ends[side as usize];
            let home = self.random.pick(&end.proxies).copied();
            if let Some(object) = home.filter(|_| self.random.percent(40)) {
                references.push(Descriptor::Yours { object, interface });
                continue;
            }
            let known = self.random.pick(&end.objects).copied();
            let known = known.filter(|_| self.random.percent(60));
            let object = known.unwrap_or(ObjectId(self.next_object));
            if self.world.pair[side].introduce(object).is_err() {
                break;
            }
            if known.is_none() {
                self.next_object += 1;
                self.world.end(side).objects.push(object);
            }
            references.push(if self.random.percent(70) {
                Descriptor::Mine { object, interface }
            } else {
                let owner = Identity { node: NodeId::from_bytes([7; 16]), object };
                Descriptor::Forwarded { object, owner, interface, token: None }
            });
        }
        references
    }

    /// Ends all calls, drops all references, and runs until both sides are idle.
    fn drain(&mut self) {
        for (watcher, watch) in std::mem::take(&mut self.watches) {
            self.world.pair[watcher].unwatch(WatchId(watch));
        }
        for round in 0.. {
            assert!(round < 1000, "the two are never idle");
            self.world.pair.run_until_idle();
            let mut moved = false;
            for side in Side::BOTH {
                self.world.check_events(side);
                let end = self.world.end(side);
                let (running, promises) = (std::mem::take(&mut end.running), end.promises.clone());
                let proxies = std::mem::take(&mut end.proxies);
                moved |= !(running.is_empty() && promises.is_empty() && proxies.is_empty());
                for question in running {
                    self.world.answer(side, question, Status::Value, 0, Vec::new());
                }
                proxies.into_iter().for_each(|object| self.world.release(side, object));
                // An unanswered promise may be dropped, too, but some are kept to the end.
                for number in promises.into_iter().filter(|number| round > number % 3) {
                    self.finish(side, number);
                }
            }
            let pair = &self.world.pair;
            if !moved && Side::BOTH.into_iter().all(|side| !pair[side].wants_transmit()) {
                return;
            }
        }
    }
}

/// Returns limits that are low enough that calls must wait for each of them.
fn limits(random: &mut Random) -> Limits {
    let window_bytes = [40_000, 300_000, 1 << 20][random.below(3)];
    let body = window_bytes as usize / [1, 2][random.below(2)];
    Limits {
        window_calls: [1, 2, 3, 8, 30][random.below(5)],
        window_bytes,
        body,
        queue: body + random.below(100_000),
        references: [2, 5, 1000][random.below(3)],
        ..Limits::default()
    }
}
