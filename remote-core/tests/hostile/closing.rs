//! Announcements of the orderly end: repeated, followed by calls all the same, or never answered.

use std::time::{Duration, Instant};

use remote_core::{Limits, Ref};

use super::hello::{Hello, ResumeState, Verdict};
use super::outcome::code;
use super::peer::{Peer, lesser, stranger};
use super::setup::{LEASE, Setup, patient, run, serve, soon, until};
use super::target::{Target, TargetObject};
use super::wire::{ANSWER, Bytes, CLOSING, Frame, Manner};

/// The limit of a shutdown that a peer holds up.
const SHORT: Duration = Duration::from_secs(1);

fn closing() -> Frame {
    Frame::new(CLOSING, Bytes::new())
}

#[test]
fn repeated_announcements_and_later_calls_are_harmless() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        peer.send_all(&vec![closing(); 1000]).await;
        let add = Bytes::new().count(1);
        let question = peer.ask(target, "add", add.clone()).await;
        let (mut announced, mut answered) = (0, 0);
        while answered == 0 {
            let frame = peer.next().await.expect("the session goes on");
            announced += u32::from(frame.kind == CLOSING);
            answered += u32::from(frame.kind == ANSWER);
        }
        assert_eq!(announced, 1, "the node announces its end once");
        assert!(question > 0);
        for _ in 0..100 {
            peer.send(&closing()).await;
            assert_eq!(
                peer.answer_to(target, "length", Bytes::new().string("on")).await.value(),
                2
            );
        }
        setup.assert_served().await;
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn an_announcement_with_fields_ends_the_session() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        peer.send(&Frame::new(CLOSING, Bytes::new().byte(0))).await;
        assert_eq!(peer.end().await, code::FRAME);
        setup.is_alone_again().await;
    });
}

/// Methods that execute one-way messages outlive the session. They hold their arguments.
#[test]
fn methods_that_outlive_their_sessions_are_bounded_with_their_arguments() {
    run(async {
        const ARGUMENT: usize = 60 << 10;
        let limits = Limits { memory: 1 << 20, body: 64 << 10, ..patient() };
        let setup = Setup::brief(limits).await;
        let mut refused = false;
        for sessions in 0.. {
            let held = sessions * 4 * ARGUMENT;
            assert!(held < 2 << 20, "{held} bytes of arguments are held, where 1 MiB is allowed");
            let mut peer = Peer::on(stranger(&setup.address()).await, &Hello::of(lesser()));
            peer.introduce().await;
            peer.send_raw(&ResumeState::nothing().write()).await;
            if let Verdict::Refuse(_) = peer.verdict().await {
                refused = true;
                break;
            }
            let target = peer.target().await;
            let before = setup.running();
            for _ in 0..4 {
                let bytes = Bytes::new().count(ARGUMENT as u64).raw(&[7; ARGUMENT]);
                let call = peer.call(target, "hold", bytes).await.manner(Manner::OneWay);
                peer.send_all(&call.frames()).await;
            }
            until("they run", || setup.running() == before + 4).await;
            peer.close().await;
        }
        assert!(refused);
        setup.assert_served().await;
    });
}

/// The behaviour of a peer while the node waits for it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reaction {
    /// Nothing at all, with calls in progress.
    Silence,
    /// It announces its end, and goes on calling.
    MoreCalls,
    /// It reads nothing.
    Deafness,
}

#[test]
fn a_peer_holds_up_a_shutdown_for_its_limit_at_most() {
    for reaction in [Reaction::Silence, Reaction::MoreCalls, Reaction::Deafness] {
        run(async move {
            let server = serve(patient(), LEASE).await.unwrap();
            server
                .publish("target", Ref::<dyn Target>::new(TargetObject::default()))
                .await
                .unwrap();
            let address =
                server.uri("").trim_start_matches("tcp://").trim_end_matches('/').to_owned();
            let mut peer = Peer::connect(&address).await;
            let target = peer.target().await;
            peer.ask(target, "never", Bytes::new()).await;
            until("it runs", || server.sessions()[0].stats().calls_in == 1).await;
            let begun = Instant::now();
            let ending = {
                let server = server.clone();
                tokio::spawn(async move { server.shutdown(SHORT).await })
            };
            match reaction {
                Reaction::Silence => {
                    let mut announced = 0;
                    while let Some(frame) = peer.next().await {
                        announced += u32::from(frame.kind == CLOSING);
                    }
                    assert_eq!(announced, 1);
                }
                Reaction::MoreCalls => {
                    peer.send(&closing()).await;
                    // One after another, within the window, until the session ends.
                    'calls: loop {
                        peer.ask(target, "add", Bytes::new().count(1)).await;
                        loop {
                            match peer.next().await {
                                Some(frame) if frame.kind == ANSWER => break,
                                Some(_) => {}
                                None => break 'calls,
                            }
                        }
                    }
                }
                Reaction::Deafness => {}
            }
            let report = soon("the node ends", ending).await.unwrap();
            assert!(report.methods >= 1, "{reaction:?}: {report:?}");
            assert!(
                begun.elapsed() >= SHORT && begun.elapsed() < 20 * SHORT,
                "{:?}",
                begun.elapsed()
            );
            soon("it is closed", server.closed()).await;
        });
    }
}
