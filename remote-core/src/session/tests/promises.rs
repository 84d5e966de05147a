//! Pipelining: messages to an answer that is not known yet arrive, and the peer keeps the answer exactly as long as needed.

use super::application::{End, pattern, plain};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair};
use crate::id::QuestionId;
use crate::limits::Limits;
use crate::wire::frame::{CHUNK, Manner, Target};

/// Asserts that neither side keeps anything of a call.
#[track_caller]
fn assert_over(pair: &Pair) {
    assert_eq!(pair[Left].question_count(), 0, "questions");
    assert_eq!(pair[Right].answers.len(), 0, "answers");
    assert_eq!(pair[Left].closed(), None);
}

fn targets(pair: &mut Pair) -> Vec<Option<Target>> {
    pair.application(Right).calls.iter().map(|call| call.target).collect()
}

fn is_finished(pair: &mut Pair, promise: QuestionId) -> bool {
    pair.application(Right).finished.contains(&promise)
}

#[test]
fn a_chain_of_ten_arrives_in_one_write() {
    let mut pair = Pair::new();
    let mut promise = pair.promise(Left, DIRECTORY, plain(&[0]));
    let mut chain = vec![promise];
    for number in 1..10 {
        promise = pair.promise(Left, Target::Answer(promise), plain(&[number]));
        chain.push(promise);
    }
    chain.iter().for_each(|promise| pair[Left].finish(*promise));
    pair.exchange();
    let expected: Vec<_> =
        [DIRECTORY].into_iter().chain(chain[..9].iter().map(|on| Target::Answer(*on))).collect();
    assert_eq!(targets(&mut pair), expected.into_iter().map(Some).collect::<Vec<_>>());
    pair.answer_all(Right);
    pair.run_until_idle();
    assert_over(&pair);
}

#[test]
fn messages_to_an_answer_arrive_before_the_rest_of_its_question() {
    let mut pair = Pair::new();
    let promise = pair.promise(Left, DIRECTORY, pattern(64 * CHUNK));
    pair.ask(Left, Target::Answer(promise), plain(b"early"));
    pair.exchange();
    assert_eq!(targets(&mut pair), [Some(Target::Answer(promise))]);
    pair[Left].finish(promise);
    pair.run_until_idle();
    assert_eq!(targets(&mut pair), [Some(Target::Answer(promise)), Some(DIRECTORY)]);
    pair.answer_all(Right);
    pair.run_until_idle();
    assert_over(&pair);
}

#[test]
fn an_answer_is_kept_until_it_is_finished() {
    let mut pair = Pair::new();
    let promise = pair.promise(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    pair.answer_all(Right);
    pair.run_until_idle();
    assert!(matches!(pair.application(Left).ended[&0], End::Answered(..)));
    assert_eq!((pair[Left].question_count(), pair[Right].answers.len()), (1, 1));
    pair.ask(Left, Target::Answer(promise), plain(b"late"));
    pair.run_until_idle();
    assert_eq!(targets(&mut pair), [Some(Target::Answer(promise))]);
    pair.answer_all(Right);
    pair[Left].finish(promise);
    pair.run_until_idle();
    assert!(is_finished(&mut pair, promise));
    assert_over(&pair);
}

#[test]
fn a_promise_may_be_finished_before_it_is_answered() {
    let mut pair = Pair::new();
    let promise = pair.promise(Left, DIRECTORY, plain(b""));
    pair[Left].finish(promise);
    pair.run_until_idle();
    assert!(is_finished(&mut pair, promise));
    assert_eq!(pair[Right].answers.len(), 1, "its task runs");
    pair.answer_all(Right);
    pair.run_until_idle();
    assert_eq!(pair.application(Left).unwanted.len(), 1);
    assert_over(&pair);
}

#[test]
fn a_promise_is_finished_after_its_last_waiting_message() {
    let limits = Limits { window_calls: 2, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let promise = pair.promise(Left, DIRECTORY, plain(&[1]));
    let held = pair.ask(Left, DIRECTORY, plain(&[2]));
    pair.ask(Left, Target::Answer(promise), plain(&[3]));
    pair[Left].finish(promise);
    pair.run_until_idle();
    assert!(!is_finished(&mut pair, promise));
    pair.answer(Right, held, plain(b""));
    pair.run_until_idle();
    assert!(is_finished(&mut pair, promise));
    assert_eq!(pair.application(Right).bodies(), [[1], [2], [3]]);
}

#[test]
fn its_path_is_not_shortened_before_its_last_waiting_message() {
    let limits = Limits { window_calls: 2, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let promise = pair.promise(Left, DIRECTORY, plain(&[1]));
    let held = pair.ask(Left, DIRECTORY, plain(&[2]));
    pair.ask(Left, DIRECTORY, plain(&[3]));
    assert!(!pair[Left].is_behind(promise), "the waiting call has another target");
    pair.ask(Left, Target::Answer(promise), plain(&[4]));
    assert!(pair[Left].is_behind(promise));
    pair.run_until_idle();
    pair.answer(Right, held, plain(b""));
    pair.run_until_idle();
    assert!(pair[Left].is_behind(promise), "a message to it waits");
    pair.answer_all(Right);
    pair.run_until_idle();
    assert!(!pair[Left].is_behind(promise));
}

#[test]
fn a_promise_is_finished_after_its_last_message_behind_a_large_one() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, pattern(64 * CHUNK));
    let promise = pair.promise(Left, DIRECTORY, plain(&[2]));
    pair.ask(Left, Target::Answer(promise), plain(&[3]));
    pair[Left].finish(promise);
    pair.exchange();
    assert!(!is_finished(&mut pair, promise));
    pair.run_until_idle();
    assert!(is_finished(&mut pair, promise));
    assert_eq!(pair.application(Right).calls.len(), 3);
    pair.answer_all(Right);
    pair.run_until_idle();
    assert_over(&pair);
}

#[test]
fn a_promise_is_finished_when_its_last_message_is_withdrawn() {
    let limits = Limits { window_calls: 1, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let promise = pair.promise(Left, DIRECTORY, plain(&[1]));
    let waiting = pair.ask(Left, Target::Answer(promise), plain(&[2]));
    pair[Left].finish(promise);
    pair.run_until_idle();
    assert!(!is_finished(&mut pair, promise));
    pair[Left].cancel(waiting);
    pair.handle_events(Left);
    pair.run_until_idle();
    assert!(is_finished(&mut pair, promise));
    pair.answer_all(Right);
    pair.run_until_idle();
    assert_over(&pair);
}

#[test]
fn a_promise_finished_twice_is_finished_once() {
    let mut pair = Pair::new();
    let promise = pair.promise(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    pair[Left].finish(promise);
    pair[Left].finish(promise);
    pair.answer_all(Right);
    pair.run_until_idle();
    pair[Left].finish(promise);
    pair.run_until_idle();
    assert_over(&pair);
}

#[test]
fn a_large_promise_may_be_finished_while_it_is_sent() {
    let mut pair = Pair::new();
    let promise = pair.send(Left, Manner::Promise, DIRECTORY, pattern(64 * CHUNK)).expect("sent");
    pair.exchange();
    pair[Left].finish(promise);
    pair.run_until_idle();
    assert!(is_finished(&mut pair, promise));
    pair.answer_all(Right);
    pair.run_until_idle();
    assert_over(&pair);
}

#[test]
fn a_message_to_a_finished_answer_has_no_target() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    pair.answer_all(Right);
    pair.run_until_idle();
    pair.ask(Left, Target::Answer(question), plain(b""));
    pair.run_until_idle();
    assert_eq!(targets(&mut pair), [None]);
    assert_eq!(pair[Right].closed(), None);
}
