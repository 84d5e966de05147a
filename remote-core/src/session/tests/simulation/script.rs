//! The vocabulary of scenarios: lookups, calls, passing on and dropping references, and checks.
//!
//! It must not know a scenario. Places are numbers; the objects and proxies of a node are named by their numbers there.

use std::time::Duration;

use super::super::random::Random;
use super::agenda::{At, End};
use super::ledger::Ended;
use super::link::Waits;
use super::network::Phase;
use super::node::{Condition, Node, Receiver};
use super::world::{Settings, World};
use crate::id::ObjectId;
use crate::wire::frame::Manner;

/// Long enough for any action that does not depend on the repair of a fault.
pub(super) const MOMENT: Duration = Duration::from_millis(100);

impl World {
    /// Makes a world without randomness.
    pub(super) fn plain(places: usize) -> World {
        World::with(places, Settings::plain())
    }

    pub(super) fn with(places: usize, settings: Settings) -> World {
        World::new(Random::new(7), settings, &vec![0; places])
    }

    pub(super) fn node(&mut self, place: usize) -> &mut Node {
        let life = self.places[place];
        &mut self.nodes[life]
    }

    /// Runs this many events.
    pub(super) fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.step();
        }
    }

    /// Looks up the published object of another node. Returns the proxy.
    pub(super) fn look_up(&mut self, place: usize, other: usize) -> usize {
        let before = self.node(place).held.len();
        self.ask_for(place, other);
        self.pass(MOMENT);
        assert_eq!(self.node(place).held.len(), before + 1, "it was looked up");
        self.node(place).held[before]
    }

    /// Requests the published object of another node.
    pub(super) fn ask_for(&mut self, place: usize, other: usize) {
        self.request_session(self.places[place], other, None, Waits::Lookup);
        self.settle();
    }

    /// Sends a call without arguments.
    pub(super) fn ask(&mut self, place: usize, proxy: usize) -> usize {
        self.give(place, proxy, &[])
    }

    /// Sends a call with these references as arguments.
    pub(super) fn give(&mut self, place: usize, proxy: usize, references: &[Receiver]) -> usize {
        let node = self.node(place);
        let references = references.iter().map(|reference| node.add_holder(*reference)).collect();
        let call = self.call(self.places[place], proxy, Manner::Call, references, 0);
        self.settle();
        call
    }

    /// Asserts that a call succeeds at once.
    #[track_caller]
    pub(super) fn assert_reaches(&mut self, place: usize, proxy: usize) {
        let call = self.ask(place, proxy);
        self.pass(MOMENT);
        assert_eq!(self.ledger.ended(call), Some(Ended::Answered));
    }

    /// Asserts that a call fails at once.
    #[track_caller]
    pub(super) fn assert_fails(&mut self, place: usize, proxy: usize) {
        let call = self.ask(place, proxy);
        self.pass(MOMENT);
        let ended = self.ledger.ended(call);
        assert!(matches!(ended, Some(Ended::Lost(_) | Ended::Failed)), "{ended:?}");
        assert!(!self.ledger.is_begun(call));
    }

    /// Lets an application drop a reference.
    pub(super) fn drop_proxy(&mut self, place: usize, proxy: usize) {
        let node = self.node(place);
        let position = node.held.iter().position(|held| *held == proxy).expect("it is held");
        node.held.remove(position);
        node.drop_holder(Receiver::Far(proxy));
        self.settle();
    }

    /// Makes a new object, which its node itself does not hold, and passes it to the target of this proxy. Returns its
    /// number, and the proxy for it.
    pub(super) fn give_new(
        &mut self,
        place: usize,
        proxy: usize,
        other: usize,
    ) -> (ObjectId, usize) {
        let object = self.node(place).new_object();
        let before = self.node(other).held.len();
        self.call(self.places[place], proxy, Manner::Call, vec![Receiver::Near(object)], 0);
        self.settle();
        self.pass(MOMENT);
        (object, self.node(other).held[before])
    }

    /// Returns the session of one node with another.
    pub(super) fn link(&self, place: usize, other: usize) -> At {
        let (life, peer) = (self.places[place], self.nodes[self.places[other]].id);
        At { life, link: *self.nodes[life].current.get(&peer).expect("they have a session") }
    }

    /// Returns the count of an object that one node exports to another.
    pub(super) fn exported(&self, place: usize, other: usize, object: ObjectId) -> u64 {
        let At { life, link } = self.link(place, other);
        self.nodes[life].links[link].session.exports.count(object)
    }

    /// Cuts the connections between two places that are in use.
    pub(super) fn cut_between(&mut self, one: usize, other: usize, notices: [bool; 2]) {
        let lives = [self.places[one], self.places[other]];
        for connection in 0..self.network.connections.len() {
            let ends = [0, 1].map(|end| self.network.end(End { connection, end }));
            let is_between = ends.iter().all(|end| lives.contains(&end.life));
            let is_used = ends.iter().any(|end| !matches!(end.phase, Phase::Gone));
            if is_between && is_used && !self.network.connections[connection].is_cut {
                self.cut(connection, notices);
            }
        }
    }

    /// Withholds what one place sends to the other, until it is healed.
    pub(super) fn withhold(&mut self, from: usize, to: usize) {
        self.network.withhold(from, to);
        self.outages.note((from, Some(to)), Duration::MAX);
    }

    /// Returns true if a node still has an object.
    pub(super) fn has(&mut self, place: usize, object: ObjectId) -> bool {
        self.node(place).objects.contains_key(&object)
    }

    /// Kills the process at a place, and starts another one there.
    pub(super) fn replace(&mut self, place: usize) {
        self.kill(place);
        self.restart(place);
        assert_eq!(self.node(place).condition, Condition::Runs);
    }

    /// Removes the published object of a node.
    pub(super) fn unpublish(&mut self, place: usize) {
        let node = self.node(place);
        let object = node.published.take().expect("every node publishes something");
        node.drop_holder(Receiver::Near(object));
    }

    pub(super) fn published(&mut self, place: usize) -> ObjectId {
        self.node(place).published.expect("every node publishes something")
    }
}
