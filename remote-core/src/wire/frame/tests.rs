//! Frames are read as they were written, and malformed frames are errors. `wire/tests.rs` compares the bytes with
//! PROTOCOL.md.

use super::*;
use crate::id::{Identity, NodeId};
use crate::wire::descriptor::Descriptor;

const WHOLE: Extent = Extent { references: 0, total: 0 };
const OWNER: Identity = Identity { node: NodeId::from_bytes([7; 16]), object: ObjectId(9) };

fn all() -> Vec<Frame<'static>> {
    let question = QuestionId(300);
    vec![
        Frame::Call {
            question,
            target: Target::Object(ObjectId(2)),
            selector: NameId(3),
            manner: Manner::Call,
            nesting: 1,
            deadline: 0,
            chain: &[],
            extent: WHOLE,
            content: b"abc",
        },
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
        Frame::Call {
            question,
            target: Target::Object(ObjectId(2)),
            selector: NameId(3),
            manner: Manner::Call,
            nesting: 2,
            deadline: 0,
            chain: b"12345678",
            extent: WHOLE,
            content: b"abc",
        },
        Frame::Answer { question, status: Status::Failure, extent: WHOLE, content: b"no" },
        Frame::CallChunk { question, bytes: b"chunk" },
        Frame::AnswerChunk { question, bytes: b"chunk" },
        Frame::Cancel { question },
        Frame::Finish { question },
        Frame::Release { object: ObjectId(5), introductions: 2 },
        Frame::Name {
            id: NameId(1),
            fingerprint: 0x0102_0304_0506_0708.into(),
            name: "Greeter.greet",
        },
        Frame::Watch { watch: WatchId(1), object: ObjectId(5) },
        Frame::Unwatch { watch: WatchId(1) },
        Frame::Ended { watch: WatchId(1), stopped: true, reason: "tired" },
        Frame::Credit { calls: 10, bytes: 1000 },
        Frame::Close { code: 0, reason: "bye" },
        Frame::Acknowledge { number: FrameNumber(127) },
        Frame::Ping,
    ]
}

fn written(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    frame.write(FrameNumber(5), &mut out, |_| ());
    out
}

#[test]
fn every_frame_is_read_as_written() {
    for frame in all() {
        let bytes = written(&frame);
        let length = u32::from_le_bytes(bytes[..LENGTH].try_into().unwrap()) as usize;
        assert_eq!(length, bytes.len() - LENGTH);
        let (number, read) = Frame::read(&bytes[LENGTH..]).unwrap();
        assert_eq!(read, frame);
        assert_eq!(number.is_some(), frame.is_numbered());
    }
}

#[test]
fn descriptors_are_read_as_written() {
    let (object, interface) = (ObjectId(300), NameId(2));
    for descriptor in [
        Descriptor::Mine { object, interface },
        Descriptor::Yours { object, interface },
        Descriptor::Forwarded { object, owner: OWNER, interface, token: None },
        Descriptor::Forwarded {
            object,
            owner: OWNER,
            interface,
            token: Some(crate::id::Token::from_bytes([9; 16])),
        },
    ] {
        let mut out = Vec::new();
        descriptor.write(&mut out);
        let mut cursor = Cursor::new(&out);
        assert_eq!(Descriptor::read(&mut cursor), Ok(descriptor));
        assert_eq!(cursor.end(), Ok(()));
    }
}

#[test]
fn truncated_and_corrupted_frames_never_panic() {
    for frame in all() {
        let bytes = written(&frame);
        for end in LENGTH..bytes.len() {
            let _ = Frame::read(&bytes[LENGTH..end]);
        }
        for bit in 0..(bytes.len() - LENGTH) * 8 {
            let mut bytes = bytes[LENGTH..].to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let _ = Frame::read(&bytes);
        }
    }
}
