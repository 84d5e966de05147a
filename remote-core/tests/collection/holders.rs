//! Scenarios of holders: paused, killed, restarted, or dropping references while the same reference is in transit to
//! them.

use std::time::Instant;

use remote_core::Error;

use super::participant::Report;
use super::setup::{AT_ONCE, FREED, Participant, assert_expired, begin, inner, terms};
use super::support::address::Reserved;
use super::support::relay::Direction;
use super::support::{until, within};

/// G1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_dropped_while_it_is_in_transit_again_stays() {
    let (owner, holder) = (Participant::start().await, Participant::start().await);
    let relay = owner.behind_a_relay().await;
    within(holder.control.enter(&relay.uri("workshop"))).await.unwrap();
    within(holder.control.fetch(&relay.uri("workshop"), 1)).await.unwrap();
    let number = holder.ask(0).await.unwrap();
    for call in 0..5 {
        let both = holder.until("it has both", |report| report.sessions[0].1 == 2).await;
        relay.stall([Direction::ToClient]);
        let on_its_way = relay.taken(Direction::ToClient);
        let exchange =
            begin(&holder, move |control| async move { control.exchange(0, call).await });
        until("the answer is in transit", || relay.taken(Direction::ToClient) > on_its_way).await;
        within(holder.control.let_go()).await.unwrap();
        holder.until("its last proxy is gone", |report| report.sessions[0].1 == 1).await;
        // Frames keep their order: this message arrives after the release.
        within(holder.control.knock(1000 + call)).await.unwrap();
        owner.until("it has the release", |report| report.begun.contains(&(1000 + call))).await;
        assert_eq!(owner.report().await.alive, 1);
        relay.heal();
        within(exchange).await.unwrap().unwrap();
        assert_eq!(holder.ask(0).await, Ok(number));
        assert_eq!(holder.report().await.kept, both.kept, "the same, and once");
        assert_eq!(owner.report().await.exports, 2, "the thing and the workshop");
    }
    within(holder.control.let_go()).await.unwrap();
    owner.until("it is gone", |report| (report.alive, report.exports) == (0, 1)).await;
}

/// G10, a pause that is shorter than the lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_paused_for_half_a_term_notices_nothing() {
    let (owner, holder) = (Participant::start().await, Participant::start().await);
    within(holder.control.fetch(&owner.workshop(), 3)).await.unwrap();
    let numbers = holder.ask_all(3).await;
    let lingering = begin(&holder, |control| async move { control.linger(0, vec![1, 2]).await });
    owner.until_begun(2).await;
    holder.pause(terms(50)).await;
    within(owner.control.permit(2)).await.unwrap();
    assert_eq!(within(lingering).await.unwrap(), Ok(()));
    assert_eq!(holder.ask_all(3).await, numbers);
    let mut report = owner.report().await;
    report.begun.sort_unstable();
    assert_eq!(
        (report.alive, report.begun),
        (3, vec![1, 2]),
        "each once; they were sent by two tasks"
    );
    within(holder.control.let_go()).await.unwrap();
    owner.until_free(Instant::now(), AT_ONCE).await;
}

/// G10, a pause after which the lease has ended for the holder, and not yet for the owner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_paused_for_a_term_finds_its_references_ended() {
    let (owner, holder) = (Participant::start().await, Participant::start().await);
    within(holder.control.fetch(&owner.workshop(), 3)).await.unwrap();
    let numbers = holder.ask_all(3).await;
    let lingering = begin(&holder, |control| async move { control.linger(0, vec![1]).await });
    owner.until_begun(1).await;
    holder.pause(terms(100)).await;
    ended_and_found_again(&owner, &holder, &numbers).await;
    assert_expired(&within(lingering).await.unwrap());
    within(owner.control.permit(1)).await.unwrap();
    within(holder.control.let_go()).await.unwrap();
    owner.until_free(Instant::now(), FREED).await;
}

/// G10, a pause after which the lease has ended for both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_paused_for_three_terms_finds_its_references_ended_and_their_objects_freed() {
    let (owner, holder) = (Participant::start().await, Participant::start().await);
    within(holder.control.fetch(&owner.workshop(), 3)).await.unwrap();
    let numbers = holder.ask_all(3).await;
    let begun = Instant::now();
    holder.process.stop().await;
    owner.until_free(begun, FREED).await;
    tokio::time::sleep_until((begun + terms(300)).into()).await;
    holder.process.go_on();
    ended_and_found_again(&owner, &holder, &numbers).await;
    within(holder.control.let_go()).await.unwrap();
    owner.until_free(Instant::now(), FREED).await;
}

/// Asserts that the old references fail at once and permanently, and that a new lookup works.
async fn ended_and_found_again(owner: &Participant, holder: &Participant, old: &[u64]) {
    let begun = Instant::now();
    for place in 0..3 {
        assert_expired(&holder.ask(place).await);
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    within(holder.control.fetch(&owner.workshop(), 3)).await.unwrap();
    for place in 3..6 {
        let number = holder.ask(place).await.unwrap();
        assert!(!old.contains(&number), "an object came back");
    }
    assert_expired(&holder.ask(0).await);
}

/// G17, noticed by the owner, which had dialled the holder and finds another node at its address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_restarted_where_the_owner_connected_to_inherits_nothing() {
    let address = Reserved::new();
    let (owner, mut holder) = (Participant::start().await, Participant::start_at(&address).await);
    within(owner.control.fetch(&owner.workshop(), 3)).await.unwrap();
    within(owner.control.meet(&holder.shelf())).await.unwrap();
    for _ in 0..2 {
        within(owner.control.give()).await.unwrap();
    }
    holder.until("it holds them", |report| report.kept.len() == 2).await;
    assert!(holder.ask(0).await.is_ok() && holder.ask(1).await.is_ok());
    holder.process.kill();
    let killed = Instant::now();
    let next = Participant::start_at(&address).await;
    let freed = |report: &Report| (report.alive, report.exports) == (1, 0);
    owner.until("what the old one held is freed", freed).await;
    assert!(killed.elapsed() < FREED, "{:?}", killed.elapsed());
    let report = next.report().await;
    assert!(report.kept.is_empty(), "{report:?}");
    // The new node has none of the objects of the old one.
    assert_eq!(inner(within(owner.control.give()).await), Err(Error::Stale));
    assert!(next.report().await.kept.is_empty());
    let report = owner.report().await;
    assert!(report.sessions.iter().all(|(exports, _)| *exports == 0), "{report:?}");
}

/// G17, not noticed before the lease has ended: the holder had dialled the owner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_restarted_that_connects_again_inherits_nothing() {
    let address = Reserved::new();
    let (owner, mut holder) = (Participant::start().await, Participant::start_at(&address).await);
    within(holder.control.fetch(&owner.workshop(), 5)).await.unwrap();
    let old = holder.ask_all(5).await;
    holder.process.kill();
    let killed = Instant::now();
    let next = Participant::start_at(&address).await;
    within(next.control.fetch(&owner.workshop(), 2)).await.unwrap();
    let new = next.ask_all(2).await;
    assert!(new.iter().all(|number| !old.contains(number)));
    owner.until("what the old one held is freed", |report| report.alive == 2).await;
    assert!(killed.elapsed() < FREED, "{:?}", killed.elapsed());
    assert_eq!(next.ask_all(2).await, new, "the new one has its own lease");
    let report = owner.until("the old session is over", |report| report.sessions.len() == 1).await;
    assert_eq!((report.exports, report.sessions[0].0), (2, 2));
}

/// G18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_of_a_killed_holder_are_freed_in_time() {
    let (owner, mut holder, other) =
        (Participant::start().await, Participant::start().await, Participant::start().await);
    within(holder.control.fetch(&owner.workshop(), 1000)).await.unwrap();
    within(other.control.fetch(&owner.workshop(), 1)).await.unwrap();
    assert_eq!(owner.report().await.alive, 1001);
    holder.process.kill();
    let killed = Instant::now();
    owner.until("what it had is freed", |report| (report.alive, report.exports) == (1, 1)).await;
    assert!(killed.elapsed() < FREED, "{:?}", killed.elapsed());
    // The lease of another holder does not end.
    tokio::time::sleep_until((killed + terms(250)).into()).await;
    assert!(other.ask(0).await.is_ok());
    assert_eq!(owner.report().await.alive, 1);
}

/// G25
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_a_hundred_thousand_proxies_alive_exits_at_once() {
    let (owner, holder) = (Participant::start().await, Participant::start().await);
    within(holder.control.fetch(&owner.workshop(), 100_000)).await.unwrap();
    assert_eq!(owner.report().await.alive, 100_000);
    let begun = Instant::now();
    // The process ends before its answer is sent.
    let leaving = tokio::spawn(async move { holder.control.leave().await });
    let process = holder.process;
    assert!(within(tokio::task::spawn_blocking(|| process.join())).await.unwrap());
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    leaving.abort();
    owner.until_free(begun, FREED).await;
}
