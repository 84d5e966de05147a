//! The fingerprints that the peer needs to call methods. They are recorded from what a node announces.

use std::collections::HashMap;
use std::sync::OnceLock;

use remote_core::{Node, Ref};

use super::peer::Peer;
use super::raw_server::{OBJECT, RawServer};
use super::target::{Keeper, Target};
use super::wire::{Bytes, NAME, answer};
use crate::steps::single_threaded;

/// The message that deposits an object for a third node.
pub(crate) const VOUCH: &str = "remote.Directory.vouch";
/// The message by which that node claims the object.
pub(crate) const CLAIM: &str = "remote.Directory.claim";
/// The message that looks up a published object.
const LOOKUP: &str = "remote.Directory.lookup";
/// The last method that the node calls.
const LAST: &str = "Target.make";

/// Returns the fingerprint of a method. The name of an interface has none, which is zero.
pub(crate) fn fingerprint(name: &str) -> u128 {
    static KNOWN: OnceLock<HashMap<String, u128>> = OnceLock::new();
    if !name.contains('.') {
        return 0;
    }
    let known = KNOWN.get_or_init(|| {
        let recording = std::thread::spawn(|| single_threaded().block_on(record()));
        recording.join().expect("the node calls all methods")
    });
    *known.get(name).unwrap_or_else(|| panic!("no node announced `{name}`"))
}

/// Lets a node call all methods of two peers, and returns the names that it announces. One peer owns an object that the node
/// passes to the other.
async fn record() -> HashMap<String, u128> {
    let (node, mut names) = (Node::new(), HashMap::new());
    let (owned, mut owner) = look_up(&node, &mut names).await;
    let (far, mut other) = look_up(&node, &mut names).await;
    let calling = tokio::spawn(async move {
        let passed = vec![owned, Ref::new(Keeper::default())];
        let _ = tokio::join!(
            far.add(1),
            far.length(vec![1]),
            far.large(1),
            far.keep_all(passed),
            far.many(1),
            far.never(),
            far.make(),
        );
    });
    names_until(LAST, &mut other, &mut names).await;
    names_until(VOUCH, &mut owner, &mut names).await;
    // What the other peer returns is the owner's, which the node then claims.
    let made = other.next_call().await;
    let handed_on = Bytes::new()
        .byte(3)
        .number(OBJECT)
        .number(0)
        .raw(&owner.hello.node)
        .number(OBJECT)
        .raw(&[9; 16]);
    other.send(&answer(made.question, 0, Bytes::new().count(0), handed_on)).await;
    names_until(CLAIM, &mut owner, &mut names).await;
    calling.abort();
    names
}

/// Lets a node look up the object of a new peer.
async fn look_up(node: &Node, names: &mut HashMap<String, u128>) -> (Ref<dyn Target>, Peer) {
    let server = RawServer::new().await;
    let (node, uri) = (node.clone(), server.uri());
    let looking = tokio::spawn(async move { node.lookup::<dyn Target>(uri).await });
    let mut peer = server.session().await;
    names_until(LOOKUP, &mut peer, names).await;
    peer.look_up().await;
    (looking.await.expect("it does not panic").expect("the object is there"), peer)
}

/// Collects the names that a node announces, up to `last`.
async fn names_until(last: &str, peer: &mut Peer, names: &mut HashMap<String, u128>) {
    loop {
        let frame = peer.next().await.expect("the node goes on");
        if frame.kind != NAME {
            continue;
        }
        let mut fields = frame.fields();
        let _id = fields.number();
        let fingerprint = fields.take(16).try_into().expect("sixteen bytes");
        let name = fields.text().to_owned();
        let is_last = name == last;
        names.insert(name, u128::from_be_bytes(fingerprint));
        if is_last {
            return;
        }
    }
}
