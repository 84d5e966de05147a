//! One session of the model: the counts of both sides, the retained, received and acknowledged frames, and the lease.
//!
//! It must not know what frames mean, nor that there are other sessions.

use crate::frame::{Frame, Object, Side};
use crate::queue::Queue;

/// The frames in one direction. Positions count from the oldest unacknowledged frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Direction {
    /// Sent and not acknowledged.
    pub(crate) retained: Queue,
    /// The number of these that were read on this connection. The others are in transit, or in the receiver's socket.
    pub(crate) arrived: u8,
    /// The number of these that the receiver has processed, on any connection.
    pub(crate) received: u8,
}

/// A frame that was read.
pub(crate) enum Arrival {
    New(Frame),
    /// It was retransmitted, and has been processed before.
    Duplicate(Frame),
}

impl Direction {
    const EMPTY: Direction = Direction { retained: Queue::EMPTY, arrived: 0, received: 0 };

    /// Returns true if frames are in transit, or unread in the receiver's socket.
    pub(crate) fn has_unread(&self) -> bool {
        self.arrived < self.retained.len()
    }

    /// Returns the frames that have not been processed yet.
    pub(crate) fn in_transit(&self) -> impl Iterator<Item = Frame> + '_ {
        self.retained.sent()[usize::from(self.received)..].iter().map(|sent| sent.frame)
    }

    /// Reads the next frame.
    pub(crate) fn arrive(&mut self) -> Arrival {
        let frame = self.retained.at(self.arrived).frame;
        self.arrived += 1;
        if self.arrived <= self.received {
            return Arrival::Duplicate(frame);
        }
        self.received = self.arrived;
        Arrival::New(frame)
    }

    /// Returns the age of the newest frame that the receiver has processed.
    pub(crate) fn newest_received(&self) -> Option<u8> {
        self.received.checked_sub(1).map(|newest| self.retained.at(newest).age)
    }

    /// Acknowledges the frames that the receiver has processed.
    pub(crate) fn acknowledge(&mut self) {
        self.retained.forget(self.received);
        // Retransmitted frames that are still in transit would be ignored.
        self.arrived = self.arrived.saturating_sub(self.received);
        self.received = 0;
    }
}

/// A holder's entry for one object: the introductions received, and how many of them were dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Import {
    pub(crate) introductions: u8,
    pub(crate) dropped: u8,
}

impl Import {
    const NONE: Import = Import { introductions: 0, dropped: 0 };

    pub(crate) fn held(&self) -> u8 {
        self.introductions - self.dropped
    }
}

/// One session, from both sides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Session {
    pub(crate) connected: bool,
    pub(crate) to_holder: Direction,
    pub(crate) to_owner: Direction,

    /// The session has ended on the owner's side.
    pub(crate) owner_ended: bool,
    /// The time since the owner last received anything from the holder.
    pub(crate) silence: u8,
    /// The owner's counts of introductions, by the object's number.
    pub(crate) exports: [u8; 2],
    /// The owner as a holder of other objects: the time since it sent the newest acknowledged frame.
    pub(crate) owner_confirmed: u8,

    /// The session has ended on the holder's side.
    pub(crate) holder_ended: bool,
    /// The time since the holder sent the newest acknowledged frame.
    pub(crate) confirmed: u8,
    pub(crate) imports: [Import; 2],
    /// The holder has queued a message that names x.
    pub(crate) waiting: bool,
}

impl Session {
    /// A new session.
    pub(crate) const NEW: Session = Session {
        connected: true,
        to_holder: Direction::EMPTY,
        to_owner: Direction::EMPTY,
        owner_ended: false,
        silence: 0,
        exports: [0; 2],
        owner_confirmed: 0,
        holder_ended: false,
        confirmed: 0,
        imports: [Import::NONE; 2],
        waiting: false,
    };

    /// A session that has ended on both sides.
    pub(crate) const OVER: Session =
        Session { connected: false, owner_ended: true, holder_ended: true, ..Session::NEW };

    pub(crate) fn ended(&self, side: Side) -> bool {
        match side {
            Side::Owner => self.owner_ended,
            Side::Holder => self.holder_ended,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        !self.owner_ended && !self.holder_ended
    }

    pub(crate) fn to(&mut self, receiver: Side) -> &mut Direction {
        match receiver {
            Side::Owner => &mut self.to_owner,
            Side::Holder => &mut self.to_holder,
        }
    }

    pub(crate) fn import(&self, object: Object) -> Import {
        self.imports[object as usize]
    }

    pub(crate) fn import_mut(&mut self, object: Object) -> &mut Import {
        &mut self.imports[object as usize]
    }

    /// Sends a frame to a receiver, unless the session has ended on one side.
    pub(crate) fn send(&mut self, receiver: Side, frame: Frame) {
        if self.is_live() {
            self.to(receiver).retained.push(frame);
        }
    }

    /// Loses the connection. Unacknowledged frames are still retained.
    pub(crate) fn cut(&mut self) {
        self.connected = false;
        self.to_holder.arrived = 0;
        self.to_owner.arrived = 0;
        // A side that has ended retransmits nothing.
        if self.owner_ended {
            self.to_holder = Direction::EMPTY;
        }
        if self.holder_ended {
            self.to_owner = Direction::EMPTY;
        }
    }

    /// Resumes on a new connection: all retained frames are retransmitted.
    pub(crate) fn resume(&mut self) {
        self.connected = true;
        self.silence = 0;
        self.confirmed = 0;
        self.owner_confirmed = 0;
    }

    /// Ends the session on one side: its imports or exports are dropped, and frames to it are lost. Frames that it has sent may
    /// still be read.
    pub(crate) fn end(&mut self, side: Side) {
        match side {
            Side::Owner => {
                self.owner_ended = true;
                (self.silence, self.owner_confirmed) = (0, 0);
                self.exports = [0; 2];
                self.to_owner = Direction::EMPTY;
            }
            Side::Holder => {
                self.holder_ended = true;
                self.confirmed = 0;
                self.imports = [Import::NONE; 2];
                self.waiting = false;
                self.to_holder = Direction::EMPTY;
            }
        }
        if self.owner_ended && self.holder_ended {
            *self = Session::OVER;
        } else if !self.connected {
            self.cut();
        }
    }

    /// Ages the session by one step, up to the maximum that a rule tells apart.
    pub(crate) fn advance(&mut self, holder_end: u8, owner_end: u8, owner_holds: bool) {
        if !self.holder_ended {
            self.confirmed = (self.confirmed + 1).min(holder_end);
            self.to_owner.retained.advance(holder_end);
        }
        if !self.owner_ended {
            self.silence = (self.silence + 1).min(owner_end);
            if owner_holds {
                self.owner_confirmed = (self.owner_confirmed + 1).min(holder_end);
                self.to_holder.retained.advance(holder_end);
            }
        }
    }
}
