//! Streams that are passed on: near and far, in structs, in values, by way of others, across lost connections.

use std::time::Duration;

use remote_core::{Error, Node, Ref, Remote, Result, Stream, remote};
use serde::{Deserialize, Serialize};

use crate::streams::{Hub, Station, assert_numbers, station};
use crate::support::relay::{BOTH, Relay};
use crate::support::{Pair, until, within};

#[tokio::test]
async fn a_stream_is_argument_and_result_near_and_far() {
    let near = station(Hub::default());
    let memory = Pair::new(station(Hub::default())).await;
    let tcp = Pair::tcp(station(Hub::default())).await;
    for hub in [&near, &memory.far, &tcp.far] {
        assert_numbers(within(hub.numbers(1_000)).await.unwrap(), 1_000).await;
        assert_numbers(within(hub.numbers(0)).await.unwrap(), 0).await;
        assert_eq!(within(hub.sum(Stream::from_iter(1..=1_000))).await, Ok(500_500));
        // The values of one stream go into another.
        let numbers = within(hub.numbers(1_000)).await.unwrap();
        assert_eq!(within(hub.sum(numbers)).await, Ok(499_500));
    }
    assert_numbers(Stream::from_iter(0..1_000), 1_000).await;
}

#[derive(Serialize, Deserialize)]
struct Job {
    name: String,
    lines: Option<Stream<String>>,
    more: Vec<Stream<u64>>,
}

#[remote]
trait Mailroom {
    /// Returns the same job, with each line and number changed.
    async fn stamped(&self, job: Job) -> Result<Job>;
    async fn flattened(&self, nested: Stream<Stream<u64>>) -> Result<Stream<u64>>;
    /// Returns the hubs whose sums are right.
    async fn met(&self, hubs: Stream<Ref<dyn Station>>) -> Result<Stream<Ref<dyn Station>>>;
}

#[derive(Remote)]
#[remote(Mailroom)]
struct Clerk;

#[remote]
impl Mailroom for Clerk {
    async fn stamped(&self, job: Job) -> Result<Job> {
        let stamp = job.name.clone();
        let lines = job.lines.map(|mut lines| {
            Stream::new(|sink| async move {
                while let Some(line) = lines.next().await {
                    sink.send(format!("{stamp}: {}", line?)).await?;
                }
                Ok(())
            })
        });
        Ok(Job { lines, ..job })
    }

    async fn flattened(&self, mut nested: Stream<Stream<u64>>) -> Result<Stream<u64>> {
        Ok(Stream::new(|sink| async move {
            while let Some(inner) = nested.next().await {
                let mut inner = inner?;
                while let Some(number) = inner.next().await {
                    sink.send(number?).await?;
                }
            }
            Ok(())
        }))
    }

    async fn met(&self, mut hubs: Stream<Ref<dyn Station>>) -> Result<Stream<Ref<dyn Station>>> {
        Ok(Stream::new(|sink| async move {
            while let Some(hub) = hubs.next().await {
                let hub = hub?;
                assert_eq!(hub.sum(Stream::from_iter([20, 22])).await?, 42);
                sink.send(hub).await?;
            }
            Ok(())
        }))
    }
}

#[tokio::test]
async fn streams_stand_in_structs_at_any_depth() {
    let pair = Pair::tcp(Ref::<dyn Mailroom>::new(Clerk)).await;
    let job = Job {
        name: "p. 7".into(),
        lines: Some(Stream::from_iter(["one", "two"].map(str::to_owned))),
        more: vec![Stream::from_iter(0..300), Stream::from_iter(0..3)],
    };
    let stamped = within(pair.far.stamped(job)).await.unwrap();
    let mut lines = stamped.lines.unwrap();
    assert_eq!(within(lines.next()).await, Some(Ok("p. 7: one".into())));
    assert_eq!(within(lines.next()).await, Some(Ok("p. 7: two".into())));
    assert_eq!(within(lines.next()).await, None);
    // These came back to their node: their receiver is where they were made.
    for (numbers, bound) in stamped.more.into_iter().zip([300, 3]) {
        assert_numbers(numbers, bound).await;
    }
}

#[tokio::test]
async fn values_may_be_streams_and_references() {
    let pair = Pair::new(Ref::<dyn Mailroom>::new(Clerk)).await;
    let nested = (0..40).map(|part| Stream::from_iter(part * 10..part * 10 + 10));
    let nested = Stream::from_iter(nested.collect::<Vec<_>>());
    assert_numbers(within(pair.far.flattened(nested)).await.unwrap(), 400).await;

    let hubs: Vec<_> = (0..40).map(|_| station(Hub::default())).collect();
    let mut met = within(pair.far.met(Stream::from_iter(hubs.clone()))).await.unwrap();
    for hub in &hubs {
        assert_eq!(within(met.next()).await, Some(Ok(hub.clone())), "it is the original object");
    }
    assert_eq!(within(met.next()).await, None);
    drop((met, hubs));
    until("nothing is left", || pair.server.exports() == 1 && pair.client.exports() == 0).await;
}

#[tokio::test]
async fn a_node_passes_a_stream_on_that_it_takes_nothing_from() {
    for address in ["tcp://127.0.0.1:0", "memory"] {
        let address = || match address {
            "memory" => crate::support::fresh_address(),
            tcp => tcp.to_owned(),
        };
        let (maker, taker) =
            (Node::listen(address()).await.unwrap(), Node::listen(address()).await.unwrap());
        maker.publish("hub", station(Hub::default())).await.unwrap();
        taker.publish("hub", station(Hub::default())).await.unwrap();
        let between = Node::new();
        let source: Ref<dyn Station> = within(between.lookup(maker.uri("hub"))).await.unwrap();
        let sum: Ref<dyn Station> = within(between.lookup(taker.uri("hub"))).await.unwrap();
        for _ in 0..3 {
            let numbers = within(source.numbers(10_000)).await.unwrap();
            assert_eq!(within(sum.sum(numbers)).await, Ok(9_999 * 10_000 / 2));
        }
        until("nothing is left", || {
            (maker.exports(), taker.exports(), between.exports()) == (1, 1, 0)
        })
        .await;
    }
}

#[tokio::test]
async fn a_stream_stays_where_values_were_taken_from_it() {
    let pair = Pair::new(station(Hub::default())).await;
    let mut numbers = within(pair.far.numbers(10)).await.unwrap();
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    let error = within(pair.far.sum(numbers)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Encode(text) if text.contains("cannot be passed on")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_stream_has_one_consumer() {
    /// The same message, passed by reference: so the stream is at both sides.
    mod lending {
        use super::*;
        #[remote]
        pub(super) trait Station {
            async fn keep(&self, numbers: &Stream<u64>) -> Result<()>;
        }
    }
    let pair = Pair::new(station(Hub::default())).await;
    let mut numbers = Stream::from_iter(0..3);
    let lent: Ref<dyn lending::Station> =
        within(pair.client.lookup(pair.server.uri("object"))).await.unwrap();
    within(lent.keep(&numbers)).await.unwrap();
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    let error = within(pair.far.sum_of_kept()).await.unwrap_err();
    assert!(
        matches!(error.root(), Error::Refused(text) if text.contains("already been opened")),
        "{error:?}"
    );
    assert_eq!(within(numbers.next()).await, Some(Ok(1)));
}

#[tokio::test]
async fn a_stream_of_other_values_is_refused_by_name() {
    mod mine {
        use super::*;
        #[remote]
        pub(super) trait Meter {
            async fn readings(&self) -> Result<Stream<Reading>>;
            async fn record(&self, readings: Stream<u64>) -> Result<()>;
        }
        #[derive(Serialize, Deserialize)]
        pub(super) struct Reading {
            at: u64,
        }
    }
    mod theirs {
        use super::*;
        #[remote]
        pub(super) trait Meter {
            async fn readings(&self) -> Result<Stream<Reading>>;
            async fn record(&self, readings: Stream<u32>) -> Result<()>;
        }
        #[derive(Serialize, Deserialize)]
        pub(super) struct Reading {
            at: u64,
            value: u64,
        }
        #[derive(Remote)]
        #[remote(Meter)]
        pub(super) struct Dial;
        #[remote]
        impl Meter for Dial {
            async fn readings(&self) -> Result<Stream<Reading>> {
                Ok(Stream::from_iter([Reading { at: 0, value: 0 }]))
            }
            async fn record(&self, _readings: Stream<u32>) -> Result<()> {
                Ok(())
            }
        }
    }
    let server = Node::listen(crate::support::fresh_address()).await.unwrap();
    let dial = Ref::<dyn theirs::Meter>::new(theirs::Dial);
    server.publish("meter", dial).await.unwrap();
    let meter: Ref<dyn mine::Meter> =
        within(Node::new().lookup(server.uri("meter"))).await.unwrap();
    let refused = |method: &str| Error::SignatureMismatch {
        class: "Dial".into(),
        selector: format!("Meter.{method}"),
    };
    assert_eq!(within(meter.readings()).await.unwrap_err(), refused("readings"));
    let recorded = within(meter.record(Stream::from_iter([1]))).await;
    assert_eq!(recorded, Err(refused("record")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_loses_doubles_and_reorders_no_value() {
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    server.publish("hub", station(Hub::default())).await.unwrap();
    let address = server.uri("hub");
    let relay = Relay::start(address.strip_suffix("/hub").unwrap(), Duration::ZERO).await;
    let client = Node::new();
    let hub: Ref<dyn Station> = within(client.lookup(relay.uri("hub"))).await.unwrap();
    let mut back = within(hub.numbers(100_000)).await.unwrap();
    let there = tokio::spawn(async move { hub.sum(Stream::from_iter(0..100_000)).await });
    for expected in 0..100_000 {
        if expected % 20_000 == 10_000 {
            let before = relay.connections();
            relay.cut();
            until("it is connected again", || relay.connections() > before).await;
            relay.split(BOTH, 1_000);
            relay.heal();
        }
        assert_eq!(within(back.next()).await, Some(Ok(expected)));
    }
    assert_eq!(within(back.next()).await, None);
    assert_eq!(within(there).await.unwrap(), Ok(99_999 * 100_000 / 2));
}
