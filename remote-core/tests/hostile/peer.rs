//! Owns a hostile peer: a socket that has introduced itself, or has not, and sends what it likes.
//!
//! It must not know the library: what it takes for the protocol stands in `wire`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::stage::soon;
use super::vocabulary::fingerprint;
use super::wire::{
    ACCEPT, ANSWER, ANSWER_CHUNK, Bytes, CLOSE, Call, Frame, Hello, LONGEST_FRAME, Manner, NAME,
    PREFACE, To,
};

/// The directory that every node shows.
pub(crate) const DIRECTORY: u64 = 0;

/// The interface of the target, as it is announced.
pub(crate) const TARGET: &str = "Target";

/// A connection to a node, and how far it has come.
pub(crate) struct Peer {
    stream: TcpStream,
    /// The number of the last frame sent.
    pub(crate) number: u64,
    names: HashMap<String, u64>,
    questions: u64,
    /// Answers of which the end has not arrived.
    partial: HashMap<u64, Partial>,
    closed: Option<End>,
}

/// The beginning of an answer that comes in parts.
struct Partial {
    status: u8,
    references: usize,
    total: usize,
    content: Vec<u8>,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// With a last frame.
    Told(u64),
    /// Without.
    Dropped,
}

/// An answer of the node's.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) question: u64,
    pub(crate) status: u8,
    pub(crate) body: Vec<u8>,
    pub(crate) references: Vec<u8>,
}

/// The statuses of answers.
pub(crate) const VALUE: u8 = 0;
pub(crate) const FAULT: u8 = 2;

/// An identity greater than any node's, so that the peer decides; each time another.
pub(crate) fn greater() -> [u8; 16] {
    identity(0xff)
}

/// An identity less than any node's, so that the node decides; each time another.
pub(crate) fn lesser() -> [u8; 16] {
    identity(0)
}

fn identity(fill: u8) -> [u8; 16] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut node = [fill; 16];
    node[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    node
}

/// A connection that has said nothing.
pub(crate) async fn stranger(address: &str) -> TcpStream {
    let stream = soon("connecting", TcpStream::connect(address)).await.expect("the node listens");
    stream.set_nodelay(true).expect("small writes leave at once");
    stream
}

/// Reads until the connection ends, however it does.
pub(crate) async fn drained(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = soon("the end of the connection", stream.read_to_end(&mut bytes)).await;
    bytes
}

impl Peer {
    /// A session with the node at an address.
    pub(crate) async fn connect(address: &str) -> Peer {
        Peer::introduced(address, &Hello::of(greater())).await
    }

    /// A session begun as this, whose identity is greater than the node's.
    pub(crate) async fn introduced(address: &str, hello: &Hello) -> Peer {
        let mut stream = stranger(address).await;
        let opening = [hello.write(), ACCEPT.to_vec()].concat();
        stream.write_all(&opening).await.expect("a node takes an introduction");
        let mut peer = Peer::on(stream);
        peer.hear_hello().await;
        peer
    }

    /// A session on a connection that is past the introduction, or will be.
    pub(crate) fn on(stream: TcpStream) -> Peer {
        Peer {
            stream,
            number: 0,
            names: HashMap::new(),
            questions: 0,
            partial: HashMap::new(),
            closed: None,
        }
    }

    /// Reads the introduction of the other side; its identity.
    pub(crate) async fn hear_hello(&mut self) -> [u8; 16] {
        let head = self.read(10).await.expect("a node introduces itself");
        assert_eq!(head[..8], PREFACE);
        let length = u16::from_le_bytes([head[8], head[9]]);
        let hello = self.read(length.into()).await.expect("a node introduces itself");
        hello[..16].try_into().expect("sixteen bytes")
    }

    /// Reads what the node decided.
    pub(crate) async fn verdict(&mut self) -> Vec<u8> {
        let length = self.read(2).await.expect("a node decides");
        let length = u16::from_le_bytes([length[0], length[1]]);
        self.read(length.into()).await.expect("a node decides")
    }

    /// Sends bytes. What is no longer taken is lost: a test looks for the end, not for the failure to send.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        let _ = soon("sending", self.stream.write_all(bytes)).await;
    }

    /// Sends as many bytes as the other side takes while it takes any: for a peer that does not read.
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
        sent
    }

    /// Sends a frame under the next number.
    pub(crate) async fn send(&mut self, frame: &Frame) {
        self.send_all(std::slice::from_ref(frame)).await;
    }

    pub(crate) async fn send_all(&mut self, frames: &[Frame]) {
        let bytes = self.write(frames);
        self.send_raw(&bytes).await;
    }

    /// Frames as bytes, under the next numbers.
    pub(crate) fn write(&mut self, frames: &[Frame]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for frame in frames {
            self.number += u64::from(frame.kind < super::wire::UNNUMBERED);
            bytes.extend_from_slice(&frame.write(self.number));
        }
        bytes
    }

    /// The number of a name, announced if it is new, with the fingerprint that it has.
    pub(crate) async fn name(&mut self, name: &str) -> u64 {
        self.name_as(name, fingerprint(name)).await
    }

    pub(crate) async fn name_as(&mut self, name: &str, fingerprint: u64) -> u64 {
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

    /// Takes so many questions that calls are made of by hand.
    pub(crate) fn skip_questions(&mut self, count: u64) {
        self.questions += count;
    }

    /// Sends a call to a method of the target; its question.
    pub(crate) async fn ask(&mut self, object: u64, method: &str, body: Bytes) -> u64 {
        let call = self.call(object, method, body).await;
        self.send_all(&call.frames()).await;
        call.question
    }

    /// A call to be sent.
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

    /// The target's number, looked up in the directory like anybody's.
    pub(crate) async fn target(&mut self) -> u64 {
        let selector = self.name("remote.Directory.lookup").await;
        let body = Bytes::new().string("target").string(TARGET);
        let call = Call::new(self.question(), To::Object(DIRECTORY), selector, body);
        self.send(&call.frame()).await;
        self.answer(call.question).await.object()
    }

    /// The answer to a question. What else arrives meanwhile is of no interest.
    pub(crate) async fn answer(&mut self, question: u64) -> Answer {
        loop {
            let answer = self.next_answer().await;
            if answer.question == question {
                return answer;
            }
        }
    }

    /// The next answer, to whatever question.
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

    /// The next frame, or nothing if the session ended.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let length = self.read(4).await?;
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        assert!((1..=LONGEST_FRAME).contains(&length), "a node writes frames of {length} bytes");
        let frame = Frame::read(&self.read(length).await?);
        if frame.kind == CLOSE {
            self.closed = Some(End::Told(frame.fields().number()));
            return None;
        }
        Some(frame)
    }

    /// Waits until the node ends the session; how it did.
    pub(crate) async fn end(&mut self) -> End {
        while self.closed.is_none() && self.next().await.is_some() {}
        self.closed.clone().unwrap_or(End::Dropped)
    }

    /// Waits for the end of the connection, whatever comes before.
    pub(crate) async fn ended_somehow(mut self) {
        drained(&mut self.stream).await;
    }

    /// Says that nothing more will come.
    pub(crate) async fn hush(&mut self) {
        let _ = self.stream.shutdown().await;
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

impl Answer {
    fn new(question: u64, status: u8, references: usize, mut content: Vec<u8>) -> Answer {
        let references = content.split_off(content.len() - references);
        Answer { question, status, body: content, references }
    }

    /// The number that a method returned.
    #[track_caller]
    pub(crate) fn value(&self) -> u64 {
        assert_eq!(self.status, VALUE, "{self:?}");
        match self.body[0] {
            small @ 0..=250 => small.into(),
            251 => u16::from_le_bytes(self.body[1..3].try_into().unwrap()).into(),
            252 => u32::from_le_bytes(self.body[1..5].try_into().unwrap()).into(),
            _ => u64::from_le_bytes(self.body[1..9].try_into().unwrap()),
        }
    }

    /// The object that a method returned.
    #[track_caller]
    pub(crate) fn object(&self) -> u64 {
        assert_eq!(self.status, VALUE, "{self:?}");
        let mut fields = super::wire::Fields(&self.references);
        assert_eq!(fields.byte(), 0, "an object of the node's own");
        fields.number()
    }

    /// Which error the node itself answered with: its place among the kinds.
    #[track_caller]
    pub(crate) fn fault(&self) -> u8 {
        assert_eq!(self.status, FAULT, "{self:?}");
        self.body[0]
    }

    /// The text of the error.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A name announced.
pub(crate) fn announcement(id: u64, fingerprint: u64, name: &str) -> Frame {
    Frame::new(NAME, Bytes::new().number(id).raw(&fingerprint.to_le_bytes()).text(name))
}

/// The kinds of error that nodes answer with.
pub(crate) mod fault {
    pub(crate) const NO_SUCH_OBJECT: u8 = 4;
    pub(crate) const MESSAGE_NOT_UNDERSTOOD: u8 = 9;
    pub(crate) const SIGNATURE_MISMATCH: u8 = 10;
    pub(crate) const UNKNOWN_CLASS: u8 = 12;
    pub(crate) const DECODE: u8 = 15;
    pub(crate) const QUOTA: u8 = 17;
    pub(crate) const TIMEOUT: u8 = 18;
    pub(crate) const CANCELLED: u8 = 19;
    pub(crate) const PANICKED: u8 = 20;
    pub(crate) const NESTED: u8 = 21;
    pub(crate) const BROKEN: u8 = 22;
}

/// Why nodes end sessions.
pub(crate) mod code {
    use super::End;

    pub(crate) const FRAME: End = End::Told(4);
    pub(crate) const FRAME_LENGTH: End = End::Told(5);
    pub(crate) const NUMBER: End = End::Told(6);
    pub(crate) const WINDOW: End = End::Told(7);
    pub(crate) const BODY: End = End::Told(8);
    pub(crate) const NAME: End = End::Told(9);
    pub(crate) const QUESTION: End = End::Told(10);
    pub(crate) const CHUNK: End = End::Told(11);
    pub(crate) const RELEASE: End = End::Told(12);
    pub(crate) const REFERENCES: End = End::Told(13);
    pub(crate) const ACKNOWLEDGEMENT: End = End::Told(14);
}
