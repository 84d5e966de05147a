//! The two tasks of a session, under its lock: which of them sleep, what they have to do, and the connection that they use.
//!
//! It must not do I/O. Wakers that it returns are woken when the lock is free.

use std::task::Waker;

use crate::id::ConnectionId;
use crate::node::io::slot::{ConnectionSlot, Half};
use crate::session::{Reads, Session};
use crate::transport::connection::{Connection, ReadHalf, WriteHalf};

/// The reader task, the writer task, and their connection.
#[derive(Default)]
pub(crate) struct Tasks {
    slot: ConnectionSlot,
    /// The number of connections that replaced the first.
    reconnects: u64,
    /// The waker of the reader, if it sleeps.
    reader: Option<Waker>,
    /// The waker of the writer, if it sleeps.
    writer: Option<Waker>,
    /// The waker of the writer, if the connection takes no more: woken when the connection is replaced or lost.
    stalled_writer: Option<Waker>,
    /// Wakers of tasks that wait for room for their answer.
    responders: Vec<Waker>,
    /// True while the reader works on what it has read, so that nobody reads.
    reads_blocked: bool,
    /// True while the reader executes calls, and writes the answers itself: nobody wakes the writer for them.
    is_dispatching: bool,
    /// True if the watchdog polled the connection: the reader's waker is no longer registered with it.
    polled_elsewhere: bool,
    /// True if calls are held back for want of room for their answers.
    holds_back: bool,
    /// The connection whose writing half is in use.
    writer_connection: Option<ConnectionId>,
    /// True if a block was begun, and the rest was left to the writer.
    has_unwritten: bool,
    /// The connection that takes no more bytes, and may still be read.
    failed: Option<ConnectionId>,
}

/// The next step for a half of the connection.
pub(crate) enum Renewal<H> {
    /// It is the session's.
    Keep,
    /// It is replaced, or lost.
    Replace(Option<Half<H>>),
}

impl Tasks {
    // ---- the connection

    /// Returns true if a connection is the one that the session has.
    pub(crate) fn has(&self, machine: &Session, connection: ConnectionId) -> bool {
        self.slot.number() == Some(connection) && !machine.is_suspended()
    }

    /// Reserves the number of the next connection.
    pub(crate) fn reserve_connection(&mut self) -> ConnectionId {
        self.slot.reserve()
    }

    /// Gives the session its first connection.
    pub(crate) fn connect(&mut self, connection: Connection) {
        let number = self.slot.reserve();
        self.slot.attach(number, connection);
    }

    /// Replaces the connection, unless it is newer than this one. Returns false then.
    pub(crate) fn reconnect(&mut self, number: ConnectionId, connection: Connection) -> bool {
        if self.slot.number().is_some_and(|newest| number <= newest) {
            return false;
        }
        self.slot.attach(number, connection);
        self.reconnects += 1;
        true
    }

    /// Drops the halves of the connection that were not taken: it is lost.
    pub(crate) fn disconnect(&mut self) {
        self.slot.detach();
    }

    pub(crate) fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// Returns the next step for the reading half that is in use.
    pub(crate) fn renew_reader(
        &mut self,
        machine: &Session,
        current: Option<ConnectionId>,
    ) -> Renewal<Box<dyn ReadHalf>> {
        match self.slot.take_reader() {
            Some(next) => Renewal::Replace(Some(next)),
            None if current.is_some_and(|current| !self.has(machine, current)) => {
                Renewal::Replace(None)
            }
            None => Renewal::Keep,
        }
    }

    /// Returns the next step for the writing half that is in use.
    pub(crate) fn renew_writer(
        &mut self,
        machine: &Session,
        current: Option<ConnectionId>,
    ) -> Renewal<Box<dyn WriteHalf>> {
        let next = match self.slot.take_writer() {
            Some(next) => Some(next),
            None if current.is_some_and(|current| !self.has(machine, current)) => None,
            None => return Renewal::Keep,
        };
        self.writer_connection = next.as_ref().map(|half| half.number);
        self.has_unwritten = false;
        Renewal::Replace(next)
    }

    /// Notes that the writing half was dropped.
    pub(crate) fn note_writer_dropped(&mut self) {
        (self.writer_connection, self.has_unwritten) = (None, false);
    }

    // ---- the reader

    /// Notes that something was read: until the reader sleeps again, nobody reads.
    pub(crate) fn note_read(&mut self) {
        self.reads_blocked = true;
    }

    /// Returns if the connection is being read.
    pub(crate) fn reads(&self) -> Reads {
        if self.reads_blocked { Reads::Blocked } else { Reads::Active }
    }

    /// Notes that the watchdog read the connection: all that has arrived, or not.
    pub(crate) fn note_read_elsewhere(&mut self, read_all: bool) {
        // Once everything was read, missing input is the peer's silence, and time counts.
        self.reads_blocked = !read_all;
        self.is_dispatching = false;
        // The reader may be polling at this moment, and must poll again.
        self.polled_elsewhere = true;
    }

    /// Notes that the reader begins to execute calls, or has none.
    pub(crate) fn set_dispatching(&mut self, is_dispatching: bool) {
        self.is_dispatching = is_dispatching;
    }

    /// Returns true if the reader is to sleep. Then it is woken by another connection, the end, or room for the answers of
    /// calls that are held back.
    pub(crate) fn sleep_reader(
        &mut self,
        machine: &Session,
        has_queued: bool,
        reader: &Waker,
    ) -> bool {
        self.reads_blocked = false;
        if std::mem::take(&mut self.polled_elsewhere)
            || self.slot.has_reader()
            || machine.closed().is_some()
        {
            return false;
        }
        self.holds_back = has_queued;
        if self.holds_back && machine.has_room() {
            return false;
        }
        set(&mut self.reader, reader);
        true
    }

    // ---- the writer

    /// Returns true if there is something to write, or a connection to drop that is no longer the session's.
    pub(crate) fn writer_has_work(&self, machine: &Session) -> bool {
        if machine.closed().is_none() && self.failed.is_some() && self.failed == self.slot.number()
        {
            return self.writer_connection.is_some();
        }
        machine.wants_transmit()
            || self.has_unwritten
            || machine.is_done()
            || self.writer_connection.is_some_and(|current| !self.has(machine, current))
    }

    /// Returns true if nothing is left to do: everything is written, and the connection is dropped.
    pub(crate) fn is_over(&self, machine: &Session) -> bool {
        machine.is_done() && !machine.wants_transmit() && self.writer_connection.is_none()
    }

    /// Returns true if something of the session may wait for a worker that is blocked.
    pub(crate) fn may_be_stuck(&self, machine: &Session) -> bool {
        self.reads_blocked || self.writer_has_work(machine)
    }

    /// Takes the waker of the writer, if it sleeps and has something to do.
    #[inline(always)]
    pub(crate) fn rouse_writer(&mut self, machine: &Session) -> Option<Waker> {
        let is_wanted =
            machine.closed().is_some() || (!self.is_dispatching && self.writer_has_work(machine));
        if is_wanted { self.writer.take() } else { None }
    }

    pub(crate) fn sleep_writer(&mut self, writer: &Waker) {
        set(&mut self.writer, writer);
    }

    /// Notes that a connection takes no more bytes at all.
    pub(crate) fn note_write_failed(&mut self, connection: ConnectionId) {
        self.failed = Some(connection);
    }

    /// Notes that the connection takes no more at present.
    pub(crate) fn stall_writer(&mut self, writer: &Waker) {
        set(&mut self.stalled_writer, writer);
    }

    /// Notes that a block was begun and is not written.
    pub(crate) fn leave_to_writer(&mut self) {
        self.has_unwritten = true;
    }

    /// Notes that everything that was begun is written. Returns true if it was the last.
    pub(crate) fn note_written(&mut self, machine: &Session) -> bool {
        self.has_unwritten = false;
        machine.closed().is_some() && !machine.wants_transmit()
    }

    // ---- who waits for them

    /// Takes the wakers of both tasks: something has changed that both must look at.
    pub(crate) fn wake_both(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let tasks = [self.reader.take(), self.writer.take(), self.stalled_writer.take()];
        tasks.into_iter().flatten()
    }

    /// Adds a task that waits for room for its answer.
    pub(crate) fn wait_for_room(&mut self, responder: Waker) {
        self.responders.push(responder);
    }

    /// Takes the wakers of those who wait for room, if there is some: bytes were taken to be written.
    pub(crate) fn wake_for_room(
        &mut self,
        machine: &Session,
    ) -> impl Iterator<Item = Waker> + use<> {
        let has_room = machine.has_room();
        let responders = if has_room { std::mem::take(&mut self.responders) } else { Vec::new() };
        let holds_back = has_room && std::mem::take(&mut self.holds_back);
        let reader = if holds_back { self.reader.take() } else { None };
        responders.into_iter().chain(reader)
    }

    /// Takes the wakers of those who wait for room: the session is over.
    pub(crate) fn take_responders(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.responders)
    }

    /// Checks what must always hold.
    pub(crate) fn check(&self) {
        assert!(
            !self.has_unwritten || self.writer_connection.is_some(),
            "a block is left over on no connection"
        );
        assert!(self.slot.number() >= self.writer_connection, "the newest connection is in use");
    }
}

/// Keeps a waker, without a clone if it is the same.
fn set(place: &mut Option<Waker>, waker: &Waker) {
    if !place.as_ref().is_some_and(|known| known.will_wake(waker)) {
        *place = Some(waker.clone());
    }
}
