//! A silent session sends pings, and a silent peer's connection is dropped. Time is only an argument.

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
fn a_ping_after_three_seconds_and_a_lost_connection_after_nine() {
    let mut forger = Forger::silent();
    let begin = forger.now;
    assert_eq!(forger.session.poll_timeout(), Some(begin + 3 * SECOND));
    forger.pass(3 * SECOND - Duration::from_nanos(1));
    assert_eq!(forger.take_output(), [""; 0]);
    forger.pass(Duration::from_nanos(1));
    assert_eq!(forger.take_output(), [ping()]);
    assert_eq!(forger.session.poll_timeout(), Some(begin + 6 * SECOND));
    forger.pass(3 * SECOND);
    assert_eq!(forger.take_output(), [ping()]);
    assert_eq!(forger.session.poll_timeout(), Some(begin + 9 * SECOND));
    forger.pass(3 * SECOND - Duration::from_nanos(1));
    assert!(!forger.session.is_suspended());
    forger.pass(Duration::from_nanos(1));
    assert!(forger.session.is_suspended());
    assert_eq!(forger.application.suspended.as_deref(), Some("the peer was silent for 9 s"));
    assert_eq!(forger.session.closed(), None, "it may be resumed");
    assert_eq!(forger.take_output(), [""; 0]);
}

#[test]
fn any_input_keeps_the_connection() {
    let mut forger = Forger::new();
    for _ in 0..10 {
        forger.pass(8 * SECOND);
        let number = forger.session.transmitted;
        forger.send(Frame::Acknowledge { number });
        forger.take_output();
        assert!(!forger.session.is_suspended());
    }
    forger.pass(9 * SECOND);
    assert!(forger.session.is_suspended());
}

#[test]
fn any_output_postpones_the_ping() {
    let mut forger = Forger::new();
    forger.pass(2 * SECOND);
    forger.session.intern_interface("name").unwrap();
    forger.take_output();
    forger.pass(2 * SECOND);
    assert!(!forger.take_output().contains(&ping()));
    forger.pass(SECOND);
    assert!(forger.take_output().contains(&ping()));
}

#[test]
fn two_idle_sessions_keep_each_other_alive() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.pass(3600 * SECOND);
    assert_eq!((pair[Left].closed(), pair[Right].closed()), (None, None));
    pair.answer(Right, question, plain(b""));
    pair.run_until_idle();
    assert_eq!(pair.application(Left).ended.len(), 1);
}

#[test]
fn a_one_way_connection_is_dropped_by_the_side_without_input() {
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
    assert!(pair.application(Right).calls.is_empty(), "nothing arrives before its time");
    assert_eq!(pair[Left].poll_timeout(), Some(before + Limits::default().ping));
}

#[test]
fn a_deadline_is_sent_as_the_time_that_is_left() {
    let limits = Limits { window_calls: 1, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let begin = pair.now;
    let first = pair.ask(Left, DIRECTORY, plain(b""));
    pair.ask_with_deadline(Left, begin + 2 * SECOND);
    pair.ask_with_deadline(Left, begin + SECOND / 2);
    pair.run_until_idle();
    pair.now = begin + SECOND;
    pair.answer(Right, first, plain(b""));
    pair.application(Right).calls.clear();
    pair.run_until_idle();
    let now = pair.now;
    let deadline = pair.application(Right).calls[0].header.deadline.expect("it has a deadline");
    let left = deadline.saturating_duration_since(now);
    assert!(left <= SECOND && left >= SECOND - Duration::from_millis(50), "{left:?}");
    pair.answer_all(Right);
    pair.run_until_idle();
    let now = pair.now;
    let deadline = pair.application(Right).calls[0].header.deadline;
    assert!(deadline.is_some_and(|deadline| deadline <= now), "it has passed, and is not absent");
}

#[test]
fn many_frames_are_acknowledged_without_other_output() {
    let mut pair = Pair::new();
    for _ in 0..64 {
        pair.send_one_way(Left, DIRECTORY, plain(b""));
    }
    pair.run_until_idle();
    assert!(pair[Left].acknowledged_by_peer.0 >= 64);
    pair.send_one_way(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    let last = pair[Left].transmitted;
    assert!(pair[Left].acknowledged_by_peer < last, "a single frame is not acknowledged at once");
    pair.pass(4 * SECOND);
    assert_eq!(pair[Left].acknowledged_by_peer, last, "but with the next ping");
}
