//! Owns a node's side of one session, and what waits in connection with it: messages, calls, answers, wishes.
//!
//! It must not know what is done with them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::agenda::End;
use super::ledger::Purpose;
use super::node::Receiver;
use crate::id::{NodeId, QuestionId, Token};
use crate::session::Session;
use crate::wire::frame::Manner;
use crate::wire::hello::Secret;

/// A message to a far object, and who waits for what.
pub(super) struct Outbound {
    pub(super) purpose: Purpose,
    pub(super) manner: Manner,
    /// How often it was passed on to come here.
    pub(super) nesting: u8,
    /// Held until it is sent.
    pub(super) references: Vec<Receiver>,
    pub(super) size: usize,
    pub(super) waits: Waits,
}

/// Who waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waits {
    /// The application, for its call.
    Caller(usize),
    /// A peer for whom this node forwards.
    Peer {
        link: usize,
        question: QuestionId,
        manner: Manner,
    },
    Lookup,
    /// Nobody; but it is to be sent at once.
    Vouch(Token),
    /// A proxy, for a token from the node at the end of this session.
    Introduction {
        proxy: usize,
        giver: usize,
    },
    /// A proxy, to be told where its owner is.
    Address {
        proxy: usize,
        token: Token,
    },
    /// A proxy, for a shorter way.
    Claim {
        proxy: usize,
        token: Token,
    },
    /// A proxy, for everything that it sent the old way.
    Settle(usize),
}

impl Waits {
    /// The proxy that looks for a shorter way by this.
    pub(super) fn seeker(self) -> Option<usize> {
        match self {
            Waits::Introduction { proxy, .. }
            | Waits::Address { proxy, .. }
            | Waits::Claim { proxy, .. } => Some(proxy),
            _ => None,
        }
    }
}

/// A message that is sent, and not yet answered.
pub(super) struct Waiter {
    pub(super) link: usize,
    pub(super) question: QuestionId,
    pub(super) message: usize,
    pub(super) waits: Waits,
}

/// A call that arrived, and is not yet begun.
pub(super) struct Delivery {
    pub(super) question: QuestionId,
    pub(super) manner: Manner,
    pub(super) nesting: u8,
    /// Nothing if its caller gave up meanwhile.
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

/// One session of a node's.
pub(super) struct Link {
    pub(super) session: Session,
    pub(super) peer: NodeId,
    pub(super) secret: Secret,
    /// Where its connection was made to, if this side made it.
    pub(super) dialled: Option<usize>,
    pub(super) pause: Duration,
    /// The number of its connection, and the greatest that it gave to one.
    pub(super) number: u64,
    pub(super) given: u64,
    pub(super) attached: Option<End>,
    pub(super) inbox: VecDeque<Delivery>,
    /// How many tokens the peer is being asked for, and for which proxies it will be when one of them is answered.
    pub(super) asked: u64,
    pub(super) to_ask: VecDeque<usize>,
    /// Whether its lease ran when the node was last stopped, on the connection that it still has: for the model only.
    pub(super) is_sound: bool,
    /// For when it is entered in the agenda.
    pub(super) timer: Option<Duration>,
    pub(super) will_write: bool,
    pub(super) will_begin: bool,
    pub(super) will_redial: bool,
    /// The other side of it: for the model only.
    pub(super) twin: Option<(usize, usize)>,
}

impl Link {
    /// A number for the next connection: of two both sides take the same.
    pub(super) fn next_number(&mut self) -> u64 {
        self.given = self.given.max(self.number) + 1;
        self.given
    }
}

/// A session that is over, as long as the peer must be able to know that.
pub(super) struct Remembered {
    pub(super) secret: Secret,
    pub(super) code: u64,
    pub(super) until: Instant,
}

/// A claim that waits for what it claims.
pub(super) struct Early {
    pub(super) token: Token,
    pub(super) claimant: Claimant,
    pub(super) until: Instant,
}

/// Who claims an object of a node's.
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

/// Who asked for a token for this proxy, which it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Asking {
    pub(super) link: usize,
    pub(super) question: QuestionId,
    pub(super) proxy: usize,
}

/// What needs a session that is not there yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wish {
    pub(super) place: usize,
    pub(super) waits: Waits,
}
