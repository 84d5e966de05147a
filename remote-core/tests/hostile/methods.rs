//! Methods that panic, never return, or return too much.

use remote_core::Limits;

use super::hello::Hello;
use super::outcome::{code, fault};
use super::peer::Peer;
use super::setup::{Setup, patient, run, until};
use super::wire::{Bytes, CANCEL, Call, Frame, Manner};

#[test]
fn a_method_that_panics_fails_its_call_alone() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        for _ in 0..100 {
            let answer = peer.answer_to(target, "panics", Bytes::new()).await;
            assert_eq!(answer.fault(), fault::PANICKED);
            assert!(answer.text().contains("as it was call to"));
        }
        let message = peer.call(target, "panics", Bytes::new()).await.manner(Manner::OneWay);
        peer.send(&message.frame()).await;
        let promise = peer.call_promise(target, "panics").await;
        peer.send(&promise.frame()).await;
        assert_eq!(peer.answer(promise.question).await.fault(), fault::PANICKED);
        assert_eq!(peer.answer_to(target, "length", Bytes::new().string("on")).await.value(), 2);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_method_that_never_returns_ends_with_its_call() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let never = peer.ask(target, "never", Bytes::new()).await;
        let other = peer.ask(target, "never", Bytes::new()).await;
        until("both run", || setup.running() == 2).await;
        peer.send(&Frame::numbers(CANCEL, &[never])).await;
        assert_eq!(peer.answer(never).await.fault(), fault::CANCELLED);
        assert_eq!(setup.running(), 1, "{other} goes on");
        setup.assert_served().await;
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_result_that_is_too_large_fails_its_call_alone() {
    run(async {
        let limits = Limits { body: 100_000, ..patient() };
        let setup = Setup::with(limits).await;
        // The limits that the peer grants do not raise the size that the node produces.
        let granting = Hello { body: 1 << 40, bytes: 1 << 50, ..Hello::of(super::peer::greater()) };
        let mut peer = Peer::introduced(&setup.address(), &granting).await;
        let target = peer.target().await;
        let whole = peer.answer_to(target, "large", Bytes::new().count(99_000)).await;
        assert_eq!((whole.status, whole.body.len()), (0, 99_005));
        for size in [100_001, 1 << 20, 1 << 26] {
            let answer = peer.answer_to(target, "large", Bytes::new().count(size)).await;
            assert_eq!(answer.fault(), fault::NESTED, "{size} bytes");
            assert!(answer.body.len() < 100);
        }
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_peer_that_takes_nothing_gets_nothing() {
    run(async {
        let setup = Setup::new().await;
        let sparing = Hello {
            body: 0,
            bytes: 0,
            references: 0,
            calls: 1,
            ..Hello::of(super::peer::greater())
        };
        let mut peer = Peer::introduced(&setup.address(), &sparing).await;
        let selector = peer.name("remote.Directory.lookup").await;
        let body = Bytes::new().string("target").string("Target");
        peer.send(&Call::new(1, super::wire::To::Object(0), selector, body).frame()).await;
        assert_eq!(peer.answer(1).await.fault(), fault::NESTED, "no reference may be given");
        let selector = peer.name("remote.Directory.names").await;
        peer.send(&Call::new(2, super::wire::To::Object(0), selector, Bytes::new()).frame()).await;
        assert_eq!(peer.answer(2).await.fault(), fault::NESTED, "no body may be sent");
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn messages_without_answer_keep_to_the_window_too() {
    run(async {
        let setup = Setup::with(Limits { window_calls: 64, ..patient() }).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let message = peer.call(target, "never", Bytes::new()).await.manner(Manner::OneWay);
        let messages: Vec<_> = (0..65)
            .map(|more| Call { question: message.question + more, ..message.clone() }.frame())
            .collect();
        peer.send_all(&messages[..64]).await;
        until("they run", || setup.running() == 64).await;
        setup.assert_served().await;
        peer.send(&messages[64]).await;
        assert_eq!(peer.end().await, code::WINDOW);
        setup.is_alone_again().await;
    });
}
