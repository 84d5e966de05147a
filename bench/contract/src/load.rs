//! The load and the clock: runs the tasks, and counts and times the operations within the measured time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::operation::Operation;
use crate::{Failure, Mark, Result};

const WARM_UP: Duration = Duration::from_millis(300);
/// The load keeps running while the runner reads both processes.
const COOL_DOWN: Duration = Duration::from_millis(30);
/// An operation that takes longer than this to end has lost its reply.
const LAST_OPERATION: Duration = Duration::from_secs(30);

/// The settings of a load.
pub(crate) struct Load<'a> {
    pub(crate) runtime: &'a Handle,
    pub(crate) length: Duration,
    /// One operation in so many is timed; 1 times each.
    pub(crate) timed_one_in: u64,
}

/// The result of a load.
pub(crate) struct Run {
    /// All operations, including those before and after the measured time.
    pub(crate) operations: u64,
    /// Operations that ended within the measured time.
    pub(crate) measured: u64,
    /// The measured time.
    pub(crate) length: Duration,
    /// Durations of the timed operations, in nanoseconds.
    pub(crate) latencies: Vec<u64>,
}

impl Load<'_> {
    /// Warms up, measures between the marks, and cools down.
    ///
    /// # Errors
    /// The first failure of an operation.
    pub(crate) fn drive<O: Operation>(&self, operations: Vec<O>) -> Result<Run> {
        let phase = Arc::new(AtomicU8::new(UNMEASURED));
        let (failed, failures) = mpsc::channel();
        let mut tasks = Tasks::with_capacity(operations.len());
        for operation in operations {
            let count = Arc::new(Count::default());
            let task = Task {
                phase: phase.clone(),
                count: count.clone(),
                timed_one_in: self.timed_one_in,
            };
            tasks.push((count, self.runtime.spawn(task.run(operation, failed.clone()))));
        }
        drop(failed);

        // This thread does not belong to the runtime, so that it wakes in time however busy the workers are.
        rest(WARM_UP, &failures)?;
        // In this order at both ends, only operations that are counted are timed.
        let (begun, before) = (Instant::now(), total(&tasks));
        phase.store(MEASURED, Ordering::Relaxed);
        Mark::Begin.announce();
        rest(self.length, &failures)?;
        phase.store(UNMEASURED, Ordering::Relaxed);
        let (length, after) = (begun.elapsed(), total(&tasks));
        Mark::End.announce();
        rest(COOL_DOWN, &failures)?;
        phase.store(OVER, Ordering::Relaxed);

        let (operations, latencies) = self.runtime.block_on(collect(tasks))?;
        Ok(Run { operations, measured: after - before, length, latencies })
    }
}

const UNMEASURED: u8 = 0;
const MEASURED: u8 = 1;
const OVER: u8 = 2;

type Tasks = Vec<(Arc<Count>, JoinHandle<Result<Vec<u64>>>)>;

/// The operations of one task. On a cache line of its own, since each operation writes it.
#[derive(Default)]
#[repr(align(128))]
struct Count(AtomicU64);

struct Task {
    phase: Arc<AtomicU8>,
    count: Arc<Count>,
    timed_one_in: u64,
}

impl Task {
    async fn run<O: Operation>(self, operation: O, failed: Sender<Failure>) -> Result<Vec<u64>> {
        let latencies = self.repeat(operation).await;
        if let Err(error) = &latencies {
            // The receiver is gone if another task failed before.
            let _ = failed.send(error.to_string().into());
        }
        latencies
    }

    async fn repeat<O: Operation>(&self, mut operation: O) -> Result<Vec<u64>> {
        let mut latencies = Vec::new();
        let mut measured = 0;
        for done in 1.. {
            let phase = self.phase.load(Ordering::Relaxed);
            if phase == OVER {
                break;
            }
            // The first operation is timed: a slow contestant performs few.
            let timed = phase == MEASURED && measured % self.timed_one_in == 0;
            measured += u64::from(phase == MEASURED);
            let begun = timed.then(Instant::now);
            operation.perform().await?;
            if let Some(begun) = begun {
                latencies.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
            self.count.0.store(done, Ordering::Relaxed);
        }
        Ok(latencies)
    }
}

/// Waits that long, or until a task fails.
fn rest(length: Duration, failures: &Receiver<Failure>) -> Result<()> {
    match failures.recv_timeout(length) {
        Err(RecvTimeoutError::Timeout) => Ok(()),
        Err(RecvTimeoutError::Disconnected) => Err("every task has panicked".into()),
        Ok(error) => Err(error),
    }
}

fn total(tasks: &Tasks) -> u64 {
    tasks.iter().map(|(count, _)| count.0.load(Ordering::Relaxed)).sum()
}

async fn collect(tasks: Tasks) -> Result<(u64, Vec<u64>)> {
    let (mut operations, mut latencies) = (0, Vec::new());
    for (count, task) in tasks {
        let last = timeout(LAST_OPERATION, task)
            .await
            .map_err(|_| format!("no reply within {LAST_OPERATION:?}"))?;
        latencies.extend(last??);
        operations += count.0.load(Ordering::Relaxed);
    }
    Ok((operations, latencies))
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;

    use super::*;

    struct FailsAt1000(u64);

    impl Operation for FailsAt1000 {
        async fn perform(&mut self) -> Result<()> {
            self.0 += 1;
            tokio::task::yield_now().await;
            if self.0 == 1_000 { Err("the thousandth".into()) } else { Ok(()) }
        }
    }

    struct NeverFails;

    impl Operation for NeverFails {
        async fn perform(&mut self) -> Result<()> {
            tokio::task::yield_now().await;
            Ok(())
        }
    }

    fn drive<O: Operation>(timed_one_in: u64, operations: Vec<O>) -> Result<Run> {
        let runtime = Runtime::new()?;
        let length = Duration::from_millis(50);
        Load { runtime: runtime.handle(), length, timed_one_in }.drive(operations)
    }

    #[test]
    fn only_the_measured_time_counts() {
        let run = drive(4, vec![NeverFails, NeverFails]).expect("it never fails");
        assert!(run.length >= Duration::from_millis(50));
        let (measured, all) = (run.measured, run.operations);
        assert!(measured > 0 && measured < all, "{measured} of {all}");
        let timed = run.latencies.len() as u64;
        assert!(timed > 0 && timed <= measured / 4 + 4, "{timed} of {measured}");
    }

    #[test]
    fn the_first_failure_ends_the_run() {
        let error = drive(1, vec![FailsAt1000(0), FailsAt1000(500)])
            .map(|run| run.operations)
            .expect_err("it fails");
        assert_eq!(error.to_string(), "the thousandth");
    }
}
