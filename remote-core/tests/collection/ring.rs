//! Owns the scenarios of many parties: each hands the next what belongs to one of them, down a chain, or round a ring and home.
//!
//! It must not know how a path is shortened: only that nobody on it is needed when it is.

use std::time::Instant;

use super::actor::Report;
use super::stage::{Actor, FREED};
use super::support::within;

const ROUNDS: usize = 3;

/// Whether everything has gone from a node that only handed on.
fn has_nothing(report: &Report) -> bool {
    report.exports == 0
        && report.kept.is_empty()
        && report.sessions.iter().all(|(_, imports)| *imports == 0)
}

/// One who has the thing hands it to the next, and asks nothing of anybody.
async fn hand_on(giver: &Actor, receiver: &Actor) {
    within(giver.part.meet(&receiver.shelf())).await.unwrap();
    within(giver.part.give()).await.unwrap();
    receiver.until("it is received", |report| report.kept.len() == 1).await;
}

/// G8, by way of three others
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_round_a_ring_comes_home_as_itself_and_leaves_nothing_behind() {
    let owner = Actor::start().await;
    let ring = [Actor::start().await, Actor::start().await, Actor::start().await];
    within(ring[0].part.fetch(&owner.workshop(), 1)).await.unwrap();
    let number = ring[0].ask(0).await.unwrap();
    for step in 0..ROUNDS * ring.len() {
        let next = &ring[(step + 1) % ring.len()];
        hand_on(&ring[step % ring.len()], next).await;
        // Every other time nobody waits for the path to be short.
        if step % 2 == 0 {
            assert_eq!(next.ask(0).await, Ok(number));
        }
    }
    hand_on(&ring[0], &owner).await;
    let home = |report: &Report| report.kept[0].contains("near #");
    owner.until("it is the thing itself", home).await;
    assert_eq!(owner.ask(0).await, Ok(number));
    for actor in &ring {
        within(actor.part.let_go()).await.unwrap();
    }
    for actor in &ring {
        actor.until("nothing is left", has_nothing).await;
    }
    assert_eq!(owner.report().await.alive, 1);
    within(owner.part.let_go()).await.unwrap();
    owner.until_free(Instant::now(), FREED).await;
}

/// G5, handed on before the path of who hands it on is short
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_handed_on_at_once_from_one_to_the_next_needs_none_of_them_in_the_end() {
    let owner = Actor::start().await;
    let mut chain = [Actor::start().await, Actor::start().await, Actor::start().await];
    let last = Actor::start().await;
    within(chain[0].part.fetch(&owner.workshop(), 1)).await.unwrap();
    let number = chain[0].ask(0).await.unwrap();
    for (giver, receiver) in chain.iter().zip(chain.iter().skip(1).chain([&last])) {
        hand_on(giver, receiver).await;
    }
    for actor in &chain {
        within(actor.part.let_go()).await.unwrap();
    }
    for actor in &chain {
        actor.until("nothing is left", has_nothing).await;
    }
    chain.iter_mut().for_each(|actor| actor.process.kill());
    assert_eq!(last.ask(0).await, Ok(number));
    within(last.part.let_go()).await.unwrap();
    owner.until_free(Instant::now(), FREED).await;
}
