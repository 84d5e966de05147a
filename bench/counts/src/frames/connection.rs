//! The cases of the frames about the connection and the window, with full tables.

use super::FRAMES;
use super::hello::Hello;
use super::peer::greater;
use super::stage::{Stage, wide_hello, wide_limits};
use super::wire::{ACKNOWLEDGE, Bytes, CREDIT, Frame, PING, RENEW};

/// Returns a session whose tables of exports, imports, questions and answers have `size` entries each.
pub(crate) fn crowded(size: u64) -> Stage {
    let mut stage = Stage::new();
    stage.export(size);
    stage.execute(size);
    let objects = stage.import(size);
    stage.ask(&objects[0], size);
    stage
}

/// `Credit` for one of many one-way messages.
pub(crate) fn credit(size: u64) -> u64 {
    let mut stage = Stage::new();
    let object = stage.import(1).remove(0);
    stage.message(&object, size + FRAMES);
    count_credit(stage)
}

/// `Credit` that makes room for the first of many calls that wait.
pub(crate) fn credit_while_calls_wait(size: u64) -> u64 {
    let hello = Hello { calls: FRAMES, ..wide_hello(greater()) };
    let mut stage = Stage::with(wide_limits(), hello);
    let object = stage.import(1).remove(0);
    stage.message(&object, FRAMES);
    let sent = stage.ask(&object, size + FRAMES);
    assert!(sent.is_empty(), "all of them wait");
    count_credit(stage)
}

fn count_credit(stage: Stage) -> u64 {
    let credit: Vec<Frame> = (0..FRAMES).map(|_| Frame::numbers(CREDIT, &[1, 1])).collect();
    stage.count(&credit);
    FRAMES
}

fn count_same(size: u64, kind: u8) -> u64 {
    let stage = crowded(size);
    let frames: Vec<Frame> = (0..FRAMES).map(|_| Frame::new(kind, Bytes::new())).collect();
    stage.count(&frames);
    FRAMES
}

/// `Renew`.
pub(crate) fn renew(size: u64) -> u64 {
    count_same(size, RENEW)
}

/// `Ping`.
pub(crate) fn ping(size: u64) -> u64 {
    count_same(size, PING)
}

/// `Acknowledge` of the first of many retained blocks.
pub(crate) fn acknowledge(size: u64) -> u64 {
    let mut stage = Stage::new();
    stage.peer.acknowledged = None;
    let object = stage.import(1).remove(0);
    let before = stage.peer.received;
    stage.ask_apart(&object, size + FRAMES);
    let acknowledge = |number| Frame::numbers(ACKNOWLEDGE, &[number]);
    stage.count(&(before + 1..=before + FRAMES).map(acknowledge).collect::<Vec<_>>());
    FRAMES
}
