//! Cancellation at any time: a call that was not sent is not sent, a call that was sent is cancelled, and nothing is
//! reported twice.

use super::application::{End, pattern, plain};
use super::forger::{Forger, call_in_parts};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair};
use crate::id::QuestionId;
use crate::limits::Limits;
use crate::wire::frame::{CHUNK, Extent, Frame, Manner};

fn cancel(pair: &mut Pair, question: QuestionId) {
    pair[Left].cancel(question);
    pair.handle_events(Left);
}

/// Asserts that both sides have finished and that nothing was reported to the caller.
#[track_caller]
fn assert_silence(pair: &mut Pair, token: usize) {
    pair.answer_all(Right);
    pair.run_until_idle();
    assert!(!pair.application(Left).ended.contains_key(&token));
    assert_eq!((pair[Left].question_count(), pair[Right].answers.len()), (0, 0));
}

#[test]
fn while_it_waits_for_the_window() {
    let limits = Limits { window_calls: 1, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    pair.ask(Left, DIRECTORY, plain(&[1]));
    for manner in [Manner::Call, Manner::OneWay, Manner::Promise] {
        let waiting = pair.send(Left, manner, DIRECTORY, plain(&[2])).expect("it waits");
        cancel(&mut pair, waiting);
    }
    pair.run_until_idle();
    assert_eq!(pair.application(Right).calls.len(), 1);
    let token = pair.last_token();
    assert_silence(&mut pair, token);
}

#[test]
fn while_it_waits_behind_a_large_one() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let questions = [2, 3].map(|number| pair.ask(Left, DIRECTORY, plain(&[number])));
    cancel(&mut pair, questions[0]);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).calls.len(), 2);
    assert_eq!(pair.application(Right).bodies()[1], [3]);
    pair.answer(Right, QuestionId(1), plain(b""));
    pair.answer(Right, questions[1], plain(b""));
    assert_silence(&mut pair, 1);
}

#[test]
fn cancelling_behind_a_large_one_frees_the_window() {
    let limits = Limits { window_calls: 2, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let behind = pair.ask(Left, DIRECTORY, plain(&[2]));
    pair.ask(Left, DIRECTORY, plain(&[3]));
    cancel(&mut pair, behind);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).calls.len(), 2);
    assert_silence(&mut pair, 1);
}

#[test]
fn while_its_chunks_are_sent() {
    for manner in [Manner::Call, Manner::OneWay] {
        let mut pair = Pair::new();
        let large = pair.send(Left, manner, DIRECTORY, pattern(64 * CHUNK)).expect("it is sent");
        pair.exchange();
        cancel(&mut pair, large);
        pair.exchange();
        assert_eq!(pair.application(Right).cancelled, [], "the call has not been delivered yet");
        pair.run_until_idle();
        assert_eq!(pair.application(Right).cancelled, [large]);
        pair.answer_all(Right);
        pair.run_until_idle();
        assert_eq!((pair[Left].question_count(), pair[Right].answers.len()), (0, 0));
    }
}

#[test]
fn a_cancellation_is_delivered_after_its_call() {
    let mut forger = Forger::new();
    let extent = Extent { references: 0, total: 10 };
    forger.send(call_in_parts(1, extent, &[0; 5]));
    forger.send(Frame::Cancel { question: QuestionId(1) });
    forger.send(Frame::Cancel { question: QuestionId(1) });
    assert!(forger.application.cancelled.is_empty());
    forger.send(Frame::CallChunk { question: QuestionId(1), bytes: &[0; 5] });
    assert_eq!((forger.application.calls.len(), forger.application.cancelled.len()), (1, 1));
}

#[test]
fn after_it_was_sent() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    cancel(&mut pair, question);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).cancelled, [question]);
    assert_eq!(pair[Left].question_count(), 1, "it counts until its task has ended");
    assert_silence(&mut pair, 0);
    assert_eq!(pair.application(Left).unwanted.len(), 1);
}

#[test]
fn while_the_answer_is_in_transit() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    pair.answer_all(Right);
    cancel(&mut pair, question);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).cancelled, [], "the call has been answered");
    assert_silence(&mut pair, 0);
}

#[test]
fn after_it_has_ended() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    pair.answer_all(Right);
    pair.run_until_idle();
    cancel(&mut pair, question);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).cancelled, []);
    assert!(matches!(pair.application(Left).ended[&0], End::Answered(..)));
}

#[test]
fn a_one_way_message_behind_a_large_one_can_be_withdrawn() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let one_way = pair.send_one_way(Left, DIRECTORY, plain(&[2]));
    assert_eq!(pair.application(Left).ended.remove(&1), Some(End::HandedOver));
    cancel(&mut pair, one_way);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).calls.len(), 1);
    assert_silence(&mut pair, 1);
}

#[test]
fn a_promise_is_cancelled_and_finished() {
    let mut pair = Pair::new();
    let promise = pair.promise(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    cancel(&mut pair, promise);
    pair[Left].finish(promise);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).cancelled, [promise]);
    assert_silence(&mut pair, 0);
}
