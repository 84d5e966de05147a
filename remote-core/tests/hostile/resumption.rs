//! Resumption by a hostile client: what a peer can do to its own session with other connections.

use remote_core::{Limits, SessionState};

use super::hello::{Claim, SECRET, Verdict, WRONG};
use super::outcome::{End, code, fault};
use super::owner::Owner;
use super::peer::{Peer, greater, lesser};
use super::setup::{Setup, is_held_back, patient, run, until};
use super::wire::{Bytes, Call, Frame, PING, RELEASE};

#[test]
fn a_session_resumes_for_the_holder_of_its_secret() {
    run(async {
        let setup = Setup::new().await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&setup, node).await;
            // One call was answered, and the answer is lost.
            let question = owner.peer.ask(owner.child, "add", Bytes::new().count(300)).await;
            until("the answer is in transit", || owner.session.stats().calls_in == 0).await;
            owner.lose().await;
            owner.resume().await;
            assert_eq!(owner.peer.answer(question).await.value(), 300);
            owner.assert_works().await;
            // The node has not noticed that the connection is lost: the next one replaces it.
            owner.resume().await;
            owner.assert_works().await;
            assert_eq!(owner.reconnects(), 2);
            owner.peer.close().await;
            setup.is_alone_again().await;
        }
    });
}

#[test]
fn an_end_that_is_proved_ends_the_session_and_another_begins() {
    run(async {
        let setup = Setup::new().await;
        let before = setup.server.exports();
        for (end, suspended) in [(0, true), (32, true), (9, false), (u64::MAX, false)] {
            for node in [greater(), lesser()] {
                let mut owner = Owner::new(&setup, node).await;
                assert_eq!(setup.server.exports(), before + 1);
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
                assert_eq!(owner.session.state(), SessionState::Ended);
                until("what it held goes", || setup.server.exports() == before).await;
                let answer = again.answer_to(owner.child, "add", Bytes::new().count(1)).await;
                assert_eq!(answer.fault(), fault::NO_SUCH_OBJECT);
                again.close().await;
                setup.is_alone_again().await;
            }
        }
    });
}

#[test]
fn verdicts_that_do_not_follow_do_not_count() {
    run(async {
        let setup = Setup::new().await;
        let mut owner = Owner::new(&setup, greater()).await;
        owner.resume().await;
        owner.assert_works().await;
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
            assert_eq!((owner.session.state(), owner.reconnects()), (SessionState::Suspended, 1));
        }
        owner.resume().await;
        owner.assert_works().await;
        // The same number for two connections: the first is used.
        let (mut again, _) = owner.impostor().await;
        again.connection -= 1;
        again.resume_on(again.claim()).await;
        assert_eq!(again.end().await, End::Dropped);
        owner.assert_works().await;
        // Neither side reports the connection as lost.
        let (mut again, _) = owner.impostor().await;
        let claim = Claim::Live { received: again.received, lost: false };
        again.resume_on(claim).await;
        assert_eq!(again.end().await, End::Dropped);
        owner.assert_works().await;
        // A verdict in place of frames is a frame that is too long.
        owner.peer.send_raw(&Verdict::Resume(9).write()).await;
        assert_eq!(owner.peer.end().await, code::FRAME_LENGTH);
        setup.is_alone_again().await;
    });
}

#[test]
fn the_last_of_all_numbers_is_the_last_connection() {
    run(async {
        let setup = Setup::new().await;
        let mut owner = Owner::new(&setup, greater()).await;
        owner.peer.connection = u64::MAX - 1;
        owner.resume().await;
        owner.assert_works().await;
        let (mut again, _) = owner.impostor().await;
        again.connection = u64::MAX - 1;
        again.resume_on(again.claim()).await;
        assert_eq!(again.end().await, End::Dropped);
        owner.assert_works().await;
        owner.peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn claiming_more_than_was_sent_ends_the_session() {
    run(async {
        let setup = Setup::new().await;
        for node in [greater(), lesser()] {
            for more in [1000, u64::MAX] {
                let mut owner = Owner::new(&setup, node).await;
                owner.lose().await;
                let received = owner.peer.received.saturating_add(more);
                let claim = Claim::Live { received, lost: true };
                owner.peer.resume_with(&setup.address(), claim).await;
                assert_eq!(owner.peer.end().await, code::ACKNOWLEDGEMENT);
                setup.is_alone_again().await;
            }
        }
    });
}

/// What was acknowledged is not kept. A peer that claims to have received less does not get it, and finds a gap of its
/// own making.
#[test]
fn claiming_less_than_was_acknowledged_gets_the_rest() {
    run(async {
        let setup = Setup::new().await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&setup, node).await;
            owner.peer.acknowledge().await;
            let acknowledged = owner.peer.acknowledged.take().expect("it has just been sent");
            for _ in 0..100 {
                owner.assert_works().await;
            }
            owner.lose().await;
            let claim = Claim::Live { received: 0, lost: true };
            owner.peer.resume_with(&setup.address(), claim).await;
            let mut expected = acknowledged + 1;
            while expected <= owner.peer.received {
                let (number, _) = owner.peer.next_numbered().await.expect("the session goes on");
                if let Some(number) = number {
                    assert_eq!(number, expected);
                    expected += 1;
                }
            }
            owner.assert_works().await;
            owner.peer.close().await;
            setup.is_alone_again().await;
        }
    });
}

#[test]
fn retransmitted_frames_are_ignored() {
    run(async {
        let setup = Setup::new().await;
        let mut owner = Owner::new(&setup, greater()).await;
        let call = owner.peer.call(owner.child, "add", Bytes::new().count(1)).await;
        owner.peer.send(&call.frame()).await;
        assert_eq!(owner.peer.answer(call.question).await.value(), 1);
        owner.lose().await;
        owner.resume().await;
        // Each number that arrived, with another frame: one that would end the session if it were handled.
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
        setup.is_alone_again().await;
    });
}

#[test]
fn a_peer_that_never_acknowledges_is_suspended_until_its_lease_ends() {
    run(async {
        let limits =
            Limits { queue: 256 << 10, body: 64 << 10, unacknowledged: 2 << 20, ..patient() };
        let setup = Setup::brief(limits.clone()).await;
        let mut owner = Owner::new(&setup, greater()).await;
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
            // The peer keeps the connection alive.
            owner.peer.send(&Frame::numbers(PING, &[])).await;
        }
        assert_eq!(owner.peer.end().await, End::Closed(32), "the lease ends");
        assert!(bytes >= limits.unacknowledged, "{bytes} bytes came");
        assert!(bytes < limits.unacknowledged + 4 * limits.queue, "{bytes} bytes came");
        setup.is_alone_again().await;
    });
}

#[test]
fn a_session_can_be_resumed_a_thousand_times_in_a_row() {
    run(async {
        let setup = Setup::new().await;
        for node in [greater(), lesser()] {
            let mut owner = Owner::new(&setup, node).await;
            for round in 0..1000 {
                if round % 2 == 0 {
                    owner.lose().await;
                }
                owner.resume().await;
                owner.assert_works().await;
            }
            assert_eq!(owner.reconnects(), 1000);
            owner.peer.close().await;
            setup.is_alone_again().await;
        }
    });
}

#[test]
fn of_two_connections_that_resume_at_the_same_moment_the_later_counts() {
    run(async {
        let setup = Setup::new().await;
        for _ in 0..50 {
            let mut owner = Owner::new(&setup, lesser()).await;
            owner.lose().await;
            let ((mut one, _), (mut other, _)) = (owner.impostor().await, owner.impostor().await);
            let both = async |peer: &mut Peer| peer.resume_on(peer.claim()).await;
            tokio::join!(both(&mut one), both(&mut other));
            assert_ne!(one.connection, other.connection, "each has a number of its own");
            let (mut earlier, later) =
                if one.connection < other.connection { (one, other) } else { (other, one) };
            assert_eq!(earlier.end().await, End::Dropped);
            owner.peer = later;
            owner.assert_works().await;
            owner.peer.close().await;
            setup.is_alone_again().await;
        }
    });
}
