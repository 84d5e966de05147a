//! Credit: nothing is sent without it; more is issued as values are taken, or by hand; and a sender waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use remote_core::{Ref, Stream};

use crate::streams::{Hub, Station, station};
use crate::support::{Pair, poll_once, until, within};

/// Returns a far hub, and the number of values that its streams have sent.
async fn far() -> (Pair<dyn Station>, Arc<AtomicU64>) {
    let hub = Hub::default();
    let sent = Arc::clone(&hub.sent);
    (Pair::new(station(hub)).await, sent)
}

/// Waits until this number of values has been sent. No more are sent, also after everything in transit has arrived.
async fn assert_sent(far: &Ref<dyn Station>, sent: &AtomicU64, expected: u64) {
    until("they are sent", || sent.load(Ordering::SeqCst) >= expected).await;
    for _ in 0..3 {
        within(far.done()).await.unwrap();
    }
    assert_eq!(sent.load(Ordering::SeqCst), expected);
}

#[tokio::test]
async fn nothing_is_sent_without_credit() {
    let (pair, sent) = far().await;
    let mut numbers = within(pair.far.numbers(100)).await.unwrap().with_credit(0);
    assert!(poll_once(&mut std::pin::pin!(numbers.next())).await.is_none());
    assert_sent(&pair.far, &sent, 0).await;
    numbers.credit(2);
    assert_sent(&pair.far, &sent, 2).await;
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    assert_eq!(within(numbers.next()).await, Some(Ok(1)));
    assert!(poll_once(&mut std::pin::pin!(numbers.next())).await.is_none());
    assert_sent(&pair.far, &sent, 2).await;
    numbers.credit(1);
    numbers.credit(3);
    assert_sent(&pair.far, &sent, 6).await;
    for expected in 2..6 {
        assert_eq!(within(numbers.next()).await, Some(Ok(expected)));
    }
}

#[tokio::test]
async fn a_stream_without_a_consumer_is_not_started() {
    let (pair, sent) = far().await;
    let _numbers = within(pair.far.numbers(100)).await.unwrap();
    assert_sent(&pair.far, &sent, 0).await;
}

#[tokio::test]
async fn a_producer_is_at_most_one_window_ahead() {
    let (pair, sent) = far().await;
    let mut numbers = within(pair.far.numbers(10_000)).await.unwrap();
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    assert_sent(&pair.far, &sent, 1024).await;
    for expected in 1..512 {
        assert_eq!(within(numbers.next()).await, Some(Ok(expected)));
    }
    // Half of them are taken, for which credit is issued again.
    assert_sent(&pair.far, &sent, 1024 + 512).await;
}

#[tokio::test]
async fn the_window_can_be_one() {
    let (pair, sent) = far().await;
    let mut numbers = within(pair.far.numbers(10)).await.unwrap().with_credit(1);
    for expected in 0..10 {
        assert_eq!(within(numbers.next()).await, Some(Ok(expected)));
        let ahead = sent.load(Ordering::SeqCst) - expected;
        assert!(ahead <= 2, "{ahead} sent of which none was taken");
    }
    assert_eq!(within(numbers.next()).await, None);
}

#[tokio::test]
async fn large_values_are_bounded_by_their_bytes() {
    let (pair, sent) = far().await;
    let mut parcels = within(pair.far.parcels(100 << 10)).await.unwrap();
    assert_eq!(within(parcels.next()).await.unwrap().unwrap().len(), 100 << 10);
    // The last one begins within the mebibyte.
    assert_sent(&pair.far, &sent, 11).await;
    for _ in 0..100 {
        within(parcels.next()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn credit_by_hand_also_brings_values_that_are_larger_than_the_window_of_bytes() {
    let (pair, sent) = far().await;
    let mut parcels = within(pair.far.parcels(3 << 20)).await.unwrap().with_credit(0);
    parcels.credit(1_000);
    for taken in 1..=3 {
        assert_eq!(within(parcels.next()).await.unwrap().unwrap().len(), 3 << 20);
        assert_sent(&pair.far, &sent, taken + 1).await;
    }
}

#[tokio::test]
async fn a_far_consumer_without_credit_suspends_a_near_producer() {
    let (pair, _) = far().await;
    let sent = Arc::<AtomicU64>::default();
    let counting = Arc::clone(&sent);
    let numbers = Stream::new(|sink| async move {
        for number in 0.. {
            sink.send(number).await?;
            counting.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    within(pair.far.keep(numbers)).await.unwrap();
    assert_sent(&pair.far, &sent, 0).await;
    let summing = tokio::spawn({
        let far = pair.far.clone();
        async move { far.sum(Stream::from_iter(0..100_000)).await }
    });
    assert_eq!(within(summing).await.unwrap(), Ok(99_999 * 100_000 / 2));
}

#[tokio::test]
async fn a_value_dropped_while_it_waits_for_credit_is_not_sent() {
    let (sink, stream) = Stream::channel();
    let mut stream = stream.with_credit(0);
    stream.credit(1);
    let mut first = Box::pin(sink.send(1));
    assert_eq!(poll_once(&mut first).await, Some(Ok(())));
    let mut second = Box::pin(sink.send(2));
    assert_eq!(poll_once(&mut second).await, None);
    drop(second);
    stream.credit(1);
    assert_eq!(within(sink.send(3)).await, Ok(()));
    assert_eq!(within(stream.next()).await, Some(Ok(1)));
    assert_eq!(within(stream.next()).await, Some(Ok(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_at_once_hold_each_other_up_as_little_as_calls_do() {
    const STREAMS: u64 = 200;
    let (pair, _) = far().await;
    let idle = within(pair.far.numbers(10_000)).await.unwrap();
    let mut stalled = within(pair.far.numbers(10_000)).await.unwrap();
    assert_eq!(within(stalled.next()).await, Some(Ok(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..STREAMS {
        let far = pair.far.clone();
        tasks.spawn(async move {
            // In both directions, longer than the window, and each with its own values.
            let there = far.sum(Stream::from_iter((0..1_500).map(move |value| value * number)));
            let there = there.await.unwrap();
            let mut back = far.numbers(1_500).await.unwrap();
            let mut sum = 0;
            while let Some(value) = back.next().await {
                sum += value.unwrap() * number;
            }
            assert_eq!((there, sum), (1_499 * 1_500 / 2 * number, 1_499 * 1_500 / 2 * number));
        });
    }
    while let Some(done) = within(tasks.join_next()).await {
        done.unwrap();
    }
    drop((idle, stalled));
    until("nothing is left of them", || pair.server.exports() == 1 && pair.client.exports() == 0)
        .await;
}
