//! Answers that nobody asked for, that come twice, or that are not what was asked for.

use std::time::Duration;

use super::outcome::{Answer, code, fault};
use super::peer::{Peer, TARGET};
use super::stage::{Stage, run, soon};
use super::wire::{ANSWER, ANSWER_CHUNK, Bytes, CALL, CREDIT, Frame, answer, mine};

/// Has the node call back, to an object of the peer's; the question of the node's, and the peer's own.
async fn called_back(peer: &mut Peer, target: u64) -> (u64, u64) {
    let interface = peer.name(TARGET).await;
    let call = peer.call(target, "call", Bytes::new().count(0)).await.with(mine(7, interface));
    peer.send(&call.frame()).await;
    let asked = soon("the node calls back", async {
        loop {
            let frame = peer.next().await.expect("the session goes on");
            if frame.kind == CALL {
                return frame.fields().number();
            }
        }
    });
    (asked.await, call.question)
}

fn value(question: u64, body: Bytes) -> Frame {
    answer(question, 0, body, Bytes::new())
}

#[test]
fn answers_that_nobody_asked_for_end_the_session() {
    run(async {
        let stage = Stage::new().await;
        for question in [0, 1, 2, u64::MAX] {
            let mut peer = Peer::connect(&stage.address()).await;
            peer.send(&value(question, Bytes::new())).await;
            assert_eq!(peer.end().await, code::QUESTION, "{question}");
            let mut peer = Peer::connect(&stage.address()).await;
            let part =
                Bytes::new().number(question).byte(0).number(0).number(100_000).raw(&[0; 10]);
            peer.send(&Frame::new(ANSWER, part)).await;
            assert_eq!(peer.end().await, code::QUESTION, "the first part of {question}");
        }
        stage.is_alone_again().await;
    });
}

#[test]
fn an_answer_that_comes_twice_ends_the_session() {
    run(async {
        let stage = Stage::new().await;
        let mut peer = Peer::connect(&stage.address()).await;
        let target = peer.target().await;
        let (asked, own) = called_back(&mut peer, target).await;
        peer.send(&value(asked, Bytes::new().count(5))).await;
        assert_eq!(peer.answer(own).await.value(), 5);
        peer.send(&value(asked, Bytes::new().count(5))).await;
        assert_eq!(peer.end().await, code::QUESTION);
        // Early: before it is asked, in the order in which it would be.
        let mut peer = Peer::connect(&stage.address()).await;
        let target = peer.target().await;
        let (asked, _) = called_back(&mut peer, target).await;
        peer.send_all(&[
            value(asked, Bytes::new().count(5)),
            value(asked + 1, Bytes::new().count(5)),
        ])
        .await;
        assert_eq!(peer.end().await, code::QUESTION);
        stage.is_alone_again().await;
    });
}

#[test]
fn answers_too_large_or_in_parts_that_do_not_fit_end_the_session() {
    run(async {
        let stage = Stage::new().await;
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
                |asked, begin, _| vec![begin(asked, (4 << 20) + 1)],
                code::BODY,
            ),
            (
                "all that a number can say",
                |asked, begin, _| vec![begin(asked, u64::MAX)],
                code::BODY,
            ),
            ("smaller than its part", |asked, begin, _| vec![begin(asked, 9)], code::CHUNK),
            (
                "begun twice",
                |asked, begin, _| vec![begin(asked, 20), begin(asked, 20)],
                code::CHUNK,
            ),
            (
                "a part too large",
                |asked, begin, chunk| vec![begin(asked, 20), chunk(asked, 11)],
                code::CHUNK,
            ),
            (
                "a part of another",
                |asked, begin, chunk| vec![begin(asked, 20), chunk(asked + 1, 10)],
                code::CHUNK,
            ),
        ];
        for (what, script, end) in scripts {
            let mut peer = Peer::connect(&stage.address()).await;
            let target = peer.target().await;
            let (asked, _) = called_back(&mut peer, target).await;
            peer.send_all(&script(asked, &begin, &chunk)).await;
            assert_eq!(peer.end().await, end, "{what}");
        }
        stage.is_alone_again().await;
    });
}

#[test]
fn an_answer_of_another_shape_fails_its_call_alone() {
    run(async {
        let stage = Stage::new().await;
        let mut peer = Peer::connect(&stage.address()).await;
        let target = peer.target().await;
        let nonsense = [
            (0, Bytes::new()),
            (0, Bytes::new().string("a text where a number is wanted")),
            (0, Bytes(vec![0xff; 5000])),
            (1, Bytes::new()),
            (1, Bytes(vec![0xff; 5000])),
            (2, Bytes::new()),
            (2, Bytes(vec![0xff; 5000])),
            // Errors within errors, without end.
            (1, Bytes(vec![21; 10_000])),
            (2, Bytes(vec![22; 10_000])),
        ];
        for (status, body) in nonsense {
            let (asked, own) = called_back(&mut peer, target).await;
            peer.send(&answer(asked, status, body.clone(), Bytes::new())).await;
            let told: Answer = peer.answer(own).await;
            let what = format!("{status} with {} bytes: {}", body.0.len(), told.text());
            assert_ne!(told.status, 0, "{what}");
            assert_eq!(told.body[0], fault::NESTED, "{what}");
            assert!(told.body.len() < 1000, "nonsense is not sent back whole");
        }
        peer.close().await;
        stage.is_alone_again().await;
    });
}

/// Room is given for messages without answer when they have been executed. For a call that has an answer, the answer
/// gives it: claimed both ways, the account must not go below nothing.
#[test]
fn room_cannot_be_given_for_a_call_that_will_be_answered() {
    run(async {
        let stage = Stage::new().await;
        let mut peer = Peer::connect(&stage.address()).await;
        let target = peer.target().await;
        let (asked, _) = called_back(&mut peer, target).await;
        peer.send(&Frame::numbers(CREDIT, &[1, 0])).await;
        peer.send(&value(asked, Bytes::new().count(5))).await;
        assert_eq!(peer.end().await, code::WINDOW);
        stage.is_alone_again().await;
    });
}

#[test]
fn a_promise_of_an_answer_that_is_never_kept_ends_with_its_deadline() {
    run(async {
        let stage = Stage::new().await;
        let mut peer = Peer::connect(&stage.address()).await;
        let target = peer.target().await;
        let interface = peer.name(TARGET).await;
        let call = peer.call(target, "call", Bytes::new().count(0)).await.with(mine(7, interface));
        let call = super::wire::Call { deadline: 100, ..call };
        peer.send(&call.frame()).await;
        let told = tokio::time::timeout(Duration::from_secs(30), peer.answer(call.question)).await;
        let told = told.expect("the deadline ends it");
        // The deadline is the method's too, and that of the call that it makes: whichever notices first.
        assert!([fault::TIMEOUT, fault::NESTED].contains(&told.body[0]), "{}", told.text());
        peer.close().await;
        stage.is_alone_again().await;
    });
}
