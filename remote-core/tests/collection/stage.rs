//! Owns the stage: the nodes under test and the test's own, actors as the test sees them, and the time they are given.
//!
//! It must not know the scenarios.

use std::time::{Duration, Instant};

use remote_core::{Error, Limits, Node, NodeBuilder, Ref, Result};

use tokio::task::JoinHandle;

use super::actor::{Part, Report};
use super::support::address::Reserved;
use super::support::child::Child;
use super::support::relay::Relay;
use super::support::{GENEROUS, within};

/// The lease of every node under test.
pub(crate) const TERM: Duration = Duration::from_secs(4);
/// What a holder that nobody answers may take to know that its references ended, since it was answered last.
pub(crate) const ENDED: Duration = terms(90).saturating_add(SLACK);
/// What an owner may take to free what a lost holder had, since it heard of it last.
pub(crate) const FREED: Duration = terms(125).saturating_add(SLACK);
/// A sweep, and what a machine that runs many tests at once may take to see to it. Less than half of a term, so that what
/// is late by as much is noticed. The exact times are proved by virtual clocks (`session/tests/lease.rs`, the simulation).
pub(crate) const SLACK: Duration = terms(60);
/// What anything may take that happens at once: less than any lease takes to end.
pub(crate) const AT_ONCE: Duration = terms(60);

/// So many hundredths of the lease.
pub(crate) const fn terms(hundredths: u32) -> Duration {
    TERM.saturating_mul(hundredths).checked_div(100).unwrap()
}

const ADDRESS: &str = "ADDRESS";

/// The node under test, in a child.
pub(crate) async fn under_test() -> Node {
    let address = std::env::var(ADDRESS).unwrap_or_else(|_| "tcp://127.0.0.1:0".into());
    Node::builder().lease(TERM).listen(address).start().await.unwrap()
}

/// A node through which the test directs, whose sessions outlast every pause of a scenario.
pub(crate) fn directing() -> NodeBuilder {
    let limits = Limits { silence: 5 * TERM, ..Limits::default() };
    Node::builder().limits(limits).lease(10 * TERM)
}

/// A child process, and the part it plays.
pub(crate) struct Actor {
    pub(crate) process: Child,
    pub(crate) part: Ref<dyn Part>,
    /// Where its node under test listens.
    pub(crate) address: String,
}

impl Actor {
    pub(crate) async fn start() -> Actor {
        Actor::start_with(&[]).await
    }

    /// One that listens at an address where another did, or will.
    pub(crate) async fn start_at(address: &Reserved) -> Actor {
        Actor::start_with(&[(ADDRESS, &address.uri())]).await
    }

    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Actor {
        let process = Child::start("actor", settings);
        let (address, part) = (process.hear(), process.hear());
        let director = directing().start().await.unwrap();
        let part = within(director.lookup(part)).await.unwrap();
        Actor { process, part, address }
    }

    pub(crate) fn workshop(&self) -> String {
        format!("{}/workshop", self.address)
    }

    pub(crate) fn shelf(&self) -> String {
        format!("{}/shelf", self.address)
    }

    /// A network in front of it.
    pub(crate) async fn behind_a_relay(&self) -> Relay {
        Relay::start(&self.address, Duration::ZERO).await
    }

    pub(crate) async fn report(&self) -> Report {
        within(self.part.report()).await.unwrap()
    }

    /// What a kept thing says to it, or why it cannot be asked.
    pub(crate) async fn ask(&self, place: u64) -> Result<u64> {
        told(within(self.part.ask(place)).await)
    }

    /// What each of so many kept things says, which all answer.
    pub(crate) async fn ask_all(&self, count: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        for place in 0..count {
            numbers.push(self.ask(place).await.unwrap());
        }
        numbers
    }

    /// Waits until there is something to see.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Report) -> bool) -> Report {
        let begun = Instant::now();
        loop {
            let report = self.report().await;
            if is_so(&report) {
                return report;
            }
            assert!(begun.elapsed() < GENEROUS, "waited in vain until {what}: {report:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until so many calls on its things have begun.
    pub(crate) async fn until_begun(&self, calls: usize) {
        self.until("the calls have begun", |report| report.begun.len() >= calls).await;
    }

    /// Waits until it has freed all things and shows no object, which must be at last by then.
    pub(crate) async fn until_free(&self, since: Instant, limit: Duration) {
        let is_free = |report: &Report| (report.alive, report.exports) == (0, 0);
        self.until("everything is freed", is_free).await;
        let taken = since.elapsed();
        assert!(taken < limit, "freed after {taken:?}, where {limit:?} are allowed");
    }

    /// Stops the process for so long.
    pub(crate) async fn pause(&self, time: Duration) {
        self.process.stop().await;
        tokio::time::sleep(time).await;
        self.process.go_on();
    }
}

/// A command that goes on while the test does something else.
pub(crate) fn begin<F: Future<Output = Result<()>> + Send + 'static>(
    actor: &Actor,
    command: impl FnOnce(Ref<dyn Part>) -> F,
) -> JoinHandle<Result<()>> {
    let command = command(actor.part.clone());
    tokio::spawn(async move { told(within(command).await) })
}

/// What was said inside the actor, rather than that the actor was told so.
pub(crate) fn told<V>(result: Result<V>) -> Result<V> {
    result.map_err(|error| error.root().clone())
}

/// That references ended with their lease.
#[track_caller]
pub(crate) fn assert_expired<V: std::fmt::Debug>(result: &Result<V>) {
    assert!(matches!(result, Err(Error::LeaseExpired)), "{result:?}");
}
