//! Answers without a question, repeated answers, and answers of the wrong shape.

use std::time::Duration;

use super::outcome::{Answer, code, fault};
use super::peer::{Peer, TARGET};
use super::setup::{Setup, run, soon};
use super::wire::{ANSWER, ANSWER_CHUNK, Bytes, CALL, CREDIT, Frame, answer, mine};

/// Has the node call an object of the peer. Returns the node's question and the peer's own.
async fn called_back(peer: &mut Peer, target: u64) -> (u64, u64) {
    let interface = peer.name(TARGET).await;
    let call = peer.call(target, "call", Bytes::new().count(0)).await.with(mine(7, interface));
    peer.send(&call.frame()).await;
    let arrived = soon("the node calls back", async {
        loop {
            let frame = peer.next().await.expect("the session goes on");
            if frame.kind == CALL {
                return frame.fields().number();
            }
        }
    });
    (arrived.await, call.question)
}

fn value(question: u64, body: Bytes) -> Frame {
    answer(question, 0, body, Bytes::new())
}

#[test]
fn answers_that_nobody_asked_for_end_the_session() {
    run(async {
        let setup = Setup::new().await;
        for question in [0, 1, 2, u64::MAX] {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send(&value(question, Bytes::new())).await;
            assert_eq!(peer.end().await, code::QUESTION, "{question}");
            let mut peer = Peer::connect(&setup.address()).await;
            let part =
                Bytes::new().number(question).byte(0).number(0).number(100_000).raw(&[0; 10]);
            peer.send(&Frame::new(ANSWER, part)).await;
            assert_eq!(peer.end().await, code::QUESTION, "the first part of {question}");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn a_repeated_answer_ends_the_session() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let (call, own) = called_back(&mut peer, target).await;
        peer.send(&value(call, Bytes::new().count(5))).await;
        assert_eq!(peer.answer(own).await.value(), 5);
        peer.send(&value(call, Bytes::new().count(5))).await;
        assert_eq!(peer.end().await, code::QUESTION);
        // Early: before the question is asked, with the number that it will have.
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let (call, _) = called_back(&mut peer, target).await;
        peer.send_all(&[
            value(call, Bytes::new().count(5)),
            value(call + 1, Bytes::new().count(5)),
        ])
        .await;
        assert_eq!(peer.end().await, code::QUESTION);
        setup.is_alone_again().await;
    });
}

#[test]
fn answers_too_large_or_in_parts_that_do_not_fit_end_the_session() {
    run(async {
        let setup = Setup::new().await;
        let begin = |question, total| {
            let head = Bytes::new().number(question).byte(0).number(0).number(total);
            Frame::new(ANSWER, head.raw(&[1; 10]))
        };
        let chunk = |question, bytes: usize| {
            Frame::new(ANSWER_CHUNK, Bytes::new().number(question).raw(&vec![1; bytes]))
        };
        type Script =
            fn(u64, &dyn Fn(u64, u64) -> Frame, &dyn Fn(u64, usize) -> Frame) -> Vec<Frame>;
        let scripts: [(&str, Script, _); 6] = [
            (
                "larger than a body may be",
                |call, begin, _| vec![begin(call, (4 << 20) + 1)],
                code::BODY,
            ),
            ("all that a number can say", |call, begin, _| vec![begin(call, u64::MAX)], code::BODY),
            ("smaller than its part", |call, begin, _| vec![begin(call, 9)], code::CHUNK),
            ("begun twice", |call, begin, _| vec![begin(call, 20), begin(call, 20)], code::CHUNK),
            (
                "a part too large",
                |call, begin, chunk| vec![begin(call, 20), chunk(call, 11)],
                code::CHUNK,
            ),
            (
                "a part of another",
                |call, begin, chunk| vec![begin(call, 20), chunk(call + 1, 10)],
                code::CHUNK,
            ),
        ];
        for (what, script, end) in scripts {
            let mut peer = Peer::connect(&setup.address()).await;
            let target = peer.target().await;
            let (call, _) = called_back(&mut peer, target).await;
            peer.send_all(&script(call, &begin, &chunk)).await;
            assert_eq!(peer.end().await, end, "{what}");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn an_answer_of_another_shape_fails_its_call_alone() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let nonsense = [
            (0, Bytes::new()),
            (0, Bytes::new().string("a text where a number is wanted")),
            (0, Bytes(vec![0xff; 5000])),
            (1, Bytes::new()),
            (1, Bytes(vec![0xff; 5000])),
            (2, Bytes::new()),
            (2, Bytes(vec![0xff; 5000])),
            // Endlessly nested errors.
            (1, Bytes(vec![21; 10_000])),
            (2, Bytes(vec![22; 10_000])),
        ];
        for (status, body) in nonsense {
            let (call, own) = called_back(&mut peer, target).await;
            peer.send(&answer(call, status, body.clone(), Bytes::new())).await;
            let answer: Answer = peer.answer(own).await;
            let what = format!("{status} with {} bytes: {}", body.0.len(), answer.text());
            assert_ne!(answer.status, 0, "{what}");
            assert_eq!(answer.body[0], fault::NESTED, "{what}");
            assert!(answer.body.len() < 1000, "nonsense is not sent back whole");
        }
        peer.close().await;
        setup.is_alone_again().await;
    });
}

/// `Credit` returns the window of one-way messages that were executed; the window of a call is returned by its answer.
/// Returned in both ways, it must not fall below zero.
#[test]
fn credit_for_a_call_with_an_answer_is_refused() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let (call, _) = called_back(&mut peer, target).await;
        peer.send(&Frame::numbers(CREDIT, &[1, 0])).await;
        peer.send(&value(call, Bytes::new().count(5))).await;
        assert_eq!(peer.end().await, code::WINDOW);
        setup.is_alone_again().await;
    });
}

#[test]
fn a_promise_of_an_answer_that_is_never_kept_ends_with_its_deadline() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let interface = peer.name(TARGET).await;
        let call = peer.call(target, "call", Bytes::new().count(0)).await.with(mine(7, interface));
        let call = super::wire::Call { deadline: 100, ..call };
        peer.send(&call.frame()).await;
        let answer =
            tokio::time::timeout(Duration::from_secs(30), peer.answer(call.question)).await;
        let answer = answer.expect("the deadline ends it");
        // The deadline applies to the method and to the call that it makes: either may notice first.
        assert!([fault::TIMEOUT, fault::NESTED].contains(&answer.body[0]), "{}", answer.text());
        peer.close().await;
        setup.is_alone_again().await;
    });
}
