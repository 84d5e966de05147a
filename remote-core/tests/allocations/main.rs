//! The allocations of one message in the steady state. Their numbers are checked exactly; each has its reason:
//!
//! | allocation | near call | call | answer | one-way message | its execution |
//! |---|---|---|---|---|---|
//! | the future of the method, boxed: its type is known to the class alone | 1 | | 1 | | 1 |
//! | the future that decodes the arguments and encodes the result around it, boxed for the same reason | 1 | | 1 | | 1 |
//! | the place for the reply, shared by the caller and the session | | 1 | | 1 | |
//! | the list of the callers to be woken when the session's lock is free | | 1 | | 1 | |
//! | the shared block in which written bytes are kept until they are acknowledged | | 1 | 1 | 1 | |
//! | the buffer in that block, and its growth: earlier ones come back only when they are acknowledged | | | | 2 | |
//! | tokio's list of the tasks that yield: the writer does before it writes. In this test only: a program enters its runtime once | | 1 | | 1 | |
//! | **together** | 2 | 4 | 3 | 6 | 2 |
//!
//! These are messages one at a time. Of many at once, the blocks, their buffers and the lists serve several.
//! `valgrind --tool=dhat` on this test's binary shows where they are made.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use allocation_counter::measure;
use remote_core::{Node, Ref, Remote, Result, remote};
use tokio::runtime::Runtime;

mod steps;
use steps::{advance, alternate, single_threaded, step};

/// The number of messages until the steady state, and of those that are then counted.
const MESSAGES: u64 = 500;

#[remote]
trait Counter {
    async fn add(&self, number: u64) -> Result<u64>;
}

#[derive(Remote, Default)]
#[remote(Counter)]
struct Tally(AtomicU64);

#[remote]
impl Counter for Tally {
    async fn add(&self, number: u64) -> Result<u64> {
        Ok(self.0.fetch_add(number, Ordering::Relaxed) + number)
    }
}

/// Two nodes on two runtimes, both of which this thread drives.
struct Pair {
    client: Runtime,
    server: Runtime,
    far: Ref<dyn Counter>,
    _nodes: [Node; 2],
}

impl Pair {
    fn new() -> Pair {
        let (client, server) = (single_threaded(), single_threaded());
        let serving = server.block_on(async {
            let node = Node::listen("tcp://127.0.0.1:0").await.unwrap();
            node.publish("counter", Ref::<dyn Counter>::new(Tally::default())).await.unwrap();
            node
        });
        let calling = client.block_on(async { Node::new() });
        let looked_up = calling.lookup(serving.uri("counter"));
        let far = alternate(&client, &server, looked_up).unwrap();
        Pair { client, server, far, _nodes: [serving, calling] }
    }

    /// Sends a message, and drives both sides until it has arrived and, unless it is one-way, is answered. Returns the
    /// allocations of the client and of the server.
    fn send<F: Future>(&self, message: F) -> [u64; 2] {
        let mut message = std::pin::pin!(message);
        let (mut counts, mut is_done) = ([0; 2], false);
        while !is_done {
            counts[0] += count(|| {
                is_done = advance(&self.client, &mut message).is_some();
                step(&self.client);
            });
            counts[1] += count(|| step(&self.server));
        }
        counts
    }
}

/// Returns the number of allocations that a function makes on this thread.
fn count(what: impl FnOnce()) -> u64 {
    measure(what).count_total
}

/// Checks the allocations of messages in the steady state: more than half of the messages make exactly this number, and
/// all of them together at most a tenth more, for tables that grow and for acknowledgements.
#[track_caller]
fn assert_each(what: &str, expected: u64, mut counts: Vec<u64>) {
    let mut counts = counts.split_off(counts.len() / 2);
    counts.sort_unstable();
    let (median, sum) = (counts[counts.len() / 2], counts.iter().sum::<u64>());
    assert_eq!(
        median, expected,
        "allocations of {what}; the table above names those that are known"
    );
    let most = expected * counts.len() as u64 * 11 / 10;
    assert!(sum <= most, "{sum} allocations of {} times {what}, at most {most}", counts.len());
}

#[test]
fn near_calls() {
    let (runtime, near) = (single_threaded(), Ref::<dyn Counter>::new(Tally::default()));
    let call = |_| count(|| drop(runtime.block_on(near.add(1))));
    assert_each("a near call", 2, (0..2 * MESSAGES).map(call).collect());
}

#[test]
fn calls_and_answers() {
    let pair = Pair::new();
    let counts: Vec<[u64; 2]> = (0..2 * MESSAGES).map(|_| pair.send(pair.far.add(1))).collect();
    assert_each("a call", 4, counts.iter().map(|[client, _]| *client).collect());
    assert_each("an answer", 3, counts.iter().map(|[_, server]| *server).collect());
}

#[test]
fn one_way_messages() {
    let pair = Pair::new();
    let counts: Vec<[u64; 2]> =
        (0..2 * MESSAGES).map(|_| pair.send(pair.far.add(1).oneway())).collect();
    assert_each("a one-way message", 6, counts.iter().map(|[client, _]| *client).collect());
    assert_each(
        "the execution of a one-way message",
        2,
        counts.iter().map(|[_, server]| *server).collect(),
    );
}
