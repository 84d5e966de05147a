//! A session lasts as long as both sides hear each other, or come back in time: the holder gives up before the owner does.

use std::time::Duration;

use super::super::lease::Reads;
use super::application::plain;
use super::pair::Side::{Left, Right};
use super::pair::{DIRECTORY, Pair, ROUNDS, Side, TERM};
use crate::error::Outcome;
use crate::session::event::Cause;
use crate::session::tests::application::End;

/// When a side that does not hear is past doubt.
const SWEEP: Duration = Duration::from_millis(1500);
const SECOND: Duration = Duration::from_secs(1);
const INSTANT: Duration = Duration::from_nanos(1);

/// Time passes for one side, and it says nothing.
fn pass_alone(pair: &mut Pair, side: Side, duration: Duration) {
    let until = pair.now + duration;
    let mut rounds = 0;
    while pair.now < until {
        assert!(rounds < ROUNDS, "its timer goes off again and again");
        rounds += 1;
        let next = pair[side].poll_timeout().unwrap_or(until);
        assert!(next >= pair.now, "what is due was seen to");
        pair.now = next.max(pair.now + INSTANT).min(until);
        pair.wake(side);
    }
}

/// One side goes on reads the other, but never that anything arrives there, until it gives up.
fn hear_in_vain(pair: &mut Pair, side: Side, step: Duration) {
    let begin = pair.now;
    while pair[side].closed().is_none() {
        assert!(pair.now < begin + 2 * TERM, "it never gives up");
        pair.now += step;
        let now = pair.now;
        pair[side].handle_input(now, &[]);
        pair.wake(side);
    }
}

#[test]
fn an_idle_session_lasts() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
    pair.pass(100 * TERM);
    assert_eq!((pair[Left].closed(), pair[Right].closed()), (None, None));
    assert_eq!(pair[Left].exports.count(object), 1);
}

#[test]
fn a_renewal_costs_the_same_however_much_is_held() {
    let mut sizes = Vec::new();
    for objects in [1, 1000] {
        let mut pair = Pair::new();
        for _ in 0..objects {
            pair.given(Left);
        }
        pair.pass(TERM / 3);
        pair.settle();
        pair.now += TERM / 3 + Duration::from_secs(1);
        pair.wake(Right);
        let now = pair.now;
        sizes.push(pair[Right].poll_transmit(now).expect("a renewal is due").len());
    }
    assert!(sizes[0] + 4 > sizes[1], "{sizes:?}: longer only by the digits of a number");
    assert!(sizes[1] < 32, "{sizes:?}");
}

#[test]
fn who_holds_gives_up_before_who_owns() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
    pair.pass(Duration::from_millis(10));
    let heard = pair.now;
    let question = pair.ask(Right, DIRECTORY, plain(b"in progress"));
    pair.cut(&Side::BOTH);
    pass_alone(&mut pair, Right, TERM * 9 / 10 + SWEEP);
    assert_eq!(pair[Right].closed(), Some(&Cause::Expired));
    let lost = pair.seen(Right).ended.remove(&(question.0 as usize));
    assert!(matches!(lost, Some(End::Lost(_)) | None));
    pair.now = heard;
    pass_alone(&mut pair, Left, TERM * 9 / 10 - Duration::from_secs(1));
    assert_eq!(pair[Left].exports.count(object), 1, "the owner keeps it longer");
}

#[test]
fn who_awaits_an_answer_relies_on_the_peer_and_so_does_who_has_a_reference() {
    let holds: [fn(&mut Pair); 2] = [
        |pair| {
            pair.given(Left);
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
        pass_alone(&mut pair, Right, TERM * 9 / 10 + SWEEP);
        assert_eq!(pair[Right].closed(), Some(&Cause::Expired));
    }
    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pass_alone(&mut pair, Right, TERM * 5 / 4);
    assert_eq!(pair[Right].closed(), None, "it relies on nothing");
}

#[test]
fn who_holds_nothing_waits_longer_and_frees_all() {
    let mut pair = Pair::new();
    pair.given(Left);
    pair.settle();
    // Left goes on reads that what it sends arrives, but is sent nothing else: so it counts as the owner alone.
    let begin = pair.now;
    pair.cut(&Side::BOTH);
    pair[Left].lease.confirm(begin + TERM);
    pass_alone(&mut pair, Left, TERM * 5 / 4 - Duration::from_millis(100));
    assert_eq!(pair[Left].closed(), None);
    pass_alone(&mut pair, Left, Duration::from_millis(100) + SWEEP);
    assert_eq!(pair[Left].closed(), Some(&Cause::Expired));
    assert_eq!(pair[Left].export_count(), 0);
}

#[test]
fn who_was_stopped_hears_what_waits_before_it_lets_go() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
    pair.settle();
    // Left is stopped, not Right: its renewals wait in the pipe.
    let later = pair.now + 3 * TERM;
    pair[Left].lease.confirm(later);
    pair.now += TERM / 6;
    pair.wake(Right);
    pair.transmit(Right);
    pair.now += 2 * TERM;
    pair.wake(Left);
    assert_eq!(pair[Left].closed(), None, "it was late itself");
    assert!(!pair[Left].is_suspended(), "and so reads before it drops the connection");
    pair.deliver(Left, usize::MAX);
    pair.now += SWEEP;
    pair.wake(Left);
    assert_eq!(pair[Left].closed(), None);
    assert_eq!(pair[Left].exports.count(object), 1);
}

#[test]
fn who_was_stopped_and_relies_on_nothing_goes_on_answering() {
    let mut pair = Pair::new();
    let question = pair.ask(Right, DIRECTORY, plain(b""));
    pair.settle();
    pair.now += 2 * TERM;
    pair.wake(Left);
    pair.answer(Left, question, plain(b""));
    let now = pair.now;
    assert!(pair[Left].wants_transmit() && pair[Left].poll_transmit(now).is_some());
}

#[test]
fn nothing_ends_while_a_method_blocks_the_reader() {
    let mut pair = Pair::new();
    pair.given(Left);
    pair.now += 2 * TERM;
    let now = pair.now;
    pair[Left].handle_timeout(now, Reads::Blocked);
    pair.note(Left);
    assert_eq!(pair[Left].closed(), None);
    assert!(!pair[Left].is_suspended());
}

#[test]
fn a_session_that_comes_back_in_time_goes_on() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
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
        pair.settle();
        assert_eq!(pair.seen(Left).bodies(), [b"across the gap"]);
        assert_eq!(pair[Left].exports.count(object), 1);
    }
}

#[test]
fn who_has_no_connection_is_not_asked_to_write() {
    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pair.ask(Left, DIRECTORY, plain(b"waits"));
    assert!(!pair[Left].wants_transmit());
    let now = pair.now;
    assert_eq!(pair[Left].poll_transmit(now), None);
    pair.reconnect();
    pair.settle();
    assert_eq!(pair.seen(Right).bodies(), [b"waits"]);
}

#[test]
fn what_was_not_sent_before_the_end_was_not_executed() {
    let mut pair = Pair::new();
    pair.cut(&Side::BOTH);
    pair.ask(Left, DIRECTORY, plain(b"never sent"));
    pass_alone(&mut pair, Left, 2 * TERM);
    let token = pair.last_token();
    assert_eq!(pair.seen(Left).ended.remove(&token), Some(End::Lost(Outcome::NotExecuted)));
}

#[test]
fn a_peer_that_can_still_be_told_is_told() {
    let mut pair = Pair::new();
    pair.given(Left);
    pair.settle();
    // Nothing of what Right says is acknowledged, though Left is heard.
    hear_in_vain(&mut pair, Right, TERM / 10);
    pair.transmit(Right);
    pair.now += TERM;
    pair.deliver(Left, usize::MAX);
    assert_eq!(pair[Left].closed(), Some(&Cause::Expired));
}

#[test]
fn who_gives_up_keeps_what_the_other_may_rely_on() {
    let mut pair = Pair::new();
    let object = pair.given(Left);
    pair.given(Right);
    pair.settle();
    let heard = pair.now;
    assert!(!pair[Left].is_done());
    // Left hears everything, and nothing of what it says arrives: it gives up what it holds of Right's.
    hear_in_vain(&mut pair, Left, TERM / 10);
    assert!(pair.now >= heard + TERM * 9 / 10);
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
fn who_gives_up_when_the_other_may_not_rely_on_it_either_keeps_nothing() {
    let mut pair = Pair::new();
    pair.given(Left);
    pair.given(Right);
    let end = pair.now + pair[Left].kept_for(pair.now);
    pair.cut(&Side::BOTH);
    pair.now = end - SWEEP;
    pair.wake(Left);
    assert_eq!(pair[Left].closed(), None, "it was late itself");
    pair.now = end;
    pair.wake(Left);
    assert_eq!(pair[Left].closed(), Some(&Cause::Expired));
    assert!(pair[Left].is_done() && pair[Left].export_count() == 0);
}

#[test]
fn a_resumption_that_the_peer_may_not_have_learned_of_renews_nothing() {
    let mut pair = Pair::new();
    pair.given(Left);
    pair.settle();
    pair.cut(&Side::BOTH);
    pass_alone(&mut pair, Right, TERM / 2);
    // Right decides that the session goes on; Left never hears of it, and counts from when it heard Right last.
    let (now, arrived) = (pair.now, pair[Left].received());
    let left = pair[Right].lease_left(now);
    pair[Right].resume(now, None, arrived);
    pair.note(Right);
    assert_eq!(pair[Right].lease_left(now), left);
    // Once it answers, all is well.
    pair.reconnect();
    pair.settle();
    let now = pair.now;
    assert!(Side::BOTH.into_iter().all(|side| pair[side].lease_left(now) > TERM * 8 / 10));
}

#[test]
fn a_partition_shorter_than_both_leases_ends_nothing() {
    let mut pair = Pair::new();
    pair.given(Left);
    pair.pass(8 * SECOND);
    // Right learns that it is heard; Left last learned that eight seconds ago.
    pair.tell(Right, DIRECTORY, plain(b""));
    pair.settle();
    pair.pass(SECOND);
    pair.settle();
    pair.cut(&Side::BOTH);
    pair.cut(&Side::BOTH); // What is said twice is known.
    pair.pass(19 * SECOND);
    assert!(pair[Right].lease_left(pair.now) > 6 * SECOND, "Right's references are good");
    assert_eq!(pair[Right].closed(), None);
    assert_eq!(pair[Left].closed(), None, "and can be asked for again");
}

#[test]
fn who_was_stopped_as_a_holder_hears_what_waits_before_it_lets_go() {
    let mut pair = Pair::new();
    pair.given(Left);
    pair.now += TERM / 3;
    pair.wake(Right);
    pair.transmit(Right);
    pair.now += SECOND / 1000;
    pair.deliver(Left, usize::MAX);
    pair.transmit(Left);
    // The acknowledgement waits in the pipe, and Right is stopped. By it the lease runs until 37 s.
    pair.now += 6 * TERM / 10;
    let now = pair.now;
    pair.ask(Right, DIRECTORY, plain(b"while it does not know"));
    assert_eq!(pair[Right].poll_transmit(now), None, "nothing is asked of what may be gone");
    assert!(!pair[Right].wants_transmit());
    pair.wake(Right);
    assert_eq!(pair[Right].closed(), None, "it was late itself");
    pair.deliver(Right, usize::MAX);
    assert!(pair[Right].wants_transmit(), "now it knows");
    pair.settle();
    assert_eq!(pair.seen(Left).bodies(), [b"while it does not know"]);
}

#[test]
fn who_comes_back_too_late_says_so_after_what_was_lost() {
    let mut pair = Pair::new();
    let (_, shown) = (pair.given(Left), pair.given(Right));
    pair.settle();
    pair.ask(Right, DIRECTORY, plain(b"lost on its way"));
    pair.transmit(Right);
    pair.cut(&Side::BOTH);
    // Both were stopped, and hear of the next connection before their timers go off.
    pair.now += 2 * TERM;
    pair.reconnect();
    assert_eq!(pair[Right].exports.count(shown), 1, "Left may not know yet that it is over");
    pair.settle();
    let causes = Side::BOTH.map(|side| pair[side].closed().cloned());
    assert_eq!(causes, [Some(Cause::Expired), Some(Cause::Expired)]);
}

#[test]
fn who_is_heard_and_never_acknowledges_is_waited_for_no_longer_than_one_who_is_silent() {
    let mut pair = Pair::new();
    pair.given(Left);
    pair.settle();
    let begin = pair.now;
    hear_in_vain(&mut pair, Left, SECOND);
    assert!(pair.now >= begin + TERM * 5 / 4 && pair.now <= begin + TERM * 5 / 4 + 4 * SECOND);
    assert!(pair[Left].export_count() == 1, "Right may still rely on what it has");
}
