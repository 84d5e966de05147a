//! The inspection of a session: objects in both directions, calls, bytes, and the time that is left.

use std::time::Duration;

use super::application::{pattern, plain, referring};
use super::forger::{Forger, call, call_in_parts};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair, TERM};
use crate::id::{FrameNumber, NameId, ObjectId, QuestionId};
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::{CHUNK, Extent, Frame, Status};

const SECOND: Duration = Duration::from_secs(1);

/// Returns the objects that one side reports, in order.
fn sorted(objects: impl Iterator<Item = (ObjectId, u64)>) -> Vec<(ObjectId, u64)> {
    let mut objects: Vec<_> = objects.collect();
    objects.sort();
    objects
}

#[test]
fn objects_with_their_introductions() {
    let mut pair = Pair::new();
    let (once, twice) = (pair.new_export(Left), pair.new_export(Left));
    let again = pair.introduce_again(Left, twice);
    pair.send_one_way(Left, DIRECTORY, referring(b"", &[again]));
    pair.run_until_idle();
    let expected = [(once, 1), (twice, 2)];
    assert_eq!(sorted(pair[Left].exported()), expected);
    assert_eq!(sorted(pair[Right].imported()), expected);
    assert_eq!((pair[Left].export_count(), pair[Left].import_count()), (2, 0));
    assert_eq!((pair[Right].export_count(), pair[Right].import_count()), (0, 2));
    assert_eq!((pair[Left].held_count(), pair[Right].held_count()), (0, 2));
    pair[Right].release(once);
    pair[Right].release(twice);
    assert_eq!(pair[Right].held_count(), 1, "the other object has no proxy any more");
    assert_eq!(pair[Right].import_count(), 2, "but is not yet released");
    pair.run_until_idle();
    assert_eq!(sorted(pair[Left].exported()), [(twice, 1)]);
    assert_eq!(sorted(pair[Right].imported()), [(twice, 1)]);
    assert_eq!((pair[Right].held_count(), pair[Right].import_count()), (1, 1));
}

#[test]
fn calls_in_both_directions() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.ask(Left, DIRECTORY, plain(b""));
    }
    pair.run_until_idle();
    assert_eq!((pair[Left].question_count(), pair[Left].running()), (3, 0));
    assert_eq!((pair[Right].question_count(), pair[Right].running()), (0, 3));
    pair.answer(Right, QuestionId(2), plain(b""));
    pair.run_until_idle();
    assert_eq!((pair[Left].question_count(), pair[Right].running()), (2, 2));
}

#[test]
fn bytes_count_until_they_are_acknowledged() {
    let mut pair = Pair::new();
    pair.send_one_way(Left, DIRECTORY, pattern(100));
    let ready = pair[Left].underway();
    assert!(ready > 100, "a frame is longer than its content");
    assert_eq!((pair[Left].unacknowledged(), pair[Left].held()), (0, ready));
    pair.transmit(Left);
    assert_eq!((pair[Left].underway(), pair[Left].unacknowledged()), (0, ready));
    pair.send_one_way(Left, DIRECTORY, pattern(4 * CHUNK));
    let underway = pair[Left].underway();
    assert!(underway > 4 * CHUNK, "including bytes that are not in frames yet");
    assert_eq!(pair[Left].held(), underway + ready);
    pair.run_until_idle();
    pair.pass(4 * SECOND);
    assert_eq!(pair[Left].held(), 0, "all of it has arrived");
}

#[test]
fn bytes_of_messages_that_have_arrived_in_part() {
    let mut forger = Forger::new();
    let extent = Extent { references: 0, total: 100 };
    forger.send(call_in_parts(1, extent, &[0; 10]));
    forger.send(call_in_parts(2, extent, &[0; 20]));
    forger.send(Frame::CallChunk { question: QuestionId(2), bytes: &[0; 3] });
    assert_eq!((forger.session.underway(), forger.session.held()), (33, 33));
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.transmit(Left);
    forger = Forger::silent();
    std::mem::swap(&mut forger.session, &mut pair[Left]);
    forger.send(Frame::Answer { question, status: Status::Value, extent, content: &[0; 7] });
    assert_eq!(forger.session.underway(), 7);
    forger.send(Frame::AnswerChunk { question, bytes: &[0; 93] });
    assert_eq!(forger.session.underway(), 0);
}

#[test]
fn the_time_that_is_left_for_both_sides() {
    let mut pair = Pair::new();
    assert_eq!(pair[Left].term(), TERM);
    pair.new_export(Left);
    let begin = pair.now;
    let (left, kept) = (pair[Right].lease_left(begin), pair[Left].export_lease_left(begin));
    assert!(left > TERM * 8 / 10 && left <= TERM * 9 / 10, "{left:?}");
    assert!(kept > TERM && kept <= TERM * 5 / 4, "{kept:?}");
    let later = begin + 5 * SECOND;
    assert_eq!(pair[Right].lease_left(later), left - 5 * SECOND);
    assert_eq!(pair[Left].export_lease_left(later), kept - 5 * SECOND);
    assert_eq!(pair[Right].lease_left(begin + TERM), Duration::ZERO);
    assert_eq!(pair[Left].export_lease_left(begin + 2 * TERM), Duration::ZERO);
}

#[test]
fn the_number_of_the_last_frame_that_arrived() {
    let mut forger = Forger::silent();
    assert_eq!(forger.session.received(), FrameNumber(0));
    forger.send(Frame::Name {
        id: NameId(1),
        fingerprint: Fingerprint::from(7),
        name: "Interface.method",
    });
    forger.send(call(1, b""));
    forger.send(Frame::Ping);
    assert_eq!(forger.session.received(), FrameNumber(2));
}

#[test]
fn if_there_are_events() {
    let mut pair = Pair::new();
    assert!(!pair[Left].has_events());
    pair[Left].suspend("pulled the plug");
    assert!(pair[Left].has_events());
    pair.handle_events(Left);
    assert!(!pair[Left].has_events());
}
