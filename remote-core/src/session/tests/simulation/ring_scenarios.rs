//! Scenarios of references that each node passes on at once, before its own path is direct: along a chain, and round a ring
//! back to the owner.

use std::time::Duration;

use super::node::{Path, Receiver};
use super::script::MOMENT;
use super::world::{Settings, World};
use crate::id::ObjectId;

/// Makes a ring of nodes, each of which holds an object of the next. Node 0 passes a new object to node 1, and does not
/// keep it.
fn ring(places: usize, hand_on: usize) -> (World, Vec<usize>, ObjectId) {
    let mut world = World::with(places, Settings { hand_on, ..Settings::plain() });
    let paths: Vec<usize> =
        (0..places).map(|place| world.look_up(place, (place + 1) % places)).collect();
    let (object, _) = world.give_new(0, paths[0], 1);
    (world, paths, object)
}

/// Returns the proxies of a node, without the one for the next node.
fn received(world: &mut World, place: usize) -> Vec<usize> {
    world.node(place).held[1..].to_vec()
}

/// Passes on what a node received to the next one, and drops it. Runs until the next one has it.
fn hand_on(world: &mut World, paths: &[usize], place: usize) {
    let next = (place + 1) % paths.len();
    let before = received(world, next).len() + world.node(next).roots.len();
    for proxy in received(world, place) {
        world.give(place, paths[place], &[Receiver::Far(proxy)]);
        world.drop_proxy(place, proxy);
    }
    while received(world, next).len() + world.node(next).roots.len() == before {
        world.step();
    }
}

/// Asserts that a node forwards for no other: it exports what it published, and holds a proxy for the next node.
fn assert_not_forwarding(world: &mut World, place: usize) {
    let node = world.node(place);
    assert_eq!((node.table.len(), node.proxies.len()), (1, 1), "node {place}");
}

#[test]
fn in_the_end_no_node_of_the_chain_forwards() {
    for hands in [0, 100] {
        let (mut world, paths, object) = ring(5, hands);
        (1..4).for_each(|place| hand_on(&mut world, &paths, place));
        world.pass(MOMENT);
        assert_eq!(world.tally.shortened, 3);
        for place in 1..4 {
            assert_not_forwarding(&mut world, place);
            world.kill(place);
        }
        world.pass(world.settings.lease * 2);
        let proxy = received(&mut world, 4)[0];
        world.assert_reaches(4, proxy);
        world.drop_proxy(4, proxy);
        world.pass(MOMENT);
        assert!(!world.has(0, object));
        world.end();
    }
}

#[test]
fn a_node_of_the_chain_is_killed_at_any_step() {
    let mut reached = [0, 0];
    for killed in 1..4 {
        for steps in 0..40 {
            let (mut world, paths, object) = ring(5, 0);
            (1..4).for_each(|place| hand_on(&mut world, &paths, place));
            world.steps(steps);
            world.kill(killed);
            world.pass(world.settings.lease * 2);
            let proxy = received(&mut world, 4)[0];
            let call = world.ask(4, proxy);
            world.pass(world.settings.lease * 2);
            assert!(world.ledger.ended(call).is_some(), "it has ended");
            assert!(!world.ledger.is_begun(call) || world.has(0, object));
            reached[usize::from(world.ledger.is_begun(call))] += 1;
            world.end();
        }
    }
    assert!(reached[0] > 0 && reached[1] > 0, "both cases occur: {reached:?}");
}

#[test]
fn a_reference_round_a_ring_is_near_and_not_forwarded() {
    for hands in [0, 50, 100] {
        for pause in [Duration::ZERO, Duration::from_millis(5), MOMENT] {
            let (mut world, paths, object) = ring(5, hands);
            for place in 1..5 {
                world.pass(pause);
                hand_on(&mut world, &paths, place);
            }
            world.pass(MOMENT);
            for place in 1..5 {
                assert_not_forwarding(&mut world, place);
            }
            for proxy in received(&mut world, 0) {
                assert_eq!(world.node(0).proxies[&proxy].path, Path::Near(object));
                world.assert_reaches(0, proxy);
            }
            assert_eq!(received(&mut world, 0).len() + world.node(0).roots.len(), 1);
            assert_eq!(world.node(0).table.len(), 1, "only the published object is exported");
            assert!(world.has(0, object));
            world.end();
        }
    }
}

#[test]
fn a_reference_passed_back_to_its_owner_is_exported_as_the_object() {
    let (mut world, paths, object) = ring(3, 0);
    (1..3).for_each(|place| hand_on(&mut world, &paths, place));
    world.pass(MOMENT);
    hand_on(&mut world, &paths, 0);
    world.pass(MOMENT);
    let proxy = received(&mut world, 1)[0];
    assert_eq!(world.exported(0, 1, object), 1, "it is exported as itself");
    world.assert_reaches(1, proxy);
    world.drop_proxy(1, proxy);
    world.pass(MOMENT);
    assert!(!world.has(0, object));
    world.end();
}

#[test]
fn dropping_a_reference_ends_its_token_request() {
    let (mut world, paths, object) = ring(4, 0);
    // Node 2 cannot reach the owner for a while, so that node 3 waits for it.
    world.withhold(2, 0);
    world.withhold(0, 2);
    (1..3).for_each(|place| hand_on(&mut world, &paths, place));
    world.pass(MOMENT);
    assert_eq!(world.node(2).token_requests.len(), 1);
    let proxy = received(&mut world, 3)[0];
    world.assert_reaches(3, proxy);
    world.drop_proxy(3, proxy);
    world.pass(MOMENT);
    assert_eq!(world.node(2).token_requests.len(), 0);
    (1..4).for_each(|place| assert_not_forwarding(&mut world, place));
    assert!(!world.has(0, object), "the gift for node 2 was withdrawn");
    world.end();
}

#[test]
fn the_number_of_pending_token_requests_is_limited() {
    for is_silent in [false, true] {
        let (mut world, paths, _) = ring(3, 0);
        let many: Vec<Receiver> =
            (0..20).map(|_| Receiver::Far(received(&mut world, 1)[0])).collect();
        world.withhold(1, 2);
        world.give(1, paths[1], &many);
        world.heal(1, 2);
        while received(&mut world, 2).is_empty() {
            world.step();
        }
        world.withhold(1, 2);
        let giver = world.link(2, 1);
        let asked = |world: &World| {
            let side = &world.nodes[giver.life].links[giver.link];
            (side.asked, side.queued_requests.len())
        };
        world.pass(MOMENT);
        assert_eq!(asked(&world), (8, 12));
        if is_silent {
            // Longer than one request takes, shorter than two of them in sequence.
            world.pass(Duration::from_secs(11));
            assert_eq!(asked(&world), (8, 4));
        }
        world.heal(1, 2);
        world.pass(MOMENT);
        assert_eq!(asked(&world), (0, 0));
        assert_eq!(world.tally.shortened, if is_silent { 12 } else { 20 });
        let first = received(&mut world, 2)[0];
        world.assert_reaches(2, first);
        world.end();
    }
}
