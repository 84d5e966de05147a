//! Connections that never become a session, because their first bytes are wrong, late or missing.

use std::time::Duration;

use remote_core::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::hello::{Claim, Hello, PREFACE, ResumeState, SECRET, Verdict, framed};
use super::outcome::End;
use super::peer::{Peer, drained, greater, lesser, stranger};
use super::setup::{HonestClient, Setup, patient, run, soon};
use super::wire::Bytes;

/// Sends bytes to the node, and expects that the node closes the connection. Returns what the node sent.
async fn refused(setup: &Setup, bytes: &[u8]) -> Vec<u8> {
    let mut stream = stranger(&setup.address()).await;
    // The node may close the connection while this is still being sent.
    let _ = soon("sending", stream.write_all(bytes)).await;
    drained(&mut stream).await
}

/// Returns pseudo-random bytes of a seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut received = seed;
    let mut next = || {
        // xorshift64* (Vigna 2016).
        received ^= received >> 12;
        received ^= received << 25;
        received ^= received >> 27;
        received.wrapping_mul(0x2545_f491_4f6c_dd1d) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn noise_is_refused_at_its_first_byte() {
    run(async {
        let setup = Setup::new().await;
        for seed in 1..=8 {
            let noise = noise(seed, 1 << 20);
            assert_ne!(noise[0], b'R', "the first byte is to be wrong");
            assert_eq!(refused(&setup, &noise).await, b"", "a stranger gets nothing");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn noise_after_each_step_of_the_introduction_is_refused() {
    run(async {
        let setup = Setup::new().await;
        let hello = Hello::of(greater());
        let steps = [
            PREFACE.to_vec(),
            hello.write(),
            [hello.write(), ResumeState::nothing().write()].concat(),
            hello.opening(),
            [hello.opening(), vec![1, 0, 0, 0]].concat(),
        ];
        for step in steps {
            refused(&setup, &[step, noise(9, 1 << 20)].concat()).await;
            setup.assert_served().await;
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn other_protocols_are_refused() {
    run(async {
        let setup = Setup::new().await;
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        assert_eq!(refused(&setup, request).await, b"");
        // The beginning of a TLS 1.3 handshake: a record with a ClientHello of 508 bytes.
        let tls = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &noise(3, 506)].concat();
        assert_eq!(refused(&setup, &tls).await, b"");
        for version in [0, 1, 2, 4, 255, u16::MAX] {
            let other =
                [&b"REMOTE"[..], &version.to_le_bytes(), &Hello::of(greater()).write()[8..]]
                    .concat();
            assert_eq!(refused(&setup, &other).await, b"", "version {version}");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn introductions_that_cannot_be_right_are_refused() {
    run(async {
        let setup = Setup::new().await;
        let hello = Hello::of(greater());
        let introduced = |fields: &[u8]| [&PREFACE[..], &framed(fields)].concat();
        let wrong = [
            ("no bytes", introduced(&[])),
            ("the longest and more", Bytes::new().raw(&PREFACE).raw(&1025_u16.to_le_bytes()).0),
            ("all that a length can say", Bytes::new().raw(&PREFACE).raw(&[0xff; 3000]).0),
            ("a name that is too long", Hello { name: "n".repeat(129), ..hello.clone() }.write()),
            (
                "a name that is no text",
                introduced(&[&[1; 16][..], &[2, 0xff, 0xff], &[1; 64]].concat()),
            ),
            ("no calls granted", Hello { calls: 0, ..hello.clone() }.write()),
            ("bodies larger than the window", Hello { body: 1 << 30, ..hello.clone() }.write()),
            ("a number without end", introduced(&[&[1; 16][..], &[0], &[0xff; 64]].concat())),
            ("no lease", Hello { lease: 0, ..hello.clone() }.write()),
            ("a lease that nobody can keep", Hello { lease: 99, ..hello.clone() }.write()),
            (
                "an address that is too long",
                Hello { address: "a".repeat(513), ..hello.clone() }.write(),
            ),
            ("no nonce", introduced(&hello.write()[10..hello.write().len() - 32])),
        ];
        for (what, bytes) in wrong {
            assert_eq!(refused(&setup, &bytes).await, b"", "{what}");
        }
        let whole = hello.write();
        for end in 0..whole.len() {
            let mut stream = stranger(&setup.address()).await;
            stream.write_all(&whole[..end]).await.unwrap();
            stream.shutdown().await.unwrap();
            assert_eq!(drained(&mut stream).await, b"", "cut after {end} bytes");
        }
        setup.is_alone_again().await;
    });
}

/// Sends bytes after a valid introduction, and expects that the node answers with no more than its own introduction.
async fn refused_when_introduced(setup: &Setup, what: &str, bytes: &[u8]) {
    let opening = [&Hello::of(greater()).write(), bytes].concat();
    let received = refused(setup, &opening).await;
    assert!(received.starts_with(&PREFACE), "{what}: {received:?}");
    let hello = 10 + usize::from(u16::from_le_bytes([received[8], received[9]]));
    assert_eq!(received[hello..], ResumeState::nothing().write(), "{what}");
}

#[test]
fn wrong_standings_are_refused() {
    run(async {
        let setup = Setup::new().await;
        let live = Claim::Live { received: 1, lost: true };
        let whole = ResumeState::unproved(live).write();
        for (what, received) in [
            ("nothing said", framed(&[])),
            ("of no kind", framed(&[3; 40])),
            ("without a proof", framed(&whole[2..5])),
            ("with half of one", framed(&whole[2..20])),
            ("a number without end", framed(&[&[1][..], &[0xff; 64]].concat())),
            ("the longest and more", [&1025_u16.to_le_bytes()[..], &[0; 1025]].concat()),
            // Well-formed, and impossible: the node knows no session.
            ("a session that goes on", ResumeState::unproved(live).write()),
        ] {
            let decided = [received, Verdict::Accept(SECRET).write()].concat();
            refused_when_introduced(&setup, what, &decided).await;
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn wrong_verdicts_are_refused() {
    run(async {
        let limits = Limits { handshake_time: Duration::from_secs(3), ..patient() };
        let setup = Setup::with(limits).await;
        for verdict in [
            framed(&[]),
            framed(&[0]),
            framed(&[0; 32]),
            framed(&[3]),
            framed(&[3, 0xff]),
            framed(&[9, 9]),
            framed(&[2, 0, 2, 9]),
            vec![0xff; 64],
            Verdict::Refuse("no".into()).write(),
            // A session that the node does not know.
            Verdict::Duplicate.write(),
            Verdict::Resume(0).write(),
            Verdict::Resume(2).write(),
            Verdict::Resume(u64::MAX).write(),
        ] {
            let decided = [ResumeState::nothing().write(), verdict.clone()].concat();
            refused_when_introduced(&setup, &format!("{verdict:?}"), &decided).await;
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn an_introduction_that_never_ends_is_cut_off() {
    run(async {
        let limits = Limits { handshake_time: Duration::from_secs(3), ..patient() };
        let setup = Setup::with(limits).await;
        let mut silent = stranger(&setup.address()).await;
        let mut half = stranger(&setup.address()).await;
        half.write_all(&Hello::of(greater()).write()[..20]).await.unwrap();
        // Complete, except for the verdict, which the peer has to send.
        let mut undecided = stranger(&setup.address()).await;
        undecided.write_all(&Hello::of(greater()).write()).await.unwrap();
        let (mut reader, mut writer) = stranger(&setup.address()).await.into_split();
        // Never silent, and never complete: one byte at a time.
        let dripping = tokio::spawn(async move {
            for byte in Hello::of(greater()).write() {
                if writer.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        assert_eq!(drained(&mut silent).await, b"");
        assert_eq!(drained(&mut half).await, b"");
        assert!(drained(&mut undecided).await.starts_with(&PREFACE));
        let mut received = Vec::new();
        let _ = soon("the end of the dripping connection", reader.read_to_end(&mut received)).await;
        assert_eq!(received, b"");
        dripping.abort();
        setup.is_alone_again().await;
    });
}

#[test]
fn the_oldest_of_too_many_silent_connections_are_dropped() {
    run(async {
        let limits = Limits { handshake_time: Duration::from_secs(3600), ..patient() };
        let most = limits.handshakes;
        let setup = Setup::with(limits).await;
        let mut silent = Vec::new();
        for _ in 0..most + 44 {
            silent.push(stranger(&setup.address()).await);
        }
        for oldest in silent.drain(..44) {
            let mut oldest = oldest;
            assert_eq!(drained(&mut oldest).await, b"", "the oldest is closed");
        }
        for newest in silent.iter().skip(silent.len() - 10) {
            let mut byte = [0];
            let read = newest.try_read(&mut byte);
            assert!(
                read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
                "the newest wait"
            );
        }
        let another = HonestClient::at(&setup.server.uri("target")).await;
        another.assert_served().await;
        setup.assert_served().await;
    });
}

#[test]
fn the_same_introduction_again_makes_no_second_session() {
    run(async {
        let setup = Setup::new().await;
        // The node is the decider: it keeps the session that it has.
        let hello = Hello::of(lesser());
        let mut first = Peer::begun(&setup.address(), &hello).await;
        let object = first.target().await;
        for _ in 0..20 {
            let mut again = Peer::on(stranger(&setup.address()).await, &hello);
            again.introduce().await;
            again.send_raw(&ResumeState::nothing().write()).await;
            assert_eq!(again.verdict().await, Verdict::Duplicate);
            again.end().await;
        }
        assert_eq!(setup.server.sessions().len(), 2);
        assert_eq!(first.answer_to(object, "length", Bytes::new().string("four")).await.value(), 4);
        first.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_peer_that_decides_has_one_session_too() {
    run(async {
        let setup = Setup::new().await;
        let hello = Hello::of(greater());
        let mut first = Peer::introduced(&setup.address(), &hello).await;
        let object = first.target().await;
        for _ in 0..20 {
            // The peer does not mention the session that it has, and decides that another begins.
            let mut again = Peer::introduced(&setup.address(), &hello).await;
            assert_eq!(again.end().await, End::Dropped);
        }
        assert_eq!(setup.server.sessions().len(), 2);
        assert_eq!(first.answer_to(object, "length", Bytes::new().string("four")).await.value(), 4);
        first.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn a_peer_with_the_nodes_own_identity_gets_nothing() {
    run(async {
        let setup = Setup::new().await;
        let mut curious = Peer::on(stranger(&setup.address()).await, &Hello::of(lesser()));
        curious.send_raw(&Hello::of(lesser()).write()).await;
        let identity = curious.read_hello().await.node;
        let own = Hello::of(identity);
        let mut double = Peer::on(stranger(&setup.address()).await, &own);
        double.send_raw(&own.opening()).await;
        double.read_hello().await;
        double.end().await;
        drop(curious);
        setup.is_alone_again().await;
    });
}
