//! Attacks on sessions of others: a stranger cannot take, end or replace them, and causes their owners no cost.

use remote_core::{Limits, SessionState};

use super::hello::{Claim, Hello, ResumeState, Verdict, WRONG};
use super::outcome::End;
use super::owner::{FORGERIES, Owner, forgeries};
use super::peer::{Peer, greater, lesser, stranger};
use super::raw_server::RawServer;
use super::setup::{Setup, patient, run, until};
use super::wire::{Bytes, Call};

#[test]
fn only_its_peer_can_resume_end_or_replace_a_session() {
    run(async {
        let setup = Setup::new().await;
        let verdicts = [
            Verdict::Accept(WRONG),
            Verdict::Resume(1000),
            Verdict::Duplicate,
            Verdict::Refuse("no".into()),
        ];
        for (node, suspended) in
            [(greater(), false), (greater(), true), (lesser(), false), (lesser(), true)]
        {
            let mut owner = Owner::new(&setup, node).await;
            let verdicts = if node > [0x80; 16] { &verdicts[..] } else { &verdicts[..1] };
            for (which, verdict) in (0..FORGERIES)
                .flat_map(|which| verdicts.iter().map(move |verdict| (which, verdict)))
            {
                if suspended {
                    owner.lose().await;
                }
                let (state, reconnects) = (owner.session.state(), owner.reconnects());
                let (mut impostor, known) = owner.impostor().await;
                let (what, forged) = forgeries(&owner.peer, &impostor, known)[which];
                let what = format!("{what}: {:?}, {verdict:?}", forged.claim);
                impostor.send_raw(&forged.write()).await;
                if impostor.decides() {
                    impostor.send_raw(&verdict.write()).await;
                } else {
                    match impostor.verdict().await {
                        Verdict::Duplicate => assert!(!suspended, "{what}"),
                        Verdict::Refuse(_) => assert!(suspended, "{what}"),
                        other => panic!("{what}: {other:?}"),
                    }
                }
                assert!(impostor.next().await.is_none(), "{what}: it was given the session");
                assert_eq!(
                    (owner.session.state(), owner.reconnects()),
                    (state, reconnects),
                    "{what}"
                );
                assert_eq!(setup.server.sessions().len(), 2, "{what}");
                if suspended {
                    owner.resume().await;
                }
                owner.assert_works().await;
            }
            owner.peer.close().await;
            setup.is_alone_again().await;
        }
    });
}

/// A peer that makes a node dial it, and dials the node as well, receives the node's proof on both connections, for the
/// same nonces.
#[test]
fn a_proof_to_a_listener_is_no_proof_to_a_dialler() {
    run(async {
        let setup = Setup::new().await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&setup, node).await;
            owner.lose().await;
            let trap = RawServer::new().await;
            let (server, uri) = (setup.server.clone(), trap.uri());
            let looking = tokio::spawn(async move {
                server.lookup::<dyn super::target::Target>(uri).await.map(drop)
            });
            let mut dialled = owner.peer.copy(trap.stranger().await);
            let nonce = dialled.read_hello().await.nonce;
            let mut listening = owner.peer.copy(stranger(&owner.address).await);
            listening.hello.nonce = nonce;
            let heard_listening = listening.introduce().await;
            dialled.hello.nonce = listening.other.nonce;
            dialled.send_raw(&dialled.hello.write()).await;
            let heard_dialled = dialled.read_resume_state().await.expect("the node goes on");
            for (impostor, state) in
                [(&mut listening, heard_dialled), (&mut dialled, heard_listening)]
            {
                impostor.send_raw(&state.write()).await;
                if impostor.decides() {
                    impostor.send_raw(&Verdict::Resume(1000).write()).await;
                } else {
                    let verdict = impostor.verdict().await;
                    assert!(matches!(verdict, Verdict::Refuse(_)), "{verdict:?}");
                }
                assert!(impostor.next().await.is_none(), "it was given the session");
            }
            assert!(looking.await.unwrap().is_err());
            assert_eq!((owner.session.state(), owner.reconnects()), (SessionState::Suspended, 0));
            owner.resume().await;
            owner.assert_works().await;
            owner.peer.close().await;
            setup.is_alone_again().await;
        }
    });
}

#[test]
fn forged_resumptions_get_no_session() {
    run(async {
        let setup = Setup::new().await;
        let mut owner = Owner::new(&setup, greater()).await;
        for round in 0..2000 {
            let node = if round % 2 == 0 { greater() } else { lesser() };
            let mut peer = Peer::on(stranger(&setup.address()).await, &Hello::of(node));
            peer.introduce().await;
            let claim = Claim::Live { received: 1 + round, lost: round % 4 < 2 };
            peer.send_raw(&ResumeState::unproved(claim).write()).await;
            if peer.decides() {
                peer.send_raw(&Verdict::Resume(round).write()).await;
            } else {
                let verdict = peer.verdict().await;
                assert!(matches!(verdict, Verdict::Refuse(_)), "{verdict:?}");
            }
            assert_eq!(peer.end().await, End::Dropped);
            if round % 100 == 0 {
                assert_eq!(setup.server.sessions().len(), 2);
                owner.assert_works().await;
            }
        }
        owner.peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_full_node_keeps_its_existing_sessions() {
    run(async {
        let limits = Limits {
            queue: 256 << 10,
            body: 64 << 10,
            unacknowledged: 2 << 20,
            memory: 2 << 20,
            ..patient()
        };
        let setup = Setup::with(limits.clone()).await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&setup, node).await;
            owner.lose().await;
            let mut greedy = Peer::connect(&setup.address()).await;
            let target = greedy.target().await;
            let large = greedy.call(target, "large", Bytes::new().count(60 << 10)).await;
            let asks: Vec<_> = (0..1000)
                .map(|more| Call { question: large.question + more, ..large.clone() }.frame())
                .collect();
            greedy.send_all(&asks).await;
            let held = || -> usize {
                setup.server.sessions().iter().map(|session| session.stats().held).sum()
            };
            until("the node is full", || held() >= limits.memory).await;
            let mut late = Peer::on(stranger(&setup.address()).await, &Hello::of(lesser()));
            late.introduce().await;
            late.send_raw(&ResumeState::nothing().write()).await;
            let verdict = late.verdict().await;
            assert!(matches!(verdict, Verdict::Refuse(_)), "{verdict:?}");
            owner.resume().await;
            owner.assert_works().await;
            owner.peer.close().await;
            greedy.close().await;
            setup.is_alone_again().await;
        }
    });
}

/// A session without a connection has no file descriptor, so that nothing else bounds the number of such sessions.
#[test]
fn sessions_whose_peers_have_vanished_are_bounded() {
    run(async {
        let limits = Limits { memory: 1 << 20, ..patient() };
        let setup = Setup::brief(limits).await;
        let mut refused = 0;
        // However long it takes: while leases end now and then, other sessions are accepted.
        while refused < 300 {
            let mut peer = Peer::on(stranger(&setup.address()).await, &Hello::of(lesser()));
            peer.introduce().await;
            peer.send_raw(&ResumeState::nothing().write()).await;
            refused += u64::from(matches!(peer.verdict().await, Verdict::Refuse(_)));
            assert!(setup.server.sessions().len() < 200);
        }
        setup.is_alone_again().await;
    });
}
