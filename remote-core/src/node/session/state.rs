//! Owns what a session is up to, as users are told.
//!
//! It must not know the session.

/// What a session is up to.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Messages travel.
    Connected,
    /// The connection is lost, and being made again.
    Suspended,
    /// It is over.
    Ended,
}
