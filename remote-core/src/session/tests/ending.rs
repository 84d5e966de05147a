//! Tests of the end of a session: the outcome of each call in progress is reported once, and correctly. A call that is
//! reported as not executed never is.

use super::super::lease::Reads;
use super::super::machine::Session;
use super::application::{End, pattern, plain};
use super::audit::assert_empty;
use super::forger::{Forger, call, frames};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair, Side, TERM};
use crate::error::{Error, Outcome};
use crate::id::{FrameNumber, ObjectId, QuestionId, WatchId};
use crate::limits::Limits;
use crate::session::event::Cause;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::{CHUNK, Frame, Manner, Target};

/// Makes a pair with one call of each kind: answered, arrived, written, large and sent in part, behind that one, waiting
/// for the window.
fn busy() -> Pair {
    let limits = Limits { window_calls: 4, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let other = pair.new_export(Right);
    pair.promise(Left, DIRECTORY, plain(b"answered"));
    pair.run_until_idle();
    pair.answer_all(Right);
    pair.run_until_idle();
    pair.ask(Left, DIRECTORY, plain(b"arrived"));
    pair.run_until_idle();
    pair.ask(Left, Target::Object(other), pattern(64 * CHUNK));
    pair.transmit(Left);
    pair.ask(Left, Target::Object(other), plain(b"behind"));
    pair.ask(Left, DIRECTORY, plain(b"ready"));
    pair.ask(Left, DIRECTORY, plain(b"waiting"));
    pair
}

/// The tokens of the calls.
const ANSWERED: usize = 1;
const ARRIVED: usize = 2;
const LARGE: usize = 3;
const BEHIND: usize = 4;
const READY: usize = 5;
const WAITING: usize = 6;

#[track_caller]
fn assert_outcomes(pair: &mut Pair, not_executed: &[usize], unknown: &[usize]) {
    let ended = &pair.application(Left).ended;
    assert!(matches!(ended[&ANSWERED], End::Answered(..)));
    for token in not_executed {
        assert_eq!(ended[token], End::Lost(Outcome::NotExecuted), "token {token}");
    }
    for token in unknown {
        assert_eq!(ended[token], End::Lost(Outcome::Unknown), "token {token}");
    }
    // The first message introduced the object.
    assert_eq!(ended.len(), not_executed.len() + unknown.len() + 1);
    assert_empty(&pair[Left]);
}

/// Returns the small calls that arrive on the other side in the end.
fn arrivals(pair: &mut Pair) -> Vec<Vec<u8>> {
    pair.run_until_idle();
    pair.application(Right).bodies().into_iter().filter(|body| body.len() < CHUNK).collect()
}

#[test]
fn after_a_lost_connection_transmitted_calls_are_unknown() {
    let mut pair = busy();
    pair[Left].handle_failure("pulled the plug");
    pair.handle_events(Left);
    assert_outcomes(&mut pair, &[LARGE, BEHIND, READY, WAITING], &[ARRIVED]);
    assert!(!pair[Left].wants_transmit(), "nothing is sent that was reported as not executed");
    assert_eq!(arrivals(&mut pair), [b"arrived"]);
}

#[test]
fn after_closing_here_calls_sent_before_close_are_unknown() {
    let mut pair = busy();
    pair[Left].close("enough");
    pair.handle_events(Left);
    assert_outcomes(&mut pair, &[LARGE, BEHIND, WAITING], &[ARRIVED, READY]);
    assert_eq!(arrivals(&mut pair), [&b"arrived"[..], b"ready"]);
    let there = Cause::ClosedThere { reason: "enough".into() };
    assert_eq!(pair.application(Right).closed, Some(there));
    assert_empty(&pair[Right]);
}

#[test]
fn after_closing_there_the_acknowledgement_decides() {
    let mut pair = busy();
    pair[Right].close("enough");
    pair.handle_events(Right);
    pair.transmit(Right);
    pair.exchange();
    assert_outcomes(&mut pair, &[LARGE, BEHIND, READY, WAITING], &[ARRIVED]);
    assert_eq!(arrivals(&mut pair), [b"arrived"]);
}

#[test]
fn a_breach_ends_with_a_close_frame() {
    let mut forger = Forger::new();
    forger.send(call(1, b"executed?"));
    forger.send_bytes(&[0; 4]);
    forger.send(call(2, b"never"));
    assert_eq!(forger.application.bodies(), [b"executed?"]);
    let output = forger.take_output();
    assert_eq!(output[0], format!("{:?}", Frame::Acknowledge { number: FrameNumber(2) }));
    assert!(output[1].starts_with("Close"), "{output:?}");
    assert_eq!(output.len(), 2);
}

#[test]
fn nothing_is_sent_after_close() {
    let mut forger = Forger::new();
    forger.send(call(1, b""));
    forger.session.introduce(ObjectId(1)).expect("there is room");
    forger.session.close("enough");
    forger.handle_events();
    forger.take_output();
    let session = &mut forger.session;
    session.intern("late", Fingerprint::from(99)).unwrap();
    session.watch(WatchId(1), ObjectId::DIRECTORY);
    session.unwatch(WatchId(1));
    session.notify_ended(WatchId(1), false, "");
    session.release(ObjectId(1));
    session.cancel(QuestionId(1));
    session.finish(QuestionId(1));
    session.answer(QuestionId(1), crate::wire::frame::Status::Value, plain(b""));
    session.suspend("again");
    session.close("again");
    session.handle_failure("again");
    forger.now += Limits::default().silence;
    forger.session.handle_timeout(forger.now, Reads::Active);
    forger.handle_events();
    assert_eq!(forger.take_output(), [""; 0]);
    assert_eq!(forger.session.held(), 0);
}

#[test]
fn a_call_after_the_end_is_not_executed() {
    let mut pair = Pair::new();
    pair[Left].handle_failure("pulled the plug");
    pair.handle_events(Left);
    let refused = pair.send(Left, Manner::Call, DIRECTORY, plain(b""));
    let (reason, outcome) = ("pulled the plug".to_owned(), Outcome::NotExecuted);
    assert_eq!(refused, Err(Error::SessionLost { reason, outcome }));
}

#[test]
fn a_call_after_the_end_reports_expiry_and_restart() {
    let mut pair = Pair::new();
    pair[Left].handle_peer_ended(0);
    pair[Right].handle_peer_restarted();
    Side::BOTH.into_iter().for_each(|side| pair.handle_events(side));
    let mut refused = |side| pair.send(side, Manner::Call, DIRECTORY, plain(b""));
    let (reason, outcome) = ("the peer ended the session".to_owned(), Outcome::NotExecuted);
    assert_eq!(refused(Left), Err(Error::SessionLost { reason, outcome }));
    assert_eq!(refused(Right), Err(Error::Stale));
    // The peer may have executed calls before it was restarted.
    let (reason, outcome) = ("the peer was restarted".to_owned(), Outcome::Unknown);
    assert_eq!(Cause::Restarted.error(outcome), Error::SessionLost { reason, outcome });

    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pair.pass(2 * TERM);
    let expired = pair[Left].code();
    assert_eq!(pair.send(Left, Manner::Call, DIRECTORY, plain(b"")), Err(Error::LeaseExpired));
    let mut other = Pair::new();
    other[Right].handle_peer_ended(expired);
    other.handle_events(Right);
    assert_eq!(other.send(Right, Manner::Call, DIRECTORY, plain(b"")), Err(Error::LeaseExpired));
}

#[test]
fn exports_are_released_once_at_the_end() {
    let mut pair = Pair::new();
    let objects = [pair.new_export(Left), pair.new_export(Left)];
    let descriptor = pair.introduce_again(Left, objects[0]);
    pair.send_one_way(Left, DIRECTORY, super::application::referring(b"", &[descriptor]));
    pair[Left].handle_failure("pulled the plug");
    pair.handle_events(Left);
    let mut unexported = std::mem::take(&mut pair.application(Left).unexported);
    unexported.sort();
    assert_eq!(unexported, objects);
}

#[test]
fn the_buffer_is_written_before_close() {
    let mut pair = Pair::new();
    pair.send_one_way(Left, DIRECTORY, plain(b"handed over"));
    pair[Left].close("enough");
    let now = pair.now;
    let bytes = pair[Left].poll_transmit(now).expect("Close is written");
    let output = frames(&bytes);
    assert!(matches!(output[output.len() - 3].1, Frame::Call { content: b"handed over", .. }));
    assert!(matches!(output[output.len() - 1].1, Frame::Close { code: 0, reason: "enough" }));
    assert!(!pair[Left].wants_transmit());
}

/// Makes a session that was resumed on another connection, and has not yet retransmitted the frames that were lost.
fn resumed() -> Pair {
    let mut pair = Pair::new();
    pair.send_one_way(Left, DIRECTORY, plain(b"lost on its way"));
    pair.transmit(Left);
    pair.cut(&Side::BOTH);
    pair.reconnect();
    pair
}

#[test]
fn lost_frames_are_retransmitted_before_close() {
    let mut pair = resumed();
    pair[Left].close("enough");
    pair.handle_events(Left);
    assert_eq!(arrivals(&mut pair), [b"lost on its way"]);
    assert_eq!(
        pair.application(Right).closed,
        Some(Cause::ClosedThere { reason: "enough".into() })
    );
    assert_eq!(pair[Left].held(), 0, "Close is not acknowledged");
}

#[test]
fn lost_frames_are_not_retransmitted_after_a_failure() {
    let mut pair = resumed();
    pair[Left].handle_failure("pulled the plug");
    pair.handle_events(Left);
    assert!(!pair[Left].wants_transmit());
    assert_eq!(pair[Left].held(), 0);
}

#[test]
fn written_frames_are_not_retained_after_the_end() {
    let ends: [fn(&mut Session); 2] =
        [|session| session.close("enough"), |session| session.handle_failure("pulled the plug")];
    for end in ends {
        let mut pair = Pair::new();
        pair.send_one_way(Left, DIRECTORY, plain(b"written, and not acknowledged"));
        pair.transmit(Left);
        end(&mut pair[Left]);
        assert_eq!(pair[Left].unacknowledged(), 0);
    }
}

#[test]
fn the_buffer_is_dropped_after_the_end_without_a_connection() {
    let ends: [fn(&mut Session); 2] =
        [|session| session.close("enough"), |session| session.handle_peer_ended(0)];
    for end in ends {
        let mut pair = Pair::new();
        pair.cut(&Side::BOTH);
        pair.send_one_way(Left, DIRECTORY, plain(b"ready"));
        end(&mut pair[Left]);
        assert_eq!((pair[Left].held(), pair[Left].wants_transmit()), (0, false));
    }
}

#[test]
fn a_close_that_cannot_be_written_is_dropped() {
    let mut pair = Pair::new();
    pair.send_one_way(Left, DIRECTORY, plain(b"ready"));
    pair[Left].drop_unwritten();
    assert!(pair[Left].wants_transmit(), "Close is still to be written");
    pair[Left].close("enough");
    assert!(pair[Left].wants_transmit());
    pair[Left].drop_unwritten();
    assert_eq!((pair[Left].held(), pair[Left].wants_transmit()), (0, false));
}

#[test]
fn a_long_reason_is_truncated_between_characters() {
    let mut forger = Forger::new();
    forger.session.close(&"é".repeat(100_000));
    let output = forger.take_output_bytes();
    let Some((_, Frame::Close { reason, .. })) = frames(&output).pop() else { panic!("no Close") };
    assert_eq!(reason, "é".repeat(512));
}

#[test]
fn frames_after_close_are_ignored() {
    let mut forger = Forger::new();
    forger.send(Frame::Close { code: 0, reason: "enough" });
    assert_eq!(forger.send_bytes(&[0; 1000]), 1000);
    assert_eq!(forger.application.closed, Some(Cause::ClosedThere { reason: "enough".into() }));
    assert_eq!(forger.take_output(), [""; 0], "the session has ended");
}

#[test]
fn after_an_end_reported_in_a_handshake_transmitted_calls_are_unknown() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, plain(b"arrives"));
    pair.transmit(Left);
    pair.exchange();
    pair[Right].close("enough");
    pair.handle_events(Right);
    // Right's Close is still in transit when Left learns of the end on another connection.
    pair[Left].handle_peer_ended(0);
    pair.handle_events(Left);
    assert_eq!(pair.application(Right).calls.len(), 1);
    assert_eq!(pair.application(Left).ended[&0], End::Lost(Outcome::Unknown));
}
