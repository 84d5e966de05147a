//! Owns the two tasks of a session: one reads and dispatches, one writes and keeps time.
//!
//! They must not wait for each other: whatever a method does to the reader's thread, pings and acknowledgements go out.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Sleep;

use super::dispatch::dispatch;
use super::link::{Delivery, Link};
use super::pen::{Pen, Writer};
use crate::object::execution::contained;

/// The read buffer: it begins small and grows with what arrives.
const FIRST: usize = 4 * 1024;
const LARGEST: usize = 256 * 1024;
/// At least so many calls, or a quarter of those that arrived together, are begun before their answers are written: fewer
/// cost more writes, and of more the peer sees the first answers too late to be at work meanwhile.
const BATCH: usize = 64;

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// Starts the tasks of a session; `over` is called when both have ended.
pub(crate) fn drive(
    link: Arc<Link>,
    reader: Reader,
    writer: Writer,
    over: impl FnOnce() + Send + 'static,
) {
    let pen = Arc::new(Pen::new(writer));
    let reading = tokio::spawn(read(Arc::clone(&link), reader, Arc::clone(&pen)));
    tokio::spawn(async move {
        write(&link, &pen).await;
        reading.abort();
        over();
    });
}

async fn read(link: Arc<Link>, mut reader: Reader, pen: Arc<Pen>) {
    let mut buffer = Buffer::default();
    let mut batch = VecDeque::new();
    loop {
        let reason =
            match poll_fn(|context| poll_step(&link, &mut reader, &mut buffer, context)).await {
                Ok(Step::Read) => {
                    let used = link.update(|inner| inner.receive(buffer.filled()));
                    buffer.consume(used);
                    dispatch_all(&link, &mut batch, &pen);
                    continue;
                }
                Ok(Step::Room) => {
                    dispatch_all(&link, &mut batch, &pen);
                    continue;
                }
                Ok(Step::Ended) => "the peer is gone".to_owned(),
                Err(error) => error.to_string(),
            };
        link.update(|inner| inner.session.lose(&reason));
        return;
    }
}

enum Step {
    Read,
    /// Calls that were held back can be begun.
    Room,
    Ended,
}

/// Reads more, or finds that there is room for the answers to calls that were held back.
fn poll_step(
    link: &Link,
    reader: &mut Reader,
    buffer: &mut Buffer,
    context: &mut Context<'_>,
) -> Poll<io::Result<Step>> {
    if let Poll::Ready(read) = buffer.poll_fill(reader, context)? {
        return Poll::Ready(Ok(if read == 0 { Step::Ended } else { Step::Read }));
    }
    if link.lock().hold_back(context.waker()) { Poll::Pending } else { Poll::Ready(Ok(Step::Room)) }
}

fn dispatch_all(link: &Arc<Link>, batch: &mut VecDeque<Delivery>, pen: &Pen) {
    loop {
        link.update(|inner| inner.next_deliveries(batch));
        if batch.is_empty() {
            return;
        }
        let _turn = link.turns.begin();
        let portion = (batch.len() / 4).max(BATCH);
        while !batch.is_empty() {
            // Contained, as what is left of a call may panic when it is dropped; the next ones go on.
            contained(|| dispatch_some(link, batch, portion));
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
fn dispatch_some(link: &Arc<Link>, batch: &mut VecDeque<Delivery>, portion: usize) {
    for _ in 0..portion {
        let Some(delivery) = batch.pop_front() else { return };
        dispatch(link, delivery);
        if link.is_held_up() {
            return;
        }
    }
}

async fn write(link: &Arc<Link>, pen: &Pen) {
    let stall = link.shared.limits.stall;
    let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
    loop {
        poll_fn(|context| poll_work(link, timer.as_mut(), context)).await;
        // Most of what coalescing gains: whoever else is about to send gets to do so before the write.
        tokio::task::yield_now().await;
        let failure = match tokio::time::timeout(stall, pen.write(link)).await {
            Ok(Ok(false)) => continue,
            Ok(Ok(true)) => {
                // The peer may still be reading what was written; it closes when it has.
                let _ = tokio::time::timeout(Duration::from_secs(1), pen.shut_down()).await;
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the peer has not read for {} s", stall.as_secs_f32()),
        };
        link.update(|inner| inner.session.lose(&failure));
        return;
    }
}

/// Ready when there is something to be written; sees to pings and to silence meanwhile.
fn poll_work(link: &Arc<Link>, mut timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
    link.update(|inner| {
        loop {
            if inner.has_work_for_writer() {
                return Poll::Ready(());
            }
            if timer.as_mut().poll(context).is_pending() {
                inner.sleep_writer(context.waker());
                return Poll::Pending;
            }
            inner.time_out();
            // Not reset by each frame: it comes early, looks, and comes again.
            timer.as_mut().reset(inner.session.poll_timeout().into());
        }
    })
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
