//! A name is announced once. One side announces no more of them than the other takes, and goes on without.

use super::forger::Forger;
use super::pair::Pair;
use super::pair::Side::{Left, Right};
use crate::id::NameId;
use crate::wire::breach::Breach;
use crate::wire::frame::{Frame, LONGEST_NAME};

/// Names of so many bytes, and how many of them come to the most that one side takes.
const MOST: [(usize, u64); 2] = [(LONGEST_NAME, 1024), (1, 16 * 1024)];

#[test]
fn a_name_is_announced_once() {
    let mut pair = Pair::new();
    let first = pair[Left].intern("Interface.method", 7);
    assert_eq!(first, Some(NameId(1)));
    assert_eq!(pair[Left].intern("Interface.other", 8), Some(NameId(2)));
    assert_eq!(pair[Left].intern("Interface.method", 7), first);
    pair.settle();
    for (id, fingerprint, text) in [(1, 7, "Interface.method"), (2, 8, "Interface.other")] {
        let name = pair[Right].name(NameId(id)).expect("it was announced");
        assert_eq!((name.fingerprint, &*name.text), (fingerprint, text));
    }
    assert_eq!(pair[Right].name(NameId(3)), None);
    assert_eq!(pair[Right].name(NameId::NONE), None);
}

#[test]
fn one_side_announces_just_as_many_as_the_other_takes() {
    for (length, most) in MOST {
        let (mut pair, name) = (Pair::new(), "n".repeat(length));
        let announced = (0..2 * most).filter(|id| pair[Left].intern(&name, *id).is_some()).count();
        assert_eq!(announced as u64, most, "names of {length} bytes");
        assert!(pair[Left].intern(&name, 0).is_some(), "a known one is not announced again");
        pair.settle();
        assert_eq!(pair[Right].closed(), None);
        assert!(pair[Right].name(NameId(most)).is_some());
    }
    let mut pair = Pair::new();
    assert_eq!(pair[Left].intern(&"n".repeat(LONGEST_NAME + 1), 1), None);
    assert_eq!(pair[Left].intern(&"n".repeat(LONGEST_NAME), 1), Some(NameId(1)));
}

#[test]
fn one_more_is_a_breach() {
    let long = "n".repeat(LONGEST_NAME + 1);
    let mut forger = Forger::new();
    forger.say(Frame::Name { id: NameId(2), fingerprint: 1, name: &long });
    forger.assert_breach(Breach::Name);
    for (length, most) in MOST {
        let (mut forger, name) = (Forger::silent(), "n".repeat(length));
        for id in 1..=most {
            forger.say(Frame::Name { id: NameId(id), fingerprint: id, name: &name });
        }
        assert_eq!(forger.session.closed(), None);
        forger.say(Frame::Name { id: NameId(most + 1), fingerprint: 0, name: &name });
        forger.assert_breach(Breach::Name);
    }
}
