//! A name is announced once. No side announces more names than the other one accepts; calls with further names are refused.

use super::forger::Forger;
use super::pair::Pair;
use super::pair::Side::{Left, Right};
use crate::id::NameId;
use crate::wire::breach::Breach;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::{Frame, MAX_NAME};

/// The lengths of names, each with the number of such names that a side accepts.
const MAX: [(usize, u64); 2] = [(MAX_NAME, 1024), (1, 16 * 1024)];

#[test]
fn a_name_is_announced_once() {
    let mut pair = Pair::new();
    let first = pair[Left].intern("Interface.method", Fingerprint::from(7));
    assert_eq!(first, Some(NameId(1)));
    assert_eq!(pair[Left].intern("Interface.other", Fingerprint::from(8)), Some(NameId(2)));
    assert_eq!(pair[Left].intern("Interface.method", Fingerprint::from(7)), first);
    pair.run_until_idle();
    for (id, fingerprint, text) in [(1, 7, "Interface.method"), (2, 8, "Interface.other")] {
        let name = pair[Right].name(NameId(id)).expect("it was announced");
        assert_eq!((name.fingerprint, &*name.text), (Fingerprint::from(fingerprint), text));
    }
    assert_eq!(pair[Right].name(NameId(3)), None);
    assert_eq!(pair[Right].name(NameId::NONE), None);
}

#[test]
fn a_side_announces_exactly_the_maximum() {
    for (length, max) in MAX {
        let (mut pair, name) = (Pair::new(), "n".repeat(length));
        let announced = (0..2 * max)
            .filter(|id| pair[Left].intern(&name, Fingerprint::from(*id)).is_some())
            .count();
        assert_eq!(announced as u64, max, "names of {length} bytes");
        assert!(
            pair[Left].intern(&name, Fingerprint::from(0)).is_some(),
            "a known one is not announced again"
        );
        pair.run_until_idle();
        assert_eq!(pair[Right].closed(), None);
        assert!(pair[Right].name(NameId(max)).is_some());
    }
    let mut pair = Pair::new();
    assert_eq!(pair[Left].intern(&"n".repeat(MAX_NAME + 1), Fingerprint::from(1)), None);
    assert_eq!(pair[Left].intern(&"n".repeat(MAX_NAME), Fingerprint::from(1)), Some(NameId(1)));
}

#[test]
fn one_name_more_is_a_breach() {
    let long = "n".repeat(MAX_NAME + 1);
    let mut forger = Forger::new();
    forger.send(Frame::Name { id: NameId(2), fingerprint: Fingerprint::from(1), name: &long });
    forger.assert_breach(Breach::Name);
    for (length, max) in MAX {
        let (mut forger, name) = (Forger::silent(), "n".repeat(length));
        for id in 1..=max {
            forger.send(Frame::Name {
                id: NameId(id),
                fingerprint: Fingerprint::from(id),
                name: &name,
            });
        }
        assert_eq!(forger.session.closed(), None);
        forger.send(Frame::Name {
            id: NameId(max + 1),
            fingerprint: Fingerprint::from(0),
            name: &name,
        });
        forger.assert_breach(Breach::Name);
    }
}
