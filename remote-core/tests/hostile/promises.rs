//! Misused promises: on themselves, in endless chains, finished twice, used after they are finished.

use remote_core::Limits;

use super::outcome::{code, fault};
use super::peer::Peer;
use super::setup::{Setup, patient, run, until};
use super::wire::{Bytes, CANCEL, Call, FINISH, Frame, To};

/// As many calls as the window grants.
const CHAIN: u64 = 16_000;

/// Sends a promise, and a chain of promises, each on the one before.
async fn chain(peer: &mut Peer, target: u64, head: &str) -> (u64, u64) {
    let head = peer.call_promise(target, head).await;
    let child = peer.call_promise(target, "child").await;
    peer.send(&head.frame()).await;
    let links: Vec<_> = (1..CHAIN)
        .map(|link| {
            let question = head.question + link;
            Call { question, to: To::Answer(question - 1), ..child.clone() }.frame()
        })
        .collect();
    peer.send_all(&links).await;
    peer.skip_questions(CHAIN);
    (head.question, head.question + CHAIN - 1)
}

#[test]
fn a_promise_of_itself_never_resolves_and_blocks_no_other() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let call = peer.call_promise(target, "child").await;
        peer.send(&Call { to: To::Answer(call.question), ..call.clone() }.frame()).await;
        assert_eq!(peer.answer_to(target, "length", Bytes::new().string("on")).await.value(), 2);
        peer.send(&Frame::numbers(CANCEL, &[call.question])).await;
        assert_eq!(peer.answer(call.question).await.fault(), fault::CANCELLED);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn long_chains_are_kept() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let (_, last) = chain(&mut peer, target, "child").await;
        peer.answer(last).await.object();
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn long_chains_that_wait_for_nothing_go_with_their_session() {
    run(async {
        let setup = Setup::brief(patient()).await;
        for vanishes in [false, true] {
            let mut peer = Peer::connect(&setup.address()).await;
            let target = peer.target().await;
            chain(&mut peer, target, "never_child").await;
            until("the head runs", || setup.running() == 1).await;
            assert_eq!(
                peer.answer_to(target, "length", Bytes::new().string("on")).await.value(),
                2
            );
            if vanishes {
                drop(peer);
                setup.has_no_other_session().await;
            } else {
                peer.close().await;
                setup.is_alone_again().await;
            }
        }
    });
}

#[test]
fn long_chains_break_from_their_head_to_their_end() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let (head, last) = chain(&mut peer, target, "never_child").await;
        until("the head runs", || setup.running() == 1).await;
        peer.send(&Frame::numbers(CANCEL, &[head])).await;
        assert_eq!(peer.answer(head).await.fault(), fault::CANCELLED);
        assert_eq!(peer.answer(last).await.fault(), fault::BROKEN);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn promises_are_finished_once() {
    run(async {
        let setup = Setup::new().await;
        for question in [1, u64::MAX] {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send(&Frame::numbers(FINISH, &[question])).await;
            assert_eq!(peer.end().await, code::QUESTION, "{question} was never call");
        }
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let call = peer.call_promise(target, "never_child").await;
        let finish = Frame::numbers(FINISH, &[call.question]);
        peer.send_all(&[call.frame(), finish.clone(), finish]).await;
        assert_eq!(peer.end().await, code::QUESTION);
        // A call that is no promise cannot be finished.
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let never = peer.ask(target, "never", Bytes::new()).await;
        peer.send(&Frame::numbers(FINISH, &[never])).await;
        assert_eq!(peer.end().await, code::QUESTION);
        setup.is_alone_again().await;
    });
}

#[test]
fn answers_that_are_no_promises_cannot_be_called() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let promise = peer.call_promise(target, "child").await;
        peer.send(&promise.frame()).await;
        peer.answer(promise.question).await;
        peer.send(&Frame::numbers(FINISH, &[promise.question])).await;
        let ask = peer.ask(target, "never", Bytes::new()).await;
        for question in [promise.question, ask, 0, 1, u64::MAX] {
            let call = peer.call(target, "add", Bytes::new().count(1)).await;
            peer.send(&Call { to: To::Answer(question), ..call.clone() }.frame()).await;
            assert_eq!(
                peer.answer(call.question).await.fault(),
                fault::NO_SUCH_OBJECT,
                "{question}"
            );
        }
        // A promise of a value that is no reference breaks the messages to it.
        let number = peer
            .call(target, "add", Bytes::new().count(1))
            .await
            .manner(super::wire::Manner::Promise);
        let call = peer.call(target, "add", Bytes::new().count(1)).await;
        let call = Call { to: To::Answer(number.question), ..call };
        peer.send_all(&[number.frame(), call.frame()]).await;
        let answer = peer.answer(call.question).await;
        assert!([fault::BROKEN, fault::DECODE].contains(&answer.fault()), "{}", answer.text());
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn answers_kept_are_bounded() {
    run(async {
        let setup = Setup::with(Limits { references: 1000, ..patient() }).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let call = peer
            .call(target, "add", Bytes::new().count(1))
            .await
            .manner(super::wire::Manner::Promise);
        let calls: Vec<_> = (0..1001)
            .map(|more| Call { question: call.question + more, ..call.clone() }.frame())
            .collect();
        peer.send_all(&calls[..1000]).await;
        peer.answer(call.question + 999).await;
        peer.send(&calls[1000]).await;
        assert_eq!(peer.end().await, code::REFERENCES);
        setup.is_alone_again().await;
    });
}
