//! The paths of the library whose instructions are counted: for each, the repeated operation and the side that is counted. It
//! must not know how the figures are compared.

use std::future::Future;
use std::sync::Arc;

use remote_core::{Node, Ref};
use tokio::runtime::Runtime;

use crate::collect::counted_section;
use crate::objects::{Root, Tally};
use crate::steps::{alternate, single_threaded, step};

/// The number of concurrent callers when one side is counted by itself.
const CALLERS: u64 = 64;
/// The bytes of a large body.
const BODY: usize = 64 * 1024;

/// A path: its name, the number of counted repetitions, and the function that executes it.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) repetitions: u64,
    run: fn(u64),
}

/// The paths, in the order of the output.
pub(crate) const PATHS: [Path; 9] = [
    Path { name: "call", repetitions: 6_400, run: |count| calls(Side::Client, count) },
    Path { name: "answer", repetitions: 6_400, run: |count| calls(Side::Server, count) },
    Path { name: "round trip", repetitions: 2_000, run: round_trips },
    Path { name: "near call", repetitions: 10_000, run: near_calls },
    Path { name: "object made and dropped", repetitions: 2_000, run: objects },
    Path { name: "stream item", repetitions: 10_000, run: stream_items },
    Path { name: "one-way message", repetitions: 10_000, run: one_way_messages },
    Path { name: "64 KiB body", repetitions: 500, run: large_bodies },
    Path { name: "release", repetitions: 4_000, run: releases },
];

impl Path {
    /// Executes the path, and counts the repetitions.
    pub(crate) fn run(&self) {
        (self.run)(self.repetitions);
    }
}

/// The side of a connection that is counted.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Client,
    Server,
}

/// Two nodes connected by TCP, and a reference of the client to the server's object.
struct Pair {
    client: Arc<Runtime>,
    /// The runtime of the client, if both sides are counted.
    server: Arc<Runtime>,
    serving: Node,
    _calling: Node,
    root: Ref<dyn Root>,
}

impl Pair {
    /// Two nodes, each on a runtime of its own.
    fn apart() -> Pair {
        Pair::on(Arc::new(single_threaded()), Arc::new(single_threaded()))
    }

    /// Two nodes on one runtime.
    fn together() -> Pair {
        let runtime = Arc::new(single_threaded());
        Pair::on(Arc::clone(&runtime), runtime)
    }

    fn on(client: Arc<Runtime>, server: Arc<Runtime>) -> Pair {
        let serving = server.block_on(async {
            let node = Node::listen("tcp://127.0.0.1:0").await.expect("a port is free");
            let root = Ref::<dyn Root>::new(Tally::default());
            node.publish("root", root).await.expect("the name is free");
            node
        });
        let calling = client.block_on(async { Node::new() });
        let uri = serving.uri("root");
        let root = alternate(&client, &server, calling.lookup(&uri)).expect("the root is there");
        Pair { client, server, serving, _calling: calling, root }
    }

    /// Executes a path twice on the shared runtime: first to warm up, then counted.
    fn twice<F: Future<Output = ()>>(&self, path: impl Fn(Ref<dyn Root>) -> F) {
        self.client.block_on(path(self.root.clone()));
        let path = path(self.root.clone());
        counted_section(|| self.client.block_on(path));
    }
}

/// Calls by concurrent callers. One side is counted.
fn calls(counted: Side, count: u64) {
    let pair = Pair::apart();
    call(&pair, None, count / 4);
    call(&pair, Some(counted), count);
}

fn call(pair: &Pair, counted: Option<Side>, count: u64) {
    let caller = |_| {
        let root = pair.root.clone();
        pair.client.spawn(async move {
            for _ in 0..count / CALLERS {
                root.add(1).await.expect("the server answers");
            }
        })
    };
    let callers: Vec<_> = (0..CALLERS).map(caller).collect();
    while callers.iter().any(|caller| !caller.is_finished()) {
        for (side, runtime) in [(Side::Client, &pair.client), (Side::Server, &pair.server)] {
            match counted == Some(side) {
                true => counted_section(|| step(runtime)),
                false => step(runtime),
            }
        }
    }
}

/// Sequential calls. Both sides are counted.
fn round_trips(count: u64) {
    Pair::together().twice(|root| async move {
        for _ in 0..count {
            root.add(1).await.expect("the server answers");
        }
    });
}

/// Calls to an object of the same node.
fn near_calls(count: u64) {
    let calls = |root: Ref<dyn Root>| async move {
        for _ in 0..count {
            root.add(1).await.expect("it is here");
        }
    };
    let (runtime, root) = (single_threaded(), Ref::<dyn Root>::new(Tally::default()));
    runtime.block_on(calls(root.clone()));
    counted_section(|| runtime.block_on(calls(root)));
}

/// Objects that the server creates and the client drops, one after another. Both sides are counted.
fn objects(count: u64) {
    Pair::together().twice(|root| async move {
        for _ in 0..count {
            drop(root.make().await.expect("the server makes one"));
        }
    });
}

/// The values of one stream. Both sides are counted.
fn stream_items(count: u64) {
    Pair::together().twice(|root| async move {
        let mut numbers = root.numbers(count).await.expect("the server has them");
        let mut taken = 0;
        while let Some(number) = numbers.next().await {
            number.expect("the stream goes on");
            taken += 1;
        }
        assert_eq!(taken, count, "each number is taken once");
    });
}

/// One-way messages, until the last one has arrived. Both sides are counted.
fn one_way_messages(count: u64) {
    Pair::together().twice(|root| async move {
        for _ in 0..count {
            root.note(1).oneway().await.expect("there is room");
        }
        root.add(1).await.expect("the server answers");
    });
}

/// Large bodies in both directions. Both sides are counted.
fn large_bodies(count: u64) {
    Pair::together().twice(|root| async move {
        for _ in 0..count {
            let bytes = root.echo(vec![0x55; BODY]).await.expect("the server answers");
            assert_eq!(bytes.len(), BODY, "all of it comes back");
        }
    });
}

/// References that are dropped at once, until the server has dropped each object. Both sides are counted.
fn releases(count: u64) {
    let pair = Pair::together();
    for is_counted in [false, true] {
        let shown = pair.serving.exports();
        let held = pair.client.block_on(async {
            let mut held = Vec::new();
            for _ in 0..count {
                held.push(pair.root.make().await.expect("the server makes one"));
            }
            held
        });
        let mut to_drop = Some(held);
        while pair.serving.exports() > shown {
            let mut advance = || {
                drop(to_drop.take());
                step(&pair.server);
            };
            if is_counted { counted_section(advance) } else { advance() }
        }
    }
}
