//! A session lasts as long as frames arrive at both sides, or they reconnect in time. The holder's lease expires before the
//! owner's.

use std::time::Duration;

use super::super::lease::Reads;
use super::application::plain;
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair, ROUNDS, Side, TERM};
use crate::error::Outcome;
use crate::session::event::Cause;
use crate::session::tests::application::End;

/// The length of the grace period.
const GRACE: Duration = Duration::from_millis(1500);
const SECOND: Duration = Duration::from_secs(1);
const INSTANT: Duration = Duration::from_nanos(1);

/// Advances the time for one side only, and drops its output.
fn pass_alone(pair: &mut Pair, side: Side, duration: Duration) {
    let until = pair.now + duration;
    let mut rounds = 0;
    while pair.now < until {
        assert!(rounds < ROUNDS, "the timer fires without end");
        rounds += 1;
        let next = pair[side].poll_timeout().unwrap_or(until);
        assert!(next >= pair.now, "a due timer was handled");
        pair.now = next.max(pair.now + INSTANT).min(until);
        pair.wake(side);
    }
}

/// Lets one side receive frames from the other, but no acknowledgements, until its lease expires.
fn receive_without_acknowledgement(pair: &mut Pair, side: Side, step: Duration) {
    let begin = pair.now;
    while pair[side].closed().is_none() {
        assert!(pair.now < begin + 2 * TERM, "the lease never expires");
        pair.now += step;
        let now = pair.now;
        pair[side].handle_input(now, &[]);
        pair.wake(side);
    }
}

#[test]
fn an_idle_session_lasts() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    pair.pass(100 * TERM);
    assert_eq!((pair[Left].closed(), pair[Right].closed()), (None, None));
    assert_eq!(pair[Left].exports.count(object), 1);
}

#[test]
fn the_size_of_a_renewal_does_not_depend_on_the_references() {
    let mut sizes = Vec::new();
    for objects in [1, 1000] {
        let mut pair = Pair::new();
        for _ in 0..objects {
            pair.new_export(Left);
        }
        pair.pass(TERM / 3);
        pair.run_until_idle();
        pair.now += TERM / 3 + Duration::from_secs(1);
        pair.wake(Right);
        let now = pair.now;
        sizes.push(pair[Right].poll_transmit(now).expect("a renewal is due").len());
    }
    assert!(sizes[0] + 4 > sizes[1], "{sizes:?}: longer only by the digits of a number");
    assert!(sizes[1] < 32, "{sizes:?}");
}

#[test]
fn the_holder_expires_before_the_owner() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    pair.pass(Duration::from_millis(10));
    let connected_at = pair.now;
    let question = pair.ask(Right, DIRECTORY, plain(b"in progress"));
    pair.cut(&Side::BOTH);
    pass_alone(&mut pair, Right, TERM * 9 / 10 + GRACE);
    assert_eq!(pair[Right].closed(), Some(&Cause::Expired));
    let lost = pair.application(Right).ended.remove(&(question.0 as usize));
    assert!(matches!(lost, Some(End::Lost(_)) | None));
    pair.now = connected_at;
    pass_alone(&mut pair, Left, TERM * 9 / 10 - Duration::from_secs(1));
    assert_eq!(pair[Left].exports.count(object), 1, "the owner keeps it longer");
}

#[test]
fn a_call_in_progress_or_a_reference_makes_a_holder() {
    let holds: [fn(&mut Pair); 2] = [
        |pair| {
            pair.new_export(Left);
        },
        |pair| {
            pair.ask(Right, DIRECTORY, plain(b"in progress"));
        },
    ];
    for hold in holds {
        let mut pair = Pair::new();
        hold(&mut pair);
        pair.pass(SECOND);
        pair.cut(&Side::BOTH);
        pass_alone(&mut pair, Right, TERM * 9 / 10 + GRACE);
        assert_eq!(pair[Right].closed(), Some(&Cause::Expired));
    }
    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pass_alone(&mut pair, Right, TERM * 5 / 4);
    assert_eq!(pair[Right].closed(), None, "it holds nothing");
}

#[test]
fn a_side_that_holds_nothing_expires_as_an_owner() {
    let mut pair = Pair::new();
    pair.new_export(Left);
    pair.run_until_idle();
    // Left gets acknowledgements but no other input, so that it counts as an owner only.
    let begin = pair.now;
    pair.cut(&Side::BOTH);
    pair[Left].lease.confirm(begin + TERM);
    pass_alone(&mut pair, Left, TERM * 5 / 4 - Duration::from_millis(100));
    assert_eq!(pair[Left].closed(), None);
    pass_alone(&mut pair, Left, Duration::from_millis(100) + GRACE);
    assert_eq!(pair[Left].closed(), Some(&Cause::Expired));
    assert_eq!(pair[Left].export_count(), 0);
}

#[test]
fn a_stopped_owner_reads_before_it_expires() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    pair.run_until_idle();
    // Left is stopped, Right is not: its renewals wait in the pipe.
    let later = pair.now + 3 * TERM;
    pair[Left].lease.confirm(later);
    pair.now += TERM / 6;
    pair.wake(Right);
    pair.transmit(Right);
    pair.now += 2 * TERM;
    pair.wake(Left);
    assert_eq!(pair[Left].closed(), None, "it was late itself");
    assert!(!pair[Left].is_suspended(), "so that it reads before it drops the connection");
    pair.deliver(Left, usize::MAX);
    pair.now += GRACE;
    pair.wake(Left);
    assert_eq!(pair[Left].closed(), None);
    assert_eq!(pair[Left].exports.count(object), 1);
}

#[test]
fn a_stopped_side_that_holds_nothing_continues_to_answer() {
    let mut pair = Pair::new();
    let question = pair.ask(Right, DIRECTORY, plain(b""));
    pair.run_until_idle();
    pair.now += 2 * TERM;
    pair.wake(Left);
    pair.answer(Left, question, plain(b""));
    let now = pair.now;
    assert!(pair[Left].wants_transmit() && pair[Left].poll_transmit(now).is_some());
}

#[test]
fn nothing_ends_while_a_method_blocks_the_reader() {
    let mut pair = Pair::new();
    pair.new_export(Left);
    pair.now += 2 * TERM;
    let now = pair.now;
    pair[Left].handle_timeout(now, Reads::Blocked);
    pair.handle_events(Left);
    assert_eq!(pair[Left].closed(), None);
    assert!(!pair[Left].is_suspended());
}

#[test]
fn a_session_that_reconnects_in_time_continues() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    for _ in 0..10 {
        pair.ask(Right, DIRECTORY, plain(b"across the gap"));
        pair.transmit(Right);
        pair.cut(&Side::BOTH);
        for side in Side::BOTH {
            let now = pair.now;
            pass_alone(&mut pair, side, TERM / 2);
            pair.now = now;
        }
        pair.now += TERM / 2;
        pair.reconnect();
        pair.run_until_idle();
        assert_eq!(pair.application(Left).bodies(), [b"across the gap"]);
        assert_eq!(pair[Left].exports.count(object), 1);
    }
}

#[test]
fn a_suspended_session_has_nothing_to_write() {
    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pair.ask(Left, DIRECTORY, plain(b"waits"));
    assert!(!pair[Left].wants_transmit());
    let now = pair.now;
    assert_eq!(pair[Left].poll_transmit(now), None);
    pair.reconnect();
    pair.run_until_idle();
    assert_eq!(pair.application(Right).bodies(), [b"waits"]);
}

#[test]
fn unsent_calls_are_not_executed_when_the_lease_expires() {
    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pair.ask(Left, DIRECTORY, plain(b"never sent"));
    pass_alone(&mut pair, Left, 2 * TERM);
    let token = pair.last_token();
    assert_eq!(pair.application(Left).ended.remove(&token), Some(End::Lost(Outcome::NotExecuted)));
}

#[test]
fn the_peer_is_notified_of_the_expiry() {
    let mut pair = Pair::new();
    pair.new_export(Left);
    pair.run_until_idle();
    // None of Right's frames is acknowledged, though Left's input arrives.
    receive_without_acknowledgement(&mut pair, Right, TERM / 10);
    pair.transmit(Right);
    pair.now += TERM;
    pair.deliver(Left, usize::MAX);
    assert_eq!(pair[Left].closed(), Some(&Cause::Expired));
}

#[test]
fn an_expired_holder_keeps_its_exports_for_the_peer() {
    let mut pair = Pair::new();
    let object = pair.new_export(Left);
    pair.new_export(Right);
    pair.run_until_idle();
    let idle_since = pair.now;
    assert!(!pair[Left].is_done());
    // Left receives everything, and nothing that it sends arrives: its lease as a holder expires.
    receive_without_acknowledgement(&mut pair, Left, TERM / 10);
    assert!(pair.now >= idle_since + TERM * 9 / 10);
    assert_eq!(pair[Left].exports.count(object), 1);
    let last = pair.now;
    pass_alone(&mut pair, Left, TERM * 5 / 4 - INSTANT);
    assert_eq!(pair[Left].exports.count(object), 1, "Right may still rely on it");
    assert!(!pair[Left].is_done());
    pass_alone(&mut pair, Left, INSTANT);
    assert_eq!(pair[Left].export_count(), 0);
    assert!(pair[Left].is_done() && pair.now == last + TERM * 5 / 4);
}

#[test]
fn an_expired_side_keeps_no_exports_if_the_peer_has_expired_too() {
    let mut pair = Pair::new();
    pair.new_export(Left);
    pair.new_export(Right);
    let end = pair.now + pair[Left].export_lease_left(pair.now);
    pair.cut(&Side::BOTH);
    pair.now = end - GRACE;
    pair.wake(Left);
    assert_eq!(pair[Left].closed(), None, "it was late itself");
    pair.now = end;
    pair.wake(Left);
    assert_eq!(pair[Left].closed(), Some(&Cause::Expired));
    assert!(pair[Left].is_done() && pair[Left].export_count() == 0);
}

#[test]
fn a_resumption_without_a_reply_does_not_renew() {
    let mut pair = Pair::new();
    pair.new_export(Left);
    pair.run_until_idle();
    pair.cut(&Side::BOTH);
    pass_alone(&mut pair, Right, TERM / 2);
    // Right decides to resume; Left does not learn of it, and counts from Right's last input.
    let (now, arrived) = (pair.now, pair[Left].received());
    let left = pair[Right].lease_left(now);
    pair[Right].resume(now, None, arrived);
    pair.handle_events(Right);
    assert_eq!(pair[Right].lease_left(now), left);
    // Once Left answers, both continue.
    pair.reconnect();
    pair.run_until_idle();
    let now = pair.now;
    assert!(Side::BOTH.into_iter().all(|side| pair[side].lease_left(now) > TERM * 8 / 10));
}

#[test]
fn a_partition_shorter_than_the_lease_ends_nothing() {
    let mut pair = Pair::new();
    pair.new_export(Left);
    pair.pass(8 * SECOND);
    // Right gets an acknowledgement; Left got its last one eight seconds ago.
    pair.send_one_way(Right, DIRECTORY, plain(b""));
    pair.run_until_idle();
    pair.pass(SECOND);
    pair.run_until_idle();
    pair.cut(&Side::BOTH);
    pair.cut(&Side::BOTH); // Retransmitted frames are detected.
    pair.pass(19 * SECOND);
    assert!(pair[Right].lease_left(pair.now) > 6 * SECOND, "Right's references are valid");
    assert_eq!(pair[Right].closed(), None);
    assert_eq!(pair[Left].closed(), None, "and the objects still exist");
}

#[test]
fn a_stopped_holder_reads_before_it_expires() {
    let mut pair = Pair::new();
    pair.new_export(Left);
    pair.now += TERM / 3;
    pair.wake(Right);
    pair.transmit(Right);
    pair.now += SECOND / 1000;
    pair.deliver(Left, usize::MAX);
    pair.transmit(Left);
    // The acknowledgement waits in the pipe, and Right is stopped. With the acknowledgement the lease lasts until 37 s.
    pair.now += 6 * TERM / 10;
    let now = pair.now;
    pair.ask(Right, DIRECTORY, plain(b"while it does not know"));
    assert_eq!(pair[Right].poll_transmit(now), None, "nothing is sent to objects that may be gone");
    assert!(!pair[Right].wants_transmit());
    pair.wake(Right);
    assert_eq!(pair[Right].closed(), None, "it was late itself");
    pair.deliver(Right, usize::MAX);
    assert!(pair[Right].wants_transmit(), "the acknowledgement was read");
    pair.run_until_idle();
    assert_eq!(pair.application(Left).bodies(), [b"while it does not know"]);
}

#[test]
fn an_expiry_at_reconnection_is_sent_after_lost_frames() {
    let mut pair = Pair::new();
    let (_, shown) = (pair.new_export(Left), pair.new_export(Right));
    pair.run_until_idle();
    pair.ask(Right, DIRECTORY, plain(b"lost on its way"));
    pair.transmit(Right);
    pair.cut(&Side::BOTH);
    // Both were stopped, and handle the next connection before their timers fire.
    pair.now += 2 * TERM;
    pair.reconnect();
    assert_eq!(pair[Right].exports.count(shown), 1, "Left may not know the expiry yet");
    pair.run_until_idle();
    let causes = Side::BOTH.map(|side| pair[side].closed().cloned());
    assert_eq!(causes, [Some(Cause::Expired), Some(Cause::Expired)]);
}

#[test]
fn a_peer_that_never_acknowledges_expires_like_a_silent_one() {
    let mut pair = Pair::new();
    pair.new_export(Left);
    pair.run_until_idle();
    let begin = pair.now;
    receive_without_acknowledgement(&mut pair, Left, SECOND);
    assert!(pair.now >= begin + TERM * 5 / 4 && pair.now <= begin + TERM * 5 / 4 + 4 * SECOND);
    assert!(pair[Left].export_count() == 1, "Right may still rely on what it has");
}
