//! Coalesced writes: whoever has something to send appends it, and one task writes what has gathered. It must not know
//! what a frame is.

use std::io;
use std::sync::Mutex;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio::task::yield_now;

#[derive(Default)]
pub(crate) struct Outbox {
    gathered: Mutex<Vec<u8>>,
    filled: Notify,
}

impl Outbox {
    /// Lets `append` add to what is written next.
    pub(crate) fn append<R>(&self, append: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut gathered = self.gathered.lock().expect("nobody panics while appending");
        let was_empty = gathered.is_empty();
        let result = append(&mut gathered);
        let fill = was_empty && !gathered.is_empty();
        drop(gathered);
        if fill {
            self.filled.notify_one();
        }
        result
    }

    /// Writes for as long as the connection lasts.
    pub(crate) async fn flush(&self, mut socket: OwnedWriteHalf) -> io::Result<()> {
        let mut batch = Vec::new();
        loop {
            self.filled.notified().await;
            // Lets those that are ready to run add theirs: with many callers that is worth far more than it delays.
            yield_now().await;
            std::mem::swap(
                &mut batch,
                &mut self.gathered.lock().expect("nobody panics while appending"),
            );
            socket.write_all(&batch).await?;
            batch.clear();
        }
    }
}
