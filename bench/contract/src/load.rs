//! The load and the clock: keeps tasks taking turns, and counts and times what falls into the measured time. It must not
//! know what a turn is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::turns::Turn;
use crate::{Failure, Mark, Result};

const WARM_UP: Duration = Duration::from_millis(300);
/// The load stays up while the runner looks at the processes.
const COOL_DOWN: Duration = Duration::from_millis(30);
/// A turn that takes longer than this to end is taken for lost.
const LAST_TURN: Duration = Duration::from_secs(30);

/// How a load is put on.
pub(crate) struct Load<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) length: Duration,
    /// 1 times every turn.
    pub(crate) timed_one_in: u64,
}

/// What came of it.
pub(crate) struct Run {
    /// All turns, those before and after the measured time too.
    pub(crate) turns: u64,
    /// Those that ended within the measured time.
    pub(crate) measured: u64,
    /// The measured time.
    pub(crate) length: Duration,
    /// Of those that were timed, in nanoseconds.
    pub(crate) latencies: Vec<u64>,
}

impl Load<'_> {
    /// Warms up, measures between the marks, cools down; a turn that fails ends it.
    pub(crate) fn drive<T: Turn>(&self, turns: Vec<T>) -> Result<Run> {
        let phase = Arc::new(AtomicU8::new(UNMEASURED));
        let (failed, failures) = mpsc::channel();
        let mut tasks = Tasks::with_capacity(turns.len());
        for turn in turns {
            let count = Arc::new(Count::default());
            let seat = Seat {
                phase: phase.clone(),
                count: count.clone(),
                timed_one_in: self.timed_one_in,
            };
            tasks.push((count, self.runtime.spawn(seat.keep(turn, failed.clone()))));
        }
        drop(failed);

        // This thread is none of the runtime's: it wakes in time however busy those are.
        rest(WARM_UP, &failures)?;
        // Timed is only what is also counted: hence the order at both ends.
        let (begun, before) = (Instant::now(), total(&tasks));
        phase.store(MEASURED, Ordering::Relaxed);
        Mark::Begin.announce();
        rest(self.length, &failures)?;
        phase.store(UNMEASURED, Ordering::Relaxed);
        let (length, after) = (begun.elapsed(), total(&tasks));
        Mark::End.announce();
        rest(COOL_DOWN, &failures)?;
        phase.store(OVER, Ordering::Relaxed);

        let (turns, latencies) = self.runtime.block_on(collect(tasks))?;
        Ok(Run { turns, measured: after - before, length, latencies })
    }
}

const UNMEASURED: u8 = 0;
const MEASURED: u8 = 1;
const OVER: u8 = 2;

type Tasks = Vec<(Arc<Count>, JoinHandle<Result<Vec<u64>>>)>;

/// One task's turns; on a cache line of its own, since every turn writes it.
#[derive(Default)]
#[repr(align(128))]
struct Count(AtomicU64);

/// One task's place.
struct Seat {
    phase: Arc<AtomicU8>,
    count: Arc<Count>,
    timed_one_in: u64,
}

impl Seat {
    async fn keep<T: Turn>(self, turn: T, failed: Sender<Failure>) -> Result<Vec<u64>> {
        let latencies = self.take_turns(turn).await;
        if let Err(error) = &latencies {
            // Who waits may have left over another one's failure.
            let _ = failed.send(error.to_string().into());
        }
        latencies
    }

    async fn take_turns<T: Turn>(&self, mut turn: T) -> Result<Vec<u64>> {
        let mut latencies = Vec::new();
        for taken in 1.. {
            let phase = self.phase.load(Ordering::Relaxed);
            if phase == OVER {
                break;
            }
            let timed = phase == MEASURED && taken % self.timed_one_in == 0;
            let begun = timed.then(Instant::now);
            turn.take().await?;
            if let Some(begun) = begun {
                latencies.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
            self.count.0.store(taken, Ordering::Relaxed);
        }
        Ok(latencies)
    }
}

/// Waits that long, unless a task fails first.
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
    let (mut turns, mut latencies) = (0, Vec::new());
    for (count, task) in tasks {
        let last = timeout(LAST_TURN, task).await.map_err(|_| "a reply never came")?;
        latencies.extend(last??);
        turns += count.0.load(Ordering::Relaxed);
    }
    Ok((turns, latencies))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u64);

    impl Turn for Counting {
        async fn take(&mut self) -> Result<()> {
            self.0 += 1;
            tokio::task::yield_now().await;
            if self.0 == 1_000 { Err("the thousandth".into()) } else { Ok(()) }
        }
    }

    struct Endless;

    impl Turn for Endless {
        async fn take(&mut self) -> Result<()> {
            tokio::task::yield_now().await;
            Ok(())
        }
    }

    fn drive<T: Turn>(timed_one_in: u64, turns: Vec<T>) -> Result<Run> {
        let runtime = Runtime::new()?;
        Load { runtime: &runtime, length: Duration::from_millis(50), timed_one_in }.drive(turns)
    }

    #[test]
    fn only_the_measured_time_counts() {
        let run = drive(4, vec![Endless, Endless]).expect("it never fails");
        assert!(run.length >= Duration::from_millis(50));
        assert!(run.measured > 0 && run.measured < run.turns, "{} of {}", run.measured, run.turns);
        let timed = run.latencies.len() as u64;
        assert!(timed > 0 && timed <= run.measured / 4 + 4, "{timed} of {}", run.measured);
    }

    #[test]
    fn the_first_failure_ends_the_run() {
        let error =
            drive(1, vec![Counting(0), Counting(500)]).map(|run| run.turns).expect_err("it fails");
        assert_eq!(error.to_string(), "the thousandth");
    }
}
