//! The progress of the orderly end of a session: each side announces that it begins no more calls.
//!
//! It must not know calls, nor when the session ends.

/// The reason of the error for a call that a side which closes the session, or its peer, does not begin any more.
pub(crate) const SHUTTING_DOWN: &str = "the node is shutting down";

/// The announcements of both sides.
#[derive(Default)]
pub(super) struct Closing {
    has_begun: bool,
    is_announced: bool,
    is_announced_by_peer: bool,
}

impl Closing {
    /// Notes that this side begins no more calls.
    pub(super) fn begin(&mut self) {
        self.has_begun = true;
    }

    /// Returns true if this side begins no more calls.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Returns true if this side has not announced yet that it begins no more calls.
    pub(super) fn is_due(&self) -> bool {
        self.has_begun && !self.is_announced
    }

    /// Notes that this side has announced it.
    pub(super) fn note_announced(&mut self) {
        self.is_announced = true;
    }

    /// Notes that the peer has announced it. Returns true the first time.
    pub(super) fn note_announced_by_peer(&mut self) -> bool {
        !std::mem::replace(&mut self.is_announced_by_peer, true)
    }

    /// Returns true if the peer begins no more calls: everything that it handed over before has arrived.
    pub(super) fn is_announced_by_peer(&self) -> bool {
        self.is_announced_by_peer
    }
}
