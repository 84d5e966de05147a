//! The instructions of each kind of frame, with small and large tables. It must not know how the figures are compared.
//!
//! A node runs on the thread that counts. Its peer is a plain socket, driven from the same thread. The peer fills the tables
//! and writes the frames into the socket. Then the node runs, counted, until it has acknowledged them and is idle. The work
//! of the peer is not counted. The peer is the one of the tests with hostile peers.

mod calls;
mod connection;
mod gifts;
mod objects;
mod sessions;
mod setup;
mod target;
mod vocabulary;

// The peer of the hostile tests.
#[allow(dead_code, reason = "a part of it is needed here")]
#[path = "../../../../remote-core/tests/hostile/hello.rs"]
mod hello;
#[allow(dead_code, reason = "a part of it is needed here")]
#[path = "../../../../remote-core/tests/hostile/outcome.rs"]
mod outcome;
#[allow(dead_code, reason = "a part of it is needed here")]
#[path = "../../../../remote-core/tests/hostile/peer.rs"]
mod peer;
#[allow(dead_code, reason = "a part of it is needed here")]
#[path = "../../../../remote-core/tests/hostile/raw_server.rs"]
mod raw_server;
#[allow(dead_code, reason = "a part of it is needed here")]
#[path = "../../../../remote-core/tests/hostile/resuming.rs"]
mod resuming;
#[allow(dead_code, reason = "a part of it is needed here")]
#[path = "../../../../remote-core/tests/hostile/wire.rs"]
mod wire;

/// The number of frames that are counted.
const FRAMES: u64 = 1_000;

/// The number of entries in a small table.
const FEW: u64 = 100;
/// The number of entries in a large table, unless a limit requires fewer.
const MANY: u64 = 100_000;

/// A kind of frame, and the content of the tables.
pub(crate) struct Case {
    /// The frame, and the content of the tables.
    pub(crate) name: &'static str,
    /// The number of entries in the small and in the large tables.
    pub(crate) sizes: [u64; 2],
    run: fn(u64) -> u64,
}

impl Case {
    const fn new(name: &'static str, run: fn(u64) -> u64) -> Case {
        Case { name, sizes: [FEW, MANY], run }
    }

    /// Sets a lower number of entries in the large tables: more are not allowed, or take too long to create.
    const fn at_most(self, many: u64) -> Case {
        Case { sizes: [FEW, many], ..self }
    }

    /// Fills the tables with `size` entries and sends the frames, counted. Returns the number of frames.
    pub(crate) fn run(&self, size: u64) -> u64 {
        (self.run)(size)
    }
}

/// The cases, in the order of the output.
pub(crate) const CASES: [Case; 30] = [
    Case::new("Call", calls::call),
    Case::new("Call to a promised answer", calls::call_to_answer),
    Case::new("Call with a reference", calls::call_with_reference),
    Case::new("Answer", calls::answer),
    Case::new("Answer while calls wait", calls::answer_while_calls_wait),
    Case::new("CallChunk", calls::call_chunk),
    Case::new("AnswerChunk", calls::answer_chunk),
    Case::new("Cancel of a call that runs", calls::cancel_running),
    Case::new("Cancel of a call that waits", calls::cancel_waiting),
    Case::new("Finish", calls::finish),
    Case::new("Release", objects::release),
    // A side announces at most 16,384 names.
    Case::new("Name", objects::name).at_most(15_000),
    Case::new("Watch", objects::watch),
    Case::new("Watch of one object", objects::watch_one),
    Case::new("Unwatch", objects::unwatch),
    Case::new("Unwatch of one object", objects::unwatch_one),
    Case::new("Ended", objects::ended),
    Case::new("Ended of one object", objects::ended_one),
    Case::new("Credit", connection::credit),
    Case::new("Credit while calls wait", connection::credit_while_calls_wait),
    Case::new("Renew", connection::renew),
    Case::new("Acknowledge", connection::acknowledge),
    Case::new("Ping", connection::ping),
    // A node keeps at most 65,536 gifts, and reads all of them for each that is added.
    Case::new("Call, vouch", gifts::vouch).at_most(20_000),
    Case::new("Call, claim", gifts::claim).at_most(20_000),
    // Counted for each watch. The cost of one grows with their number, so that the total grows with its square.
    Case::new("Close of a session with watches of one object", sessions::close_with_watches)
        .at_most(10_000),
    Case::new("Close among sessions that ended", sessions::close).at_most(5_000),
    // Counted for each entry of a table.
    Case::new("Close of a session with full tables", sessions::close_with_tables),
    Case::new("handshake among sessions", sessions::handshake).at_most(4_000),
    Case::new("resumption among sessions", sessions::resumption).at_most(4_000),
];
