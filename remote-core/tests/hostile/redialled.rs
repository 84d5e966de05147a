//! Resumption with a hostile server: what a server, or another in its place, can do to a session that its client dials
//! again. It mirrors `resumption`.

use remote_core::{Error, Limits, Ref, Session, SessionState};

use super::client::{Client, lost};
use super::hello::{Claim, SECRET, Verdict, WRONG};
use super::outcome::{End, code};
use super::owner::{FORGERIES, forgeries};
use super::peer::{Peer, greater, lesser};
use super::raw_server::RawServer;
use super::setup::{patient, run, soon, until};
use super::target::Target;
use super::wire::{Bytes, Frame, PING, RELEASE, answer};

/// A client with a session with a hostile server, and a reference in it.
struct Scene {
    client: Client,
    server: RawServer,
    peer: Peer,
    target: Ref<dyn Target>,
    session: Session,
}

impl Scene {
    async fn new(node: [u8; 16]) -> Scene {
        Scene::with(node, patient()).await
    }

    async fn with(node: [u8; 16], limits: Limits) -> Scene {
        Scene::of(Client::with(limits).await, node).await
    }

    /// Makes a scene with a short lease, for a test that waits for its end.
    async fn brief(node: [u8; 16], limits: Limits) -> Scene {
        Scene::of(Client::brief(limits).await, node).await
    }

    async fn of(client: Client, node: [u8; 16]) -> Scene {
        let server = RawServer::new().await;
        let serving = async {
            let mut peer = server.session_as(node).await;
            peer.look_up().await;
            peer
        };
        let (target, peer) = tokio::join!(client.lookup(&server), serving);
        let (target, session) = (target.unwrap(), client.hostile());
        Scene { client, server, peer, target, session }
    }

    /// Asserts that a call reaches the server, and its answer the client.
    async fn assert_works(&mut self) {
        let answering = async {
            let arrived = self.peer.next_call().await;
            self.peer.send(&value(arrived.question, 5)).await;
        };
        let (verdict, ()) = tokio::join!(soon("a call", self.target.add(1)), answering);
        assert_eq!(verdict, Ok(5));
    }

    async fn resume(&mut self) {
        self.server.resume(&mut self.peer).await;
    }

    fn reconnects(&self) -> u64 {
        self.session.stats().reconnects
    }

    async fn is(&self, state: SessionState) {
        until("the state is published", || self.session.state() == state).await;
    }

    async fn ends(self) {
        drop(self.target);
        self.peer.close().await;
        self.client.is_alone_again().await;
    }
}

fn value(question: u64, value: u64) -> Frame {
    answer(question, 0, Bytes::new().count(value), Bytes::new())
}

#[test]
fn a_call_is_answered_on_the_next_connection_if_the_first_is_lost() {
    run(async {
        for node in [greater(), lesser()] {
            let mut scene = Scene::new(node).await;
            let target = scene.target.clone();
            let call = tokio::spawn(async move { target.add(1).await });
            // It is retransmitted if it had not arrived, and not if it had.
            scene.peer.lose().await;
            scene.resume().await;
            let arrived = scene.peer.next_call().await;
            scene.peer.lose().await;
            scene.resume().await;
            scene.peer.send(&value(arrived.question, 7)).await;
            assert_eq!(soon("the call", call).await.unwrap(), Ok(7));
            assert_eq!(scene.reconnects(), 2);
            scene.assert_works().await;
            scene.ends().await;
        }
    });
}

#[test]
fn a_server_that_cannot_prove_the_session_does_not_get_it() {
    run(async {
        let verdicts = [
            Verdict::Accept(WRONG),
            Verdict::Resume(1000),
            Verdict::Duplicate,
            Verdict::Refuse("no".into()),
        ];
        for (node, verdicts) in [(greater(), &verdicts[..]), (lesser(), &verdicts[..1])] {
            let mut scene = Scene::new(node).await;
            for which in 0..FORGERIES {
                for verdict in verdicts {
                    scene.peer.lose().await;
                    let reconnects = scene.reconnects();
                    let (mut impostor, state) = scene.server.again(&scene.peer).await;
                    let forged = forgeries(&scene.peer, &impostor, state);
                    let (what, forged) = forged[which];
                    let what = format!("{what}: {:?}, {verdict:?}", forged.claim);
                    impostor.send_raw(&forged.write()).await;
                    if impostor.decides() {
                        impostor.send_raw(&verdict.write()).await;
                    } else {
                        let verdict = impostor.verdict().await;
                        assert!(matches!(verdict, Verdict::Refuse(_)), "{what}: {verdict:?}");
                    }
                    assert!(impostor.next().await.is_none(), "{what}: it was given the session");
                    assert_eq!(scene.reconnects(), reconnects, "{what}");
                    scene.is(SessionState::Suspended).await;
                    scene.resume().await;
                    scene.assert_works().await;
                }
            }
            scene.ends().await;
        }
    });
}

#[test]
fn an_end_that_a_server_proves_ends_the_session() {
    run(async {
        for (node, end) in [(greater(), 0), (lesser(), 0), (greater(), 32), (lesser(), u64::MAX)] {
            let mut scene = Scene::new(node).await;
            let target = scene.target.clone();
            let call = tokio::spawn(async move { target.add(1).await });
            scene.peer.next_call().await;
            scene.peer.lose().await;
            let (mut again, _) = scene.server.again(&scene.peer).await;
            again.send_raw(&again.prove(Claim::Ended { code: end }).write()).await;
            if again.decides() {
                again.send_raw(&Verdict::Accept(SECRET).write()).await;
            } else {
                let verdict = again.verdict().await;
                assert!(matches!(verdict, Verdict::Accept(_)), "{verdict:?}");
            }
            let verdict = soon("the call", call).await.unwrap();
            if end == 32 {
                assert_eq!(verdict, Err(Error::LeaseExpired));
            } else {
                lost(verdict);
            }
            scene.is(SessionState::Ended).await;
            // The new session is like any other.
            again.forget();
            scene.peer = again;
            let (target, ()) =
                tokio::join!(scene.client.lookup(&scene.server), scene.peer.look_up());
            scene.target = target.unwrap();
            scene.assert_works().await;
            scene.ends().await;
        }
    });
}

#[test]
fn verdicts_that_do_not_follow_are_not_believed() {
    run(async {
        let mut scene = Scene::brief(greater(), patient()).await;
        scene.peer.lose().await;
        scene.resume().await;
        scene.assert_works().await;
        for verdict in [
            Verdict::Resume(0),
            Verdict::Resume(1),
            Verdict::Resume(2),
            Verdict::Accept(SECRET),
            Verdict::Duplicate,
            Verdict::Refuse("no".into()),
        ] {
            scene.peer.lose().await;
            let (mut again, _) = scene.server.again(&scene.peer).await;
            again.send_raw(&again.prove(again.claim()).write()).await;
            again.send_raw(&verdict.write()).await;
            assert!(again.next().await.is_none(), "{verdict:?}: it was given the session");
            scene.is(SessionState::Suspended).await;
            // Greater than any of these, and than the former one.
            scene.peer.connection = scene.peer.connection.max(2);
            scene.resume().await;
            scene.assert_works().await;
        }
        // There is no number after the last one: the session ends with its lease.
        scene.peer.lose().await;
        scene.peer.connection = u64::MAX - 1;
        scene.resume().await;
        scene.assert_works().await;
        scene.peer.lose().await;
        scene.peer.connection = u64::MAX - 1;
        scene.resume().await;
        assert!(scene.peer.next().await.is_none());
        assert_eq!(soon("the lease ends", scene.target.add(1)).await, Err(Error::LeaseExpired));
        scene.ends().await;
    });
}

#[test]
fn a_server_that_claims_more_than_was_sent_ends_its_session() {
    run(async {
        for node in [greater(), lesser()] {
            for more in [1000, u64::MAX] {
                let mut scene = Scene::new(node).await;
                let target = scene.target.clone();
                let call = tokio::spawn(async move { target.add(1).await });
                scene.peer.next_call().await;
                scene.peer.lose().await;
                let (mut again, _) = scene.server.again(&scene.peer).await;
                let received = again.received.saturating_add(more);
                again.resume_on(Claim::Live { received, lost: true }).await;
                assert_eq!(again.end().await, code::ACKNOWLEDGEMENT);
                lost(soon("the call", call).await.unwrap());
                scene.ends().await;
            }
        }
    });
}

#[test]
fn a_server_claiming_less_than_it_acknowledged_gets_the_rest() {
    run(async {
        let mut scene = Scene::new(greater()).await;
        scene.assert_works().await;
        scene.peer.acknowledge().await;
        let acknowledged = scene.peer.acknowledged.take().expect("it has just been sent");
        for _ in 0..100 {
            scene.assert_works().await;
        }
        scene.peer.lose().await;
        let (mut again, _) = scene.server.again(&scene.peer).await;
        again.resume_on(Claim::Live { received: 0, lost: true }).await;
        let mut expected = acknowledged + 1;
        while expected <= again.received {
            let (number, _) = again.next_numbered().await.expect("the session goes on");
            if let Some(number) = number {
                assert_eq!(number, expected);
                expected += 1;
            }
        }
        scene.peer = again;
        scene.assert_works().await;
        scene.ends().await;
    });
}

#[test]
fn retransmitted_frames_of_a_server_are_ignored() {
    run(async {
        let mut scene = Scene::new(greater()).await;
        scene.assert_works().await;
        scene.peer.lose().await;
        scene.resume().await;
        let target = scene.target.clone();
        let call = tokio::spawn(async move { target.add(1).await });
        let arrived = scene.peer.next_call().await;
        for number in 0..=scene.peer.number {
            let release = Frame::numbers(RELEASE, &[u64::MAX, u64::MAX]);
            scene.peer.send_raw(&release.write(number)).await;
            scene.peer.send_raw(&value(arrived.question, 8).write(number)).await;
        }
        scene.peer.send(&value(arrived.question, 9)).await;
        assert_eq!(soon("the call", call).await.unwrap(), Ok(9));
        scene.assert_works().await;
        scene.ends().await;
    });
}

#[test]
fn a_server_that_never_acknowledges_holds_its_callers_until_the_lease_ends() {
    run(async {
        let limits =
            Limits { queue: 256 << 10, body: 64 << 10, unacknowledged: 2 << 20, ..patient() };
        let mut scene = Scene::brief(greater(), limits.clone()).await;
        scene.peer.acknowledged = None;
        let calls: Vec<_> = (0..200)
            .map(|_| {
                let target = scene.target.clone();
                tokio::spawn(async move { target.bytes(vec![1; 60 << 10]).await })
            })
            .collect();
        let mut bytes = 0;
        while let Some(frame) = scene.peer.next().await {
            bytes += frame.fields.len();
            let unacknowledged = scene.session.stats().unacknowledged;
            assert!(unacknowledged < limits.unacknowledged + 2 * limits.queue, "{unacknowledged}");
            // The peer keeps the connection alive.
            scene.peer.send(&Frame::numbers(PING, &[])).await;
        }
        assert_eq!(scene.peer.end().await, End::Closed(32), "the lease ends");
        assert!(bytes >= limits.unacknowledged, "{bytes} bytes came");
        assert!(bytes < limits.unacknowledged + 4 * limits.queue, "{bytes} bytes came");
        for call in calls {
            assert_eq!(soon("the call ends", call).await.unwrap(), Err(Error::LeaseExpired));
        }
        scene.ends().await;
    });
}

#[test]
fn a_client_reconnects_each_time_it_is_dropped() {
    run(async {
        for node in [greater(), lesser()] {
            let mut scene = Scene::new(node).await;
            for _ in 0..200 {
                scene.peer.lose().await;
                scene.resume().await;
                scene.assert_works().await;
            }
            assert_eq!(scene.reconnects(), 200);
            scene.ends().await;
        }
    });
}

#[test]
fn another_node_in_the_place_of_a_server_ends_the_session_and_begins_none() {
    run(async {
        let mut scene = Scene::new(greater()).await;
        let target = scene.target.clone();
        let call = tokio::spawn(async move { target.add(1).await });
        scene.peer.next_call().await;
        scene.peer.lose().await;
        let called = async { soon("the call", call).await.unwrap() };
        let verdict = tokio::select! {
            verdict = called => verdict,
            never = scene.server.is_restarted() => never,
        };
        lost(verdict);
        assert_eq!(soon("a later call", scene.target.add(1)).await, Err(Error::Stale));
        scene.ends().await;
    });
}
