//! Messages to one object start in the order in which they were sent. A large message does not hold up messages to other
//! objects.

use std::time::Duration;

use super::application::{pattern, plain};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair};
use crate::limits::Limits;
use crate::wire::frame::{CHUNK, Manner, Status, Target};

/// The size of 256 chunks.
const LARGE: usize = 4 << 20;

/// Returns the first byte and the size of each body that has arrived.
fn arrived(pair: &mut Pair) -> Vec<(u8, usize)> {
    pair.application(Right).bodies().iter().map(|body| (body[0], body.len())).collect()
}

fn body(first: u8, size: usize) -> crate::wire::content::Content {
    plain(&vec![first; size])
}

#[test]
fn small_messages_keep_their_order() {
    let mut pair = Pair::new();
    for number in 0..100 {
        pair.ask(Left, DIRECTORY, plain(&[number]));
    }
    pair.run_until_idle();
    assert_eq!(
        pair.application(Right).bodies(),
        (0..100).map(|number| vec![number]).collect::<Vec<_>>()
    );
}

#[test]
fn messages_to_one_object_wait_behind_a_large_one() {
    let mut pair = Pair::new();
    let sizes = [10, LARGE, 20, CHUNK + 1, 30, 3 * CHUNK, 40];
    for (number, size) in (0..).zip(sizes) {
        let manner = [Manner::Call, Manner::OneWay, Manner::Promise][number as usize % 3];
        pair.send(Left, manner, DIRECTORY, body(number, size)).expect("it is sent");
    }
    pair.run_until_idle();
    assert_eq!(arrived(&mut pair), (0..).zip(sizes).collect::<Vec<_>>());
}

#[test]
fn a_large_body_arrives_unchanged() {
    let mut pair = Pair::new();
    for size in [CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, LARGE] {
        let question = pair.ask(Left, DIRECTORY, pattern(size));
        pair.run_until_idle();
        assert_eq!(pair.application(Right).bodies(), [pattern(size).body.into_vec()]);
        pair.answer(Right, question, pattern(size));
        pair.run_until_idle();
        let token = pair.last_token();
        let end = pair.application(Left).ended.remove(&token);
        let whole = super::application::End::Answered(Status::Value, pattern(size));
        assert_eq!(end, Some(whole));
    }
}

#[test]
fn answers_and_messages_to_others_pass_between_chunks() {
    let mut pair = Pair::new();
    let other = pair.new_export(Right);
    let asked = pair.ask(Right, DIRECTORY, plain(b"asked before"));
    pair.run_until_idle();
    pair.ask(Left, DIRECTORY, body(1, LARGE));
    pair.exchange();
    pair.answer(Left, asked, plain(b"answer"));
    pair.ask(Left, Target::Object(other), body(2, 1));
    pair.ask(Left, DIRECTORY, body(3, 1));
    pair.exchange();
    assert_eq!(arrived(&mut pair), [(2, 1)], "it waits only for bytes that are written already");
    let token = pair.last_token() - 3;
    assert!(pair.application(Right).ended.contains_key(&token), "so does the answer");
    pair.run_until_idle();
    assert_eq!(arrived(&mut pair), [(1, LARGE), (3, 1)]);
}

#[test]
fn a_small_answer_passes_between_chunks_of_a_large_answer() {
    let mut pair = Pair::new();
    let questions = [0, 1].map(|number| pair.ask(Left, DIRECTORY, plain(&[number])));
    pair.run_until_idle();
    pair.answer(Right, questions[0], body(1, LARGE));
    pair.exchange();
    pair.answer(Right, questions[1], body(2, 1));
    pair.exchange();
    let ended: Vec<_> = pair.application(Left).ended.keys().copied().collect();
    assert_eq!(ended, [1]);
    pair.run_until_idle();
    assert_eq!(pair.application(Left).ended.len(), 2);
}

#[test]
fn chunks_of_large_messages_alternate() {
    let mut pair = Pair::new();
    let other = pair.new_export(Right);
    pair.ask(Left, DIRECTORY, body(1, LARGE));
    pair.ask(Left, Target::Object(other), body(2, LARGE / 4));
    pair.run_until_idle();
    assert_eq!(arrived(&mut pair), [(2, LARGE / 4), (1, LARGE)], "the shorter one is not held up");
}

#[test]
fn chunks_of_large_answers_alternate() {
    let mut pair = Pair::new();
    let questions = [0, 1].map(|number| pair.ask(Left, DIRECTORY, plain(&[number])));
    pair.run_until_idle();
    pair.answer(Right, questions[0], body(1, LARGE));
    pair.answer(Right, questions[1], body(2, LARGE / 4));
    while pair.application(Left).ended.is_empty() {
        assert!(pair[Right].wants_transmit(), "neither has arrived");
        pair.exchange();
    }
    assert!(pair.application(Left).ended.contains_key(&1), "the shorter one is not held up");
    pair.run_until_idle();
    assert_eq!(pair.application(Left).ended.len(), 2);
}

#[test]
fn messages_keep_their_order_in_the_queue_for_the_window() {
    let limits = Limits { window_calls: 2, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), limits);
    let sizes = [1, 3 * CHUNK, 2, 2 * CHUNK, 3, 4];
    for (number, size) in (0..).zip(sizes) {
        pair.ask(Left, DIRECTORY, body(number, size));
    }
    let mut order = Vec::new();
    while order.len() < sizes.len() {
        pair.run_until_idle();
        let calls = &pair.application(Right).calls;
        assert!((1..=2).contains(&calls.len()), "{} at once", calls.len());
        order.extend(calls.iter().map(|call| call.content.body[0]));
        pair.answer_all(Right);
    }
    assert_eq!(order, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn pipelined_messages_wait_in_the_lane_of_their_promise() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, body(1, LARGE));
    let promise = pair.promise(Left, DIRECTORY, body(2, 1));
    let promise = pair.promise(Left, Target::Answer(promise), body(3, 2 * CHUNK));
    pair.ask(Left, Target::Answer(promise), body(4, 1));
    pair.ask(Left, DIRECTORY, body(5, 1));
    assert!(pair[Left].is_behind(promise), "its path must not be shortened yet");
    pair.run_until_idle();
    assert!(!pair[Left].is_behind(promise));
    let order: Vec<u8> = arrived(&mut pair).iter().map(|(first, _)| *first).collect();
    // The fourth call is sent to the answer of the third, a large one: it passes between the chunks, and is queued at the
    // receiver.
    assert_eq!(order, [1, 2, 4, 5, 3]);
}

#[test]
fn order_does_not_depend_on_the_splitting_of_bytes() {
    for most in [1, 2, 3, 5, 4096] {
        let mut pair = Pair::new();
        let sizes = [1, CHUNK + 3, 2, 300];
        for (number, size) in (0..).zip(sizes) {
            pair.ask(Left, DIRECTORY, body(number, size));
        }
        while pair[Left].wants_transmit() {
            pair.transmit(Left);
        }
        pair.now += Duration::from_millis(1);
        while pair.is_coming(Right) {
            pair.deliver(Right, most);
        }
        assert_eq!(arrived(&mut pair), (0..).zip(sizes).collect::<Vec<_>>());
    }
}
