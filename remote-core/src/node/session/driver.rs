//! Owns the tasks of a session: one reads and dispatches, one writes and keeps time, each on one connection after another.
//!
//! They must not wait for each other: whatever a method does to the reader's thread, pings and acknowledgements go out.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::dispatch::dispatch;
use super::shared::{Bystander, Delivery, Inner, SharedSession};
use crate::node::io::reader::{ReadOutcome, Reader};
use crate::node::io::writer::{WriteOutcome, Writer};
use crate::node::runtime::lifo_slot::LifoSlot;
use crate::node::runtime::watchdog::Unblock;
use crate::object::execution::contained;

/// At least so many calls, or a quarter of those that arrived together, are begun before their answers are written: fewer
/// cost more writes, and of more the peer sees the first answers too late to be at work meanwhile.
const BATCH: usize = 64;

/// When the timer of a session that is over goes off: not before its tasks have ended.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Starts the tasks of a session; `over` is called when both have ended.
pub(crate) fn start(
    session: Arc<SharedSession>,
    over: impl FnOnce(&Arc<SharedSession>) + Send + 'static,
) {
    let ends = Arc::new(Ends::default());
    let _ = session.runtime.set(tokio::runtime::Handle::current());
    let _ = session.bystander.set(Arc::clone(&ends) as Arc<dyn Bystander>);
    let reading = tokio::spawn(read(Arc::clone(&session), Arc::clone(&ends)));
    tokio::spawn(async move {
        write(&session, &ends.writer).await;
        reading.abort();
        over(&session);
    });
}

/// Both halves of the connection.
#[derive(Default)]
struct Ends {
    reader: Reader,
    writer: Writer,
}

impl Bystander for Ends {
    fn read_in_place(&self, session: &SharedSession) -> bool {
        self.reader.read_in_place(session)
    }

    fn write_in_place(&self, session: &SharedSession) {
        self.writer.write_in_place(session);
    }

    fn write_rest(&self, session: &SharedSession) {
        self.writer.write_rest(session);
    }
}

async fn read(session: Arc<SharedSession>, ends: Arc<Ends>) {
    let (mut batch, mut lifo_slot) = (VecDeque::new(), LifoSlot::default());
    loop {
        match poll_fn(|context| poll_step(&session, &ends.reader, &mut lifo_slot, context)).await {
            Step::Go => dispatch_all(&session, &mut batch, &ends.writer, &mut lifo_slot),
            Step::Lost(number, reason) => session.update(|inner| inner.lose(number, &reason)),
            Step::Over => return,
        }
    }
}

enum Step {
    /// Something arrived, or there is room for calls that were held back.
    Go,
    Lost(u64, String),
    Over,
}

/// Listens, on one connection after another.
fn poll_step(
    session: &SharedSession,
    reader: &Reader,
    lifo_slot: &mut LifoSlot,
    context: &mut Context<'_>,
) -> Poll<Step> {
    loop {
        match reader.poll_read(session, context) {
            Poll::Ready(ReadOutcome::Something { wakes }) => {
                lifo_slot.take(wakes);
                return Poll::Ready(Step::Go);
            }
            Poll::Ready(ReadOutcome::Lost(number, reason)) => {
                return Poll::Ready(Step::Lost(number, reason));
            }
            Poll::Pending => {}
        }
        let mut inner = session.lock();
        if inner.sleep_reader(context.waker()) {
            return Poll::Pending;
        }
        if inner.machine.closed().is_some() {
            return Poll::Ready(Step::Over);
        }
        if inner.has_next_call() {
            return Poll::Ready(Step::Go);
        }
    }
}

fn dispatch_all(
    session: &Arc<SharedSession>,
    batch: &mut VecDeque<Delivery>,
    writer: &Writer,
    lifo_slot: &mut LifoSlot,
) {
    loop {
        session.update(|inner| inner.next_deliveries(batch));
        if batch.is_empty() {
            return;
        }
        let _turn = session.turns.begin();
        let portion = (batch.len() / 4).max(BATCH);
        while !batch.is_empty() {
            // Contained, as what is left of a call may panic when it is dropped; the next ones go on.
            contained(|| dispatch_some(session, batch, portion, lifo_slot));
            lifo_slot.take(writer.write_in_place(session));
            if session.is_held_up() {
                session.lock().put_back(batch);
                // The session is over: what arrived is not begun any more.
                batch.drain(..).for_each(|delivery| contained(|| drop(delivery)));
            }
        }
    }
}

/// Begins calls, so many that their answers are worth a write.
fn dispatch_some(
    session: &Arc<SharedSession>,
    batch: &mut VecDeque<Delivery>,
    portion: usize,
    lifo_slot: &mut LifoSlot,
) {
    for _ in 0..portion {
        let Some(delivery) = batch.pop_front() else { return };
        lifo_slot.clear();
        lifo_slot.take(dispatch(session, delivery));
        if session.is_held_up() {
            return;
        }
    }
}

async fn write(session: &Arc<SharedSession>, writer: &Writer) {
    let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
    loop {
        match poll_fn(|context| poll_work(session, &mut timer, context)).await {
            Work::Write => {}
            Work::Listen => {
                session.drive();
                continue;
            }
            Work::Over => return,
        }
        // Most of what coalescing gains: whoever else is about to send gets to do so before the write.
        tokio::task::yield_now().await;
        let keep_time = |inner: &mut Inner, context: &mut Context<'_>| {
            while poll_time(inner, &mut timer, context).is_ready() {}
        };
        match writer.write(session, keep_time).await {
            WriteOutcome::All => {}
            WriteOutcome::Last => {
                let _ =
                    tokio::time::timeout(Duration::from_secs(1), writer.shut_down(session)).await;
            }
            WriteOutcome::Lost(number, reason) => session.update(|inner| {
                inner.lose(number, &reason);
                inner.machine.keep_last_word();
            }),
        }
    }
}

/// What the writer is to do.
enum Work {
    Write,
    /// Hear what waits: the reader has not, for as long as a peer may be silent.
    Listen,
    Over,
}

/// Ready when there is something for the pen to do; sees to pings, silence and the lease meanwhile.
fn poll_work(
    session: &Arc<SharedSession>,
    timer: &mut Pin<Box<Sleep>>,
    context: &mut Context<'_>,
) -> Poll<Work> {
    session.update(|inner| {
        loop {
            if inner.has_work_for_writer() {
                let machine = &inner.machine;
                let over = machine.is_done() && !machine.wants_transmit() && inner.pen == 0;
                return Poll::Ready(if over { Work::Over } else { Work::Write });
            }
            if timer.is_elapsed() && inner.machine.is_silent(Instant::now()) {
                return Poll::Ready(Work::Listen);
            }
            if poll_time(inner, timer, context).is_pending() {
                inner.sleep_writer(context.waker());
                return Poll::Pending;
            }
        }
    })
}

/// Ready when time has passed that matters, and what it means is seen to.
fn poll_time(
    inner: &mut Inner,
    timer: &mut Pin<Box<Sleep>>,
    context: &mut Context<'_>,
) -> Poll<()> {
    if timer.as_mut().poll(context).is_pending() {
        return Poll::Pending;
    }
    // Not reset by each frame: it comes early, looks, and comes again.
    let next = inner.handle_timeout().unwrap_or_else(|| Instant::now() + NEVER);
    timer.as_mut().reset(next.into());
    Poll::Ready(())
}
