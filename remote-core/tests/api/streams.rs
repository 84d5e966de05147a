//! Tests of streams: values as argument and result, credit, ends and errors, streams that are passed on. Tests between
//! processes are in `streams/processes.rs`.

mod credit;
mod ends;
#[cfg(target_os = "linux")]
pub(crate) mod processes;
mod transfer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::within;
use remote_core::{Error, Ref, Remote, Result, Sink, Stream, remote};

/// The object under test, which returns streams and takes them.
#[remote]
trait Station {
    /// Returns the numbers below a bound.
    async fn numbers(&self, bound: u64) -> Result<Stream<u64>>;
    /// Returns byte strings of a size, without an end.
    async fn parcels(&self, size: u64) -> Result<Stream<Vec<u8>>>;
    async fn sum(&self, numbers: Stream<u64>) -> Result<u64>;
    /// Keeps the stream, and takes nothing from it.
    async fn keep(&self, numbers: Stream<u64>) -> Result<()>;
    /// Drops the kept streams.
    async fn let_go(&self) -> Result<()>;
    /// Returns the sum of the kept streams.
    async fn sum_of_kept(&self) -> Result<u64>;
    /// Returns the stream whose sink the test has.
    async fn offered(&self) -> Result<Stream<u64>>;
    async fn done(&self) -> Result<()>;
}

#[derive(Remote, Default)]
#[remote(Station)]
struct Hub {
    /// The number of values that its streams have sent.
    sent: Arc<AtomicU64>,
    kept: Mutex<Vec<Stream<u64>>>,
    offer: Mutex<Option<Stream<u64>>>,
}

#[remote]
impl Station for Hub {
    async fn numbers(&self, bound: u64) -> Result<Stream<u64>> {
        let sent = Arc::clone(&self.sent);
        Ok(Stream::new(move |sink| async move {
            for number in 0..bound {
                sink.send(number).await?;
                sent.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        }))
    }

    async fn parcels(&self, size: u64) -> Result<Stream<Vec<u8>>> {
        let sent = Arc::clone(&self.sent);
        Ok(Stream::new(move |sink| async move {
            loop {
                sink.send(vec![7; size as usize]).await?;
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }))
    }

    async fn sum(&self, mut numbers: Stream<u64>) -> Result<u64> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn keep(&self, numbers: Stream<u64>) -> Result<()> {
        self.kept.lock().unwrap().push(numbers);
        Ok(())
    }

    async fn let_go(&self) -> Result<()> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap());
        drop(kept);
        Ok(())
    }

    async fn sum_of_kept(&self) -> Result<u64> {
        let kept = self.kept.lock().unwrap().pop();
        self.sum(kept.ok_or(Error::Cancelled)?).await
    }

    async fn offered(&self) -> Result<Stream<u64>> {
        self.offer.lock().unwrap().take().ok_or(Error::Cancelled)
    }

    async fn done(&self) -> Result<()> {
        Ok(())
    }
}

impl Hub {
    /// Returns a hub with a stream, and its sink.
    fn offering() -> (Hub, Sink<u64>) {
        let (sink, stream) = Stream::channel();
        let hub = Hub { offer: Mutex::new(Some(stream)), ..Hub::default() };
        (hub, sink)
    }
}

/// Asserts that a stream consists of the numbers below a bound, in order.
async fn assert_numbers(mut stream: Stream<u64>, bound: u64) {
    for expected in 0..bound {
        assert_eq!(within(stream.next()).await, Some(Ok(expected)));
    }
    assert_eq!(within(stream.next()).await, None);
    assert_eq!(within(stream.next()).await, None, "nothing comes after the end");
}

/// Not a test of its own: what the children do.
fn station(hub: Hub) -> Ref<dyn Station> {
    Ref::new(hub)
}
