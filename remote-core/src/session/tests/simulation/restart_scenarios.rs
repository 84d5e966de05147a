//! Scenarios of processes that are killed, and of others that replace them.

use super::node::Receiver;
use super::script::MOMENT;
use super::world::World;

#[test]
fn g16_a_restarted_owner_is_another_node() {
    let mut world = World::plain(2);
    let proxy = world.look_up(1, 0);
    let old = world.published(0);
    let call = world.ask(1, proxy);
    world.replace(0);
    assert_eq!(world.published(0), old, "its objects have the same numbers");
    world.pass(MOMENT * 10);
    assert!(world.ledger.ended(call).is_some());
    // The ledger would detect a call that reaches the other object with this number.
    world.assert_fails(1, proxy);
    let again = world.look_up(1, 0);
    world.assert_reaches(1, again);
    world.assert_fails(1, proxy);
    world.end();
}

#[test]
fn g17_a_restarted_holder_inherits_nothing() {
    for dials in [0, 1] {
        let mut world = World::plain(2);
        world.look_up(dials, 1 - dials);
        let back = world.look_up(0, 1);
        let (object, _) = world.give_new(0, back, 1);
        world.replace(1);
        let proxy = world.look_up(1, 0);
        world.assert_reaches(1, proxy);
        assert_eq!(world.node(1).proxies.len(), 1, "only the one that it looked up");
        // A dialling node detects at once that it is another node; a listening one, when the lease expires.
        assert_eq!(world.has(0, object), dials == 1);
        world.pass(world.settings.lease * 13 / 10);
        assert!(!world.has(0, object));
        world.assert_reaches(1, proxy);
        world.end();
    }
}

#[test]
fn a_node_that_forwards_is_restarted() {
    let mut world = World::plain(3);
    (world.settings.hand_on, world.settings.introduce) = (0, 0);
    let (proxy, path) = (world.look_up(1, 0), world.look_up(1, 2));
    world.give(1, path, &[Receiver::Far(proxy)]);
    world.pass(MOMENT);
    let received = world.node(2).held[0];
    world.assert_reaches(2, received);
    world.replace(1);
    world.pass(world.settings.lease * 2);
    world.assert_fails(2, received);
    world.end();
}
