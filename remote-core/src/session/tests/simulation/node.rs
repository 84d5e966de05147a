//! A node without its tasks: its objects, its exports, its proxies, and its sessions.
//!
//! It must not know the other nodes. Everything is kept by counted holders, as by `Arc`s, and is dropped with the last one.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::agenda::SimEvent;
use super::clock::Clock;
use super::link::{
    EarlyClaim, Link, Outbound, Remembered, Running, SessionRequest, TokenRequest, Waiter,
};
use crate::id::{Identity, NodeId, ObjectId, Token};
use crate::limits::Limits;
use crate::node::gifts::table::Gifts;

/// The target of a reference, as its node sees it. Whoever keeps one is counted as a holder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Receiver {
    Directory,
    Near(ObjectId),
    /// A proxy, by its number.
    Far(usize),
}

/// The condition of a node's process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    Runs,
    Stopped,
    Dead,
}

/// One introduction of a far object, to be released.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Import {
    pub(super) link: usize,
    pub(super) entry: ObjectId,
}

/// The path of messages to a proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Path {
    Forwarded(Import),
    /// To an object of this node, which the proxy holds.
    Near(ObjectId),
}

/// A far object.
pub(super) struct Proxy {
    /// Its identity, as it was received.
    pub(super) identity: Identity,
    /// Its true identity; for the checks only.
    pub(super) truth: Identity,
    pub(super) lineage: usize,
    pub(super) path: Path,
    /// True if the path may still be shortened.
    pub(super) is_open: bool,
    /// The token by which it can be claimed, until the path is final.
    pub(super) token: Option<Token>,
    /// The direct path, until all forwarded messages have started.
    pub(super) next: Option<Path>,
    /// Calls that wait for the direct path.
    pub(super) queue: VecDeque<Outbound>,
    pub(super) forwarded_as: Option<ObjectId>,
    holders: u64,
}

impl Proxy {
    /// Returns the introduction by which it is forwarded, if it is.
    pub(super) fn import(&self) -> Option<Import> {
        match self.path {
            Path::Forwarded(import) if self.next.is_none() => Some(import),
            Path::Forwarded(_) | Path::Near(_) => None,
        }
    }
}

/// An entry of the object table.
#[derive(Clone, Copy)]
pub(super) struct Exported {
    pub(super) receiver: Receiver,
    pub(super) count: u64,
}

/// One incarnation on one machine.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) place: usize,
    pub(super) clock: Clock,
    pub(super) lease: Duration,
    pub(super) limits: Limits,
    pub(super) condition: Condition,
    /// The moment at which it last continued after a stop.
    pub(super) continued: Duration,
    /// The events that happened while it was stopped.
    pub(super) missed_events: Vec<SimEvent>,
    pub(super) objects: BTreeMap<ObjectId, u64>,
    pub(super) table: BTreeMap<ObjectId, Exported>,
    pub(super) proxies: BTreeMap<usize, Proxy>,
    next_proxy: usize,
    next_object: u64,
    pub(super) links: Vec<Link>,
    pub(super) current: BTreeMap<NodeId, usize>,
    pub(super) remembered: BTreeMap<NodeId, Remembered>,
    pub(super) waiters: BTreeMap<usize, Waiter>,
    pub(super) next_token: usize,
    pub(super) gifts: Gifts<ObjectId>,
    /// Claims that have arrived before their gifts.
    pub(super) early_claims: Vec<EarlyClaim>,
    /// Token requests that wait until the path of a proxy is final.
    pub(super) token_requests: Vec<TokenRequest>,
    pub(super) session_requests: Vec<SessionRequest>,
    /// The node that was reached at each place.
    pub(super) known: BTreeMap<usize, NodeId>,
    /// The sessions that were changed in this step.
    pub(super) changed: Vec<usize>,
    /// Proxies that were dropped before their paths were final.
    pub(super) given_up: Vec<usize>,
    /// The references of the application: its objects, proxies, calls that run here, calls that it made.
    pub(super) roots: Vec<ObjectId>,
    pub(super) held: Vec<usize>,
    pub(super) running: Vec<Running>,
    pub(super) open: Vec<usize>,
    pub(super) published: Option<ObjectId>,
}

impl Node {
    pub(super) fn new(
        id: NodeId,
        place: usize,
        clock: Clock,
        lease: Duration,
        limits: Limits,
    ) -> Node {
        let mut node = Node {
            id,
            place,
            clock,
            lease,
            limits,
            condition: Condition::Runs,
            continued: Duration::ZERO,
            missed_events: Vec::new(),
            objects: BTreeMap::new(),
            table: BTreeMap::new(),
            proxies: BTreeMap::new(),
            next_proxy: 0,
            next_object: 0,
            links: Vec::new(),
            current: BTreeMap::new(),
            remembered: BTreeMap::new(),
            waiters: BTreeMap::new(),
            next_token: 0,
            gifts: Gifts::new(1 << 16),
            early_claims: Vec::new(),
            token_requests: Vec::new(),
            session_requests: Vec::new(),
            known: BTreeMap::new(),
            changed: Vec::new(),
            given_up: Vec::new(),
            roots: Vec::new(),
            held: Vec::new(),
            running: Vec::new(),
            open: Vec::new(),
            published: None,
        };
        node.published = Some(node.new_object());
        node
    }

    /// Makes an object with one holder. Every incarnation counts from one, so that numbers collide with those of a former
    /// one.
    pub(super) fn new_object(&mut self) -> ObjectId {
        let object = self.new_number();
        self.objects.insert(object, 1);
        object
    }

    fn new_number(&mut self) -> ObjectId {
        self.next_object += 1;
        ObjectId(self.next_object)
    }

    /// Makes a proxy with one holder.
    pub(super) fn new_proxy(
        &mut self,
        path: Import,
        identity: Identity,
        truth: Identity,
        lineage: usize,
    ) -> usize {
        let proxy = Proxy {
            identity,
            truth,
            lineage,
            path: Path::Forwarded(path),
            is_open: false,
            token: None,
            next: None,
            queue: VecDeque::new(),
            forwarded_as: None,
            holders: 1,
        };
        self.next_proxy += 1;
        self.proxies.insert(self.next_proxy, proxy);
        self.next_proxy
    }

    pub(super) fn truth(&self, receiver: Receiver) -> Identity {
        match receiver {
            Receiver::Directory => Identity { node: self.id, object: ObjectId::DIRECTORY },
            Receiver::Near(object) => Identity { node: self.id, object },
            Receiver::Far(proxy) => self.proxies[&proxy].truth,
        }
    }

    /// Adds a holder.
    pub(super) fn add_holder(&mut self, receiver: Receiver) -> Receiver {
        match receiver {
            Receiver::Directory => {}
            Receiver::Near(object) => {
                *self.objects.get_mut(&object).expect("a held object exists") += 1;
            }
            Receiver::Far(proxy) => {
                self.proxies.get_mut(&proxy).expect("a held proxy exists").holders += 1;
            }
        }
        receiver
    }

    /// Removes a holder. With the last one the target is dropped.
    pub(super) fn drop_holder(&mut self, receiver: Receiver) {
        match receiver {
            Receiver::Directory => {}
            Receiver::Near(object) => {
                let holders = self.objects.get_mut(&object).expect("it was held");
                *holders -= 1;
                if *holders == 0 {
                    self.objects.remove(&object);
                }
            }
            Receiver::Far(number) => {
                let proxy = self.proxies.get_mut(&number).expect("it was held");
                proxy.holders -= 1;
                if proxy.holders == 0 {
                    let Some(proxy) = self.proxies.remove(&number) else { return };
                    assert!(proxy.queue.is_empty(), "calls that wait hold the proxy");
                    if proxy.is_open {
                        self.given_up.push(number);
                    }
                    self.leave(proxy.path);
                    proxy.next.into_iter().for_each(|next| self.leave(next));
                }
            }
        }
    }

    pub(super) fn drop_holders(&mut self, receivers: Vec<Receiver>) {
        receivers.into_iter().for_each(|receiver| self.drop_holder(receiver));
    }

    /// Takes the path out of a proxy with one holder, and drops the rest.
    pub(super) fn take_path(&mut self, number: usize) -> Path {
        let proxy = self.proxies.remove(&number).expect("it is held");
        assert_eq!(proxy.holders, 1, "it has no other holder yet");
        proxy.path
    }

    /// Returns the near object if the receiver is a proxy that has resolved to one.
    pub(super) fn near_target(&self, receiver: Receiver) -> Receiver {
        match receiver {
            Receiver::Far(number) => match self.proxies[&number].path {
                Path::Near(object) => Receiver::Near(object),
                Path::Forwarded(_) => receiver,
            },
            Receiver::Directory | Receiver::Near(_) => receiver,
        }
    }

    /// Drops a path.
    pub(super) fn leave(&mut self, path: Path) {
        match path {
            Path::Forwarded(import) => self.release(import),
            Path::Near(object) => self.drop_holder(Receiver::Near(object)),
        }
    }

    /// Releases one introduction.
    pub(super) fn release(&mut self, import: Import) {
        self.links[import.link].session.release(import.entry);
        self.mark_changed(import.link);
    }

    /// Adds an object to the table: one more session or gift exports it.
    pub(super) fn show(&mut self, object: ObjectId, receiver: Receiver) {
        match self.table.get_mut(&object) {
            Some(exported) => {
                assert_eq!(exported.receiver, receiver, "a number is reused");
                exported.count += 1;
            }
            None => {
                self.add_holder(receiver);
                self.table.insert(object, Exported { receiver, count: 1 });
            }
        }
    }

    /// Removes a session or gift that exports it.
    pub(super) fn hide(&mut self, object: ObjectId) {
        let exported = self.table.get_mut(&object).expect("what is hidden was shown");
        exported.count -= 1;
        if exported.count == 0 {
            let receiver = exported.receiver;
            self.table.remove(&object);
            self.drop_holder(receiver);
        }
    }

    /// Returns the number under which a proxy is exported.
    pub(super) fn forwarded_as(&mut self, number: usize) -> ObjectId {
        if let Some(object) = self.proxies[&number].forwarded_as {
            return object;
        }
        let object = self.new_number();
        self.proxies.get_mut(&number).expect("it is held").forwarded_as = Some(object);
        object
    }

    /// Notes that a session was changed and must be settled.
    pub(super) fn mark_changed(&mut self, link: usize) {
        if !self.changed.contains(&link) {
            self.changed.push(link);
        }
    }

    /// Returns the live session with a peer.
    pub(super) fn find(&self, peer: NodeId) -> Option<usize> {
        let link = *self.current.get(&peer)?;
        self.links[link].session.closed().is_none().then_some(link)
    }

    /// Returns true if a session has ended.
    pub(super) fn is_over(&self, link: usize) -> bool {
        self.links[link].session.closed().is_some()
    }

    /// Asserts that the node holds nothing.
    pub(super) fn assert_empty(&self) {
        assert_eq!(self.running.len(), 0, "calls run");
        assert!(self.waiters.is_empty(), "somebody waits");
        assert_eq!(self.session_requests.len(), 0, "wishes");
        assert!(self.proxies.is_empty(), "proxies {:?}", self.proxies.keys());
        assert!(self.table.is_empty(), "shown {:?}", self.table.keys());
        assert!(self.objects.is_empty(), "objects {:?}", self.objects);
        assert_eq!(self.gifts.poll_timeout(), None, "gifts");
        assert_eq!(self.early_claims.len(), 0, "claims that wait");
        assert_eq!(self.token_requests.len(), 0, "introductions that wait");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
            && self.waiters.is_empty()
            && self.session_requests.is_empty()
            && self.proxies.is_empty()
            && self.table.is_empty()
            && self.objects.is_empty()
            && self.gifts.poll_timeout().is_none()
            && self.early_claims.is_empty()
            && self.token_requests.is_empty()
            && self.links.iter().all(|link| link.inbox.is_empty())
    }
}
