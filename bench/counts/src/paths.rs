//! The paths of the library whose instructions are counted: the operation that is repeated in the steady state, and the
//! side on which it is counted. It must not know how the figures are compared.

use std::future::Future;
use std::sync::Arc;

use remote_core::{Node, Ref};
use tokio::runtime::Runtime;

use crate::collect::counted_section;
use crate::objects::{Root, Tally};
use crate::steps::{alternate, single_threaded, step};

/// Callers at once, where one side is counted alone.
const CALLERS: u64 = 64;
/// The bytes of a large body.
const BODY: usize = 64 * 1024;

/// A path: its name, how often it is taken while counted, and the run that takes it.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) repetitions: u64,
    run: fn(u64),
}

/// The paths, in the order in which they are shown.
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
    /// Takes the path so often, counted.
    pub(crate) fn run(&self) {
        (self.run)(self.repetitions);
    }
}

/// The side of a connection whose work is counted.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Client,
    Server,
}

/// Two nodes on a connection by TCP, and the server's object as the client refers to it.
struct Pair {
    client: Arc<Runtime>,
    /// The same as the client's, where both sides are counted.
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

    /// Takes a path on the one runtime twice: first to warm up, then counted.
    fn twice<F: Future<Output = ()>>(&self, path: impl Fn(Ref<dyn Root>) -> F) {
        self.client.block_on(path(self.root.clone()));
        let path = path(self.root.clone());
        counted_section(|| self.client.block_on(path));
    }
}

/// Calls by many callers at once, of which one side is counted.
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

/// Calls one after another; both sides.
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

/// Objects that are made there, one after another, and dropped here; both sides.
fn objects(count: u64) {
    Pair::together().twice(|root| async move {
        for _ in 0..count {
            drop(root.make().await.expect("the server makes one"));
        }
    });
}

/// The values of one stream; both sides.
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

/// Messages without an answer, until the last has arrived; both sides.
fn one_way_messages(count: u64) {
    Pair::together().twice(|root| async move {
        for _ in 0..count {
            root.note(1).oneway().await.expect("there is room");
        }
        root.add(1).await.expect("the server answers");
    });
}

/// Large bodies there and back; both sides.
fn large_bodies(count: u64) {
    Pair::together().twice(|root| async move {
        for _ in 0..count {
            let bytes = root.echo(vec![0x55; BODY]).await.expect("the server answers");
            assert_eq!(bytes.len(), BODY, "all of it comes back");
        }
    });
}

/// References that are dropped all at once, until the server has let go of each object; both sides.
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
        let mut let_go = Some(held);
        while pair.serving.exports() > shown {
            let mut go_on = || {
                drop(let_go.take());
                step(&pair.server);
            };
            if is_counted { counted_section(go_on) } else { go_on() }
        }
    }
}
