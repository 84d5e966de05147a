//! A side has no more in progress than the window that it was granted. Further calls wait, in order.

use super::application::{End, pattern, plain};
use super::forger::{Forger, answer, call, in_manner};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair, TERM};
use crate::error::{Error, Outcome};
use crate::id::QuestionId;
use crate::limits::Limits;
use crate::session::Reads;
use crate::wire::breach::Breach;
use crate::wire::frame::{CHUNK, Frame, Manner, Status};

/// Makes a pair whose left side has this window.
fn narrow(window_calls: u32, window_bytes: u64) -> Pair {
    let body = (window_bytes as usize).min(4 << 20);
    let limits = Limits { window_calls, window_bytes, body, ..Limits::default() };
    Pair::with(Limits::default(), limits)
}

#[test]
fn a_call_over_the_window_waits_for_an_answer() {
    let mut pair = narrow(2, 1 << 20);
    let questions = [1, 2, 3, 4].map(|number| pair.ask(Left, DIRECTORY, plain(&[number])));
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies(), [[1], [2]]);
    pair.answer(Right, questions[1], plain(b""));
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies(), [[3]]);
    pair.answer(Right, questions[0], plain(b""));
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies(), [[4]]);
}

#[test]
fn a_call_over_the_bytes_of_the_window_waits_in_order() {
    let mut pair = narrow(100, 1000);
    let first = pair.ask(Left, DIRECTORY, plain(&[1; 600]));
    pair.ask(Left, DIRECTORY, plain(&[2; 600]));
    pair.ask(Left, DIRECTORY, plain(&[3; 10]));
    pair.run_until_idle();
    assert_eq!(
        pair.application(Right).bodies().len(),
        1,
        "a call that would fit waits behind one that does not"
    );
    pair.answer(Right, first, plain(b""));
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies(), [vec![2; 600], vec![3; 10]]);
}

#[test]
fn a_call_that_can_never_fit_is_refused() {
    let mut pair = narrow(2, 1000);
    let refused = pair.send(Left, Manner::Call, DIRECTORY, pattern(1001));
    assert_eq!(refused, Err(Error::TooLarge { size: 1001, limit: 1000 }));
    assert_eq!(pair[Left].question_count(), 0);
}

#[test]
fn a_cancelled_call_is_not_sent() {
    let mut pair = narrow(1, 1 << 20);
    let questions = [1, 2, 3].map(|number| pair.ask(Left, DIRECTORY, plain(&[number])));
    pair[Left].cancel(questions[1]);
    pair.run_until_idle();
    pair.answer(Right, questions[0], plain(b""));
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies(), [[1], [3]]);
    assert!(pair.application(Right).cancelled.is_empty());
}

#[test]
fn a_cancelled_call_that_was_sent_counts_until_its_task_has_ended() {
    let mut pair = narrow(1, 1 << 20);
    let first = pair.ask(Left, DIRECTORY, plain(&[1]));
    pair.ask(Left, DIRECTORY, plain(&[2]));
    pair.run_until_idle();
    pair[Left].cancel(first);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).cancelled, [first]);
    assert_eq!(pair.application(Right).bodies(), [[1]]);
    pair.answer(Right, first, plain(b""));
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies(), [[2]]);
}

#[test]
fn a_call_is_sent_when_the_one_before_it_is_withdrawn() {
    let mut pair = narrow(100, 1000);
    pair.ask(Left, DIRECTORY, plain(&[1; 600]));
    let held_up = pair.ask(Left, DIRECTORY, plain(&[2; 600]));
    for number in 3..7 {
        pair.ask(Left, DIRECTORY, plain(&[number; 10]));
    }
    pair.run_until_idle();
    pair[Left].cancel(held_up);
    pair.handle_events(Left);
    pair.run_until_idle();
    let order: Vec<u8> = pair.application(Right).bodies().iter().map(|body| body[0]).collect();
    assert_eq!(order, [1, 3, 4, 5, 6], "without any other event");
}

#[test]
fn withdrawn_calls_are_removed() {
    let mut pair = narrow(1, 1 << 20);
    pair.ask(Left, DIRECTORY, plain(&[0]));
    let waiting: Vec<_> = (0..200).map(|_| pair.ask(Left, DIRECTORY, pattern(100))).collect();
    for question in waiting {
        pair[Left].cancel(question);
        pair.handle_events(Left);
    }
    assert!(pair[Left].waiting.is_empty());
}

#[test]
fn withdrawn_calls_are_removed_behind_one_that_waits() {
    let mut pair = narrow(1, 1 << 20);
    pair.ask(Left, DIRECTORY, plain(&[0]));
    pair.ask(Left, DIRECTORY, plain(&[1]));
    let waiting: Vec<_> = (0..200).map(|_| pair.ask(Left, DIRECTORY, pattern(100))).collect();
    for (withdrawn, question) in (1..).zip(waiting) {
        pair[Left].cancel(question);
        pair.handle_events(Left);
        let left = pair[Left].waiting.len();
        // The queue is cleaned when half of its calls are withdrawn.
        assert!(left <= 2 * (201 - withdrawn), "{left} after {withdrawn}");
        assert!(withdrawn > 100 || left == 201, "{left} after {withdrawn}");
    }
}

#[test]
fn one_way_messages_wait_for_credit() {
    let mut pair = narrow(8, 1000);
    for number in 0..200 {
        pair.send_one_way(Left, DIRECTORY, plain(&[number; 90]));
    }
    let mut order = Vec::new();
    while order.len() < 200 {
        pair.run_until_idle();
        let calls = &pair.application(Right).calls;
        assert!((1..=8).contains(&calls.len()), "{} at once", calls.len());
        order.extend(calls.iter().map(|call| call.content.body[0]));
        pair.answer_all(Right);
    }
    assert_eq!(order, (0..200).collect::<Vec<u8>>());
    assert!(pair.application(Left).ended.values().all(|end| *end == End::HandedOver));
    assert_eq!(pair[Left].question_count(), 0);
}

#[test]
fn a_body_of_the_size_of_the_window_fits_after_one_way_messages() {
    let mut pair = narrow(100, 64 << 10);
    pair.send_one_way(Left, DIRECTORY, plain(&[1]));
    pair.run_until_idle();
    pair.answer_all(Right);
    pair.ask(Left, DIRECTORY, pattern(64 << 10));
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies().len(), 1);
}

/// Sends one-way messages of this size. Returns the number of them after which credit is issued, and that credit.
fn first_credit(limits: Limits, size: usize) -> (u64, String) {
    let mut forger = Forger::with(limits);
    for question in 1.. {
        let content = vec![0; size];
        forger.send(in_manner(call(question, &content), Manner::OneWay));
        forger.session.answer(QuestionId(question), Status::Value, plain(b""));
        let output = forger.take_output();
        if let Some(credit) = output.into_iter().find(|frame| frame.starts_with("Credit")) {
            return (question, credit);
        }
    }
    unreachable!("numbers do not end")
}

#[test]
fn credit_is_issued_before_the_peer_must_wait() {
    let credit = |calls, bytes| format!("{:?}", Frame::Credit { calls, bytes });
    let limits = |window_calls, window_bytes, body| Limits {
        window_calls,
        window_bytes,
        body,
        ..Limits::default()
    };
    // At more than an eighth of the calls or of the bytes, or if the largest message would not fit otherwise.
    assert_eq!(first_credit(limits(80, 100_000, 1000), 100), (11, credit(11, 1100)));
    assert_eq!(first_credit(limits(80, 8000, 1000), 200), (6, credit(6, 1200)));
    assert_eq!(first_credit(limits(80, 8000, 7500), 100), (6, credit(6, 600)));
    assert_eq!(first_credit(limits(80, 8000, 8000), 100), (1, credit(1, 100)));
}

#[test]
fn nested_calls_are_refused_after_a_term_without_progress() {
    let mut pair = narrow(1, 1 << 20);
    pair.ask(Left, DIRECTORY, plain(&[1]));
    pair.run_until_idle();
    let outer = pair.ask(Left, DIRECTORY, plain(&[2]));
    let within = [3, 4].map(|number| {
        pair.ask_from_method(Left, plain(&[number]));
        pair.last_token()
    });
    pair.pass(TERM * 9 / 10);
    assert!(pair.application(Left).ended.is_empty(), "something may still happen");
    pair.pass(TERM / 10);
    for token in within {
        assert_eq!(pair.application(Left).ended.remove(&token), Some(End::Refused));
    }
    pair.pass(TERM * 4);
    assert!(
        pair.application(Left).ended.is_empty(),
        "a call from outside of any method cannot deadlock"
    );
    pair.answer_all(Right);
    pair.run_until_idle();
    assert_eq!(
        pair.application(Right).calls[0].question,
        outer,
        "and the refused call never arrives"
    );
    pair.answer_all(Right);
    pair.run_until_idle();
    assert_eq!((pair.application(Left).ended.len(), pair.application(Right).calls.len()), (2, 0));
    assert_eq!((pair[Left].question_count(), pair[Left].closed()), (0, None));
}

#[test]
fn nested_calls_wait_as_long_as_others_complete() {
    let mut pair = narrow(1, 1 << 20);
    for number in 0..6 {
        pair.ask_from_method(Left, plain(&[number]));
    }
    for _ in 0..6 {
        pair.pass(TERM * 9 / 10);
        assert_eq!(pair.application(Right).calls.len(), 1);
        pair.answer_all(Right);
        pair.run_until_idle();
    }
    assert!(pair.application(Left).ended.values().all(|end| matches!(end, End::Answered(..))));
    assert_eq!(pair.application(Left).ended.len(), 6);
}

#[test]
fn nested_calls_are_not_refused_while_input_is_blocked() {
    let mut pair = narrow(1, 1 << 20);
    for number in [1, 2] {
        pair.ask_from_method(Left, plain(&[number]));
    }
    pair.run_until_idle();
    pair.pass(TERM * 9 / 10);
    pair.cut(&[Left, Right]);
    pair.pass(TERM / 2);
    pair.reconnect();
    pair.run_until_idle();
    pair.pass(TERM / 2);
    assert!(pair.application(Left).ended.is_empty(), "the term starts again");
    let now = pair.now + TERM;
    pair[Left].handle_timeout(now, Reads::Blocked);
    pair.handle_events(Left);
    assert!(pair.application(Left).ended.is_empty());
}

#[test]
fn kept_promises_do_not_count_in_the_window() {
    let mut pair = narrow(2, 1 << 20);
    let promises: Vec<_> = (0..20)
        .map(|_| {
            let promise = pair.promise(Left, DIRECTORY, plain(b""));
            pair.run_until_idle();
            pair.answer_all(Right);
            promise
        })
        .collect();
    pair.run_until_idle();
    assert_eq!(pair.application(Left).ended.len(), 20);
    for promise in promises {
        pair[Left].finish(promise);
    }
    pair.run_until_idle();
    assert_eq!((pair[Left].question_count(), pair[Right].answers.len()), (0, 0));
}

#[test]
fn kept_promises_are_limited_by_references() {
    let limits = Limits { references: 3, ..Limits::default() };
    let mut pair = Pair::with(limits.clone(), limits.clone());
    let kept = [(); 3].map(|()| pair.promise(Left, DIRECTORY, plain(b"")));
    let refused = pair.send(Left, Manner::Promise, DIRECTORY, plain(b""));
    assert!(matches!(refused, Err(Error::Quota(_))), "{refused:?}");
    pair.run_until_idle();
    pair.answer_all(Right);
    pair[Left].finish(kept[0]);
    pair.run_until_idle();
    pair.promise(Left, DIRECTORY, plain(b""));
    pair.run_until_idle();
    assert_eq!(pair[Right].closed(), None);

    let mut forger = Forger::with(limits);
    (1..4).for_each(|question| forger.send(in_manner(call(question, b""), Manner::Promise)));
    assert_eq!(forger.session.closed(), None);
    forger.send(in_manner(call(4, b""), Manner::Promise));
    forger.assert_breach(Breach::References);
}

#[test]
fn more_calls_than_granted_are_a_breach() {
    for manner in [Manner::Call, Manner::OneWay, Manner::Promise] {
        let mut forger = Forger::with(Limits { window_calls: 3, ..Limits::default() });
        (1..4).for_each(|question| forger.send(in_manner(call(question, b""), manner)));
        assert_eq!(forger.session.closed(), None);
        forger.send(in_manner(call(4, b""), manner));
        forger.assert_breach(Breach::Window);
    }
}

#[test]
fn more_bytes_than_granted_are_a_breach() {
    let limits = Limits { window_bytes: 1000, body: 1000, ..Limits::default() };
    let mut forger = Forger::with(limits);
    forger.send(call(1, &[0; 600]));
    forger.send(call(2, &[0; 400]));
    assert_eq!(forger.session.closed(), None);
    forger.send(call(3, &[0; 1]));
    forger.assert_breach(Breach::Window);
}

#[test]
fn the_window_is_free_once_the_answer_is_made() {
    let mut forger = Forger::with(Limits { window_calls: 1, ..Limits::default() });
    for question in 1..10 {
        forger.send(call(question, b""));
        let call = forger.application.calls.pop().expect("it arrived");
        forger.session.answer(call.question, Status::Value, plain(b""));
    }
    assert_eq!(forger.session.closed(), None);
}

#[test]
fn credit_for_calls_is_a_breach() {
    let mut pair = Pair::new();
    let question = pair.ask(Left, DIRECTORY, plain(&[0; 10]));
    pair.exchange();
    let mut forger = Forger::new();
    forger.session = std::mem::replace(&mut pair[Left], Forger::new().session);
    forger.send_numbered(1, Frame::Credit { calls: 1, bytes: 10 });
    forger.assert_breach(Breach::Window);
    assert_eq!(forger.application.ended[&0], End::Lost(Outcome::Unknown));
    forger.send_numbered(2, answer(question, b""));
}

#[test]
fn credit_for_more_one_way_messages_than_sent_is_a_breach() {
    let mut pair = Pair::new();
    pair.send_one_way(Left, DIRECTORY, plain(&[0; 10]));
    pair.ask(Left, DIRECTORY, plain(&[0; CHUNK]));
    pair.exchange();
    let mut forger = Forger::new();
    forger.session = std::mem::replace(&mut pair[Left], Forger::new().session);
    forger.send_numbered(1, Frame::Credit { calls: 1, bytes: 9 });
    assert_eq!(forger.session.closed(), None);
    forger.send_numbered(2, Frame::Credit { calls: 0, bytes: 2 });
    forger.assert_breach(Breach::Window);
}
