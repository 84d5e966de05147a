//! The faults, and their repair at the end.
//!
//! It must not choose when a fault happens.

use std::time::Duration;

use super::super::audit::assert_empty;
use super::agenda::{End, SimEvent};
use super::network::MOST;
use super::node::{Condition, Node, Receiver};
use super::world::World;

impl World {
    /// Cuts a connection. An end may notice, or detect it by the silence.
    pub(super) fn cut(&mut self, connection: usize, notices: [bool; 2]) {
        self.network.cut(connection);
        let places =
            [0, 1].map(|end| self.nodes[self.network.end(End { connection, end }).life].place);
        let until = self.now + self.recovery();
        self.outages.note((places[0], Some(places[1])), until);
        for end in [0, 1] {
            if notices[end] {
                let moment = self.now + self.up_to(self.settings.lease / 100);
                self.agenda.enter(moment, SimEvent::LossDetected(End { connection, end }));
            }
        }
    }

    /// Partitions two places in one direction for a while.
    pub(super) fn partition(&mut self, from: usize, to: usize, duration: Duration) {
        if self.network.withholds(from, to) {
            return;
        }
        self.network.withhold(from, to);
        let until = self.now + duration;
        self.outages.note((from, Some(to)), until + self.recovery());
        self.agenda.enter(until, SimEvent::Heal { from, to });
    }

    /// Stops the process at a place for a while.
    pub(super) fn stop(&mut self, place: usize, duration: Duration) {
        let life = self.places[place];
        if self.nodes[life].condition != Condition::Runs {
            return;
        }
        let local = self.local(life);
        self.nodes[life].condition = Condition::Stopped;
        for side in &mut self.nodes[life].links {
            let lease = &side.session.lease;
            let runs = !lease.left(local).is_zero() && lease.owner_end() > local;
            side.is_sound = runs && !side.session.is_suspended();
        }
        let until = self.now + duration;
        self.outages.note((place, None), until + self.recovery());
        self.agenda.enter(until, SimEvent::Continue { life });
    }

    /// Returns the maximum time after which two nodes that can reach each other again have a live session: the silence is
    /// detected, and the connection is made again.
    fn recovery(&self) -> Duration {
        self.settings.lease
    }

    /// Repairs all faults.
    fn recover(&mut self) {
        for from in 0..MOST {
            for to in 0..MOST {
                if self.network.withholds(from, to) {
                    self.heal(from, to);
                }
            }
        }
        (0..self.nodes.len()).for_each(|life| self.continue_node(life));
    }

    /// Repairs all faults, answers all calls and drops all references. Then nothing may be left, and every call has ended.
    pub(super) fn end(&mut self) {
        self.recover();
        // The leases of killed nodes must expire, and those of nodes that came back too late; so must gifts.
        let until = self.now + self.settings.lease * 4;
        loop {
            self.drop_everything();
            if self.is_empty() {
                break;
            }
            assert!(self.now < until, "something is left: {}", self.remains());
            self.step();
        }
        let is_killed = |node: &Node| node.condition == Condition::Dead;
        let is_whole =
            self.tally.ended + self.tally.refused == 0 && !self.nodes.iter().any(is_killed);
        self.ledger.assert_complete(is_whole);
        for node in &self.nodes {
            if node.condition != Condition::Dead {
                node.assert_empty();
                node.links.iter().for_each(|side| assert_empty(&side.session));
            }
        }
    }

    /// Answers all running calls, and drops all references.
    fn drop_everything(&mut self) {
        for life in 0..self.nodes.len() {
            if self.nodes[life].condition != Condition::Runs {
                continue;
            }
            for running in std::mem::take(&mut self.nodes[life].running) {
                self.finish(life, running, Vec::new());
            }
            let node = &mut self.nodes[life];
            let held = std::mem::take(&mut node.held).into_iter().map(Receiver::Far);
            let roots = std::mem::take(&mut node.roots).into_iter().map(Receiver::Near);
            let published = node.published.take().map(Receiver::Near);
            let all: Vec<Receiver> = held.chain(roots).chain(published).collect();
            node.drop_holders(all);
        }
        self.settle();
    }

    fn is_empty(&self) -> bool {
        let mut live = self.nodes.iter().filter(|node| node.condition != Condition::Dead);
        live.all(|node| {
            node.is_empty()
                && node.links.iter().all(|side| {
                    let session = &side.session;
                    session.export_count() + session.import_count() + session.question_count() == 0
                        && session.running() == 0
                })
        })
    }

    /// Returns a description of what is left.
    fn remains(&self) -> String {
        let live = self.nodes.iter().filter(|node| node.condition != Condition::Dead);
        let words = live.map(|node| {
            let sessions: Vec<_> = node
                .links
                .iter()
                .map(|side| {
                    let session = &side.session;
                    (
                        session.export_count(),
                        session.import_count(),
                        session.question_count(),
                        session.running(),
                        session.is_suspended(),
                        session.closed().cloned(),
                    )
                })
                .collect();
            format!(
                "node {}: objects {:?}, shown {:?}, proxies {:?}, waiters {}, wishes {:?}, sessions {sessions:?}\n",
                node.place,
                node.objects,
                node.table.keys(),
                node.proxies.keys(),
                node.waiters.len(),
                node.session_requests,
            )
        });
        words.collect()
    }
}
