//! Invalid frames: too long, too short, of an unknown kind, out of order, or chunks of no message.

use std::time::Duration;

use remote_core::{Limits, SessionState};

use super::outcome::code;
use super::peer::Peer;
use super::setup::{Setup, patient, run, soon, until, waiting};
use super::wire::{
    ACKNOWLEDGE, ANSWER_CHUNK, Bytes, CALL, CALL_CHUNK, CANCEL, CHUNK, CLOSING, CREDIT, Call,
    Frame, LONGEST_FRAME, PING, RENEW, To,
};

/// Returns only the length field of a frame.
fn length(bytes: u32) -> Vec<u8> {
    bytes.to_le_bytes().to_vec()
}

#[test]
fn frames_of_impossible_length_end_the_session() {
    run(async {
        let setup = Setup::new().await;
        let longest = LONGEST_FRAME as u32;
        for claim in [0, longest + 1, 1 << 24, 1 << 31, u32::MAX] {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send_raw(&length(claim)).await;
            assert_eq!(peer.end().await, code::FRAME_LENGTH, "{claim} bytes");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn a_frame_cut_short_ends_its_session_when_nothing_follows() {
    run(async {
        let limits = Limits {
            ping: Duration::from_millis(200),
            silence: Duration::from_millis(900),
            ..patient()
        };
        let setup = Setup::brief(limits).await;
        let ping = Frame::numbers(PING, &[]).write(0);
        for cut in [&length(LONGEST_FRAME as u32)[..], &ping[..2], &ping[..4]] {
            let mut silent = Peer::connect(&setup.address()).await;
            silent.acknowledged = None;
            silent.send_raw(cut).await;
            let mut closing = Peer::connect(&setup.address()).await;
            closing.send_raw(cut).await;
            closing.shut_down_writing().await;
            closing.end().await;
            silent.end().await;
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn frames_that_cannot_be_read_end_the_session() {
    run(async {
        let setup = Setup::new().await;
        let endless = [0xff; 11];
        let wrong = [
            ("no kind", Frame::new(0x00, Bytes::new())),
            ("an unknown kind", Frame::new(0x10, Bytes::new())),
            ("an unknown kind without a number", Frame::new(0x42, Bytes::new())),
            ("the last kind", Frame::new(0xff, Bytes::new().raw(&endless))),
            ("a call of nothing", Frame::new(CALL, Bytes::new())),
            ("a call with a number without end", Frame::new(CALL, Bytes::new().raw(&endless))),
            (
                "a call of an unknown manner",
                Frame::new(CALL, Bytes::new().number(1).byte(6).raw(&[0; 9])),
            ),
            ("a number of two bytes for one", Frame::new(CANCEL, Bytes::new().raw(&[0x81, 0]))),
            (
                "a number of three bytes for one",
                Frame::new(CANCEL, Bytes::new().raw(&[0x81, 0x80, 0])),
            ),
            (
                "a number of ten bytes for nine",
                Frame::new(CANCEL, Bytes::new().raw(&[0xff; 9]).byte(0)),
            ),
            ("a cancel and more", Frame::numbers(CANCEL, &[1, 1])),
            ("a closing and more", Frame::numbers(CLOSING, &[1])),
            ("a ping and more", Frame::numbers(PING, &[1])),
            ("a renewal and more", Frame::numbers(RENEW, &[1])),
            (
                "a name that is no text",
                Frame::new(8, Bytes::new().number(1).raw(&[0; 16]).number(1).byte(0xff)),
            ),
            (
                "a name beyond its frame",
                Frame::new(8, Bytes::new().number(1).raw(&[0; 16]).number(u64::MAX)),
            ),
            ("an end of neither kind", Frame::new(0x0b, Bytes::new().number(1).byte(2).text(""))),
        ];
        for (what, frame) in wrong {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send(&frame).await;
            assert_eq!(peer.end().await, code::FRAME, "{what}");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn numbers_keep_their_order() {
    run(async {
        let setup = Setup::new().await;
        let cancel = Frame::numbers(CANCEL, &[1]);
        for number in [2, 1000, u64::MAX] {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send_raw(&cancel.write(number)).await;
            assert_eq!(peer.end().await, code::NUMBER, "{number} first");
        }
        // A frame that arrives twice counts once: the second may be a retransmission.
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let call = peer.call(target, "add", Bytes::new().count(1)).await;
        peer.send(&call.frame()).await;
        peer.answer(call.question).await.value();
        let number = peer.number;
        for _ in 0..3 {
            peer.send_raw(&call.frame().write(number)).await;
            peer.send_raw(&call.frame().write(0)).await;
        }
        let next = peer.ask(target, "add", Bytes::new().count(1)).await;
        assert_eq!(peer.next_answer().await.question, next, "nothing was executed twice");
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn parts_of_bodies_that_do_not_fit_end_the_session() {
    run(async {
        let setup = Setup::new().await;
        let body = Limits::default().body as u64;
        let begin = |question, total, content: usize| {
            let call = Call::new(question, To::Object(0), 1, Bytes(vec![0; content]));
            Call { total, ..call }.frame()
        };
        let chunk = |question, bytes: usize| {
            Frame::new(CALL_CHUNK, Bytes::new().number(question).raw(&vec![0; bytes]))
        };
        let foreign = Frame::new(ANSWER_CHUNK, Bytes::new().number(1).byte(0));
        let wrong = [
            ("more than a body may be", vec![begin(1, body + 1, 10)], code::BODY),
            ("4 GiB", vec![begin(1, 1 << 32, 10)], code::BODY),
            ("all that a number can say", vec![begin(1, u64::MAX, 10)], code::BODY),
            ("all of it at once, and called a part", vec![begin(1, 10, 10)], code::CHUNK),
            ("more than announced", vec![begin(1, 10, 20)], code::CHUNK),
            ("a part of nothing", vec![chunk(1, 10)], code::CHUNK),
            ("an empty part", vec![begin(1, 30_000, 10), chunk(1, 0)], code::CHUNK),
            ("a part too many", vec![begin(1, 20, 10), chunk(1, 10), chunk(1, 10)], code::CHUNK),
            ("a part too large", vec![begin(1, 20, 10), chunk(1, 11)], code::CHUNK),
            ("a part of another", vec![begin(1, 20, 10), chunk(2, 10)], code::CHUNK),
            ("a part of an answer to nothing", vec![foreign], code::CHUNK),
            ("begun twice", vec![begin(1, 20, 10), begin(1, 20, 10)], code::QUESTION),
            (
                "references longer than the body",
                vec![
                    Call { references: 11, ..Call::new(1, To::Object(0), 1, Bytes(vec![0; 10])) }
                        .frame(),
                ],
                code::FRAME,
            ),
            (
                "references without end",
                vec![
                    Call {
                        references: u64::MAX,
                        ..Call::new(1, To::Object(0), 1, Bytes(vec![0; 10]))
                    }
                    .frame(),
                ],
                code::FRAME,
            ),
        ];
        for (what, frames, end) in wrong {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.name("remote.Directory.names").await;
            peer.send_all(&frames).await;
            assert_eq!(peer.end().await, end, "{what}");
        }
        setup.is_alone_again().await;
    });
}

#[test]
fn a_body_that_never_arrives_blocks_no_other_session() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        // As many as the window permits, each with its first chunk only.
        for _ in 0..4 {
            let call = peer.call(target, "bytes", Bytes(vec![1; CHUNK])).await;
            peer.send(&Call { total: 4 << 20, ..call }.frame()).await;
        }
        let call = peer.call(target, "bytes", Bytes(vec![1; CHUNK])).await;
        peer.send(&Call { total: 4 << 20, ..call }.frame()).await;
        assert_eq!(peer.end().await, code::WINDOW);
        setup.is_alone_again().await;
    });
}

#[test]
fn false_acknowledgements_and_credit_end_the_session() {
    run(async {
        let setup = Setup::new().await;
        for (frame, end) in [
            (Frame::numbers(ACKNOWLEDGE, &[1000]), code::ACKNOWLEDGEMENT),
            (Frame::numbers(ACKNOWLEDGE, &[u64::MAX]), code::ACKNOWLEDGEMENT),
            (Frame::numbers(CREDIT, &[1, 0]), code::WINDOW),
            (Frame::numbers(CREDIT, &[0, 1]), code::WINDOW),
            (Frame::numbers(CREDIT, &[u64::MAX, u64::MAX]), code::WINDOW),
        ] {
            let mut peer = Peer::connect(&setup.address()).await;
            peer.send(&frame).await;
            assert_eq!(peer.end().await, end, "{frame:?}");
        }
        setup.is_alone_again().await;
    });
}

/// The last frame of the node can never be written, so that the peer gets none.
#[test]
fn a_violating_peer_that_does_not_read_is_dropped() {
    run(async {
        let stall = Duration::from_secs(1);
        let (queue, body) = (256 << 10, 64 << 10);
        let limits = Limits { queue, body, stall, ..patient() };
        let setup = Setup::with(limits).await;
        for vanishes in [true, false] {
            let mut peer = Peer::connect(&setup.address()).await;
            let target = peer.target().await;
            let large = peer.call(target, "large", Bytes::new().count(60 << 10)).await;
            let asks: Vec<_> = (0..1000)
                .map(|more| Call { question: large.question + more, ..large.clone() }.frame())
                .collect();
            peer.send_all(&asks).await;
            let session = setup.hostile();
            until("the queue is full", || waiting(&session) >= queue).await;
            peer.send(&Frame::new(0x00, Bytes::new())).await;
            let mut state = session.watch();
            let ended =
                async { state.wait_for(|state| *state == SessionState::Ended).await.is_ok() };
            assert!(soon("the session ends", ended).await);
            let peer = (!vanishes).then_some(peer);
            setup.is_alone_again().await;
            drop(peer);
        }
    });
}
