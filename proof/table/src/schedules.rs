//! The combinations of threads to run, and the properties to check when they are done.
//!
//! The environment variable `REMOTE_SCHEDULES` sets the number of schedules for each combination; the default is 10,000.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use shuttle::thread;

use crate::id::ObjectId;
use crate::node::{Node, Order};
use crate::object::message::Receiver;

/// The operation of a thread, on each of the objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    /// Introduces it to A and to B.
    Show,
    /// Each of them releases it.
    Hide,
    /// Ends A's lease, and the term of a gift.
    Expire,
    /// Looks it up for a message of A's, and for one of B's.
    Get,
    /// A hands it off to B, which claims it.
    HandOff,
}

const ALL: [Work; 5] = [Work::Show, Work::Hide, Work::Expire, Work::Get, Work::HandOff];

const OBJECTS: [ObjectId; 2] = [ObjectId(7), ObjectId(8)];

/// The peer that holds the objects from the start, and the recipient of gifts.
const A: usize = 0;
const B: usize = 1;

#[test]
fn all_pairs_of_operations() {
    for (place, one) in ALL.into_iter().enumerate() {
        for other in &ALL[place..] {
            try_all(Order::Right, vec![one, *other]);
        }
    }
}

#[test]
fn all_operations_at_once() {
    try_all(Order::Right, ALL.to_vec());
}

#[test]
#[should_panic(expected = "an exported object is in the table")]
fn introducing_before_showing_is_caught() {
    try_all(Order::IntroducedFirst, vec![Work::Show, Work::Hide, Work::Get]);
}

#[test]
#[should_panic(expected = "the object of a gift is available")]
fn a_gift_that_holds_nothing_is_caught() {
    try_all(Order::NotPinned, vec![Work::HandOff, Work::Hide]);
}

#[test]
#[should_panic(expected = "in the table, but not counted")]
fn showing_too_often_is_caught() {
    try_all(Order::NotHidden, vec![Work::Show, Work::Hide]);
}

#[test]
#[should_panic(expected = "deadlock")]
fn dropping_under_a_lock_is_caught() {
    try_all(Order::DroppedUnderLock, vec![Work::Hide, Work::Get]);
}

/// Runs the threads under the requested number of schedules.
fn try_all(order: Order, works: Vec<Work>) {
    let wanted = std::env::var("REMOTE_SCHEDULES").map_or(Ok(10_000), |wanted| wanted.parse());
    let wanted = wanted.expect("REMOTE_SCHEDULES is a number");
    shuttle::check_random(move || run(order, &works), wanted);
}

fn run(order: Order, works: &[Work]) {
    let node = Arc::new(Node::new(order));
    let dropped = Arc::new(AtomicUsize::new(0));
    let objects = OBJECTS.map(|object| {
        let object =
            Object { id: object, node: Arc::downgrade(&node), dropped: Arc::clone(&dropped) };
        Arc::new(object) as Arc<dyn Receiver>
    });
    for (object, receiver) in OBJECTS.into_iter().zip(&objects) {
        node.show(A, object, receiver);
    }
    let threads = works.iter().zip(0..).map(|(work, number)| {
        let (work, node) = (*work, Arc::clone(&node));
        // Only a thread that shows an object needs a reference to it.
        let objects = (work == Work::Show).then(|| objects.clone());
        thread::spawn(move || {
            for (place, object) in OBJECTS.into_iter().enumerate() {
                let receiver = objects.as_ref().map(|objects| &objects[place]);
                work.on(&node, object, receiver, number * 10 + place as u64);
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    drop(objects);
    for thread in threads {
        thread.join().unwrap();
    }
    check(&node);
    node.expire(A);
    node.expire(B);
    OBJECTS.iter().for_each(|_| node.lapse());
    ALL.iter().for_each(|_| node.lapse());
    check(&node);
    assert_eq!(node.table.len(), 0, "the table is not empty");
    assert_eq!(dropped.load(Ordering::Relaxed), OBJECTS.len(), "each object is dropped once");
}

/// Checks that exactly the counted objects are in the table.
fn check(node: &Node) {
    for object in OBJECTS {
        let found = node.table.get(object);
        assert!(
            found.is_none_or(|found| found.number() == object.0),
            "another object has its number"
        );
        match (node.is_counted(object), node.table.get(object).is_some()) {
            (true, false) => panic!("{object:?} is counted, but not in the table"),
            (false, true) => panic!("{object:?} is in the table, but not counted"),
            (true, true) | (false, false) => {}
        }
    }
}

impl Work {
    fn on(self, node: &Node, object: ObjectId, receiver: Option<&Arc<dyn Receiver>>, token: u64) {
        match (self, receiver) {
            (Work::Show, Some(receiver)) => [A, B].map(|peer| node.show(peer, object, receiver)),
            (Work::Show, None) => unreachable!("a thread that shows an object has it"),
            (Work::Hide, _) => [A, B].map(|peer| node.hide(peer, object)),
            (Work::Expire, _) => [node.expire(A), node.lapse()],
            (Work::Get, _) => [A, B].map(|peer| drop(node.get(peer, object))),
            (Work::HandOff, _) => [node.vouch(A, object, token), node.claim(B)],
        };
    }
}

/// A user's object. Its destructor is user code, and calls back into the node.
struct Object {
    id: ObjectId,
    node: Weak<Node>,
    dropped: Arc<AtomicUsize>,
}

impl Receiver for Object {
    fn number(&self) -> u64 {
        self.id.0
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        // After a panic, do not wait for locks: that would hide the failure.
        let Some(node) = self.node.upgrade().filter(|_| !std::thread::panicking()) else { return };
        // Deadlocks if the thread that drops it holds one of these locks.
        assert!(!node.is_counted(self.id), "the object is dropped but counted");
        assert!(node.table.get(self.id).is_none(), "the object is dropped but in the table");
    }
}
