//! Owns what happened in a run, in numbers: a simulation in which nothing happens finds nothing.
//!
//! It must not judge it.

/// How often things happened.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tally {
    /// Calls that applications made, and that began at their object.
    pub(super) calls: u64,
    pub(super) executed: u64,
    /// Calls that a node passed on for another.
    pub(super) forwarded: u64,
    /// References whose way became a direct one.
    pub(super) shortened: u64,
    /// Of these, to objects of the node's own.
    pub(super) come_home: u64,
    /// Messages refused for a limit.
    pub(super) refused: u64,
    /// Sides of sessions that went on with another connection, that ended, and of these by their lease.
    pub(super) resumed: u64,
    pub(super) ended: u64,
    pub(super) expired: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Tally) {
        let pairs = [
            (&mut self.calls, other.calls),
            (&mut self.executed, other.executed),
            (&mut self.forwarded, other.forwarded),
            (&mut self.shortened, other.shortened),
            (&mut self.come_home, other.come_home),
            (&mut self.refused, other.refused),
            (&mut self.resumed, other.resumed),
            (&mut self.ended, other.ended),
            (&mut self.expired, other.expired),
        ];
        pairs.into_iter().for_each(|(sum, more)| *sum += more);
    }
}
