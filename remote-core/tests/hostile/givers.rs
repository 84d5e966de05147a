//! Who introduces objects of third nodes', and answers nothing that it is asked about them; and who asks about what a node
//! was itself introduced to, again and again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use remote_core::Limits;

use super::hello::Hello;
use super::outcome::{Answer, code};
use super::peer::{DIRECTORY, Peer, greater};
use super::stage::{Stage, patient, run, soon, until};
use super::wire::{Bytes, CALL, CANCEL, Call, Frame, NAME, RELEASE, To, answer, mine, yours};

const INTRODUCTION: &str = "remote.Directory.introduction";

/// Half as long as a node waits for an answer about what it was introduced to: what happens before is not because it gave up
/// waiting, and on any machine there is time enough for a message.
const SHORT: Duration = Duration::from_secs(5);

/// A reference to an object for which the sender forwards, of a node that nobody knows.
fn forwarded(object: u64) -> Bytes {
    Bytes::new().byte(2).number(object).number(0).raw(&[0x77; 16]).number(object)
}

/// A call that arrived, and the name of its selector.
struct Asked {
    question: u64,
    object: u64,
    name: String,
}

/// One who introduces objects, and hears what the node asks.
struct Giver {
    peer: Peer,
    target: u64,
    /// The names that the node announced, with their fingerprints.
    names: HashMap<u64, (String, u64)>,
}

impl Giver {
    async fn at(stage: &Stage) -> Giver {
        Giver::taking(stage, 16_384).await
    }

    /// One who takes so many calls at once.
    async fn taking(stage: &Stage, calls: u64) -> Giver {
        let hello = Hello { calls, ..Hello::of(greater()) };
        let mut peer = Peer::introduced(&stage.address(), &hello).await;
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

    /// The next call of the node's.
    async fn asked(&mut self) -> Asked {
        loop {
            let frame = self.next().await;
            if frame.kind == CALL {
                let mut fields = frame.fields();
                let (question, _, object) = (fields.number(), fields.byte(), fields.number());
                let name = self.names[&fields.number()].0.clone();
                return Asked { question, object, name };
            }
        }
    }

    /// The next frame; names are remembered.
    async fn next(&mut self) -> Frame {
        let frame = self.peer.next().await.expect("the session goes on");
        if frame.kind == NAME {
            let mut fields = frame.fields();
            let (id, fingerprint) = (fields.number(), fields.take(8));
            let fingerprint = u64::from_le_bytes(fingerprint.try_into().expect("eight bytes"));
            self.names.insert(id, (fields.text().to_owned(), fingerprint));
        }
        frame
    }

    /// Waits until the node asks for a token; the fingerprint of that method.
    async fn asked_for_token(&mut self) -> u64 {
        let Asked { object, name, .. } = self.asked().await;
        assert_eq!((object, name.as_str()), (DIRECTORY, INTRODUCTION));
        let known = self.names.values().find(|(known, _)| *known == name);
        known.expect("it was announced").1
    }
}

#[test]
fn who_answers_nothing_is_asked_little_and_holds_up_nobody_else() {
    run(async {
        let stage = Stage::new().await;
        let mut silent = Giver::at(&stage).await;
        silent.introduce(1..101).await;
        for _ in 0..8 {
            silent.asked_for_token().await;
        }
        let mut other = Giver::at(&stage).await;
        let began = Instant::now();
        other.introduce(1..2).await;
        other.asked_for_token().await;
        assert!(began.elapsed() < SHORT, "the other's silence is nothing to this one");
        let beyond = tokio::time::timeout(Duration::from_millis(100), silent.asked()).await;
        assert!(beyond.is_err(), "no more are asked for at once");
        silent.peer.close().await;
        other.peer.close().await;
        stage.is_alone_again().await;
    });
}

#[test]
fn users_calls_go_on_while_who_takes_few_at_once_is_asked() {
    run(async {
        let stage = Stage::new().await;
        let mut giver = Giver::taking(&stage, 4).await;
        giver.introduce(1..11).await;
        for _ in 0..2 {
            giver.asked_for_token().await;
        }
        let began = Instant::now();
        let call = giver.peer.call(giver.target, "call", Bytes::new().count(0)).await;
        giver.peer.send(&call.with(mine(20, 0)).frame()).await;
        assert_eq!(giver.asked().await.name, "Target.add");
        assert!(began.elapsed() < SHORT, "there is room for it");
        giver.peer.close().await;
        stage.is_alone_again().await;
    });
}

#[test]
fn nothing_is_asked_any_more_about_what_was_dropped() {
    run(async {
        let stage = Stage::new().await;
        let mut giver = Giver::at(&stage).await;
        let call = giver.peer.call(giver.target, "call", Bytes::new().count(0)).await;
        giver.peer.send(&call.with(forwarded(7)).frame()).await;
        // The node calls it, and asks for a token.
        let calls = [giver.asked().await, giver.asked().await];
        let of = |name: &str| calls.iter().find(|call| call.name == name).expect(name).question;
        let (called, asked) = (of("Target.add"), of(INTRODUCTION));
        let began = Instant::now();
        giver.peer.send(&answer(called, 0, Bytes::new().count(1), Bytes::new())).await;
        let (mut is_cancelled, mut is_released) = (false, false);
        while !is_cancelled || !is_released {
            let frame = giver.next().await;
            let of = |kind| (frame.kind == kind).then(|| frame.fields().number());
            is_cancelled |= of(CANCEL) == Some(asked);
            is_released |= of(RELEASE) == Some(7);
        }
        assert!(began.elapsed() < SHORT, "whoever drops it need not wait");
        giver.peer.close().await;
        stage.is_alone_again().await;
    });
}

#[test]
fn who_asks_without_end_for_tokens_waits_within_its_window() {
    run(async {
        let stage = Stage::with(Limits { window_calls: 100, ..patient() }).await;
        let mut giver = Giver::at(&stage).await;
        giver.introduce(1..2).await;
        let fingerprint = giver.asked_for_token().await;
        // Others are given it, and ask the node, which waits itself.
        let mut askers = Vec::new();
        for _ in 0..2 {
            let mut asker = Peer::connect(&stage.address()).await;
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
            // It has dropped what it asks about.
            asker.send(&Frame::numbers(RELEASE, &[object, 1])).await;
            askers.push((asker, call));
        }
        stage.goes_on().await;
        let (mut greedy, call) = askers.swap_remove(0);
        greedy.send(&Call { question: call.question + 100, ..call }.frame()).await;
        assert_eq!(greedy.end().await, code::WINDOW);
        // When the giver has gone there is no shorter way, and who waits is told.
        let (mut patient, call) = askers.remove(0);
        giver.peer.close().await;
        for _ in 0..100 {
            let Answer { question, status, .. } = soon("a refusal", patient.next_answer()).await;
            assert!((call.question..call.question + 100).contains(&question) && status == 2);
        }
        until("nothing is shown to it", || stage.hostile().stats().exports == 1).await;
        patient.close().await;
        stage.is_alone_again().await;
    });
}
