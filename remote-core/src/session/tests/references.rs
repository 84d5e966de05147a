//! The count of an export is its introductions minus the releases. An object is not released before a message that names it
//! is sent.

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
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{CHUNK, Extent, Frame, Manner, Status, Target};

fn yours(object: ObjectId) -> Descriptor {
    Descriptor::Yours { object, interface: NameId::NONE }
}

/// Returns the count of an object of the left side: as left counts it, and as right does.
fn counts(pair: &Pair, object: ObjectId) -> (u64, u64) {
    (pair[Left].exports.count(object), pair[Right].imports.count(object))
}

fn release(pair: &mut Pair, object: ObjectId) {
    pair[Right].release(object);
    pair.handle_events(Right);
}

#[test]
fn an_object_is_released_with_its_last_introduction() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    for _ in 0..4 {
        let descriptor = pair.introduce_again(Left, object);
        pair.send_one_way(Left, DIRECTORY, referring(b"", &[descriptor, descriptor]));
        pair.introduce_again(Left, object);
    }
    pair.run_until_idle();
    pair.answer_all(Right);
    assert_eq!(counts(&pair, object), (9, 9));
    for left in (0..9).rev() {
        assert_eq!(pair.application(Left).unexported, []);
        release(&mut pair, object);
        pair.run_until_idle();
        assert_eq!(counts(&pair, object), (left, left));
    }
    assert_eq!(pair.application(Left).unexported, [object]);
    assert_empty(&pair[Left]);
    assert_empty(&pair[Right]);
}

#[test]
fn an_object_is_new_to_the_peer_again_after_its_release() {
    let mut pair = Pair::new();
    let object = ObjectId(1);
    for _ in 0..2 {
        let known = [(); 3].map(|()| pair[Left].introduce(object).map(Presence::is_known));
        assert_eq!(known, [Ok(false), Ok(true), Ok(true)]);
        (0..3).for_each(|_| pair[Left].retract(object));
        assert_eq!(std::mem::take(&mut pair.application(Left).unexported), []);
        pair.handle_events(Left);
        assert_eq!(std::mem::take(&mut pair.application(Left).unexported), [object]);
    }
}

#[test]
fn a_release_does_not_affect_an_introduction_that_it_crosses() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    release(&mut pair, object);
    let again = pair.introduce_again(Left, object);
    pair.send_one_way(Left, DIRECTORY, referring(b"", &[again]));
    pair.run_until_idle();
    assert_eq!(counts(&pair, object), (1, 1));
    assert_eq!(pair.application(Left).unexported, []);
    pair.answer_all(Right);
    pair.ask(Right, Target::Object(object), plain(b""));
    release(&mut pair, object);
    pair.run_until_idle();
    assert_eq!(pair.application(Left).calls[0].target, Some(Target::Object(object)));
    assert_eq!(counts(&pair, object), (0, 0));
}

#[test]
fn many_releases_are_one_frame() {
    let mut pair = Pair::new();
    let (object, descriptor) = pair.introduce(Left);
    for _ in 1..1000 {
        pair.introduce_again(Left, object);
    }
    pair.send_one_way(Left, DIRECTORY, referring(b"", &[descriptor; 1000]));
    pair.run_until_idle();
    pair.answer_all(Right);
    pair.run_until_idle();
    (0..1000).for_each(|_| pair[Right].release(object));
    let now = pair.now;
    let bytes = pair[Right].poll_transmit(now).expect("the releases are sent");
    let output = super::forger::frames(&bytes);
    assert!(output.contains(&(output[0].0, Frame::Release { object, introductions: 1000 })));
    assert!(bytes.len() < 30, "{} bytes", bytes.len());
}

/// Sends a message that names an object, drops the last reference to the object, and asserts that both arrive in this
/// order.
#[track_caller]
fn assert_held_back(mut pair: Pair, object: ObjectId, send: impl FnOnce(&mut Pair)) {
    send(&mut pair);
    release(&mut pair, object);
    pair.exchange();
    assert_eq!(counts(&pair, object), (1, 1), "it is still named by an unsent message");
    // A call that waits for the window is sent when the one before it is answered.
    for _ in 0..3 {
        pair.run_until_idle();
        assert_eq!(pair[Left].closed(), None);
        pair.answer_all(Left);
        pair.answer_all(Right);
    }
    pair.run_until_idle();
    assert_eq!(counts(&pair, object), (0, 0));
    assert_eq!(pair.application(Left).unexported, [object]);
}

#[test]
fn a_release_waits_for_a_waiting_call() {
    for names in
        [|object| (Target::Object(object), vec![]), |object| (DIRECTORY, vec![yours(object)])]
    {
        let mut pair =
            Pair::with(Limits { window_calls: 1, ..Limits::default() }, Limits::default());
        let object = pair.new_export(Left);
        pair.ask(Right, DIRECTORY, plain(b""));
        assert_held_back(pair, object, |pair| {
            let (target, references) = names(object);
            pair.ask(Right, target, Content { references, ..Content::default() });
        });
    }
}

#[test]
fn a_due_release_waits_for_a_later_call() {
    let mut pair = Pair::with(Limits { window_calls: 1, ..Limits::default() }, Limits::default());
    let (object, introduced) = pair.introduce(Left);
    pair.introduce_again(Left, object);
    pair.send_one_way(Left, DIRECTORY, referring(b"", &[introduced, introduced]));
    pair.run_until_idle();
    pair.answer_all(Right);
    pair.run_until_idle();
    let first = pair.ask(Right, DIRECTORY, plain(b"first"));
    pair.run_until_idle();
    release(&mut pair, object);
    pair.ask(Right, Target::Object(object), plain(b"waits for room"));
    release(&mut pair, object);
    pair.run_until_idle();
    assert_eq!(counts(&pair, object), (2, 2));
    pair.answer(Left, first, plain(b""));
    pair.run_until_idle();
    assert_eq!(pair.application(Left).calls[1].target, Some(Target::Object(object)));
    assert_eq!(counts(&pair, object), (0, 0));
}

#[test]
fn a_release_that_must_wait_is_no_reason_to_write() {
    let mut pair = Pair::with(Limits { window_calls: 2, ..Limits::default() }, Limits::default());
    let object = pair.new_export(Left);
    pair.ask(Right, Target::Object(object), pattern(4 * CHUNK));
    pair.ask(Right, Target::Object(object), plain(b"behind"));
    while pair[Right].wants_transmit() {
        let now = pair.now;
        assert!(pair[Right].poll_transmit(now).is_some(), "it still has a proxy");
    }
    pair.ask(Right, Target::Object(object), plain(b"waits for room"));
    release(&mut pair, object);
    assert!(!pair[Right].wants_transmit(), "a waiting call names it");
}

#[test]
fn a_release_waits_for_a_large_call_and_the_calls_behind_it() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    assert_held_back(pair, object, |pair| {
        pair.ask(Right, Target::Object(object), pattern(64 * CHUNK));
        pair.ask(Right, Target::Object(object), plain(b"behind"));
    });
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    assert_held_back(pair, object, |pair| {
        let references = vec![yours(object)];
        pair.ask(Right, DIRECTORY, Content { references, ..pattern(64 * CHUNK) });
    });
}

#[test]
fn a_release_waits_for_a_large_answer() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    let questions = [0, 1].map(|_| pair.ask(Left, DIRECTORY, plain(b"")));
    pair.run_until_idle();
    assert_held_back(pair, object, |pair| {
        let references = vec![yours(object)];
        for question in questions {
            let references = references.clone();
            pair.answer(Right, question, Content { references, ..pattern(64 * CHUNK) });
        }
    });
}

#[test]
fn references_are_registered_before_the_event() {
    let mut forger = Forger::new();
    let object = ObjectId(77);
    let mut content = Vec::new();
    Descriptor::Mine { object, interface: NameId(1) }.write(&mut content);
    let extent = Extent { references: content.len() as u64, total: 0 };
    let mut bytes = Vec::new();
    let frame = call_in_parts(1, extent, &content);
    frame.write(crate::id::FrameNumber(2), &mut bytes, |_| {});
    forger.session.handle_input(forger.now, &bytes);
    assert_eq!(forger.session.imports.count(object), 1, "before any event was handled");
    forger.session.release(object);
    forger.handle_events();
    assert!(
        forger
            .take_output()
            .contains(&format!("{:?}", Frame::Release { object, introductions: 1 }))
    );
}

#[test]
fn introductions_of_an_unsent_message_are_retracted() {
    let limits = Limits { window_calls: 1, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let (object, descriptor) = pair.introduce(Left);
    pair.ask(Left, DIRECTORY, plain(b""));
    let waiting = pair.ask(Left, DIRECTORY, referring(b"", &[descriptor]));
    assert_eq!(pair[Left].exports.count(object), 1);
    pair[Left].cancel(waiting);
    pair.handle_events(Left);
    assert_eq!(pair.application(Left).unexported, [object]);

    let mut pair = Pair::new();
    let (object, descriptor) = pair.introduce(Left);
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let behind = pair.ask(Left, DIRECTORY, referring(b"", &[descriptor]));
    pair[Left].cancel(behind);
    pair.run_until_idle();
    assert_eq!(pair.application(Left).unexported, [object]);
}

#[test]
fn introductions_of_an_unwanted_answer_are_retracted() {
    let mut pair = Pair::new();
    pair.send_one_way(Right, DIRECTORY, plain(b""));
    let asked = pair.ask(Right, DIRECTORY, plain(b""));
    pair.run_until_idle();
    let one_way = pair.application(Left).calls[0].question;
    for (question, sent) in [(one_way, 0), (asked, 1), (asked, 0), (QuestionId(99), 0)] {
        let (object, descriptor) = pair.introduce(Left);
        pair.answer(Left, question, referring(b"", &[descriptor]));
        assert_eq!(pair[Left].exports.count(object), sent);
    }
}

#[test]
fn an_answer_over_the_limit_fails_only_its_call() {
    let limits = Limits { body: 1000, ..Limits::default() };
    let mut pair = Pair::with(limits, Limits::default());
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    let (object, descriptor) = pair.introduce(Right);
    // The body alone would fit: the limit applies to body and references together.
    pair.answer(Right, question, Content { references: vec![descriptor], ..pattern(999) });
    pair.run_until_idle();
    assert_eq!(pair[Left].closed(), None);
    let end = pair.application(Left).ended.remove(&0);
    let Some(super::application::End::Answered(Status::Fault, content)) = end else {
        panic!("{end:?}")
    };
    let mut decoder = crate::wire::codec::Decoder::new(&content.body, Limits::default().bounds());
    let fault = Error::Nested(Box::new(Error::TooLarge { size: 1002, limit: 1000 }));
    assert_eq!(decoder.next::<Error>(), Ok(fault));
    assert_eq!(pair.application(Right).unexported, [object]);
}

#[test]
fn the_smaller_limit_of_references_applies() {
    let few = Limits { references: 2, ..Limits::default() };
    for (left, right) in [(few.clone(), Limits::default()), (Limits::default(), few.clone())] {
        let mut pair = Pair::with(left, right);
        let object = pair.new_export(Left);
        pair.new_export(Left);
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
fn a_malformed_message_leaves_no_reference() {
    let mut forger = Forger::new();
    let mut content = Vec::new();
    Descriptor::Mine { object: ObjectId(1), interface: NameId::NONE }.write(&mut content);
    Descriptor::Yours { object: ObjectId(5), interface: NameId::NONE }.write(&mut content);
    let extent = Extent { references: content.len() as u64, total: 0 };
    forger.send(call_in_parts(1, extent, &content));
    forger.assert_breach(Breach::References);
    assert_empty(&forger.session);
}

#[test]
fn releasing_more_than_is_held_is_a_breach() {
    for introductions in [2, u64::MAX] {
        let mut forger = Forger::new();
        forger.session.introduce(ObjectId(1)).expect("there is room");
        forger.send(Frame::Release { object: ObjectId(1), introductions });
        forger.assert_breach(Breach::Release);
        assert_eq!(forger.application.unexported, [ObjectId(1)], "exactly once");
    }
    for object in [ObjectId::DIRECTORY, ObjectId(2)] {
        let mut forger = Forger::new();
        forger.session.introduce(ObjectId(1)).expect("there is room");
        forger.send(Frame::Release { object, introductions: 1 });
        forger.assert_breach(Breach::Release);
    }
}

#[test]
fn watches_end_once_and_are_bounded() {
    let mut forger = Forger::with(Limits { references: 2, ..Limits::default() });
    let object = ObjectId(1);
    forger.session.introduce(object).expect("there is room");
    forger.send(Frame::Watch { watch: WatchId(1), object });
    forger.send(Frame::Watch { watch: WatchId(2), object });
    forger.session.notify_ended(WatchId(1), true, "stopped");
    forger.session.notify_ended(WatchId(1), true, "stopped");
    forger.send(Frame::Unwatch { watch: WatchId(1) });
    forger.send(Frame::Unwatch { watch: WatchId(2) });
    forger.session.notify_ended(WatchId(2), true, "stopped");
    let ended = |watch| {
        format!("{:?}", Frame::Ended { watch: WatchId(watch), stopped: true, reason: "stopped" })
    };
    let output = forger.take_output();
    assert_eq!(output.iter().filter(|frame| **frame == ended(1)).count(), 1);
    assert!(!output.contains(&ended(2)));
    (3..5).for_each(|watch| forger.send(Frame::Watch { watch: WatchId(watch), object }));
    forger.send(Frame::Watch { watch: WatchId(5), object });
    assert!(
        forger.take_output().iter().any(|frame| frame.contains("watch: WatchId(5), stopped: true"))
    );
    assert!(!forger.application.watched.contains_key(&5));
    assert_eq!((forger.session.closed(), forger.session.watches.len()), (None, 2));
}

#[test]
fn a_one_way_message_can_contain_references() {
    let mut pair = Pair::new();
    let (object, descriptor) = pair.introduce(Left);
    pair.send(Left, Manner::OneWay, DIRECTORY, referring(b"", &[descriptor])).expect("it is sent");
    pair.run_until_idle();
    assert_eq!(counts(&pair, object), (1, 1));
}
