//! The tables of a node at one moment: its exports with their holders, and its imports.
//!
//! It must not change anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::connect::registry::Sessions;
use crate::object::peer::Peer;

/// The tables of a node at one moment, for inspectors and tests; made by [`Node::snapshot`](crate::Node::snapshot).
///
/// ```
/// # use remote_core::{Node, Ref, Remote, Result, remote};
/// # #[remote] trait Empty {}
/// # #[derive(Remote)] #[remote(Empty)] struct Stone;
/// # #[remote] impl Empty for Stone {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let server = Node::listen("memory://snapshot-doc").await?;
/// server.publish("stone", Ref::<dyn Empty>::new(Stone)).await?;
/// let client = Node::new();
/// let far: Ref<dyn Empty> = client.lookup(server.uri("stone")).await?;
/// let [export] = server.snapshot().exports.try_into().unwrap();
/// assert!(export.class.is_some_and(|class| class.ends_with("Stone")));
/// assert_eq!(export.holders[0].peer.id(), client.id());
/// assert_eq!(client.snapshot().imports[0].object, export.object);
/// # drop(far);
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The objects to which peers refer, by their number.
    pub exports: Vec<Export>,
    /// The objects of peers to which this node refers.
    pub imports: Vec<Import>,
    /// The number of objects kept for recipients of a hand-off.
    pub gifts: usize,
}

/// An object that peers refer to.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Export {
    /// Its number on this node.
    pub object: u64,
    /// Its class; `None` for an object of another node, for which this one forwards.
    pub class: Option<&'static str>,
    /// The peers that refer to it.
    pub holders: Vec<Holder>,
}

/// A peer that refers to an object.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Holder {
    /// The peer.
    pub peer: Peer,
    /// The number of introductions to it that are not released.
    pub introductions: u64,
    /// The time for which the object is kept for it if nothing more arrives from it.
    pub lease_left: Duration,
}

/// An object of a peer.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Import {
    /// The peer through which it is reached.
    pub peer: Peer,
    /// Its number at the peer.
    pub object: u64,
    /// The number of introductions by the peer that are not released.
    pub introductions: u64,
}

/// Reads the sessions one after another: a reference that moves between two of them meanwhile may be seen twice, or not at all.
pub(crate) fn snapshot(sessions: &Sessions, gifts: usize) -> Snapshot {
    let now = Instant::now();
    let (mut holders, mut imports) = (BTreeMap::<_, Vec<Holder>>::new(), Vec::new());
    for session in sessions.all() {
        let inner = session.lock();
        let machine = &inner.machine;
        let lease_left = machine.export_lease_left(now);
        for (object, introductions) in machine.exported() {
            let holder = Holder { peer: session.peer.clone(), introductions, lease_left };
            holders.entry(object).or_default().push(holder);
        }
        imports.extend(machine.imported().map(|(object, introductions)| Import {
            peer: session.peer.clone(),
            object: object.0,
            introductions,
        }));
    }
    let class = |object| sessions.shared.table.get(object).and_then(|receiver| receiver.class());
    let exports = holders.into_iter().map(|(object, holders)| Export {
        object: object.0,
        class: class(object),
        holders,
    });
    Snapshot { exports: exports.collect(), imports, gifts }
}
