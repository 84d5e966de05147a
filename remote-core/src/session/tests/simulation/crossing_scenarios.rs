//! Scenarios of messages that cross in transit, are repeated, or arrive in bursts. The letters of all scenarios are those
//! of TESTING.md.

use std::time::{Duration, Instant};

use super::super::pair::{DIRECTORY, TERM, epoch, header};
use super::ledger::Ended;
use super::link::Waits;
use super::node::Receiver;
use super::script::MOMENT;
use super::world::{Settings, World};
use crate::id::{CallToken, NameId, ObjectId};
use crate::limits::Limits;
use crate::session::event::Event;
use crate::session::{self, OutgoingCall, Session};
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::Manner;
use crate::wire::hello::Grant;

#[test]
fn g1_the_last_proxy_is_dropped_while_the_object_is_introduced_again() {
    let mut world = World::plain(2);
    let (object, proxy) = (world.published(0), world.look_up(1, 0));
    world.withhold(0, 1);
    world.ask_for(1, 0);
    world.pass(MOMENT);
    assert_eq!(world.exported(0, 1, object), 2, "another introduction is in transit");
    world.drop_proxy(1, proxy);
    world.pass(MOMENT);
    assert_eq!(
        world.exported(0, 1, object),
        1,
        "the release does not count for the second introduction"
    );
    world.heal(0, 1);
    world.pass(MOMENT);
    let proxy = world.node(1).held[0];
    world.assert_reaches(1, proxy);
    assert_eq!(world.node(0).table.len(), 1);
    world.end();
}

#[test]
fn g2_a_release_arrives_after_the_object_was_introduced_again() {
    let mut world = World::plain(2);
    let (object, proxy) = (world.published(0), world.look_up(1, 0));
    let back = world.look_up(0, 1);
    world.withhold(1, 0);
    world.drop_proxy(1, proxy);
    world.pass(MOMENT);
    world.give(0, back, &[Receiver::Near(object)]);
    world.pass(MOMENT);
    let proxy = world.node(1).held[0];
    assert_eq!(world.exported(0, 1, object), 2);
    world.heal(1, 0);
    world.pass(MOMENT);
    assert_eq!(world.exported(0, 1, object), 1);
    world.assert_reaches(1, proxy);
    world.end();
}

/// Runs a session with some of each kind of message, in which the connection is lost this often. Returns the tables in
/// between.
fn mixed_session(repeats: usize, cuts: usize) -> Vec<(usize, usize, u64)> {
    let settings = Settings { repeats, splits: repeats.min(50), ..Settings::plain() };
    let mut world = World::with(3, settings);
    let (proxy, back) = (world.look_up(1, 0), world.look_up(0, 1));
    world.look_up(2, 1);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (object, received) = world.give_new(0, back, 1);
        world.give(1, proxy, &[Receiver::Far(received)]);
        world.ask_for(1, 0);
        for _ in 0..cuts {
            world.cut_between(0, 1, [true, true]);
            world.pass(MOMENT);
        }
        world.pass(Duration::from_secs(40));
        let dropped = world.node(1).held[0];
        seen.push((
            world.node(0).table.len(),
            world.node(1).held.len(),
            world.exported(0, 1, object),
        ));
        if dropped != proxy {
            world.drop_proxy(1, dropped);
        }
    }
    world.end();
    seen
}

#[test]
fn g4_repeated_frames_have_no_effect() {
    let once = mixed_session(0, 0);
    for repeats in [100, 200, 300] {
        assert_eq!(mixed_session(repeats, 0), once);
    }
    for cuts in 1..=3 {
        assert_eq!(mixed_session(0, cuts), once, "retransmitted after {cuts} losses");
        assert_eq!(mixed_session(300, cuts), once);
    }
}

#[test]
fn g19_calls_in_progress_at_a_lost_connection_are_executed_once() {
    for notices in [[true, true], [true, false], [false, true], [false, false]] {
        let mut world = World::with(2, Settings { quick: 50, ..Settings::plain() });
        let (proxy, back) = (world.look_up(1, 0), world.look_up(0, 1));
        let mut calls = Vec::new();
        for round in 0..40 {
            calls.extend([world.ask(1, proxy), world.ask(0, back)]);
            world.call(world.places[1], proxy, Manner::OneWay, Vec::new(), 40_000);
            world.steps(round % 7);
            if round % 4 == 0 {
                world.cut_between(0, 1, notices);
            }
            world.pass(MOMENT);
        }
        world.pass(Duration::from_secs(60));
        world.end();
        assert!(calls.iter().all(|call| world.ledger.ended(*call) == Some(Ended::Answered)));
        assert_eq!((world.tally.executed, world.tally.ended), (120, 0));
        assert!(world.tally.resumed >= 2);
    }
}

#[test]
fn g20_both_sides_dial_at_once_and_have_one_session() {
    for late in 0..12 {
        let mut world = World::plain(2);
        world.ask_for(0, 1);
        world.pass(Duration::from_micros(500) * late);
        world.ask_for(1, 0);
        world.pass(MOMENT);
        let (one, other) = (world.link(0, 1), world.link(1, 0));
        let secrets = [one, other].map(|at| world.nodes[at.life].links[at.link].secret);
        assert_eq!(secrets[0], secrets[1]);
        assert_eq!([0, 1].map(|life| world.nodes[life].links.len()), [1, 1]);
        let held = [0, 1].map(|place| world.node(place).held.clone());
        held.iter().enumerate().for_each(|(place, held)| world.assert_reaches(place, held[0]));
        world.end();
    }
}

#[test]
fn g23_two_nodes_release_an_object_that_a_third_receives() {
    for late in 0..20 {
        let mut world = World::plain(4);
        let backs = [1, 2, 3].map(|place| world.look_up(0, place));
        let (object, first) = world.give_new(0, backs[0], 1);
        world.give(0, backs[1], &[Receiver::Near(object)]);
        world.pass(MOMENT);
        let second = world.node(2).held[0];
        // At any position among the releases: as long as it can be sent, the object exists.
        world.drop_proxy(1, first);
        world.drop_proxy(2, second);
        world.steps(late);
        if world.has(0, object) {
            world.give(0, backs[2], &[Receiver::Near(object)]);
            world.pass(MOMENT);
            let third = world.node(3).held[0];
            world.assert_reaches(3, third);
        }
        world.end();
    }
}

/// Transfers all output of one session to the other. Returns the number of writes, and of bytes.
fn carry(from: &mut Session, to: &mut Session, now: Instant) -> (usize, usize) {
    let (mut writes, mut arrived) = (0, Vec::new());
    while let Some(block) = from.poll_transmit(now) {
        writes += 1;
        arrived.extend_from_slice(&block);
    }
    assert_eq!(to.handle_input(now, &arrived), arrived.len());
    (writes, arrived.len())
}

#[test]
fn g25_a_hundred_thousand_proxies_are_dropped_at_once() {
    const OBJECTS: u64 = 100_000;
    let (now, limits) = (epoch(), Limits::default());
    let [mut owner, mut holder] = [(); 2].map(|()| {
        let (limits, granted, term) = (limits.clone(), Grant::of(&limits), TERM);
        Session::new(session::Settings { limits, granted, term }, now)
    });
    for first in (1..=OBJECTS).step_by(1000) {
        let introduce = |object| {
            let object = ObjectId(object);
            owner.introduce(object).expect("there is room");
            Descriptor::Mine { object, interface: NameId::NONE }
        };
        let references = (first..first + 1000).map(introduce).collect();
        let content = Content { references, ..Content::default() };
        let (token, target) = (CallToken(0), DIRECTORY);
        let ask = OutgoingCall { token, target, header: header(Manner::OneWay, 1), content };
        owner.ask(Some(now), ask).expect("there is room");
        carry(&mut owner, &mut holder, now);
    }
    assert_eq!((owner.export_count(), holder.import_count()), (100_000, 100_000));
    (1..=OBJECTS).for_each(|object| holder.release(ObjectId(object)));
    let (writes, bytes) = carry(&mut holder, &mut owner, now);
    assert_eq!((owner.export_count(), holder.import_count()), (0, 0));
    let gone = std::iter::from_fn(|| owner.poll_event());
    assert_eq!(gone.filter(|event| matches!(event, Event::Unexported { .. })).count(), 100_000);
    assert!(writes <= 2 && bytes < 16 * OBJECTS as usize, "{writes} writes of {bytes} bytes");
}

#[test]
fn g26_references_in_a_message_that_is_not_decoded_are_released_once() {
    let mut world = World::with(3, Settings { keeps: 0, ..Settings::plain() });
    let lookup = |world: &mut World, place: usize, other: usize| {
        world.settings.keeps = 100;
        let proxy = world.look_up(place, other);
        world.settings.keeps = 0;
        proxy
    };
    let (proxy, third) = (lookup(&mut world, 1, 0), lookup(&mut world, 1, 2));
    for _ in 0..10 {
        let objects = [(); 5].map(|()| Receiver::Near(world.node(1).new_object()));
        let references = [objects.as_slice(), &[Receiver::Far(third), objects[0]]].concat();
        world.give(1, proxy, &references);
        objects.iter().for_each(|object| world.node(1).drop_holder(*object));
        world.pass(MOMENT);
        // A second release would be a breach, which ends the session.
        assert_eq!(world.node(0).proxies.len(), 0);
    }
    world.pass(Duration::from_secs(60));
    assert_eq!((world.node(1).table.len(), world.tally.ended), (0, 0));
    world.end();
}

#[test]
fn a_connect_request_that_cannot_succeed_ends() {
    let mut world = World::plain(2);
    world.kill(1);
    world.request_session(0, 1, None, Waits::Lookup);
    world.pass(MOMENT);
    assert_eq!(world.node(0).session_requests, []);
    world.end();
}
