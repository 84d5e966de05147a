//! Moves bytes between the connection and the state machine.
//!
//! It must not wait, nor apply side effects: it gathers them. It is used by the session's tasks, and by the watchdog while a
//! method blocks the thread of a task. The lock of a half of the connection is held throughout, so that the bytes of the
//! connection reach the state machine in order, and blocks are written in order.

use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::effects::Effects;
use super::shared::{Inner, SharedSession};
use super::tasks::Renewal;
use crate::id::ConnectionId;
use crate::node::io::reader::{Read, Reader};
use crate::node::io::writer::Writer;

/// The maximum number of reads in one pass of the watchdog over one session, so that a peer that keeps sending does not delay
/// other sessions.
const READS: usize = 16;

/// The result of a read.
pub(super) enum ReadOutcome {
    /// The state machine has handled the input.
    Handled,
    /// The connection is lost.
    Lost(ConnectionId, String),
}

/// The result of a write.
pub(super) enum WriteOutcome {
    /// All output is written, or there is no connection.
    All,
    /// All output is written, and the session has ended.
    Last,
    /// The connection takes no more bytes.
    Failed(ConnectionId, String),
    /// The connection is lost.
    Lost(ConnectionId, String),
}

/// Reads from the newest connection, and passes the bytes to the state machine.
pub(super) fn poll_read(
    session: &SharedSession,
    effects: &mut Effects,
    context: &mut Context<'_>,
) -> Poll<ReadOutcome> {
    let mut reader = session.reader.lock();
    loop {
        let Poll::Ready(Read { connection, result }) = reader.poll_read(context) else {
            if renew_reader(session, &mut reader) {
                continue;
            }
            return Poll::Pending;
        };
        return Poll::Ready(match result {
            Ok(0) => ReadOutcome::Lost(connection, "the connection was closed".into()),
            Err(error) => ReadOutcome::Lost(connection, error.to_string()),
            Ok(_) => {
                handle_input(session, &mut reader, connection, effects);
                ReadOutcome::Handled
            }
        });
    }
}

/// Reads the bytes that have arrived, without waiting and without the runtime. Returns false if another thread is reading.
pub(super) fn read_in_place(session: &SharedSession, effects: &mut Effects) -> bool {
    for _ in 0..READS {
        let Some(mut reader) = session.reader.try_lock() else { return false };
        renew_reader(session, &mut reader);
        let Some(Read { connection, result: Ok(1..) }) = reader.read_now() else { return true };
        handle_input(session, &mut reader, connection, effects);
    }
    true
}

/// Writes the output that is ready, as far as the connection accepts it at once. Does nothing if a block is unfinished; the
/// writer task writes the rest. Returns true if a task may have been woken, apart from those in `effects`.
pub(super) fn write_in_place(session: &SharedSession, effects: &mut Effects) -> bool {
    match session.writer.try_lock() {
        Some(writer) if !writer.has_block() => write_now(session, writer, effects),
        _ => false,
    }
}

/// Does the same, but also continues an unfinished block. The writer must be woken afterwards, since the connection will not
/// wake it.
pub(super) fn write_rest(session: &SharedSession, effects: &mut Effects) {
    if let Some(writer) = session.writer.try_lock() {
        write_now(session, writer, effects);
    }
}

/// Writes what is ready, as far as the connection takes it at once, without the runtime, which is being dropped; nobody writes
/// later.
pub(super) fn write_at_once(session: &SharedSession) {
    let mut effects = Effects::default();
    let mut writer = session.writer.lock();
    loop {
        take(session, &mut writer, &mut effects);
        if !writer.has_block() || writer.write_now().is_err() {
            break;
        }
    }
    drop(writer);
    // A connection that is dropped with unread input is reset, and the peer may lose what was just written.
    session.reader.lock().discard();
    session.apply(effects);
}

/// Takes the next block from the state machine, if no block is unfinished.
pub(super) fn begin_write(session: &SharedSession, effects: &mut Effects) {
    take(session, &mut session.writer.lock(), effects);
}

/// Writes the unfinished block. While the connection accepts no bytes, `keep_time` handles timers.
pub(super) fn poll_write(
    session: &SharedSession,
    effects: &mut Effects,
    context: &mut Context<'_>,
    keep_time: impl FnOnce(&mut Inner, &mut Context<'_>),
) -> Poll<WriteOutcome> {
    let mut writer = session.writer.lock();
    let Some(connection) = writer.connection() else { return Poll::Ready(WriteOutcome::All) };
    match writer.poll_write(context) {
        Poll::Ready(Ok(())) => {
            // The lock of the writer is still held, so that no other block can have been started.
            let Inner { machine, tasks, .. } = &mut *session.lock();
            let is_last = tasks.note_written(machine);
            Poll::Ready(if is_last { WriteOutcome::Last } else { WriteOutcome::All })
        }
        Poll::Ready(Err(error)) => Poll::Ready(WriteOutcome::Failed(connection, error.to_string())),
        Poll::Pending => {
            let is_current = session.change(effects, |inner| {
                keep_time(inner, context);
                inner.tasks.stall_writer(context.waker());
                inner.tasks.has(&inner.machine, connection)
            });
            if is_current {
                return Poll::Pending;
            }
            let reason = "there is another connection".into();
            Poll::Ready(WriteOutcome::Lost(connection, reason))
        }
    }
}

/// Returns the number of the connection of the writing half.
pub(super) fn writer_connection(session: &SharedSession) -> Option<ConnectionId> {
    session.writer.lock().connection()
}

/// Shuts the connection down for writing.
pub(super) fn poll_shutdown(session: &SharedSession, context: &mut Context<'_>) -> Poll<()> {
    // A failure can be ignored, because the session has ended.
    session.writer.lock().poll_shutdown(context).map(drop)
}

/// Drops the writing half.
pub(super) fn drop_writer(session: &SharedSession) {
    let mut writer = session.writer.lock();
    let former = writer.replace(None);
    session.lock().tasks.note_writer_dropped();
    drop(writer);
    drop(former);
}

/// Switches to the newest connection for reading. Returns true if there is a new one.
fn renew_reader(session: &SharedSession, reader: &mut Reader) -> bool {
    let mut inner = session.lock();
    let Inner { machine, tasks, .. } = &mut *inner;
    let renewal = tasks.renew_reader(machine, reader.connection());
    drop(inner);
    match renewal {
        Renewal::Keep => false,
        Renewal::Replace(next) => {
            let has_next = next.is_some();
            drop(reader.replace(next));
            has_next
        }
    }
}

/// Passes the bytes that were read to the state machine.
fn handle_input(
    session: &SharedSession,
    reader: &mut Reader,
    connection: ConnectionId,
    effects: &mut Effects,
) {
    let used = session.change(effects, |inner| inner.handle_input(connection, reader.filled()));
    match used {
        Some(used) => reader.consume(used),
        None => drop(reader.replace(None)),
    }
}

fn write_now(
    session: &SharedSession,
    mut writer: MutexGuard<'_, Writer>,
    effects: &mut Effects,
) -> bool {
    take(session, &mut writer, effects);
    let wakes = writer.has_block() && writer.wakes_reader();
    let written = writer.poll_write(&mut Context::from_waker(Waker::noop()));
    // After an error, too, the writer task continues, and gets the error again. Noted under the lock of the half.
    if !matches!(written, Poll::Ready(Ok(()))) {
        session.change(effects, |inner| inner.tasks.leave_to_writer());
    }
    wakes
}

/// Switches to the newest connection for writing, and takes the next block from the state machine, if no block is unfinished.
fn take(session: &SharedSession, writer: &mut Writer, effects: &mut Effects) {
    let mut former = None;
    let wake = session.change(effects, |inner| {
        let Inner { machine, tasks, .. } = inner;
        if let Renewal::Replace(next) = tasks.renew_writer(machine, writer.connection()) {
            former = writer.replace(next);
        }
        if writer.is_ready() {
            writer.begin(machine.poll_transmit(Instant::now()));
        }
        tasks.wake_for_room(machine)
    });
    effects.wake.extend(wake);
    drop(former);
}
