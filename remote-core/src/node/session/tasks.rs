//! The state of the two tasks of a session, under its lock: which of them sleep, what they have to do, and their connection.
//!
//! It must not do I/O. The returned wakers are woken after the lock is released.

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
    /// The waker of the writer while the connection accepts no bytes. It is woken when the connection is replaced or lost.
    stalled_writer: Option<Waker>,
    /// The wakers of the tasks that wait for room for their answer.
    responders: Vec<Waker>,
    /// True while the reader handles what it has read, so that nobody reads.
    reads_blocked: bool,
    /// True while the reader executes calls and writes the answers itself, so that the writer is not woken for them.
    is_dispatching: bool,
    /// True if the watchdog has polled the connection, so that the reader's waker is no longer registered.
    polled_elsewhere: bool,
    /// True if calls wait because there is no room for their answers.
    holds_back: bool,
    /// The connection whose writing half is in use.
    writer_connection: Option<ConnectionId>,
    /// True if a block is unfinished and the writer must continue it.
    has_unwritten: bool,
    /// The connection that takes no more bytes, and may still be read.
    failed: Option<ConnectionId>,
}

/// The next step for a half of the connection.
pub(crate) enum Renewal<H> {
    /// It belongs to the current connection.
    Keep,
    /// Its connection was replaced or lost.
    Replace(Option<Half<H>>),
}

impl Tasks {
    // ---- the connection

    /// Returns true if a connection is the current one of the session.
    pub(crate) fn has(&self, machine: &Session, connection: ConnectionId) -> bool {
        self.slot.number() == Some(connection) && !machine.is_suspended()
    }

    /// Reserves the number of the next connection.
    pub(crate) fn reserve_connection(&mut self) -> ConnectionId {
        self.slot.reserve()
    }

    /// Attaches the first connection.
    pub(crate) fn connect(&mut self, connection: Connection) {
        let number = self.slot.reserve();
        self.slot.attach(number, connection);
    }

    /// Replaces the connection. Returns false if the current one is newer.
    pub(crate) fn reconnect(&mut self, number: ConnectionId, connection: Connection) -> bool {
        if self.slot.number().is_some_and(|newest| number <= newest) {
            return false;
        }
        self.slot.attach(number, connection);
        self.reconnects += 1;
        true
    }

    /// Drops the halves that were not taken, because the connection is lost.
    pub(crate) fn disconnect(&mut self) {
        self.slot.detach();
    }

    pub(crate) fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// Returns the next step for the current reading half.
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

    /// Returns the next step for the current writing half.
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

    /// Notes that bytes were read. Until the reader sleeps again, nobody reads.
    pub(crate) fn note_read(&mut self) {
        self.reads_blocked = true;
    }

    /// Returns the state of reading.
    pub(crate) fn reads(&self) -> Reads {
        if self.reads_blocked { Reads::Blocked } else { Reads::Active }
    }

    /// Notes that the watchdog has read from the connection. `read_all` is true if no bytes are left to read.
    pub(crate) fn note_read_elsewhere(&mut self, read_all: bool) {
        // If no bytes are left, missing input is silence of the peer.
        self.reads_blocked = !read_all;
        self.is_dispatching = false;
        // The reader may be polling at this moment, and must poll again.
        self.polled_elsewhere = true;
    }

    /// Sets whether the reader is executing calls.
    pub(crate) fn set_dispatching(&mut self, is_dispatching: bool) {
        self.is_dispatching = is_dispatching;
    }

    /// Returns true if the reader must sleep. It is woken by a new connection, the end of the session, or room for the answers
    /// of waiting calls.
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

    /// Returns true if there is output to write, or a half of a former connection to drop.
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

    /// Returns true if the writer can end: all output is written, and the connection is dropped.
    pub(crate) fn is_over(&self, machine: &Session) -> bool {
        machine.is_done() && !machine.wants_transmit() && self.writer_connection.is_none()
    }

    /// Returns true if the session may depend on a blocked worker.
    pub(crate) fn may_be_stuck(&self, machine: &Session) -> bool {
        self.reads_blocked || self.writer_has_work(machine)
    }

    /// Takes the waker of the writer, if it sleeps and there is work for it.
    #[inline(always)]
    pub(crate) fn take_writer_waker(&mut self, machine: &Session) -> Option<Waker> {
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

    /// Notes that the connection accepts no bytes at present.
    pub(crate) fn stall_writer(&mut self, writer: &Waker) {
        set(&mut self.stalled_writer, writer);
    }

    /// Notes that a block is unfinished.
    pub(crate) fn leave_to_writer(&mut self) {
        self.has_unwritten = true;
    }

    /// Notes that the block is written. Returns true if the session has ended and it was the last block.
    pub(crate) fn note_written(&mut self, machine: &Session) -> bool {
        self.has_unwritten = false;
        machine.closed().is_some() && !machine.wants_transmit()
    }

    // ---- wakers

    /// Takes the wakers of both tasks, after a change that both must see.
    pub(crate) fn wake_both(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let tasks = [self.reader.take(), self.writer.take(), self.stalled_writer.take()];
        tasks.into_iter().flatten()
    }

    /// Adds a task that waits for room for its answer.
    pub(crate) fn wait_for_room(&mut self, responder: Waker) {
        self.responders.push(responder);
    }

    /// Takes the wakers of the tasks that wait for room, if there is room. To be called when output was taken for writing.
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

    /// Takes the wakers of the tasks that wait for room, because the session has ended.
    pub(crate) fn take_responders(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.responders)
    }

    /// Asserts the invariants.
    pub(crate) fn check(&self) {
        assert!(
            !self.has_unwritten || self.writer_connection.is_some(),
            "a block is left over on no connection"
        );
        assert!(self.slot.number() >= self.writer_connection, "the newest connection is in use");
    }
}

/// Stores a waker. Clones it only if it differs from the stored one.
fn set(place: &mut Option<Waker>, waker: &Waker) {
    if !place.as_ref().is_some_and(|known| known.will_wake(waker)) {
        *place = Some(waker.clone());
    }
}
