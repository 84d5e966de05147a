//! Owns the chat as its users see it: the interfaces of room, seat and member, and what travels between them. Knows
//! nothing of the objects behind them.

use std::fmt;

use remote_core::{Ref, remote};
use serde::{Deserialize, Serialize};

use crate::log::Closed;
use crate::name::BadName;

/// The name under which a server publishes its room.
pub(crate) const NAME: &str = "chat";

/// How many bytes are said at once at most.
pub(crate) const LONGEST_SAYING: usize = 16 * 1024;

/// Where members talk.
#[remote]
pub(crate) trait Room {
    /// Takes a seat under a name that nobody there has. The member is told of everything from its own arrival to its own
    /// leaving. Who drops the seat, and whose session ends, is gone as well; who has lost the connection is away.
    async fn join(&self, name: &str, member: Ref<dyn Member>) -> Result<Ref<dyn Seat>, RoomError>;

    /// Those who have a seat, in the alphabetical order of their names.
    async fn who(&self) -> Result<Vec<Attendee>, RoomError>;
}

/// What a member speaks through: who holds it, and nobody else, speaks under its name.
#[remote]
pub(crate) trait Seat {
    /// Says something to all.
    async fn say(&self, text: &str) -> Result<(), RoomError>;

    /// Gives the seat and its name up.
    async fn leave(&self) -> Result<(), RoomError>;
}

/// Who is told of what happens in a room.
#[remote]
pub(crate) trait Member {
    /// Events in their order, the first of them number `first` of the room. The next ones come after the answer; a member
    /// that takes too long misses some and sees a gap in the numbers.
    async fn heard(&self, first: u64, events: Vec<Event>) -> remote_core::Result<()>;

    /// Nothing more will come: the member has left, or the room has closed.
    async fn closed(&self) -> remote_core::Result<()>;
}

/// Somebody who has a seat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attendee {
    pub(crate) name: String,
    pub(crate) presence: Presence,
}

/// Whether somebody who has a seat can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Presence {
    /// As far as is known.
    Here,
    /// The connection is lost. It may come back, and what was said meanwhile is heard then.
    Away,
}

/// Something that happened in a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// When, in milliseconds since 1970.
    pub(crate) time: i64,
    /// Which seat it happened to: never used again, as a name may be.
    pub(crate) seat: u64,
    /// The name of who sits there.
    pub(crate) name: String,
    /// What it was.
    pub(crate) what: What,
}

/// What can happen in a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum What {
    /// Took the seat.
    Joined,
    /// Said something.
    Said(String),
    /// Gave the seat up.
    Left,
    /// Is gone without leaving: dropped the seat, died, or was away for too long.
    Vanished,
    /// Lost the connection.
    WentAway,
    /// Is connected again.
    CameBack,
}

/// Why a room did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum RoomError {
    /// Somebody there has the name.
    NameTaken(String),
    /// The name is none that a member can have.
    BadName(String),
    /// What was said is longer than `LONGEST_SAYING`: this many bytes.
    TooLong(u64),
    /// The seat was given up.
    NotSeated,
    /// The room has closed.
    Closed,
    /// The call failed.
    Call(remote_core::Error),
}

impl fmt::Display for Attendee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.presence {
            Presence::Here => f.write_str(&self.name),
            Presence::Away => write!(f, "{} (away)", self.name),
        }
    }
}

impl fmt::Display for RoomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomError::NameTaken(name) => {
                write!(f, "somebody there is called `{name}` already: choose another name")
            }
            RoomError::BadName(name) => BadName(name.clone()).fmt(f),
            RoomError::TooLong(bytes) => {
                write!(
                    f,
                    "{bytes} bytes at once are over the limit of {LONGEST_SAYING}: break them up"
                )
            }
            RoomError::NotSeated => write!(f, "you have left the room"),
            RoomError::Closed => write!(f, "the server has shut down"),
            RoomError::Call(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RoomError {}

impl From<remote_core::Error> for RoomError {
    fn from(error: remote_core::Error) -> RoomError {
        RoomError::Call(error)
    }
}

impl From<Closed> for RoomError {
    fn from(Closed: Closed) -> RoomError {
        RoomError::Closed
    }
}

impl From<BadName> for RoomError {
    fn from(BadName(name): BadName) -> RoomError {
        RoomError::BadName(name)
    }
}
