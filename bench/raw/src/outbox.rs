//! Coalesced writes: senders append to a buffer, and one task writes it to the socket.

use std::io;
use std::sync::Mutex;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio::task::yield_now;

#[derive(Default)]
pub(crate) struct Outbox {
    buffer: Mutex<Vec<u8>>,
    ready: Notify,
}

impl Outbox {
    /// Calls `append` with the buffer that is written next.
    pub(crate) fn append<R>(&self, append: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut buffer = self.buffer.lock().expect("no panic while appending");
        let was_empty = buffer.is_empty();
        let result = append(&mut buffer);
        let notify = was_empty && !buffer.is_empty();
        drop(buffer);
        if notify {
            self.ready.notify_one();
        }
        result
    }

    /// Writes the buffer whenever it is not empty, until the connection breaks.
    pub(crate) async fn flush(&self, mut socket: OwnedWriteHalf) -> io::Result<()> {
        let mut batch = Vec::new();
        loop {
            self.ready.notified().await;
            // Lets tasks that are ready to run append first: with many callers, the fewer writes outweigh the delay.
            yield_now().await;
            std::mem::swap(&mut batch, &mut self.buffer.lock().expect("no panic while appending"));
            socket.write_all(&batch).await?;
            batch.clear();
        }
    }
}
