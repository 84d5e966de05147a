//! The client process: maps each workload to the operations that make it up.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::load::{Load, Run};
use crate::operation::{Adding, Chaining, Echoing, EchoingBytes, Making};
use crate::{Connection, Contestant, Counter, Result, Summary, Workload, growth, hold};

/// Connects, plays the workload for that long, and returns its figures.
pub(crate) fn play<C: Contestant>(
    runtime: &Handle,
    port: u16,
    workload: Workload,
    length: Duration,
) -> Result<Summary> {
    let connect = || runtime.block_on(C::connect(port));
    match workload {
        Workload::Connections { connections, tasks } => {
            let connections =
                (0..connections.get()).map(|_| connect()).collect::<Result<Vec<_>>>()?;
            let counters = connections
                .iter()
                .flat_map(|connection| each(tasks, |_| connection.counter()))
                .collect();
            add(runtime, counters, workload, length)
        }
        Workload::Idle { connections } => growth::idle::<C>(runtime, port, connections, length),
        _ => over(runtime, &connect()?, workload, length),
    }
}

/// A call takes about a microsecond under load, so that reading the clock twice for each would change the result.
const TIMED_UNDER_LOAD: u64 = 16;

fn over<C: Connection>(
    runtime: &Handle,
    connection: &C,
    workload: Workload,
    length: Duration,
) -> Result<Summary> {
    let load = Load { runtime, length, timed_one_in: 1 };
    let run = match workload {
        Workload::Latency => return add(runtime, vec![connection.counter()], workload, length),
        Workload::Throughput { tasks } | Workload::Connections { tasks, .. } => {
            return add(runtime, each(tasks, |_| connection.counter()), workload, length);
        }
        Workload::Idle { .. } => {
            let counters = each(Workload::GROWTH_TASKS, |_| connection.counter());
            return add(runtime, counters, workload, length);
        }
        Workload::Hold { objects } => return hold::play(runtime, connection, objects, length),
        Workload::Table { objects } => return growth::table(runtime, connection, objects, length),
        Workload::Echo { bytes, tasks } => {
            load.drive(each(tasks, |task| Echoing::new(connection, task, bytes)))?
        }
        Workload::EchoBytes { bytes, tasks } => {
            load.drive(each(tasks, |task| EchoingBytes::new(connection, task, bytes)))?
        }
        Workload::Objects { tasks } => load.drive(each(tasks, |_| Making::new(connection)))?,
        Workload::Chain { calls } => load.drive(vec![Chaining::pipelined(connection, calls)])?,
        Workload::ChainAwaited { calls } => {
            load.drive(vec![Chaining::awaited(connection, calls)])?
        }
    };
    Ok(summary(workload, run))
}

/// Adds to one counter from one task for each clone of it.
pub(crate) fn add<C: Counter>(
    runtime: &Handle,
    clones: Vec<C>,
    workload: Workload,
    length: Duration,
) -> Result<Summary> {
    let timed_one_in = if workload == Workload::Latency { 1 } else { TIMED_UNDER_LOAD };
    let counter = clones.first().ok_or("no task to add")?.clone();
    let before = runtime.block_on(counter.add(0))?;
    let tasks = clones.into_iter().map(Adding::new).collect();
    let run = Load { runtime, length, timed_one_in }.drive(tasks)?;
    let added = runtime.block_on(counter.add(0))? - before;
    // Each task checked that its sums rise. That each call counted exactly once can be checked only here.
    if added != run.operations {
        return Err(format!(
            "{} calls were answered, but the counter rose by {added}",
            run.operations
        )
        .into());
    }
    Ok(summary(workload, run))
}

fn each<T>(tasks: NonZeroU32, task: impl Fn(u32) -> T) -> Vec<T> {
    (0..tasks.get()).map(task).collect()
}

fn summary(workload: Workload, run: Run) -> Summary {
    Summary::new(workload, run.measured, run.length, run.latencies)
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;

    use super::*;
    use crate::fake::{Fake, Fault};

    fn played(fault: Option<Fault>, workload: &str) -> Result<Summary> {
        let runtime = Runtime::new()?;
        over(runtime.handle(), &Fake::new(fault), workload.parse()?, Duration::from_millis(50))
    }

    #[test]
    fn right_replies_yield_figures() {
        for workload in [
            "lat",
            "tput:8",
            "echo:100x2",
            "echob:0x2",
            "obj:4",
            "chain:5",
            "chainseq:2",
            "hold:100",
            "table:100",
        ] {
            let summary = played(None, workload).expect(workload);
            assert!(summary.calls > 0 && summary.secs > 0.0, "{workload}: {summary:?}");
            assert_eq!(summary.mb_per_s.is_some(), workload.starts_with("echo"), "{workload}");
            assert!(summary.p50_ns <= summary.p99_ns, "{workload}: {summary:?}");
        }
    }

    #[test]
    fn each_wrong_reply_fails_the_play() {
        let wrong_replies = [
            (Fault::SameSum, "lat", "did not rise"),
            (Fault::SameSum, "tput:8", "did not rise"),
            (Fault::CountedTwice, "tput:8", "the counter rose by"),
            (Fault::WrongByte, "echo:100x2", "other bytes"),
            (Fault::WrongByte, "echob:100x2", "other bytes"),
            (Fault::UsedCounter, "obj:4", "a new counter"),
            (Fault::UsedCounter, "hold:100", "a held counter"),
            (Fault::UsedCounter, "table:100", "a held counter"),
            (Fault::CountedTwice, "table:100", "the counter rose by"),
            (Fault::ShortChain, "chain:5", "the chain ended"),
            (Fault::ShortChain, "chainseq:5", "the chain ended"),
        ];
        for (fault, workload, expected) in wrong_replies {
            let error = played(Some(fault), workload).expect_err(workload).to_string();
            assert!(error.contains(expected), "{workload}: {error}");
        }
    }
}
