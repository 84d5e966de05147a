//! The calls of the peer that are to be begun now.
//!
//! It must not know the session. It is published under the session's lock and read without it.

use crate::session::event::Cause;
use crate::wire::frame::Manner;

/// The calls that may be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Admission {
    All,
    /// None now: there is no room for answers.
    HeldUp,
    /// One-way messages only: the session is over, and they were handed over before.
    OneWay,
    /// None any more.
    Nothing,
}

impl Admission {
    /// Returns the admission after the end of the session.
    pub(crate) fn after(cause: &Cause) -> Admission {
        match cause {
            // This side gives them up, or the peer has violated the protocol.
            Cause::ClosedHere { .. } | Cause::Breach { .. } => Admission::Nothing,
            Cause::ClosedThere { .. } | Cause::Lost { .. } | Cause::Expired | Cause::Restarted => {
                Admission::OneWay
            }
        }
    }

    pub(super) fn from_byte(byte: u8) -> Admission {
        match byte {
            0 => Admission::All,
            1 => Admission::HeldUp,
            2 => Admission::OneWay,
            _ => Admission::Nothing,
        }
    }

    /// Returns true if a call is to be begun.
    pub(crate) fn admits(self, manner: Manner) -> bool {
        match self {
            Admission::All => true,
            Admission::OneWay => manner == Manner::OneWay,
            Admission::HeldUp | Admission::Nothing => false,
        }
    }
}
