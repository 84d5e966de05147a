//! Owns how nodes come by connections, as `node/connect/dial.rs` has it: they dial, give up, and dial again.
//!
//! It must not know what two nodes make of a connection.

use std::time::Duration;

use super::agenda::{At, End, Happening};
use super::link::{Waits, Wish};
use super::network::{Connection, Endpoint, Errand, Item, Phase};
use super::node::Condition;
use super::world::World;
use crate::id::NodeId;
use crate::wire::hello::{Grant, Hello};

/// The pause after the first attempt that failed, and the longest.
pub(super) const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

impl World {
    /// A node wants something of the node at a place; it connects to it unless it is connected.
    pub(super) fn wish(&mut self, life: usize, place: usize, wanted: Option<NodeId>, waits: Waits) {
        let node = &self.nodes[life];
        let known = wanted.or(node.known.get(&place).copied());
        let link = known.and_then(|peer| node.find(peer));
        if let Some(link) = link.filter(|link| !node.links[*link].session.is_suspended()) {
            return self.fulfil(At { life, link }, waits);
        }
        let is_tried = node.wishes.iter().any(|wish| wish.place == place);
        self.nodes[life].wishes.push(Wish { place, waits });
        if !is_tried {
            let limit = self.settings.limits.handshake_time;
            self.dial(life, place, Errand::Reach { place, wanted }, limit);
        }
    }

    fn dial(&mut self, life: usize, place: usize, errand: Errand, limit: Duration) {
        let peer = self.places[place];
        let connection = self.network.connections.len();
        let ends = [(life, errand), (peer, Errand::None)].map(|(life, errand)| Endpoint {
            life,
            errand,
            phase: Phase::Hello,
            own: self.hello(life),
            asked: self.local(life),
            peer: None,
            pipe: Default::default(),
            arrived: Vec::new(),
        });
        let own = Box::new(ends[0].own.clone());
        self.network.connections.push(Connection { ends, is_cut: false });
        let end = End { connection, end: 0 };
        self.agenda.enter(self.after(life, limit), Happening::GiveUp(end));
        if self.nodes[peer].condition == Condition::Dead {
            self.network.connections[connection].is_cut = true;
            if !self.network.withholds(self.nodes[life].place, place) {
                self.agenda.enter(self.now + self.settings.delay[1], Happening::Nobody(end));
            }
            return;
        }
        self.say(end, Item::Hello(own));
    }

    /// What a node says of itself.
    fn hello(&mut self, life: usize) -> Hello {
        let nonce = self.fresh_bytes();
        let node = &self.nodes[life];
        let (name, address) = (String::new(), String::new());
        Hello {
            node: node.id,
            name,
            grant: Grant::of(&node.limits),
            lease: node.lease,
            address,
            nonce,
        }
    }

    /// When a node's clock has gone on by this much.
    pub(super) fn after(&self, life: usize, duration: Duration) -> Duration {
        self.nodes[life].clock.moment(self.local(life) + duration)
    }

    /// Who dialled waits no longer.
    pub(super) fn give_up(&mut self, end: End) {
        let endpoint = self.network.end(end);
        if matches!(endpoint.phase, Phase::Hello | Phase::ResumeState | Phase::Verdict(_)) {
            let (life, errand) = (endpoint.life, endpoint.errand);
            self.hang_up(end);
            self.attempt_over(life, errand, None);
        }
    }

    /// Nobody listens there.
    pub(super) fn find_nobody(&mut self, end: End) {
        let endpoint = self.network.end_mut(end);
        let (life, errand) = (endpoint.life, endpoint.errand);
        endpoint.phase = Phase::Gone;
        if let Errand::Redial { link } = errand {
            self.nodes[life].links[link].session.handle_unreachable();
        }
        self.attempt_over(life, errand, None);
    }

    pub(super) fn attempt_over(&mut self, life: usize, errand: Errand, reached: Option<usize>) {
        match errand {
            Errand::None => {}
            Errand::Redial { link } => self.plan_redial(At { life, link }),
            Errand::Reach { place, .. } => {
                if let Some(link) = reached {
                    let peer = self.nodes[life].links[link].peer;
                    self.nodes[life].known.insert(place, peer);
                }
                let all = std::mem::take(&mut self.nodes[life].wishes);
                let (granted, rest) = all.into_iter().partition(|wish: &Wish| wish.place == place);
                self.nodes[life].wishes = rest;
                let granted: Vec<Wish> = granted;
                for Wish { waits, .. } in granted {
                    match reached {
                        Some(link) => self.fulfil(At { life, link }, waits),
                        None => self.deny(life, waits),
                    }
                }
            }
        }
    }

    /// A session without connection tries again after a while.
    pub(super) fn plan_redial(&mut self, at: At) {
        let side = &mut self.nodes[at.life].links[at.link];
        let is_wanted = side.session.is_suspended() && side.session.closed().is_none();
        if side.dialled.is_none() || !is_wanted || std::mem::replace(&mut side.will_redial, true) {
            return;
        }
        let longest = LONGEST.min(side.session.term() / 8);
        let pause = side.pause.min(longest);
        side.pause = (pause * 2).min(longest);
        let moment = self.now + pause / 2 + self.up_to(pause / 2);
        self.agenda.enter(moment, Happening::Redial(at));
    }

    pub(super) fn redial(&mut self, at: At) {
        let side = &mut self.nodes[at.life].links[at.link];
        side.will_redial = false;
        let Some(place) = side.dialled else { return };
        if side.session.is_suspended() && side.session.closed().is_none() {
            let limit = self.settings.limits.handshake_time.min(side.session.term() / 8);
            self.dial(at.life, place, Errand::Redial { link: at.link }, limit);
        }
    }
}
