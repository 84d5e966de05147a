//! Hostile servers: their clients end each call with a clear error, in time, and go on with other servers.

use std::time::{Duration, Instant};

use remote_core::{Error, Limits, Ref, SessionState};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use super::client::{Client, lost, not_connected};
use super::hello::{Hello, PREFACE, Verdict, framed};
use super::outcome::code;
use super::peer::{TARGET, drained, greater};
use super::raw_server::{OBJECT, RawServer};
use super::setup::{LIMIT, patient, run, soon};
use super::wire::{
    ANSWER, Bytes, CREDIT, Call, Frame, LONGEST_FRAME, Manner, RELEASE, To, answer, mine, yours,
};

#[test]
fn servers_of_other_protocols_are_recognized() {
    run(async {
        let client = Client::new().await;
        let server = RawServer::new().await;
        let openings = [
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "does not speak the remote protocol"),
            (vec![0x15, 3, 3, 0, 2, 2, 40], "does not speak the remote protocol"),
            (vec![0xa5; 1 << 20], "does not speak the remote protocol"),
            (b"REMOTE\x07\x00".to_vec(), "version 7"),
            (Hello { lease: 0, ..Hello::of(greater()) }.write(), "introduction cannot be read"),
            ([&PREFACE[..], &[0xff; 2000]].concat(), "introduction cannot be read"),
            ([&PREFACE[..], &[5, 0], &[0xff; 5]].concat(), "introduction cannot be read"),
            (PREFACE[..5].to_vec(), "closed during the introduction"),
            (Vec::new(), "closed during the introduction"),
        ];
        for (opening, reason) in openings {
            let serving = async {
                let mut stream = server.stranger().await;
                let _ = stream.write_all(&opening).await;
                let _ = stream.shutdown().await;
                drained(&mut stream).await;
            };
            let (error, ()) = tokio::join!(client.lookup(&server), serving);
            let error = not_connected(error);
            assert!(error.contains(reason), "{error}");
        }
        client.is_alone_again().await;
    });
}

#[test]
fn a_silent_server_times_out() {
    run(async {
        let limits = Limits { handshake_time: Duration::from_millis(300), ..patient() };
        let client = Client::with(limits).await;
        let server = RawServer::new().await;
        let began = Instant::now();
        let (error, silent) = tokio::join!(client.lookup(&server), server.stranger());
        assert!(not_connected(error).contains("no answer within 0.3 s"));
        assert!(began.elapsed() < LIMIT / 4);
        drop(silent);
        client.is_alone_again().await;
    });
}

#[test]
fn verdicts_that_cannot_be_are_errors() {
    run(async {
        // Only the last case below, a missing verdict, waits for this limit.
        let limits = Limits { handshake_time: Duration::from_secs(3), ..patient() };
        let client = Client::with(limits).await;
        let server = RawServer::new().await;
        for (verdict, reason) in [
            (framed(&[9]), "introduction cannot be read"),
            (framed(&[]), "frame cannot be read"),
            (framed(&[0; 32]), "frame cannot be read"),
            (vec![0xff; 100], "introduction cannot be read"),
            // A session that the client does not know.
            (Verdict::Duplicate.write(), "has a session with this node"),
            (Verdict::Resume(0).write(), "changed while"),
            (Verdict::Resume(u64::MAX).write(), "changed while"),
            (Verdict::Refuse("not you".into()).write(), "refused: not you"),
            // No verdict.
            (Vec::new(), "no answer within"),
        ] {
            let (error, peer) = tokio::join!(client.lookup(&server), server.introduced(&verdict));
            let error = not_connected(error);
            assert!(error.contains(reason), "{error}");
            peer.ended_somehow().await;
        }
        client.is_alone_again().await;
    });
}

#[test]
fn answers_of_another_shape_are_errors_of_their_call() {
    run(async {
        let client = Client::new().await;
        let server = RawServer::new().await;
        let (target, mut peer) = tokio::join!(client.lookup(&server), server.looked_up());
        let target = target.unwrap();
        let interface = peer.name(TARGET).await;
        let nothing = Bytes::new;
        for (status, body, references) in [
            (0, nothing(), nothing()),
            (0, Bytes(vec![0xff; 9000]), nothing()),
            (0, Bytes::new().count(5).byte(0), nothing()),
            (1, nothing(), nothing()),
            (1, Bytes(vec![21; 9000]), nothing()),
            (2, nothing(), nothing()),
            (2, Bytes(vec![22; 9000]), nothing()),
            (2, Bytes(vec![200; 9]), nothing()),
        ] {
            let what = format!("{status} {body:?}");
            let answering = async {
                let call = peer.next_call().await;
                peer.send(&answer(call.question, status, body, references)).await;
            };
            let (error, ()) = tokio::join!(soon("a call", target.add(1)), answering);
            let error = error.expect_err(&what);
            assert!(
                matches!(error.root(), Error::Decode(_) | Error::Quota(_) | Error::Protocol(_)),
                "{what}: {error:?}"
            );
        }
        // References where none are expected, and none where one is.
        let answering = async {
            let call = peer.next_call().await;
            peer.send(&answer(call.question, 0, Bytes::new().count(5), mine(9, interface))).await;
            let call = peer.next_call().await;
            peer.send(&answer(call.question, 0, Bytes::new().count(3), mine(9, interface))).await;
        };
        let calling = async {
            assert_eq!(target.add(1).await, Ok(5));
            assert!(matches!(target.child().await.unwrap_err().root(), Error::Decode(_)));
        };
        soon("both calls", async { tokio::join!(calling, answering) }).await;
        drop(target);
        peer.close().await;
        client.is_alone_again().await;
    });
}

#[test]
fn an_answer_that_cannot_be_read_does_not_say_that_the_call_was_not_executed() {
    run(async {
        let client = Client::new().await;
        let server = RawServer::new().await;
        let (target, mut peer) = tokio::join!(client.lookup(&server), server.looked_up());
        let target = target.unwrap();
        for status in [0, 1, 2] {
            let answering = async {
                let call = peer.next_call().await;
                peer.send(&answer(call.question, status, Bytes(vec![0xff; 3]), Bytes::new())).await;
            };
            let (error, ()) = tokio::join!(soon("a call", target.add(1)), answering);
            let error = error.unwrap_err();
            assert_ne!(error.outcome(), remote_core::Outcome::NotExecuted, "{status}: {error:?}");
        }
        drop(target);
        peer.close().await;
        client.is_alone_again().await;
    });
}

#[test]
fn a_server_that_breaks_a_rule_loses_its_session() {
    run(async {
        let client = Client::new().await;
        let server = RawServer::new().await;
        let begin = |question, total| {
            Frame::new(
                ANSWER,
                Bytes::new().number(question).byte(0).number(0).number(total).raw(&[1; 10]),
            )
        };
        type Script<'s> = Box<dyn Fn(u64) -> Vec<Frame> + 's>;
        let scripts: Vec<(Script<'_>, _)> = vec![
            (Box::new(|call| vec![begin(call, (4 << 20) + 1)]), code::BODY),
            (Box::new(|call| vec![begin(call, 1 << 40)]), code::BODY),
            (
                Box::new(|call| vec![answer(call + 1, 0, Bytes::new().count(1), Bytes::new())]),
                code::QUESTION,
            ),
            (
                Box::new(|call| vec![answer(call, 0, Bytes::new().count(1), mine(9, 77))]),
                code::NAME,
            ),
            (
                Box::new(|call| vec![answer(call, 0, Bytes::new().count(1), yours(9, 0))]),
                code::REFERENCES,
            ),
            (
                Box::new(|call| vec![answer(call, 3, Bytes::new().count(1), Bytes::new())]),
                code::FRAME,
            ),
            (Box::new(|_| vec![Frame::numbers(RELEASE, &[1, 1])]), code::RELEASE),
            (Box::new(|_| vec![Frame::numbers(CREDIT, &[1000, 0])]), code::WINDOW),
            (Box::new(|_| vec![Frame::numbers(CREDIT, &[1, 0])]), code::WINDOW),
            (Box::new(|_| vec![Frame::new(0x3f, Bytes::new())]), code::FRAME),
            (
                Box::new(|_| vec![Frame::new(CREDIT, Bytes(vec![0; LONGEST_FRAME]))]),
                code::FRAME_LENGTH,
            ),
        ];
        for (script, end) in scripts {
            let (target, mut peer) = tokio::join!(client.lookup(&server), server.looked_up());
            let target = target.unwrap();
            let answering = async {
                let call = peer.next_call().await;
                peer.send_all(&script(call.question)).await;
                peer.end().await
            };
            let (error, ended) = tokio::join!(soon("a call", target.add(1)), answering);
            assert_eq!(ended, end, "{error:?}");
            lost(error);
            lost(soon("a call after the end", target.add(1)).await);
            drop(target);
            client.is_alone_again().await;
        }
    });
}

#[test]
fn a_silent_server_times_out_and_its_promises_break() {
    run(async {
        let limits = Limits {
            ping: Duration::from_millis(200),
            silence: Duration::from_millis(900),
            ..patient()
        };
        let client = Client::brief(limits).await;
        let server = RawServer::new().await;
        let (target, peer) = tokio::join!(client.lookup(&server), server.looked_up());
        let target = target.unwrap();
        let promise = target.never_child().pipelined();
        let mut state = client.hostile().watch();
        let (suspended, call, pipelined) = soon("silence is noticed", async {
            let suspended =
                async { state.wait_for(|state| *state == SessionState::Suspended).await.is_ok() };
            tokio::join!(suspended, target.add(1), async { promise.add(1).await })
        })
        .await;
        assert!(suspended, "the connection is given up before the lease ends");
        assert_eq!(call, Err(Error::LeaseExpired));
        assert_eq!(pipelined.unwrap_err().root(), &Error::LeaseExpired);
        drop((target, promise));
        peer.close().await;
        client.is_alone_again().await;
    });
}

#[test]
fn a_promise_that_a_server_never_keeps_ends_with_its_deadline() {
    run(async {
        let client = Client::new().await;
        let server = RawServer::new().await;
        let (target, mut peer) = tokio::join!(client.lookup(&server), server.looked_up());
        let target = target.unwrap();
        let promise = target.never_child().pipelined();
        let short = Duration::from_millis(50);
        assert_eq!(soon("the deadline", promise.add(1).timeout(short)).await, Err(Error::Timeout));
        assert_eq!(soon("the deadline", target.add(1).timeout(short)).await, Err(Error::Timeout));
        // Answered with a value that is no reference, or with an object of the client that was not introduced to the
        // server, the promise breaks.
        let kept = peer.next_call().await;
        assert_eq!(kept.manner, Manner::Promise as u8);
        peer.send(&answer(kept.question, 0, Bytes::new().count(5), Bytes::new())).await;
        assert!(soon("the promise breaks", Ref::resolved(&promise)).await.is_err());
        drop((target, promise));
        peer.close().await;
        client.is_alone_again().await;
    });
}

#[test]
fn a_server_cannot_reach_what_a_client_did_not_give() {
    run(async {
        let client = Client::new().await;
        let server = RawServer::new().await;
        let (target, mut peer) = tokio::join!(client.lookup(&server), server.looked_up());
        let target = target.unwrap();
        let selector = peer.name("Target.add").await;
        for object in [1, 2, 3, OBJECT, 1000, u64::MAX] {
            let call =
                Call::new(peer.question(), To::Object(object), selector, Bytes::new().count(1));
            peer.ask_back(&call).await;
            assert_eq!(
                peer.answer(call.question).await.fault(),
                super::outcome::fault::NO_SUCH_OBJECT,
                "{object}"
            );
        }
        drop(target);
        peer.close().await;
        client.is_alone_again().await;
    });
}

#[test]
fn answers_with_any_bit_flipped_or_cut_at_every_byte_end_their_calls() {
    /// The number of cases at once, each with its own client and server: for most of the time a client waits before it
    /// dials again.
    const AT_ONCE: usize = 8;
    run(async {
        let length = answers_length().await;
        let flips = (0..length * 8).map(|bit| (length, Some(bit)));
        let cuts = (0..length).map(|end| (end, None));
        let changes: Vec<_> = flips.chain(cuts).collect();
        let mut playing = JoinSet::new();
        for first in 0..AT_ONCE {
            let changes: Vec<_> = changes.iter().copied().skip(first).step_by(AT_ONCE).collect();
            playing.spawn(async move {
                let (client, server) = (Client::new().await, RawServer::new().await);
                for (end, bit) in changes {
                    changed(&client, &server, end, bit).await;
                }
            });
        }
        while let Some(played) = playing.join_next().await {
            played.unwrap();
        }
    });
}

/// Returns the number of bytes of the answer to a call.
async fn answers_length() -> usize {
    let (client, server) = (Client::new().await, RawServer::new().await);
    let (target, mut peer) = tokio::join!(client.lookup(&server), server.looked_up());
    let target = target.unwrap();
    let answering = async {
        let call = peer.next_call().await;
        answers(&mut peer, call.question).len()
    };
    tokio::select! {
        error = target.add(1) => panic!("nobody answered: {error:?}"),
        length = answering => length,
    }
}

/// Answers a call with a flipped bit, or not to the end. In any case the call ends, and its session.
async fn changed(client: &Client, server: &RawServer, end: usize, bit: Option<usize>) {
    let serving = async {
        let mut peer = server.looked_up().await;
        let Some(call) = peer.next_call_unless_ended().await else { return };
        let mut bytes = answers(&mut peer, call.question);
        if let Some(bit) = bit {
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        peer.send_raw(&bytes[..end]).await;
        peer.shut_down_writing().await;
        peer.end().await;
    };
    let calling = async {
        let target = client.lookup(server).await.unwrap();
        let _ = soon("the call ends", target.child()).await;
        drop(target);
        client.is_alone_again().await;
    };
    // A session that only lost its connection ends when the client finds another node at the server's address.
    let serving = async {
        serving.await;
        server.is_restarted().await
    };
    tokio::select! {
        () = calling => {}
        never = serving => never,
    }
}

/// Returns the frames of the answer to a call for a reference.
fn answers(peer: &mut super::peer::Peer, question: u64) -> Vec<u8> {
    let frames = [
        super::peer::announcement(2, 3, "Other"),
        answer(question, 0, Bytes::new().count(0), mine(6, 1)),
        Frame::numbers(super::wire::ACKNOWLEDGE, &[1]),
        Frame::numbers(super::wire::PING, &[]),
    ];
    peer.write(&frames)
}
