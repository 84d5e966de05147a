//! Owns what has arrived of a stream and is not yet taken, and whether it was allowed to arrive.
//!
//! It must not decode anything: a value is the affair of whoever takes it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use remote_derive::{Remote, remote};

use super::batch::{Batch, Unpacking};
use super::messages::Inbox;
use crate::error::{Error, Result};
use crate::mutex::Mutex;

/// What has arrived.
#[derive(Default)]
pub(super) struct Arrivals {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    /// How many values may still arrive, and bytes: while there are any, one more value, which may be larger.
    values: u64,
    bytes: i64,
    /// How it ended.
    end: Option<Option<Error>>,
    taker: Option<Waker>,
}

/// What comes next.
pub(super) enum Arrival {
    Values(Unpacking),
    End(Option<Error>),
}

/// The object that the values are sent to.
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
    /// More may arrive.
    pub(super) fn allow(&self, values: u64, bytes: u64) {
        let mut state = self.state.lock();
        state.values = state.values.saturating_add(values);
        state.bytes = state.bytes.saturating_add_unsigned(bytes);
    }

    /// What comes next: all that arrived before the end, and then the end.
    pub(super) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Arrival> {
        let mut state = self.state.lock();
        if let Some(batch) = state.batches.pop_front() {
            return Poll::Ready(Arrival::Values(batch.unpack()));
        }
        if let Some(end) = &state.end {
            return Poll::Ready(Arrival::End(end.clone()));
        }
        let replaced = match &state.taker {
            Some(known) if known.will_wake(context.waker()) => None,
            _ => state.taker.replace(context.waker().clone()),
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    /// It has ended. What ended it first is heard, and nothing arrives after it.
    pub(super) fn end(&self, failure: Option<Error>) {
        let mut state = self.state.lock();
        state.end.get_or_insert(failure);
        let taker = state.taker.take();
        drop(state);
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
        let before_the_last = i64::try_from(measure.bytes - measure.last).unwrap_or(i64::MAX);
        if measure.values > state.values || before_the_last >= state.bytes {
            drop(state);
            let problem = "more values of a stream than there was credit for";
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

    /// How many batches are there, and how it ended.
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
    fn as_much_arrives_as_there_is_credit_for() {
        let arrivals = Arrivals::default();
        arrivals.allow(10, 1_000);
        arrivals.arrive(batch(4, 10));
        arrivals.arrive(batch(6, 10));
        assert_eq!(drained(&arrivals), (2, None));
        arrivals.allow(2, 100);
        arrivals.arrive(batch(1, 1_000)); // One that is larger than what is left may still come.
        assert_eq!(drained(&arrivals), (1, None));
        arrivals.end(None);
        arrivals.arrive(batch(1, 1));
        arrivals.end(Some(Error::Timeout));
        assert_eq!(drained(&arrivals), (0, Some(None)), "nothing comes behind the end");
    }

    #[test]
    fn whoever_sends_more_than_there_is_credit_for_ends_the_stream() {
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
