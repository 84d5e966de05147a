//! Compares PROTOCOL.md with the code: bytes, codes, kinds and limits. A change here is a change of the protocol, of its
//! document, and of its version.

use std::collections::BTreeSet;
use std::time::Duration;

use super::body::Body;
use super::bounded_writer::Role;
use super::breach::Breach;
use super::codec::Encoder;
use super::content::Content;
use super::datagram::Datagram;
use super::descriptor::Descriptor;
use super::fingerprint::Fingerprint;
use super::frame::{CHUNK, Extent, Frame, LENGTH, MAX_FRAME, MAX_NAME, Manner, Status, Target};
use super::hello::{
    Grant, Hello, MAX_ADDRESS, MAX_MESSAGE, MAX_NODE_NAME, MIN_LEASE, ResumeState, Sides, Verdict,
    preface,
};
use super::method::{Method, Parameter, Type};
use super::shape::Shape;
use crate::error::{Error, Outcome};
use crate::id::{
    ConnectionId, FrameNumber, Identity, NameId, NodeId, ObjectId, QuestionId, Token, WatchId,
};
use crate::limits::{Bounds, Limits};
use crate::reference::interface::Interface;
use crate::reference::stream::messages::{Inbox, Source};

const DOCUMENT: &str = include_str!("../../../PROTOCOL.md");
const WHOLE: Extent = Extent { references: 0, total: 0 };

#[test]
fn every_frame_has_the_bytes_of_the_document() {
    let mut rows: Vec<(&str, String)> =
        vec![("preface", hex(&preface())), ("introduction", hex(&hello().write()))];
    rows.extend(resume_states().iter().map(|(what, state)| (*what, hex(&state.write()))));
    rows.extend(verdicts().iter().map(|(what, verdict)| (*what, hex(&verdict.write()))));
    rows.extend(frames().iter().map(|(what, frame)| (*what, hex(&written(frame)))));
    rows.push((DATAGRAM, hex(&datagram().write())));
    rows.extend(
        fingerprints().into_iter().map(|(what, fingerprint)| (what, fingerprint.to_string())),
    );
    let streams = stream_fingerprints();
    rows.extend(streams.iter().map(|(what, fingerprint)| (what.as_str(), fingerprint.to_string())));
    let expected: Vec<String> =
        rows.into_iter().map(|(what, bytes)| format!("| {what} | `{bytes}` |")).collect();
    assert_eq!(section("Golden bytes"), expected, "the rows should be:\n{}\n", expected.join("\n"));
}

#[test]
fn every_kind_of_frame_is_in_the_document_and_among_the_golden_bytes() {
    let documented: Vec<u8> = rows("Frames").filter_map(|row| kind(row.first()?)).collect();
    let golden: BTreeSet<u8> = frames().iter().map(|(_, frame)| written(frame)[LENGTH]).collect();
    assert_eq!(documented, golden.iter().copied().collect::<Vec<_>>());
    for kind in (0..=u8::MAX).filter(|kind| !golden.contains(kind)) {
        // An unknown kind is a breach, whatever follows.
        assert_eq!(Frame::read(&[kind, 1, 1, 1, 1, 1, 1]), Err(Breach::Frame), "kind {kind:#04x}");
    }
}

#[test]
fn every_code_is_in_the_document() {
    let breaches = [
        Breach::Magic,
        Breach::Version(2),
        Breach::Hello,
        Breach::Frame,
        Breach::FrameLength(0),
        Breach::Number,
        Breach::Window,
        Breach::Body(0),
        Breach::Name,
        Breach::Question,
        Breach::Chunk,
        Breach::Release,
        Breach::References,
        Breach::Acknowledgement,
    ];
    let codes: Vec<String> = breaches.iter().map(|breach| breach.code().to_string()).collect();
    let documented: Vec<String> =
        rows("Codes").filter_map(|row| Some(row.first()?.to_string())).skip(1).collect();
    assert_eq!(codes, documented);
}

#[test]
fn every_error_has_the_index_of_the_document() {
    let documented: Vec<(String, String)> = rows("Errors")
        .filter_map(|row| Some((row.first()?.to_string(), row.get(1)?.to_string())))
        .skip(1)
        .collect();
    let written: Vec<(String, String)> = errors()
        .iter()
        .map(|error| {
            let mut encoder = Encoder::new(Bounds::default(), 1000, Role::Value);
            encoder.push(error).unwrap();
            let name = format!("{error:?}");
            let name = name.split([' ', '(']).next().unwrap_or_default().to_owned();
            (encoder.finish().unwrap()[0].to_string(), name)
        })
        .collect();
    assert_eq!(documented, written);
}

#[test]
fn the_limits_are_those_of_the_document() {
    let limits = Limits::default();
    let expect = |text: String| {
        assert!(DOCUMENT.replace('\n', " ").contains(&text), "PROTOCOL.md should say: {text}")
    };
    expect(format!("1 to {} [5]", thousands(MAX_FRAME)));
    expect(format!("A content of more than {} bytes is sent in chunks", thousands(CHUNK)));
    expect(format!("A name has at most {MAX_NAME} bytes"));
    expect(format!("bytes that follow, at most {MAX_MESSAGE} |"));
    expect(format!("the node's name, at most {MAX_NODE_NAME} bytes"));
    expect(format!("in milliseconds, at least {}", MIN_LEASE.as_millis()));
    expect(format!("as an address, at most {MAX_ADDRESS} bytes"));
    expect(format!("What it keeps is bounded ({} MiB)", limits.unacknowledged >> 20));
    expect(format!("not completed the handshake after {} s", limits.handshake_time.as_secs()));
    expect(format!("holds {} such connections at most", limits.handshakes));
    expect(format!("if nothing else has been sent for {} s", limits.ping.as_secs()));
    expect(format!("If nothing arrives for {} s", limits.silence.as_secs()));
    expect(format!("Beyond {} the receiver replies with the fault `Quota`", limits.nesting));
    expect(format!(
        "{} levels of nested values, at most {} of them polymorphic",
        limits.depth, limits.polymorphic_depth
    ));
    expect(format!("keeps datagrams to {} bytes", thousands(limits.datagram)));
    expect(format!(
        "while {} methods that were started by datagrams are running",
        thousands(limits.datagram_calls)
    ));
    assert_eq!(limits.elements, 1 << 21);
}

fn hello() -> Hello {
    let grant = Grant::of(&Limits::default());
    Hello {
        node: NodeId::from_bytes([1; 16]),
        name: "one".into(),
        grant,
        lease: Duration::from_secs(30),
        address: "tcp://127.0.0.1:4096".into(),
        nonce: [2; 32],
        process: None,
    }
}

fn resume_states() -> [(&'static str, ResumeState); 3] {
    let (secret, own) = ([3; 32], hello());
    let peer = Hello { node: NodeId::from_bytes([4; 16]), nonce: [5; 32], ..hello() };
    let sides = Sides { own: &own, peer: &peer };
    [
        ("resume state: no session is known", ResumeState::None),
        (
            "resume state: a live session; 300 frames have arrived, and it is suspended. The secret is 03 03 …; the sender has the introduction above, the receiver the identity 04 04 … and the nonce 05 05 …",
            ResumeState::live(FrameNumber(300), true, &secret, sides),
        ),
        (
            "resume state: the same session is over, with code 32",
            ResumeState::ended(32, &secret, sides),
        ),
    ]
}

fn verdicts() -> [(&'static str, Verdict); 4] {
    [
        ("verdict: a new session begins", Verdict::Accept([3; 32])),
        (
            "verdict: the session resumes, on connection 2",
            Verdict::Resume { connection: ConnectionId(2) },
        ),
        ("verdict: duplicate", Verdict::Duplicate),
        ("verdict: refused, \"no\"", Verdict::Refuse { code: 0, reason: "no".into() }),
    ]
}

fn frames() -> Vec<(&'static str, Frame<'static>)> {
    let question = QuestionId(300);
    let call = |target, manner, extent, content| Frame::Call {
        question,
        target,
        selector: NameId(3),
        manner,
        nesting: 1,
        deadline: 0,
        chain: &[],
        extent,
        content,
    };
    let object = Target::Object(ObjectId(2));
    // Descriptors of each kind, after a body of one byte.
    const CONTENT: &[u8] = &[
        0x2a, 0, 9, 1, 1, 8, 0, 2, 7, 1, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0xac, 2,
        3, 6, 1, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0xac, 2, 5, 5, 5, 5, 5, 5, 5, 5,
        5, 5, 5, 5, 5, 5, 5, 5,
    ];
    let owner = Identity { node: NodeId::from_bytes([7; 16]), object: ObjectId(300) };
    let content = Content {
        body: Body::from_slice(&[0x2a]),
        references: vec![
            Descriptor::Mine { object: ObjectId(9), interface: NameId(1) },
            Descriptor::Yours { object: ObjectId(8), interface: NameId::NONE },
            Descriptor::Forwarded { object: ObjectId(7), owner, interface: NameId(1), token: None },
            Descriptor::Forwarded {
                object: ObjectId(6),
                owner,
                interface: NameId(1),
                token: Some(Token::from_bytes([5; 16])),
            },
        ],
    };
    let packed = content.pack();
    assert_eq!([&packed.body[..], &packed.references[..]].concat(), CONTENT);
    let extent = Extent { references: packed.references.len() as u64, total: 0 };
    vec![
        (
            "Call: question 300 to object 2, selector 3, call, \"abc\"",
            call(object, Manner::Call, WHOLE, b"abc"),
        ),
        (
            "Call: question 300 to answer 299, one-way, nesting 31, 1 s left, 70,000 bytes to come, 3 of references",
            Frame::Call {
                question,
                target: Target::Answer(QuestionId(299)),
                selector: NameId(3),
                manner: Manner::OneWay,
                nesting: 31,
                deadline: 1001,
                chain: &[],
                extent: Extent { references: 3, total: 70_000 },
                content: b"",
            },
        ),
        (
            "Call: question 300 to object 2, call, a chain of two executions, \"abc\"",
            Frame::Call {
                question,
                target: Target::Object(ObjectId(2)),
                selector: NameId(3),
                manner: Manner::Call,
                nesting: 3,
                deadline: 0,
                chain: b"\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18",
                extent: WHOLE,
                content: b"abc",
            },
        ),
        (
            "Call: question 300 to object 2, promise, a byte and a reference of each kind",
            call(object, Manner::Promise, extent, CONTENT),
        ),
        (
            "Answer: question 300, value, nothing",
            Frame::Answer { question, status: Status::Value, extent: WHOLE, content: b"" },
        ),
        (
            "Answer: question 300, failure, \"no\"",
            Frame::Answer { question, status: Status::Failure, extent: WHOLE, content: b"no" },
        ),
        (
            "Answer: question 300, fault, Timeout",
            Frame::Answer { question, status: Status::Fault, extent: WHOLE, content: &[18] },
        ),
        ("CallChunk: question 300, \"chunk\"", Frame::CallChunk { question, bytes: b"chunk" }),
        ("AnswerChunk: question 300, \"chunk\"", Frame::AnswerChunk { question, bytes: b"chunk" }),
        ("Cancel: question 300", Frame::Cancel { question }),
        ("Finish: question 300", Frame::Finish { question }),
        (
            "Release: object 5, 2 introductions",
            Frame::Release { object: ObjectId(5), introductions: 2 },
        ),
        (
            "Name: 1 is Greeter.greet, fingerprint 00000000000000000102030405060708",
            Frame::Name {
                id: NameId(1),
                fingerprint: 0x0102_0304_0506_0708.into(),
                name: "Greeter.greet",
            },
        ),
        ("Watch: 1, object 5", Frame::Watch { watch: WatchId(1), object: ObjectId(5) }),
        ("Unwatch: 1", Frame::Unwatch { watch: WatchId(1) }),
        (
            "Ended: 1, stopped, \"tired\"",
            Frame::Ended { watch: WatchId(1), stopped: true, reason: "tired" },
        ),
        ("Ended: 1, released", Frame::Ended { watch: WatchId(1), stopped: false, reason: "" }),
        ("Credit: 10 calls, 1000 bytes", Frame::Credit { calls: 10, bytes: 1000 }),
        ("Close: code 0, \"bye\"", Frame::Close { code: 0, reason: "bye" }),
        ("Renew", Frame::Renew),
        ("Closing", Frame::Closing),
        ("Acknowledge: 300", Frame::Acknowledge { number: FrameNumber(300) }),
        ("Ping", Frame::Ping),
    ]
}

const DATAGRAM: &str = "datagram: number 300 of 01 01 …, `Log.line` with fingerprint 00000000000000000102030405060708 for \"log\", nesting 1, 1 s left, \"abc\"";

fn datagram() -> Datagram<'static> {
    Datagram {
        sender: NodeId::from_bytes([1; 16]),
        number: 300,
        name: "log",
        fingerprint: 0x0102_0304_0506_0708.into(),
        selector: "Log.line",
        nesting: 1,
        deadline: Some(Duration::from_secs(1)),
        body: b"abc",
    }
}

fn fingerprints() -> Vec<(&'static str, Fingerprint)> {
    static NOTHING: &[Parameter] = &[];
    static TWO: &[Parameter] = &[
        Parameter { name: "name", ty: Type { text: "&str", shape: |shape| shape.of::<&str>() } },
        Parameter {
            name: "interface",
            ty: Type { text: "&str", shape: |shape| shape.of::<&str>() },
        },
    ];
    let method = |interface, name, parameters, value, error| {
        Method::new(interface, name, parameters, value, error).fingerprint()
    };
    let ty = |shape: fn(&mut Shape)| Type { text: "", shape };
    let (unit, names) =
        (|shape: &mut Shape| shape.of::<()>(), |shape: &mut Shape| shape.of::<Vec<String>>());
    let error = |shape: &mut Shape| shape.of::<Error>();
    vec![
        (
            "fingerprint of `Object.interfaces`",
            method("Object", "interfaces", NOTHING, ty(names), ty(unit)),
        ),
        ("fingerprint of `Object.settle`", method("Object", "settle", NOTHING, ty(unit), ty(unit))),
        (
            "fingerprint of `remote.Directory.names`",
            method("remote.Directory", "names", NOTHING, ty(names), ty(error)),
        ),
        (
            "fingerprint of a method `Two.strings` of two strings that returns unit, with this crate's error",
            method("Two", "strings", TWO, ty(unit), ty(error)),
        ),
    ]
}

fn stream_fingerprints() -> Vec<(String, Fingerprint)> {
    let methods = [<dyn Source>::methods(), <dyn Inbox>::methods()].concat();
    let fingerprint =
        |method: &Method| (format!("fingerprint of `{}`", method.selector()), method.fingerprint());
    methods.into_iter().map(fingerprint).collect()
}

fn errors() -> Vec<Error> {
    let text = || "text".to_owned();
    vec![
        Error::NotConnected { address: text(), reason: text() },
        Error::InvalidUri { uri: text(), reason: text() },
        Error::NameNotFound { name: text() },
        Error::NameInUse { name: text() },
        Error::NoSuchObject,
        Error::Stale,
        Error::LeaseExpired,
        Error::SessionLost { reason: text(), outcome: Outcome::Unknown },
        Error::Ended(text()),
        Error::MessageNotUnderstood { class: text(), selector: text() },
        Error::SignatureMismatch { class: text(), selector: text() },
        Error::WrongInterface { found: text(), wanted: text() },
        Error::UnknownClass(text()),
        Error::DuplicateClass { name: text(), paths: (text(), text()) },
        Error::Encode(text()),
        Error::Decode(text()),
        Error::TooLarge { size: 2, limit: 1 },
        Error::Quota(text()),
        Error::Timeout,
        Error::Cancelled,
        Error::Panicked(text()),
        Error::Nested(Box::new(Error::Timeout)),
        Error::Broken(Box::new(Error::Timeout)),
        Error::Protocol(text()),
        Error::Io(text()),
        Error::Refused(text()),
        Error::InsideRuntime,
        Error::Unanswered,
    ]
}

fn written(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    frame.write(FrameNumber(5), &mut out, |_| ());
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn thousands(number: usize) -> String {
    format!("{},{:03}", number / 1000, number % 1000)
}

fn kind(cell: &str) -> Option<u8> {
    u8::from_str_radix(cell.strip_prefix("0x")?, 16).ok()
}

/// Returns the rows of the tables in a section, without the header rows.
fn section(heading: &str) -> Vec<&'static str> {
    let under = DOCUMENT.split("\n#").find(|part| {
        part.trim_start_matches('#').trim_start().starts_with(&format!("{heading}\n"))
    });
    let under = under.unwrap_or_else(|| panic!("PROTOCOL.md has no section `{heading}`"));
    under.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what |")).collect()
}

/// Returns the cells of these rows.
fn rows(heading: &str) -> impl Iterator<Item = Vec<&'static str>> {
    section(heading)
        .into_iter()
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
}
