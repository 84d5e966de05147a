//! Scenarios of time: clocks that differ, nodes that stop, partitions, and leases that expire.

use std::time::Duration;

use super::super::random::Random;
use super::ledger::Ended;
use super::node::Condition;
use super::script::MOMENT;
use super::world::{Settings, World};

/// The terms to be tried: the properties must not depend on a particular one.
const TERMS: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(30)];

/// Makes two nodes: node 1 holds an object of node 0, which nothing else refers to, and node 0 one of node 1.
fn two(lease: Duration) -> (World, crate::id::ObjectId, [usize; 2]) {
    let mut world = World::with(2, Settings { lease, ..Settings::plain() });
    let back = world.look_up(0, 1);
    let (object, proxy) = world.give_new(0, back, 1);
    (world, object, [back, proxy])
}

#[test]
fn g10_a_stopped_holder_continues_or_its_lease_expires() {
    for lease in TERMS {
        for tenths in [2, 5, 10, 12, 30] {
            let (mut world, object, [_, proxy]) = two(lease);
            world.pass(lease / 2);
            world.stop(1, lease * tenths / 10);
            world.pass(lease * tenths / 10 + lease / 4);
            assert_eq!(world.node(1).condition, Condition::Runs);
            if tenths <= 5 {
                world.assert_reaches(1, proxy);
            } else {
                world.assert_fails(1, proxy);
                let again = world.look_up(1, 0);
                world.assert_reaches(1, again);
                world.pass(lease);
                assert!(!world.has(0, object), "nothing refers to it any more");
            }
            world.end();
        }
    }
}

#[test]
fn g11_a_stopped_owner_reads_before_it_expires() {
    for lease in TERMS {
        let (mut world, object, [_, proxy]) = two(lease);
        world.stop(0, lease / 2);
        world.pass(lease / 2 + lease / 4);
        world.assert_reaches(1, proxy);
        // Longer than the holder's term: then the lease has expired for both, and neither relies on the other.
        world.stop(0, lease * 3);
        world.pass(lease * 3 + lease / 4);
        world.assert_fails(1, proxy);
        assert!(!world.has(0, object));
        let again = world.look_up(1, 0);
        world.assert_reaches(1, again);
        world.end();
    }
}

#[test]
fn g11_an_owner_does_not_expire_while_input_waits_in_its_socket() {
    // The holder gets no input after an acknowledgement, and renews. The owner is stopped just before its expiry, and
    // continues a whole term later by its own clock, with the renewal unread.
    for lease in TERMS {
        let (mut world, object, [_, proxy]) = two(lease);
        for _ in 0..20 {
            world.stop(0, lease * 3 / 10);
            world.pass(lease * 3 / 10 + lease / 20);
            assert!(world.has(0, object));
        }
        world.assert_reaches(1, proxy);
        assert_eq!(world.tally.ended, 0);
        world.end();
    }
}

#[test]
fn g13_clocks_that_drift_for_ten_terms() {
    for gains in [[10_000, -10_000], [-10_000, 10_000], [0, 10_000]] {
        for lease in TERMS {
            let settings = Settings { lease, ..Settings::plain() };
            let mut world = World::new(Random::new(7), settings, &gains);
            let (proxy, back) = (world.look_up(1, 0), world.look_up(0, 1));
            world.pass(lease * 10);
            world.assert_reaches(1, proxy);
            world.assert_reaches(0, back);
            assert_eq!((world.tally.ended, world.tally.resumed), (0, 0));
            world.end();
        }
    }
}

#[test]
fn g14_a_partition_shorter_than_the_lease_is_a_pause() {
    for lease in TERMS {
        for directions in [&[[0, 1], [1, 0]][..], &[[0, 1]], &[[1, 0]]] {
            for percent in [1, 10, 20, 30, 40, 50] {
                for begin in [0, 10, 25, 33] {
                    let (mut world, _, [back, proxy]) = two(lease);
                    world.pass(lease * begin / 100);
                    for [from, to] in directions {
                        world.partition(*from, *to, lease * percent / 100);
                    }
                    let calls = [world.ask(1, proxy), world.ask(0, back)];
                    world.pass(lease * percent / 100 + lease / 4);
                    for call in calls {
                        assert_eq!(world.ledger.ended(call), Some(Ended::Answered));
                    }
                    world.assert_reaches(1, proxy);
                    world.assert_reaches(0, back);
                    assert_eq!(world.tally.ended, 0);
                    world.end();
                }
            }
        }
    }
}

#[test]
fn g15_a_partition_longer_than_the_lease_ends_it_for_both() {
    for lease in TERMS {
        for directions in [&[[0, 1], [1, 0]][..], &[[0, 1]], &[[1, 0]]] {
            let (mut world, object, [_, proxy]) = two(lease);
            for [from, to] in directions {
                world.partition(*from, *to, lease * 2);
            }
            let call = world.ask(1, proxy);
            // A side that receives nothing still sends frames, until it drops its connection.
            world.pass(lease * 5 / 4 + lease / 3 + lease / 20 + MOMENT);
            assert!(!world.has(0, object), "the owner drops it in time");
            assert!(matches!(world.ledger.ended(call), Some(Ended::Lost(_))), "reported in time");
            world.assert_fails(1, proxy);
            world.pass(lease);
            let again = world.look_up(1, 0);
            world.assert_reaches(1, again);
            world.end();
        }
    }
}

#[test]
fn g18_references_of_a_killed_holder_expire_in_a_term_and_a_quarter() {
    for lease in TERMS {
        let (mut world, object, _) = two(lease);
        world.pass(lease);
        world.kill(1);
        // The owner expires it only after the holder could no longer rely on it.
        let sweep = lease / 20;
        world.pass(lease * 5 / 4 + sweep + MOMENT);
        assert!(!world.has(0, object));
        world.end();
    }
}

#[test]
fn g21_the_lease_expires_while_a_call_runs() {
    let lease = TERMS[1];
    let (mut world, object, [_, proxy]) = two(lease);
    world.settings.quick = 0;
    let call = world.ask(1, proxy);
    world.pass(MOMENT);
    assert!(world.ledger.is_begun(call));
    world.partition(0, 1, lease * 3);
    world.partition(1, 0, lease * 3);
    world.pass(lease);
    assert!(world.has(0, object), "the lease of the owner runs");
    assert_eq!(world.node(0).running.len(), 1);
    world.pass(lease);
    assert_eq!(world.node(0).running.len(), 0, "nobody awaits the reply any more");
    assert!(!world.has(0, object));
    world.end();
}
