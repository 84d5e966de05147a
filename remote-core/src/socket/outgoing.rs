//! The queue of bytes that wait to be written to a connection.
//!
//! It must not know what they mean. It is bounded: senders wait for room, in the order of their first polls.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::mutex::Mutex;

/// The capacity of the queue in bytes. A larger message waits until the queue is empty.
const CAPACITY: u32 = 64 << 10;

/// Bytes that wait to be written.
pub(super) struct Outgoing {
    /// Held by the sender that is next. The semaphore alone is not enough: it grants room in order, but the tasks that have
    /// got it may run in another order.
    order: tokio::sync::Mutex<()>,
    room: Semaphore,
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Default)]
struct Queue {
    bytes: BytesMut,
    /// The room that they take, which is at most the capacity.
    taken: usize,
}

type OrderGuard<'a> = tokio::sync::MutexGuard<'a, ()>;

/// The error of a queue that is closed.
pub(super) struct Closed;

impl Outgoing {
    pub(super) fn new() -> Outgoing {
        let room = Semaphore::new(CAPACITY as usize);
        let (order, queue, filled) = Default::default();
        Outgoing { order, room, queue, filled }
    }

    /// Appends bytes, when there is room for all of them. The position in the queue is that of the first poll. Cancel safe:
    /// nothing is appended if the future is dropped before it is ready.
    pub(super) async fn put(&self, parts: [&[u8]; 2]) -> Result<(), Closed> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let taken = u32::try_from(length).unwrap_or(CAPACITY).min(CAPACITY);
        let (_order, room) = self.reserve(taken).await?;
        room.forget();
        let mut queue = self.queue.lock();
        parts.iter().for_each(|part| queue.bytes.extend_from_slice(part));
        queue.taken += taken as usize;
        drop(queue);
        self.filled.notify_one();
        Ok(())
    }

    /// Writes the queued bytes, and those that are queued later. Returns the error that ends it. For one writer.
    pub(super) async fn write_to(&self, writer: &mut (impl AsyncWrite + Unpin)) -> io::Error {
        loop {
            let Queue { bytes, taken } = std::mem::take(&mut *self.queue.lock());
            if bytes.is_empty() {
                self.filled.notified().await;
                continue;
            }
            if let Err(error) = writer.write_all(&bytes).await {
                return error;
            }
            self.room.add_permits(taken);
        }
    }

    /// Waits until all is written, also for the senders that waited for room before.
    pub(super) async fn written(&self) {
        // The room is released at once. `Control` prevents that more is queued.
        let _ = self.reserve(CAPACITY).await;
    }

    /// Waits for room, after the senders that wait already.
    async fn reserve(&self, room: u32) -> Result<(OrderGuard<'_>, SemaphorePermit<'_>), Closed> {
        let order = self.order.lock().await;
        let room = self.room.acquire_many(room).await.map_err(|_| Closed)?;
        Ok((order, room))
    }

    /// Closes the queue and drops the bytes in it. Senders that wait for room get an error.
    pub(super) fn close(&self) {
        self.room.close();
        drop(std::mem::take(&mut *self.queue.lock()));
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Waker};

    use tokio::io::AsyncReadExt;
    use tokio::task::coop::{consume_budget, has_budget_remaining};

    use super::*;

    #[tokio::test]
    async fn bytes_without_room_wait_in_order() {
        let outgoing = Arc::new(Outgoing::new());
        let (full, larger) = (vec![1; CAPACITY as usize], vec![2; CAPACITY as usize + 1]);
        assert!(outgoing.put([&full, b""]).await.is_ok());
        let mut second = pin!(outgoing.put([&larger, b""]));
        let mut third = pin!(outgoing.put([b"3", b""]));
        let mut dropped = Box::pin(outgoing.put([b"4", b""]));
        let mut context = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(third.as_mut().poll(&mut context).is_pending());
        assert!(dropped.as_mut().poll(&mut context).is_pending());
        drop(dropped);

        let (mut near, mut far) = tokio::io::duplex(100);
        let writer = Arc::clone(&outgoing);
        let writing = tokio::spawn(async move { writer.write_to(&mut near).await });
        let mut read = vec![0; full.len() + larger.len() + 1];
        let reading = tokio::spawn(async move { far.read_exact(&mut read).await.map(|_| read) });
        assert!(second.await.is_ok());
        assert!(third.await.is_ok());
        outgoing.written().await;
        assert!(reading.await.unwrap().unwrap() == [&full[..], &larger, b"3"].concat());
        assert!(outgoing.put([b"5", b"6"]).await.is_ok()); // the reader is gone
        assert_eq!(writing.await.unwrap().kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_order_is_that_of_the_first_polls() {
        let outgoing = Arc::new(Outgoing::new());
        let mut expected = vec![0; CAPACITY as usize - 1];
        assert!(outgoing.put([&expected, b""]).await.is_ok());
        let mut puts = Vec::new();
        for number in 0..100_u32 {
            // Also for a task whose cooperative budget is spent.
            while number == 50 && has_budget_remaining() {
                consume_budget().await;
            }
            let (outgoing, bytes) = (Arc::clone(&outgoing), number.to_be_bytes());
            expected.extend(bytes);
            let mut put = Box::pin(async move { outgoing.put([&bytes, &[]]).await.is_ok() });
            assert!(put.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            puts.push(put);
        }
        let tasks: tokio::task::JoinSet<bool> = puts.into_iter().rev().collect();
        let (mut near, mut far) = tokio::io::duplex(1000);
        let writer = Arc::clone(&outgoing);
        tokio::spawn(async move { writer.write_to(&mut near).await });
        let mut read = vec![0; expected.len()];
        far.read_exact(&mut read).await.unwrap();
        assert!(read == expected);
        assert!(tasks.join_all().await.into_iter().all(|is_queued| is_queued));
    }

    #[tokio::test]
    async fn closing_fails_calls_that_wait_for_room() {
        let outgoing = Outgoing::new();
        assert!(outgoing.put([&[0; CAPACITY as usize], b""]).await.is_ok());
        let mut queue = pin!(outgoing.put([b"1", b""]));
        assert!(queue.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        outgoing.close();
        assert!(queue.await.is_err());
        assert!(outgoing.put([b"2", b""]).await.is_err());
    }
}
