//! A recorded stream of frames of all kinds, corrupted in many ways. It never panics, and at most ends the session.

use super::super::lease::Reads;
use super::application::{End, plain, referring};
use super::audit::assert_empty;
use super::forger::{Forger, call_in_parts, frames};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair, header};
use super::random::Random;
use crate::id::{CallToken, FrameNumber, NameId, ObjectId, QuestionId, WatchId};
use crate::session::OutgoingCall;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{Extent, Frame, LENGTH, Manner, Status, Target};

/// The object that the recorded side has received.
const RECEIVED: ObjectId = ObjectId(1000);
/// The listener's question that is answered in chunks. The ones before it are answered in one frame.
const IN_PARTS: u64 = 4;

/// Makes the side that receives the stream. It has sent calls and references, and answers every call.
fn listener() -> Forger {
    let mut forger = Forger::silent();
    for token in 0..IN_PARTS as usize {
        let received = Descriptor::Mine { object: RECEIVED, interface: NameId::NONE };
        let _ = forger.session.introduce(RECEIVED);
        let ask = OutgoingCall {
            token: CallToken(token),
            target: DIRECTORY,
            header: header([Manner::Call, Manner::Promise, Manner::OneWay, Manner::Call][token], 1),
            content: referring(b"other", &[received]),
        };
        forger.session.ask(None, ask).expect("it is sent");
    }
    forger
}

/// Handles what the listener has received.
fn react(forger: &mut Forger) {
    forger.handle_events();
    for call in std::mem::take(&mut forger.application.calls) {
        let own = ObjectId(2000 + call.question.0 % 100);
        if forger.session.closed().is_none() && forger.session.introduce(own).is_ok() {
            let own = Descriptor::Mine { object: own, interface: NameId::NONE };
            forger.session.answer(call.question, Status::Value, referring(b"answer", &[own]));
        }
        for reference in call.content.references {
            if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } =
                reference
            {
                forger.session.release(object);
            }
        }
    }
    forger.take_output_bytes();
}

/// Returns everything that one side of a busy session sends to the listener.
fn record() -> Vec<u8> {
    let mut pair = Pair::new();
    pair[Right] = listener().session;
    let mut recorded = Vec::new();
    let mut exchange = |pair: &mut Pair| {
        let now = pair.now;
        if let Some(bytes) = pair[Left].poll_transmit(now) {
            recorded.extend_from_slice(&bytes);
            pair[Right].handle_input(now, &bytes);
        }
        pair.handle_events(Right);
        pair.transmit(Right);
        pair.exchange();
    };
    exchange(&mut pair);
    for number in 1..IN_PARTS {
        pair.answer(Left, QuestionId(number), plain(b"answered"));
    }
    let interface = pair[Left].intern_interface("Interface").unwrap();
    let (object, _) = pair.introduce(Left);
    let mine = Descriptor::Mine { object, interface };
    let yours = Descriptor::Yours { object: RECEIVED, interface: NameId::NONE };
    let first = pair.ask(Left, DIRECTORY, referring(b"first", &[mine, yours]));
    let promise = pair.promise(Left, Target::Object(RECEIVED), plain(b"promise"));
    let pipelined = pair.promise(Left, Target::Answer(promise), plain(b"pipelined"));
    pair.send_one_way(Left, DIRECTORY, plain(b"note"));
    let deadline = pair.now + std::time::Duration::from_millis(300);
    pair.ask_with_deadline(Left, deadline);
    pair[Left].watch(WatchId(1), RECEIVED);
    pair[Left].cancel(first);
    pair[Left].finish(pipelined);
    exchange(&mut pair);
    pair[Left].unwatch(WatchId(1));
    pair[Left].finish(promise);
    (0..IN_PARTS).for_each(|_| pair[Left].release(RECEIVED));
    let now = pair.now + std::time::Duration::from_secs(3);
    pair[Left].handle_timeout(now, Reads::Active);
    exchange(&mut pair);
    assert_eq!((pair[Left].closed(), pair[Right].closed()), (None, None));

    // Chunks of a real session are too long to corrupt each byte: shorter ones are made by hand.
    let mut number =
        frames(&recorded).iter().filter_map(|(number, _)| *number).max().map_or(0, |n| n.0);
    let parts = Extent { references: 0, total: 12 };
    let question = QuestionId(99);
    let asked = QuestionId(IN_PARTS);
    for frame in [
        call_in_parts(question.0, parts, b"four"),
        Frame::Answer { question: asked, status: Status::Failure, extent: parts, content: b"four" },
        Frame::CallChunk { question, bytes: b"four" },
        Frame::AnswerChunk { question: asked, bytes: b"four" },
        Frame::Cancel { question },
        Frame::AnswerChunk { question: asked, bytes: b"four" },
        Frame::CallChunk { question, bytes: b"four" },
    ] {
        number += 1;
        frame.write(FrameNumber(number), &mut recorded, |_| {});
    }
    recorded
}

/// Passes bytes to a new listener at once, and asserts that everything can be released afterwards.
fn receive(bytes: &[u8]) -> Forger {
    let mut forger = listener();
    forger.take_output_bytes();
    let used = forger.send_bytes(bytes);
    assert!(used <= bytes.len());
    assert!(forger.session.held() <= bytes.len() + (1 << 10), "it holds no more than it received");
    react(&mut forger);
    forger
}

fn receive_and_end(bytes: &[u8]) {
    let mut forger = receive(bytes);
    forger.session.handle_failure("enough");
    forger.handle_events();
    assert_empty(&forger.session);
    assert_eq!(forger.application.ended.len(), IN_PARTS as usize, "each call has ended");
}

/// Returns the bytes of each frame, with its length.
fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(length) = bytes.first_chunk::<LENGTH>() {
        let (part, rest) = bytes.split_at(LENGTH + u32::from_le_bytes(*length) as usize);
        parts.push(part);
        bytes = rest;
    }
    parts
}

/// Returns a frame with other contents, and their length.
fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

#[test]
fn the_uncorrupted_stream_is_accepted() {
    let recorded = record();
    let mut forger = receive(&recorded);
    assert_eq!(forger.session.closed(), None);
    assert_eq!(forger.application.ended.len(), IN_PARTS as usize);
    let in_parts = End::Answered(Status::Failure, plain(b"fourfourfour"));
    assert_eq!(forger.application.ended[&3], in_parts);
    assert_eq!(forger.application.promised.len(), 2);
    assert_eq!(forger.application.finished.len(), 2);
    assert!(forger.application.unexported.contains(&RECEIVED));
    assert!(forger.application.cancelled.contains(&QuestionId(99)));
    forger.session.close("enough");
    forger.handle_events();
    assert_empty(&forger.session);
    let kinds = |bytes: &[u8]| -> std::collections::BTreeSet<u8> {
        split(bytes).iter().map(|frame| frame[LENGTH]).collect()
    };
    // All kinds but Ended and Close, which have no fields to corrupt.
    let expected = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 0x40, 0x41];
    assert_eq!(kinds(&recorded).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn truncated_anywhere() {
    let recorded = record();
    for end in 0..recorded.len() {
        assert_eq!(receive(&recorded[..end]).session.closed(), None, "the rest may still arrive");
        receive_and_end(&recorded[..end]);
    }
}

#[test]
fn split_anywhere() {
    let recorded = record();
    for at in 0..recorded.len() {
        let mut forger = listener();
        forger.take_output_bytes();
        let used = forger.send_bytes(&recorded[..at]);
        assert_eq!(forger.send_bytes(&recorded[used..]), recorded.len() - used);
        assert_eq!(forger.session.closed(), None);
        assert_eq!(forger.application.ended.len(), IN_PARTS as usize);
    }
}

#[test]
fn any_bit_flipped() {
    let mut recorded = record();
    for bit in 0..recorded.len() * 8 {
        recorded[bit / 8] ^= 1 << (bit % 8);
        receive_and_end(&recorded);
        recorded[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn any_frame_too_short_or_too_long() {
    let recorded = record();
    let parts = split(&recorded);
    for (at, part) in parts.iter().enumerate() {
        let (before, after) = (parts[..at].concat(), parts[at + 1..].concat());
        let frame = &part[LENGTH..];
        for end in 1..frame.len() {
            receive_and_end(&[before.clone(), framed(&frame[..end]), after.clone()].concat());
        }
        for more in [0, 1, 0x7f, 0x80, 0xff] {
            let longer = framed(&[frame, &[more]].concat());
            receive_and_end(&[before.clone(), longer, after.clone()].concat());
        }
    }
}

#[test]
fn any_frame_missing_repeated_or_moved() {
    let recorded = record();
    let parts = split(&recorded);
    let is_numbered = |part: &[u8]| part[LENGTH] < 0x40;
    for at in 0..parts.len() {
        let mut others = parts.clone();
        let part = others.remove(at);
        let left_out = receive(&others.concat());
        let is_last = !others[at..].iter().any(|part| is_numbered(part));
        let expected = is_last || !is_numbered(part);
        assert_eq!(left_out.session.closed().is_none(), expected, "frame {at}");
        receive_and_end(&others.concat());
        for to in 0..=others.len() {
            let mut moved = others.clone();
            moved.insert(to, part);
            receive_and_end(&moved.concat());
        }
        let mut doubled = parts.clone();
        doubled.insert(at, part);
        let doubled = receive(&doubled.concat());
        assert_eq!(doubled.session.closed(), None, "a repeated frame is ignored");
        assert_eq!(doubled.application.ended.len(), IN_PARTS as usize);
    }
}

#[test]
fn random_bytes() {
    let mut random = Random::new(7);
    for _ in 0..2000 {
        let size = random.below(300);
        let noise: Vec<u8> = (0..size).map(|_| random.below(256) as u8).collect();
        receive_and_end(&noise);
        // With a valid length and kind, more of the frame is read.
        if !noise.is_empty() {
            let mut frame = noise;
            frame[0] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0x40, 0x41][random.below(15)];
            if let Some(number) = frame.get_mut(1) {
                *number = 1;
            }
            receive_and_end(&framed(&frame));
        }
    }
}
