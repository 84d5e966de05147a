//! When a session ends, each call in progress is told once what is known, and the truth: a call said not to have been
//! executed never is.

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
use crate::wire::frame::{CHUNK, Frame, Manner, Target};

/// One call answered, one that arrived, one that is written, one big in parts, one behind it, one that waits for room.
fn busy() -> Pair {
    let limits = Limits { window_calls: 4, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let other = pair.given(Right);
    pair.promise(Left, DIRECTORY, plain(b"answered"));
    pair.settle();
    pair.answer_all(Right);
    pair.settle();
    pair.ask(Left, DIRECTORY, plain(b"arrived"));
    pair.settle();
    pair.ask(Left, Target::Object(other), pattern(64 * CHUNK));
    pair.transmit(Left);
    pair.ask(Left, Target::Object(other), plain(b"behind"));
    pair.ask(Left, DIRECTORY, plain(b"ready"));
    pair.ask(Left, DIRECTORY, plain(b"waiting"));
    pair
}

/// The tokens in `busy`.
const ANSWERED: usize = 1;
const ARRIVED: usize = 2;
const BIG: usize = 3;
const BEHIND: usize = 4;
const READY: usize = 5;
const WAITING: usize = 6;

#[track_caller]
fn assert_outcomes(pair: &mut Pair, not_executed: &[usize], unknown: &[usize]) {
    let ended = &pair.seen(Left).ended;
    assert!(matches!(ended[&ANSWERED], End::Answered(..)));
    for token in not_executed {
        assert_eq!(ended[token], End::Lost(Outcome::NotExecuted), "token {token}");
    }
    for token in unknown {
        assert_eq!(ended[token], End::Lost(Outcome::Unknown), "token {token}");
    }
    // One before it gave the object.
    assert_eq!(ended.len(), not_executed.len() + unknown.len() + 1);
    assert_empty(&pair[Left]);
}

/// What arrives on the other side in the end, as far as it is small.
fn arrivals(pair: &mut Pair) -> Vec<Vec<u8>> {
    pair.settle();
    pair.seen(Right).bodies().into_iter().filter(|body| body.len() < CHUNK).collect()
}

#[test]
fn a_lost_connection_leaves_unknown_what_was_transmitted() {
    let mut pair = busy();
    pair[Left].handle_failure("pulled the plug");
    pair.note(Left);
    assert_outcomes(&mut pair, &[BIG, BEHIND, READY, WAITING], &[ARRIVED]);
    assert!(!pair[Left].wants_transmit(), "nothing goes out that was said not to");
    assert_eq!(arrivals(&mut pair), [b"arrived"]);
}

#[test]
fn closing_here_leaves_unknown_what_goes_out_before_the_last_word() {
    let mut pair = busy();
    pair[Left].close("enough");
    pair.note(Left);
    assert_outcomes(&mut pair, &[BIG, BEHIND, WAITING], &[ARRIVED, READY]);
    assert_eq!(arrivals(&mut pair), [&b"arrived"[..], b"ready"]);
    let there = Cause::ClosedThere { reason: "enough".into() };
    assert_eq!(pair.seen(Right).closed, Some(there));
    assert_empty(&pair[Right]);
}

#[test]
fn closing_there_tells_apart_what_had_arrived() {
    let mut pair = busy();
    pair[Right].close("enough");
    pair.note(Right);
    pair.transmit(Right);
    pair.exchange();
    assert_outcomes(&mut pair, &[BIG, BEHIND, READY, WAITING], &[ARRIVED]);
    assert_eq!(arrivals(&mut pair), [b"arrived"]);
}

#[test]
fn a_breach_is_told_and_ends_in_the_same_way() {
    let mut forger = Forger::new();
    forger.say(call(1, b"executed?"));
    forger.say_bytes(&[0; 4]);
    forger.say(call(2, b"never"));
    assert_eq!(forger.seen.bodies(), [b"executed?"]);
    let said = forger.hear();
    assert_eq!(said[0], format!("{:?}", Frame::Acknowledge { number: FrameNumber(2) }));
    assert!(said[1].starts_with("Close"), "{said:?}");
    assert_eq!(said.len(), 2);
}

#[test]
fn nothing_is_said_after_the_last_word() {
    let mut forger = Forger::new();
    forger.say(call(1, b""));
    forger.session.introduce(ObjectId(1)).expect("there is room");
    forger.session.close("enough");
    forger.note();
    forger.hear();
    let session = &mut forger.session;
    session.intern("late", 99).unwrap();
    session.watch(WatchId(1), ObjectId::DIRECTORY);
    session.unwatch(WatchId(1));
    session.tell_ended(WatchId(1), false, "");
    session.release(ObjectId(1));
    session.cancel(QuestionId(1));
    session.finish(QuestionId(1));
    session.answer(QuestionId(1), crate::wire::frame::Status::Value, plain(b""));
    session.suspend("again");
    session.close("again");
    session.handle_failure("again");
    forger.now += Limits::default().silence;
    forger.session.handle_timeout(forger.now, Reads::Active);
    forger.note();
    assert_eq!(forger.hear(), [""; 0]);
    assert_eq!(forger.session.held(), 0);
}

#[test]
fn a_call_after_the_end_is_refused_as_not_executed() {
    let mut pair = Pair::new();
    pair[Left].handle_failure("pulled the plug");
    pair.note(Left);
    let refused = pair.send(Left, Manner::Ask, DIRECTORY, plain(b""));
    let (reason, outcome) = ("pulled the plug".to_owned(), Outcome::NotExecuted);
    assert_eq!(refused, Err(Error::SessionLost { reason, outcome }));
}

#[test]
fn a_call_after_the_end_is_told_of_leases_and_restarts() {
    let mut pair = Pair::new();
    pair[Left].handle_peer_ended(0);
    pair[Right].handle_peer_restarted();
    Side::BOTH.into_iter().for_each(|side| pair.note(side));
    let mut refused = |side| pair.send(side, Manner::Ask, DIRECTORY, plain(b""));
    let (reason, outcome) = ("the peer ended the session".to_owned(), Outcome::NotExecuted);
    assert_eq!(refused(Left), Err(Error::SessionLost { reason, outcome }));
    assert_eq!(refused(Right), Err(Error::Stale));
    // Of what the peer may have done before it was restarted, that says nothing.
    let (reason, outcome) = ("the peer was restarted".to_owned(), Outcome::Unknown);
    assert_eq!(Cause::Restarted.error(outcome), Error::SessionLost { reason, outcome });

    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pair.pass(2 * TERM);
    let expired = pair[Left].code();
    assert_eq!(pair.send(Left, Manner::Ask, DIRECTORY, plain(b"")), Err(Error::LeaseExpired));
    let mut other = Pair::new();
    other[Right].handle_peer_ended(expired);
    other.note(Right);
    assert_eq!(other.send(Right, Manner::Ask, DIRECTORY, plain(b"")), Err(Error::LeaseExpired));
}

#[test]
fn exports_are_given_back_once_at_the_end() {
    let mut pair = Pair::new();
    let objects = [pair.given(Left), pair.given(Left)];
    let descriptor = pair.introduce_again(Left, objects[0]);
    pair.tell(Left, DIRECTORY, super::application::referring(b"", &[descriptor]));
    pair[Left].handle_failure("pulled the plug");
    pair.note(Left);
    let mut unexported = std::mem::take(&mut pair.seen(Left).unexported);
    unexported.sort();
    assert_eq!(unexported, objects);
}

#[test]
fn what_is_ready_is_written_before_the_last_word() {
    let mut pair = Pair::new();
    pair.tell(Left, DIRECTORY, plain(b"handed over"));
    pair[Left].close("enough");
    let now = pair.now;
    let bytes = pair[Left].poll_transmit(now).expect("the last word is said");
    let said = frames(&bytes);
    assert!(matches!(said[said.len() - 3].1, Frame::Call { content: b"handed over", .. }));
    assert!(matches!(said[said.len() - 1].1, Frame::Close { code: 0, reason: "enough" }));
    assert!(!pair[Left].wants_transmit());
}

/// A session that was given another connection, and has not yet written again what was lost with the first one.
fn resumed() -> Pair {
    let mut pair = Pair::new();
    pair.tell(Left, DIRECTORY, plain(b"lost on its way"));
    pair.transmit(Left);
    pair.cut(&Side::BOTH);
    pair.reconnect();
    pair
}

#[test]
fn what_was_lost_on_its_way_is_written_again_before_the_last_word() {
    let mut pair = resumed();
    pair[Left].close("enough");
    pair.note(Left);
    assert_eq!(arrivals(&mut pair), [b"lost on its way"]);
    assert_eq!(pair.seen(Right).closed, Some(Cause::ClosedThere { reason: "enough".into() }));
    assert_eq!(pair[Left].held(), 0, "nobody acknowledges a last word");
}

#[test]
fn what_was_lost_on_its_way_is_not_written_again_when_the_session_is_lost() {
    let mut pair = resumed();
    pair[Left].handle_failure("pulled the plug");
    pair.note(Left);
    assert!(!pair[Left].wants_transmit());
    assert_eq!(pair[Left].held(), 0);
}

#[test]
fn what_was_written_is_not_kept_after_the_end() {
    let ends: [fn(&mut Session); 2] =
        [|session| session.close("enough"), |session| session.handle_failure("pulled the plug")];
    for end in ends {
        let mut pair = Pair::new();
        pair.tell(Left, DIRECTORY, plain(b"written, and not acknowledged"));
        pair.transmit(Left);
        end(&mut pair[Left]);
        assert_eq!(pair[Left].unacknowledged(), 0);
    }
}

#[test]
fn what_is_ready_is_not_kept_after_the_end_if_there_is_no_connection() {
    let ends: [fn(&mut Session); 2] =
        [|session| session.close("enough"), |session| session.handle_peer_ended(0)];
    for end in ends {
        let mut pair = Pair::new();
        pair.cut(&Side::BOTH);
        pair.tell(Left, DIRECTORY, plain(b"ready"));
        end(&mut pair[Left]);
        assert_eq!((pair[Left].held(), pair[Left].wants_transmit()), (0, false));
    }
}

#[test]
fn a_last_word_that_nobody_takes_is_not_kept() {
    let mut pair = Pair::new();
    pair.tell(Left, DIRECTORY, plain(b"ready"));
    pair[Left].keep_last_word();
    assert!(pair[Left].wants_transmit(), "it was not the last");
    pair[Left].close("enough");
    assert!(pair[Left].wants_transmit());
    pair[Left].keep_last_word();
    assert_eq!((pair[Left].held(), pair[Left].wants_transmit()), (0, false));
}

#[test]
fn who_was_not_found_when_the_lease_ended_is_the_reason() {
    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pair[Left].handle_unreachable();
    pair[Right].handle_unreachable();
    pair.reconnect();
    pair.settle();
    pair.cut(&Side::BOTH);
    pair[Left].handle_unreachable();
    pair.pass(2 * TERM);
    let reason = "nobody listens at the peer's address any more".into();
    assert_eq!(pair[Left].closed(), Some(&Cause::Lost { reason }));
    assert_eq!(pair[Right].closed(), Some(&Cause::Expired), "it was found again meanwhile");
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let mut forger = Forger::new();
    forger.session.close(&"é".repeat(100_000));
    let said = forger.hear_bytes();
    let Some((_, Frame::Close { reason, .. })) = frames(&said).pop() else { panic!("no Close") };
    assert_eq!(reason, "é".repeat(512));
}

#[test]
fn what_follows_the_last_word_is_not_looked_at() {
    let mut forger = Forger::new();
    forger.say(Frame::Close { code: 0, reason: "enough" });
    assert_eq!(forger.say_bytes(&[0; 1000]), 1000);
    assert_eq!(forger.seen.closed, Some(Cause::ClosedThere { reason: "enough".into() }));
    assert_eq!(forger.hear(), [""; 0], "nobody listens there");
}

#[test]
fn an_end_that_is_found_on_another_connection_leaves_unknown_what_was_transmitted() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, plain(b"arrives"));
    pair.transmit(Left);
    pair.exchange();
    pair[Right].close("enough");
    pair.note(Right);
    // What Right says last is still on its way when Left hears on another connection that it is over.
    pair[Left].handle_peer_ended(0);
    pair.note(Left);
    assert_eq!(pair.seen(Right).calls.len(), 1);
    assert_eq!(pair.seen(Left).ended[&0], End::Lost(Outcome::Unknown));
}
