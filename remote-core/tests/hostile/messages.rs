//! Messages to objects that were not introduced, with unknown names, and beyond every window.

use remote_core::{Limits, Node, Ref};

use super::outcome::{code, fault};
use super::peer::{DIRECTORY, Peer, TARGET};
use super::setup::{HonestClient, Setup, patient, run, until};
use super::target::{Target, TargetObject};
use super::vocabulary::fingerprint;
use super::wire::{Bytes, Call, Fields, Manner, To, yours};

#[test]
fn an_unknown_method_is_refused_by_name() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let add = fingerprint("Target.add");
        for (name, fingerprint, expected) in [
            ("Target.fly", 1, fault::MESSAGE_NOT_UNDERSTOOD),
            ("", 2, fault::MESSAGE_NOT_UNDERSTOOD),
            ("Target.add ", 3, fault::MESSAGE_NOT_UNDERSTOOD),
            (
                "remote.Directory.names",
                fingerprint("remote.Directory.names"),
                fault::MESSAGE_NOT_UNDERSTOOD,
            ),
            ("Target.add", add ^ 1, fault::SIGNATURE_MISMATCH),
            // The fingerprint of a method under the name of another one, or of none.
            ("Target.length", add, fault::SIGNATURE_MISMATCH),
            ("Target.fly", add, fault::MESSAGE_NOT_UNDERSTOOD),
        ] {
            let selector = peer.name_as(name, fingerprint).await;
            let call =
                Call::new(peer.question(), To::Object(target), selector, Bytes::new().count(1));
            peer.send(&call.frame()).await;
            let answer = peer.answer(call.question).await;
            assert_eq!(answer.fault(), expected, "`{name}`: {}", answer.text());
            assert!(answer.text().contains(name), "{}", answer.text());
        }
        peer.close().await;
        // The arguments of another method do not match.
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let answer = peer.answer_to(target, "add", Bytes::new().string("a text")).await;
        assert_eq!(answer.fault(), fault::DECODE);
        let answer = peer.answer_to(target, "words", Bytes::new().count(300)).await;
        assert_eq!(answer.fault(), fault::DECODE);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn names_are_announced_once_in_order_and_in_bounds() {
    run(async {
        let setup = Setup::new().await;
        for selector in [0, 1, 2, u64::MAX] {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send(&Call::new(1, To::Object(DIRECTORY), selector, Bytes::new()).frame()).await;
            assert_eq!(peer.end().await, code::NAME, "{selector} was never announced");
        }
        for (id, name) in [(0, "zero"), (2, "two"), (u64::MAX, "all"), (1, &"x".repeat(1025))] {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send(&super::peer::announcement(id, 1, name)).await;
            assert_eq!(peer.end().await, code::NAME, "{id}, {} bytes", name.len());
        }
        let mut twice = Peer::connect(&setup.address()).await;
        twice.name_as("one", 1).await;
        twice.send(&super::peer::announcement(1, 1, "one")).await;
        assert_eq!(twice.end().await, code::NAME);
        let mut endless = Peer::connect(&setup.address()).await;
        let names: Vec<_> =
            (1..=20_000).map(|id| super::peer::announcement(id, id.into(), "name")).collect();
        endless.send_all(&names).await;
        assert_eq!(endless.end().await, code::NAME);
        let mut large = Peer::connect(&setup.address()).await;
        let name = "x".repeat(1024);
        let names: Vec<_> =
            (1..=1025).map(|id| super::peer::announcement(id, id.into(), &name)).collect();
        large.send_all(&names).await;
        assert_eq!(large.end().await, code::NAME);
        setup.is_alone_again().await;
    });
}

#[test]
fn an_object_that_was_not_introduced_cannot_be_named() {
    run(async {
        let setup = Setup::new().await;
        // Another session has an object of its own; its number is not secret, and of no use.
        let mut owner = Peer::connect(&setup.address()).await;
        let target = owner.target().await;
        let child = owner.answer_to(target, "child", Bytes::new()).await.object();
        let mut peer = Peer::connect(&setup.address()).await;
        for object in [target, child, child + 1, 1 << 40, u64::MAX] {
            let answer = peer.answer_to(object, "add", Bytes::new().count(1)).await;
            assert_eq!(answer.fault(), fault::NO_SUCH_OBJECT, "{object}");
        }
        let own = peer.target().await;
        assert_eq!(own, target);
        // A released object cannot be named any more.
        peer.send(&super::wire::Frame::numbers(super::wire::RELEASE, &[own, 1])).await;
        let answer = peer.answer_to(own, "add", Bytes::new().count(1)).await;
        assert_eq!(answer.fault(), fault::NO_SUCH_OBJECT);
        // Nor can it be passed on: that is a breach.
        let directory = DIRECTORY;
        let interface = peer.name(TARGET).await;
        let call =
            peer.call(directory, "keep", Bytes::new().count(0)).await.with(yours(child, interface));
        peer.send(&call.frame()).await;
        assert_eq!(peer.end().await, code::REFERENCES);
        assert_eq!(owner.answer_to(child, "length", Bytes::new().string("yes")).await.value(), 3);
        owner.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn questions_in_use_are_refused() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let call = peer.call(target, "never", Bytes::new()).await;
        peer.send(&call.frame()).await;
        until("the method runs", || setup.running() == 1).await;
        peer.send(&call.frame()).await;
        assert_eq!(peer.end().await, code::QUESTION);
        setup.is_alone_again().await;
    });
}

#[test]
fn more_calls_than_granted_end_the_session() {
    run(async {
        let setup = Setup::with(Limits { window_calls: 100, ..patient() }).await;
        for manner in [Manner::Call, Manner::Promise] {
            let mut peer = Peer::connect(&setup.address()).await;
            let target = peer.target().await;
            let call = peer.call(target, "never_child", Bytes::new()).await.manner(manner);
            for more in 0..100 {
                let question = call.question + more;
                peer.send(&Call { question, ..call.clone() }.frame()).await;
            }
            until("the window is full", || setup.running() == 100).await;
            setup.assert_served().await;
            peer.send(&Call { question: call.question + 100, ..call }.frame()).await;
            assert_eq!(peer.end().await, code::WINDOW);
            until("what was begun is dropped", || setup.running() == 0).await;
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn more_bytes_than_granted_end_the_session() {
    run(async {
        let limits = Limits { window_bytes: 100_000, body: 50_000, ..patient() };
        let setup = Setup::with(limits).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        // Bytes that a method does not take are not decoded, but they count. 10 bodies of 10,000 bytes fit exactly.
        let endless = peer.call_promise(target, "never_child").await;
        peer.send(&endless.frame()).await;
        for _ in 0..10 {
            let call = peer.call(target, "bytes", Bytes(vec![1; 10_000])).await;
            let call = Call { to: To::Answer(endless.question), ..call };
            peer.send(&call.frame()).await;
        }
        setup.assert_served().await;
        let call = peer.call(target, "bytes", Bytes(vec![1; 1])).await;
        peer.send(&call.frame()).await;
        assert_eq!(peer.end().await, code::WINDOW);
        setup.is_alone_again().await;
    });
}

#[test]
fn nesting_and_deadlines_are_taken_at_their_word_and_no_further() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        for (nesting, expected) in
            [(0, None), (32, None), (33, Some(fault::QUOTA)), (255, Some(fault::QUOTA))]
        {
            let call = peer.call(target, "add", Bytes::new().count(1)).await;
            peer.send(&Call { nesting, ..call.clone() }.frame()).await;
            let answer = peer.answer(call.question).await;
            match expected {
                None => assert_eq!(answer.status, 0, "{nesting} deep"),
                Some(expected) => assert_eq!(answer.fault(), expected, "{nesting} deep"),
            }
        }
        for (deadline, method) in [(u64::MAX, "add"), (1 << 62, "add"), (1, "never"), (2, "never")]
        {
            let body = if method == "add" { Bytes::new().count(1) } else { Bytes::new() };
            let call = peer.call(target, method, body).await;
            peer.send(&Call { deadline, ..call.clone() }.frame()).await;
            let answer = peer.answer(call.question).await;
            match method {
                "add" => assert_eq!(answer.status, 0, "a deadline in {deadline} ms"),
                _ => assert_eq!(answer.fault(), fault::TIMEOUT, "a deadline in {deadline} ms"),
            }
        }
        // A method that waits, with the latest deadline.
        let call = peer.call(target, "never", Bytes::new()).await;
        peer.send(&Call { deadline: u64::MAX, ..call }.frame()).await;
        until("it runs", || setup.running() == 1).await;
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_peer_with_too_many_names_does_not_exhaust_those_of_others() {
    run(async {
        let setup = Setup::new().await;
        // The node forwards to an object of another client, under any name that a caller uses.
        let owner = Node::new();
        let target: Ref<dyn Target> = owner.lookup(setup.server.uri("target")).await.unwrap();
        target.keep(Ref::new(TargetObject::default())).await.unwrap();
        let honest = HonestClient::of(&owner, &setup.server.uri("target")).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let object = peer.target().await;
        let forwarded = peer.answer_to(object, "kept", Bytes::new()).await;
        let forwarded = Fields(&forwarded.references[1..]).number();
        let mut last = 0;
        for name in 0..16_000_u64 {
            let selector = peer.name_as(&format!("no{name}"), name.into()).await;
            last = peer.question();
            peer.send(&Call::new(last, To::Object(forwarded), selector, Bytes::new()).frame())
                .await;
        }
        peer.answer(last).await;
        let mut other = Peer::connect(&setup.address()).await;
        let object = other.target().await;
        let forwarded = other.answer_to(object, "kept", Bytes::new()).await;
        let forwarded = Fields(&forwarded.references[1..]).number();
        for name in 16_000..17_000_u64 {
            let selector = other.name_as(&format!("no{name}"), name.into()).await;
            last = other.question();
            other
                .send(&Call::new(last, To::Object(forwarded), selector, Bytes::new()).frame())
                .await;
        }
        other.answer(last).await;
        honest.assert_served().await;
        assert_eq!(target.add(0).await.map(drop), Ok(()), "the owner's session goes on");
    });
}
