//! The setting of the scenarios: the nodes under test, the nodes for commands, the participants as the test sees them, and
//! the time limits.
//!
//! It must not know the scenarios.

use std::time::{Duration, Instant};

use remote_core::{Error, Limits, Node, NodeBuilder, Ref, Result};

use tokio::task::JoinHandle;

use super::participant::{Control, Report};
use super::support::address::Reserved;
use super::support::child::Child;
use super::support::relay::Relay;
use super::support::{TIME_LIMIT, within};

/// The lease of every node under test.
pub(crate) const TERM: Duration = Duration::from_secs(4);
/// The time after the last acknowledgement within which a holder that gets no answer must end its references.
pub(crate) const ENDED: Duration = terms(90).saturating_add(SLACK);
/// The time after the last input within which an owner must free the objects of a lost holder.
pub(crate) const FREED: Duration = terms(125).saturating_add(SLACK);
/// The time for a sweep, and the delay on a machine that runs many tests at once. It is less than half of a term, so
/// that an error of that size is noticed. The exact times are proved with virtual clocks (`session/tests/lease.rs`, the
/// simulation).
pub(crate) const SLACK: Duration = terms(60);
/// The time limit for what happens at once: less than any lease takes to end.
pub(crate) const AT_ONCE: Duration = terms(60);

/// Returns this number of hundredths of the lease.
pub(crate) const fn terms(hundredths: u32) -> Duration {
    TERM.saturating_mul(hundredths).checked_div(100).unwrap()
}

const ADDRESS: &str = "ADDRESS";

/// Returns the builder of the node under test, in a child.
pub(crate) async fn under_test() -> Node {
    let address = std::env::var(ADDRESS).unwrap_or_else(|_| "tcp://127.0.0.1:0".into());
    Node::builder().lease(TERM).listen(address).start().await.unwrap()
}

/// Returns the builder of a node for commands, whose sessions outlive every pause of a scenario.
pub(crate) fn commands() -> NodeBuilder {
    let limits = Limits { silence: 5 * TERM, ..Limits::default() };
    Node::builder().limits(limits).lease(10 * TERM)
}

/// A child process, and the object that takes its commands.
pub(crate) struct Participant {
    pub(crate) process: Child,
    pub(crate) control: Ref<dyn Control>,
    /// The address of its node under test.
    pub(crate) address: String,
}

impl Participant {
    pub(crate) async fn start() -> Participant {
        Participant::start_with(&[]).await
    }

    /// Starts a participant that listens at a reserved address.
    pub(crate) async fn start_at(address: &Reserved) -> Participant {
        Participant::start_with(&[(ADDRESS, &address.uri())]).await
    }

    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Participant {
        let process = Child::start("participant", settings);
        let (address, control) = (process.receive(), process.receive());
        let command_node = commands().start().await.unwrap();
        let control = within(command_node.lookup(control)).await.unwrap();
        Participant { process, control, address }
    }

    pub(crate) fn workshop(&self) -> String {
        format!("{}/workshop", self.address)
    }

    pub(crate) fn shelf(&self) -> String {
        format!("{}/shelf", self.address)
    }

    /// Starts a relay in front of the participant.
    pub(crate) async fn behind_a_relay(&self) -> Relay {
        Relay::start(&self.address, Duration::ZERO).await
    }

    pub(crate) async fn report(&self) -> Report {
        within(self.control.report()).await.unwrap()
    }

    /// Has the participant ask a kept object for its number.
    pub(crate) async fn ask(&self, place: u64) -> Result<u64> {
        inner(within(self.control.ask(place)).await)
    }

    /// Has the participant ask this number of kept objects for their numbers.
    pub(crate) async fn ask_all(&self, count: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        for place in 0..count {
            numbers.push(self.ask(place).await.unwrap());
        }
        numbers
    }

    /// Waits until the state of the participant satisfies a condition.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Report) -> bool) -> Report {
        let begun = Instant::now();
        loop {
            let report = self.report().await;
            if is_so(&report) {
                return report;
            }
            assert!(begun.elapsed() < TIME_LIMIT, "waited in vain until {what}: {report:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until this number of calls on its objects has begun.
    pub(crate) async fn until_begun(&self, calls: usize) {
        self.until("the calls have begun", |report| report.begun.len() >= calls).await;
    }

    /// Waits until it has freed all objects and exports none, within a limit.
    pub(crate) async fn until_free(&self, since: Instant, limit: Duration) {
        let is_free = |report: &Report| (report.alive, report.exports) == (0, 0);
        self.until("everything is freed", is_free).await;
        let taken = since.elapsed();
        assert!(taken < limit, "freed after {taken:?}, where {limit:?} are allowed");
    }

    /// Stops the process for a time.
    pub(crate) async fn pause(&self, time: Duration) {
        self.process.stop().await;
        tokio::time::sleep(time).await;
        self.process.go_on();
    }
}

/// Sends a command in a task, so that the test can go on.
pub(crate) fn begin<F: Future<Output = Result<()>> + Send + 'static>(
    participant: &Participant,
    command: impl FnOnce(Ref<dyn Control>) -> F,
) -> JoinHandle<Result<()>> {
    let command = command(participant.control.clone());
    tokio::spawn(async move { inner(within(command).await) })
}

/// Returns the result inside the participant, without the nesting that the command adds.
pub(crate) fn inner<V>(result: Result<V>) -> Result<V> {
    result.map_err(|error| error.root().clone())
}

/// Asserts that a call failed because the lease has ended.
#[track_caller]
pub(crate) fn assert_expired<V: std::fmt::Debug>(result: &Result<V>) {
    assert!(matches!(result, Err(Error::LeaseExpired)), "{result:?}");
}
