//! Sessions that others want: what a peer or a stranger can make of a session on another connection than the one that it
//! has, and what it costs the session's owner, which is nothing.

use remote_core::{Limits, Session, State};

use super::hello::{Claim, Hello, SECRET, Standing, Verdict, WRONG};

use super::outcome::{End, code, fault};
use super::peer::{Peer, greater, lesser, stranger};
use super::raw_server::RawServer;
use super::resuming::{FORGERIES, forgeries};
use super::stage::{Stage, is_held_back, run, until};
use super::wire::{Bytes, Call, Frame, PING, RELEASE};

/// A peer with a session, and an object in it that nobody else holds.
struct Owner {
    peer: Peer,
    child: u64,
    session: Session,
    address: String,
}

impl Owner {
    async fn new(stage: &Stage, node: [u8; 16]) -> Owner {
        let mut peer = Peer::begun(&stage.address(), &Hello::of(node)).await;
        let target = peer.target().await;
        let child = peer.answer_to(target, "child", Bytes::new()).await.object();
        Owner { peer, child, session: stage.hostile(), address: stage.address() }
    }

    /// The session goes on, on the connection that it has.
    async fn is_unharmed(&mut self) {
        let answer = self.peer.answer_to(self.child, "length", Bytes::new().string("four")).await;
        assert_eq!(answer.value(), 4);
        self.is(State::Connected).await;
    }

    async fn is(&self, state: State) {
        until("the state is told", || self.session.state() == state).await;
    }

    async fn lose(&mut self) {
        self.peer.lose().await;
        self.is(State::Suspended).await;
    }

    async fn resume(&mut self) {
        self.peer.resume(&self.address).await;
    }

    fn reconnects(&self) -> u64 {
        self.session.stats().reconnects
    }

    /// Somebody who has its identity, on a connection of his own, and has introduced himself; what he was told.
    async fn impostor(&self) -> (Peer, Standing) {
        let mut impostor = self.peer.twin(stranger(&self.address).await);
        let heard = impostor.introduce().await;
        (impostor, heard)
    }
}

#[test]
fn a_session_goes_on_for_who_proves_that_it_is_its_own() {
    run(async {
        let stage = Stage::new().await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&stage, node).await;
            // One call was answered, and the answer is lost.
            let question = owner.peer.ask(owner.child, "add", Bytes::new().count(300)).await;
            until("the answer is on its way", || owner.session.stats().calls_in == 0).await;
            owner.lose().await;
            owner.resume().await;
            assert_eq!(owner.peer.answer(question).await.value(), 300);
            owner.is_unharmed().await;
            // The node has not noticed that the connection is lost: the next one replaces it.
            owner.resume().await;
            owner.is_unharmed().await;
            assert_eq!(owner.reconnects(), 2);
            owner.peer.close().await;
            stage.is_alone_again().await;
        }
    });
}

#[test]
fn nobody_else_can_resume_end_or_replace_a_session() {
    run(async {
        let stage = Stage::new().await;
        let verdicts = [
            Verdict::Accept(WRONG),
            Verdict::Resume(1000),
            Verdict::Duplicate,
            Verdict::Refuse("no".into()),
        ];
        for (node, suspended) in
            [(greater(), false), (greater(), true), (lesser(), false), (lesser(), true)]
        {
            let mut owner = Owner::new(&stage, node).await;
            let verdicts = if node > [0x80; 16] { &verdicts[..] } else { &verdicts[..1] };
            for (which, verdict) in (0..FORGERIES)
                .flat_map(|which| verdicts.iter().map(move |verdict| (which, verdict)))
            {
                if suspended {
                    owner.lose().await;
                }
                let (state, reconnects) = (owner.session.state(), owner.reconnects());
                let (mut impostor, heard) = owner.impostor().await;
                let (what, forged) = forgeries(&owner.peer, &impostor, heard)[which];
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
                assert_eq!(stage.server.sessions().len(), 2, "{what}");
                if suspended {
                    owner.resume().await;
                }
                owner.is_unharmed().await;
            }
            owner.peer.close().await;
            stage.is_alone_again().await;
        }
    });
}

/// Who makes a node dial him, and dials it as well, hears it prove the session on both connections, to the same nonces.
#[test]
fn what_a_node_proves_where_it_dials_proves_nothing_where_it_listens() {
    run(async {
        let stage = Stage::new().await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&stage, node).await;
            owner.lose().await;
            let trap = RawServer::new().await;
            let (server, uri) = (stage.server.clone(), trap.uri());
            let looking = tokio::spawn(async move {
                server.lookup::<dyn super::target::Target>(uri).await.map(drop)
            });
            let mut dialled = owner.peer.twin(trap.stranger().await);
            let nonce = dialled.hear_hello().await.nonce;
            let mut listening = owner.peer.twin(stranger(&owner.address).await);
            listening.hello.nonce = nonce;
            let heard_listening = listening.introduce().await;
            dialled.hello.nonce = listening.other.nonce;
            dialled.send_raw(&dialled.hello.write()).await;
            let heard_dialled = dialled.hear_standing().await.expect("the node goes on");
            for (impostor, heard) in
                [(&mut listening, heard_dialled), (&mut dialled, heard_listening)]
            {
                impostor.send_raw(&heard.write()).await;
                if impostor.decides() {
                    impostor.send_raw(&Verdict::Resume(1000).write()).await;
                } else {
                    let verdict = impostor.verdict().await;
                    assert!(matches!(verdict, Verdict::Refuse(_)), "{verdict:?}");
                }
                assert!(impostor.next().await.is_none(), "it was given the session");
            }
            assert!(looking.await.unwrap().is_err());
            assert_eq!((owner.session.state(), owner.reconnects()), (State::Suspended, 0));
            owner.resume().await;
            owner.is_unharmed().await;
            owner.peer.close().await;
            stage.is_alone_again().await;
        }
    });
}

#[test]
fn an_end_that_is_proved_ends_the_session_and_another_begins() {
    run(async {
        let stage = Stage::new().await;
        let before = stage.server.exports();
        for (end, suspended) in [(0, true), (32, true), (9, false), (u64::MAX, false)] {
            for node in [greater(), lesser()] {
                let mut owner = Owner::new(&stage, node).await;
                assert_eq!(stage.server.exports(), before + 1);
                if suspended {
                    owner.lose().await;
                }
                let (mut again, _) = owner.impostor().await;
                again.send_raw(&again.prove(Claim::Ended { code: end }).write()).await;
                if again.decides() {
                    again.send_raw(&Verdict::Accept(SECRET).write()).await;
                } else {
                    let verdict = again.verdict().await;
                    assert!(matches!(verdict, Verdict::Accept(_)), "{verdict:?}");
                }
                again.forget();
                again.target().await;
                assert_eq!(owner.session.state(), State::Ended);
                until("what it held goes", || stage.server.exports() == before).await;
                let answer = again.answer_to(owner.child, "add", Bytes::new().count(1)).await;
                assert_eq!(answer.fault(), fault::NO_SUCH_OBJECT);
                again.close().await;
                stage.is_alone_again().await;
            }
        }
    });
}

#[test]
fn verdicts_that_do_not_follow_do_not_count() {
    run(async {
        let stage = Stage::new().await;
        let mut owner = Owner::new(&stage, greater()).await;
        owner.resume().await;
        owner.is_unharmed().await;
        owner.lose().await;
        for verdict in [
            Verdict::Resume(0),
            Verdict::Resume(1),
            Verdict::Resume(2),
            Verdict::Accept(SECRET),
            Verdict::Accept(WRONG),
            Verdict::Duplicate,
            Verdict::Refuse("no".into()),
        ] {
            let (mut again, _) = owner.impostor().await;
            again.send_raw(&again.prove(again.claim()).write()).await;
            again.send_raw(&verdict.write()).await;
            assert_eq!(again.end().await, End::Dropped, "{verdict:?}");
            assert_eq!((owner.session.state(), owner.reconnects()), (State::Suspended, 1));
        }
        owner.resume().await;
        owner.is_unharmed().await;
        // The same number for two connections: the first has it.
        let (mut again, _) = owner.impostor().await;
        again.connection -= 1;
        again.take_up(again.claim()).await;
        assert_eq!(again.end().await, End::Dropped);
        owner.is_unharmed().await;
        // Neither side says that the connection is lost.
        let (mut again, _) = owner.impostor().await;
        let claim = Claim::Live { received: again.received, lost: false };
        again.take_up(claim).await;
        assert_eq!(again.end().await, End::Dropped);
        owner.is_unharmed().await;
        // A verdict where frames are expected is one that is too long.
        owner.peer.send_raw(&Verdict::Resume(9).write()).await;
        assert_eq!(owner.peer.end().await, code::FRAME_LENGTH);
        stage.is_alone_again().await;
    });
}

#[test]
fn the_last_of_all_numbers_is_the_last_connection() {
    run(async {
        let stage = Stage::new().await;
        let mut owner = Owner::new(&stage, greater()).await;
        owner.peer.connection = u64::MAX - 1;
        owner.resume().await;
        owner.is_unharmed().await;
        let (mut again, _) = owner.impostor().await;
        again.connection = u64::MAX - 1;
        again.take_up(again.claim()).await;
        assert_eq!(again.end().await, End::Dropped);
        owner.is_unharmed().await;
        drop(owner);
        stage.is_alone_again().await;
    });
}

#[test]
fn who_claims_more_than_was_sent_ends_its_session() {
    run(async {
        let stage = Stage::new().await;
        for node in [greater(), lesser()] {
            for more in [1000, u64::MAX] {
                let mut owner = Owner::new(&stage, node).await;
                owner.lose().await;
                let received = owner.peer.received.saturating_add(more);
                let claim = Claim::Live { received, lost: true };
                owner.peer.resume_with(&stage.address(), claim).await;
                assert_eq!(owner.peer.end().await, code::ACKNOWLEDGEMENT);
                stage.is_alone_again().await;
            }
        }
    });
}

/// What was acknowledged is not kept, so who claims to have less is not given it: he finds a gap, which is his own.
#[test]
fn who_claims_less_than_he_acknowledged_gets_what_is_left() {
    run(async {
        let stage = Stage::new().await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&stage, node).await;
            owner.peer.acknowledge().await;
            let acknowledged = owner.peer.acknowledged.take().expect("it has just been sent");
            for _ in 0..100 {
                owner.is_unharmed().await;
            }
            owner.lose().await;
            let claim = Claim::Live { received: 0, lost: true };
            owner.peer.resume_with(&stage.address(), claim).await;
            let mut expected = acknowledged + 1;
            while expected <= owner.peer.received {
                let (number, _) = owner.peer.next_numbered().await.expect("the session goes on");
                if let Some(number) = number {
                    assert_eq!(number, expected);
                    expected += 1;
                }
            }
            owner.is_unharmed().await;
            owner.peer.close().await;
            stage.is_alone_again().await;
        }
    });
}

#[test]
fn what_is_sent_again_is_not_looked_at_again() {
    run(async {
        let stage = Stage::new().await;
        let mut owner = Owner::new(&stage, greater()).await;
        let call = owner.peer.call(owner.child, "add", Bytes::new().count(1)).await;
        owner.peer.send(&call.frame()).await;
        assert_eq!(owner.peer.answer(call.question).await.value(), 1);
        owner.lose().await;
        owner.resume().await;
        // Each number that arrived, as another frame than it was: one that would end the session if it counted.
        let release = Frame::numbers(RELEASE, &[u64::MAX, u64::MAX]);
        for number in 0..=owner.peer.number {
            owner.peer.send_raw(&release.write(number)).await;
            owner
                .peer
                .send_raw(&Call { question: 1000, ..call.clone() }.frame().write(number))
                .await;
        }
        let next = owner.peer.ask(owner.child, "add", Bytes::new().count(1)).await;
        let answer = owner.peer.next_answer().await;
        assert_eq!((answer.question, answer.value()), (next, 2), "nothing counted twice");
        owner.peer.close().await;
        stage.is_alone_again().await;
    });
}

#[test]
fn who_never_acknowledges_is_held_back_until_the_lease_ends() {
    run(async {
        let limits = Limits {
            queue: 256 << 10,
            body: 64 << 10,
            unacknowledged: 2 << 20,
            ..Limits::default()
        };
        let stage = Stage::with(limits.clone()).await;
        let mut owner = Owner::new(&stage, greater()).await;
        owner.peer.acknowledged = None;
        let large = owner.peer.call(owner.child, "large", Bytes::new().count(60 << 10)).await;
        let asks: Vec<_> = (0..200)
            .map(|more| Call { question: large.question + more, ..large.clone() }.frame())
            .collect();
        owner.peer.send_all(&asks).await;
        let mut bytes = 0;
        while let Some(frame) = owner.peer.next().await {
            bytes += frame.fields.len();
            is_held_back(&owner.session, &limits);
            // It lives, and is heard.
            owner.peer.send(&Frame::numbers(PING, &[])).await;
        }
        assert_eq!(owner.peer.end().await, End::Told(32), "the lease ends");
        assert!(bytes >= limits.unacknowledged, "{bytes} bytes came");
        assert!(bytes < limits.unacknowledged + 4 * limits.queue, "{bytes} bytes came");
        stage.is_alone_again().await;
    });
}

#[test]
fn a_session_can_be_resumed_a_thousand_times_in_a_row() {
    run(async {
        let stage = Stage::new().await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&stage, node).await;
            for round in 0..1000 {
                if round % 2 == 0 {
                    owner.lose().await;
                }
                owner.resume().await;
                if round % 10 == 0 {
                    owner.is_unharmed().await;
                }
            }
            owner.is_unharmed().await;
            // Of two that are decided upon at the same moment, one may be dropped unused.
            assert!((500..=1000).contains(&owner.reconnects()), "{}", owner.reconnects());
            owner.peer.close().await;
            stage.is_alone_again().await;
        }
    });
}

#[test]
fn of_two_connections_that_resume_at_the_same_moment_the_later_counts() {
    run(async {
        let stage = Stage::new().await;
        for _ in 0..50 {
            let mut owner = Owner::new(&stage, lesser()).await;
            owner.lose().await;
            let ((mut one, _), (mut other, _)) = (owner.impostor().await, owner.impostor().await);
            let both = async |peer: &mut Peer| peer.take_up(peer.claim()).await;
            tokio::join!(both(&mut one), both(&mut other));
            assert_ne!(one.connection, other.connection, "each has a number of its own");
            let (mut earlier, later) =
                if one.connection < other.connection { (one, other) } else { (other, one) };
            assert_eq!(earlier.end().await, End::Dropped);
            owner.peer = later;
            owner.is_unharmed().await;
            owner.peer.close().await;
            stage.is_alone_again().await;
        }
    });
}

#[test]
fn strangers_who_claim_sessions_get_none() {
    run(async {
        let stage = Stage::new().await;
        let mut owner = Owner::new(&stage, greater()).await;
        for round in 0..2000 {
            let node = if round % 2 == 0 { greater() } else { lesser() };
            let mut peer = Peer::on(stranger(&stage.address()).await, &Hello::of(node));
            peer.introduce().await;
            let claim = Claim::Live { received: 1 + round, lost: round % 4 < 2 };
            peer.send_raw(&Standing::unproved(claim).write()).await;
            if peer.decides() {
                peer.send_raw(&Verdict::Resume(round).write()).await;
            } else {
                let verdict = peer.verdict().await;
                assert!(matches!(verdict, Verdict::Refuse(_)), "{verdict:?}");
            }
            assert_eq!(peer.end().await, End::Dropped);
            if round % 100 == 0 {
                assert_eq!(stage.server.sessions().len(), 2);
                owner.is_unharmed().await;
            }
        }
        owner.peer.close().await;
        stage.is_alone_again().await;
    });
}

#[test]
fn a_node_that_is_full_goes_on_with_the_sessions_that_it_has() {
    run(async {
        let limits = Limits {
            queue: 256 << 10,
            body: 64 << 10,
            unacknowledged: 2 << 20,
            memory: 2 << 20,
            ..Limits::default()
        };
        let stage = Stage::with(limits.clone()).await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&stage, node).await;
            owner.lose().await;
            let mut greedy = Peer::connect(&stage.address()).await;
            let target = greedy.target().await;
            let large = greedy.call(target, "large", Bytes::new().count(60 << 10)).await;
            let asks: Vec<_> = (0..1000)
                .map(|more| Call { question: large.question + more, ..large.clone() }.frame())
                .collect();
            greedy.send_all(&asks).await;
            let held = || -> usize {
                stage.server.sessions().iter().map(|session| session.stats().held).sum()
            };
            until("the node is full", || held() >= limits.memory).await;
            let mut late = Peer::on(stranger(&stage.address()).await, &Hello::of(lesser()));
            late.introduce().await;
            late.send_raw(&Standing::nothing().write()).await;
            let verdict = late.verdict().await;
            assert!(matches!(verdict, Verdict::Refuse(_)), "{verdict:?}");
            owner.resume().await;
            owner.is_unharmed().await;
            owner.peer.close().await;
            drop(greedy);
            stage.is_alone_again().await;
        }
    });
}

/// Without a connection it costs no file, so that nothing else bounds their number.
#[test]
fn sessions_whose_peers_have_vanished_are_bounded() {
    run(async {
        let limits = Limits { memory: 1 << 20, ..Limits::default() };
        let stage = Stage::with(limits).await;
        let mut refused = 0;
        for _ in 0..500 {
            let mut peer = Peer::on(stranger(&stage.address()).await, &Hello::of(lesser()));
            peer.introduce().await;
            peer.send_raw(&Standing::nothing().write()).await;
            refused += u64::from(matches!(peer.verdict().await, Verdict::Refuse(_)));
        }
        assert!(refused > 300, "{refused} were refused");
        assert!(stage.server.sessions().len() < 200);
        stage.is_alone_again().await;
    });
}
