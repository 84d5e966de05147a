//! A session that is silent says that it lives; one that is not heard of is given up. Time is only what is passed in.

use std::time::Duration;

use super::application::{pattern, plain};
use super::forger::Forger;
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair};
use crate::limits::Limits;
use crate::wire::frame::{CHUNK, Frame};

const SECOND: Duration = Duration::from_secs(1);

fn ping() -> String {
    format!("{:?}", Frame::Ping)
}

#[test]
fn a_ping_after_three_seconds_of_silence_and_no_connection_after_nine() {
    let mut forger = Forger::silent();
    let begin = forger.now;
    assert_eq!(forger.session.poll_timeout(), Some(begin + 3 * SECOND));
    forger.pass(3 * SECOND - Duration::from_nanos(1));
    assert_eq!(forger.hear(), [""; 0]);
    forger.pass(Duration::from_nanos(1));
    assert_eq!(forger.hear(), [ping()]);
    assert_eq!(forger.session.poll_timeout(), Some(begin + 6 * SECOND));
    forger.pass(3 * SECOND);
    assert_eq!(forger.hear(), [ping()]);
    assert_eq!(forger.session.poll_timeout(), Some(begin + 9 * SECOND));
    forger.pass(3 * SECOND - Duration::from_nanos(1));
    assert!(!forger.session.is_suspended());
    forger.pass(Duration::from_nanos(1));
    assert!(forger.session.is_suspended());
    assert_eq!(forger.seen.suspended.as_deref(), Some("the peer was silent for 9 s"));
    assert_eq!(forger.session.closed(), None, "another connection may come");
    assert_eq!(forger.hear(), [""; 0]);
}

#[test]
fn whatever_is_heard_keeps_the_connection() {
    let mut forger = Forger::new();
    for _ in 0..10 {
        forger.pass(8 * SECOND);
        let number = forger.session.transmitted;
        forger.say(Frame::Acknowledge { number });
        forger.hear();
        assert!(!forger.session.is_suspended());
    }
    forger.pass(9 * SECOND);
    assert!(forger.session.is_suspended());
}

#[test]
fn whatever_is_sent_postpones_the_ping() {
    let mut forger = Forger::new();
    forger.pass(2 * SECOND);
    forger.session.intern("name", 9).unwrap();
    forger.hear();
    forger.pass(2 * SECOND);
    assert!(!forger.hear().contains(&ping()));
    forger.pass(SECOND);
    assert!(forger.hear().contains(&ping()));
}

#[test]
fn two_idle_sessions_keep_each_other_alive() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.pass(3600 * SECOND);
    assert_eq!((pair[Left].closed(), pair[Right].closed()), (None, None));
    pair.answer(Right, question, plain(b""));
    pair.settle();
    assert_eq!(pair.seen(Left).ended.len(), 1);
}

#[test]
fn a_connection_that_goes_one_way_only_is_given_up_by_the_side_that_hears_nothing() {
    let (mut pair, mut was_suspended) = (Pair::new(), false);
    for _ in 0..95 {
        pair.now += Duration::from_millis(100);
        let is_silent = pair[Left].is_silent(pair.now);
        pair.wake(Left);
        assert_eq!(is_silent, !was_suspended && pair[Left].is_suspended());
        was_suspended |= is_silent;
        pair.wake(Right);
        pair.transmit(Left);
        pair.transmit(Right);
        pair.deliver(Right, usize::MAX);
    }
    assert!(pair[Left].is_suspended());
    assert!(!pair[Right].is_suspended());
}

#[test]
fn no_time_passes_by_itself() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let before = pair.now;
    while pair[Left].wants_transmit() {
        pair.transmit(Left);
    }
    pair.deliver(Right, usize::MAX);
    assert!(pair.seen(Right).calls.is_empty(), "nothing arrives before it is time");
    assert_eq!(pair[Left].poll_timeout(), Some(before + Limits::default().ping));
}

#[test]
fn a_deadline_travels_as_the_time_left_when_it_was_sent() {
    let limits = Limits { window_calls: 1, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let begin = pair.now;
    let first = pair.ask(Left, DIRECTORY, plain(b""));
    pair.ask_before(Left, begin + 2 * SECOND);
    pair.ask_before(Left, begin + SECOND / 2);
    pair.settle();
    pair.now = begin + SECOND;
    pair.answer(Right, first, plain(b""));
    pair.seen(Right).calls.clear();
    pair.settle();
    let now = pair.now;
    let deadline = pair.seen(Right).calls[0].header.deadline.expect("it has a deadline");
    let left = deadline.saturating_duration_since(now);
    assert!(left <= SECOND && left >= SECOND - Duration::from_millis(50), "{left:?}");
    pair.answer_all(Right);
    pair.settle();
    let now = pair.now;
    let deadline = pair.seen(Right).calls[0].header.deadline;
    assert!(deadline.is_some_and(|deadline| deadline <= now), "it is over, not absent");
}

#[test]
fn much_is_acknowledged_without_anything_else_to_say() {
    let mut pair = Pair::new();
    for _ in 0..64 {
        pair.tell(Left, DIRECTORY, plain(b""));
    }
    pair.settle();
    assert!(pair[Left].acknowledged_by_peer.0 >= 64);
    pair.tell(Left, DIRECTORY, plain(b""));
    pair.settle();
    let last = pair[Left].transmitted;
    assert!(pair[Left].acknowledged_by_peer < last, "one frame alone is worth no answer");
    pair.pass(4 * SECOND);
    assert_eq!(pair[Left].acknowledged_by_peer, last, "but goes with the next ping");
}
