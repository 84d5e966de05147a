//! The cases of a hand-off at the owner: objects that are vouched for, and claimed.

use super::FRAMES;
use super::peer::DIRECTORY;
use super::stage::{Stage, frames_of};
use super::vocabulary::{CLAIM, VOUCH};
use super::wire::{Bytes, Call, Manner, To, yours};

/// Returns the token with this number.
fn token(number: u64) -> [u8; 16] {
    let mut token = [1; 16];
    token[..8].copy_from_slice(&number.to_le_bytes());
    token
}

/// Returns calls that vouch for the node's object, with the peer as recipient.
fn vouches(stage: &mut Stage, tokens: std::ops::Range<u64>) -> Vec<Call> {
    let (recipient, reference) = (stage.peer.hello.node, yours(stage.target, 0));
    let selector = stage.drive(async |peer| peer.name(VOUCH).await);
    tokens
        .map(|number| {
            let body = Bytes::new().count(0).raw(&recipient).raw(&token(number));
            let question = stage.peer.question();
            let call = Call::new(question, To::Object(DIRECTORY), selector, body);
            call.with(reference.clone()).manner(Manner::OneWay)
        })
        .collect()
}

/// Returns a node with `count` gifts.
fn with_gifts(count: u64) -> Stage {
    let mut stage = Stage::new();
    let vouches = vouches(&mut stage, 0..count);
    stage.send(&frames_of(&vouches));
    assert_eq!(stage.host.node.snapshot().gifts as u64, count, "all are kept");
    stage
}

/// `Call` of `vouch`, with many gifts in the table.
pub(crate) fn vouch(size: u64) -> u64 {
    let mut stage = with_gifts(size);
    let vouches = vouches(&mut stage, size..size + FRAMES);
    stage.count(&frames_of(&vouches));
    FRAMES
}

/// `Call` of `claim`, for one of many gifts.
pub(crate) fn claim(size: u64) -> u64 {
    let mut stage = with_gifts(size + FRAMES);
    let selector = stage.drive(async |peer| peer.name(CLAIM).await);
    let claims = (size..size + FRAMES).map(|number| {
        let body = Bytes::new().raw(&token(number));
        Call::new(stage.peer.question(), To::Object(DIRECTORY), selector, body)
    });
    let claims: Vec<Call> = claims.collect();
    stage.count(&frames_of(&claims));
    FRAMES
}
