//! Scenarios of many parties: a reference is passed on along a chain, or round a ring back to the owner.
//!
//! It must not know how a path is shortened, only that a shortened path needs no intermediate node.

use std::time::Instant;

use super::participant::Report;
use super::setup::{FREED, Participant};
use super::support::within;

const ROUNDS: usize = 3;

/// Returns true if nothing is left on a node that has only passed on references.
fn has_nothing(report: &Report) -> bool {
    report.exports == 0
        && report.kept.is_empty()
        && report.sessions.iter().all(|(_, imports)| *imports == 0)
}

/// Passes the object from one participant to the next, without a call on it.
async fn hand_on(giver: &Participant, receiver: &Participant) {
    within(giver.control.meet(&receiver.shelf())).await.unwrap();
    within(giver.control.give()).await.unwrap();
    receiver.until("it is received", |report| report.kept.len() == 1).await;
}

/// G8, by way of three others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_passed_round_a_ring_returns_as_the_original() {
    let owner = Participant::start().await;
    let ring = [Participant::start().await, Participant::start().await, Participant::start().await];
    within(ring[0].control.fetch(&owner.workshop(), 1)).await.unwrap();
    let number = ring[0].ask(0).await.unwrap();
    for step in 0..ROUNDS * ring.len() {
        let next = &ring[(step + 1) % ring.len()];
        hand_on(&ring[step % ring.len()], next).await;
        // In every other step the test does not wait until the path is shortened.
        if step % 2 == 0 {
            assert_eq!(next.ask(0).await, Ok(number));
        }
    }
    hand_on(&ring[0], &owner).await;
    let home = |report: &Report| report.kept[0].contains("near #");
    owner.until("it is the thing itself", home).await;
    assert_eq!(owner.ask(0).await, Ok(number));
    for participant in &ring {
        within(participant.control.let_go()).await.unwrap();
    }
    for participant in &ring {
        participant.until("nothing is left", has_nothing).await;
    }
    assert_eq!(owner.report().await.alive, 1);
    within(owner.control.let_go()).await.unwrap();
    owner.until_free(Instant::now(), FREED).await;
}

/// G5, passed on before the path of the giver is shortened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_handed_through_many_nodes_becomes_direct() {
    let owner = Participant::start().await;
    let mut chain =
        [Participant::start().await, Participant::start().await, Participant::start().await];
    let last = Participant::start().await;
    within(chain[0].control.fetch(&owner.workshop(), 1)).await.unwrap();
    let number = chain[0].ask(0).await.unwrap();
    for (giver, receiver) in chain.iter().zip(chain.iter().skip(1).chain([&last])) {
        hand_on(giver, receiver).await;
    }
    for participant in &chain {
        within(participant.control.let_go()).await.unwrap();
    }
    for participant in &chain {
        participant.until("nothing is left", has_nothing).await;
    }
    chain.iter_mut().for_each(|participant| participant.process.kill());
    assert_eq!(last.ask(0).await, Ok(number));
    within(last.control.let_go()).await.unwrap();
    owner.until_free(Instant::now(), FREED).await;
}
