//! Owns the bytes that wait to be written to a connection.
//!
//! It must not know what they mean. They are bounded: whoever has more waits for room, in the order of coming.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::mutex::Mutex;

/// How many bytes may wait. What is longer than that waits alone.
const ROOM: u32 = 64 << 10;

/// Bytes that wait to be written.
pub(super) struct Outgoing {
    /// Whoever has it is the next. That room is given in order is not enough: those who have it may run in any.
    turn: tokio::sync::Mutex<()>,
    room: Semaphore,
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Default)]
struct Waiting {
    bytes: BytesMut,
    /// Of the room, what they take.
    taken: usize,
}

type Turn<'a> = tokio::sync::MutexGuard<'a, ()>;

/// Nothing is written any more.
pub(super) struct Closed;

impl Outgoing {
    pub(super) fn new() -> Outgoing {
        let room = Semaphore::new(ROOM as usize);
        let (turn, waiting, filled) = Default::default();
        Outgoing { turn, room, waiting, filled }
    }

    /// Puts bytes behind those that wait, all of them or, if it is dropped before there is room, none. Its place in the order
    /// is taken when it is first polled.
    pub(super) async fn put(&self, parts: [&[u8]; 2]) -> Result<(), Closed> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let taken = u32::try_from(length).unwrap_or(ROOM).min(ROOM);
        let (_turn, room) = self.reserve(taken).await?;
        room.forget();
        let mut waiting = self.waiting.lock();
        parts.iter().for_each(|part| waiting.bytes.extend_from_slice(part));
        waiting.taken += taken as usize;
        drop(waiting);
        self.filled.notify_one();
        Ok(())
    }

    /// Writes what waits, and what comes; why it cannot go on. For one writer.
    pub(super) async fn write_to(&self, writer: &mut (impl AsyncWrite + Unpin)) -> io::Error {
        loop {
            let Waiting { bytes, taken } = std::mem::take(&mut *self.waiting.lock());
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

    /// Waits until all is written, also of those who waited for room before.
    pub(super) async fn written(&self) {
        // Given back at once: if nothing more is to come, that was said elsewhere.
        let _ = self.reserve(ROOM).await;
    }

    /// Waits for room, behind those who do already.
    async fn reserve(&self, room: u32) -> Result<(Turn<'_>, SemaphorePermit<'_>), Closed> {
        let turn = self.turn.lock().await;
        let room = self.room.acquire_many(room).await.map_err(|_| Closed)?;
        Ok((turn, room))
    }

    /// Nothing is written any more: who waits for room is told.
    pub(super) fn close(&self) {
        self.room.close();
        drop(std::mem::take(&mut *self.waiting.lock()));
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
    async fn what_has_no_room_waits_and_keeps_its_order() {
        let outgoing = Arc::new(Outgoing::new());
        let (full, larger) = (vec![1; ROOM as usize], vec![2; ROOM as usize + 1]);
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
    async fn the_order_is_that_of_coming_whoever_runs_first() {
        let outgoing = Arc::new(Outgoing::new());
        let mut expected = vec![0; ROOM as usize - 1];
        assert!(outgoing.put([&expected, b""]).await.is_ok());
        let mut puts = Vec::new();
        for number in 0..100_u32 {
            // Also of a task that would have to let others have their turn.
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
        assert!(tasks.join_all().await.into_iter().all(|is_in| is_in));
    }

    #[tokio::test]
    async fn who_waits_for_room_is_told_that_there_will_be_none() {
        let outgoing = Outgoing::new();
        assert!(outgoing.put([&[0; ROOM as usize], b""]).await.is_ok());
        let mut waiting = pin!(outgoing.put([b"1", b""]));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        outgoing.close();
        assert!(waiting.await.is_err());
        assert!(outgoing.put([b"2", b""]).await.is_err());
    }
}
