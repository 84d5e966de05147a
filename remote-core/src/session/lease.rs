//! Owns how long the two sides of a session may count on each other: for as long as each is heard, and hears so.
//!
//! It must not read a clock, nor know what is held under it: one lease serves any number of references, each way. The
//! two sides count differently, so that no holder relies on what its owner may have let go (Gray and Cheriton 1989): the
//! holder from when it *sent* the newest frame that was acknowledged, and only for 0.9 of the term; the owner from when it
//! *received* anything, and for 1.25 of it. Clocks may differ by a tenth of the term over a term. A side that finds an end
//! passed may have been stopped itself, and so reads what waits before it lets go: for a twentieth of the term.

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
    /// The end that was found to have passed, and when.
    found: Option<(Role, Instant)>,
    /// Nothing is checked again before this time: the connection cannot be read for the moment.
    postponed: Instant,
}

/// As what a side counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Holder,
    Owner,
    /// Of what is kept until it is acknowledged.
    Sender,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    Nothing,
    /// A frame that is acknowledged at once.
    Renewal,
    /// It is over: for what the peer owns, or for what the peer holds.
    End,
    /// It is over unless this side was stopped itself: what waits is read first.
    Reading,
}

/// Whether anything of the peer's is relied on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holding {
    Something,
    Nothing,
}

/// Says if the connection is being read. While it is not, missing input does not count as silence of the peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reads {
    Active,
    Blocked,
}

impl Lease {
    pub(super) fn new(term: Duration, now: Instant) -> Lease {
        Lease { term, confirmed: now, renewed: now, heard: now, found: None, postponed: now }
    }

    pub(super) fn term(&self) -> Duration {
        self.term
    }

    /// The peer was heard.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.found = self.found.filter(|(role, _)| *role != Role::Owner);
    }

    /// Something that was sent at this time has arrived.
    pub(super) fn confirm(&mut self, sent: Instant) {
        if sent > self.confirmed {
            self.confirmed = sent;
            self.found = self.found.filter(|(role, _)| *role == Role::Owner);
        }
    }

    /// A renewal is being sent.
    pub(super) fn renew(&mut self, now: Instant) {
        self.renewed = now;
    }

    pub(super) fn due(&mut self, now: Instant, holding: Holding, reads: Reads) -> Due {
        let passed = if self.is_over_for_holder(now, holding) {
            Some(Role::Holder)
        } else {
            let unheard = Some(Role::Owner).filter(|_| now >= self.owner_end());
            unheard.or(Some(Role::Sender).filter(|_| now >= self.sender_end()))
        };
        let Some(role) = passed.filter(|_| reads == Reads::Active) else {
            self.found = None;
            if passed.is_some() {
                self.postponed = now + self.sweep();
            }
            return if now >= self.renewal() { Due::Renewal } else { Due::Nothing };
        };
        let since = match self.found {
            Some((found, since)) if found == role => since,
            _ => now,
        };
        self.found = Some((role, since));
        if now < since + self.sweep() { Due::Reading } else { Due::End }
    }

    /// Whether what the peer owns can be relied on no more, whatever may still be read.
    pub(super) fn is_over_for_holder(&self, now: Instant, holding: Holding) -> bool {
        holding == Holding::Something && now >= self.holder_end()
    }

    /// Whether what waits is read before anything is relied on again.
    pub(super) fn is_reading(&self, holding: Holding) -> bool {
        holding == Holding::Something && matches!(self.found, Some((Role::Holder, _)))
    }

    /// When to ask again.
    pub(super) fn next(&self, holding: Holding) -> Instant {
        match (self.found, holding) {
            // What was relied on is no more.
            (None, _) | (Some((Role::Holder, _)), Holding::Nothing) => {}
            (Some((_, since)), _) => return since + self.sweep(),
        }
        let end = match holding {
            Holding::Something => self.owner_end().min(self.sender_end()).min(self.holder_end()),
            Holding::Nothing => self.owner_end().min(self.sender_end()),
        };
        self.renewal().min(end.max(self.postponed))
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

    /// Until when a side that relies on nothing waits for the peer to say what has arrived: one that never does would have
    /// its answers kept for ever.
    fn sender_end(&self) -> Instant {
        self.confirmed + self.term * 5 / 4
    }

    /// Until when the peer may rely on what this side has.
    pub(super) fn owner_end(&self) -> Instant {
        self.heard + self.term * 5 / 4
    }

    /// For how long a side reads what waits, before it lets go.
    fn sweep(&self) -> Duration {
        self.term / 20
    }
}

#[cfg(test)]
mod tests {
    use super::Due::{End, Nothing, Reading, Renewal};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn due(lease: &mut Lease, now: Instant) -> Due {
        lease.due(now, Holding::Something, Reads::Active)
    }

    #[test]
    fn each_side_counts_from_what_it_knows() {
        let begin = Instant::now();
        let mut lease = Lease::new(30 * SECOND, begin);
        assert_eq!(due(&mut lease, begin + 9 * SECOND), Nothing);
        assert_eq!(lease.next(Holding::Something), begin + 10 * SECOND);
        assert_eq!(due(&mut lease, begin + 10 * SECOND), Renewal);
        lease.renew(begin + 10 * SECOND);
        assert_eq!(due(&mut lease, begin + 19 * SECOND), Nothing);
        assert_eq!(due(&mut lease, begin + 27 * SECOND), Reading);
        lease.confirm(begin + 20 * SECOND);
        assert_eq!(due(&mut lease, begin + 38 * SECOND), Reading, "not heard for 1.25 terms");
        assert_eq!(due(&mut lease, begin + 39 * SECOND + SECOND / 2), End);
        lease.heard(begin + 38 * SECOND);
        assert_eq!(due(&mut lease, begin + 38 * SECOND), Renewal);
        assert_eq!(lease.left(begin + 40 * SECOND), 7 * SECOND);
    }

    #[test]
    fn who_holds_nothing_counts_as_an_owner_alone() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        lease.renew(begin + 18 * SECOND);
        let mut due = |at| lease.due(begin + at, Holding::Nothing, Reads::Active);
        assert_eq!(due(18 * SECOND), Nothing);
        assert_eq!(due(25 * SECOND), Reading);
        assert_eq!(due(26 * SECOND), End);
    }

    #[test]
    fn who_was_stopped_reads_before_it_lets_go() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        let late = begin + 60 * SECOND;
        assert_eq!(due(&mut lease, late), Reading);
        assert!(lease.is_reading(Holding::Something));
        assert_eq!(due(&mut lease, late + SECOND / 2), Reading);
        lease.confirm(begin + 50 * SECOND);
        assert!(!lease.is_reading(Holding::Something));
        assert_eq!(due(&mut lease, late + SECOND / 2), Reading, "as an owner it was not heard");
        lease.heard(late + SECOND / 2);
        assert_eq!(due(&mut lease, late + SECOND), Renewal);
    }

    #[test]
    fn who_hears_the_peer_need_not_read_on_as_an_owner_but_as_a_holder() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        lease.confirm(begin + 24 * SECOND);
        let now = begin + 25 * SECOND;
        assert_eq!(lease.due(now, Holding::Nothing, Reads::Active), Reading);
        lease.heard(now);
        assert_eq!(lease.next(Holding::Nothing), begin + 24 * SECOND + 20 * SECOND / 3);
        let now = begin + 42 * SECOND;
        assert_eq!(due(&mut lease, now), Reading);
        lease.heard(now);
        assert!(lease.is_reading(Holding::Something), "whether it was heard is not yet known");
    }

    #[test]
    fn what_is_found_in_vain_is_the_end() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        assert_eq!(due(&mut lease, begin + 60 * SECOND), Reading);
        assert_eq!(lease.next(Holding::Something), begin + 61 * SECOND);
        lease.confirm(begin); // It is no news.
        assert_eq!(due(&mut lease, begin + 61 * SECOND), End);
    }

    #[test]
    fn who_cannot_hear_ends_nothing_and_renews() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        let now = begin + 60 * SECOND;
        assert_eq!(lease.due(now, Holding::Something, Reads::Blocked), Renewal);
        lease.renew(now);
        assert_eq!(lease.next(Holding::Something), now + SECOND);
        assert_eq!(due(&mut lease, now + SECOND), Reading, "it could not hear until now");
    }

    #[test]
    fn who_relies_on_nothing_any_more_is_not_kept_reading() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        lease.heard(begin + 18 * SECOND);
        assert_eq!(due(&mut lease, begin + 18 * SECOND), Reading);
        assert!(lease.is_reading(Holding::Something) && !lease.is_reading(Holding::Nothing));
        let later = begin + 20 * SECOND;
        assert_eq!(lease.due(later, Holding::Nothing, Reads::Active), Renewal);
        lease.renew(later);
        assert!(!lease.is_reading(Holding::Something));
        assert!(lease.next(Holding::Nothing) > later, "nothing is left to be seen to");
    }

    #[test]
    fn each_end_that_is_found_has_its_time_to_read() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        let now = begin + 25 * SECOND;
        assert_eq!(lease.due(now, Holding::Nothing, Reads::Active), Reading);
        let later = now + SECOND;
        assert_eq!(due(&mut lease, later), Reading, "it relies on something by now");
        assert!(lease.next(Holding::Something) > later);
        assert_eq!(due(&mut lease, later + SECOND), End);
    }
}
