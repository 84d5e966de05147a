//! Owns one session of the model: what each side counts, what is retained, received, acknowledged, and the lease.
//!
//! It must not know what frames mean, nor that there are other sessions.

use crate::frame::{Frame, Object, Side};
use crate::queue::Queue;

/// What one side sends the other. Positions count from the oldest frame that is not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Direction {
    /// Sent, and not known to have been received.
    pub(crate) retained: Queue,
    /// How many of these have arrived on this connection: the rest is on its way, or in the receiver's socket.
    pub(crate) arrived: u8,
    /// How many the receiver has acted on, on any connection.
    pub(crate) received: u8,
}

/// What a frame that arrives is.
pub(crate) enum Arrival {
    News(Frame),
    /// It was sent again, and acted on before.
    Again(Frame),
}

impl Direction {
    const EMPTY: Direction = Direction { retained: Queue::EMPTY, arrived: 0, received: 0 };

    /// Whether something is on its way, or waits in the receiver's socket.
    pub(crate) fn has_unread(&self) -> bool {
        self.arrived < self.retained.len()
    }

    /// What has not been acted on yet.
    pub(crate) fn underway(&self) -> impl Iterator<Item = Frame> + '_ {
        self.retained.sent()[usize::from(self.received)..].iter().map(|sent| sent.frame)
    }

    /// The next frame arrives.
    pub(crate) fn arrive(&mut self) -> Arrival {
        let frame = self.retained.at(self.arrived).frame;
        self.arrived += 1;
        if self.arrived <= self.received {
            return Arrival::Again(frame);
        }
        self.received = self.arrived;
        Arrival::News(frame)
    }

    /// How long ago the newest frame was sent that the receiver has acted on.
    pub(crate) fn newest_received(&self) -> Option<u8> {
        self.received.checked_sub(1).map(|newest| self.retained.at(newest).age)
    }

    /// The sender is told how far its frames have come.
    pub(crate) fn acknowledge(&mut self) {
        self.retained.forget(self.received);
        // What was sent again and is still on its way would only be ignored.
        self.arrived = self.arrived.saturating_sub(self.received);
        self.received = 0;
    }
}

/// What a holder has of one object: introductions received, and how many of them nobody needs any more.
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

    /// The owner's side is over.
    pub(crate) owner_ended: bool,
    /// How long ago the owner last heard the holder.
    pub(crate) heard: u8,
    /// How often the owner has named an object and not had it back, by the object's number.
    pub(crate) exports: [u8; 2],
    /// The owner as a holder of something else: how long ago it sent what was last acknowledged.
    pub(crate) owner_confirmed: u8,

    /// The holder's side is over.
    pub(crate) holder_ended: bool,
    /// How long ago the holder sent the newest frame that was acknowledged.
    pub(crate) confirmed: u8,
    pub(crate) imports: [Import; 2],
    /// The holder has a message that names x, and that waits to be sent.
    pub(crate) waiting: bool,
}

impl Session {
    /// One that has just begun.
    pub(crate) const NEW: Session = Session {
        connected: true,
        to_holder: Direction::EMPTY,
        to_owner: Direction::EMPTY,
        owner_ended: false,
        heard: 0,
        exports: [0; 2],
        owner_confirmed: 0,
        holder_ended: false,
        confirmed: 0,
        imports: [Import::NONE; 2],
        waiting: false,
    };

    /// One that is over at both sides.
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

    /// The receiver gets a frame, some time; never, if the session is over at one side.
    pub(crate) fn send(&mut self, receiver: Side, frame: Frame) {
        if self.is_live() {
            self.to(receiver).retained.push(frame);
        }
    }

    /// The connection is lost, with what was on its way: of that, what is not acknowledged is still retained.
    pub(crate) fn cut(&mut self) {
        self.connected = false;
        self.to_holder.arrived = 0;
        self.to_owner.arrived = 0;
        // Nobody is left to send it again.
        if self.owner_ended {
            self.to_holder = Direction::EMPTY;
        }
        if self.holder_ended {
            self.to_owner = Direction::EMPTY;
        }
    }

    /// There is another connection: everything retained is sent again.
    pub(crate) fn resume(&mut self) {
        self.connected = true;
        self.heard = 0;
        self.confirmed = 0;
        self.owner_confirmed = 0;
    }

    /// A side's session is over: what it held or owned under it is let go, what it was sent is for nobody. What it has
    /// sent itself may still be read.
    pub(crate) fn end(&mut self, side: Side) {
        match side {
            Side::Owner => {
                self.owner_ended = true;
                (self.heard, self.owner_confirmed) = (0, 0);
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

    /// Half of a term passes, as far as anybody cares.
    pub(crate) fn grow_older(&mut self, holder_end: u8, owner_end: u8, owner_holds: bool) {
        if !self.holder_ended {
            self.confirmed = (self.confirmed + 1).min(holder_end);
            self.to_owner.retained.grow_older(holder_end);
        }
        if !self.owner_ended {
            self.heard = (self.heard + 1).min(owner_end);
            if owner_holds {
                self.owner_confirmed = (self.owner_confirmed + 1).min(holder_end);
                self.to_holder.retained.grow_older(holder_end);
            }
        }
    }
}
