//! Owns one node without its tasks: its objects, what it shows to others, what it holds of others, and its sessions.
//!
//! It must not know the other nodes. Everything is held by counted holders, as `Arc`s would be, and goes with the last.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::agenda::Happening;
use super::clock::Clock;
use super::link::{Asking, Early, Link, Outbound, Remembered, Running, Waiter, Wish};
use crate::id::{Identity, NodeId, ObjectId, Token};
use crate::limits::Limits;
use crate::node::gifts::table::Gifts;

/// What a reference leads to, as its node sees it. Whoever keeps one is counted as its holder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Receiver {
    Directory,
    Near(ObjectId),
    /// A proxy, by its number.
    Far(usize),
}

/// Whether a node's process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    Runs,
    Stopped,
    Dead,
}

/// One introduction of a far object, to be given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Import {
    pub(super) link: usize,
    pub(super) entry: ObjectId,
}

/// Where messages to a proxy go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    By(Import),
    /// It has come home: to an object of this node's own, which it holds.
    Home(ObjectId),
}

/// A far object.
pub(super) struct Proxy {
    /// What it is, as was said on the wire.
    pub(super) identity: Identity,
    /// What it is: for the model only.
    pub(super) truth: Identity,
    pub(super) lineage: usize,
    pub(super) way: Way,
    /// Whether the way may still become shorter.
    pub(super) is_open: bool,
    /// By what its owner gives it to this node, as who introduced it said; until it is known by which way to stay.
    pub(super) token: Option<Token>,
    /// The shorter way, from when it is known until all that was sent the old way has begun.
    pub(super) next: Option<Way>,
    /// Calls that wait for the shorter way.
    pub(super) queue: VecDeque<Outbound>,
    pub(super) forwarded_as: Option<ObjectId>,
    holders: u64,
}

impl Proxy {
    /// The session on which whoever introduced it is asked, and the number there; as long as it is the way.
    pub(super) fn import(&self) -> Option<Import> {
        match self.way {
            Way::By(import) if self.next.is_none() => Some(import),
            Way::By(_) | Way::Home(_) => None,
        }
    }
}

/// An entry of the object table.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) receiver: Receiver,
    pub(super) count: u64,
}

/// One life of one machine.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) place: usize,
    pub(super) clock: Clock,
    pub(super) lease: Duration,
    pub(super) limits: Limits,
    pub(super) condition: Condition,
    /// When it went on after it was last stopped.
    pub(super) continued: Duration,
    /// What happened to it while it was stopped.
    pub(super) missed: Vec<Happening>,
    pub(super) objects: BTreeMap<ObjectId, u64>,
    pub(super) table: BTreeMap<ObjectId, Shown>,
    pub(super) proxies: BTreeMap<usize, Proxy>,
    next_proxy: usize,
    next_object: u64,
    pub(super) links: Vec<Link>,
    pub(super) current: BTreeMap<NodeId, usize>,
    pub(super) remembered: BTreeMap<NodeId, Remembered>,
    pub(super) waiters: BTreeMap<usize, Waiter>,
    pub(super) next_token: usize,
    pub(super) gifts: Gifts<ObjectId>,
    /// Claims that came before the gift.
    pub(super) early: Vec<Early>,
    /// Who asked for a token, and waits until the way of a proxy changes no more.
    pub(super) asking: Vec<Asking>,
    pub(super) wishes: Vec<Wish>,
    /// Which node was reached at which place.
    pub(super) known: BTreeMap<usize, NodeId>,
    /// Sessions to which something was done.
    pub(super) stirred: Vec<usize>,
    /// Proxies that went before their ways were known to stay.
    pub(super) given_up: Vec<usize>,
    /// What the application has: objects of its own, proxies, calls that run here, calls that it made.
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
            missed: Vec::new(),
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
            early: Vec::new(),
            asking: Vec::new(),
            wishes: Vec::new(),
            known: BTreeMap::new(),
            stirred: Vec::new(),
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

    /// A new object, with one holder. Every life counts from one, so that numbers collide with those of a former life.
    pub(super) fn new_object(&mut self) -> ObjectId {
        let object = self.new_number();
        self.objects.insert(object, 1);
        object
    }

    fn new_number(&mut self) -> ObjectId {
        self.next_object += 1;
        ObjectId(self.next_object)
    }

    /// A new proxy, with one holder.
    pub(super) fn new_proxy(
        &mut self,
        way: Import,
        identity: Identity,
        truth: Identity,
        lineage: usize,
    ) -> usize {
        let proxy = Proxy {
            identity,
            truth,
            lineage,
            way: Way::By(way),
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

    /// One holder more.
    pub(super) fn hold(&mut self, receiver: Receiver) -> Receiver {
        match receiver {
            Receiver::Directory => {}
            Receiver::Near(object) => {
                *self.objects.get_mut(&object).expect("an object that is gone is not held") += 1;
            }
            Receiver::Far(proxy) => {
                self.proxies.get_mut(&proxy).expect("a proxy that is gone is not held").holders +=
                    1;
            }
        }
        receiver
    }

    /// One holder less; with the last one it goes.
    pub(super) fn let_go(&mut self, receiver: Receiver) {
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
                    self.leave(proxy.way);
                    proxy.next.into_iter().for_each(|next| self.leave(next));
                }
            }
        }
    }

    pub(super) fn let_all_go(&mut self, receivers: Vec<Receiver>) {
        receivers.into_iter().for_each(|receiver| self.let_go(receiver));
    }

    /// Takes the introduction out of a proxy that has one holder, and drops what is left.
    pub(super) fn take_way(&mut self, number: usize) -> Way {
        let proxy = self.proxies.remove(&number).expect("it is held");
        assert_eq!(proxy.holders, 1, "nobody else has it yet");
        proxy.way
    }

    /// The receiver itself, if it is a proxy that has come home.
    pub(super) fn at_home(&self, receiver: Receiver) -> Receiver {
        match receiver {
            Receiver::Far(number) => match self.proxies[&number].way {
                Way::Home(object) => Receiver::Near(object),
                Way::By(_) => receiver,
            },
            Receiver::Directory | Receiver::Near(_) => receiver,
        }
    }

    /// Nothing goes this way any more.
    pub(super) fn leave(&mut self, way: Way) {
        match way {
            Way::By(import) => self.release(import),
            Way::Home(object) => self.let_go(Receiver::Near(object)),
        }
    }

    /// Gives one introduction back.
    pub(super) fn release(&mut self, import: Import) {
        self.links[import.link].session.release(import.entry);
        self.stir(import.link);
    }

    /// Enters an object in the table: one session or gift more shows it.
    pub(super) fn show(&mut self, object: ObjectId, receiver: Receiver) {
        match self.table.get_mut(&object) {
            Some(shown) => {
                assert_eq!(shown.receiver, receiver, "a number is used again");
                shown.count += 1;
            }
            None => {
                self.hold(receiver);
                self.table.insert(object, Shown { receiver, count: 1 });
            }
        }
    }

    /// One less does.
    pub(super) fn hide(&mut self, object: ObjectId) {
        let shown = self.table.get_mut(&object).expect("what is hidden was shown");
        shown.count -= 1;
        if shown.count == 0 {
            let receiver = shown.receiver;
            self.table.remove(&object);
            self.let_go(receiver);
        }
    }

    /// Under which number a proxy is shown to others.
    pub(super) fn forwarded_as(&mut self, number: usize) -> ObjectId {
        if let Some(object) = self.proxies[&number].forwarded_as {
            return object;
        }
        let object = self.new_number();
        self.proxies.get_mut(&number).expect("it is held").forwarded_as = Some(object);
        object
    }

    /// Something was done to a session, which is to be seen to.
    pub(super) fn stir(&mut self, link: usize) {
        if !self.stirred.contains(&link) {
            self.stirred.push(link);
        }
    }

    /// The live session with a peer.
    pub(super) fn find(&self, peer: NodeId) -> Option<usize> {
        let link = *self.current.get(&peer)?;
        self.links[link].session.closed().is_none().then_some(link)
    }

    /// Whether a session is over.
    pub(super) fn is_over(&self, link: usize) -> bool {
        self.links[link].session.closed().is_some()
    }

    /// How many objects and proxies are there, and what else may be left.
    pub(super) fn assert_empty(&self) {
        assert_eq!(self.running.len(), 0, "calls run");
        assert!(self.waiters.is_empty(), "somebody waits");
        assert_eq!(self.wishes.len(), 0, "wishes");
        assert!(self.proxies.is_empty(), "proxies {:?}", self.proxies.keys());
        assert!(self.table.is_empty(), "shown {:?}", self.table.keys());
        assert!(self.objects.is_empty(), "objects {:?}", self.objects);
        assert_eq!(self.gifts.poll_timeout(), None, "gifts");
        assert_eq!(self.early.len(), 0, "claims that wait");
        assert_eq!(self.asking.len(), 0, "introductions that wait");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
            && self.waiters.is_empty()
            && self.wishes.is_empty()
            && self.proxies.is_empty()
            && self.table.is_empty()
            && self.objects.is_empty()
            && self.gifts.poll_timeout().is_none()
            && self.early.is_empty()
            && self.asking.is_empty()
            && self.links.iter().all(|link| link.inbox.is_empty())
    }
}
