//! The bounds of the bytes that wait to be written, are written at once, or are retained until they are acknowledged.

use std::time::Duration;

use super::application::{pattern, plain};
use super::forger::{Forger, call, frames};
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair};
use crate::id::QuestionId;
use crate::limits::Limits;
use crate::session::Reads;
use crate::wire::frame::{CHUNK, Frame, Status, Target};

#[test]
fn the_limit_of_the_queue_is_exact() {
    let ready = |queue| {
        let limits = Limits { queue, ..Limits::default() };
        let mut pair = Pair::with(limits, Limits::default());
        pair.ask(Left, DIRECTORY, pattern(100));
        (pair[Left].underway(), pair[Left].has_room())
    };
    let (bytes, _) = ready(1000);
    assert_eq!(ready(bytes + 1), (bytes, true));
    assert_eq!(ready(bytes), (bytes, false));
}

#[test]
fn a_full_queue_delays_calls_until_it_is_written() {
    let limits = Limits { queue: 100 << 10, body: 100 << 10, ..Limits::default() };
    let mut pair = Pair::with(limits.clone(), Limits::default());
    let other = pair.new_export(Right);
    pair.ask(Left, DIRECTORY, pattern(100 << 10));
    pair.ask(Left, Target::Object(other), plain(&[2]));
    assert!(!pair[Left].has_room());
    assert_eq!(pair[Left].waiting.len(), 1);
    assert!(pair[Left].held() <= limits.queue + limits.body);
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies().len(), 2);
    assert!(pair[Left].has_room());
}

#[test]
fn only_control_frames_exceed_the_limit_of_retained_bytes() {
    let write = |unacknowledged| {
        let limits = Limits { unacknowledged, ..Limits::default() };
        let mut pair = Pair::with(limits, Limits::default());
        pair.ask(Left, DIRECTORY, pattern(4 << 20));
        while pair[Left].wants_transmit() {
            pair.transmit(Left);
        }
        pair
    };
    let most = 2 << 20;
    let kept = write(most)[Left].unacknowledged();
    assert!((most..most + 9 * CHUNK).contains(&kept), "{kept} bytes");
    let mut pair = write(kept);
    assert_eq!(pair[Left].unacknowledged(), kept, "the limit is exact");
    let mut now = pair.now;
    assert_eq!(pair[Left].poll_transmit(now), None);
    (0..64).for_each(|_| _ = pair.send_one_way(Right, DIRECTORY, plain(b"")));
    pair.transmit(Right);
    pair.now += Duration::from_millis(1);
    pair.deliver(Left, usize::MAX);
    for _ in ["an acknowledgement", "and a ping, for which it also serves"] {
        assert!(pair[Left].wants_transmit());
        let block = pair[Left].poll_transmit(now).expect("Right waits for it");
        let number = pair[Left].received();
        assert_eq!(frames(&block), [(None, Frame::Acknowledge { number })]);
        assert_eq!(pair[Left].poll_transmit(now), None);
        assert!(!pair[Left].wants_transmit());
        now += Limits::default().ping;
        pair[Left].handle_timeout(now, Reads::Active);
    }
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies().len(), 1, "acknowledged bytes make room");
}

#[test]
fn large_answers_wait_for_each_other_beyond_the_limit() {
    let limits = Limits { window_bytes: 100 << 10, body: 60 << 10, ..Limits::default() };
    let mut pair = Pair::with(limits.clone(), limits);
    let questions: Vec<_> = (0..5).map(|_| pair.ask(Left, DIRECTORY, plain(b""))).collect();
    pair.run_until_idle();
    for question in questions {
        pair.answer(Right, question, pattern(60 << 10));
    }
    pair.run_until_idle();
    assert_eq!(pair.application(Left).ended.len(), 5);
    assert_eq!(pair[Left].closed(), None);
}

#[test]
fn waiting_answers_start_together_within_the_limit() {
    let limits = Limits { window_bytes: 1_000_000, body: 600_000, ..Limits::default() };
    let mut pair = Pair::with(limits, Limits::default());
    let sizes = [600_000, 600_000, 400_000];
    let questions = sizes.map(|_| pair.ask(Left, DIRECTORY, plain(b"")));
    pair.run_until_idle();
    for (question, size) in questions.into_iter().zip(sizes) {
        pair.answer(Right, question, pattern(size));
    }
    let mut order = Vec::new();
    while order.len() < 3 {
        assert!(pair[Right].wants_transmit() || pair.is_coming(Left), "{order:?} and no more");
        pair.exchange();
        order.extend(pair.application(Left).ended.drain().map(|(token, _)| token));
    }
    assert_eq!(order, [0, 2, 1], "the last one is shorter than the one that waited with it");
}

#[test]
fn an_answer_over_the_limit_is_sent_alone() {
    // The handshake refuses such a grant. The session does not rely on that.
    let mut forger = Forger::with(Limits { window_bytes: 2 * CHUNK as u64, ..Limits::default() });
    (1..4).for_each(|question| forger.send(call(question, b"")));
    (1..4).for_each(|question| {
        forger.session.answer(QuestionId(question), Status::Value, pattern(3 * CHUNK));
    });
    let output = forger.take_output();
    assert_eq!(output.iter().filter(|frame| frame.starts_with("Answer {")).count(), 3);
    assert_eq!(output.iter().filter(|frame| frame.starts_with("AnswerChunk")).count(), 6);
}

/// The size of 256 chunks.
const LARGE: usize = 4 << 20;

#[test]
fn one_write_has_at_most_eight_chunks() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, pattern(LARGE));
    let now = pair.now;
    for _ in 0..LARGE / (9 * CHUNK) {
        let block = pair[Left].poll_transmit(now).expect("there is more");
        assert!((8 * CHUNK..9 * CHUNK).contains(&block.len()), "{} bytes", block.len());
    }
}
