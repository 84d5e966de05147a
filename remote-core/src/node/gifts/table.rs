//! The table of gifts: objects that are kept for a third node until it claims them. It is the owner's side of a hand-off.
//!
//! It must not know objects, nor read a clock. A gift keeps its object alive, independent of the node that vouched for it. It
//! can be claimed once, by one recipient, and for a limited time. (E and OCapN call this a gift; the pin in transit is that of
//! Moreau, Dickman and Jones 2005.)

use std::time::{Duration, Instant};

use foldhash::HashMap;

use crate::id::{NodeId, Token};

/// The gifts that are not claimed yet.
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
    Granted(O),
    /// There is no such gift, perhaps because the claim has arrived before the vouch.
    Unknown,
    /// The gift is for another recipient.
    Refused,
}

impl<O: Clone> Gifts<O> {
    /// Makes a table with a maximum number of gifts.
    pub(crate) fn new(limit: usize) -> Gifts<O> {
        Gifts { open: HashMap::default(), limit }
    }

    /// Adds a gift for a recipient, which claims it with the token. Returns the object if there are too many gifts, or the
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

    /// Claims a gift. The identity of the claimant is that of its session.
    pub(crate) fn claim(&mut self, now: Instant, token: Token, claimant: NodeId) -> Claimed<O> {
        match self.open.get(&token) {
            Some(gift) if gift.until <= now => Claimed::Unknown,
            None => Claimed::Unknown,
            Some(gift) if gift.recipient != claimant => Claimed::Refused,
            Some(_) => match self.open.remove(&token) {
                Some(gift) => Claimed::Granted(gift.object),
                None => Claimed::Unknown,
            },
        }
    }

    /// Returns the object of a gift whose recipient sends its owner a reference with the token. The gift remains.
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

    /// Removes the expired gifts, and returns their objects.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<O> {
        let over: Vec<Token> = self
            .open
            .iter()
            .filter(|(_, gift)| gift.until <= now)
            .map(|(token, _)| *token)
            .collect();
        over.iter().filter_map(|token| self.open.remove(token)).map(|gift| gift.object).collect()
    }

    /// Returns the time at which to call `expire` next; `None` if there are no gifts.
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
    fn a_gift_is_claimed_once_by_its_recipient() {
        let (now, mut gifts) = (Instant::now(), Gifts::new(10));
        assert_eq!(gifts.claim(now, token(1), node(2)), Claimed::Unknown, "not yet");
        gifts.vouch((now, TERM), token(1), (node(1), node(2)), "x").unwrap();
        assert_eq!(gifts.claim(now, token(1), node(3)), Claimed::Refused);
        assert_eq!(gifts.recognize(token(1), node(2)), Some("x"));
        assert_eq!(gifts.recognize(token(1), node(3)), None);
        assert_eq!(gifts.claim(now, token(1), node(2)), Claimed::Granted("x"));
        assert_eq!(gifts.claim(now, token(1), node(2)), Claimed::Unknown, "only once");
        assert_eq!(gifts.poll_timeout(), None);
    }

    #[test]
    fn an_unclaimed_gift_expires() {
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
        assert_eq!(gifts.claim(now, token(1), node(2)), Claimed::Granted("x"));
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
