//! Scenarios of owners: paused, restarted, or executing a call on an object that no one holds any more.

use std::collections::HashSet;
use std::time::Instant;

use remote_core::{Error, Outcome};

use super::participant::Report;
use super::setup::{AT_ONCE, ENDED, FREED, Participant, assert_expired, begin, inner, terms};
use super::support::address::Reserved;
use super::support::within;

/// G11, a pause after which the lease has not ended for the holder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_owner_reads_pending_input_before_it_expires_leases() {
    let (owner, holder) = (Participant::start().await, Participant::start().await);
    within(holder.control.fetch(&owner.workshop(), 3)).await.unwrap();
    let numbers = holder.ask_all(3).await;
    owner.process.stop().await;
    let calls = begin(&holder, |control| async move { control.note(0, (1..=100).collect()).await });
    tokio::time::sleep(terms(60)).await;
    owner.process.go_on();
    assert_eq!(within(calls).await.unwrap(), Ok(()));
    assert_eq!(holder.ask_all(3).await, numbers);
    let report = owner.report().await;
    assert_eq!(report.begun.len(), 100, "each ran once");
    assert_eq!(report.begun.iter().collect::<HashSet<_>>().len(), 100, "each ran once");
    assert_eq!((report.alive, report.sessions.len()), (3, 1));
    within(holder.control.let_go()).await.unwrap();
    owner.until_free(Instant::now(), AT_ONCE).await;
}

/// G11, a pause after which the lease has ended for the holder: it notices by itself, and the references that it gets
/// afterwards are not expired by the owner because of the pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_paused_for_three_terms_frees_the_old_and_keeps_the_new() {
    let (owner, holder) = (Participant::start().await, Participant::start().await);
    within(holder.control.fetch(&owner.workshop(), 3)).await.unwrap();
    holder.ask_all(3).await;
    owner.process.stop().await;
    let begun = Instant::now();
    assert_expired(&holder.ask(0).await);
    let taken = begun.elapsed();
    assert!(taken > terms(50) && taken < ENDED, "{taken:?}");
    tokio::time::sleep_until((begun + terms(300)).into()).await;
    owner.process.go_on();
    within(holder.control.fetch(&owner.workshop(), 2)).await.unwrap();
    let awake = Instant::now();
    let only_new = |report: &Report| (report.alive, report.sessions.len()) == (2, 1);
    owner.until("only the new ones are there", only_new).await;
    assert!(awake.elapsed() < AT_ONCE, "{:?}", awake.elapsed());
    while awake.elapsed() < terms(150) {
        assert!(holder.ask(3).await.is_ok() && holder.ask(4).await.is_ok());
        tokio::time::sleep(terms(10)).await;
    }
    assert_expired(&holder.ask(0).await);
    within(holder.control.let_go()).await.unwrap();
    owner.until_free(Instant::now(), AT_ONCE).await;
}

/// Returns the number that an object has on its node, from the debug format of a reference.
fn object_number(reference: &str) -> &str {
    let (_, rest) = reference.split_once('#').unwrap();
    rest.split(' ').next().unwrap()
}

/// G16
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_to_a_restarted_owner_are_stale() {
    let address = Reserved::new();
    let (mut owner, old, new) = (
        Participant::start_at(&address).await,
        Participant::start().await,
        Participant::start().await,
    );
    within(old.control.enter(&owner.workshop())).await.unwrap();
    within(old.control.fetch(&owner.workshop(), 20)).await.unwrap();
    old.ask_all(20).await;
    let lingering = begin(&old, |control| async move { control.linger(0, vec![1]).await });
    owner.until_begun(1).await;
    owner.process.kill();
    let owner = Participant::start_at(&address).await;
    within(new.control.fetch(&owner.workshop(), 20)).await.unwrap();
    let numbers = new.ask_all(20).await;
    let (kept, kept_anew) = (old.report().await.kept, new.report().await.kept);
    let collide = kept.iter().zip(&kept_anew);
    let collisions = collide.filter(|(one, other)| object_number(one) == object_number(other));
    assert!(collisions.count() > 10, "the numbers collide: {kept:?} {kept_anew:?}");
    // The outcome of the call in progress is unknown; that of later calls is known.
    let lost = within(lingering).await.unwrap().unwrap_err();
    assert!(matches!(lost, Error::SessionLost { .. }), "{lost:?}");
    assert_eq!(lost.outcome(), Outcome::Unknown);
    for place in 0..20 {
        assert_eq!(old.ask(place).await, Err(Error::Stale));
    }
    let note = inner(within(old.control.note(1, vec![2])).await);
    assert_eq!(note, Err(Error::Stale));
    let knock = inner(within(old.control.knock(3)).await);
    assert_eq!(knock, Err(Error::Stale));
    // Dropping the old references releases nothing of the new owner.
    within(old.control.let_go()).await.unwrap();
    within(old.control.fetch(&owner.workshop(), 1)).await.unwrap();
    assert!(!numbers.contains(&old.ask(0).await.unwrap()));
    assert_eq!(new.ask_all(20).await, numbers);
    let report = owner.report().await;
    assert_eq!((report.begun, report.alive), (vec![], 21));
}

/// G21
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_a_killed_holder_ends_with_its_lease_and_frees_its_object() {
    let (owner, mut holder) = (Participant::start().await, Participant::start().await);
    within(holder.control.fetch(&owner.workshop(), 2)).await.unwrap();
    let lingering = begin(&holder, |control| async move { control.linger(0, vec![1]).await });
    owner.until_begun(1).await;
    holder.process.kill();
    let killed = Instant::now();
    lingering.abort();
    let over = |report: &Report| report.sessions.is_empty() && report.exports == 0;
    owner.until("the lease has ended", over).await;
    assert!(killed.elapsed() < FREED, "{:?}", killed.elapsed());
    // Nobody awaits its reply any more.
    let report = owner.until("both are freed", |report| report.alive == 0).await;
    assert_eq!(report.ended, Vec::<u64>::new());
    owner.until_free(Instant::now(), AT_ONCE).await;
}
