//! Calls that are cancelled as soon as they are made, by a peer that reads and by one that does not.

use std::time::Duration;

use remote_core::Limits;

use super::outcome::fault;
use super::peer::Peer;
use super::setup::{Setup, is_held_back, patient, run, until, waiting};
use super::wire::{Bytes, CANCEL, Call, Frame, Manner, To};

/// The number of calls that a debug build executes in a second or two.
const MANY: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
/// The number of calls in progress at once. They wait for a thread before the calls of the honest client, and must not
/// take a second.
const AHEAD: u64 = if cfg!(debug_assertions) { 1_000 } else { 10_000 };

#[test]
fn calls_cancelled_at_once_leave_nothing_behind() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let calls = [
            peer.call(target, "never", Bytes::new()).await,
            peer.call(target, "add", Bytes::new().count(1)).await,
        ];
        let first = calls[0].question;
        let (batch, mut answered) = (1000, 0);
        for start in (0..MANY).step_by(batch as usize) {
            let frames: Vec<_> = (start..start + batch)
                .flat_map(|number| {
                    let question = first + number;
                    let call = Call { question, ..calls[(number % 2) as usize].clone() };
                    [call.frame(), Frame::numbers(CANCEL, &[question])]
                })
                .collect();
            peer.send_all(&frames).await;
            // The window is kept: each call has ended before more than it permits have begun.
            while answered + AHEAD < start {
                peer.next_answer().await;
                answered += 1;
            }
        }
        while answered < MANY {
            let answer = peer.next_answer().await;
            assert!((first..first + MANY).contains(&answer.question));
            answered += 1;
        }
        until("nothing runs", || setup.running() == 0).await;
        setup.assert_served().await;
        let session = setup.hostile();
        assert_eq!(session.stats().calls_in, 0);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn cancelling_what_is_not_there_is_harmless() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let cancels: Vec<_> =
            (0..10_000).map(|question| Frame::numbers(CANCEL, &[question])).collect();
        peer.send_all(&cancels).await;
        peer.send(&Frame::numbers(CANCEL, &[u64::MAX])).await;
        let never = peer.ask(target, "never", Bytes::new()).await;
        let again = Frame::numbers(CANCEL, &[never]);
        peer.send_all(&[again.clone(), again.clone(), again]).await;
        assert_eq!(peer.answer(never).await.fault(), fault::CANCELLED);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_call_cancelled_before_it_starts_breaks_its_promise() {
    run(async {
        let limits = Limits { body: 64 << 10, queue: 64 << 10, ..patient() };
        let setup = Setup::with(limits).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        // Answers that are not read fill the queue, so that later calls are not begun.
        let mut last = 0;
        for _ in 0..2000 {
            last = peer.ask(target, "large", Bytes::new().count(60 << 10)).await;
        }
        let head = peer.call_promise(target, "child").await;
        let after = peer.call(target, "add", Bytes::new().count(1)).await;
        let after = Call { to: To::Answer(head.question), ..after };
        let promised = peer.call_promise(target, "child").await;
        let behind =
            Call { to: To::Answer(promised.question), question: peer.question(), ..after.clone() };
        peer.send_all(&[head.frame(), after.frame(), promised.frame(), behind.frame()]).await;
        let session = setup.hostile();
        let full = || waiting(&session) >= 64 << 10 && session.stats().calls_in >= 4;
        until("all calls have arrived", full).await;
        peer.send(&Frame::numbers(CANCEL, &[head.question])).await;
        setup.assert_served().await;
        let mut ended = Vec::new();
        loop {
            let answer = peer.next_answer().await;
            if answer.question > last {
                ended.push((answer.question, answer.status, answer.body.first().copied()));
            }
            if answer.question == behind.question {
                break;
            }
        }
        assert_eq!(ended[0], (head.question, 2, Some(fault::CANCELLED)));
        assert_eq!(ended[1], (after.question, 2, Some(fault::BROKEN)));
        assert_eq!((ended[2].1, ended[3].1), (0, 0), "the other promise was kept");
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_peer_that_does_not_read_and_cancels_is_held_back_like_any_other() {
    run(async {
        let limits = Limits { queue: 256 << 10, body: 64 << 10, ..patient() };
        let setup = Setup::with(limits.clone()).await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let large = peer.call(target, "large", Bytes::new().count(60 << 10)).await;
        let fill: Vec<_> = (0..1000)
            .map(|more| Call { question: large.question + more, ..large.clone() }.frame())
            .collect();
        peer.send_all(&fill).await;
        let session = setup.hostile();
        until("the queue is full", || waiting(&session) >= limits.queue).await;
        let call = peer.call(target, "add", Bytes::new().count(1)).await.manner(Manner::Call);
        for batch in 0..100 {
            let frames: Vec<_> = (0..500)
                .flat_map(|number| {
                    let question = 10_000 + batch * 500 + number;
                    [Call { question, ..call.clone() }.frame(), Frame::numbers(CANCEL, &[question])]
                })
                .collect();
            let bytes = peer.write(&frames);
            if peer.send_while_taken(&bytes, Duration::from_millis(300)).await < bytes.len() {
                break;
            }
            is_held_back(&session, &limits);
        }
        setup.assert_served().await;
        is_held_back(&session, &limits);
        peer.close().await;
        setup.is_alone_again().await;
    });
}
