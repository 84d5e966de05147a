//! No more waits to be written, is written at once, or is kept until it is acknowledged, than there is room for.

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
fn a_queue_is_full_with_its_last_byte() {
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
fn a_full_queue_holds_calls_back_until_it_is_written() {
    let limits = Limits { queue: 100 << 10, body: 100 << 10, ..Limits::default() };
    let mut pair = Pair::with(limits.clone(), Limits::default());
    let other = pair.given(Right);
    pair.ask(Left, DIRECTORY, pattern(100 << 10));
    pair.ask(Left, Target::Object(other), plain(&[2]));
    assert!(!pair[Left].has_room());
    assert_eq!(pair[Left].waiting.len(), 1);
    assert!(pair[Left].held() <= limits.queue + limits.body);
    pair.settle();
    assert_eq!(pair.seen(Right).bodies().len(), 2);
    assert!(pair[Left].has_room());
}

#[test]
fn no_more_is_written_than_is_kept_but_signs_of_life_are() {
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
    assert_eq!(pair[Left].unacknowledged(), kept, "it is full with its last byte");
    let mut now = pair.now;
    assert_eq!(pair[Left].poll_transmit(now), None);
    (0..64).for_each(|_| _ = pair.tell(Right, DIRECTORY, plain(b"")));
    pair.transmit(Right);
    pair.now += Duration::from_millis(1);
    pair.deliver(Left, usize::MAX);
    for _ in ["an acknowledgement", "and a ping, of which it does as well"] {
        assert!(pair[Left].wants_transmit());
        let block = pair[Left].poll_transmit(now).expect("Right waits for it");
        let number = pair[Left].received();
        assert_eq!(frames(&block), [(None, Frame::Acknowledge { number })]);
        assert_eq!(pair[Left].poll_transmit(now), None);
        assert!(!pair[Left].wants_transmit());
        now += Limits::default().ping;
        pair[Left].handle_timeout(now, Reads::Active);
    }
    pair.settle();
    assert_eq!(pair.seen(Right).bodies().len(), 1, "what was kept makes room when it has arrived");
}

#[test]
fn answers_beyond_what_the_peer_takes_at_once_wait_for_each_other() {
    let limits = Limits { window_bytes: 100 << 10, body: 60 << 10, ..Limits::default() };
    let mut pair = Pair::with(limits.clone(), limits);
    let questions: Vec<_> = (0..5).map(|_| pair.ask(Left, DIRECTORY, plain(b""))).collect();
    pair.settle();
    for question in questions {
        pair.answer(Right, question, pattern(60 << 10));
    }
    pair.settle();
    assert_eq!(pair.seen(Left).ended.len(), 5);
    assert_eq!(pair[Left].closed(), None);
}

#[test]
fn answers_that_waited_begin_together_if_the_peer_takes_them_at_once() {
    let limits = Limits { window_bytes: 1_000_000, body: 600_000, ..Limits::default() };
    let mut pair = Pair::with(limits, Limits::default());
    let sizes = [600_000, 600_000, 400_000];
    let questions = sizes.map(|_| pair.ask(Left, DIRECTORY, plain(b"")));
    pair.settle();
    for (question, size) in questions.into_iter().zip(sizes) {
        pair.answer(Right, question, pattern(size));
    }
    let mut order = Vec::new();
    while order.len() < 3 {
        assert!(pair[Right].wants_transmit() || pair.is_coming(Left), "{order:?} and no more");
        pair.exchange();
        order.extend(pair.seen(Left).ended.drain().map(|(token, _)| token));
    }
    assert_eq!(order, [0, 2, 1], "the last one is shorter than what it waited with");
}

#[test]
fn an_answer_larger_than_all_that_the_peer_takes_at_once_goes_alone() {
    // The handshake refuses such a grant; the session does not count on that, and nothing is stuck.
    let mut forger = Forger::with(Limits { window_bytes: 2 * CHUNK as u64, ..Limits::default() });
    (1..4).for_each(|question| forger.say(call(question, b"")));
    (1..4).for_each(|question| {
        forger.session.answer(QuestionId(question), Status::Value, pattern(3 * CHUNK));
    });
    let said = forger.hear();
    assert_eq!(said.iter().filter(|frame| frame.starts_with("Answer {")).count(), 3);
    assert_eq!(said.iter().filter(|frame| frame.starts_with("AnswerChunk")).count(), 6);
}

/// As many bytes as 256 chunks have.
const BIG: usize = 4 << 20;

#[test]
fn one_write_takes_eight_chunks_of_what_is_big() {
    let mut pair = Pair::new();
    pair.ask(Left, DIRECTORY, pattern(BIG));
    let now = pair.now;
    for _ in 0..BIG / (9 * CHUNK) {
        let block = pair[Left].poll_transmit(now).expect("there is more");
        assert!((8 * CHUNK..9 * CHUNK).contains(&block.len()), "{} bytes", block.len());
    }
}
