//! Owns what a peer can do wrong on the wire, with the code that names it to the peer.
//!
//! It must not know what the user is told: a breach ends its session, and the calls in progress learn that.

use std::fmt;

/// A broken rule of the protocol. Invariant 7: nothing a peer sends can panic us; it ends that session, with a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Breach {
    /// The first bytes are not ours.
    Magic,
    /// A version that this side does not speak.
    Version(u16),
    /// The introduction is malformed or too long.
    Hello,
    /// A frame that cannot be read.
    Frame,
    /// A frame longer than any may be.
    FrameLength(u32),
    /// A frame out of its order.
    Number,
    /// More calls or bytes in progress than were granted.
    Window,
    /// A body larger than was announced as the limit.
    Body(u64),
    /// A name that was never announced, or announced twice.
    Name,
    /// A question that is in use, or that nobody asked.
    Question,
    /// Part of a body that nobody began, or more of it than was announced.
    Chunk,
    /// A release of more than was held.
    Release,
    /// More references than may be held.
    References,
    /// An acknowledgement of what was not sent.
    Acknowledgement,
}

impl Breach {
    /// The code by which the peer is told.
    pub(crate) fn code(self) -> u64 {
        match self {
            Breach::Magic => 1,
            Breach::Version(_) => 2,
            Breach::Hello => 3,
            Breach::Frame => 4,
            Breach::FrameLength(_) => 5,
            Breach::Number => 6,
            Breach::Window => 7,
            Breach::Body(_) => 8,
            Breach::Name => 9,
            Breach::Question => 10,
            Breach::Chunk => 11,
            Breach::Release => 12,
            Breach::References => 13,
            Breach::Acknowledgement => 14,
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breach::Magic => write!(f, "the peer does not speak the remote protocol"),
            Breach::Version(version) => {
                write!(f, "the peer speaks version {version} of the protocol")
            }
            Breach::Hello => write!(f, "the introduction cannot be read"),
            Breach::Frame => write!(f, "a frame cannot be read"),
            Breach::FrameLength(length) => write!(f, "a frame claims {length} bytes"),
            Breach::Number => write!(f, "a frame is out of its order"),
            Breach::Window => write!(f, "more is in progress than was granted"),
            Breach::Body(size) => write!(f, "a body of {size} bytes is over the limit"),
            Breach::Name => write!(f, "a name was used that was not announced"),
            Breach::Question => write!(f, "a question is in use already, or was never asked"),
            Breach::Chunk => write!(f, "part of a body does not fit what was announced"),
            Breach::Release => write!(f, "more was released than was held"),
            Breach::References => write!(f, "too many references"),
            Breach::Acknowledgement => write!(f, "something was acknowledged that was not sent"),
        }
    }
}
