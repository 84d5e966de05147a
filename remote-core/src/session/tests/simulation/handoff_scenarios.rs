//! Scenarios of a hand-off between three nodes: 0 owns the object, 1 passes it on, 2 receives it.

use std::time::Duration;

use super::ledger::Ended;
use super::node::Receiver;
use super::script::MOMENT;
use super::world::{Settings, World};
use crate::limits::Limits;
use crate::wire::frame::Manner;

/// Makes three nodes. Node 1 holds the published object of node 0, and one of node 2. Node 2 has a session with node 0, or
/// not.
fn three(settings: Settings, knows_owner: bool) -> (World, usize, usize) {
    let mut world = World::with(3, settings);
    let (proxy, path) = (world.look_up(1, 0), world.look_up(1, 2));
    if knows_owner {
        let proxy = world.look_up(2, 0);
        world.drop_proxy(2, proxy);
        world.pass(MOMENT);
    }
    (world, proxy, path)
}

fn hand_on(world: &mut World, proxy: usize, path: usize) {
    world.give(1, path, &[Receiver::Far(proxy)]);
    world.drop_proxy(1, proxy);
}

#[test]
fn a_reference_that_is_passed_on_becomes_direct() {
    for knows_owner in [true, false] {
        let (mut world, proxy, path) = three(Settings::plain(), knows_owner);
        hand_on(&mut world, proxy, path);
        world.pass(MOMENT);
        let received = world.node(2).held[0];
        world.assert_reaches(2, received);
        assert_eq!(
            (world.tally.shortened, world.tally.forwarded),
            (1, 1),
            "the settle message is forwarded"
        );
        assert_eq!(
            world.node(1).table.len(),
            0,
            "the node that passed it on is not involved any more"
        );
        world.end();
    }
}

#[test]
fn a_reference_that_is_dropped_unclaimed_leaves_no_gift() {
    for introduce in [0, 100] {
        let settings = Settings { introduce, hand_on: 100 - introduce, ..Settings::plain() };
        let (mut world, proxy, path) = three(settings, true);
        // The claim does not arrive.
        world.withhold(2, 0);
        let object = world.published(0);
        hand_on(&mut world, proxy, path);
        world.pass(MOMENT);
        let received = world.node(2).held[0];
        world.unpublish(0);
        assert!(world.has(0, object), "it is referred to");
        world.drop_proxy(2, received);
        world.pass(MOMENT);
        assert!(!world.has(0, object), "the gift was withdrawn");
        world.heal(2, 0);
        world.end();
    }
}

#[test]
fn it_stays_forwarded_without_a_token_or_a_path_to_its_owner() {
    for introduce in [0, 100] {
        let settings = Settings { hand_on: 0, introduce, ..Settings::plain() };
        let (mut world, proxy, path) = three(settings, true);
        if introduce > 0 {
            world.withhold(2, 0);
        }
        hand_on(&mut world, proxy, path);
        // Longer than the timeout of the claim, shorter than the lease.
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
fn calls_keep_their_order_while_the_path_is_shortened() {
    // The ledger checks this, for a call at each step.
    let (mut world, proxy, path) = three(Settings::plain(), true);
    hand_on(&mut world, proxy, path);
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
fn g3_a_claim_after_its_timeout_leaves_no_holder() {
    let (mut world, proxy, path) = three(Settings::plain(), true);
    let object = world.published(0);
    world.withhold(2, 0);
    hand_on(&mut world, proxy, path);
    // Longer than a claim waits, shorter than the lease.
    world.pass(Duration::from_secs(11));
    let received = world.node(2).held[0];
    world.assert_reaches(2, received);
    assert_eq!(world.tally.shortened, 0, "it stays forwarded");
    world.drop_proxy(2, received);
    world.heal(2, 0);
    world.pass(world.settings.lease);
    assert_eq!(world.exported(0, 2, object), 0);
    world.end();
}

#[test]
fn g5_it_is_passed_on_and_dropped_before_the_owner_is_notified() {
    let (mut world, proxy, path) = three(Settings::plain(), true);
    world.withhold(1, 0);
    hand_on(&mut world, proxy, path);
    world.pass(MOMENT);
    assert_eq!(world.node(0).early_claims.len(), 1, "the claim arrived before the gift");
    let received = world.node(2).held[0];
    world.heal(1, 0);
    world.pass(MOMENT);
    world.assert_reaches(2, received);
    assert_eq!(world.tally.shortened, 1);
    world.end();
}

#[test]
fn g6_the_node_that_passed_it_on_is_killed_at_any_step() {
    let mut outcomes = [0, 0];
    for (knows_owner, hand) in [(true, 100), (false, 100), (true, 0), (false, 0)] {
        for steps in 0..40 {
            let settings = Settings { hand_on: hand, ..Settings::plain() };
            let (mut world, proxy, path) = three(settings, knows_owner);
            world.published(0);
            hand_on(&mut world, proxy, path);
            world.steps(steps);
            world.kill(1);
            world.pass(world.settings.lease / 2);
            // The reference works, or fails with an error, if it arrived at all.
            if let Some(received) = world.node(2).held.first().copied() {
                let call = world.ask(2, received);
                world.pass(world.settings.lease * 2);
                let ended = world.ledger.ended(call).expect("it has ended");
                outcomes[usize::from(ended == Ended::Answered)] += 1;
            }
            world.end();
        }
    }
    assert!(outcomes[0] > 0 && outcomes[1] > 0, "both cases occur: {outcomes:?}");
}

#[test]
fn g7_an_unclaimed_gift_expires() {
    for is_killed in [true, false] {
        let (mut world, proxy, path) = three(Settings::plain(), true);
        let object = world.published(0);
        world.node(0).published = None;
        world.withhold(1, 2);
        hand_on(&mut world, proxy, path);
        world.node(0).drop_holder(Receiver::Near(object));
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
fn g8_a_reference_passed_back_to_its_owner_is_near() {
    let (mut world, proxy, path) = three(Settings::plain(), true);
    let object = world.published(0);
    let before = world.exported(0, 1, object);
    world.give(1, proxy, &[Receiver::Far(proxy)]);
    world.pass(MOMENT);
    assert_eq!((world.node(0).roots.clone(), world.exported(0, 1, object)), (vec![object], before));
    // Through a third node that has not claimed it yet; then through one that has.
    world.withhold(1, 0);
    world.give(1, path, &[Receiver::Far(proxy)]);
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
    assert_eq!(world.node(0).proxies.len(), 0, "no proxy for a near object");
    assert_eq!(world.node(0).roots.len(), 3);
    world.end();
}

#[test]
fn g28_after_a_loss_at_any_step_all_three_settle() {
    for (knows_owner, hand) in [(true, 100), (false, 100), (true, 0), (false, 0)] {
        for pair in [[0, 1], [1, 2], [0, 2]] {
            for steps in 0..40 {
                let settings = Settings { hand_on: hand, ..Settings::plain() };
                let (mut world, proxy, path) = three(settings, knows_owner);
                hand_on(&mut world, proxy, path);
                world.steps(steps);
                world.cut_between(pair[0], pair[1], [steps % 2 == 0, steps % 3 == 0]);
                world.pass(world.settings.lease);
                let received = world.node(2).held[0];
                world.assert_reaches(2, received);
                assert!(world.nodes.iter().all(|node| node.waiters.is_empty()), "no call waits");
                world.end();
            }
        }
    }
}

/// Makes three nodes, each of which forwards for the next, repeatedly: after this many hops the last one holds the object
/// of node 0. Returns its place and its proxy.
fn spiral(hands: usize, limits: Limits) -> (World, usize, usize) {
    let settings = Settings { hand_on: 0, introduce: 0, limits, ..Settings::plain() };
    let mut world = World::with(3, settings);
    let paths = [0, 1, 2].map(|place| world.look_up(place, (place + 1) % 3));
    let object = world.node(0).new_object();
    let mut handed = Receiver::Near(object);
    let mut place = 0;
    for _ in 0..hands {
        world.give(place, paths[place], &[handed]);
        match handed {
            Receiver::Far(proxy) if proxy != paths[place] => world.drop_proxy(place, proxy),
            _ => world.node(0).drop_holder(handed),
        }
        world.pass(MOMENT);
        place = (place + 1) % 3;
        handed = Receiver::Far(*world.node(place).held.last().expect("it was handed on"));
    }
    let Receiver::Far(proxy) = handed else { panic!("it was passed to another node") };
    (world, place, proxy)
}

#[test]
fn a_call_that_fills_the_windows_on_its_own_path_fails() {
    let limits = Limits { window_bytes: 200_000, body: 65_000, ..Limits::default() };
    let (mut world, place, proxy) = spiral(13, limits);
    world.assert_reaches(place, proxy);
    let life = world.places[place];
    let call = world.call(life, proxy, Manner::Call, Vec::new(), 60_000);
    world.settle();
    world.pass(world.settings.lease / 2);
    assert_eq!(world.ledger.ended(call), None, "the window may still become free");
    world.pass(world.settings.lease);
    assert_eq!(world.ledger.ended(call), Some(Ended::Failed));
    assert!(!world.ledger.is_begun(call));
    world.assert_reaches(place, proxy);
    world.end();
}

#[test]
fn the_number_of_forwarding_hops_is_limited() {
    let limits = Limits { nesting: 7, ..Limits::default() };
    let (mut world, place, proxy) = spiral(7, limits.clone());
    world.assert_reaches(place, proxy);
    world.end();
    let (mut world, place, proxy) = spiral(8, limits);
    world.assert_fails(place, proxy);
    world.end();
}
