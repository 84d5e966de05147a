//! What was introduced and not given back is the count of an export; nothing is given back before what names it.

use super::application::{pattern, plain, referring};
use super::audit::assert_empty;
use super::forger::{Forger, call_in_parts};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair};
use crate::error::Error;
use crate::id::{NameId, ObjectId, QuestionId, WatchId};
use crate::limits::Limits;
use crate::session::exports::Presence;
use crate::wire::breach::Breach;
use crate::wire::content::Content;
use crate::wire::frame::{CHUNK, Descriptor, Extent, Frame, Manner, Status, Target};

fn yours(object: ObjectId) -> Descriptor {
    Descriptor::Yours { object, interface: NameId::NONE }
}

/// How often an object of the left side's is introduced: as it counts, and as the right side does.
fn counts(pair: &Pair, object: ObjectId) -> (u64, u64) {
    (pair[Left].exports.count(object), pair[Right].imports.count(object))
}

fn release(pair: &mut Pair, object: ObjectId) {
    pair[Right].release(object);
    pair.note(Right);
}

#[test]
fn an_object_goes_with_the_last_of_its_introductions() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
    for _ in 0..4 {
        let descriptor = pair.introduce_again(Left, object);
        pair.tell(Left, DIRECTORY, referring(b"", &[descriptor, descriptor]));
        pair.introduce_again(Left, object);
    }
    pair.settle();
    pair.answer_all(Right);
    assert_eq!(counts(&pair, object), (9, 9));
    for left in (0..9).rev() {
        assert_eq!(pair.seen(Left).unexported, []);
        release(&mut pair, object);
        pair.settle();
        assert_eq!(counts(&pair, object), (left, left));
    }
    assert_eq!(pair.seen(Left).unexported, [object]);
    assert_empty(&pair[Left]);
    assert_empty(&pair[Right]);
}

#[test]
fn an_object_is_new_to_the_peer_until_it_was_introduced_and_again_when_it_is_gone() {
    let mut pair = Pair::new();
    let object = ObjectId(1);
    for _ in 0..2 {
        let known = [(); 3].map(|()| pair[Left].introduce(object).map(Presence::is_known));
        assert_eq!(known, [Ok(false), Ok(true), Ok(true)]);
        (0..3).for_each(|_| pair[Left].retract(object));
        assert_eq!(std::mem::take(&mut pair.seen(Left).unexported), []);
        pair.note(Left);
        assert_eq!(std::mem::take(&mut pair.seen(Left).unexported), [object]);
    }
}

#[test]
fn a_release_that_crosses_a_new_introduction_does_not_undo_it() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
    release(&mut pair, object);
    let again = pair.introduce_again(Left, object);
    pair.tell(Left, DIRECTORY, referring(b"", &[again]));
    pair.settle();
    assert_eq!(counts(&pair, object), (1, 1));
    assert_eq!(pair.seen(Left).unexported, []);
    pair.answer_all(Right);
    pair.ask(Right, Target::Object(object), plain(b""));
    release(&mut pair, object);
    pair.settle();
    assert_eq!(pair.seen(Left).calls[0].target, Some(Target::Object(object)));
    assert_eq!(counts(&pair, object), (0, 0));
}

#[test]
fn many_releases_are_one_frame() {
    let mut pair = Pair::new();
    let (object, descriptor) = pair.introduce(Left);
    for _ in 1..1000 {
        pair.introduce_again(Left, object);
    }
    pair.tell(Left, DIRECTORY, referring(b"", &[descriptor; 1000]));
    pair.settle();
    pair.answer_all(Right);
    pair.settle();
    (0..1000).for_each(|_| pair[Right].release(object));
    let now = pair.now;
    let bytes = pair[Right].poll_transmit(now).expect("the releases are sent");
    let said = super::forger::frames(&bytes);
    assert!(said.contains(&(said[0].0, Frame::Release { object, introductions: 1000 })));
    assert!(bytes.len() < 30, "{} bytes", bytes.len());
}

/// Sends a message that names an object, drops the last reference to the object, and sees that both arrive.
#[track_caller]
fn assert_held_back(mut pair: Pair, object: ObjectId, send: impl FnOnce(&mut Pair)) {
    send(&mut pair);
    release(&mut pair, object);
    pair.exchange();
    assert_eq!(counts(&pair, object), (1, 1), "it is still to be named");
    // What waits for room goes when what is before it is answered.
    for _ in 0..3 {
        pair.settle();
        assert_eq!(pair[Left].closed(), None);
        pair.answer_all(Left);
        pair.answer_all(Right);
    }
    pair.settle();
    assert_eq!(counts(&pair, object), (0, 0));
    assert_eq!(pair.seen(Left).unexported, [object]);
}

#[test]
fn a_release_waits_for_a_call_that_waits_for_room() {
    for names in
        [|object| (Target::Object(object), vec![]), |object| (DIRECTORY, vec![yours(object)])]
    {
        let mut pair =
            Pair::with(Limits { window_calls: 1, ..Limits::default() }, Limits::default());
        let object = pair.given(Left);
        pair.ask(Right, DIRECTORY, plain(b""));
        assert_held_back(pair, object, |pair| {
            let (target, references) = names(object);
            pair.ask(Right, target, Content { references, ..Content::default() });
        });
    }
}

#[test]
fn a_release_that_was_due_waits_for_a_call_that_is_made_before_it_is_sent() {
    let mut pair = Pair::with(Limits { window_calls: 1, ..Limits::default() }, Limits::default());
    let (object, introduced) = pair.introduce(Left);
    pair.introduce_again(Left, object);
    pair.tell(Left, DIRECTORY, referring(b"", &[introduced, introduced]));
    pair.settle();
    pair.answer_all(Right);
    pair.settle();
    let first = pair.ask(Right, DIRECTORY, plain(b"first"));
    pair.settle();
    release(&mut pair, object);
    pair.ask(Right, Target::Object(object), plain(b"waits for room"));
    release(&mut pair, object);
    pair.settle();
    assert_eq!(counts(&pair, object), (2, 2));
    pair.answer(Left, first, plain(b""));
    pair.settle();
    assert_eq!(pair.seen(Left).calls[1].target, Some(Target::Object(object)));
    assert_eq!(counts(&pair, object), (0, 0));
}

#[test]
fn nobody_is_asked_to_write_for_what_cannot_be_given_back() {
    let mut pair = Pair::with(Limits { window_calls: 2, ..Limits::default() }, Limits::default());
    let object = pair.given(Left);
    pair.ask(Right, Target::Object(object), pattern(4 * CHUNK));
    pair.ask(Right, Target::Object(object), plain(b"behind"));
    while pair[Right].wants_transmit() {
        let now = pair.now;
        assert!(pair[Right].poll_transmit(now).is_some(), "it still has a proxy");
    }
    pair.ask(Right, Target::Object(object), plain(b"waits for room"));
    release(&mut pair, object);
    assert!(!pair[Right].wants_transmit(), "what waits for room names it");
}

#[test]
fn a_release_waits_for_a_big_call_and_for_what_is_behind_it() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
    assert_held_back(pair, object, |pair| {
        pair.ask(Right, Target::Object(object), pattern(64 * CHUNK));
        pair.ask(Right, Target::Object(object), plain(b"behind"));
    });
    let mut pair = Pair::new();
    let object = pair.given(Left);
    assert_held_back(pair, object, |pair| {
        let references = vec![yours(object)];
        pair.ask(Right, DIRECTORY, Content { references, ..pattern(64 * CHUNK) });
    });
}

#[test]
fn a_release_waits_for_a_big_answer() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
    let questions = [0, 1].map(|_| pair.ask(Left, DIRECTORY, plain(b"")));
    pair.settle();
    assert_held_back(pair, object, |pair| {
        let references = vec![yours(object)];
        for question in questions {
            let references = references.clone();
            pair.answer(Right, question, Content { references, ..pattern(64 * CHUNK) });
        }
    });
}

#[test]
fn references_are_registered_before_a_message_is_told_of() {
    let mut forger = Forger::new();
    let object = ObjectId(77);
    let mut content = Vec::new();
    Descriptor::Mine { object, interface: NameId(1) }.write(&mut content);
    let extent = Extent { references: content.len() as u64, total: 0 };
    let mut bytes = Vec::new();
    let frame = call_in_parts(1, extent, &content);
    frame.write(crate::id::FrameNumber(2), &mut bytes, |_| {});
    forger.session.handle_input(forger.now, &bytes);
    assert_eq!(forger.session.imports.count(object), 1, "before any event was looked at");
    forger.session.release(object);
    forger.note();
    assert!(forger.hear().contains(&format!("{:?}", Frame::Release { object, introductions: 1 })));
}

#[test]
fn what_a_message_never_sent_would_have_introduced_is_retracted() {
    let limits = Limits { window_calls: 1, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let (object, descriptor) = pair.introduce(Left);
    pair.ask(Left, DIRECTORY, plain(b""));
    let waiting = pair.ask(Left, DIRECTORY, referring(b"", &[descriptor]));
    assert_eq!(pair[Left].exports.count(object), 1);
    pair[Left].cancel(waiting);
    pair.note(Left);
    assert_eq!(pair.seen(Left).unexported, [object]);

    let mut pair = Pair::new();
    let (object, descriptor) = pair.introduce(Left);
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let behind = pair.ask(Left, DIRECTORY, referring(b"", &[descriptor]));
    pair[Left].cancel(behind);
    pair.settle();
    assert_eq!(pair.seen(Left).unexported, [object]);
}

#[test]
fn what_an_answer_nobody_awaits_would_have_introduced_is_retracted() {
    let mut pair = Pair::new();
    pair.tell(Right, DIRECTORY, plain(b""));
    let asked = pair.ask(Right, DIRECTORY, plain(b""));
    pair.settle();
    let told = pair.seen(Left).calls[0].question;
    for (question, sent) in [(told, 0), (asked, 1), (asked, 0), (QuestionId(99), 0)] {
        let (object, descriptor) = pair.introduce(Left);
        pair.answer(Left, question, referring(b"", &[descriptor]));
        assert_eq!(pair[Left].exports.count(object), sent);
    }
}

#[test]
fn an_answer_larger_than_the_peer_takes_fails_that_call_only() {
    let limits = Limits { body: 1000, ..Limits::default() };
    let mut pair = Pair::with(limits, Limits::default());
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.settle();
    let (object, descriptor) = pair.introduce(Right);
    // The body alone would do: what counts is all that travels.
    pair.answer(Right, question, Content { references: vec![descriptor], ..pattern(999) });
    pair.settle();
    assert_eq!(pair[Left].closed(), None);
    let end = pair.seen(Left).ended.remove(&0);
    let Some(super::application::End::Answered(Status::Fault, content)) = end else {
        panic!("{end:?}")
    };
    let mut decoder = crate::wire::codec::Decoder::new(&content.body, Limits::default().bounds());
    let told = Error::Nested(Box::new(Error::TooLarge { size: 1002, limit: 1000 }));
    assert_eq!(decoder.next::<Error>(), Ok(told));
    assert_eq!(pair.seen(Right).unexported, [object]);
}

#[test]
fn references_are_as_many_as_the_smaller_of_both_limits() {
    let few = Limits { references: 2, ..Limits::default() };
    for (left, right) in [(few.clone(), Limits::default()), (Limits::default(), few.clone())] {
        let mut pair = Pair::with(left, right);
        let object = pair.given(Left);
        pair.given(Left);
        pair.introduce_again(Left, object);
        let refused = pair[Left].introduce(ObjectId(99));
        assert!(matches!(refused, Err(Error::Quota(_))), "{refused:?}");
        assert_eq!(pair[Left].export_count(), 2);
    }
    let mut forger = Forger::with(few);
    for object in 1..4 {
        assert_eq!(forger.session.closed(), None);
        forger.introduce(object);
    }
    forger.assert_breach(Breach::References);
}

#[test]
fn a_message_that_cannot_be_read_leaves_no_reference_behind() {
    let mut forger = Forger::new();
    let mut content = Vec::new();
    Descriptor::Mine { object: ObjectId(1), interface: NameId::NONE }.write(&mut content);
    Descriptor::Yours { object: ObjectId(5), interface: NameId::NONE }.write(&mut content);
    let extent = Extent { references: content.len() as u64, total: 0 };
    forger.say(call_in_parts(1, extent, &content));
    forger.assert_breach(Breach::References);
    assert_empty(&forger.session);
}

#[test]
fn a_release_of_more_than_was_held_is_a_breach() {
    for introductions in [2, u64::MAX] {
        let mut forger = Forger::new();
        forger.session.introduce(ObjectId(1)).expect("there is room");
        forger.say(Frame::Release { object: ObjectId(1), introductions });
        forger.assert_breach(Breach::Release);
        assert_eq!(forger.seen.unexported, [ObjectId(1)], "exactly once");
    }
    for object in [ObjectId::DIRECTORY, ObjectId(2)] {
        let mut forger = Forger::new();
        forger.session.introduce(ObjectId(1)).expect("there is room");
        forger.say(Frame::Release { object, introductions: 1 });
        forger.assert_breach(Breach::Release);
    }
}

#[test]
fn watches_end_once_and_are_bounded() {
    let mut forger = Forger::with(Limits { references: 2, ..Limits::default() });
    let object = ObjectId(1);
    forger.session.introduce(object).expect("there is room");
    forger.say(Frame::Watch { watch: WatchId(1), object });
    forger.say(Frame::Watch { watch: WatchId(2), object });
    forger.session.tell_ended(WatchId(1), true, "stopped");
    forger.session.tell_ended(WatchId(1), true, "stopped");
    forger.say(Frame::Unwatch { watch: WatchId(1) });
    forger.say(Frame::Unwatch { watch: WatchId(2) });
    forger.session.tell_ended(WatchId(2), true, "stopped");
    let ended = |watch| {
        format!("{:?}", Frame::Ended { watch: WatchId(watch), stopped: true, reason: "stopped" })
    };
    let said = forger.hear();
    assert_eq!(said.iter().filter(|frame| **frame == ended(1)).count(), 1);
    assert!(!said.contains(&ended(2)));
    (3..5).for_each(|watch| forger.say(Frame::Watch { watch: WatchId(watch), object }));
    forger.say(Frame::Watch { watch: WatchId(5), object });
    assert!(forger.hear().iter().any(|frame| frame.contains("watch: WatchId(5), stopped: true")));
    assert!(!forger.seen.watched.contains_key(&5));
    assert_eq!((forger.session.closed(), forger.session.watches.len()), (None, 2));
}

#[test]
fn a_message_whose_manner_wants_no_answer_carries_references_too() {
    let mut pair = Pair::new();
    let (object, descriptor) = pair.introduce(Left);
    pair.send(Left, Manner::Tell, DIRECTORY, referring(b"", &[descriptor])).expect("it is sent");
    pair.settle();
    assert_eq!(counts(&pair, object), (1, 1));
}
