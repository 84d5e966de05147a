//! Tests of streams between processes: the memory of both ends of a long stream, a kill of either end, and a stream
//! that goes on without the process that passed it on.

use std::time::{Duration, Instant};

use remote_core::{Error, Node, Ref, Remote, Result, Stream, remote};

use crate::support::child::{Child, report, setting};
use crate::support::{until, within};

/// The bytes that a process may allocate at once for a stream of a hundred megabytes: its window of 1 MiB, at most
/// twice.
const GROWTH: u64 = 2 << 20;
const ITEMS: u64 = 1_000_000;

#[remote]
trait Post {
    async fn numbers(&self, bound: u64) -> Result<Stream<u64>>;
    async fn texts(&self, count: u64) -> Result<Stream<String>>;
    /// Takes this number of texts, and returns the cost.
    async fn read(&self, texts: Stream<String>) -> Result<Cost>;
    /// Returns the numbers of another process, whose object is at this address.
    async fn forwarded(&self, uri: &str, bound: u64) -> Result<Stream<u64>>;
    async fn take_from(&self, numbers: Stream<u64>) -> Result<()>;
    /// Returns the number of objects that the process exports.
    async fn exports(&self) -> Result<usize>;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Cost {
    texts: u64,
    bytes: u64,
    time: Duration,
}

#[derive(Remote)]
#[remote(Post)]
struct Office(Node);

#[remote]
impl Post for Office {
    async fn numbers(&self, bound: u64) -> Result<Stream<u64>> {
        Ok(Stream::from_iter(0..bound))
    }

    async fn texts(&self, count: u64) -> Result<Stream<String>> {
        Ok(Stream::from_iter((0..count).map(|number| format!("{number:0>100}"))))
    }

    async fn read(&self, mut texts: Stream<String>) -> Result<Cost> {
        let begun = Instant::now();
        let mut cost = Cost { texts: 0, bytes: 0, time: Duration::ZERO };
        while let Some(text) = texts.next().await {
            let text = text?;
            assert_eq!(text.parse(), Ok(cost.texts), "in order");
            cost.texts += 1;
            cost.bytes += text.len() as u64;
        }
        cost.time = begun.elapsed();
        Ok(cost)
    }

    async fn forwarded(&self, uri: &str, bound: u64) -> Result<Stream<u64>> {
        let other: Ref<dyn Post> = self.0.lookup(uri).await?;
        other.numbers(bound).await
    }

    async fn take_from(&self, mut numbers: Stream<u64>) -> Result<()> {
        while let Some(number) = numbers.next().await {
            number?;
        }
        Ok(())
    }

    async fn exports(&self) -> Result<usize> {
        Ok(self.0.exports())
    }
}

/// Publishes the object, in a process of its own.
#[tokio::main(worker_threads = 2)]
pub(crate) async fn serve() {
    let node = Node::builder().lease(lease()).listen("tcp://127.0.0.1:0").start().await.unwrap();
    node.publish("post", Ref::<dyn Post>::new(Office(node.clone()))).await.unwrap();
    report(&node.uri("post"));
    node.closed().await;
}

fn lease() -> Duration {
    Duration::from_secs(setting("LEASE").parse().unwrap())
}

/// Returns a child, and its object.
async fn office(node: &Node, lease: &str) -> (Child, Ref<dyn Post>, String) {
    let child = Child::start("office", &[("LEASE", lease)]);
    let uri = child.receive();
    let post = within(node.lookup(&uri)).await.unwrap();
    (child, post, uri)
}

async fn impatient() -> Node {
    let builder = Node::builder().lease(Duration::from_secs(2));
    builder.listen("tcp://127.0.0.1:0").start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_items_take_no_more_memory_than_a_window_of_them() {
    let node = Node::new();
    let (maker, from, _) = office(&node, "10").await;
    let (taker, to, _) = office(&node, "10").await;
    // Once, for what is allocated only once.
    let texts = within(from.texts(1_000)).await.unwrap();
    assert_eq!(within(to.read(texts)).await.unwrap().texts, 1_000);
    let before = [&maker, &taker].map(|process| process.allocated().now);
    let texts = within(from.texts(ITEMS)).await.unwrap();
    let cost = within(to.read(texts)).await.unwrap();
    let peaks = [&maker, &taker].map(|process| process.allocated().peak);
    let growth = [0, 1].map(|which| peaks[which].saturating_sub(before[which]));
    println!(
        "{} items of {} bytes in {:.2} s; memory grew by {} KiB where they are made, {} KiB where they are taken",
        cost.texts,
        cost.bytes / cost.texts,
        cost.time.as_secs_f64(),
        growth[0] >> 10,
        growth[1] >> 10,
    );
    assert_eq!((cost.texts, cost.bytes), (ITEMS, ITEMS * 100));
    assert!(growth.iter().all(|growth| *growth < GROWTH), "{growth:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_numbers_arrive_from_another_process() {
    let node = Node::new();
    let (_maker, from, _) = office(&node, "10").await;
    let begun = Instant::now();
    let mut numbers = within(from.numbers(ITEMS)).await.unwrap();
    let taking = async {
        let mut count = 0;
        while let Some(number) = numbers.next().await {
            assert_eq!(number, Ok(count));
            count += 1;
        }
        count
    };
    assert_eq!(within(taking).await, ITEMS);
    println!("{ITEMS} numbers in {:.2} s", begun.elapsed().as_secs_f64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_producer_is_an_error_after_the_arrived_values() {
    let node = impatient().await;
    let (mut maker, from, _) = office(&node, "2").await;
    let mut numbers = within(from.numbers(u64::MAX)).await.unwrap();
    let mut taken = 0;
    while taken < 1_000 {
        assert_eq!(within(numbers.next()).await, Some(Ok(taken)));
        taken += 1;
    }
    maker.kill();
    let error = loop {
        match within(numbers.next()).await {
            Some(Ok(number)) => {
                assert_eq!(number, taken, "without a gap");
                taken += 1;
            }
            Some(Err(error)) => break error,
            None => panic!("it did not come to its end"),
        }
    };
    assert!(matches!(error, Error::SessionLost { .. } | Error::LeaseExpired), "{error:?}");
    assert_eq!(within(numbers.next()).await, None);
    drop((numbers, from));
    until("nothing is left", || (node.exports(), node.sessions().len()) == (0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_consumer_is_reported_to_the_producer() {
    let node = impatient().await;
    let (mut taker, to, _) = office(&node, "2").await;
    let (sink, stream) = Stream::channel();
    let taking = tokio::spawn(async move { to.take_from(stream).await });
    for number in 0..1_000 {
        within(sink.send(number)).await.unwrap();
    }
    taker.kill();
    let error = within(sink.closed()).await;
    assert!(
        matches!(error, Error::SessionLost { .. } | Error::LeaseExpired | Error::Ended(_)),
        "{error:?}"
    );
    assert_eq!(within(sink.send(0)).await, Err(error));
    within(taking).await.unwrap().unwrap_err();
    until("nothing is left", || (node.exports(), node.sessions().len()) == (0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_outlives_the_process_that_passed_it_on() {
    let node = impatient().await;
    let (mut between, forwarder, _) = office(&node, "2").await;
    let (_maker, from, uri) = office(&node, "2").await;
    drop(from);
    let mut numbers = within(forwarder.forwarded(&uri, 100_000)).await.unwrap();
    while within(forwarder.exports()).await.unwrap() > 1 {
        tokio::task::yield_now().await; // It shows its post, and nothing else once the way is direct.
    }
    between.kill();
    for expected in 0..100_000 {
        assert_eq!(within(numbers.next()).await, Some(Ok(expected)));
    }
    assert_eq!(within(numbers.next()).await, None);
}
