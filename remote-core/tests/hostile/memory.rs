//! The memory that hostile peers cost: as much as the limits of their sessions permit, and little more.

use std::time::Duration;

use super::child::Served;
use super::hello::{Claim, Hello, ResumeState, Verdict};
use super::peer::{Peer, TARGET, greater, lesser, stranger};
use super::setup::run;
use super::wire::{Bytes, CANCEL, CHUNK, Call, Frame, LONGEST_FRAME, mine};

const MIB: u64 = 1 << 20;
/// `Limits::body`, of which `Limits::window_bytes` permits several.
const BODY: u64 = 4 * MIB;
const WINDOW: u64 = 4 * BODY;
/// The cost of a peer that does not read: `Limits::queue` with the last answer that is put into it, the answer that is
/// being written, and `Limits::unacknowledged`.
const NEVER_READ: u64 = (8 * MIB + BODY) + BODY + 8 * MIB;
/// The bytes that `Limits::memory` counts for a session.
const SESSION: u64 = 8 << 10;
/// The tasks, tables and buffers of what is in progress: some thousands of calls, some hundreds of connections.
const BESIDE: u64 = 2 * MIB;
/// The calls that `Limits::window_calls` permits, which wait for room for their answers: each has an entry in two tables.
const WAITING_CALLS: u64 = 16_384 * 256;
/// A few connections.
const TRIFLE: u64 = 64 << 10;
/// The number of connections at once: both ends of each count against the limit of file descriptors.
const CONNECTIONS: usize = if cfg!(debug_assertions) { 500 } else { 1000 };

/// Returns the maximum number of bytes that a node allocated during an attack.
fn cost<A: Future>(attack: impl FnOnce(String) -> A) -> u64 {
    run(async {
        let served = Served::new().await;
        let before = served.allocated().now;
        let attack = attack(served.address()).await;
        served.assert_served().await;
        let cost = served.allocated().peak.saturating_sub(before);
        drop(attack);
        served.assert_served().await;
        cost
    })
}

#[track_caller]
fn assert_costs(limit: u64, cost: u64) {
    assert!(cost <= limit, "{} KiB, where {} are allowed", cost >> 10, limit >> 10);
}

#[test]
fn frames_and_bodies_announced_and_not_sent_cost_next_to_nothing() {
    assert_costs(
        CONNECTIONS as u64 * SESSION + BESIDE,
        cost(async |address| {
            let mut peers = Vec::new();
            for number in 0..CONNECTIONS {
                let mut peer = Peer::connect(&address).await;
                if number % 2 == 0 {
                    peer.send_raw(&(LONGEST_FRAME as u32).to_le_bytes()).await;
                    peer.send_raw(&[1; 6]).await;
                } else {
                    let call = peer.call(0, "bytes", Bytes(vec![1; 10])).await;
                    peer.send(&Call { total: 4 << 20, ..call }.frame()).await;
                }
                peers.push(peer);
            }
            peers
        }),
    );
}

#[test]
fn noise_costs_next_to_nothing() {
    assert_costs(
        TRIFLE,
        cost(async |address| {
            for _ in 0..20 {
                let mut stream = stranger(&address).await;
                let _ =
                    tokio::io::AsyncWriteExt::write_all(&mut stream, &vec![0x52; 1 << 20]).await;
                super::peer::drained(&mut stream).await;
            }
        }),
    );
}

#[test]
fn bodies_that_claim_too_much_cost_no_more_than_they_are() {
    assert_costs(
        // One at a time: the body, its tag as a string, and the error that names the tag, before it is cut.
        5 * BODY + BESIDE,
        cost(async |address| {
            let mut peer = Peer::connect(&address).await;
            let target = peer.target().await;
            for claim in [u64::MAX, 1 << 32, 4 << 20] {
                for method in ["length", "bytes", "words", "vectors"] {
                    peer.answer_to(target, method, Bytes::new().count(claim).raw(&[0; 3])).await;
                }
            }
            peer.answer_to(target, "units", Bytes::new().count(u64::MAX)).await;
            for _ in 0..3 {
                peer.answer_to(target, "vectors", Bytes(vec![1; 4 << 20])).await;
                let deep = Bytes::new().count(1).string("Framed").0;
                peer.answer_to(target, "shape", Bytes(deep.repeat((4 << 20) / deep.len()))).await;
                let tag = "x".repeat((4 << 20) - 10);
                peer.answer_to(target, "shape", Bytes::new().count(1).string(&tag)).await;
            }
        }),
    );
}

#[test]
fn a_peer_that_never_reads_costs_its_queue() {
    assert_costs(
        NEVER_READ + BESIDE,
        cost(async |address| {
            let mut peer = Peer::connect(&address).await;
            let target = peer.target().await;
            let large = peer.call(target, "large", Bytes::new().count((4 << 20) - 10)).await;
            let asks: Vec<_> = (0..2000)
                .map(|more| Call { question: large.question + more, ..large.clone() }.frame())
                .collect();
            peer.send_all(&asks).await;
            peer
        }),
    );
}

#[test]
fn a_peer_that_never_reads_and_cancels_costs_its_queue() {
    assert_costs(
        NEVER_READ + WAITING_CALLS + BESIDE,
        cost(async |address| {
            let mut peer = Peer::connect(&address).await;
            let target = peer.target().await;
            let large = peer.call(target, "large", Bytes::new().count((4 << 20) - 10)).await;
            let asks: Vec<_> = (0..20)
                .map(|more| Call { question: large.question + more, ..large.clone() }.frame())
                .collect();
            peer.send_all(&asks).await;
            let add = peer.call(target, "add", Bytes::new().count(1)).await;
            let pairs: Vec<_> = (1000..501_000)
                .flat_map(|question| {
                    [Call { question, ..add.clone() }.frame(), Frame::numbers(CANCEL, &[question])]
                })
                .collect();
            let bytes = peer.write(&pairs);
            peer.send_while_taken(&bytes, Duration::from_millis(300)).await;
            peer
        }),
    );
}

#[test]
fn bodies_begun_and_never_ended_cost_their_window() {
    assert_costs(
        WINDOW + BESIDE,
        cost(async |address| {
            let mut peer = Peer::connect(&address).await;
            let target = peer.target().await;
            let mut calls = Vec::new();
            for _ in 0..4 {
                let call = peer.call(target, "bytes", Bytes(vec![1; CHUNK])).await;
                peer.send(&Call { total: 4 << 20, ..call.clone() }.frame()).await;
                calls.push(call);
            }
            // All but the last byte of each.
            for call in calls {
                let whole = Call { content: vec![1; (4 << 20) - 1], ..call };
                peer.send_all(&whole.frames()[1..]).await;
            }
            peer
        }),
    );
}

/// The number of references that fit into a body: each takes a number of three bytes.
const REFERENCES: usize = (4 << 20) / 3 - 10;
/// The cost of each while the message is decoded.
const REFERENCE: u64 = 224;

#[test]
fn one_object_named_a_million_times_costs_no_more_than_a_million_objects() {
    assert_costs(
        REFERENCES as u64 * REFERENCE,
        cost(async |address| {
            let mut peer = Peer::connect(&address).await;
            let target = peer.target().await;
            let interface = peer.name(TARGET).await;
            let references = Bytes(mine(7, interface).0.repeat(REFERENCES));
            let call = peer.call(target, "keep_all", Bytes::new().count(0)).await.with(references);
            peer.send_all(&call.frames()).await;
            peer.answer(call.question).await;
            peer
        }),
    );
}

#[test]
fn forged_resumptions_cost_little() {
    assert_costs(
        TRIFLE,
        cost(async |address| {
            for round in 0..5000 {
                let node = if round % 2 == 0 { greater() } else { lesser() };
                let mut peer = Peer::on(stranger(&address).await, &Hello::of(node));
                peer.introduce().await;
                let claim = Claim::Live { received: 1 + round, lost: round % 4 < 2 };
                peer.send_raw(&ResumeState::unproved(claim).write()).await;
                if peer.decides() {
                    peer.send_raw(&Verdict::Resume(round).write()).await;
                }
                peer.ended_somehow().await;
            }
        }),
    );
}

/// On each connection all unacknowledged frames are retransmitted; they are kept once.
#[test]
fn a_peer_that_reconnects_without_acknowledging_costs_one_queue() {
    assert_costs(
        NEVER_READ + BESIDE,
        cost(async |address| {
            let mut peer = Peer::connect(&address).await;
            let target = peer.target().await;
            peer.acknowledged = None;
            let large = peer.call(target, "large", Bytes::new().count((4 << 20) - 10)).await;
            let asks: Vec<_> = (0..2000)
                .map(|more| Call { question: large.question + more, ..large.clone() }.frame())
                .collect();
            peer.send_all(&asks).await;
            for _ in 0..1000 {
                for _ in 0..10 {
                    peer.next_numbered().await;
                }
                peer.resume(&address).await;
            }
            peer
        }),
    );
}
