//! The tables of a node at one moment: its exports with their holders, and its imports.
//!
//! It must not change anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::connect::registry::Sessions;
use crate::object::peer::Peer;

/// The tables of a node at one moment, for inspectors and tests; returned by [`Node::snapshot`](crate::Node::snapshot).
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

/// An object to which peers refer.
///
/// ```
/// # use remote_core::{Node, Ref, Remote, Result, inspect::Export, remote};
/// # #[remote] trait Empty {}
/// # #[derive(Remote)] #[remote(Empty)] struct Slate;
/// # #[remote] impl Empty for Slate {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// # let (server, client) = (Node::listen("memory://export-doc").await?, Node::new());
/// # server.publish("stone", Ref::<dyn Empty>::new(Slate)).await?;
/// # let far: Ref<dyn Empty> = client.lookup(server.uri("stone")).await?;
/// // `client` has looked up an object of `server`.
/// let exports: Vec<Export> = server.snapshot().exports;
/// assert!(exports[0].class.is_some_and(|class| class.ends_with("Slate")));
/// assert_eq!(exports[0].holders.len(), 1);
/// # drop(far);
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Export {
    /// The object's number on this node.
    pub object: u64,
    /// The name of the object's class; `None` for an object of another node, for which this node forwards.
    pub class: Option<&'static str>,
    /// The peers that refer to the object.
    pub holders: Vec<Holder>,
}

/// A peer that refers to an object.
///
/// ```
/// # use remote_core::{Node, Ref, Remote, Result, inspect::Holder, remote};
/// # #[remote] trait Empty {}
/// # #[derive(Remote)] #[remote(Empty)] struct Marble;
/// # #[remote] impl Empty for Marble {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// # let (server, client) = (Node::listen("memory://holder-doc").await?, Node::new());
/// # server.publish("stone", Ref::<dyn Empty>::new(Marble)).await?;
/// # let far: Ref<dyn Empty> = client.lookup(server.uri("stone")).await?;
/// // `client` has looked up an object of `server`.
/// let holders: Vec<Holder> = server.snapshot().exports.remove(0).holders;
/// assert_eq!((holders[0].peer.id(), holders[0].introductions), (client.id(), 1));
/// # drop(far);
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Holder {
    /// The peer.
    pub peer: Peer,
    /// The number of introductions to the peer that are not released.
    pub introductions: u64,
    /// The time for which the object is kept for the peer if no further frame arrives from it.
    pub lease_left: Duration,
}

/// An object of a peer to which this node refers.
///
/// ```
/// # use remote_core::{Node, Ref, Remote, Result, inspect::Import, remote};
/// # #[remote] trait Empty {}
/// # #[derive(Remote)] #[remote(Empty)] struct Granite;
/// # #[remote] impl Empty for Granite {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// # let (server, client) = (Node::listen("memory://import-doc").await?, Node::new());
/// # server.publish("stone", Ref::<dyn Empty>::new(Granite)).await?;
/// # let far: Ref<dyn Empty> = client.lookup(server.uri("stone")).await?;
/// // `client` has looked up an object of `server`.
/// let imports: Vec<Import> = client.snapshot().imports;
/// assert_eq!((imports[0].peer.id(), imports[0].introductions), (server.id(), 1));
/// # drop(far);
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Import {
    /// The peer through which the object is reached.
    pub peer: Peer,
    /// The object's number at the peer.
    pub object: u64,
    /// The number of introductions by the peer that are not released.
    pub introductions: u64,
}

/// Reads the sessions one after another. A reference that moves between two of them meanwhile may appear twice, or not at all.
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
