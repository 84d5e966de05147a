//! Owns the tasks of a session: one reads and dispatches, one writes and keeps time, each on one connection after another.
//!
//! They must not wait for each other: whatever a method does to the reader's thread, pings and acknowledgements go out.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Sleep;

use super::attached::{Half, Reader};
use super::dispatch::dispatch;
use super::link::{Delivery, Inner, Link};
use super::pen::{Pen, Written};
use crate::object::execution::contained;

/// The read buffer: it begins small and grows with what arrives.
const FIRST: usize = 4 * 1024;
const LARGEST: usize = 256 * 1024;

/// How many calls are begun between two writes of their answers: fewer cost more writes, and of more the peer sees the
/// first answers too late to be at work meanwhile.
const BATCH: usize = 64;

/// When the timer of a session that is over goes off: not before its tasks have ended.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Starts the tasks of a session; `over` is called when both have ended.
pub(crate) fn drive(link: Arc<Link>, over: impl FnOnce(&Arc<Link>) + Send + 'static) {
    let pen = Arc::new(Pen::default());
    let reading = tokio::spawn(read(Arc::clone(&link), Arc::clone(&pen)));
    tokio::spawn(async move {
        write(&link, &pen).await;
        reading.abort();
        over(&link);
    });
}

async fn read(link: Arc<Link>, pen: Arc<Pen>) {
    let mut batch = VecDeque::new();
    while let Some(half) = poll_fn(|context| link.poll_reader(context)).await {
        let number = half.number;
        if let Some(reason) = read_connection(&link, half, &mut batch, &pen).await {
            link.update(|inner| inner.lose(number, &reason));
        }
    }
}

/// Reads until the connection is lost, and tells why; nothing if the session has another one by then, or none.
async fn read_connection(
    link: &Arc<Link>,
    half: Half<Reader>,
    batch: &mut VecDeque<Delivery>,
    pen: &Pen,
) -> Option<String> {
    let Half { number, end: mut reader } = half;
    let mut buffer = Buffer::default();
    loop {
        let used = link.update(|inner| inner.receive(number, buffer.filled()))?;
        buffer.consume(used);
        dispatch_all(link, batch, pen);
        let step = poll_fn(|context| poll_step(link, number, &mut reader, &mut buffer, context));
        match step.await {
            Ok(Step::Read) => continue,
            Ok(Step::Replaced) => return None,
            Ok(Step::Ended) => return Some("the connection was closed".to_owned()),
            Err(error) => return Some(error.to_string()),
        }
    }
}

enum Step {
    Read,
    Ended,
    Replaced,
}

/// Reads more, and meanwhile begins the calls that were held back for want of room.
fn poll_step(
    link: &Arc<Link>,
    number: u64,
    reader: &mut Reader,
    buffer: &mut Buffer,
    context: &mut Context<'_>,
) -> Poll<io::Result<Step>> {
    loop {
        if let Poll::Ready(read) = buffer.poll_fill(reader, context)? {
            return Poll::Ready(Ok(if read == 0 { Step::Ended } else { Step::Read }));
        }
        let mut inner = link.lock();
        if !inner.has(number) {
            return Poll::Ready(Ok(Step::Replaced));
        }
        let Some(delivery) = inner.next_delivery() else {
            inner.sleep_reader(context.waker());
            return Poll::Pending;
        };
        drop(inner);
        contained(|| dispatch(link, delivery));
    }
}

fn dispatch_all(link: &Arc<Link>, batch: &mut VecDeque<Delivery>, pen: &Pen) {
    loop {
        link.lock().next_deliveries(batch);
        if batch.is_empty() {
            return;
        }
        while !batch.is_empty() {
            // Contained, as what is left of a call may panic when it is dropped; the next ones go on.
            contained(|| dispatch_some(link, batch));
            pen.write_in_place(link);
            if link.is_held_up() {
                link.lock().put_back(batch);
                // The session is over: what arrived is not begun any more.
                batch.drain(..).for_each(|delivery| contained(|| drop(delivery)));
            }
        }
    }
}

/// Begins calls, so many that their answers are worth a write.
fn dispatch_some(link: &Arc<Link>, batch: &mut VecDeque<Delivery>) {
    for _ in 0..BATCH {
        let Some(delivery) = batch.pop_front() else { return };
        dispatch(link, delivery);
        if link.is_held_up() {
            return;
        }
    }
}

async fn write(link: &Arc<Link>, pen: &Pen) {
    let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
    while poll_fn(|context| poll_work(link, &mut timer, context)).await == Work::Write {
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
#[derive(PartialEq, Eq)]
enum Work {
    Write,
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
    inner.time_out();
    // Not reset by each frame: it comes early, looks, and comes again.
    let next = inner.session.poll_timeout().unwrap_or_else(|| Instant::now() + NEVER);
    timer.as_mut().reset(next.into());
    Poll::Ready(())
}

/// Bytes read and not yet used.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn consume(&mut self, used: usize) {
        self.start += used;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    fn poll_fill(
        &mut self,
        reader: &mut Reader,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            // What arrived filled it: there is likely more.
            let larger = (self.bytes.len() * 4).clamp(FIRST, LARGEST).max(self.end + 1);
            self.bytes.resize(larger, 0);
        }
        let mut free = ReadBuf::new(&mut self.bytes[self.end..]);
        match Pin::new(reader).poll_read(context, &mut free) {
            Poll::Ready(Ok(())) => {
                let read = free.filled().len();
                self.end += read;
                Poll::Ready(Ok(read))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}
