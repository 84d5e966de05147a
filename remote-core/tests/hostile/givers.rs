//! A peer that introduces objects of third nodes, and does not answer any request about them; and peers that request
//! tokens for an object that the node got from another, again and again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use remote_core::Limits;

use super::hello::Hello;
use super::outcome::{Answer, code};
use super::peer::{DIRECTORY, Peer, greater};
use super::setup::{Setup, patient, run, soon, until};
use super::wire::{Bytes, CALL, CANCEL, Call, Frame, NAME, RELEASE, To, answer, mine, yours};

const INTRODUCTION: &str = "remote.Directory.introduction";

/// Half of the time that a node waits for an answer about a reference: what happens earlier is not caused by that
/// limit, and on any machine it is enough for a message.
const SHORT: Duration = Duration::from_secs(5);

/// Returns a forwarded reference to an object of an unknown node.
fn forwarded(object: u64) -> Bytes {
    Bytes::new().byte(2).number(object).number(0).raw(&[0x77; 16]).number(object)
}

/// A call that arrived, and the name of its selector.
struct IncomingCall {
    question: u64,
    object: u64,
    name: String,
}

/// A peer that introduces objects, and records the requests of the node.
struct Giver {
    peer: Peer,
    target: u64,
    /// The names that the node announced, with their fingerprints.
    names: HashMap<u64, (String, u128)>,
}

impl Giver {
    async fn at(setup: &Setup) -> Giver {
        Giver::taking(setup, 16_384).await
    }

    /// Returns a peer that grants this number of calls.
    async fn taking(setup: &Setup, calls: u64) -> Giver {
        let hello = Hello { calls, ..Hello::of(greater()) };
        let mut peer = Peer::introduced(&setup.address(), &hello).await;
        let target = peer.target().await;
        Giver { peer, target, names: HashMap::new() }
    }

    /// Introduces objects with these numbers, which the node keeps.
    async fn introduce(&mut self, objects: std::ops::Range<u64>) {
        let count = objects.end - objects.start;
        let places = (0..count).fold(Bytes::new().count(count), Bytes::count);
        let references =
            objects.fold(Bytes::new(), |bytes, object| bytes.raw(&forwarded(object).0));
        let call = self.peer.call(self.target, "keep_all", places).await.with(references);
        self.peer.send_all(&call.frames()).await;
    }

    /// Returns the next call of the node.
    async fn next_call(&mut self) -> IncomingCall {
        loop {
            let frame = self.next().await;
            if frame.kind == CALL {
                let mut fields = frame.fields();
                let (question, _, object) = (fields.number(), fields.byte(), fields.number());
                let name = self.names[&fields.number()].0.clone();
                return IncomingCall { question, object, name };
            }
        }
    }

    /// Returns the next frame, and records names.
    async fn next(&mut self) -> Frame {
        let frame = self.peer.next().await.expect("the session goes on");
        if frame.kind == NAME {
            let mut fields = frame.fields();
            let (id, fingerprint) = (fields.number(), fields.take(16));
            let fingerprint = u128::from_be_bytes(fingerprint.try_into().expect("sixteen bytes"));
            self.names.insert(id, (fields.text().to_owned(), fingerprint));
        }
        frame
    }

    /// Waits until the node requests a token, and returns the fingerprint of that method.
    async fn asked_for_token(&mut self) -> u128 {
        let IncomingCall { object, name, .. } = self.next_call().await;
        assert_eq!((object, name.as_str()), (DIRECTORY, INTRODUCTION));
        let known = self.names.values().find(|(known, _)| *known == name);
        known.expect("it was announced").1
    }
}

#[test]
fn a_silent_introducer_gets_few_requests_and_blocks_no_other() {
    run(async {
        let setup = Setup::new().await;
        let mut silent = Giver::at(&setup).await;
        silent.introduce(1..101).await;
        for _ in 0..8 {
            silent.asked_for_token().await;
        }
        let mut other = Giver::at(&setup).await;
        let began = Instant::now();
        other.introduce(1..2).await;
        other.asked_for_token().await;
        assert!(began.elapsed() < SHORT, "the other's silence is nothing to this one");
        let beyond = tokio::time::timeout(Duration::from_millis(100), silent.next_call()).await;
        assert!(beyond.is_err(), "no more are call for at once");
        silent.peer.close().await;
        other.peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn user_calls_continue_while_internal_calls_wait() {
    run(async {
        let setup = Setup::new().await;
        let mut giver = Giver::taking(&setup, 4).await;
        giver.introduce(1..11).await;
        for _ in 0..2 {
            giver.asked_for_token().await;
        }
        let began = Instant::now();
        let call = giver.peer.call(giver.target, "call", Bytes::new().count(0)).await;
        giver.peer.send(&call.with(mine(20, 0)).frame()).await;
        assert_eq!(giver.next_call().await.name, "Target.add");
        assert!(began.elapsed() < SHORT, "there is room for it");
        giver.peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_dropped_reference_requests_no_direct_path() {
    run(async {
        let setup = Setup::new().await;
        let mut giver = Giver::at(&setup).await;
        let call = giver.peer.call(giver.target, "call", Bytes::new().count(0)).await;
        giver.peer.send(&call.with(forwarded(7)).frame()).await;
        // The node calls the object, and requests a token.
        let calls = [giver.next_call().await, giver.next_call().await];
        let of = |name: &str| calls.iter().find(|call| call.name == name).expect(name).question;
        let (called, call) = (of("Target.add"), of(INTRODUCTION));
        let began = Instant::now();
        giver.peer.send(&answer(called, 0, Bytes::new().count(1), Bytes::new())).await;
        let (mut is_cancelled, mut is_released) = (false, false);
        while !is_cancelled || !is_released {
            let frame = giver.next().await;
            let of = |kind| (frame.kind == kind).then(|| frame.fields().number());
            is_cancelled |= of(CANCEL) == Some(call);
            is_released |= of(RELEASE) == Some(7);
        }
        assert!(began.elapsed() < SHORT, "the thread that drops it need not wait");
        giver.peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn endless_requests_for_tokens_wait_for_the_window() {
    run(async {
        let setup = Setup::with(Limits { window_calls: 100, ..patient() }).await;
        let mut giver = Giver::at(&setup).await;
        giver.introduce(1..2).await;
        let fingerprint = giver.asked_for_token().await;
        // Others get the reference, and request tokens from the node, which waits itself.
        let mut askers = Vec::new();
        for _ in 0..2 {
            let mut asker = Peer::connect(&setup.address()).await;
            let target = asker.target().await;
            let kept = asker.answer_to(target, "kept", Bytes::new()).await;
            let object = super::wire::Fields(&kept.references[1..]).number();
            let selector = asker.name_as(INTRODUCTION, fingerprint).await;
            let call =
                Call::new(asker.question(), To::Object(DIRECTORY), selector, Bytes::new().count(0));
            let call = call.with(yours(object, 0));
            let frames: Vec<Frame> = (0..100)
                .map(|more| Call { question: call.question + more, ..call.clone() }.frame())
                .collect();
            asker.send_all(&frames).await;
            // It has dropped the reference that it asks about.
            asker.send(&Frame::numbers(RELEASE, &[object, 1])).await;
            askers.push((asker, call));
        }
        setup.assert_served().await;
        let (mut greedy, call) = askers.swap_remove(0);
        greedy.send(&Call { question: call.question + 100, ..call }.frame()).await;
        assert_eq!(greedy.end().await, code::WINDOW);
        // When the giver is gone there is no shorter path, and those who wait get an error.
        let (mut patient, call) = askers.remove(0);
        giver.peer.close().await;
        for _ in 0..100 {
            let Answer { question, status, .. } = soon("a refusal", patient.next_answer()).await;
            assert!((call.question..call.question + 100).contains(&question) && status == 2);
        }
        until("nothing is shown to it", || setup.hostile().stats().exports == 1).await;
        patient.close().await;
        setup.is_alone_again().await;
    });
}
