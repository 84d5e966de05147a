//! Scenarios of references that each hands on at once, before its own path is short: down a chain, and round a ring and home.

use std::time::Duration;

use super::node::{Receiver, Way};
use super::script::MOMENT;
use super::world::{Settings, World};
use crate::id::ObjectId;

/// Each node has a way to tell the next one, round a ring. Node 0 gives node 1 a new object, which it does not hold itself.
fn ring(places: usize, hand_on: usize) -> (World, Vec<usize>, ObjectId) {
    let mut world = World::with(places, Settings { hand_on, ..Settings::plain() });
    let ways: Vec<usize> =
        (0..places).map(|place| world.look_up(place, (place + 1) % places)).collect();
    let (object, _) = world.give_new(0, ways[0], 1);
    (world, ways, object)
}

/// The proxies that a node holds besides its way to the next one.
fn received(world: &mut World, place: usize) -> Vec<usize> {
    world.node(place).held[1..].to_vec()
}

/// A node hands the next what it received, and drops it; until the next has it.
fn hand_on(world: &mut World, ways: &[usize], place: usize) {
    let next = (place + 1) % ways.len();
    let before = received(world, next).len() + world.node(next).roots.len();
    for proxy in received(world, place) {
        world.give(place, ways[place], &[Receiver::Far(proxy)]);
        world.drop_proxy(place, proxy);
    }
    while received(world, next).len() + world.node(next).roots.len() == before {
        world.step();
    }
}

/// A node forwards for nobody: it shows what it published, and holds its way to the next.
fn assert_needless(world: &mut World, place: usize) {
    let node = world.node(place);
    assert_eq!((node.table.len(), node.proxies.len()), (1, 1), "node {place}");
}

#[test]
fn nobody_on_a_chain_along_which_it_was_handed_on_at_once_is_needed_in_the_end() {
    for hands in [0, 100] {
        let (mut world, ways, object) = ring(5, hands);
        (1..4).for_each(|place| hand_on(&mut world, &ways, place));
        world.pass(MOMENT);
        assert_eq!(world.tally.shortened, 3);
        for place in 1..4 {
            assert_needless(&mut world, place);
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
fn who_hands_it_on_is_killed_at_any_moment() {
    let mut reached = [0, 0];
    for killed in 1..4 {
        for steps in 0..40 {
            let (mut world, ways, object) = ring(5, 0);
            (1..4).for_each(|place| hand_on(&mut world, &ways, place));
            world.steps(steps);
            world.kill(killed);
            world.pass(world.settings.lease * 2);
            let proxy = received(&mut world, 4)[0];
            let call = world.ask(4, proxy);
            world.pass(world.settings.lease * 2);
            assert!(world.ledger.ended(call).is_some(), "it does not hang");
            assert!(!world.ledger.is_begun(call) || world.has(0, object));
            reached[usize::from(world.ledger.is_begun(call))] += 1;
            world.end();
        }
    }
    assert!(reached[0] > 0 && reached[1] > 0, "both happen: {reached:?}");
}

#[test]
fn an_object_that_goes_round_a_ring_comes_home_and_needs_nobody() {
    for hands in [0, 50, 100] {
        for pause in [Duration::ZERO, Duration::from_millis(5), MOMENT] {
            let (mut world, ways, object) = ring(5, hands);
            for place in 1..5 {
                world.pass(pause);
                hand_on(&mut world, &ways, place);
            }
            world.pass(MOMENT);
            for place in 1..5 {
                assert_needless(&mut world, place);
            }
            for proxy in received(&mut world, 0) {
                assert_eq!(world.node(0).proxies[&proxy].way, Way::Home(object));
                world.assert_reaches(0, proxy);
            }
            assert_eq!(received(&mut world, 0).len() + world.node(0).roots.len(), 1);
            assert_eq!(world.node(0).table.len(), 1, "shown is what was published");
            assert!(world.has(0, object));
            world.end();
        }
    }
}

#[test]
fn what_has_come_home_by_a_path_that_was_long_is_the_object_to_others_too() {
    let (mut world, ways, object) = ring(3, 0);
    (1..3).for_each(|place| hand_on(&mut world, &ways, place));
    world.pass(MOMENT);
    hand_on(&mut world, &ways, 0);
    world.pass(MOMENT);
    let proxy = received(&mut world, 1)[0];
    assert_eq!(world.exported(0, 1, object), 1, "it is shown as what it is");
    world.assert_reaches(1, proxy);
    world.drop_proxy(1, proxy);
    world.pass(MOMENT);
    assert!(!world.has(0, object));
    world.end();
}

#[test]
fn who_drops_what_it_asks_a_token_for_waits_for_nobody() {
    let (mut world, ways, object) = ring(4, 0);
    // Node 2 cannot reach the owner for a while, so node 3 waits for it.
    world.withhold(2, 0);
    world.withhold(0, 2);
    (1..3).for_each(|place| hand_on(&mut world, &ways, place));
    world.pass(MOMENT);
    assert_eq!(world.node(2).asking.len(), 1);
    let proxy = received(&mut world, 3)[0];
    world.assert_reaches(3, proxy);
    world.drop_proxy(3, proxy);
    world.pass(MOMENT);
    assert_eq!(world.node(2).asking.len(), 0);
    (1..4).for_each(|place| assert_needless(&mut world, place));
    assert!(world.has(0, object), "it is still meant for node 2");
    world.pass(world.settings.lease);
    assert!(!world.has(0, object));
    world.end();
}

#[test]
fn a_giver_is_asked_for_a_few_tokens_at_a_time() {
    for is_silent in [false, true] {
        let (mut world, ways, _) = ring(3, 0);
        let many: Vec<Receiver> =
            (0..20).map(|_| Receiver::Far(received(&mut world, 1)[0])).collect();
        world.withhold(1, 2);
        world.give(1, ways[1], &many);
        world.heal(1, 2);
        while received(&mut world, 2).is_empty() {
            world.step();
        }
        world.withhold(1, 2);
        let giver = world.link(2, 1);
        let asked = |world: &World| {
            let side = &world.nodes[giver.life].links[giver.link];
            (side.asked, side.to_ask.len())
        };
        world.pass(MOMENT);
        assert_eq!(asked(&world), (8, 12));
        if is_silent {
            // Longer than one is asked, shorter than two of them one after the other.
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
