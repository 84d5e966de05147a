//! Scenarios of references handed on between three nodes: 0 owns the object, 1 hands it on, 2 receives it.

use std::time::Duration;

use super::ledger::Ended;
use super::node::Receiver;
use super::script::MOMENT;
use super::world::{Settings, World};
use crate::limits::Limits;
use crate::wire::frame::Manner;

/// Node 1 holds the published object of node 0, and a way to tell node 2 of it. Node 2 knows node 0, or does not.
fn three(settings: Settings, knows_owner: bool) -> (World, usize, usize) {
    let mut world = World::with(3, settings);
    let (proxy, way) = (world.look_up(1, 0), world.look_up(1, 2));
    if knows_owner {
        let proxy = world.look_up(2, 0);
        world.drop_proxy(2, proxy);
        world.pass(MOMENT);
    }
    (world, proxy, way)
}

fn hand_on(world: &mut World, proxy: usize, way: usize) {
    world.give(1, way, &[Receiver::Far(proxy)]);
    world.drop_proxy(1, proxy);
}

#[test]
fn a_reference_that_is_handed_on_becomes_a_direct_one() {
    for knows_owner in [true, false] {
        let (mut world, proxy, way) = three(Settings::plain(), knows_owner);
        hand_on(&mut world, proxy, way);
        world.pass(MOMENT);
        let received = world.node(2).held[0];
        world.assert_reaches(2, received);
        assert_eq!((world.tally.shortened, world.tally.forwarded), (1, 1), "but for the settling");
        assert_eq!(
            world.node(1).table.len(),
            0,
            "who handed it on has nothing to do with it any more"
        );
        world.end();
    }
}

#[test]
fn it_is_forwarded_for_as_long_as_it_is_held_if_there_is_no_token_or_no_way_to_its_owner() {
    for introduce in [0, 100] {
        let settings = Settings { hand_on: 0, introduce, ..Settings::plain() };
        let (mut world, proxy, way) = three(settings, true);
        if introduce > 0 {
            world.withhold(2, 0);
        }
        hand_on(&mut world, proxy, way);
        // Longer than the owner is asked, shorter than the session lasts.
        world.pass(Duration::from_secs(11));
        world.heal(2, 0);
        world.pass(world.settings.lease * 3);
        let received = world.node(2).held[0];
        world.assert_reaches(2, received);
        assert_eq!((world.node(1).table.len(), world.tally.shortened), (1, 0));
        world.drop_proxy(2, received);
        world.pass(MOMENT);
        assert_eq!(world.node(1).proxies.len(), 1, "only the one to node 2");
        world.end();
    }
}

#[test]
fn calls_keep_their_order_while_the_path_shortens() {
    // The ledger looks: for a call at each moment of it.
    let (mut world, proxy, way) = three(Settings::plain(), true);
    hand_on(&mut world, proxy, way);
    while world.node(2).held.is_empty() {
        world.step();
    }
    let received = world.node(2).held[0];
    let calls: Vec<usize> = (0..200)
        .map(|_| {
            world.step();
            world.ask(2, received)
        })
        .collect();
    world.pass(MOMENT);
    assert_eq!(world.tally.shortened, 1);
    assert!(calls.iter().all(|call| world.ledger.ended(*call) == Some(Ended::Answered)));
    world.end();
}

#[test]
fn g3_a_claim_that_comes_after_its_claimant_gave_up_leaves_no_holder() {
    let (mut world, proxy, way) = three(Settings::plain(), true);
    let object = world.published(0);
    world.withhold(2, 0);
    hand_on(&mut world, proxy, way);
    // Longer than a claim waits, shorter than the session lasts.
    world.pass(Duration::from_secs(11));
    let received = world.node(2).held[0];
    world.assert_reaches(2, received);
    assert_eq!(world.tally.shortened, 0, "it goes the long way");
    world.drop_proxy(2, received);
    world.heal(2, 0);
    world.pass(world.settings.lease);
    assert_eq!(world.exported(0, 2, object), 0);
    world.end();
}

#[test]
fn g5_it_is_handed_on_and_dropped_before_the_owner_hears_of_it() {
    let (mut world, proxy, way) = three(Settings::plain(), true);
    world.withhold(1, 0);
    hand_on(&mut world, proxy, way);
    world.pass(MOMENT);
    assert_eq!(world.node(0).early.len(), 1, "the claim came before the gift");
    let received = world.node(2).held[0];
    world.heal(1, 0);
    world.pass(MOMENT);
    world.assert_reaches(2, received);
    assert_eq!(world.tally.shortened, 1);
    world.end();
}

#[test]
fn g6_who_handed_it_on_is_killed_at_any_moment() {
    let mut outcomes = [0, 0];
    for (knows_owner, hand) in [(true, 100), (false, 100), (true, 0), (false, 0)] {
        for steps in 0..40 {
            let settings = Settings { hand_on: hand, ..Settings::plain() };
            let (mut world, proxy, way) = three(settings, knows_owner);
            world.published(0);
            hand_on(&mut world, proxy, way);
            world.steps(steps);
            world.kill(1);
            world.pass(world.settings.lease / 2);
            // Usable, or a clean error, if it arrived at all.
            if let Some(received) = world.node(2).held.first().copied() {
                let call = world.ask(2, received);
                world.pass(world.settings.lease * 2);
                let ended = world.ledger.ended(call).expect("it does not hang");
                outcomes[usize::from(ended == Ended::Answered)] += 1;
            }
            world.end();
        }
    }
    assert!(outcomes[0] > 0 && outcomes[1] > 0, "both happen: {outcomes:?}");
}

#[test]
fn g7_a_gift_that_nobody_claims_ends_with_its_term() {
    for is_killed in [true, false] {
        let (mut world, proxy, way) = three(Settings::plain(), true);
        let object = world.published(0);
        world.node(0).published = None;
        world.withhold(1, 2);
        hand_on(&mut world, proxy, way);
        world.node(0).let_go(Receiver::Near(object));
        world.pass(MOMENT);
        if is_killed {
            world.kill(2);
        } else {
            world.settings.keeps = 0;
            world.heal(1, 2);
        }
        world.pass(world.settings.lease * 9 / 10);
        if is_killed {
            assert!(world.has(0, object), "it may still be claimed");
        }
        world.pass(world.settings.lease / 2);
        assert!(!world.has(0, object));
        world.end();
    }
}

#[test]
fn g8_an_object_that_comes_home_is_the_object() {
    let (mut world, proxy, way) = three(Settings::plain(), true);
    let object = world.published(0);
    let before = world.exported(0, 1, object);
    world.give(1, proxy, &[Receiver::Far(proxy)]);
    world.pass(MOMENT);
    assert_eq!((world.node(0).roots.clone(), world.exported(0, 1, object)), (vec![object], before));
    // By way of a third node that has not claimed it yet; then of one that has.
    world.withhold(1, 0);
    world.give(1, way, &[Receiver::Far(proxy)]);
    world.heal(1, 0);
    for pause in [Duration::from_millis(1), MOMENT] {
        world.pass(pause);
        while world.node(2).held.is_empty() {
            world.step();
        }
        let received = world.node(2).held[0];
        let home = world.look_up(2, 0);
        world.give(2, home, &[Receiver::Far(received)]);
        world.pass(MOMENT);
    }
    assert_eq!(world.node(0).proxies.len(), 0, "no proxy for one's own object");
    assert_eq!(world.node(0).roots.len(), 3);
    world.end();
}

#[test]
fn g28_whatever_is_lost_at_whatever_moment_all_three_settle() {
    for (knows_owner, hand) in [(true, 100), (false, 100), (true, 0), (false, 0)] {
        for pair in [[0, 1], [1, 2], [0, 2]] {
            for steps in 0..40 {
                let settings = Settings { hand_on: hand, ..Settings::plain() };
                let (mut world, proxy, way) = three(settings, knows_owner);
                hand_on(&mut world, proxy, way);
                world.steps(steps);
                world.cut_between(pair[0], pair[1], [steps % 2 == 0, steps % 3 == 0]);
                world.pass(world.settings.lease);
                let received = world.node(2).held[0];
                world.assert_reaches(2, received);
                assert!(world.nodes.iter().all(|node| node.waiters.is_empty()), "all settled");
                world.end();
            }
        }
    }
}

/// Three nodes, of which each forwards for the next, over and over: the last in so many hands to hold the object of node
/// 0, where it is, and what it holds.
fn spiral(hands: usize, limits: Limits) -> (World, usize, usize) {
    let settings = Settings { hand_on: 0, introduce: 0, limits, ..Settings::plain() };
    let mut world = World::with(3, settings);
    let ways = [0, 1, 2].map(|place| world.look_up(place, (place + 1) % 3));
    let object = world.node(0).new_object();
    let mut handed = Receiver::Near(object);
    let mut place = 0;
    for _ in 0..hands {
        world.give(place, ways[place], &[handed]);
        match handed {
            Receiver::Far(proxy) if proxy != ways[place] => world.drop_proxy(place, proxy),
            _ => world.node(0).let_go(handed),
        }
        world.pass(MOMENT);
        place = (place + 1) % 3;
        handed = Receiver::Far(*world.node(place).held.last().expect("it was handed on"));
    }
    let Receiver::Far(proxy) = handed else { panic!("it was handed to another node") };
    (world, place, proxy)
}

#[test]
fn a_call_that_takes_all_room_on_its_own_way_fails_and_leaves_nothing() {
    let limits = Limits { window_bytes: 200_000, body: 65_000, ..Limits::default() };
    let (mut world, place, proxy) = spiral(13, limits);
    world.assert_reaches(place, proxy);
    let life = world.places[place];
    let call = world.call(life, proxy, Manner::Ask, Vec::new(), 60_000);
    world.settle();
    world.pass(world.settings.lease / 2);
    assert_eq!(world.ledger.ended(call), None, "room may still be made");
    world.pass(world.settings.lease);
    assert_eq!(world.ledger.ended(call), Some(Ended::Failed));
    assert!(!world.ledger.is_begun(call));
    world.assert_reaches(place, proxy);
    world.end();
}

#[test]
fn a_call_is_forwarded_so_often_and_no_more() {
    let limits = Limits { nesting: 7, ..Limits::default() };
    let (mut world, place, proxy) = spiral(7, limits.clone());
    world.assert_reaches(place, proxy);
    world.end();
    let (mut world, place, proxy) = spiral(8, limits);
    world.assert_fails(place, proxy);
    world.end();
}
