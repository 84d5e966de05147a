//! The cases of a hand-off at the owner: objects that are vouched for, and claimed.

use super::FRAMES;
use super::peer::DIRECTORY;
use super::setup::{Setup, frames_of};
use super::vocabulary::{CLAIM, VOUCH};
use super::wire::{Bytes, Call, Manner, To, yours};

/// Returns the token with this number.
fn token(number: u64) -> [u8; 16] {
    let mut token = [1; 16];
    token[..8].copy_from_slice(&number.to_le_bytes());
    token
}

/// Returns calls that vouch for the node's object, with the peer as recipient.
fn vouches(setup: &mut Setup, tokens: std::ops::Range<u64>) -> Vec<Call> {
    let (recipient, reference) = (setup.peer.hello.node, yours(setup.target, 0));
    let selector = setup.drive(async |peer| peer.name(VOUCH).await);
    tokens
        .map(|number| {
            let body = Bytes::new().count(0).raw(&recipient).raw(&token(number));
            let question = setup.peer.question();
            let call = Call::new(question, To::Object(DIRECTORY), selector, body);
            call.with(reference.clone()).manner(Manner::OneWay)
        })
        .collect()
}

/// Returns a node with `count` gifts.
fn with_gifts(count: u64) -> Setup {
    let mut setup = Setup::new();
    let vouches = vouches(&mut setup, 0..count);
    setup.send(&frames_of(&vouches));
    assert_eq!(setup.host.node.snapshot().gifts as u64, count, "all are kept");
    setup
}

/// `Call` of `vouch`, with many gifts in the table.
pub(crate) fn vouch(size: u64) -> u64 {
    let mut setup = with_gifts(size);
    let vouches = vouches(&mut setup, size..size + FRAMES);
    setup.count(&frames_of(&vouches));
    FRAMES
}

/// `Call` of `claim`, for one of many gifts.
pub(crate) fn claim(size: u64) -> u64 {
    let mut setup = with_gifts(size + FRAMES);
    let selector = setup.drive(async |peer| peer.name(CLAIM).await);
    let claims = (size..size + FRAMES).map(|number| {
        let body = Bytes::new().raw(&token(number));
        Call::new(setup.peer.question(), To::Object(DIRECTORY), selector, body)
    });
    let claims: Vec<Call> = claims.collect();
    setup.count(&frames_of(&claims));
    FRAMES
}
