//! Counters of the events of a run: a simulation with few events finds nothing.
//!
//! It must not judge them.

/// The counters.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tally {
    /// Calls that applications made, and calls that started at their object.
    pub(super) calls: u64,
    pub(super) executed: u64,
    /// Calls that a node forwarded.
    pub(super) forwarded: u64,
    /// References whose path became direct.
    pub(super) shortened: u64,
    /// The number of shortened paths that became near.
    pub(super) resolved_near: u64,
    /// Messages refused because of a limit.
    pub(super) refused: u64,
    /// Sides of sessions that resumed, that ended, and that ended because the lease expired.
    pub(super) resumed: u64,
    pub(super) ended: u64,
    pub(super) expired: u64,
    /// Sessions that ended when everything was executed.
    pub(super) drained: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Tally) {
        let pairs = [
            (&mut self.calls, other.calls),
            (&mut self.executed, other.executed),
            (&mut self.forwarded, other.forwarded),
            (&mut self.shortened, other.shortened),
            (&mut self.resolved_near, other.resolved_near),
            (&mut self.refused, other.refused),
            (&mut self.resumed, other.resumed),
            (&mut self.ended, other.ended),
            (&mut self.expired, other.expired),
            (&mut self.drained, other.drained),
        ];
        pairs.into_iter().for_each(|(sum, more)| *sum += more);
    }
}
