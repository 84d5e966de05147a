//! A caller may give up at any time: what was not sent is not sent, what was is cancelled, and nobody hears of it twice.

use super::application::{End, pattern, plain};
use super::forger::{Forger, call_in_parts};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair};
use crate::id::QuestionId;
use crate::limits::Limits;
use crate::wire::frame::{CHUNK, Extent, Frame, Manner};

fn cancel(pair: &mut Pair, question: QuestionId) {
    pair[Left].cancel(question);
    pair.note(Left);
}

/// All is over on both sides, and the caller was told nothing.
#[track_caller]
fn assert_silence(pair: &mut Pair, token: usize) {
    pair.answer_all(Right);
    pair.settle();
    assert!(!pair.seen(Left).ended.contains_key(&token));
    assert_eq!((pair[Left].question_count(), pair[Right].answers.len()), (0, 0));
}

#[test]
fn while_it_waits_for_room() {
    let limits = Limits { window_calls: 1, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    pair.ask(Left, DIRECTORY, plain(&[1]));
    for manner in [Manner::Ask, Manner::Tell, Manner::Promise] {
        let waiting = pair.send(Left, manner, DIRECTORY, plain(&[2])).expect("it waits");
        cancel(&mut pair, waiting);
    }
    pair.settle();
    assert_eq!(pair.seen(Right).calls.len(), 1);
    let token = pair.last_token();
    assert_silence(&mut pair, token);
}

#[test]
fn while_it_waits_behind_a_big_one() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let questions = [2, 3].map(|number| pair.ask(Left, DIRECTORY, plain(&[number])));
    cancel(&mut pair, questions[0]);
    pair.settle();
    assert_eq!(pair.seen(Right).calls.len(), 2);
    assert_eq!(pair.seen(Right).bodies()[1], [3]);
    pair.answer(Right, QuestionId(1), plain(b""));
    pair.answer(Right, questions[1], plain(b""));
    assert_silence(&mut pair, 1);
}

#[test]
fn while_it_waits_behind_a_big_one_its_place_is_free_for_another() {
    let limits = Limits { window_calls: 2, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let behind = pair.ask(Left, DIRECTORY, plain(&[2]));
    pair.ask(Left, DIRECTORY, plain(&[3]));
    cancel(&mut pair, behind);
    pair.settle();
    assert_eq!(pair.seen(Right).calls.len(), 2);
    assert_silence(&mut pair, 1);
}

#[test]
fn while_its_chunks_are_sent() {
    for manner in [Manner::Ask, Manner::Tell] {
        let mut pair = Pair::new();
        let big = pair.send(Left, manner, DIRECTORY, pattern(64 * CHUNK)).expect("it is sent");
        pair.exchange();
        cancel(&mut pair, big);
        pair.exchange();
        assert_eq!(pair.seen(Right).cancelled, [], "there is nothing yet that could be cancelled");
        pair.settle();
        assert_eq!(pair.seen(Right).cancelled, [big]);
        pair.answer_all(Right);
        pair.settle();
        assert_eq!((pair[Left].question_count(), pair[Right].answers.len()), (0, 0));
    }
}

#[test]
fn a_cancellation_follows_its_call_also_if_it_came_first() {
    let mut forger = Forger::new();
    let extent = Extent { references: 0, total: 10 };
    forger.say(call_in_parts(1, extent, &[0; 5]));
    forger.say(Frame::Cancel { question: QuestionId(1) });
    forger.say(Frame::Cancel { question: QuestionId(1) });
    assert!(forger.seen.cancelled.is_empty());
    forger.say(Frame::CallChunk { question: QuestionId(1), bytes: &[0; 5] });
    assert_eq!((forger.seen.calls.len(), forger.seen.cancelled.len()), (1, 1));
}

#[test]
fn when_it_was_sent() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.settle();
    cancel(&mut pair, question);
    pair.settle();
    assert_eq!(pair.seen(Right).cancelled, [question]);
    assert_eq!(pair[Left].question_count(), 1, "it counts until its task has ended");
    assert_silence(&mut pair, 0);
    assert_eq!(pair.seen(Left).unwanted.len(), 1);
}

#[test]
fn when_the_answer_is_on_its_way() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.settle();
    pair.answer_all(Right);
    cancel(&mut pair, question);
    pair.settle();
    assert_eq!(pair.seen(Right).cancelled, [], "there is nothing left to cancel");
    assert_silence(&mut pair, 0);
}

#[test]
fn when_it_is_over() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.settle();
    pair.answer_all(Right);
    pair.settle();
    cancel(&mut pair, question);
    pair.settle();
    assert_eq!(pair.seen(Right).cancelled, []);
    assert!(matches!(pair.seen(Left).ended[&0], End::Answered(..)));
}

#[test]
fn a_message_handed_over_while_it_waits_behind_a_big_one_may_still_be_withdrawn() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let told = pair.tell(Left, DIRECTORY, plain(&[2]));
    assert_eq!(pair.seen(Left).ended.remove(&1), Some(End::HandedOver));
    cancel(&mut pair, told);
    pair.settle();
    assert_eq!(pair.seen(Right).calls.len(), 1);
    assert_silence(&mut pair, 1);
}

#[test]
fn a_promise_is_cancelled_and_finished() {
    let mut pair = Pair::new();
    let promise = pair.promise(Left, DIRECTORY, plain(b""));
    pair.settle();
    cancel(&mut pair, promise);
    pair[Left].finish(promise);
    pair.settle();
    assert_eq!(pair.seen(Right).cancelled, [promise]);
    assert_silence(&mut pair, 0);
}
