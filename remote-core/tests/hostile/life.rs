//! Releases of objects that were not held, references to objects that were not introduced, and endless watches.

use remote_core::Limits;

use super::outcome::{code, fault};
use super::peer::{Peer, TARGET};
use super::setup::{Setup, is_held_back, patient, run, until};
use super::wire::{Bytes, ENDED, Frame, RELEASE, UNWATCH, WATCH, mine, yours};

#[test]
fn more_cannot_be_released_than_was_held() {
    run(async {
        let setup = Setup::new().await;
        let mut owner = Peer::connect(&setup.address()).await;
        let target = owner.target().await;
        let child = owner.answer_to(target, "child", Bytes::new()).await.object();
        for (object, introductions) in [
            (target, 2),
            (target, u64::MAX),
            (child, 1),
            (child, 0),
            (0, 1),
            (u64::MAX, 1),
            (u64::MAX, u64::MAX),
        ] {
            let mut peer = Peer::connect(&setup.address()).await;
            assert_eq!(peer.target().await, target);
            peer.send(&Frame::numbers(RELEASE, &[object, introductions])).await;
            assert_eq!(peer.end().await, code::RELEASE, "{introductions} of {object}");
        }
        // The same release twice, in two frames.
        let mut peer = Peer::connect(&setup.address()).await;
        let release = Frame::numbers(RELEASE, &[peer.target().await, 1]);
        peer.send_all(&[release.clone(), release]).await;
        assert_eq!(peer.end().await, code::RELEASE);
        assert_eq!(owner.answer_to(child, "length", Bytes::new().string("here")).await.value(), 4);
        owner.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn references_of_a_peer_are_released_after_a_violation() {
    run(async {
        let setup = Setup::new().await;
        let before = setup.server.exports();
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        for _ in 0..50 {
            peer.answer_to(target, "child", Bytes::new()).await.object();
        }
        assert_eq!(setup.server.exports(), before + 50);
        peer.send(&Frame::numbers(RELEASE, &[u64::MAX, 1])).await;
        assert_eq!(peer.end().await, code::RELEASE);
        until("the children go", || setup.server.exports() == before).await;
        setup.is_alone_again().await;
    });
}

#[test]
fn references_that_cannot_be_end_the_session() {
    run(async {
        let setup = Setup::new().await;
        let wrong = [
            ("an interface never announced", mine(7, 1000), code::NAME),
            ("of no kind", Bytes::new().byte(3).number(7).number(1), code::FRAME),
            ("cut short", Bytes::new().byte(0).number(7), code::FRAME),
            (
                "forwarded, for an owner cut short",
                Bytes::new().byte(2).number(7).number(1).raw(&[1; 15]),
                code::FRAME,
            ),
            ("a number without end", Bytes::new().byte(0).raw(&[0xff; 12]), code::FRAME),
            ("an object never given", yours(u64::MAX, 1), code::REFERENCES),
        ];
        for (what, reference, end) in wrong {
            let mut peer = Peer::connect(&setup.address()).await;
            let target = peer.target().await;
            // A valid reference before it, which must be released.
            let references = mine(8, 0).raw(&reference.0);
            let call = peer.call(target, "keep", Bytes::new().count(0)).await.with(references);
            peer.send(&call.frame()).await;
            assert_eq!(peer.end().await, end, "{what}");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn places_without_a_reference_fail_their_call() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let interface = peer.name(TARGET).await;
        for place in [1, 2, 1000, u64::from(u32::MAX) - 1, u64::from(u32::MAX) + 1, u64::MAX] {
            let call =
                peer.call(target, "keep", Bytes::new().count(place)).await.with(mine(7, interface));
            peer.send(&call.frame()).await;
            let answer = peer.answer(call.question).await;
            assert_eq!(answer.fault(), fault::DECODE, "place {place}: {}", answer.text());
        }
        // The object at the index has another interface.
        let other = peer.name("remote.Directory.lookup").await;
        let call = peer.call(target, "keep", Bytes::new().count(0)).await.with(mine(7, other));
        peer.send(&call.frame()).await;
        assert_eq!(peer.answer(call.question).await.fault(), fault::DECODE);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn references_of_a_failed_call_are_released_once() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let interface = peer.name(TARGET).await;
        let references = Bytes(mine(7, interface).0.repeat(5));
        let call = peer.call(target, "keep", Bytes::new().count(99)).await.with(references);
        peer.send(&call.frame()).await;
        let (mut returned, mut answered) = (0, false);
        while returned < 5 || !answered {
            let frame = peer.next().await.expect("the session goes on");
            let mut fields = frame.fields();
            match frame.kind {
                RELEASE => {
                    assert_eq!(fields.number(), 7);
                    returned += fields.number();
                }
                super::wire::ANSWER => answered = true,
                _ => {}
            }
        }
        assert_eq!(returned, 5);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn references_are_bounded() {
    run(async {
        let setup = Setup::with(Limits { references: 100, ..patient() }).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let interface = peer.name(TARGET).await;
        let objects = |from: u64, count: u64| {
            (from..from + count)
                .fold(Bytes::new(), |all, object| all.raw(&mine(object, interface).0))
        };
        let places = (0..100).fold(Bytes::new().count(100), Bytes::count);
        let call = peer.call(target, "keep_all", places).await.with(objects(1, 100));
        peer.send(&call.frame()).await;
        assert_eq!(peer.answer(call.question).await.value(), 100);
        // In the other direction, the call fails.
        let mut refused = 0;
        for _ in 0..110 {
            let answer = peer.answer_to(target, "child", Bytes::new()).await;
            refused += u32::from(answer.status != 0);
        }
        assert_eq!(refused, 11, "the target and 99 children are held");
        let call = peer.call(target, "keep_all", Bytes::new().count(0)).await.with(objects(101, 1));
        peer.send(&call.frame()).await;
        assert_eq!(peer.end().await, code::REFERENCES);
        setup.is_alone_again().await;
    });
}

#[test]
fn monitors_of_nothing_and_ends_of_nothing_are_harmless() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        peer.send(&Frame::numbers(UNWATCH, &[1])).await;
        peer.send(&Frame::new(ENDED, Bytes::new().number(1).byte(1).text("gone"))).await;
        let (watch, unwatch) = (Frame::numbers(WATCH, &[1, target]), Frame::numbers(UNWATCH, &[1]));
        for _ in 0..1000 {
            peer.send_all(&[watch.clone(), unwatch.clone(), unwatch.clone()]).await;
        }
        assert_eq!(peer.answer_to(target, "length", Bytes::new().string("on")).await.value(), 2);
        peer.send_all(&[watch.clone(), watch]).await;
        assert_eq!(peer.end().await, code::QUESTION, "a number in use");
        for object in [target + 1, u64::MAX] {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send(&Frame::numbers(WATCH, &[1, object])).await;
            assert_eq!(peer.end().await, code::REFERENCES, "{object} was never given");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn monitors_are_bounded() {
    run(async {
        let setup = Setup::with(Limits { references: 100, ..patient() }).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let watches: Vec<_> =
            (1..=1000).map(|watch| Frame::numbers(WATCH, &[watch, target])).collect();
        peer.send_all(&watches).await;
        for refused in 101..=1000 {
            let ended = loop {
                let frame = peer.next().await.expect("the session goes on");
                if frame.kind == ENDED {
                    break frame;
                }
            };
            assert_eq!(ended.fields().number(), refused);
        }
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_peer_that_does_not_read_and_watches_is_held_back_like_any_other() {
    run(async {
        let limits = Limits { references: 1000, queue: 256 << 10, body: 64 << 10, ..patient() };
        let setup = Setup::with(limits.clone()).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let session = setup.hostile();
        for start in (0..1_000_000).step_by(10_000) {
            let watches: Vec<_> = (start..start + 10_000)
                .map(|watch| Frame::numbers(WATCH, &[watch, target]))
                .collect();
            let bytes = peer.write(&watches);
            if peer.send_while_taken(&bytes, std::time::Duration::from_millis(300)).await
                < bytes.len()
            {
                break;
            }
            is_held_back(&session, &limits);
        }
        peer.close().await;
        setup.is_alone_again().await;
    });
}
