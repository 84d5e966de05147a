//! Scenarios of three parties: a giver passes a receiver a reference to an object of an owner.

use std::time::Instant;

use remote_core::Error;

use super::participant::Report;
use super::setup::{FREED, Participant, TERM, terms};
use super::support::within;

/// An owner, a giver of an object of the owner, and a receiver.
struct Trio {
    owner: Participant,
    giver: Participant,
    receiver: Participant,
    /// The number of the object.
    number: u64,
}

impl Trio {
    async fn start() -> Trio {
        let (owner, giver, receiver) =
            (Participant::start().await, Participant::start().await, Participant::start().await);
        within(giver.control.fetch(&owner.workshop(), 1)).await.unwrap();
        within(giver.control.meet(&receiver.shelf())).await.unwrap();
        let number = giver.ask(0).await.unwrap();
        Trio { owner, giver, receiver, number }
    }

    async fn received(&self) {
        self.receiver.until("it is received", |report| report.kept.len() == 1).await;
    }

    /// Waits until the receiver refers to the object directly, and no longer by way of the giver.
    async fn until_direct(&self) {
        let shows_nothing = |report: &Report| report.exports == 0;
        self.giver.until("the path is direct", shows_nothing).await;
        let report = self.receiver.report().await;
        assert!(report.sessions.contains(&(0, 1)), "of the owner: {report:?}");
    }

    /// Asserts that the receiver has the object, and that all tables are empty when it drops it.
    async fn settled(&self) {
        assert_eq!(self.receiver.ask(0).await, Ok(self.number));
        assert_eq!(self.owner.report().await.alive, 1);
        within(self.receiver.control.let_go()).await.unwrap();
        self.owner.until_free(Instant::now(), FREED).await;
        self.giver.until_free(Instant::now(), FREED).await;
    }
}

/// G5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_handed_on_and_dropped_at_once_is_held() {
    let trio = Trio::start().await;
    within(trio.giver.control.give()).await.unwrap();
    trio.received().await;
    trio.settled().await;
}

/// G5, with the giver's release and the receiver's claim in transit at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_handed_on_while_the_owner_is_paused_is_held() {
    let trio = Trio::start().await;
    trio.owner.process.stop().await;
    within(trio.giver.control.give()).await.unwrap();
    trio.received().await;
    tokio::time::sleep(terms(20)).await;
    trio.owner.process.go_on();
    trio.settled().await;
}

/// G5, with the giver's release arriving long before the receiver gets the reference.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_handed_to_a_paused_receiver_is_held() {
    let trio = Trio::start().await;
    trio.receiver.process.stop().await;
    within(trio.giver.control.give()).await.unwrap();
    trio.giver.until("it has dropped it", |report| report.kept.is_empty()).await;
    tokio::time::sleep(terms(50)).await;
    assert_eq!(trio.owner.report().await.alive, 1);
    trio.receiver.process.go_on();
    trio.received().await;
    trio.settled().await;
}

/// G5, after the path has been shortened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_was_shortened_needs_the_giver_no_more() {
    let mut trio = Trio::start().await;
    within(trio.giver.control.give()).await.unwrap();
    trio.received().await;
    trio.until_direct().await;
    trio.giver.process.kill();
    let killed = Instant::now();
    // Also after the giver's lease has ended, and with it the gift.
    while killed.elapsed() < FREED + TERM {
        assert_eq!(trio.receiver.ask(0).await, Ok(trio.number));
        tokio::time::sleep(terms(10)).await;
    }
    within(trio.receiver.control.let_go()).await.unwrap();
    trio.owner.until_free(Instant::now(), FREED).await;
}

/// G6: whenever the giver is killed, the receiver has the object or gets an error.
async fn giver_killed(trio: &mut Trio) {
    trio.giver.process.kill();
    let killed = Instant::now();
    let mut had = 0;
    // Longer than any lease or gift that the giver has left behind.
    while killed.elapsed() < FREED + TERM {
        let asked = Instant::now();
        match trio.receiver.ask(0).await {
            Ok(number) => {
                assert_eq!(number, trio.number, "another object");
                had += 1;
            }
            Err(Error::SessionLost { .. } | Error::LeaseExpired) => {}
            // The giver was killed before it had sent anything.
            Err(Error::NoSuchObject) if trio.receiver.report().await.kept.is_empty() => {}
            Err(other) => panic!("after {had} answers: {other:?}"),
        }
        assert!(asked.elapsed() < FREED + TERM, "{:?}", asked.elapsed());
        tokio::time::sleep(terms(10)).await;
    }
    within(trio.receiver.control.let_go()).await.unwrap();
    trio.owner.until_free(Instant::now(), FREED).await;
}

/// G6
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_giver_killed_as_soon_as_it_has_sent_leaves_no_wrong_object_and_nothing_behind() {
    let round = async || {
        let mut trio = Trio::start().await;
        within(trio.giver.control.give()).await.unwrap();
        giver_killed(&mut trio).await;
    };
    tokio::join!(round(), round(), round(), round());
}

/// G6
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_giver_killed_as_soon_as_it_is_received_leaves_no_wrong_object_and_nothing_behind() {
    let round = async || {
        let mut trio = Trio::start().await;
        within(trio.giver.control.give()).await.unwrap();
        trio.received().await;
        giver_killed(&mut trio).await;
    };
    tokio::join!(round(), round(), round(), round());
}

/// G6, while the owner cannot receive anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_giver_killed_while_the_owner_is_paused_leaves_no_wrong_object_and_nothing_behind() {
    let mut trio = Trio::start().await;
    trio.owner.process.stop().await;
    within(trio.giver.control.give()).await.unwrap();
    trio.received().await;
    trio.giver.process.kill();
    tokio::time::sleep(terms(20)).await;
    trio.owner.process.go_on();
    giver_killed(&mut trio).await;
}
