//! Owns the tasks of a session: one reads and dispatches, one writes and keeps time, each on one connection after another.
//!
//! They must not wait for each other: whatever a method does to the reader's thread, pings and acknowledgements go out.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Sleep;

use super::attach::{Half, Reader, Writer};
use super::dispatch::dispatch;
use super::link::{Delivery, Inner, Link};
use super::redial::keep_connected;
use super::sessions::Sessions;
use crate::object::execution::contained;
use crate::session::Block;

/// The read buffer: it begins small and grows with what arrives.
const FIRST: usize = 4 * 1024;
const LARGEST: usize = 256 * 1024;

/// When the timer of a session that is over goes off: not before its tasks have ended.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Starts the tasks of a session.
pub(crate) fn drive(sessions: &Arc<Sessions>, link: &Arc<Link>) {
    let reading = tokio::spawn(read(Arc::clone(link)));
    if let Some(uri) = link.origin.dialled.clone() {
        tokio::spawn(keep_connected(Arc::clone(sessions), Arc::clone(link), uri));
    }
    let (sessions, link) = (Arc::clone(sessions), Arc::clone(link));
    tokio::spawn(async move {
        write(&link).await;
        reading.abort();
        sessions.remove(&link);
    });
}

async fn read(link: Arc<Link>) {
    let mut batch = VecDeque::new();
    while let Some(half) = poll_fn(|context| link.poll_reader(context)).await {
        let number = half.number;
        if let Some(reason) = read_connection(&link, half, &mut batch).await {
            link.update(|inner| inner.lose(number, &reason));
        }
    }
}

/// Reads until the connection is lost, and tells why; nothing if the session has another one by then, or none.
async fn read_connection(
    link: &Arc<Link>,
    half: Half<Reader>,
    batch: &mut VecDeque<Delivery>,
) -> Option<String> {
    let Half { number, end: mut reader } = half;
    let mut buffer = Buffer::default();
    loop {
        let used = link.update(|inner| inner.receive(number, buffer.filled()))?;
        buffer.consume(used);
        dispatch_all(link, batch);
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

fn dispatch_all(link: &Arc<Link>, batch: &mut VecDeque<Delivery>) {
    loop {
        link.lock().next_deliveries(batch);
        if batch.is_empty() {
            return;
        }
        while let Some(delivery) = batch.pop_front() {
            contained(|| dispatch(link, delivery));
            if link.is_full() && !batch.is_empty() {
                link.lock().put_back(batch);
            }
        }
    }
}

async fn write(link: &Arc<Link>) {
    let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
    let mut half = None;
    while poll_fn(|context| poll_work(link, &mut half, &mut timer, context)).await == Work::Write {
        // Most of what coalescing gains: whoever else is about to send gets to do so before the write.
        tokio::task::yield_now().await;
        let (block, over, room) = link.update(|inner| {
            let block = inner.session.poll_transmit(Instant::now());
            let over = inner.session.closed().is_some() && !inner.session.wants_transmit();
            (block, over, inner.room())
        });
        room.into_iter().for_each(Waker::wake);
        if link.shared.is_closing() {
            link.shared.ended.notify_waiters();
        }
        let (Some(block), Some(connection)) = (block, half.as_mut()) else { continue };
        let written = write_block(link, connection, &block, &mut timer).await;
        // A block of which nobody else has a share is used again.
        drop(block);
        if let Err(reason) = written {
            let number = connection.number;
            link.update(|inner| inner.lose(number, &reason));
            half = None;
        }
        if over && let Some(mut connection) = half.take() {
            // The peer may still be reading what was written; it closes when it has.
            let _ = tokio::time::timeout(Duration::from_secs(1), connection.end.shutdown()).await;
        }
    }
}

/// What the writer is to do.
#[derive(PartialEq, Eq)]
enum Work {
    Write,
    Over,
}

/// Ready when there is something to be written and a connection for it; sees to pings, silence and the lease meanwhile.
fn poll_work(
    link: &Arc<Link>,
    half: &mut Option<Half<Writer>>,
    timer: &mut Pin<Box<Sleep>>,
    context: &mut Context<'_>,
) -> Poll<Work> {
    let mut former = None;
    let work = link.update(|inner| {
        loop {
            if let Some(next) = inner.next_writer() {
                former = half.replace(next);
            } else if half.as_ref().is_some_and(|half| !inner.has(half.number)) {
                former = half.take();
            }
            if half.is_some() && inner.session.wants_transmit() {
                return Poll::Ready(Work::Write);
            }
            if inner.session.closed().is_some() {
                return Poll::Ready(Work::Over);
            }
            if poll_time(inner, timer, context).is_pending() {
                inner.sleep_writer(context.waker());
                return Poll::Pending;
            }
        }
    });
    drop(former);
    work
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

/// Writes all of a block, unless the connection is lost meanwhile or the peer does not read.
async fn write_block(
    link: &Arc<Link>,
    connection: &mut Half<Writer>,
    block: &Block,
    timer: &mut Pin<Box<Sleep>>,
) -> Result<(), String> {
    let (stall, number, mut rest) = (link.shared.limits.stall, connection.number, &block[..]);
    let writing = poll_fn(|context| {
        while !rest.is_empty() {
            match Pin::new(&mut connection.end).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err("the connection was closed".into())),
                Poll::Ready(Ok(written)) => rest = &rest[written..],
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.to_string())),
                Poll::Pending => {
                    let lost = link.update(|inner| {
                        while poll_time(inner, timer, context).is_ready() {}
                        inner.stalled_writer = Some(context.waker().clone());
                        !inner.has(number)
                    });
                    let reason = || Err("the session goes on without this connection".into());
                    return if lost { Poll::Ready(reason()) } else { Poll::Pending };
                }
            }
        }
        Poll::Ready(Ok(()))
    });
    let late = |_| Err(format!("the peer has not read for {} s", stall.as_secs_f32()));
    tokio::time::timeout(stall, writing).await.unwrap_or_else(late)
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
