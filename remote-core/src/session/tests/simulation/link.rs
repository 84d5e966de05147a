//! A node's side of one session, and what belongs to it: messages, calls, answers, connect requests.
//!
//! It must not handle them.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::agenda::End;
use super::ledger::Purpose;
use super::node::Receiver;
use crate::id::{NodeId, ObjectId, QuestionId, Token};
use crate::session::Session;
use crate::wire::frame::Manner;
use crate::wire::hello::Secret;

/// A message to a far object, and its waiter.
pub(super) struct Outbound {
    pub(super) purpose: Purpose,
    pub(super) manner: Manner,
    /// The number of times that it was forwarded.
    pub(super) nesting: u8,
    /// Held until the message is sent.
    pub(super) references: Vec<Receiver>,
    pub(super) size: usize,
    pub(super) waits: Waits,
}

/// The waiter for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waits {
    /// The application, for its call.
    Caller(usize),
    /// A peer for which this node forwards.
    Peer {
        link: usize,
        question: QuestionId,
        manner: Manner,
    },
    Lookup,
    /// None; the message must be sent at once.
    Vouch(Token),
    /// None.
    Withdraw(Token),
    /// A proxy that requests a token from the node at the end of this session.
    Introduction {
        proxy: usize,
        giver: usize,
    },
    /// A proxy that requests the address of its owner.
    Address {
        proxy: usize,
        token: Token,
    },
    /// A proxy that claims its object.
    Claim {
        proxy: usize,
        token: Token,
    },
    /// A proxy that settles its forwarded path.
    Settle(usize),
}

impl Waits {
    /// Returns the proxy whose path is being shortened by this.
    pub(super) fn shortening_proxy(self) -> Option<usize> {
        match self {
            Waits::Introduction { proxy, .. }
            | Waits::Address { proxy, .. }
            | Waits::Claim { proxy, .. } => Some(proxy),
            _ => None,
        }
    }
}

/// A message that was sent and is not yet answered.
pub(super) struct Waiter {
    pub(super) link: usize,
    pub(super) question: QuestionId,
    pub(super) message: usize,
    pub(super) waits: Waits,
}

/// A call that has arrived and is not yet started.
pub(super) struct Delivery {
    pub(super) question: QuestionId,
    pub(super) manner: Manner,
    pub(super) nesting: u8,
    /// `None` if it was cancelled meanwhile.
    pub(super) receiver: Option<Receiver>,
    pub(super) references: Vec<Receiver>,
    pub(super) purpose: Purpose,
    pub(super) size: usize,
}

/// A call that runs.
pub(super) struct Running {
    pub(super) link: usize,
    pub(super) question: QuestionId,
    pub(super) manner: Manner,
    pub(super) receiver: Receiver,
}

/// One session of a node.
pub(super) struct Link {
    pub(super) session: Session,
    pub(super) peer: NodeId,
    pub(super) secret: Secret,
    /// The place to which this side dials, if it dialled.
    pub(super) dialled: Option<usize>,
    pub(super) pause: Duration,
    /// The number of its connection, and the greatest number that it has assigned.
    pub(super) number: u64,
    pub(super) assigned: u64,
    pub(super) attached: Option<End>,
    pub(super) inbox: VecDeque<Delivery>,
    /// The number of pending token requests to the peer, and the proxies for which the next ones will be.
    pub(super) asked: u64,
    pub(super) queued_requests: VecDeque<usize>,
    /// The tokens that were passed to the peer, by the number under which this side forwards.
    pub(super) vouched: BTreeMap<ObjectId, Vec<(NodeId, Token)>>,
    /// True if its lease was valid when the node was last stopped, on the same connection; for the checks only.
    pub(super) is_sound: bool,
    /// The time for which its timer is in the agenda.
    pub(super) timer: Option<Duration>,
    pub(super) will_write: bool,
    pub(super) will_begin: bool,
    pub(super) will_redial: bool,
    /// The other side of the session; for the checks only.
    pub(super) twin: Option<(usize, usize)>,
}

impl Link {
    /// Notes a token for a reference that is passed to the peer.
    pub(super) fn note_vouched(&mut self, object: ObjectId, owner: NodeId, token: Token) {
        self.vouched.entry(object).or_default().push((owner, token));
    }

    /// Returns a number for the next connection. Of two connections, both sides use the one with the greater number.
    pub(super) fn next_number(&mut self) -> u64 {
        self.assigned = self.assigned.max(self.number) + 1;
        self.assigned
    }
}

/// An ended session, remembered as long as the peer may try to resume it.
pub(super) struct Remembered {
    pub(super) secret: Secret,
    pub(super) code: u64,
    pub(super) until: Instant,
}

/// A claim that has arrived before its gift.
pub(super) struct EarlyClaim {
    pub(super) token: Token,
    pub(super) claimant: Claimant,
    pub(super) until: Instant,
}

/// The claimant of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Claimant {
    Peer {
        link: usize,
        question: QuestionId,
    },
    /// The node itself, for this proxy.
    Own {
        proxy: usize,
    },
}

/// A peer's request for a token for this proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TokenRequest {
    pub(super) link: usize,
    pub(super) question: QuestionId,
    pub(super) proxy: usize,
}

/// A request that needs a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SessionRequest {
    pub(super) place: usize,
    pub(super) waits: Waits,
}
