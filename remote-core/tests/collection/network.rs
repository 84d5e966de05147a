//! Scenarios of the network between holder and owner: partitioned in both directions or one, for less or more than the
//! lease, and connections lost with calls in progress.

use std::collections::HashSet;
use std::time::Instant;

use super::participant::Report;
use super::setup::{AT_ONCE, ENDED, FREED, Participant, assert_expired, begin, terms};
use super::support::relay::{BOTH, Direction, Relay};
use super::support::{until, within};

/// An owner, a holder of three of its objects, and the network between them.
struct Scene {
    owner: Participant,
    relay: Relay,
    holder: Participant,
    /// The numbers of the objects.
    numbers: Vec<u64>,
}

impl Scene {
    async fn start() -> Scene {
        let (owner, holder) = (Participant::start().await, Participant::start().await);
        let relay = owner.behind_a_relay().await;
        within(holder.control.fetch(&relay.uri("workshop"), 3)).await.unwrap();
        let numbers = holder.ask_all(3).await;
        Scene { owner, relay, holder, numbers }
    }

    /// Asserts that the references work as before, and that each of these calls ran once.
    async fn goes_on(&self, calls: std::ops::RangeInclusive<u64>) {
        assert_eq!(self.holder.ask_all(3).await, self.numbers, "without a new lookup");
        let report = self.owner.report().await;
        let distinct: HashSet<_> = report.begun.iter().copied().collect();
        assert_eq!(distinct.len(), report.begun.len(), "a call ran twice");
        assert_eq!(distinct, calls.collect(), "each ran");
        assert_eq!((report.alive, report.sessions.len()), (3, 1));
        within(self.holder.control.let_go()).await.unwrap();
        self.owner.until_free(Instant::now(), AT_ONCE).await;
        let holds_nothing = |report: &Report| report.sessions == [(0, 0)];
        self.holder.until("nothing is left at the holder", holds_nothing).await;
    }
}

/// A kind of partition, and its directions.
type Partition = (fn(&Relay, &[Direction]), &'static [Direction]);

const EVERY_WAY: [&[Direction]; 3] = [&BOTH, &[Direction::ToServer], &[Direction::ToClient]];

fn stall(relay: &Relay, directions: &[Direction]) {
    relay.stall(directions.iter().copied());
}

fn lose(relay: &Relay, directions: &[Direction]) {
    relay.lose(directions.iter().copied());
}

/// G14
async fn partitioned_for_half_a_term((partition, directions): Partition) {
    let scene = Scene::start().await;
    let lingering = begin(&scene.holder, |control| async move { control.linger(0, vec![1]).await });
    scene.owner.until_begun(1).await;
    partition(&scene.relay, directions);
    let begun = Instant::now();
    let calls =
        begin(&scene.holder, |control| async move { control.note(1, (2..=50).collect()).await });
    within(scene.owner.control.permit(1)).await.unwrap();
    tokio::time::sleep_until((begun + terms(50)).into()).await;
    scene.relay.heal();
    assert_eq!(within(calls).await.unwrap(), Ok(()), "{directions:?}");
    assert_eq!(within(lingering).await.unwrap(), Ok(()), "{directions:?}");
    scene.goes_on(1..=50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_stalls_for_half_a_term_is_a_pause() {
    let [both, there, back] =
        EVERY_WAY.map(|directions| partitioned_for_half_a_term((stall, directions)));
    tokio::join!(both, there, back);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_loses_everything_for_half_a_term_is_a_pause() {
    let [both, there, back] =
        EVERY_WAY.map(|directions| partitioned_for_half_a_term((lose, directions)));
    tokio::join!(both, there, back);
}

/// G15
async fn partitioned_for_longer_than_the_lease((partition, directions): Partition) {
    let scene = Scene::start().await;
    let lingering = begin(&scene.holder, |control| async move { control.linger(0, vec![1]).await });
    scene.owner.until_begun(1).await;
    within(scene.owner.control.permit(1)).await.unwrap();
    within(lingering).await.unwrap().unwrap();
    partition(&scene.relay, directions);
    let begun = Instant::now();
    assert_expired(&scene.holder.ask(0).await);
    let taken = begun.elapsed();
    assert!(taken > terms(50) && taken < ENDED, "{directions:?}: {taken:?}");
    if directions.contains(&Direction::ToServer) {
        assert_eq!(scene.owner.report().await.alive, 3, "nobody notified the owner");
    }
    // The owner receives the keepalives of the holder until the holder drops the connection.
    let kept_alive = if directions == [Direction::ToClient] { terms(50) } else { terms(0) };
    scene.owner.until_free(begun, kept_alive + FREED).await;
    for place in 0..3 {
        assert_expired(&scene.holder.ask(place).await);
    }
    scene.relay.heal();
    within(scene.holder.control.fetch(&scene.relay.uri("workshop"), 1)).await.unwrap();
    assert!(!scene.numbers.contains(&scene.holder.ask(3).await.unwrap()));
    assert_expired(&scene.holder.ask(0).await);
    let only_new = |report: &Report| (report.alive, report.sessions.len()) == (1, 1);
    scene.owner.until("there is only what is new", only_new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_stalls_for_longer_than_the_lease_ends_references_and_frees_objects() {
    let [both, there, back] =
        EVERY_WAY.map(|directions| partitioned_for_longer_than_the_lease((stall, directions)));
    tokio::join!(both, there, back);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_loses_everything_for_longer_than_the_lease_does_the_same() {
    let [both, there, back] =
        EVERY_WAY.map(|directions| partitioned_for_longer_than_the_lease((lose, directions)));
    tokio::join!(both, there, back);
}

/// G19: the connection is lost with calls in progress, with answers in transit, and with calls in transit.
async fn connection_lost(lose: impl AsyncFnOnce(&Relay)) {
    let scene = Scene::start().await;
    let lingering =
        begin(&scene.holder, |control| async move { control.linger(0, (1..=50).collect()).await });
    scene.owner.until_begun(50).await;
    scene.relay.stall([Direction::ToClient]);
    let on_their_way = scene.relay.taken(Direction::ToClient);
    within(scene.owner.control.permit(25)).await.unwrap();
    scene.owner.until("half of them have ended", |report| report.ended.len() == 25).await;
    until("the answers are in transit", || scene.relay.taken(Direction::ToClient) > on_their_way)
        .await;
    scene.relay.stall([Direction::ToServer]);
    let on_their_way = scene.relay.taken(Direction::ToServer);
    let notes =
        begin(&scene.holder, |control| async move { control.note(1, (51..=150).collect()).await });
    // More than a keepalive.
    let sent = || scene.relay.taken(Direction::ToServer) > on_their_way + 1000;
    until("the calls are in transit", sent).await;
    lose(&scene.relay).await;
    scene.relay.heal();
    assert_eq!(within(notes).await.unwrap(), Ok(()));
    within(scene.owner.control.permit(25)).await.unwrap();
    assert_eq!(within(lingering).await.unwrap(), Ok(()));
    assert!(scene.relay.connections() > 1, "it was lost");
    scene.goes_on(1..=150).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_runs_once_when_the_connection_is_cut() {
    connection_lost(async |relay| relay.cut()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_runs_once_when_the_connection_is_reset() {
    connection_lost(async |relay| relay.reset()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_runs_once_during_an_outage() {
    connection_lost(async |relay| {
        relay.refuse().await;
        relay.cut();
        tokio::time::sleep(terms(40)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_runs_once_when_connections_are_lost_over_and_over() {
    connection_lost(async |relay| {
        // Also those that are still in the handshake.
        let begun = Instant::now();
        while begun.elapsed() < terms(40) {
            let connections = relay.connections();
            relay.cut();
            until("it connects again", || relay.connections() > connections).await;
        }
    })
    .await;
}
