//! The two tasks of a session: the reader executes calls, the writer handles timers.
//!
//! They must not wait for each other: whatever a method does to the reader's thread, pings and acknowledgements are sent.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::admission::Admission;
use super::calls::Delivery;
use super::dispatch::dispatch;
use super::effects::Effects;
use super::pump::{self, ReadOutcome, WriteOutcome};
use super::shared::{Inner, SharedSession};
use crate::id::ConnectionId;
use crate::node::runtime::lifo_slot::LifoSlot;
use crate::node::runtime::watchdog::{Unblock, watch_session};
use crate::object::execution::contained;

/// The minimum number of calls that are started before their answers are written. If more calls have arrived, it is a quarter
/// of them. Smaller batches cause more writes; with larger batches the peer gets the first answers too late to work at the same
/// time.
const BATCH: usize = 64;

/// The timer of a session that has ended: later than the end of its tasks.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// The time limit for the peer to receive the last bytes.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// Starts the tasks of a session. Calls `over` when both tasks have ended.
pub(crate) fn start(
    session: Arc<SharedSession>,
    over: impl FnOnce(&Arc<SharedSession>) + Send + 'static,
) {
    let _ = session.runtime.set(tokio::runtime::Handle::current());
    let unblock: Weak<SharedSession> = Arc::downgrade(&session);
    watch_session(&session.dispatch, unblock);
    // The runtime may be blocked before the timer of the writer expires for the first time: the watchdog must know what is
    // due.
    session.update(|inner| inner.handle_timeout());
    let reading = tokio::spawn(read(Arc::clone(&session)));
    tokio::spawn(async move {
        let goodbye = Goodbye(&session);
        write(&session).await;
        drop(goodbye);
        // It begins the one-way messages that have arrived.
        let _ = reading.await;
        over(&session);
    });
}

/// Ends the session when the writer is dropped before it has ended: its runtime is being dropped, and nothing can be awaited.
struct Goodbye<'s>(&'s SharedSession);

impl Drop for Goodbye<'_> {
    fn drop(&mut self) {
        let session = self.0;
        if session.is_live() {
            session.update(|inner| inner.machine.close("the runtime of the node has ended"));
            pump::write_at_once(session);
        }
    }
}

// ---- the reader

async fn read(session: Arc<SharedSession>) {
    let (mut batch, mut lifo_slot) = (VecDeque::new(), LifoSlot::default());
    loop {
        match poll_fn(|context| poll_step(&session, &mut lifo_slot, context)).await {
            Step::Dispatch => dispatch_all(&session, &mut batch, &mut lifo_slot),
            Step::Lost(connection, reason) => {
                session.update(|inner| inner.handle_loss(connection, &reason));
            }
            Step::Over => return,
        }
    }
}

enum Step {
    /// Input has arrived, or there is room for the answers of calls that waited for it.
    Dispatch,
    Lost(ConnectionId, String),
    Over,
}

/// Reads until input has arrived or the session has ended, from one connection after another.
fn poll_step(
    session: &SharedSession,
    lifo_slot: &mut LifoSlot,
    context: &mut Context<'_>,
) -> Poll<Step> {
    loop {
        let mut effects = Effects::default();
        match pump::poll_read(session, &mut effects, context) {
            Poll::Ready(ReadOutcome::Handled) => {
                lifo_slot.note(!effects.is_empty());
                session.apply(effects);
                return Poll::Ready(Step::Dispatch);
            }
            Poll::Ready(ReadOutcome::Lost(connection, reason)) => {
                return Poll::Ready(Step::Lost(connection, reason));
            }
            Poll::Pending => {}
        }
        let mut inner = session.lock();
        let Inner { machine, calls, tasks, .. } = &mut *inner;
        if tasks.sleep_reader(machine, calls.has_queued(), context.waker()) {
            return Poll::Pending;
        }
        if machine.closed().is_some() && !calls.has_queued() {
            return Poll::Ready(Step::Over);
        }
        if calls.has_queued() && (machine.has_room() || machine.closed().is_some()) {
            return Poll::Ready(Step::Dispatch);
        }
    }
}

fn dispatch_all(
    session: &Arc<SharedSession>,
    batch: &mut VecDeque<Delivery>,
    lifo_slot: &mut LifoSlot,
) {
    loop {
        session.update(|inner| {
            if inner.machine.has_room() || inner.machine.closed().is_some() {
                inner.calls.take_queued(batch);
            }
            inner.tasks.set_dispatching(!batch.is_empty());
        });
        if batch.is_empty() {
            return;
        }
        let _guard = session.dispatch.begin();
        let portion = (batch.len() / 4).max(BATCH);
        while !batch.is_empty() {
            // Panics are caught: dropping a call may run user code. The remaining calls must still be executed.
            contained(|| dispatch_some(session, batch, portion, lifo_slot));
            let mut effects = Effects::default();
            let wakes = pump::write_in_place(session, &mut effects);
            lifo_slot.note(wakes || !effects.is_empty());
            session.apply(effects);
            if session.admission() == Admission::HeldUp {
                session.lock().calls.put_back(batch);
            }
        }
    }
}

/// Starts at most `portion` calls.
fn dispatch_some(
    session: &Arc<SharedSession>,
    batch: &mut VecDeque<Delivery>,
    portion: usize,
    lifo_slot: &mut LifoSlot,
) {
    for _ in 0..portion {
        let admission = session.admission();
        if admission == Admission::HeldUp {
            return;
        }
        let Some(delivery) = batch.pop_front() else { return };
        if !admission.admits(delivery.header.manner) {
            continue; // The session is over.
        }
        lifo_slot.clear();
        lifo_slot.note(dispatch(session, delivery));
    }
}

// ---- the writer

async fn write(session: &Arc<SharedSession>) {
    let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
    loop {
        match poll_fn(|context| poll_work(session, &mut timer, context)).await {
            Work::Write => {}
            Work::Read => {
                session.drive();
                continue;
            }
            Work::Over => return,
        }
        // Other tasks that are about to send append their frames first. This is most of the effect of coalescing.
        tokio::task::yield_now().await;
        match write_block(session, &mut timer).await {
            WriteOutcome::All => {}
            WriteOutcome::Last => {
                // The peer may still be reading; it closes the connection when it has read all.
                let shutdown = poll_fn(|context| pump::poll_shutdown(session, context));
                if tokio::time::timeout(SHUTDOWN, shutdown).await.is_ok() {
                    pump::drop_writer(session);
                }
            }
            WriteOutcome::Failed(connection, reason) => {
                pump::drop_writer(session);
                session.update(|inner| inner.handle_write_failure(connection, &reason));
            }
            WriteOutcome::Lost(connection, reason) => {
                pump::drop_writer(session);
                session.update(|inner| {
                    inner.handle_loss(connection, &reason);
                    inner.machine.drop_unwritten();
                });
            }
        }
    }
}

/// Writes the output that is ready.
async fn write_block(session: &SharedSession, timer: &mut Pin<Box<Sleep>>) -> WriteOutcome {
    let mut effects = Effects::default();
    pump::begin_write(session, &mut effects);
    session.apply(effects);
    let writing = poll_fn(|context| {
        let mut effects = Effects::default();
        let outcome = pump::poll_write(session, &mut effects, context, |inner, context| {
            while poll_time(inner, timer, context).is_ready() {}
        });
        session.apply(effects);
        outcome
    });
    let stall = session.shared.limits.stall;
    match tokio::time::timeout(stall, writing).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let reason = format!("the peer has not read for {} s", stall.as_secs_f32());
            pump::writer_connection(session)
                .map_or(WriteOutcome::All, |connection| WriteOutcome::Lost(connection, reason))
        }
    }
}

/// The next step of the writer.
enum Work {
    Write,
    /// Read the input that has arrived, because the reader task has not read it within the time limit for silence.
    Read,
    Over,
}

/// Waits for output to write. Meanwhile handles timers: pings, silence, the lease.
fn poll_work(
    session: &Arc<SharedSession>,
    timer: &mut Pin<Box<Sleep>>,
    context: &mut Context<'_>,
) -> Poll<Work> {
    session.update(|inner| {
        loop {
            let Inner { machine, tasks, .. } = &mut *inner;
            if tasks.writer_has_work(machine) {
                let over = tasks.is_over(machine);
                return Poll::Ready(if over { Work::Over } else { Work::Write });
            }
            if timer.is_elapsed() && machine.is_silent(Instant::now()) {
                return Poll::Ready(Work::Read);
            }
            if poll_time(inner, timer, context).is_pending() {
                inner.tasks.sleep_writer(context.waker());
                return Poll::Pending;
            }
        }
    })
}

/// Is ready when the timer has expired and was handled.
fn poll_time(
    inner: &mut Inner,
    timer: &mut Pin<Box<Sleep>>,
    context: &mut Context<'_>,
) -> Poll<()> {
    if timer.as_mut().poll(context).is_pending() {
        return Poll::Pending;
    }
    // The timer is not reset by each frame. It may expire too early; then nothing is due, and it is set again.
    let next = inner.handle_timeout().unwrap_or_else(|| Instant::now() + NEVER);
    timer.as_mut().reset(next.into());
    Poll::Ready(())
}
