//! A node as far as the object table is concerned: its sessions, its gifts, and the order in which they use the table.
//!
//! It must not know schedules. The order is the product's. An export is shown (entered into the table), then introduced under
//! the session's lock, then hidden again if the session knew it. At a release it is hidden under the lock, and dropped after the
//! lock is released. A gift holds its object, which is then shown to the claimant.

use std::collections::BTreeMap;
use std::sync::Arc;

use shuttle::sync::Mutex;

use crate::id::ObjectId;
use crate::object::message::Receiver;
use crate::object::table::Table;
use crate::session::exports::Exports;

/// The order in which the table and the sessions are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// The product's order.
    Right,
    /// Wrong: an object is introduced to the peer before it is in the table.
    IntroducedFirst,
    /// Wrong: a gift knows the number of its object, but does not hold the object.
    NotPinned,
    /// Wrong: an object is shown once for each introduction, but hidden only once.
    NotHidden,
    /// Wrong: an object is dropped while its session is locked.
    DroppedUnderLock,
}

/// A node that exports its objects to two peers.
pub(crate) struct Node {
    order: Order,
    pub(crate) table: Table,
    pub(crate) sessions: [Mutex<Session>; 2],
    /// The gifts, by token.
    gifts: Mutex<BTreeMap<u64, Gift>>,
}

/// An object that is kept for a claim. It need not be in the table.
struct Gift {
    object: ObjectId,
    pin: Option<Arc<dyn Receiver>>,
}

/// The exports of a session, and the references of its peer.
#[derive(Default)]
pub(crate) struct Session {
    exports: Exports,
    is_over: bool,
    /// The introductions that the peer has received and not released.
    held: BTreeMap<u64, u64>,
}

impl Node {
    pub(crate) fn new(order: Order) -> Node {
        let (table, sessions, gifts) = Default::default();
        Node { order, table, sessions, gifts }
    }

    /// Introduces an object to a peer.
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

    /// Releases one introduction of a peer's, if it has any.
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

    /// Ends the session of a peer whose lease has expired.
    pub(crate) fn expire(&self, peer: usize) {
        let mut session = self.sessions[peer].lock().unwrap();
        session.is_over = true;
        session.held.clear();
        let objects = session.exports.clear();
        let hidden: Vec<_> = objects.filter_map(|object| self.table.hide(object)).collect();
        drop(session);
        drop(hidden);
    }

    /// Looks an object up for a message of a peer's, under the session's lock, if it was introduced to the peer.
    pub(crate) fn get(&self, peer: usize, object: ObjectId) -> Option<Arc<dyn Receiver>> {
        let session = self.sessions[peer].lock().unwrap();
        if !session.exports.contains(object) {
            return None;
        }
        let found = self.table.get(object).expect("an exported object is in the table");
        assert_eq!(found.number(), object.0, "another object has its number");
        Some(found)
    }

    /// Keeps an object that a peer holds as a gift.
    pub(crate) fn vouch(&self, peer: usize, object: ObjectId, token: u64) {
        let Some(receiver) = self.get(peer, object) else { return };
        let pin = (self.order != Order::NotPinned).then_some(receiver);
        self.gifts.lock().unwrap().insert(token, Gift { object, pin });
    }

    /// Grants one of the gifts to a peer.
    pub(crate) fn claim(&self, peer: usize) {
        let claimed = self.gifts.lock().unwrap().pop_first();
        let Some((_, Gift { object, pin })) = claimed else { return };
        let receiver =
            pin.or_else(|| self.table.get(object)).expect("the object of a gift is available");
        self.show(peer, object, &receiver);
    }

    /// Drops one of the gifts, as after its term.
    pub(crate) fn lapse(&self) {
        let lapsed = self.gifts.lock().unwrap().pop_first();
        drop(lapsed);
    }

    /// Returns true if a session counts an object.
    pub(crate) fn is_counted(&self, object: ObjectId) -> bool {
        let mut sessions = self.sessions.iter();
        sessions.any(|session| session.lock().unwrap().exports.contains(object))
    }
}
