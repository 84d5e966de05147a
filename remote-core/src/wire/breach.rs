//! Violations of the protocol by a peer, with their codes.
//!
//! It must not know the user's errors: a breach ends the session, which fails the calls in progress.

use std::fmt;

/// A violation of the protocol. Invariant 7: input from a peer never panics; a breach ends the session, with a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Breach {
    /// The first bytes are not the magic of this protocol.
    Magic,
    /// A version that this side does not speak.
    Version(u16),
    /// The introduction is malformed or too long.
    Hello,
    /// A frame is malformed.
    Frame,
    /// A frame is longer than the maximum.
    FrameLength(u32),
    /// The number of a frame is not the next one.
    Number,
    /// More calls or bytes are in progress than the window allows.
    Window,
    /// A body is larger than the announced limit.
    Body(u64),
    /// A name is used that was not announced, or is announced twice.
    Name,
    /// A question is in use already, or does not exist.
    Question,
    /// A chunk belongs to no body that is incomplete, or exceeds the announced size.
    Chunk,
    /// A release of more introductions than the peer holds.
    Release,
    /// More references than the limit.
    References,
    /// An acknowledgement of a frame that was not sent.
    Acknowledgement,
}

impl Breach {
    /// Returns the code that is sent to the peer.
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
