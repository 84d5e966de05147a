//! The connections of a node, modelled after `node/connect/dial.rs`: dialling, timeouts, and dialling again.
//!
//! It must not know the handshake.

use std::time::Duration;

use super::agenda::{At, End, SimEvent};
use super::link::{SessionRequest, Waits};
use super::network::{Connection, DialReason, Endpoint, Item, Phase};
use super::node::Condition;
use super::world::World;
use crate::id::NodeId;
use crate::wire::hello::{Grant, Hello};

/// The pause after the first failed attempt, and the maximum.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);

impl World {
    /// Requests a session with the node at a place: connects, unless there is a session.
    pub(super) fn request_session(
        &mut self,
        life: usize,
        place: usize,
        wanted: Option<NodeId>,
        waits: Waits,
    ) {
        let node = &self.nodes[life];
        let known = wanted.or(node.known.get(&place).copied());
        let link = known.and_then(|peer| node.find(peer));
        if let Some(link) = link.filter(|link| !node.links[*link].session.is_suspended()) {
            return self.handle_session(At { life, link }, waits);
        }
        let is_tried =
            node.session_requests.iter().any(|request_session| request_session.place == place);
        self.nodes[life].session_requests.push(SessionRequest { place, waits });
        if !is_tried {
            let limit = self.settings.limits.handshake_time;
            self.dial(life, place, DialReason::Reach { place, wanted }, limit);
        }
    }

    fn dial(&mut self, life: usize, place: usize, dial_reason: DialReason, limit: Duration) {
        let peer = self.places[place];
        let connection = self.network.connections.len();
        let ends =
            [(life, dial_reason), (peer, DialReason::None)].map(|(life, dial_reason)| Endpoint {
                life,
                dial_reason,
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
        self.agenda.enter(self.after(life, limit), SimEvent::DialTimeout(end));
        if self.nodes[peer].condition == Condition::Dead {
            self.network.connections[connection].is_cut = true;
            if !self.network.withholds(self.nodes[life].place, place) {
                self.agenda.enter(self.now + self.settings.delay[1], SimEvent::DialRefused(end));
            }
            return;
        }
        self.transmit_item(end, Item::Hello(own));
    }

    /// Returns the introduction of a node.
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
            process: None,
        }
    }

    /// Returns the moment at which a node's clock has advanced by this much.
    pub(super) fn after(&self, life: usize, duration: Duration) -> Duration {
        self.nodes[life].clock.moment(self.local(life) + duration)
    }

    /// Ends the attempt of the side that dialled: it has timed out.
    pub(super) fn give_up(&mut self, end: End) {
        let endpoint = self.network.end(end);
        if matches!(endpoint.phase, Phase::Hello | Phase::ResumeState | Phase::Verdict(_)) {
            let (life, dial_reason) = (endpoint.life, endpoint.dial_reason);
            self.close_end(end);
            self.attempt_over(life, dial_reason, None);
        }
    }

    /// Ends an attempt: the connection was refused.
    pub(super) fn refuse_dial(&mut self, end: End) {
        let endpoint = self.network.end_mut(end);
        let (life, dial_reason) = (endpoint.life, endpoint.dial_reason);
        endpoint.phase = Phase::Gone;
        self.attempt_over(life, dial_reason, None);
    }

    pub(super) fn attempt_over(
        &mut self,
        life: usize,
        dial_reason: DialReason,
        reached: Option<usize>,
    ) {
        match dial_reason {
            DialReason::None => {}
            DialReason::Redial { link } => self.plan_redial(At { life, link }),
            DialReason::Reach { place, .. } => {
                if let Some(link) = reached {
                    let peer = self.nodes[life].links[link].peer;
                    self.nodes[life].known.insert(place, peer);
                }
                let all = std::mem::take(&mut self.nodes[life].session_requests);
                let (granted, rest) = all
                    .into_iter()
                    .partition(|request_session: &SessionRequest| request_session.place == place);
                self.nodes[life].session_requests = rest;
                let granted: Vec<SessionRequest> = granted;
                for SessionRequest { waits, .. } in granted {
                    match reached {
                        Some(link) => self.handle_session(At { life, link }, waits),
                        None => self.fail_waiter(life, waits),
                    }
                }
            }
        }
    }

    /// Schedules the next attempt for a session without a connection.
    pub(super) fn plan_redial(&mut self, at: At) {
        let side = &mut self.nodes[at.life].links[at.link];
        let is_wanted = side.session.is_suspended() && side.session.closed().is_none();
        if side.dialled.is_none() || !is_wanted || std::mem::replace(&mut side.will_redial, true) {
            return;
        }
        let longest = MAX_PAUSE.min(side.session.term() / 8);
        let pause = side.pause.min(longest);
        side.pause = (pause * 2).min(longest);
        let moment = self.now + pause / 2 + self.up_to(pause / 2);
        self.agenda.enter(moment, SimEvent::Redial(at));
    }

    pub(super) fn redial(&mut self, at: At) {
        let side = &mut self.nodes[at.life].links[at.link];
        side.will_redial = false;
        let Some(place) = side.dialled else { return };
        if side.session.is_suspended() && side.session.closed().is_none() {
            let limit = self.settings.limits.handshake_time.min(side.session.term() / 8);
            self.dial(at.life, place, DialReason::Redial { link: at.link }, limit);
        }
    }
}
