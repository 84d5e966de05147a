//! The interfaces of the chat, and the values in their messages. It must not know the objects that implement them.

use std::fmt;

use remote_core::{Ref, remote};
use serde::{Deserialize, Serialize};

use crate::log::Closed;
use crate::user_name::BadName;

/// The name under which a server publishes its room.
pub(crate) const NAME: &str = "chat";

/// The most bytes of one message of a member.
pub(crate) const LONGEST_TEXT: usize = 16 * 1024;

/// The chat: members join it, and every member gets all events.
#[remote]
pub(crate) trait Room {
    /// Joins under a name that no other member has, and returns the seat. The member gets all events from its own
    /// `Joined` to its own `Left`. Dropping the seat, or the end of the session, ends the membership; a member that has
    /// lost the connection is away.
    async fn join(&self, name: &str, member: Ref<dyn Member>) -> Result<Ref<dyn Seat>, RoomError>;

    /// Returns the members, in the alphabetical order of their names.
    async fn who(&self) -> Result<Vec<Attendee>, RoomError>;
}

/// The right to speak under the name of a member: only its holder can.
#[remote]
pub(crate) trait Seat {
    /// Sends a text to all members.
    async fn say(&self, text: &str) -> Result<(), RoomError>;

    /// Leaves the room and frees the name.
    async fn leave(&self) -> Result<(), RoomError>;
}

/// Receives the events of a room.
#[remote]
pub(crate) trait Member {
    /// Takes events in their order, the first of them number `first` of the room. The next ones are sent after the
    /// reply; a member that replies too late misses some, and sees a gap in the numbers.
    async fn events(&self, first: u64, events: Vec<Event>) -> remote_core::Result<()>;

    /// Takes the end: the member has left, or the room has closed.
    async fn closed(&self) -> remote_core::Result<()>;
}

/// A member of the room, for `who`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attendee {
    pub(crate) name: String,
    pub(crate) presence: Presence,
}

/// The state of a member's connection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Presence {
    /// Connected, as far as is known.
    Here,
    /// The connection is lost. If it is restored, the member gets the events of the meantime.
    Away,
}

/// An event in a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// The time, in milliseconds since 1970.
    pub(crate) time: i64,
    /// The number of the member's seat. It is not reused; the name may be.
    pub(crate) seat: u64,
    /// The name of the member.
    pub(crate) name: String,
    /// The event.
    pub(crate) kind: EventKind,
}

/// The kinds of events in a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum EventKind {
    /// The member has joined.
    Joined,
    /// The member has sent a text.
    Said(String),
    /// The member has left.
    Left,
    /// The member is gone without leaving: it dropped the seat, its process died, or it was away for too long.
    Vanished,
    /// The member has lost the connection.
    WentAway,
    /// The member is connected again.
    CameBack,
}

/// The error of a call to a room or a seat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum RoomError {
    /// Another member has the name.
    NameTaken(String),
    /// The name is not valid.
    BadName(String),
    /// The text has this many bytes, more than `LONGEST_TEXT`.
    TooLong(u64),
    /// The member has left.
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
                write!(f, "another member has the name `{name}`: choose another one")
            }
            RoomError::BadName(name) => BadName(name.clone()).fmt(f),
            RoomError::TooLong(bytes) => {
                write!(f, "a text of {bytes} bytes exceeds the limit of {LONGEST_TEXT}: split it")
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
