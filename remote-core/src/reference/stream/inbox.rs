//! The values of a stream that have arrived and are not yet taken, and the check of their credit.
//!
//! It must not decode values.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use remote_derive::{Remote, remote};

use super::batch::{Batch, Unpacking};
use super::messages::Inbox;
use super::ongoing::Ongoing;
use crate::error::{Error, Result};
use crate::mutex::Mutex;

/// The queue of arrived values.
#[derive(Default)]
pub(super) struct Arrivals {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    /// The credit that is left. While there is some of `bytes`, one more value may arrive, which may be larger: so it can
    /// be negative.
    values: u64,
    bytes: i64,
    /// The end of the stream, if it has arrived: an error, or `None` for an orderly end.
    end: Option<Option<Error>>,
    taker: Option<Waker>,
    /// Until the end of the stream has arrived.
    ongoing: Option<Ongoing>,
}

/// The next item of the queue.
pub(super) enum Arrival {
    Values(Unpacking),
    End(Option<Error>),
}

/// The object to which the source sends values.
#[derive(Remote)]
#[remote(Inbox, name = "remote.Intake")]
pub(super) struct Intake(pub(super) Arc<Arrivals>);

#[remote]
impl Inbox for Intake {
    async fn values(&self, batch: Batch) -> Result<()> {
        self.0.arrive(batch);
        Ok(())
    }

    async fn end(&self, failure: Option<Error>) -> Result<()> {
        self.0.end(failure);
        Ok(())
    }
}

impl Arrivals {
    /// Counts the stream on its route, until its end.
    pub(super) fn begin(&self, ongoing: Option<Ongoing>) {
        self.state.lock().ongoing = ongoing;
    }

    /// Adds credit.
    pub(super) fn allow(&self, values: u64, bytes: u64) {
        let mut state = self.state.lock();
        state.values = state.values.saturating_add(values);
        state.bytes = state.bytes.saturating_add_unsigned(bytes);
    }

    /// Polls for the next item: all values that arrived before the end, then the end.
    pub(super) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Arrival> {
        if let Some(polled) = self.poll_known(context.waker()) {
            return polled;
        }
        // Another waker than before: it is cloned when the lock is free, as wakers are the user's code.
        let waker = context.waker().clone();
        let replaced = self.state.lock().taker.replace(waker);
        drop(replaced);
        // Something may have arrived meanwhile.
        self.poll_known(context.waker()).unwrap_or(Poll::Pending)
    }

    /// Takes the next item, or waits for it. Returns `None` if nothing has arrived and the waker is not known.
    fn poll_known(&self, waker: &Waker) -> Option<Poll<Arrival>> {
        let mut state = self.state.lock();
        if let Some(batch) = state.batches.pop_front() {
            return Some(Poll::Ready(Arrival::Values(batch.unpack())));
        }
        if let Some(end) = &state.end {
            return Some(Poll::Ready(Arrival::End(end.clone())));
        }
        let is_known = state.taker.as_ref().is_some_and(|known| known.will_wake(waker));
        is_known.then_some(Poll::Pending)
    }

    /// Ends the stream. The first end counts, and nothing is accepted after it.
    pub(super) fn end(&self, failure: Option<Error>) {
        let mut state = self.state.lock();
        state.end.get_or_insert(failure);
        let (taker, ongoing) = (state.taker.take(), state.ongoing.take());
        drop(state);
        drop(ongoing);
        taker.into_iter().for_each(Waker::wake);
    }

    fn arrive(&self, batch: Batch) {
        let Ok(measure) = batch.measure() else {
            return self.end(Some(Error::Protocol("the values of a stream cannot be read".into())));
        };
        let mut state = self.state.lock();
        if state.end.is_some() {
            return;
        }
        let without_last = i64::try_from(measure.bytes - measure.last).unwrap_or(i64::MAX);
        if measure.values > state.values || without_last >= state.bytes {
            drop(state);
            let problem = "a stream's sender exceeded its credit";
            return self.end(Some(Error::Protocol(problem.into())));
        }
        state.values -= measure.values;
        state.bytes = state.bytes.saturating_sub_unsigned(measure.bytes);
        state.batches.push_back(batch);
        let taker = state.taker.take();
        drop(state);
        taker.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::{Encoded, Packing};
    use super::*;

    fn batch(values: u64, size: usize) -> Batch {
        let mut packing = Packing::default();
        for _ in 0..values {
            packing.add(Encoded::of(&vec![0_u8; size]).unwrap());
        }
        packing.close()
    }

    /// Takes everything out. Returns the number of batches, and the end.
    fn drained(arrivals: &Arrivals) -> (usize, Option<Option<Error>>) {
        let mut batches = 0;
        loop {
            match arrivals.poll_next(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Arrival::Values(_)) => batches += 1,
                Poll::Ready(Arrival::End(end)) => return (batches, Some(end)),
                Poll::Pending => return (batches, None),
            }
        }
    }

    #[test]
    fn values_arrive_as_far_as_there_is_credit() {
        let arrivals = Arrivals::default();
        arrivals.allow(10, 1_000);
        arrivals.arrive(batch(4, 10));
        arrivals.arrive(batch(6, 10));
        assert_eq!(drained(&arrivals), (2, None));
        arrivals.allow(2, 100);
        arrivals.arrive(batch(1, 1_000)); // One value may exceed the credit that is left.
        assert_eq!(drained(&arrivals), (1, None));
        arrivals.end(None);
        arrivals.arrive(batch(1, 1));
        arrivals.end(Some(Error::Timeout));
        assert_eq!(drained(&arrivals), (0, Some(None)), "nothing arrives after the end");
    }

    #[test]
    fn exceeding_the_credit_ends_the_stream() {
        let too_many = Arrivals::default();
        too_many.allow(10, 1 << 20);
        too_many.arrive(batch(11, 1));
        let too_large = Arrivals::default();
        too_large.allow(10, 1_000);
        too_large.arrive(batch(1, 1_000));
        too_large.arrive(batch(1, 1));
        let empty = Arrivals::default();
        empty.allow(10, 1_000);
        empty.arrive(batch(0, 0));
        for (arrivals, batches) in [(too_many, 0), (too_large, 1), (empty, 0)] {
            let (arrived, end) = drained(&arrivals);
            assert_eq!(arrived, batches);
            assert!(matches!(end, Some(Some(Error::Protocol(_)))), "{end:?}");
        }
    }
}
