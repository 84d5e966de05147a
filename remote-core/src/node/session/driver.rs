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
use super::shared::{Bystander, Delivery, Inner, Link};
use crate::node::io::reader::{Ear, Heard};
use crate::node::io::writer::{Pen, Written};
use crate::node::runtime::lifo_slot::Way;
use crate::node::runtime::watchdog::GoesOn;
use crate::object::execution::contained;

/// At least so many calls, or a quarter of those that arrived together, are begun before their answers are written: fewer
/// cost more writes, and of more the peer sees the first answers too late to be at work meanwhile.
const BATCH: usize = 64;

/// When the timer of a session that is over goes off: not before its tasks have ended.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Starts the tasks of a session; `over` is called when both have ended.
pub(crate) fn drive(link: Arc<Link>, over: impl FnOnce(&Arc<Link>) + Send + 'static) {
    let ends = Arc::new(Ends::default());
    let _ = link.runtime.set(tokio::runtime::Handle::current());
    let _ = link.bystander.set(Arc::clone(&ends) as Arc<dyn Bystander>);
    let reading = tokio::spawn(read(Arc::clone(&link), Arc::clone(&ends)));
    tokio::spawn(async move {
        write(&link, &ends.pen).await;
        reading.abort();
        over(&link);
    });
}

/// Both halves of the connection.
#[derive(Default)]
struct Ends {
    ear: Ear,
    pen: Pen,
}

impl Bystander for Ends {
    fn hear_in_place(&self, link: &Link) -> bool {
        self.ear.hear_in_place(link)
    }

    fn write_in_place(&self, link: &Link) {
        self.pen.write_in_place(link);
    }

    fn write_on(&self, link: &Link) {
        self.pen.write_on(link);
    }
}

async fn read(link: Arc<Link>, ends: Arc<Ends>) {
    let (mut batch, mut way) = (VecDeque::new(), Way::default());
    loop {
        match poll_fn(|context| poll_step(&link, &ends.ear, &mut way, context)).await {
            Step::Go => dispatch_all(&link, &mut batch, &ends.pen, &mut way),
            Step::Lost(number, reason) => link.update(|inner| inner.lose(number, &reason)),
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
fn poll_step(link: &Link, ear: &Ear, way: &mut Way, context: &mut Context<'_>) -> Poll<Step> {
    loop {
        match ear.poll_hear(link, context) {
            Poll::Ready(Heard::Something { wakes }) => {
                way.take(wakes);
                return Poll::Ready(Step::Go);
            }
            Poll::Ready(Heard::Lost(number, reason)) => {
                return Poll::Ready(Step::Lost(number, reason));
            }
            Poll::Pending => {}
        }
        let mut inner = link.lock();
        if inner.sleep_reader(context.waker()) {
            return Poll::Pending;
        }
        if inner.session.closed().is_some() {
            return Poll::Ready(Step::Over);
        }
        if inner.has_next_call() {
            return Poll::Ready(Step::Go);
        }
    }
}

fn dispatch_all(link: &Arc<Link>, batch: &mut VecDeque<Delivery>, pen: &Pen, way: &mut Way) {
    loop {
        link.update(|inner| inner.next_deliveries(batch));
        if batch.is_empty() {
            return;
        }
        let _turn = link.turns.begin();
        let portion = (batch.len() / 4).max(BATCH);
        while !batch.is_empty() {
            // Contained, as what is left of a call may panic when it is dropped; the next ones go on.
            contained(|| dispatch_some(link, batch, portion, way));
            way.take(pen.write_in_place(link));
            if link.is_held_up() {
                link.lock().put_back(batch);
                // The session is over: what arrived is not begun any more.
                batch.drain(..).for_each(|delivery| contained(|| drop(delivery)));
            }
        }
    }
}

/// Begins calls, so many that their answers are worth a write.
fn dispatch_some(link: &Arc<Link>, batch: &mut VecDeque<Delivery>, portion: usize, way: &mut Way) {
    for _ in 0..portion {
        let Some(delivery) = batch.pop_front() else { return };
        way.clear();
        way.take(dispatch(link, delivery));
        if link.is_held_up() {
            return;
        }
    }
}

async fn write(link: &Arc<Link>, pen: &Pen) {
    let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
    loop {
        match poll_fn(|context| poll_work(link, &mut timer, context)).await {
            Work::Write => {}
            Work::Listen => {
                link.go_on();
                continue;
            }
            Work::Over => return,
        }
        // Most of what coalescing gains: whoever else is about to send gets to do so before the write.
        tokio::task::yield_now().await;
        let keep_time = |inner: &mut Inner, context: &mut Context<'_>| {
            while poll_time(inner, &mut timer, context).is_ready() {}
        };
        match pen.write(link, keep_time).await {
            Written::All => {}
            Written::Last => {
                let _ = tokio::time::timeout(Duration::from_secs(1), pen.shut_down(link)).await;
            }
            Written::Lost(number, reason) => link.update(|inner| {
                inner.lose(number, &reason);
                inner.session.keep_last_word();
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
    link: &Arc<Link>,
    timer: &mut Pin<Box<Sleep>>,
    context: &mut Context<'_>,
) -> Poll<Work> {
    link.update(|inner| {
        loop {
            if inner.has_work_for_writer() {
                let session = &inner.session;
                let over = session.is_done() && !session.wants_transmit() && inner.pen == 0;
                return Poll::Ready(if over { Work::Over } else { Work::Write });
            }
            if timer.is_elapsed() && inner.session.is_silent(Instant::now()) {
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
