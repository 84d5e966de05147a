//! Ends of streams: they arrive in order, after the values, and once; and when either end is dropped, the other is
//! notified.

use std::time::Duration;

use remote_core::{Error, Limits, Outcome, Ref, Remote, Result, Stream, remote};

use crate::streams::{Hub, assert_numbers, station};
use crate::support::{Pair, drop_witness, poll_once, until, within};

async fn rest(mut stream: Stream<u64>) -> (Vec<u64>, Option<Error>) {
    let mut values = Vec::new();
    loop {
        match within(stream.next()).await {
            Some(Ok(value)) => values.push(value),
            Some(Err(error)) => {
                assert_eq!(within(stream.next()).await, None, "nothing comes after an error");
                return (values, Some(error));
            }
            None => return (values, None),
        }
    }
}

#[tokio::test]
async fn the_end_follows_the_values_and_its_receipt_is_reported() {
    let (hub, sink) = Hub::offering();
    let pair = Pair::new(station(hub)).await;
    let offered = within(pair.far.offered()).await.unwrap();
    let sending = tokio::spawn(async move {
        for value in 0..1_000 {
            sink.send(value).await?;
        }
        sink.end().await
    });
    assert_numbers(offered, 1_000).await;
    assert_eq!(within(sending).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn an_error_follows_the_values_and_is_the_last_item() {
    let (hub, sink) = Hub::offering();
    let pair = Pair::new(station(hub)).await;
    let offered = within(pair.far.offered()).await.unwrap();
    let sending = tokio::spawn(async move {
        for value in 0..300 {
            sink.send(value).await?;
        }
        sink.fail(Error::Io("the disk is full".into())).await
    });
    let (values, error) = rest(offered).await;
    assert_eq!(values, (0..300).collect::<Vec<_>>());
    assert_eq!(error, Some(Error::Nested(Box::new(Error::Io("the disk is full".into())))));
    assert_eq!(within(sending).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_sink_that_is_dropped_before_the_end_is_no_end() {
    let (hub, sink) = Hub::offering();
    let pair = Pair::new(station(hub)).await;
    let offered = within(pair.far.offered()).await.unwrap();
    tokio::spawn(async move { sink.send(0).await });
    let (values, error) = rest(offered).await;
    assert_eq!(values, [0]);
    assert!(matches!(error, Some(Error::Ended(reason)) if reason.contains("before the end")));
}

#[tokio::test]
async fn a_future_that_panics_ends_its_stream_with_the_panic() {
    let stream = Stream::new(|sink| async move {
        sink.send(0).await?;
        panic!("out of numbers")
    });
    assert_eq!(rest(stream).await, (vec![0], Some(Error::Panicked("out of numbers".into()))));
}

#[tokio::test]
async fn the_error_of_a_stream_that_is_sent_on_is_nested_once() {
    let pair = Pair::new(station(Hub::default())).await;
    let failing = Stream::new(|sink| async move {
        sink.send(7).await?;
        Err(Error::Timeout)
    });
    // The method fails with it, as with the error of any call that it makes.
    assert_eq!(within(pair.far.sum(failing)).await, Err(Error::Nested(Box::new(Error::Timeout))));
}

#[tokio::test]
async fn a_producer_learns_of_the_drop_of_its_stream() {
    let (hub, sink) = Hub::offering();
    let pair = Pair::new(station(hub)).await;
    let mut offered = within(pair.far.offered()).await.unwrap();
    assert!(poll_once(&mut std::pin::pin!(offered.next())).await.is_none());
    within(sink.send(0)).await.unwrap();
    assert_eq!(within(offered.next()).await, Some(Ok(0)));
    let mut closed = Box::pin(sink.closed());
    assert_eq!(poll_once(&mut closed).await, None);
    drop(offered);
    let error = within(closed).await;
    assert!(matches!(&error, Error::Ended(reason) if reason.contains("nobody")), "{error:?}");
    assert_eq!(within(sink.send(1)).await, Err(error.clone()));
    assert_eq!(within(sink.end()).await, Err(error));
    until("nothing is left", || pair.server.exports() == 1 && pair.client.exports() == 0).await;
}

#[tokio::test]
async fn a_producer_learns_of_the_drop_of_an_unstarted_stream() {
    let pair = Pair::new(station(Hub::default())).await;
    let (sink, stream) = Stream::channel();
    within(pair.far.keep(stream)).await.unwrap();
    let mut closed = Box::pin(sink.closed());
    assert_eq!(poll_once(&mut closed).await, None);
    within(pair.far.let_go()).await.unwrap();
    assert!(matches!(within(closed).await, Error::Ended(_)));
}

#[tokio::test]
async fn a_future_is_dropped_with_its_stream() {
    for is_begun in [false, true] {
        let (witness, mut dropped) = drop_witness();
        let mut stream = Stream::new(|sink| async move {
            let _witness = witness;
            sink.send(0_u64).await?;
            std::future::pending().await
        });
        if is_begun {
            assert_eq!(within(stream.next()).await, Some(Ok(0)));
        }
        assert!(!dropped.is_dropped());
        drop(stream);
        dropped.dropped().await;
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_an_error_after_the_arrived_values() {
    let (hub, sink) = Hub::offering();
    let pair = Pair::tcp(station(hub)).await;
    let mut offered = within(pair.far.offered()).await.unwrap();
    assert!(poll_once(&mut std::pin::pin!(offered.next())).await.is_none());
    for value in 0..10 {
        within(sink.send(value)).await.unwrap();
    }
    assert_eq!(within(offered.next()).await, Some(Ok(0)));
    within(pair.server.shutdown(Duration::from_secs(5))).await;
    let (values, error) = rest(offered).await;
    assert_eq!(values, (1..10).collect::<Vec<_>>());
    assert!(
        matches!(error, Some(Error::SessionLost { outcome: Outcome::Unknown, .. })),
        "{error:?}"
    );
    let error = within(sink.closed()).await;
    assert!(matches!(error, Error::SessionLost { .. } | Error::Ended(_)), "{error:?}");
}

#[tokio::test]
async fn a_stream_that_cannot_be_begun_any_more_is_an_error() {
    let pair = Pair::tcp(station(Hub::default())).await;
    let numbers = within(pair.far.numbers(10)).await.unwrap();
    within(pair.server.shutdown(Duration::from_secs(5))).await;
    let (values, error) = rest(numbers).await;
    assert!(values.is_empty(), "{values:?}");
    assert!(matches!(error, Some(Error::SessionLost { .. })), "{error:?}");
}

#[tokio::test]
async fn a_value_that_the_taker_cannot_read_ends_the_stream() {
    type Deep = Vec<Vec<Vec<Vec<Vec<Vec<u64>>>>>>;
    #[remote]
    trait Nests {
        async fn nests(&self) -> Result<Stream<Deep>>;
    }
    #[derive(Remote)]
    #[remote(Nests)]
    struct Tree;
    #[remote]
    impl Nests for Tree {
        async fn nests(&self) -> Result<Stream<Deep>> {
            let deep = || vec![vec![vec![vec![vec![vec![1]]]]]];
            Ok(Stream::from_iter([Vec::new(), deep(), deep()]))
        }
    }
    let shallow = Limits { depth: 4, polymorphic_depth: 4, ..Limits::default() };
    let pair = Pair::limited(Ref::<dyn Nests>::new(Tree), Limits::default(), shallow).await;
    let mut nests = within(pair.far.nests()).await.unwrap();
    assert_eq!(within(nests.next()).await, Some(Ok(Vec::new())));
    let error = within(nests.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Quota(_)), "{error:?}");
    assert_eq!(within(nests.next()).await, None);
    drop(nests);
    until("nothing is left", || pair.server.exports() == 1 && pair.client.exports() == 0).await;
}

#[tokio::test]
async fn a_value_that_is_too_large_for_the_taker_ends_the_stream_for_both() {
    let small = Limits { body: 1 << 20, ..Limits::default() };
    let pair = Pair::limited(station(Hub::default()), Limits::default(), small).await;
    let mut parcels = within(pair.far.parcels(2 << 20)).await.unwrap();
    let error = within(parcels.next()).await.unwrap().unwrap_err();
    assert!(matches!(error.root(), Error::TooLarge { .. }), "{error:?}");
    assert_eq!(within(parcels.next()).await, None);
}

#[tokio::test]
async fn a_value_that_cannot_be_encoded_is_not_sent_and_others_can_be() {
    struct Odd(u64);
    impl serde::Serialize for Odd {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if self.0.is_multiple_of(2) {
                return Err(serde::ser::Error::custom("even"));
            }
            serializer.serialize_u64(self.0)
        }
    }
    impl<'de> serde::Deserialize<'de> for Odd {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Odd, D::Error> {
            u64::deserialize(deserializer).map(Odd)
        }
    }
    let mut odd = Stream::new(|sink| async move {
        for number in 0..4 {
            assert_eq!(sink.send(Odd(number)).await.is_ok(), number % 2 == 1);
        }
        Ok(())
    });
    assert_eq!(within(odd.next()).await.unwrap().unwrap().0, 1);
    assert_eq!(within(odd.next()).await.unwrap().unwrap().0, 3);
    assert!(within(odd.next()).await.is_none());
}

#[test]
fn without_a_runtime_a_stream_says_that_it_needs_one() {
    let mut stream = Stream::from_iter(0..3_u64);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = stream.poll_next(&mut context);
    assert!(
        matches!(&polled, std::task::Poll::Ready(Some(Err(error))) if error.to_string().contains("runtime")),
        "{polled:?}"
    );
}
