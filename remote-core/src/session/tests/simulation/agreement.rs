//! The handshake of two nodes, modelled after `node/connect/negotiate.rs`: resume states, proofs, a verdict.
//!
//! It must not know what happens in a session. Each step is a message that takes time and may be lost.

use std::time::Instant;

use super::agenda::{At, End};
use super::dialling::FIRST_PAUSE;
use super::link::Link;
use super::network::{DialReason, Item, Phase};
use super::world::World;
use crate::id::{ConnectionId, FrameNumber};
use crate::session::{Session, Settings};
use crate::wire::hello::{Grant, ResumeState, Secret, Sides, Verdict};

/// The decision about a connection.
enum Decision {
    Accept {
        link: usize,
    },
    Resume {
        link: usize,
        number: u64,
        asked: Option<Instant>,
        arrived: FrameNumber,
    },
    Duplicate {
        link: usize,
    },
    Refuse,
    /// The peer has a session that this side does not have, or has no longer.
    Wait,
}

enum Assessment {
    New,
    Resume { link: usize, arrived: FrameNumber },
    Connected { link: usize },
    Refused,
}

impl World {
    /// Handles a handshake message.
    pub(super) fn introduce(&mut self, end: End, item: Item) {
        let endpoint = self.network.end_mut(end);
        let (life, dial_reason) = (endpoint.life, endpoint.dial_reason);
        match (item, std::mem::replace(&mut endpoint.phase, Phase::Gone)) {
            (Item::Hello(hello), Phase::Hello) => {
                let node = hello.node;
                endpoint.peer = Some(*hello);
                endpoint.phase = Phase::ResumeState;
                match dial_reason {
                    DialReason::None => {
                        let own = Box::new(endpoint.own.clone());
                        let asked = self.local(life);
                        self.network.end_mut(end).asked = asked;
                        self.transmit_item(end, Item::Hello(own));
                    }
                    DialReason::Redial { link } if self.nodes[life].links[link].peer != node => {
                        self.nodes[life].links[link].session.handle_peer_restarted();
                        self.nodes[life].mark_changed(link);
                        return self.close_end(end);
                    }
                    DialReason::Reach { wanted: Some(wanted), .. } if wanted != node => {
                        self.close_end(end);
                        return self.attempt_over(life, dial_reason, None);
                    }
                    DialReason::Redial { .. } | DialReason::Reach { .. } => {}
                }
                let state = self.resume_state(life, end);
                self.transmit_item(end, Item::ResumeState(state));
            }
            (Item::ResumeState(state), Phase::ResumeState) => {
                let Some(peer) = self.network.end(end).peer.as_ref() else { return };
                if self.nodes[life].id > peer.node {
                    self.network.end_mut(end).phase = Phase::ResumeState;
                    let decision = self.decide(life, end, state);
                    self.follow(end, decision);
                } else {
                    self.network.end_mut(end).phase = Phase::Verdict(state);
                }
            }
            (Item::Verdict(verdict), Phase::Verdict(state)) => {
                self.network.end_mut(end).phase = Phase::ResumeState;
                let decision = self.accept(life, end, state, verdict);
                self.follow(end, decision);
            }
            _ => panic!("a handshake message out of order"),
        }
    }

    /// Returns this side's state of its session with the peer, with its proof.
    fn resume_state(&self, life: usize, end: End) -> ResumeState {
        let (node, endpoint) = (&self.nodes[life], self.network.end(end));
        let Some(hello) = &endpoint.peer else { return ResumeState::None };
        let (peer, sides) = (hello.node, Sides { own: &endpoint.own, peer: hello });
        if let Some(link) = node.current.get(&peer) {
            let side = &node.links[*link];
            let session = &side.session;
            return match session.closed() {
                None => {
                    let (received, suspended) = (session.received(), session.is_suspended());
                    ResumeState::live(received, suspended, &side.secret, sides)
                }
                Some(_) => ResumeState::ended(session.code(), &side.secret, sides),
            };
        }
        match node.remembered.get(&peer) {
            Some(ended) => ResumeState::ended(ended.code, &ended.secret, sides),
            None => ResumeState::None,
        }
    }

    fn decide(&mut self, life: usize, end: End, state: ResumeState) -> Decision {
        let (decision, verdict) = match self.assess(life, end, state) {
            Assessment::New => {
                let secret = self.fresh_bytes();
                let link = self.make(life, end, secret);
                (Decision::Accept { link }, Verdict::Accept(secret))
            }
            Assessment::Resume { link, arrived } => {
                let number = self.nodes[life].links[link].next_number();
                let verdict = Verdict::Resume { connection: ConnectionId(number) };
                (Decision::Resume { link, number, asked: None, arrived }, verdict)
            }
            Assessment::Connected { link } => (Decision::Duplicate { link }, Verdict::Duplicate),
            Assessment::Refused => {
                (Decision::Refuse, Verdict::Refuse { code: 0, reason: String::new() })
            }
        };
        self.transmit_item(end, Item::Verdict(verdict));
        decision
    }

    fn accept(&mut self, life: usize, end: End, state: ResumeState, verdict: Verdict) -> Decision {
        match (verdict, self.assess(life, end, state)) {
            (Verdict::Refuse { .. }, _) => Decision::Refuse,
            (
                Verdict::Duplicate,
                Assessment::Connected { link } | Assessment::Resume { link, .. },
            ) => Decision::Duplicate { link },
            (Verdict::Duplicate, _) => Decision::Wait,
            (Verdict::Accept(secret), Assessment::New) => {
                Decision::Accept { link: self.make(life, end, secret) }
            }
            (Verdict::Resume { connection }, Assessment::Resume { link, arrived }) => {
                let asked = Some(self.network.end(end).asked);
                Decision::Resume { link, number: connection.0, asked, arrived }
            }
            _ => Decision::Refuse,
        }
    }

    /// Assesses a connection from this side's state and the peer's.
    fn assess(&mut self, life: usize, end: End, state: ResumeState) -> Assessment {
        let local = self.local(life);
        let endpoint = self.network.end(end);
        let Some(hello) = &endpoint.peer else { return Assessment::Refused };
        let (peer, sides) = (hello.node, Sides { own: hello, peer: &endpoint.own });
        let node = &mut self.nodes[life];
        let Some(link) = node.find(peer) else {
            let remembers = node.current.contains_key(&peer)
                || node.remembered.get(&peer).is_some_and(|ended| ended.until > local);
            return match state {
                ResumeState::Live { received, suspended, .. }
                    if !(remembers || suspended && received.0 == 0) =>
                {
                    Assessment::Refused
                }
                _ => Assessment::New,
            };
        };
        let side = &mut node.links[link];
        let is_proved = state.is_proved(&side.secret, sides);
        let suspended_here = side.session.is_suspended();
        match state {
            ResumeState::Live { received, suspended, .. } if is_proved => {
                if suspended || suspended_here {
                    Assessment::Resume { link, arrived: received }
                } else {
                    Assessment::Connected { link }
                }
            }
            ResumeState::Ended { code, .. } if is_proved => {
                side.session.handle_peer_ended(code);
                node.mark_changed(link);
                Assessment::New
            }
            _ if suspended_here && side.session.received() == FrameNumber(0) => {
                side.session.handle_failure("the peer does not know the session");
                node.mark_changed(link);
                Assessment::New
            }
            _ if !suspended_here => Assessment::Connected { link },
            _ => Assessment::Refused,
        }
    }

    /// Makes a session.
    fn make(&mut self, life: usize, end: End, secret: Secret) -> usize {
        let endpoint = self.network.end(end);
        let Some(hello) = endpoint.peer.clone() else {
            unreachable!("the peer has introduced itself")
        };
        let peer_life = self.network.end(end.other()).life;
        let dialled = match endpoint.dial_reason {
            DialReason::None => None,
            DialReason::Reach { .. } | DialReason::Redial { .. } => {
                Some(self.nodes[peer_life].place)
            }
        };
        let limits = self.nodes[life].limits.clone();
        let granted = Grant { body: hello.grant.body.min(limits.body as u64), ..hello.grant };
        let term = self.nodes[life].lease.min(hello.lease);
        let peer = hello.node;
        let local = self.local(life);
        let session = Session::new(Settings { limits, granted, term }, local);
        let node = &mut self.nodes[life];
        let link = node.links.len();
        // The exports of a former session are released at its end.
        node.current.insert(peer, link);
        node.remembered.remove(&peer);
        node.links.push(Link {
            session,
            peer,
            secret,
            dialled,
            pause: FIRST_PAUSE,
            number: 0,
            assigned: 0,
            attached: None,
            inbox: Default::default(),
            asked: 0,
            queued_requests: Default::default(),
            vouched: Default::default(),
            is_sound: true,
            timer: None,
            will_write: false,
            will_begin: false,
            will_redial: false,
            twin: None,
        });
        let twin = self.nodes[peer_life].links.iter().position(|side| side.secret == secret);
        if let Some(twin) = twin {
            self.nodes[life].links[link].twin = Some((peer_life, twin));
            self.nodes[peer_life].links[twin].twin = Some((life, link));
        }
        link
    }

    fn follow(&mut self, end: End, decision: Decision) {
        let endpoint = self.network.end(end);
        let (life, dial_reason) = (endpoint.life, endpoint.dial_reason);
        let reached = match decision {
            Decision::Accept { link } => {
                self.attach(At { life, link }, end, 1);
                Some(link)
            }
            Decision::Resume { link, number, asked, arrived } => {
                let local = self.local(life);
                let side = &self.nodes[life].links[link];
                if number <= side.number || side.session.closed().is_some() {
                    self.close_end(end);
                } else {
                    self.attach(At { life, link }, end, number);
                    self.tally.resumed += 1;
                    let side = &mut self.nodes[life].links[link];
                    side.session.resume(local, asked, arrived);
                }
                Some(link)
            }
            Decision::Duplicate { link } => {
                self.close_end(end);
                Some(link)
            }
            Decision::Refuse | Decision::Wait => {
                self.close_end(end);
                None
            }
        };
        if let Some(link) = reached {
            self.nodes[life].mark_changed(link);
        }
        self.attempt_over(life, dial_reason, reached);
    }

    fn attach(&mut self, at: At, end: End, number: u64) {
        self.network.end_mut(end).phase = Phase::Attached { link: at.link, number };
        let side = &mut self.nodes[at.life].links[at.link];
        side.number = number;
        side.pause = FIRST_PAUSE;
        if let Some(former) = side.attached.replace(end) {
            self.close_end(former);
        }
    }

    /// Closes one end of a connection. The other end is notified.
    pub(super) fn close_end(&mut self, end: End) {
        let endpoint = self.network.end_mut(end);
        endpoint.phase = Phase::Gone;
        endpoint.pipe.clear();
        endpoint.arrived.clear();
        self.transmit_item(end, Item::Closed);
    }

    /// Notes that one end has detected the loss of its connection.
    pub(super) fn detect_loss(&mut self, end: End) {
        let endpoint = self.network.end_mut(end);
        let (life, dial_reason) = (endpoint.life, endpoint.dial_reason);
        match std::mem::replace(&mut endpoint.phase, Phase::Gone) {
            Phase::Attached { link, number } => {
                let side = &mut self.nodes[life].links[link];
                if side.number == number && !side.session.is_suspended() {
                    side.session.suspend("the connection is lost");
                    self.nodes[life].mark_changed(link);
                }
            }
            Phase::Gone => {}
            Phase::Hello | Phase::ResumeState | Phase::Verdict(_) => {
                self.attempt_over(life, dial_reason, None);
            }
        }
    }
}
