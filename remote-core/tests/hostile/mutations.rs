//! Valid exchanges, cut at every byte and with every single bit flipped.

use std::time::Duration;

use remote_core::Limits;
use tokio::task::JoinSet;

use super::hello::Hello;
use super::peer::{Peer, TARGET, announcement, greater, stranger};
use super::setup::{Setup, patient, run};
use super::vocabulary::fingerprint;
use super::wire::{
    ACKNOWLEDGE, Bytes, CANCEL, Call, FINISH, Frame, Manner, PING, RELEASE, To, UNWATCH, WATCH,
    mine, yours,
};

/// The number of exchanges in progress at the same time: one after another, each would wait for the node, and the node
/// for it.
const AT_ONCE: usize = 8;

/// Returns a peer that has looked up the target, and the bytes of one message of every kind.
async fn prepared(address: &str) -> (Peer, Vec<u8>) {
    let mut peer = Peer::connect(address).await;
    let target = peer.target().await;
    let methods = ["add", "words", "shape", "keep", "child", "never", "call"];
    let ids: Vec<u64> = (2..).take(methods.len()).collect();
    let names = methods.iter().zip(&ids).map(|(method, id)| {
        let name = format!("{TARGET}.{method}");
        announcement(*id, fingerprint(&name), &name)
    });
    let to = To::Object(target);
    let [add, words, shape, keep, child, never, call] = ids[..] else {
        unreachable!("seven methods")
    };
    let shapes = Bytes::new().count(1).string("Framed").count(1).string("Square").count(4);
    let messages = [
        announcement(9, fingerprint(TARGET), TARGET),
        Call::new(2, to, add, Bytes::new().count(300)).frame(),
        Call::new(3, to, words, Bytes::new().count(2).string("one").string("two")).frame(),
        Call::new(4, to, shape, shapes).frame(),
        Call::new(5, to, keep, Bytes::new().count(0)).with(mine(7, 9)).frame(),
        Call::new(6, to, call, Bytes::new().count(0)).with(yours(target, 9)).frame(),
        Call::new(7, to, child, Bytes::new()).manner(Manner::Promise).frame(),
        Call::new(8, To::Answer(7), add, Bytes::new().count(1)).frame(),
        Call { deadline: 1001, ..Call::new(9, to, never, Bytes::new()) }.frame(),
        Frame::numbers(CANCEL, &[9]),
        Frame::numbers(FINISH, &[7]),
        Frame::numbers(WATCH, &[1, target]),
        Frame::numbers(UNWATCH, &[1]),
        Call::new(10, to, add, Bytes::new().count(1)).manner(Manner::OneWay).frame(),
        Frame::numbers(ACKNOWLEDGE, &[1]),
        Frame::numbers(PING, &[]),
        Frame::numbers(RELEASE, &[target, 1]),
    ];
    let frames: Vec<_> = names.chain(messages).collect();
    let bytes = peer.write(&frames);
    (peer, bytes)
}

/// Sends an exchange with each of these changes, some at once, and waits until the node has handled all of them.
async fn play<C>(setup: &Setup, changes: impl Iterator<Item = C>)
where
    C: FnOnce(&mut Vec<u8>) + Send + 'static,
{
    let mut playing = JoinSet::new();
    for change in changes {
        if playing.len() == AT_ONCE {
            playing.join_next().await.expect("some are playing").unwrap();
        }
        let address = setup.address();
        playing.spawn(async move {
            let (mut peer, mut bytes) = prepared(&address).await;
            change(&mut bytes);
            peer.send_raw(&bytes).await;
            peer.shut_down_writing().await;
            peer.end().await;
        });
    }
    while let Some(played) = playing.join_next().await {
        played.unwrap();
    }
}

#[test]
fn the_exchange_itself_is_good() {
    run(async {
        let setup = Setup::new().await;
        let (mut peer, bytes) = prepared(&setup.address()).await;
        peer.send_raw(&bytes).await;
        let mut statuses = std::collections::BTreeMap::new();
        while statuses.len() < 8 {
            let answer = peer.next_answer().await;
            statuses.insert(answer.question, answer.status);
        }
        let expected = [(2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 2)];
        assert_eq!(statuses.into_iter().collect::<Vec<_>>(), expected);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn messages_cut_at_every_byte_harm_no_other_session() {
    run(async {
        let setup = Setup::brief(patient()).await;
        let (_, bytes) = prepared(&setup.address()).await;
        play(&setup, (0..bytes.len()).map(|end| move |bytes: &mut Vec<u8>| bytes.truncate(end)))
            .await;
        setup.has_no_other_session().await;
    });
}

#[test]
fn messages_with_any_byte_removed_harm_no_other_session() {
    run(async {
        let setup = Setup::brief(patient()).await;
        let (_, bytes) = prepared(&setup.address()).await;
        play(&setup, (0..bytes.len()).map(|at| move |bytes: &mut Vec<u8>| _ = bytes.remove(at)))
            .await;
        setup.has_no_other_session().await;
    });
}

#[test]
fn messages_with_any_bit_flipped_harm_no_other_session() {
    run(async {
        let setup = Setup::brief(patient()).await;
        let (_, bytes) = prepared(&setup.address()).await;
        let flip = |bit: usize| move |bytes: &mut Vec<u8>| bytes[bit / 8] ^= 1 << (bit % 8);
        play(&setup, (0..bytes.len() * 8).map(flip)).await;
        setup.has_no_other_session().await;
    });
}

#[test]
fn introductions_with_any_bit_flipped_harm_no_other_session() {
    run(async {
        let setup =
            Setup::brief(Limits { handshake_time: Duration::from_secs(2), ..patient() }).await;
        let length = Hello::of(greater()).opening().len();
        for bit in 0..length * 8 {
            let hello = Hello::of(greater());
            let mut peer = Peer::on(stranger(&setup.address()).await, &hello);
            let mut bytes = hello.opening();
            bytes[bit / 8] ^= 1 << (bit % 8);
            peer.send_raw(&bytes).await;
            peer.shut_down_writing().await;
            // There may be a session or not; in either case the node has handled the exchange.
            peer.ended_somehow().await;
        }
        setup.is_alone_again().await;
    });
}
