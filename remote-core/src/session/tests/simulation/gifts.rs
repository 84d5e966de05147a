//! Owns objects that were handed on and not yet claimed: each for one recipient, for one term, once.
//!
//! It must not know sessions.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ledger::Token;
use crate::id::{NodeId, ObjectId};

struct Gift {
    recipient: NodeId,
    object: ObjectId,
    until: Instant,
}

/// What becomes of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Claimed {
    Object(ObjectId),
    /// Nobody has vouched yet: the claim may wait until then.
    Unknown,
    /// It is meant for somebody else.
    Refused,
}

/// The gifts of one node.
pub(super) struct Gifts {
    term: Duration,
    gifts: BTreeMap<Token, Gift>,
}

impl Gifts {
    pub(super) fn new(term: Duration) -> Gifts {
        Gifts { term, gifts: BTreeMap::new() }
    }

    pub(super) fn vouch(
        &mut self,
        token: Token,
        recipient: NodeId,
        object: ObjectId,
        now: Instant,
    ) {
        let until = now + self.term;
        self.gifts.insert(token, Gift { recipient, object, until });
    }

    pub(super) fn claim(&mut self, token: Token, claimant: NodeId, now: Instant) -> Claimed {
        match self.gifts.get(&token) {
            None => Claimed::Unknown,
            Some(gift) if gift.recipient != claimant || now >= gift.until => Claimed::Refused,
            Some(gift) => {
                let object = gift.object;
                self.gifts.remove(&token);
                Claimed::Object(object)
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.gifts.values().map(|gift| gift.until).min()
    }

    /// The objects whose gifts have had their time.
    pub(super) fn time_out(&mut self, now: Instant) -> Vec<ObjectId> {
        let mut gone = Vec::new();
        self.gifts.retain(|_, gift| {
            let stays = now < gift.until;
            if !stays {
                gone.push(gift.object);
            }
            stays
        });
        gone
    }

    pub(super) fn len(&self) -> usize {
        self.gifts.len()
    }

    /// How many gifts pin an object.
    pub(super) fn pins(&self, object: ObjectId) -> u64 {
        self.gifts.values().filter(|gift| gift.object == object).count() as u64
    }
}
