//! The objects whose messages are counted. Their methods do nothing, so that only the library is counted.

use std::sync::atomic::{AtomicU64, Ordering};

use remote_core::{Ref, Remote, Result, Stream, remote};

/// The messages of the paths.
#[remote]
pub(crate) trait Root {
    /// Adds, and returns the sum.
    async fn add(&self, number: u64) -> Result<u64>;
    /// Adds.
    async fn note(&self, number: u64) -> Result<()>;
    /// Returns the bytes.
    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>>;
    /// Returns a new object.
    async fn make(&self) -> Result<Ref<dyn Root>>;
    /// Returns the numbers below `bound`.
    async fn numbers(&self, bound: u64) -> Result<Stream<u64>>;
}

#[derive(Default, Remote)]
#[remote(Root)]
pub(crate) struct Tally {
    sum: AtomicU64,
}

#[remote]
impl Root for Tally {
    async fn add(&self, number: u64) -> Result<u64> {
        Ok(self.sum.fetch_add(number, Ordering::Relaxed) + number)
    }

    async fn note(&self, number: u64) -> Result<()> {
        self.sum.fetch_add(number, Ordering::Relaxed);
        Ok(())
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(bytes)
    }

    async fn make(&self) -> Result<Ref<dyn Root>> {
        Ok(Ref::<dyn Root>::new(Tally::default()))
    }

    async fn numbers(&self, bound: u64) -> Result<Stream<u64>> {
        Ok(Stream::new(move |sink| async move {
            for number in 0..bound {
                sink.send(number).await?;
            }
            Ok(())
        }))
    }
}
