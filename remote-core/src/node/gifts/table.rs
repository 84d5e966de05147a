//! The table of gifts: objects that a peer vouched for, until the recipient claims them. It is the owner's side of a hand-off
//! between three nodes.
//!
//! It must not know objects, nor read a clock. A gift keeps its object alive by itself, whatever becomes of the giver. It can be
//! claimed once, by one recipient, and for a limited time (E and OCapN call this a gift; the pin in transit is that of Moreau,
//! Dickman and Jones 2005).

use std::time::{Duration, Instant};

use foldhash::HashMap;

use crate::id::{NodeId, Token};

/// The gifts that wait to be claimed.
pub(crate) struct Gifts<O> {
    open: HashMap<Token, Gift<O>>,
    limit: usize,
}

struct Gift<O> {
    object: O,
    giver: NodeId,
    recipient: NodeId,
    until: Instant,
}

/// The result of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claimed<O> {
    Given(O),
    /// Nobody has vouched for it, or not yet: the claim may have overtaken the vouching.
    Unknown,
    /// It is for another recipient.
    Refused,
}

impl<O: Clone> Gifts<O> {
    /// Makes a table with a limit on gifts that wait at once.
    pub(crate) fn new(limit: usize) -> Gifts<O> {
        Gifts { open: HashMap::default(), limit }
    }

    /// Adds a gift: the recipient that shows the token may have the object. Returns the object if too many gifts wait, or the
    /// token is in use.
    pub(crate) fn vouch(
        &mut self,
        (now, term): (Instant, Duration),
        token: Token,
        (giver, recipient): (NodeId, NodeId),
        object: O,
    ) -> Result<(), O> {
        if self.open.len() >= self.limit || self.open.contains_key(&token) {
            return Err(object);
        }
        self.open.insert(token, Gift { object, giver, recipient, until: now + term });
        Ok(())
    }

    /// Claims a gift. The session has proved who the claimant is.
    pub(crate) fn claim(&mut self, now: Instant, token: Token, claimant: NodeId) -> Claimed<O> {
        match self.open.get(&token) {
            Some(gift) if gift.until <= now => Claimed::Unknown,
            None => Claimed::Unknown,
            Some(gift) if gift.recipient != claimant => Claimed::Refused,
            Some(_) => match self.open.remove(&token) {
                Some(gift) => Claimed::Given(gift.object),
                None => Claimed::Unknown,
            },
        }
    }

    /// Returns the object of a gift that its recipient names to this node, its owner. The gift stays.
    pub(crate) fn recognize(&self, token: Token, claimant: NodeId) -> Option<O> {
        let gift = self.open.get(&token).filter(|gift| gift.recipient == claimant)?;
        Some(gift.object.clone())
    }

    /// Removes a gift, if the giver vouched for it. Returns its object.
    pub(crate) fn withdraw(&mut self, token: Token, giver: NodeId) -> Option<O> {
        self.open.get(&token).filter(|gift| gift.giver == giver)?;
        self.open.remove(&token).map(|gift| gift.object)
    }

    /// Returns the number of gifts that wait.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Removes the gifts that nobody claimed in time, and returns their objects.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<O> {
        let over: Vec<Token> = self
            .open
            .iter()
            .filter(|(_, gift)| gift.until <= now)
            .map(|(token, _)| *token)
            .collect();
        over.iter().filter_map(|token| self.open.remove(token)).map(|gift| gift.object).collect()
    }

    /// Returns when `expire` is to be called next; `None` if no gift waits.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.open.values().map(|gift| gift.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: Duration = Duration::from_secs(30);

    fn node(number: u8) -> NodeId {
        NodeId::from_bytes([number; 16])
    }

    fn token(number: u8) -> Token {
        Token::from_bytes([number; 16])
    }

    #[test]
    fn a_gift_is_given_once_to_whom_it_is_for() {
        let (now, mut gifts) = (Instant::now(), Gifts::new(10));
        assert_eq!(gifts.claim(now, token(1), node(2)), Claimed::Unknown, "not yet");
        gifts.vouch((now, TERM), token(1), (node(1), node(2)), "x").unwrap();
        assert_eq!(gifts.claim(now, token(1), node(3)), Claimed::Refused);
        assert_eq!(gifts.recognize(token(1), node(2)), Some("x"));
        assert_eq!(gifts.recognize(token(1), node(3)), None);
        assert_eq!(gifts.claim(now, token(1), node(2)), Claimed::Given("x"));
        assert_eq!(gifts.claim(now, token(1), node(2)), Claimed::Unknown, "only once");
        assert_eq!(gifts.poll_timeout(), None);
    }

    #[test]
    fn a_gift_that_nobody_claims_goes_when_its_time_is_over() {
        let (now, mut gifts) = (Instant::now(), Gifts::new(10));
        gifts.vouch((now, TERM), token(1), (node(1), node(2)), "x").unwrap();
        gifts.vouch((now, 2 * TERM), token(2), (node(1), node(2)), "y").unwrap();
        assert_eq!(gifts.poll_timeout(), Some(now + TERM));
        assert_eq!(gifts.claim(now + TERM, token(1), node(2)), Claimed::Unknown);
        assert_eq!(gifts.expire(now + TERM), ["x"]);
        assert_eq!(gifts.poll_timeout(), Some(now + 2 * TERM));
    }

    #[test]
    fn so_many_gifts_wait_and_no_more() {
        let (now, mut gifts) = (Instant::now(), Gifts::new(1));
        gifts.vouch((now, TERM), token(1), (node(1), node(2)), "x").unwrap();
        assert_eq!(gifts.vouch((now, TERM), token(2), (node(1), node(2)), "y"), Err("y"));
        assert_eq!(gifts.claim(now, token(1), node(2)), Claimed::Given("x"));
        assert_eq!(gifts.vouch((now, TERM), token(2), (node(1), node(2)), "y"), Ok(()));
        assert_eq!(gifts.vouch((now, TERM), token(2), (node(1), node(3)), "z"), Err("z"), "in use");
        let mut gifts = Gifts::new(3);
        for number in 0..3 {
            assert_eq!(gifts.len(), usize::from(number));
            assert_eq!(gifts.vouch((now, TERM), token(number), (node(1), node(2)), "x"), Ok(()));
        }
        assert_eq!(gifts.expire(now + TERM).len(), 3);
        assert_eq!(gifts.len(), 0);
    }
}
