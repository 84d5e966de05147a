//! A hostile peer: a socket, before or after the handshake, that sends any bytes.
//!
//! It must not know the library: its encoding of the protocol is in `wire`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::hello::{Hello, PREFACE, ResumeState, SECRET, Secret, Verdict};
use super::outcome::{Answer, End};
use super::setup::soon;
use super::vocabulary::fingerprint;
use super::wire::{
    ACKNOWLEDGE, ANSWER, ANSWER_CHUNK, Bytes, CLOSE, Call, Frame, LONGEST_FRAME, Manner, NAME,
    PING, RENEW, To,
};

/// The directory of every node.
pub(crate) const DIRECTORY: u64 = 0;

/// The name of the target's interface.
pub(crate) const TARGET: &str = "Target";

/// The number of frames after which a peer acknowledges, unless it never does.
const UNACKNOWLEDGED: u64 = 32;

/// A connection to a node, and the state of its session.
pub(crate) struct Peer {
    pub(super) stream: TcpStream,
    /// The peer's introduction.
    pub(crate) hello: Hello,
    /// The introduction of the other side.
    pub(crate) other: Hello,
    /// The secret of its session.
    pub(crate) secret: Secret,
    /// The number of the last frame sent.
    pub(crate) number: u64,
    /// The number of the last frame received.
    pub(crate) received: u64,
    /// The last frame that it has acknowledged; `None` if it never acknowledges.
    pub(crate) acknowledged: Option<u64>,
    /// The number of its connection.
    pub(crate) connection: u64,
    pub(super) names: HashMap<String, u64>,
    pub(super) questions: u64,
    /// Answers whose last chunk has not arrived.
    pub(super) partial: HashMap<u64, Partial>,
    pub(super) closed: Option<End>,
    /// The bytes that the other side did not take: they may begin in the middle of a frame.
    pub(super) untaken: Vec<u8>,
}

/// The beginning of an answer that arrives in chunks.
pub(super) struct Partial {
    status: u8,
    references: usize,
    total: usize,
    content: Vec<u8>,
}

/// Returns an identity greater than any node's, so that the peer is the decider; each time another.
pub(crate) fn greater() -> [u8; 16] {
    identity(0xff)
}

/// Returns an identity less than any node's, so that the node is the decider; each time another.
pub(crate) fn lesser() -> [u8; 16] {
    identity(0)
}

fn identity(fill: u8) -> [u8; 16] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut node = [fill; 16];
    node[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    node
}

/// Returns a connection on which nothing was sent.
pub(crate) async fn stranger(address: &str) -> TcpStream {
    let stream = soon("connecting", TcpStream::connect(address)).await.expect("the node listens");
    stream.set_nodelay(true).expect("small writes leave at once");
    stream
}

/// Reads until the connection ends in any way.
pub(crate) async fn drained(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = soon("the end of the connection", stream.read_to_end(&mut bytes)).await;
    bytes
}

impl Peer {
    /// Begins a session with the node at an address.
    pub(crate) async fn connect(address: &str) -> Peer {
        Peer::introduced(address, &Hello::of(greater())).await
    }

    /// Begins a session with this introduction, whose identity is greater than the node's.
    pub(crate) async fn introduced(address: &str, hello: &Hello) -> Peer {
        let mut peer = Peer::on(stranger(address).await, hello);
        peer.stream.write_all(&hello.opening()).await.expect("a node takes an introduction");
        peer.read_hello().await;
        peer.read_resume_state().await.expect("a node says how it stands");
        peer
    }

    /// Makes a peer on a connection on which the introductions were or will be exchanged.
    pub(crate) fn on(stream: TcpStream, hello: &Hello) -> Peer {
        Peer {
            stream,
            hello: hello.clone(),
            other: Hello::of([0; 16]),
            secret: SECRET,
            number: 0,
            received: 0,
            acknowledged: Some(0),
            connection: 1,
            names: HashMap::new(),
            questions: 0,
            partial: HashMap::new(),
            closed: None,
            untaken: Vec::new(),
        }
    }

    /// Reads the introduction of the other side.
    pub(crate) async fn read_hello(&mut self) -> Hello {
        assert_eq!(self.read(PREFACE.len()).await.expect("a node introduces itself"), PREFACE);
        let hello = self.read_framed().await.expect("a node introduces itself");
        self.other = Hello::read(&hello);
        self.other.clone()
    }

    /// Reads the resume state of the other side, if it sends one after the introduction.
    pub(crate) async fn read_resume_state(&mut self) -> Option<ResumeState> {
        self.read_framed().await.map(|state| ResumeState::read(&state))
    }

    /// Reads the verdict of the node.
    pub(crate) async fn verdict(&mut self) -> Verdict {
        let verdict = Verdict::read(&self.read_framed().await.expect("a node decides"));
        match verdict {
            Verdict::Accept(secret) => (self.secret, self.connection) = (secret, 1),
            Verdict::Resume(connection) => self.connection = connection,
            _ => {}
        }
        verdict
    }

    /// Sends bytes. A failure to send is ignored: a test checks how the session ends.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        let _ = soon("sending", self.stream.write_all(bytes)).await;
    }

    /// Sends bytes until the other side takes no more: for a peer that does not read. Returns the number of bytes sent.
    pub(crate) async fn send_while_taken(
        &mut self,
        bytes: &[u8],
        patience: std::time::Duration,
    ) -> usize {
        let mut sent = 0;
        while sent < bytes.len() {
            match tokio::time::timeout(patience, self.stream.write(&bytes[sent..])).await {
                Ok(Ok(some)) => sent += some,
                _ => break,
            }
        }
        self.untaken = bytes[sent..].to_vec();
        sent
    }

    /// Sends a frame with the next number.
    pub(crate) async fn send(&mut self, frame: &Frame) {
        self.send_all(std::slice::from_ref(frame)).await;
    }

    pub(crate) async fn send_all(&mut self, frames: &[Frame]) {
        let bytes = self.write(frames);
        self.send_raw(&bytes).await;
    }

    /// Encodes frames, with the next numbers.
    pub(crate) fn write(&mut self, frames: &[Frame]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for frame in frames {
            self.number += u64::from(frame.kind < super::wire::UNNUMBERED);
            bytes.extend_from_slice(&frame.write(self.number));
        }
        bytes
    }

    /// Returns the number of a name, which is announced if it is new, with the fingerprint that it has.
    pub(crate) async fn name(&mut self, name: &str) -> u64 {
        self.name_as(name, fingerprint(name)).await
    }

    pub(crate) async fn name_as(&mut self, name: &str, fingerprint: u128) -> u64 {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = self.names.len() as u64 + 1;
        self.names.insert(name.to_owned(), id);
        self.send(&announcement(id, fingerprint, name)).await;
        id
    }

    pub(crate) fn question(&mut self) -> u64 {
        self.questions += 1;
        self.questions
    }

    /// Reserves this number of questions for calls that are made by hand.
    pub(crate) fn skip_questions(&mut self, count: u64) {
        self.questions += count;
    }

    /// Sends a call to a method of the target. Returns its question.
    pub(crate) async fn ask(&mut self, object: u64, method: &str, body: Bytes) -> u64 {
        let call = self.call(object, method, body).await;
        self.send_all(&call.frames()).await;
        call.question
    }

    /// Returns a call, to be sent.
    pub(crate) async fn call(&mut self, object: u64, method: &str, body: Bytes) -> Call {
        let selector = self.name(&format!("{TARGET}.{method}")).await;
        Call::new(self.question(), To::Object(object), selector, body)
    }

    pub(crate) async fn call_promise(&mut self, object: u64, method: &str) -> Call {
        self.call(object, method, Bytes::new()).await.manner(Manner::Promise)
    }

    /// Sends a call, and waits for its answer.
    pub(crate) async fn answer_to(&mut self, object: u64, method: &str, body: Bytes) -> Answer {
        let question = self.ask(object, method, body).await;
        self.answer(question).await
    }

    /// Returns the number of the target, which is looked up in the directory.
    pub(crate) async fn target(&mut self) -> u64 {
        let selector = self.name("remote.Directory.lookup").await;
        let body = Bytes::new().string("target").string(TARGET);
        let call = Call::new(self.question(), To::Object(DIRECTORY), selector, body);
        self.send(&call.frame()).await;
        self.answer(call.question).await.object()
    }

    /// Returns the answer to a question. Other frames are ignored.
    pub(crate) async fn answer(&mut self, question: u64) -> Answer {
        loop {
            let answer = self.next_answer().await;
            if answer.question == question {
                return answer;
            }
        }
    }

    /// Returns the next answer to any question.
    pub(crate) async fn next_answer(&mut self) -> Answer {
        loop {
            let Some(frame) = self.next().await else {
                panic!("the session ended: {:?}", self.closed)
            };
            let mut fields = frame.fields();
            match frame.kind {
                ANSWER => {
                    let (question, status) = (fields.number(), fields.byte());
                    let (references, total) = (fields.number() as usize, fields.number() as usize);
                    let content = fields.0.to_vec();
                    if total == 0 {
                        return Answer::new(question, status, references, content);
                    }
                    self.partial.insert(question, Partial { status, references, total, content });
                }
                ANSWER_CHUNK => {
                    let question = fields.number();
                    let partial = self.partial.get_mut(&question).expect("it began");
                    partial.content.extend_from_slice(fields.0);
                    if partial.content.len() == partial.total {
                        let Partial { status, references, content, .. } =
                            self.partial.remove(&question).expect("it began");
                        return Answer::new(question, status, references, content);
                    }
                }
                _ => {}
            }
        }
    }

    /// Returns the next frame that has not arrived before; `None` if the session ended. Acknowledges it, unless the
    /// peer never does.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let (number, frame) = self.next_numbered().await?;
            if let Some(number) = number {
                if number <= self.received {
                    continue;
                }
                self.received = number;
            }
            if frame.kind == CLOSE {
                self.closed = Some(End::Closed(frame.fields().number()));
                return None;
            }
            let is_due = |acknowledged| self.received >= acknowledged + UNACKNOWLEDGED;
            // A ping keeps the connection alive, and so does its acknowledgement.
            let is_asked = [RENEW, PING].contains(&frame.kind);
            if self.acknowledged.is_some_and(|known| is_due(known) || is_asked) {
                self.acknowledge().await;
            }
            return Some(frame);
        }
    }

    /// Returns the next frame, with its number if it has one; `None` if the connection ended.
    pub(crate) async fn next_numbered(&mut self) -> Option<(Option<u64>, Frame)> {
        let length = self.read(4).await?;
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        assert!((1..=LONGEST_FRAME).contains(&length), "a node writes frames of {length} bytes");
        Some(Frame::read(&self.read(length).await?))
    }

    /// Acknowledges what has arrived.
    pub(crate) async fn acknowledge(&mut self) {
        self.send(&Frame::numbers(ACKNOWLEDGE, &[self.received])).await;
        self.acknowledged = Some(self.received);
    }

    /// Waits until the node ends the session. Returns how it did.
    pub(crate) async fn end(&mut self) -> End {
        while self.closed.is_none() && self.next().await.is_some() {}
        self.closed.clone().unwrap_or(End::Dropped)
    }

    /// Waits for the end of the connection, whatever arrives before.
    pub(crate) async fn ended_somehow(mut self) {
        drained(&mut self.stream).await;
    }

    /// Ends the session in good order, and waits until the node has noticed.
    pub(crate) async fn close(mut self) {
        let mut bytes = std::mem::take(&mut self.untaken);
        bytes.extend(self.write(&[Frame::new(CLOSE, Bytes::new().number(0).text("done"))]));
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match self.stream.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                // A node reads nothing from a peer that does not read.
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if self.next().await.is_none() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        self.end().await;
    }

    /// Shuts the connection down for writing.
    pub(crate) async fn shut_down_writing(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    async fn read_framed(&mut self) -> Option<Vec<u8>> {
        let length = self.read(2).await?;
        self.read(u16::from_le_bytes([length[0], length[1]]).into()).await
    }

    async fn read(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        match soon("reading", self.stream.read_exact(&mut bytes)).await {
            Ok(_) => Some(bytes),
            Err(_) => {
                self.closed.get_or_insert(End::Dropped);
                None
            }
        }
    }
}

/// Returns the announcement of a name.
pub(crate) fn announcement(id: u64, fingerprint: u128, name: &str) -> Frame {
    Frame::new(NAME, Bytes::new().number(id).raw(&fingerprint.to_be_bytes()).text(name))
}
