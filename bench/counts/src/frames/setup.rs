//! A node and its peer, and the count of the node's instructions while it handles the peer's frames. It must not know
//! the kinds of frames.

use std::future::Future;
use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::time::Duration;

use remote_core::{Limits, Node, Ref};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::FRAMES;
use super::hello::Hello;
use super::peer::{Peer, TARGET, greater};
use super::target::{Keeper, Target};
use super::wire::{ACKNOWLEDGE, Bytes, CALL, Call, Fields, Frame, Manner, RENEW, To, WATCH, mine};
use crate::collect::counted_section;
use crate::steps::{single_threaded, step};

/// The time limit: longer than any step takes under valgrind.
const LIMIT: Duration = Duration::from_secs(1800);
/// Longer than any measurement takes, so that no timer sends a frame.
const HOUR: Duration = Duration::from_secs(3600);
/// A node is idle when it has run all its tasks this many times and has written nothing.
const ROUNDS_AT_REST: u32 = 4;

/// Waits for a future, which must resolve within [`LIMIT`].
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {LIMIT:?}"),
    }
}

/// Returns limits that no table reaches.
pub(crate) fn wide_limits() -> Limits {
    Limits {
        handshake_time: LIMIT,
        body: 64 << 20,
        window_calls: 1 << 20,
        window_bytes: 1 << 30,
        queue: 1 << 30,
        unacknowledged: 1 << 30,
        stall: HOUR,
        ping: HOUR / 2,
        silence: HOUR,
        memory: 1 << 40,
        ..Limits::default()
    }
}

/// Returns the hello of a peer that grants the maximum that the limits allow.
pub(crate) fn wide_hello(node: [u8; 16]) -> Hello {
    let lease = 24 * HOUR.as_millis() as u64;
    Hello { calls: 1 << 20, bytes: 1 << 30, body: 64 << 20, lease, ..Hello::of(node) }
}

/// A node that listens, with a published object.
pub(crate) struct Host {
    pub(crate) runtime: Runtime,
    pub(crate) node: Node,
    pub(crate) keeper: Keeper,
}

impl Host {
    pub(crate) fn new(limits: Limits) -> Host {
        let (runtime, keeper) = (single_threaded(), Keeper::default());
        let node = runtime.block_on(async {
            let builder = Node::builder().listen("tcp://127.0.0.1:0").lease(24 * HOUR);
            let node = builder.limits(limits).start().await.expect("a port is free");
            let object = Ref::<dyn Target>::new(keeper.clone());
            node.publish("target", object).await.expect("the name is free");
            node
        });
        Host { runtime, node, keeper }
    }

    /// Returns the host and port of the node.
    pub(crate) fn address(&self) -> String {
        self.node.uri("").trim_start_matches("tcp://").trim_end_matches('/').to_owned()
    }

    /// Spawns a task behind all tasks that are ready: when it has run, they have run, too.
    #[allow(
        clippy::async_yields_async,
        reason = "spawned within the runtime: behind its own queue"
    )]
    fn last_in_line(&self) -> JoinHandle<()> {
        self.runtime.block_on(async { tokio::spawn(async {}) })
    }

    /// Runs the node until it is idle.
    pub(crate) fn rest(&self) {
        for _ in 0..ROUNDS_AT_REST {
            let last = self.last_in_line();
            self.run_until(|| last.is_finished());
        }
    }

    /// Runs the node until it is idle, and counts its instructions.
    pub(crate) fn count_rest(&self) {
        for _ in 0..ROUNDS_AT_REST {
            let last = self.last_in_line();
            self.count_until(|| last.is_finished());
        }
    }

    /// Runs the node until a condition holds, and counts its instructions.
    pub(crate) fn count_until(&self, mut holds: impl FnMut() -> bool) {
        while !holds() {
            counted_section(|| step(&self.runtime));
        }
    }

    /// Runs the node until a condition holds.
    pub(crate) fn run_until(&self, mut holds: impl FnMut() -> bool) {
        while !holds() {
            step(&self.runtime);
        }
    }
}

/// A node and one peer, which has looked up its object.
pub(crate) struct Setup {
    pub(crate) host: Host,
    pub(crate) peer: Peer,
    /// The number of the object.
    pub(crate) target: u64,
    /// The bytes of an incomplete frame.
    rest: Vec<u8>,
}

impl Setup {
    pub(crate) fn new() -> Setup {
        Setup::with(wide_limits(), wide_hello(greater()))
    }

    pub(crate) fn with(limits: Limits, hello: Hello) -> Setup {
        let host = Host::new(limits);
        let (peer, target) = host.runtime.block_on(async {
            let mut peer = Peer::introduced(&host.address(), &hello).await;
            let target = peer.target().await;
            (peer, target)
        });
        Setup { host, peer, target, rest: Vec::new() }
    }

    /// Runs a future of the peer to its end. The node runs, too, and is not counted.
    pub(crate) fn drive<T>(&mut self, what: impl AsyncFnOnce(&mut Peer) -> T) -> T {
        self.host.runtime.block_on(what(&mut self.peer))
    }

    /// Sends frames, and counts the node until it has acknowledged the last one and is idle.
    pub(crate) fn count(mut self, frames: &[Frame]) {
        self.rest();
        self.exchange(frames, |host| counted_section(|| step(&host.runtime)));
        // Dropping large tables takes time, and the process ends here.
        std::mem::forget(self);
    }

    /// Sends frames. Returns what the node wrote until it had acknowledged the last one and was idle.
    pub(crate) fn send(&mut self, frames: &[Frame]) -> Vec<Frame> {
        self.exchange(frames, |host| step(&host.runtime))
    }

    fn exchange(&mut self, frames: &[Frame], run: impl Fn(&Host)) -> Vec<Frame> {
        // A node acknowledges a `Renew`, and all frames before it, at once.
        let mut bytes = self.peer.write(frames);
        bytes.extend(self.peer.write(&[Frame::new(RENEW, Bytes::new())]));
        let (mut sent, mut received, mut is_acknowledged) = (0, Vec::new(), false);
        let (mut rounds, mut last) = (0, self.host.last_in_line());
        while rounds < ROUNDS_AT_REST {
            sent += self.write_some(&bytes[sent..]);
            run(&self.host);
            let written = self.read_some();
            is_acknowledged |= written.iter().any(|frame| {
                frame.kind == ACKNOWLEDGE && frame.fields().number() == self.peer.number
            });
            if !is_acknowledged || !written.is_empty() {
                rounds = 0;
            } else if last.is_finished() {
                (rounds, last) = (rounds + 1, self.host.last_in_line());
            }
            received.extend(written);
        }
        received
    }

    /// Runs the node until it has handled everything that was sent, and is idle.
    pub(crate) fn rest(&mut self) {
        self.send(&[]);
    }

    /// Writes as many bytes as the socket accepts now. Returns their number.
    fn write_some(&mut self, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            return 0;
        }
        match self.peer.stream.try_write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => panic!("the node closed the connection: {error}"),
        }
    }

    /// Reads the frames that have arrived.
    fn read_some(&mut self) -> Vec<Frame> {
        let mut buffer = [0; 1 << 16];
        loop {
            match self.peer.stream.try_read(&mut buffer) {
                Ok(0) => panic!("the node closed the connection"),
                Ok(read) => self.rest.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("the node closed the connection: {error}"),
            }
        }
        let (mut frames, mut used) = (Vec::new(), 0);
        while let Some((length, after)) = self.rest[used..].split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            let Some(frame) = after.get(..length) else { break };
            let (number, frame) = Frame::read(frame);
            self.peer.received = number.unwrap_or(self.peer.received);
            used += 4 + length;
            frames.push(frame);
        }
        self.rest.drain(..used);
        frames
    }

    /// Acknowledges everything that the node has written: the peer does this only when it is driven.
    pub(crate) fn acknowledge(&mut self) {
        self.drive(async |peer| peer.acknowledge().await);
    }

    /// Returns a call to a method of the node's object.
    pub(crate) fn call(&mut self, method: &str, body: Bytes) -> Call {
        let target = self.target;
        self.drive(async |peer| peer.call(target, method, body).await)
    }

    /// Returns copies of a call, each with its own question.
    pub(crate) fn calls_like(&mut self, call: &Call, count: u64) -> Vec<Call> {
        let questions = (0..count).map(|_| self.peer.question());
        questions.map(|question| Call { question, ..call.clone() }).collect()
    }

    /// Fills the table of exports with objects of the node, to which the peer refers. Returns their numbers.
    pub(crate) fn export(&mut self, count: u64) -> Vec<u64> {
        let target = self.target;
        let answer = self
            .drive(async |peer| peer.answer_to(target, "many", Bytes::new().count(count)).await);
        let mut fields = Fields(&answer.references);
        (0..count)
            .map(|_| {
                assert_eq!(fields.byte(), 0, "an object of the node's own");
                let object = fields.number();
                let _interface = fields.number();
                object
            })
            .collect()
    }

    /// Fills the table of imports with objects of the peer, to which the node refers.
    pub(crate) fn import(&mut self, count: u64) -> Vec<Ref<dyn Target>> {
        let target = self.target;
        let places = (0..count).fold(Bytes::new().count(count), Bytes::count);
        self.drive(async |peer| {
            let interface = peer.name(TARGET).await;
            let objects = (1..=count)
                .fold(Bytes::new(), |bytes, object| bytes.raw(&mine(object, interface).0));
            let call = peer.call(target, "keep_all", places).await.with(objects);
            peer.send_all(&call.frames()).await;
            assert_eq!(peer.answer(call.question).await.value(), count);
        });
        self.host.keeper.kept.lock().expect("nothing panics under it").clone()
    }

    /// Fills the table of answers with calls of the peer, which the node executes. Returns their questions.
    pub(crate) fn execute(&mut self, count: u64) -> Vec<u64> {
        let call = self.call("never", Bytes::new());
        let calls = self.calls_like(&call, count);
        self.send(&frames_of(&calls));
        assert_eq!(self.host.keeper.begun.load(Ordering::Relaxed), count, "all have begun");
        questions_of(&calls)
    }

    /// Makes promises on the node, which are answered and not finished. Returns their questions.
    pub(crate) fn promise(&mut self, count: u64) -> Vec<u64> {
        let call = self.call("make", Bytes::new()).manner(Manner::Promise);
        let calls = self.calls_like(&call, count);
        self.send(&frames_of(&calls));
        self.acknowledge();
        questions_of(&calls)
    }

    /// Fills the table of questions with calls of the node to an object of the peer, which does not answer them. Returns the
    /// questions that have reached the peer.
    pub(crate) fn ask(&mut self, object: &Ref<dyn Target>, count: u64) -> Vec<u64> {
        for _ in 0..count {
            let object = object.clone();
            self.host.runtime.spawn(async move { object.add(1).await });
        }
        first_numbers(CALL, self.settle())
    }

    /// Does the same, with a write of its own for each call.
    pub(crate) fn ask_apart(&mut self, object: &Ref<dyn Target>, count: u64) {
        for call in 0..count {
            let object = object.clone();
            self.host.runtime.spawn(async move { object.add(1).await });
            step(&self.host.runtime);
            if call % FRAMES == 0 {
                self.read_some();
            }
        }
        self.settle();
    }

    /// Sends that many one-way messages from the node.
    pub(crate) fn message(&mut self, object: &Ref<dyn Target>, count: u64) {
        for _ in 0..count {
            let object = object.clone();
            self.host.runtime.spawn(async move { object.add(1).oneway().await });
        }
        self.settle();
    }

    /// Runs the node until it is idle. Returns what it wrote.
    pub(crate) fn settle(&mut self) -> Vec<Frame> {
        let received = self.send(&[]);
        if self.peer.acknowledged.is_some() {
            self.acknowledge();
        }
        received
    }

    /// Opens `count` watches, on each of the objects in turn. Returns their numbers.
    pub(crate) fn watch(&mut self, objects: &[u64], count: u64) -> Vec<u64> {
        let watches: Vec<u64> = (1..=count).collect();
        let frame = |(watch, object): (&u64, &u64)| Frame::numbers(WATCH, &[*watch, *object]);
        let frames: Vec<Frame> = watches.iter().zip(objects.iter().cycle()).map(frame).collect();
        self.send(&frames);
        watches
    }
}

/// Returns the frames of calls that have one frame each.
pub(crate) fn frames_of(calls: &[Call]) -> Vec<Frame> {
    calls.iter().map(Call::frame).collect()
}

/// Returns the calls' questions.
pub(crate) fn questions_of(calls: &[Call]) -> Vec<u64> {
    calls.iter().map(|call| call.question).collect()
}

/// Returns the first field of each frame of a kind.
pub(crate) fn first_numbers(kind: u8, frames: Vec<Frame>) -> Vec<u64> {
    let of_kind = frames.into_iter().filter(|frame| frame.kind == kind);
    of_kind.map(|frame| frame.fields().number()).collect()
}

/// Returns a copy of a call with another target.
pub(crate) fn call_to(call: &Call, to: To) -> Call {
    Call { to, ..call.clone() }
}
