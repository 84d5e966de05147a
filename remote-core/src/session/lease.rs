//! The lease between the two sides of a session: how long each may rely on the other.
//!
//! It must not read a clock, nor know the references: one lease serves all references in both directions. The two sides
//! count differently, so that no holder relies on an object that the owner may have dropped (Gray and Cheriton 1989). The
//! holder counts 0.9 of the term from when it *sent* the newest acknowledged frame. The owner counts 1.25 of the term from
//! when it last *received* anything. So the rates of the clocks may differ by a tenth. A side whose lease expires may
//! itself have been stopped: it first handles the input that waits, for a grace period of a twentieth of the term.

use std::time::{Duration, Instant};

/// The lease, for both roles of this side.
pub(super) struct Lease {
    term: Duration,
    /// The time at which the newest acknowledged frame was sent.
    confirmed: Instant,
    /// The time at which the last renewal was sent.
    renewed: Instant,
    /// The time at which input last arrived.
    last_input: Instant,
    /// The expiry whose grace period runs, and its begin.
    grace: Option<(Role, Instant)>,
    /// The time of the next check, while the connection cannot be read.
    postponed: Instant,
}

/// The role in which this side counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Holder,
    Owner,
    /// The sender of frames that are kept until they are acknowledged.
    Sender,
}

/// The next action for the lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    Nothing,
    /// Send a frame that is acknowledged at once.
    Renewal,
    /// The lease has expired.
    Expired,
    /// The lease has expired unless this side was stopped: the grace period runs, in which waiting input is handled.
    GracePeriod,
}

/// Says if this side relies on objects or answers of the peer.
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
        Lease { term, confirmed: now, renewed: now, last_input: now, grace: None, postponed: now }
    }

    pub(super) fn term(&self) -> Duration {
        self.term
    }

    /// Notes that input has arrived.
    pub(super) fn note_input(&mut self, now: Instant) {
        self.last_input = now;
        self.grace = self.grace.filter(|(role, _)| *role != Role::Owner);
    }

    /// Notes that a frame that was sent at this time was acknowledged.
    pub(super) fn confirm(&mut self, sent: Instant) {
        if sent > self.confirmed {
            self.confirmed = sent;
            self.grace = self.grace.filter(|(role, _)| *role == Role::Owner);
        }
    }

    /// Notes that a renewal is being sent.
    pub(super) fn renew(&mut self, now: Instant) {
        self.renewed = now;
    }

    pub(super) fn due(&mut self, now: Instant, holding: Holding, reads: Reads) -> Due {
        let passed = if self.is_over_for_holder(now, holding) {
            Some(Role::Holder)
        } else {
            let silent = Some(Role::Owner).filter(|_| now >= self.owner_end());
            silent.or(Some(Role::Sender).filter(|_| now >= self.sender_end()))
        };
        let Some(role) = passed.filter(|_| reads == Reads::Active) else {
            self.grace = None;
            if passed.is_some() {
                self.postponed = now + self.grace_period();
            }
            return if now >= self.renewal() { Due::Renewal } else { Due::Nothing };
        };
        let since = match self.grace {
            Some((grace, since)) if grace == role => since,
            _ => now,
        };
        self.grace = Some((role, since));
        if now < since + self.grace_period() { Due::GracePeriod } else { Due::Expired }
    }

    /// Returns true if the lease on the peer's objects has expired, even if input waits.
    pub(super) fn is_over_for_holder(&self, now: Instant, holding: Holding) -> bool {
        holding == Holding::Something && now >= self.holder_end()
    }

    /// Returns true while the grace period of a holder runs: until it ends, nothing is sent.
    pub(super) fn in_grace_period(&self, holding: Holding) -> bool {
        holding == Holding::Something && matches!(self.grace, Some((Role::Holder, _)))
    }

    /// Returns the time of the next check.
    pub(super) fn next(&self, holding: Holding) -> Instant {
        match (self.grace, holding) {
            // No grace period runs, or the holder relies on nothing any more.
            (None, _) | (Some((Role::Holder, _)), Holding::Nothing) => {}
            (Some((_, since)), _) => return since + self.grace_period(),
        }
        let end = match holding {
            Holding::Something => self.owner_end().min(self.sender_end()).min(self.holder_end()),
            Holding::Nothing => self.owner_end().min(self.sender_end()),
        };
        self.renewal().min(end.max(self.postponed))
    }

    /// Returns how long this side's references are valid, if no further acknowledgement arrives.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.holder_end().saturating_duration_since(now)
    }

    fn renewal(&self) -> Instant {
        self.confirmed.max(self.renewed) + self.term / 3
    }

    fn holder_end(&self) -> Instant {
        self.confirmed + self.term * 9 / 10
    }

    /// The end for a side that only waits for acknowledgements. Without it, frames to a peer that never acknowledges would
    /// be kept forever.
    fn sender_end(&self) -> Instant {
        self.confirmed + self.term * 5 / 4
    }

    /// Returns the time until which the peer may rely on what this side exports.
    pub(super) fn owner_end(&self) -> Instant {
        self.last_input + self.term * 5 / 4
    }

    /// The length of the grace period.
    fn grace_period(&self) -> Duration {
        self.term / 20
    }
}

#[cfg(test)]
mod tests {
    use super::Due::{Expired, GracePeriod, Nothing, Renewal};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn due(lease: &mut Lease, now: Instant) -> Due {
        lease.due(now, Holding::Something, Reads::Active)
    }

    #[test]
    fn holder_and_owner_count_from_different_times() {
        let begin = Instant::now();
        let mut lease = Lease::new(30 * SECOND, begin);
        assert_eq!(due(&mut lease, begin + 9 * SECOND), Nothing);
        assert_eq!(lease.next(Holding::Something), begin + 10 * SECOND);
        assert_eq!(due(&mut lease, begin + 10 * SECOND), Renewal);
        lease.renew(begin + 10 * SECOND);
        assert_eq!(due(&mut lease, begin + 19 * SECOND), Nothing);
        assert_eq!(due(&mut lease, begin + 27 * SECOND), GracePeriod);
        lease.confirm(begin + 20 * SECOND);
        assert_eq!(due(&mut lease, begin + 38 * SECOND), GracePeriod, "no input for 1.25 terms");
        assert_eq!(due(&mut lease, begin + 39 * SECOND + SECOND / 2), Expired);
        lease.note_input(begin + 38 * SECOND);
        assert_eq!(due(&mut lease, begin + 38 * SECOND), Renewal);
        assert_eq!(lease.left(begin + 40 * SECOND), 7 * SECOND);
    }

    #[test]
    fn a_side_that_holds_nothing_counts_as_an_owner_only() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        lease.renew(begin + 18 * SECOND);
        let mut due = |at| lease.due(begin + at, Holding::Nothing, Reads::Active);
        assert_eq!(due(18 * SECOND), Nothing);
        assert_eq!(due(25 * SECOND), GracePeriod);
        assert_eq!(due(26 * SECOND), Expired);
    }

    #[test]
    fn a_stopped_side_reads_before_it_expires() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        let late = begin + 60 * SECOND;
        assert_eq!(due(&mut lease, late), GracePeriod);
        assert!(lease.in_grace_period(Holding::Something));
        assert_eq!(due(&mut lease, late + SECOND / 2), GracePeriod);
        lease.confirm(begin + 50 * SECOND);
        assert!(!lease.in_grace_period(Holding::Something));
        assert_eq!(due(&mut lease, late + SECOND / 2), GracePeriod, "no input as an owner");
        lease.note_input(late + SECOND / 2);
        assert_eq!(due(&mut lease, late + SECOND), Renewal);
    }

    #[test]
    fn input_ends_the_grace_period_of_an_owner_only() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        lease.confirm(begin + 24 * SECOND);
        let now = begin + 25 * SECOND;
        assert_eq!(lease.due(now, Holding::Nothing, Reads::Active), GracePeriod);
        lease.note_input(now);
        assert_eq!(lease.next(Holding::Nothing), begin + 24 * SECOND + 20 * SECOND / 3);
        let now = begin + 42 * SECOND;
        assert_eq!(due(&mut lease, now), GracePeriod);
        lease.note_input(now);
        assert!(lease.in_grace_period(Holding::Something), "nothing was acknowledged");
    }

    #[test]
    fn the_lease_expires_after_the_grace_period() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        assert_eq!(due(&mut lease, begin + 60 * SECOND), GracePeriod);
        assert_eq!(lease.next(Holding::Something), begin + 61 * SECOND);
        lease.confirm(begin); // It was acknowledged before.
        assert_eq!(due(&mut lease, begin + 61 * SECOND), Expired);
    }

    #[test]
    fn a_side_that_cannot_read_renews_and_does_not_expire() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        let now = begin + 60 * SECOND;
        assert_eq!(lease.due(now, Holding::Something, Reads::Blocked), Renewal);
        lease.renew(now);
        assert_eq!(lease.next(Holding::Something), now + SECOND);
        assert_eq!(due(&mut lease, now + SECOND), GracePeriod, "it could not read until now");
    }

    #[test]
    fn the_grace_period_of_a_holder_ends_when_it_holds_nothing() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        lease.note_input(begin + 18 * SECOND);
        assert_eq!(due(&mut lease, begin + 18 * SECOND), GracePeriod);
        assert!(
            lease.in_grace_period(Holding::Something) && !lease.in_grace_period(Holding::Nothing)
        );
        let later = begin + 20 * SECOND;
        assert_eq!(lease.due(later, Holding::Nothing, Reads::Active), Renewal);
        lease.renew(later);
        assert!(!lease.in_grace_period(Holding::Something));
        assert!(lease.next(Holding::Nothing) > later, "nothing is due");
    }

    #[test]
    fn each_expiry_has_its_own_grace_period() {
        let begin = Instant::now();
        let mut lease = Lease::new(20 * SECOND, begin);
        let now = begin + 25 * SECOND;
        assert_eq!(lease.due(now, Holding::Nothing, Reads::Active), GracePeriod);
        let later = now + SECOND;
        assert_eq!(due(&mut lease, later), GracePeriod, "it relies on something by now");
        assert!(lease.next(Holding::Something) > later);
        assert_eq!(due(&mut lease, later + SECOND), Expired);
    }
}
