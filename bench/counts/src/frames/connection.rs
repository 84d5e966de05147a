//! The cases of the frames about the connection and the window, with full tables.

use super::FRAMES;
use super::hello::Hello;
use super::peer::greater;
use super::setup::{Setup, wide_hello, wide_limits};
use super::wire::{ACKNOWLEDGE, Bytes, CREDIT, Frame, PING, RENEW};

/// Returns a session whose tables of exports, imports, questions and answers have `size` entries each.
pub(crate) fn crowded(size: u64) -> Setup {
    let mut setup = Setup::new();
    setup.export(size);
    setup.execute(size);
    let objects = setup.import(size);
    setup.ask(&objects[0], size);
    setup
}

/// `Credit` for one of many one-way messages.
pub(crate) fn credit(size: u64) -> u64 {
    let mut setup = Setup::new();
    let object = setup.import(1).remove(0);
    setup.message(&object, size + FRAMES);
    count_credit(setup)
}

/// `Credit` that makes room for the first of many calls that wait.
pub(crate) fn credit_while_calls_wait(size: u64) -> u64 {
    let hello = Hello { calls: FRAMES, ..wide_hello(greater()) };
    let mut setup = Setup::with(wide_limits(), hello);
    let object = setup.import(1).remove(0);
    setup.message(&object, FRAMES);
    let sent = setup.ask(&object, size + FRAMES);
    assert!(sent.is_empty(), "all of them wait");
    count_credit(setup)
}

fn count_credit(setup: Setup) -> u64 {
    let credit: Vec<Frame> = (0..FRAMES).map(|_| Frame::numbers(CREDIT, &[1, 1])).collect();
    setup.count(&credit);
    FRAMES
}

fn count_same(size: u64, kind: u8) -> u64 {
    let setup = crowded(size);
    let frames: Vec<Frame> = (0..FRAMES).map(|_| Frame::new(kind, Bytes::new())).collect();
    setup.count(&frames);
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
    let mut setup = Setup::new();
    setup.peer.acknowledged = None;
    let object = setup.import(1).remove(0);
    let before = setup.peer.received;
    setup.ask_apart(&object, size + FRAMES);
    let acknowledge = |number| Frame::numbers(ACKNOWLEDGE, &[number]);
    setup.count(&(before + 1..=before + FRAMES).map(acknowledge).collect::<Vec<_>>());
    FRAMES
}
