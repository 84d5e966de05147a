//! Each violation of the protocol ends the session with its code, and has no other effect.

use super::application::{End, plain};
use super::forger::{Forger, answer, call, call_in_parts};
use super::pair::{DIRECTORY, header};
use crate::error::Outcome;
use crate::id::{CallToken, FrameNumber, NameId, ObjectId, QuestionId, WatchId};
use crate::limits::Limits;
use crate::session::OutgoingCall;
use crate::wire::breach::Breach;
use crate::wire::descriptor::Descriptor;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::{CHUNK, Extent, Frame, MAX_FRAME, Manner, Status, Target};

/// Sends a frame that is a breach to a new session.
#[track_caller]
fn assert_refused(frame: Frame<'_>, breach: Breach) {
    let mut forger = Forger::new();
    forger.send(frame);
    forger.assert_breach(breach);
}

/// Returns a forger whose session has sent a question, and waits for the answer.
fn asked(manner: Manner) -> (Forger, QuestionId) {
    asked_with(Limits::default(), manner)
}

fn asked_with(limits: Limits, manner: Manner) -> (Forger, QuestionId) {
    let mut forger = Forger::with(limits);
    let ask = OutgoingCall {
        token: CallToken(5),
        target: DIRECTORY,
        header: header(manner, 1),
        content: plain(b"question"),
    };
    let question = forger.session.ask(None, ask).expect("it is sent");
    forger.take_output();
    (forger, question)
}

fn referring(content: &[u8], references: &[Descriptor]) -> (Extent, Vec<u8>) {
    let mut bytes = content.to_vec();
    references.iter().for_each(|reference| reference.write(&mut bytes));
    (Extent { references: (bytes.len() - content.len()) as u64, total: 0 }, bytes)
}

#[test]
fn invalid_frame_lengths() {
    for length in [0, MAX_FRAME as u32 + 1, u32::MAX] {
        let mut forger = Forger::new();
        forger.send_bytes(&length.to_le_bytes());
        forger.assert_breach(Breach::FrameLength(length));
    }
    let mut forger = Forger::new();
    let bytes = (MAX_FRAME as u32).to_le_bytes();
    assert_eq!(forger.send_bytes(&bytes), 0, "a frame of the maximum length is awaited");
    assert_eq!(forger.session.closed(), None);
    assert_eq!(forger.session.held(), 0, "and nothing is held for it");
}

#[test]
fn malformed_kinds_and_fields() {
    for bytes in [&[0x00, 2][..], &[0x10, 2], &[0x3f, 2], &[0x42], &[0xff], &[0x05], &[0x41, 0]] {
        let mut forger = Forger::new();
        let mut frame = (bytes.len() as u32).to_le_bytes().to_vec();
        frame.extend_from_slice(bytes);
        forger.send_bytes(&frame);
        forger.assert_breach(Breach::Frame);
    }
}

#[test]
fn a_gap_in_the_numbers() {
    for number in [3, 1000, u64::MAX] {
        let mut forger = Forger::new();
        forger.send_numbered(number, call(1, b""));
        forger.assert_breach(Breach::Number);
    }
}

#[test]
fn a_repeated_frame_is_ignored() {
    let mut forger = Forger::new();
    forger.send_numbered(2, call(1, b"once"));
    forger.send_numbered(2, call(1, b"once"));
    forger.send_numbered(0, call(1, b"once"));
    forger.send_numbered(
        1,
        Frame::Name { id: NameId(1), fingerprint: Fingerprint::from(7), name: "again" },
    );
    forger.send_numbered(3, call(2, b"twice"));
    assert_eq!(forger.application.bodies(), [b"once".to_vec(), b"twice".to_vec()]);
    assert_eq!(forger.session.closed(), None);
}

#[test]
fn unannounced_names() {
    let unnamed = |frame| match frame {
        Frame::Call { question, target, manner, nesting, deadline, extent, content, .. } => {
            let selector = NameId(2);
            Frame::Call {
                question,
                target,
                selector,
                manner,
                nesting,
                deadline,
                chain: &[],
                extent,
                content,
            }
        }
        other => other,
    };
    assert_refused(unnamed(call(1, b"")), Breach::Name);
    let interface = NameId(2);
    let (extent, bytes) = referring(b"", &[Descriptor::Mine { object: ObjectId(1), interface }]);
    assert_refused(call_in_parts(1, extent, &bytes), Breach::Name);
}

#[test]
fn names_out_of_order() {
    for id in [0, 1, 3, u64::MAX] {
        assert_refused(
            Frame::Name { id: NameId(id), fingerprint: Fingerprint::from(1), name: "name" },
            Breach::Name,
        );
    }
}

#[test]
fn a_question_in_use() {
    let mut forger = Forger::new();
    forger.send(call(1, b""));
    forger.send(call(1, b""));
    forger.assert_breach(Breach::Question);
}

#[test]
fn answers_without_a_question() {
    assert_refused(answer(QuestionId(1), b""), Breach::Question);
    let head = Frame::Answer {
        question: QuestionId(1),
        status: Status::Value,
        extent: Extent { references: 0, total: 100 },
        content: b"begin",
    };
    assert_refused(head, Breach::Question);
    let (mut forger, question) = asked(Manner::OneWay);
    forger.send(answer(question, b""));
    forger.assert_breach(Breach::Question);
}

#[test]
fn a_second_answer() {
    for manner in [Manner::Call, Manner::Promise] {
        let (mut forger, question) = asked(manner);
        forger.send(answer(question, b"first"));
        assert_eq!(forger.application.ended[&5], End::Answered(Status::Value, plain(b"first")));
        forger.send(answer(question, b"second"));
        forger.assert_breach(Breach::Question);
    }
}

#[test]
fn an_answer_to_a_question_that_is_not_sent_yet() {
    let limits = Limits { window_calls: 1, ..Limits::default() };
    let mut forger = Forger::with(limits);
    let ask = |token, content| OutgoingCall {
        token,
        target: DIRECTORY,
        header: header(Manner::Call, 1),
        content,
    };
    forger.session.ask(None, ask(CallToken(0), plain(b""))).expect("it is sent");
    let waiting = forger.session.ask(None, ask(CallToken(1), plain(b""))).expect("it waits");
    forger.send(answer(waiting, b""));
    forger.assert_breach(Breach::Question);
    assert_eq!(forger.application.ended[&1], End::Lost(Outcome::NotExecuted));
}

#[test]
fn finishing_a_call_that_is_not_a_promise_or_finishing_twice() {
    assert_refused(Frame::Finish { question: QuestionId(1) }, Breach::Question);
    for manner in [Manner::Call, Manner::OneWay] {
        let mut forger = Forger::new();
        forger.send(super::forger::in_manner(call(1, b""), manner));
        forger.send(Frame::Finish { question: QuestionId(1) });
        forger.assert_breach(Breach::Question);
    }
    let mut forger = Forger::new();
    forger.send(super::forger::in_manner(call(1, b""), Manner::Promise));
    forger.send(Frame::Finish { question: QuestionId(1) });
    forger.send(Frame::Finish { question: QuestionId(1) });
    forger.assert_breach(Breach::Question);
}

#[test]
fn cancelling_an_unknown_question_is_harmless() {
    let mut forger = Forger::new();
    forger.send(Frame::Cancel { question: QuestionId(9) });
    assert_eq!((forger.session.closed(), forger.application.cancelled.len()), (None, 0));
}

#[test]
fn chunks_that_overrun_or_have_no_message() {
    let question = QuestionId(1);
    assert_refused(Frame::CallChunk { question, bytes: b"more" }, Breach::Chunk);
    assert_refused(Frame::AnswerChunk { question, bytes: b"more" }, Breach::Chunk);
    let total = |total| Extent { references: 0, total };
    assert_refused(call_in_parts(1, total(5), b"whole"), Breach::Chunk);
    assert_refused(call_in_parts(1, total(4), b"whole"), Breach::Chunk);
    for bytes in [&b"56"[..], b""] {
        let mut forger = Forger::new();
        forger.send(call_in_parts(1, total(5), b"1234"));
        forger.send(Frame::CallChunk { question, bytes });
        forger.assert_breach(Breach::Chunk);
    }
    let mut forger = Forger::new();
    forger.send(call_in_parts(1, total(5), b"1234"));
    forger.send(Frame::CallChunk { question, bytes: b"5" });
    assert_eq!(forger.application.bodies(), [b"12345"]);
    forger.send(Frame::CallChunk { question, bytes: b"6" });
    forger.assert_breach(Breach::Chunk);
}

#[test]
fn an_answer_begun_twice() {
    let (mut forger, question) = asked(Manner::Call);
    let extent = Extent { references: 0, total: 100 };
    let head = Frame::Answer { question, status: Status::Value, extent, content: b"begin" };
    forger.send(head);
    forger.send(head);
    forger.assert_breach(Breach::Chunk);
}

#[test]
fn bodies_larger_than_the_limit() {
    let most = Limits::default().body as u64;
    for total in [most + 1, 1 << 32, u64::MAX] {
        let extent = Extent { references: 0, total };
        assert_refused(call_in_parts(1, extent, b"begin"), Breach::Body(total));
        let (mut forger, question) = asked(Manner::Call);
        forger.send(Frame::Answer { question, status: Status::Value, extent, content: b"begin" });
        forger.assert_breach(Breach::Body(total));
    }
    let limits = Limits { body: 10, ..Limits::default() };
    let mut forger = Forger::with(limits);
    forger.send(call(1, &[0; 11]));
    forger.assert_breach(Breach::Body(11));
}

#[test]
fn a_fault_may_exceed_the_limit_of_bodies_but_not_one_frame() {
    let fault = |total, content, status| {
        let (mut forger, question) =
            asked_with(Limits { body: 10, ..Limits::default() }, Manner::Call);
        let extent = Extent { references: 0, total };
        forger.send(Frame::Answer { question, status, extent, content });
        forger
    };
    let forger = fault(0, &[0; 100], Status::Fault);
    assert_eq!((forger.session.closed(), forger.application.ended.len()), (None, 1));
    fault(100, &[0; 50], Status::Fault).assert_breach(Breach::Body(100));
    for status in [Status::Value, Status::Failure] {
        fault(0, &[0; 11], status).assert_breach(Breach::Body(11));
        assert_eq!(fault(0, &[0; 10], status).session.closed(), None);
    }
}

#[test]
fn an_announced_size_is_not_allocated() {
    let mut forger = Forger::new();
    for question in 1..5 {
        let extent = Extent { references: 0, total: 4 << 20 };
        forger.send(call_in_parts(question, extent, &[0; 10]));
    }
    assert_eq!((forger.session.closed(), forger.session.held()), (None, 40));
}

#[test]
fn references_that_do_not_fit_into_their_message() {
    for references in [1, 6, u64::MAX] {
        let extent = Extent { references, total: 0 };
        assert_refused(call_in_parts(1, extent, b"\x09abcd"), Breach::Frame);
        let extent = Extent { references, total: 5 };
        let mut forger = Forger::new();
        forger.send(call_in_parts(1, extent, b"\x09abc"));
        forger.send(Frame::CallChunk { question: QuestionId(1), bytes: b"d" });
        forger.assert_breach(Breach::Frame);
    }
}

#[test]
fn objects_that_were_not_exported() {
    let object = ObjectId(5);
    let yours = Descriptor::Yours { object, interface: NameId::NONE };
    let (extent, bytes) = referring(b"", &[yours]);
    assert_refused(call_in_parts(1, extent, &bytes), Breach::References);
    assert_refused(Frame::Watch { watch: WatchId(1), object }, Breach::References);
    let mut forger = Forger::new();
    forger.send(match call(1, b"") {
        Frame::Call { question, selector, manner, nesting, deadline, extent, content, .. } => {
            let target = Target::Object(object);
            Frame::Call {
                question,
                target,
                selector,
                manner,
                nesting,
                deadline,
                chain: &[],
                extent,
                content,
            }
        }
        other => other,
    });
    // A call to an unknown object is not a breach: the caller may have kept the number by mistake.
    assert_eq!(forger.application.calls[0].target, None);
    assert_eq!(forger.session.closed(), None);
}

#[test]
fn a_watch_in_use() {
    let mut forger = Forger::new();
    let watch = Frame::Watch { watch: WatchId(1), object: ObjectId::DIRECTORY };
    forger.send(watch);
    forger.send(watch);
    forger.assert_breach(Breach::Question);
}

#[test]
fn acknowledging_frames_that_were_not_sent() {
    assert_refused(Frame::Acknowledge { number: FrameNumber(1) }, Breach::Acknowledgement);
    let (mut forger, _) = asked(Manner::Call);
    let last = forger.session.transmitted.0;
    forger.send(Frame::Acknowledge { number: FrameNumber(last) });
    forger.send(Frame::Acknowledge { number: FrameNumber(0) });
    assert_eq!(forger.session.acknowledged_by_peer.0, last, "it never decreases");
    forger.send(Frame::Acknowledge { number: FrameNumber(last + 1) });
    forger.assert_breach(Breach::Acknowledgement);
}

#[test]
fn credit_without_one_way_messages() {
    assert_refused(Frame::Credit { calls: 1, bytes: 0 }, Breach::Window);
    assert_refused(Frame::Credit { calls: 0, bytes: 1 }, Breach::Window);
    assert_refused(Frame::Credit { calls: u64::MAX, bytes: u64::MAX }, Breach::Window);
}

#[test]
fn a_full_chunk_fits_into_a_frame_with_any_header() {
    let (mut forger, content) = (Forger::new(), [3; CHUNK]);
    forger.send(match call(u64::MAX, &content) {
        Frame::Call { question, selector, manner, extent, content, .. } => {
            let target = Target::Answer(QuestionId(u64::MAX));
            let (nesting, deadline) = (u8::MAX, u64::MAX);
            Frame::Call {
                question,
                target,
                selector,
                manner,
                nesting,
                deadline,
                chain: &[],
                extent,
                content,
            }
        }
        other => other,
    });
    assert_eq!(forger.application.bodies(), [content]);
}
