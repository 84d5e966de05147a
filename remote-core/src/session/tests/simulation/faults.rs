//! Owns what goes wrong, and how all of it is put right in the end.
//!
//! It must not choose when.

use std::time::Duration;

use super::super::audit::assert_empty;
use super::agenda::{End, Happening};
use super::network::MOST;
use super::node::{Condition, Node, Receiver};
use super::world::World;

impl World {
    /// A connection carries nothing any more; an end may notice, or find out by the silence.
    pub(super) fn cut(&mut self, connection: usize, notices: [bool; 2]) {
        self.network.cut(connection);
        let places =
            [0, 1].map(|end| self.nodes[self.network.end(End { connection, end }).life].place);
        let until = self.now + self.recovery();
        self.troubles.note((places[0], Some(places[1])), until);
        for end in [0, 1] {
            if notices[end] {
                let moment = self.now + self.up_to(self.settings.lease / 100);
                self.agenda.enter(moment, Happening::Notice(End { connection, end }));
            }
        }
    }

    /// What one place sends to another does not arrive for a while.
    pub(super) fn partition(&mut self, from: usize, to: usize, duration: Duration) {
        if self.network.withholds(from, to) {
            return;
        }
        self.network.withhold(from, to);
        let until = self.now + duration;
        self.troubles.note((from, Some(to)), until + self.recovery());
        self.agenda.enter(until, Happening::Heal { from, to });
    }

    /// The process at a place is stopped for a while.
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
        self.troubles.note((place, None), until + self.recovery());
        self.agenda.enter(until, Happening::Continue { life });
    }

    /// How long it takes at most until two that hear each other again have a session that goes on: its silence is
    /// noticed, and it is dialled again.
    fn recovery(&self) -> Duration {
        self.settings.lease
    }

    /// Everything is put right.
    fn recover(&mut self) {
        for from in 0..MOST {
            for to in 0..MOST {
                if self.network.withholds(from, to) {
                    self.heal(from, to);
                }
            }
        }
        (0..self.nodes.len()).for_each(|life| self.go_on(life));
    }

    /// Everything is healed, answered and dropped: nothing may be left, and every call has ended.
    pub(super) fn end(&mut self) {
        self.recover();
        // The lease of who was killed has to end, or of one that comes back too late; a gift has its term.
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

    /// All that runs is answered, and all that is held is dropped.
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
            node.let_all_go(all);
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

    /// What is left, in words.
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
                node.wishes,
            )
        });
        words.collect()
    }
}
