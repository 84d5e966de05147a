//! A recorded conversation with all kinds of frames, damaged in every way: it never panics, and at most ends the session.

use super::super::lease::Reads;
use super::application::{End, plain, referring};
use super::audit::assert_empty;
use super::forger::{Forger, call_in_parts, frames};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair, header};
use super::random::Random;
use crate::id::{CallToken, FrameNumber, NameId, ObjectId, QuestionId, WatchId};
use crate::session::Ask;
use crate::wire::frame::{Descriptor, Extent, Frame, LENGTH, Manner, Status, Target};

/// What the recorded side calls that it was given.
const GIVEN: ObjectId = ObjectId(1000);
/// The listener's question that is answered in parts; those before it are answered at once.
const IN_PARTS: u64 = 4;

/// The side that hears the conversation: it has asked and given, and answers whatever it is asked.
fn listener() -> Forger {
    let mut forger = Forger::silent();
    for token in 0..IN_PARTS as usize {
        let given = Descriptor::Mine { object: GIVEN, interface: NameId::NONE };
        let _ = forger.session.introduce(GIVEN);
        let ask = Ask {
            token: CallToken(token),
            target: DIRECTORY,
            header: header([Manner::Ask, Manner::Promise, Manner::Tell, Manner::Ask][token], 1),
            content: referring(b"given", &[given]),
        };
        forger.session.ask(None, ask).expect("it is sent");
    }
    forger
}

/// Does what is to be done about what the listener has heard.
fn react(forger: &mut Forger) {
    forger.note();
    for call in std::mem::take(&mut forger.seen.calls) {
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
    forger.hear_bytes();
}

/// All that one side says to the listener in a busy session.
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
        pair.note(Right);
        pair.transmit(Right);
        pair.exchange();
    };
    exchange(&mut pair);
    for number in 1..IN_PARTS {
        pair.answer(Left, QuestionId(number), plain(b"answered"));
    }
    let interface = pair[Left].intern("Interface", 8).unwrap();
    let (object, _) = pair.introduce(Left);
    let mine = Descriptor::Mine { object, interface };
    let yours = Descriptor::Yours { object: GIVEN, interface: NameId::NONE };
    let first = pair.ask(Left, DIRECTORY, referring(b"first", &[mine, yours]));
    let promise = pair.promise(Left, Target::Object(GIVEN), plain(b"promise"));
    let pipelined = pair.promise(Left, Target::Answer(promise), plain(b"pipelined"));
    pair.tell(Left, DIRECTORY, plain(b"told"));
    let deadline = pair.now + std::time::Duration::from_millis(300);
    pair.ask_before(Left, deadline);
    pair[Left].watch(WatchId(1), GIVEN);
    pair[Left].cancel(first);
    pair[Left].finish(pipelined);
    exchange(&mut pair);
    pair[Left].unwatch(WatchId(1));
    pair[Left].finish(promise);
    (0..IN_PARTS).for_each(|_| pair[Left].release(GIVEN));
    let now = pair.now + std::time::Duration::from_secs(3);
    pair[Left].handle_timeout(now, Reads::Active);
    exchange(&mut pair);
    assert_eq!((pair[Left].closed(), pair[Right].closed()), (None, None));

    // What a session sends in parts is too long to be damaged everywhere: shorter parts by hand.
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

/// Has a listener hear this, in one go; whatever it was, afterwards everything can be given back.
fn hear(bytes: &[u8]) -> Forger {
    let mut forger = listener();
    forger.hear_bytes();
    let used = forger.say_bytes(bytes);
    assert!(used <= bytes.len());
    assert!(forger.session.held() <= bytes.len() + (1 << 10), "it holds no more than it heard");
    react(&mut forger);
    forger
}

fn hear_and_end(bytes: &[u8]) {
    let mut forger = hear(bytes);
    forger.session.handle_failure("enough");
    forger.note();
    assert_empty(&forger.session);
    assert_eq!(forger.seen.ended.len(), IN_PARTS as usize, "each call has ended");
}

/// The bytes of each frame, its length before it.
fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(length) = bytes.first_chunk::<LENGTH>() {
        let (part, rest) = bytes.split_at(LENGTH + u32::from_le_bytes(*length) as usize);
        parts.push(part);
        bytes = rest;
    }
    parts
}

/// A frame with other bytes, and the length that they have.
fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

#[test]
fn undamaged_it_is_understood() {
    let recorded = record();
    let mut forger = hear(&recorded);
    assert_eq!(forger.session.closed(), None);
    assert_eq!(forger.seen.ended.len(), IN_PARTS as usize);
    let in_parts = End::Answered(Status::Failure, plain(b"fourfourfour"));
    assert_eq!(forger.seen.ended[&3], in_parts);
    assert_eq!(forger.seen.promised.len(), 2);
    assert_eq!(forger.seen.finished.len(), 2);
    assert!(forger.seen.unexported.contains(&GIVEN));
    assert!(forger.seen.cancelled.contains(&QuestionId(99)));
    forger.session.close("enough");
    forger.note();
    assert_empty(&forger.session);
    let kinds = |bytes: &[u8]| -> std::collections::BTreeSet<u8> {
        split(bytes).iter().map(|frame| frame[LENGTH]).collect()
    };
    // All but Ended and Close, which say nothing that could be misunderstood.
    let expected = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 0x40, 0x41];
    assert_eq!(kinds(&recorded).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn cut_off_anywhere() {
    let recorded = record();
    for end in 0..recorded.len() {
        assert_eq!(hear(&recorded[..end]).session.closed(), None, "what is missing may yet come");
        hear_and_end(&recorded[..end]);
    }
}

#[test]
fn split_anywhere() {
    let recorded = record();
    for at in 0..recorded.len() {
        let mut forger = listener();
        forger.hear_bytes();
        let used = forger.say_bytes(&recorded[..at]);
        assert_eq!(forger.say_bytes(&recorded[used..]), recorded.len() - used);
        assert_eq!(forger.session.closed(), None);
        assert_eq!(forger.seen.ended.len(), IN_PARTS as usize);
    }
}

#[test]
fn any_bit_flipped() {
    let mut recorded = record();
    for bit in 0..recorded.len() * 8 {
        recorded[bit / 8] ^= 1 << (bit % 8);
        hear_and_end(&recorded);
        recorded[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn any_frame_cut_short_or_too_long() {
    let recorded = record();
    let parts = split(&recorded);
    for (at, part) in parts.iter().enumerate() {
        let (before, after) = (parts[..at].concat(), parts[at + 1..].concat());
        let frame = &part[LENGTH..];
        for end in 1..frame.len() {
            hear_and_end(&[before.clone(), framed(&frame[..end]), after.clone()].concat());
        }
        for more in [0, 1, 0x7f, 0x80, 0xff] {
            let longer = framed(&[frame, &[more]].concat());
            hear_and_end(&[before.clone(), longer, after.clone()].concat());
        }
    }
}

#[test]
fn any_frame_left_out_doubled_or_moved() {
    let recorded = record();
    let parts = split(&recorded);
    let is_numbered = |part: &[u8]| part[LENGTH] < 0x40;
    for at in 0..parts.len() {
        let mut others = parts.clone();
        let part = others.remove(at);
        let left_out = hear(&others.concat());
        let is_last = !others[at..].iter().any(|part| is_numbered(part));
        let expected = is_last || !is_numbered(part);
        assert_eq!(left_out.session.closed().is_none(), expected, "frame {at}");
        hear_and_end(&others.concat());
        for to in 0..=others.len() {
            let mut moved = others.clone();
            moved.insert(to, part);
            hear_and_end(&moved.concat());
        }
        let mut doubled = parts.clone();
        doubled.insert(at, part);
        let doubled = hear(&doubled.concat());
        assert_eq!(doubled.session.closed(), None, "what arrives again is ignored");
        assert_eq!(doubled.seen.ended.len(), IN_PARTS as usize);
    }
}

#[test]
fn noise() {
    let mut random = Random::new(7);
    for _ in 0..2000 {
        let size = random.below(300);
        let noise: Vec<u8> = (0..size).map(|_| random.below(256) as u8).collect();
        hear_and_end(&noise);
        // With a length and a kind that are right, more of it is looked at.
        if !noise.is_empty() {
            let mut frame = noise;
            frame[0] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0x40, 0x41][random.below(15)];
            if let Some(number) = frame.get_mut(1) {
                *number = 1;
            }
            hear_and_end(&framed(&frame));
        }
    }
}
