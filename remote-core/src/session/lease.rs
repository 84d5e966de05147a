//! Owns how long the two sides of a session may count on each other: for as long as each is heard, and hears so.
//!
//! It must not read a clock, nor know what is held under it: one lease serves any number of references, each way. The
//! two sides count differently, so that no holder relies on what its owner may have let go (Gray and Cheriton 1989): the
//! holder from when it *sent* the newest frame that was acknowledged, and only for 0.9 of the term; the owner from when it
//! *received* anything, and for 1.25 of it. Clocks may differ by a tenth of the term over a term.

use std::time::{Duration, Instant};

/// Both sides of the lease.
pub(super) struct Lease {
    term: Duration,
    /// When the newest frame that was acknowledged had been sent.
    confirmed: Instant,
    /// When a renewal was sent that may still be acknowledged.
    renewed: Instant,
    /// When the peer was last heard.
    heard: Instant,
    /// When it was noticed that the peer was not heard for too long: it may be that this side did not listen.
    doubted: Option<Instant>,
    /// Until then nothing is looked at again: this side cannot hear for the moment.
    postponed: Instant,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    Nothing,
    /// A frame that is acknowledged at once.
    Renewal,
    /// It is over, as far as what the peer owns is concerned.
    HolderEnd,
    /// It is over for the peer, if nothing of its waits to be read.
    OwnerEnd,
}

impl Lease {
    pub(super) fn new(term: Duration, now: Instant) -> Lease {
        Lease { term, confirmed: now, renewed: now, heard: now, doubted: None, postponed: now }
    }

    pub(super) fn term(&self) -> Duration {
        self.term
    }

    /// The peer was heard.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.doubted = None;
    }

    /// Something that was sent at this time has arrived.
    pub(super) fn confirm(&mut self, sent: Instant) {
        self.confirmed = self.confirmed.max(sent);
    }

    /// A renewal is being sent.
    pub(super) fn renew(&mut self, now: Instant) {
        self.renewed = now;
    }

    pub(super) fn due(&self, now: Instant) -> Due {
        if now >= self.holder_end() {
            Due::HolderEnd
        } else if now >= self.owner_end() {
            Due::OwnerEnd
        } else if now >= self.renewal() {
            Due::Renewal
        } else {
            Due::Nothing
        }
    }

    /// Whether it is past doubt that the peer was not heard in time: there was time enough to read what waited.
    pub(super) fn is_past_doubt(&mut self, now: Instant) -> bool {
        now >= *self.doubted.get_or_insert(now) + self.sweep()
    }

    /// When to ask again.
    pub(super) fn next(&self) -> Instant {
        let owner_end = match self.doubted {
            Some(doubted) => doubted + self.sweep(),
            None => self.owner_end(),
        };
        self.renewal().min(owner_end).min(self.holder_end()).max(self.postponed)
    }

    /// Nothing can be said of the peer as long as this side cannot hear.
    pub(super) fn postpone(&mut self, now: Instant) {
        self.postponed = now + self.sweep();
    }

    /// For how long the peer's references are good, if nothing more is heard.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.holder_end().saturating_duration_since(now)
    }

    fn renewal(&self) -> Instant {
        self.confirmed.max(self.renewed) + self.term / 3
    }

    fn holder_end(&self) -> Instant {
        self.confirmed + self.term * 9 / 10
    }

    fn owner_end(&self) -> Instant {
        self.heard + self.term * 5 / 4
    }

    /// For how long a side that finds itself late reads what waits, before it lets go.
    fn sweep(&self) -> Duration {
        self.term / 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_counts_from_what_it_knows() {
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let mut lease = Lease::new(30 * second, begin);
        assert_eq!((lease.due(begin + 9 * second), lease.next()), (Due::Nothing, begin + 10 * second));
        assert_eq!(lease.due(begin + 10 * second), Due::Renewal);
        lease.renew(begin + 10 * second);
        assert_eq!(lease.due(begin + 19 * second), Due::Nothing);
        assert_eq!(lease.due(begin + 27 * second), Due::HolderEnd);
        lease.confirm(begin + 20 * second);
        assert_eq!(lease.due(begin + 38 * second), Due::OwnerEnd);
        lease.heard(begin + 38 * second);
        assert_eq!(lease.due(begin + 38 * second), Due::Renewal);
        assert_eq!(lease.left(begin + 40 * second), 7 * second);
    }

    #[test]
    fn who_was_late_itself_reads_before_it_lets_go() {
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let mut lease = Lease::new(20 * second, begin);
        let late = begin + 60 * second;
        assert!(!lease.is_past_doubt(late));
        assert!(!lease.is_past_doubt(late + second / 2));
        assert!(lease.is_past_doubt(late + second));
        lease.heard(late + second);
        assert!(!lease.is_past_doubt(late + 30 * second));
    }
}
