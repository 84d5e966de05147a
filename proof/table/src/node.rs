//! Owns a node as far as the object table is concerned: its sessions, its gifts, and in which order they use the table.
//!
//! It must not know schedules. The order is the product's: `node/translate.rs` (shown, then introduced under the session's
//! lock, then hidden again if it was known), `node/settle.rs` (hidden under the lock, dropped when it is free),
//! `node/gifts.rs` (held by the gift, then shown to the claimant).

use std::collections::BTreeMap;
use std::sync::Arc;

use shuttle::sync::Mutex;

use crate::id::ObjectId;
use crate::object::message::Receiver;
use crate::object::table::Table;
use crate::session::exports::Exports;

/// In which order the table and the sessions are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// As in the product.
    Right,
    /// Wrong: an object is introduced to the peer before it is in the table.
    IntroducedFirst,
    /// Wrong: a gift knows which object it is, and does not hold it.
    NotPinned,
    /// Wrong: an object is shown once more for each introduction, and hidden only once.
    NotHidden,
    /// Wrong: an object is dropped while its session is locked.
    DroppedUnderLock,
}

/// A node that shows its objects to two peers.
pub(crate) struct Node {
    order: Order,
    pub(crate) table: Table,
    pub(crate) sessions: [Mutex<Session>; 2],
    /// Objects kept for a claim, by token.
    gifts: Mutex<BTreeMap<u64, Gift>>,
}

/// An object that is kept for a claim: it need not be in the table meanwhile.
struct Gift {
    object: ObjectId,
    pin: Option<Arc<dyn Receiver>>,
}

/// What a session counts, and what its peer holds.
#[derive(Default)]
pub(crate) struct Session {
    exports: Exports,
    is_over: bool,
    /// Introductions that the peer has received and not given back.
    held: BTreeMap<u64, u64>,
}

impl Node {
    pub(crate) fn new(order: Order) -> Node {
        let (table, sessions, gifts) = Default::default();
        Node { order, table, sessions, gifts }
    }

    /// Names an object to a peer.
    pub(crate) fn show(&self, peer: usize, object: ObjectId, receiver: &Arc<dyn Receiver>) {
        if self.order != Order::IntroducedFirst {
            self.table.show(object, receiver);
        }
        let mut session = self.sessions[peer].lock().unwrap();
        let is_too_often = session.is_over || session.exports.introduce(object).is_known();
        if !session.is_over {
            *session.held.entry(object.0).or_default() += 1;
        }
        drop(session);
        if self.order == Order::IntroducedFirst {
            self.table.show(object, receiver);
        }
        if is_too_often && self.order != Order::NotHidden {
            drop(self.table.hide(object));
        }
    }

    /// A peer gives back one introduction, if it has any.
    pub(crate) fn hide(&self, peer: usize, object: ObjectId) {
        let mut session = self.sessions[peer].lock().unwrap();
        let Some(held) = session.held.get_mut(&object.0).filter(|held| **held > 0) else { return };
        *held -= 1;
        let was_last = session.exports.release(object, 1).expect("no more than was introduced");
        let hidden = if was_last { self.table.hide(object) } else { None };
        if self.order != Order::DroppedUnderLock {
            drop(session);
        }
        drop(hidden);
    }

    /// A peer's lease ends.
    pub(crate) fn expire(&self, peer: usize) {
        let mut session = self.sessions[peer].lock().unwrap();
        session.is_over = true;
        session.held.clear();
        let objects = session.exports.clear();
        let hidden: Vec<_> = objects.filter_map(|object| self.table.hide(object)).collect();
        drop(session);
        drop(hidden);
    }

    /// A peer's message names an object: it is looked up under the session's lock, if the peer was given it.
    pub(crate) fn get(&self, peer: usize, object: ObjectId) -> Option<Arc<dyn Receiver>> {
        let session = self.sessions[peer].lock().unwrap();
        if !session.exports.contains(object) {
            return None;
        }
        let found = self.table.get(object).expect("what a session shows is in the table");
        assert_eq!(found.number(), object.0, "another object has its number");
        Some(found)
    }

    /// A peer gives away an object that it holds: the object is kept for a claim.
    pub(crate) fn vouch(&self, peer: usize, object: ObjectId, token: u64) {
        let Some(receiver) = self.get(peer, object) else { return };
        let pin = (self.order != Order::NotPinned).then_some(receiver);
        self.gifts.lock().unwrap().insert(token, Gift { object, pin });
    }

    /// A peer claims one of the gifts there are.
    pub(crate) fn claim(&self, peer: usize) {
        let claimed = self.gifts.lock().unwrap().pop_first();
        let Some((_, Gift { object, pin })) = claimed else { return };
        let receiver = pin.or_else(|| self.table.get(object)).expect("what was given is there");
        self.show(peer, object, &receiver);
    }

    /// Nobody has claimed one of the gifts there are.
    pub(crate) fn lapse(&self) {
        let lapsed = self.gifts.lock().unwrap().pop_first();
        drop(lapsed);
    }

    /// Whether a session counts an object.
    pub(crate) fn is_counted(&self, object: ObjectId) -> bool {
        let mut sessions = self.sessions.iter();
        sessions.any(|session| session.lock().unwrap().exports.contains(object))
    }
}
