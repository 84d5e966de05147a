//! The client's side of a run: which turns a workload is made of, over which connections. It owns the sharing of
//! connections among tasks, and must not know how turns are driven or timed.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::load::{Load, Run};
use crate::turns::{Adding, Chaining, Echoing, EchoingBytes, Making};
use crate::{Connection, Contestant, Counter, Result, Summary, Workload, hold};

/// Connects, plays the workload for that long, and says what came of it.
pub(crate) fn play<C: Contestant>(
    runtime: &Runtime,
    port: u16,
    workload: Workload,
    length: Duration,
) -> Result<Summary> {
    let connect = || runtime.block_on(C::connect(port));
    match workload {
        Workload::Connections { connections, tasks } => {
            let connections =
                (0..connections.get()).map(|_| connect()).collect::<Result<Vec<_>>>()?;
            add(runtime, &connections, tasks, workload, length)
        }
        _ => over(runtime, &connect()?, workload, length),
    }
}

/// Calls are shorter than a microsecond under load, where reading the clock for each would be seen in the result.
const TIMED_UNDER_LOAD: u64 = 16;

fn over<C: Connection>(
    runtime: &Runtime,
    connection: &C,
    workload: Workload,
    length: Duration,
) -> Result<Summary> {
    let load = Load { runtime, length, timed_one_in: 1 };
    let run = match workload {
        Workload::Latency => {
            return add(
                runtime,
                std::slice::from_ref(connection),
                NonZeroU32::MIN,
                workload,
                length,
            );
        }
        Workload::Throughput { tasks } | Workload::Connections { tasks, .. } => {
            return add(runtime, std::slice::from_ref(connection), tasks, workload, length);
        }
        Workload::Hold { objects } => return hold::play(runtime, connection, objects, length),
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

fn add<C: Connection>(
    runtime: &Runtime,
    connections: &[C],
    tasks: NonZeroU32,
    workload: Workload,
    length: Duration,
) -> Result<Summary> {
    let timed_one_in = if workload == Workload::Latency { 1 } else { TIMED_UNDER_LOAD };
    let counter = connections[0].counter();
    let before = runtime.block_on(counter.add(0))?;
    let turns = connections
        .iter()
        .flat_map(|connection| each(tasks, |_| Adding::new(connection.counter())));
    let run = Load { runtime, length, timed_one_in }.drive(turns.collect())?;
    let added = runtime.block_on(counter.add(0))? - before;
    // Each task saw its own sums rise; that each call also counted exactly once only the end can tell.
    if added != run.turns {
        return Err(
            format!("{} calls were answered, but the counter rose by {added}", run.turns).into()
        );
    }
    Ok(summary(workload, run))
}

fn each<T>(tasks: NonZeroU32, turn: impl Fn(u32) -> T) -> Vec<T> {
    (0..tasks.get()).map(turn).collect()
}

fn summary(workload: Workload, run: Run) -> Summary {
    Summary::new(workload, run.measured, run.length, run.latencies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Lie};

    fn played(lie: Option<Lie>, workload: &str) -> Result<Summary> {
        let runtime = Runtime::new()?;
        over(&runtime, &Fake::new(lie), workload.parse()?, Duration::from_millis(50))
    }

    #[test]
    fn honest_replies_make_figures() {
        for workload in [
            "lat",
            "tput:8",
            "echo:100x2",
            "echob:0x2",
            "obj:4",
            "chain:5",
            "chainseq:2",
            "hold:100",
        ] {
            let summary = played(None, workload).expect(workload);
            assert!(summary.calls > 0 && summary.secs > 0.0, "{workload}: {summary:?}");
            assert_eq!(summary.mb_per_s.is_some(), workload.starts_with("echo"), "{workload}");
            assert!(summary.p50_ns <= summary.p99_ns, "{workload}: {summary:?}");
        }
    }

    #[test]
    fn every_false_reply_ends_the_run() {
        let false_replies = [
            (Lie::SameSum, "lat", "did not rise"),
            (Lie::SameSum, "tput:8", "did not rise"),
            (Lie::CountedTwice, "tput:8", "the counter rose by"),
            (Lie::FalseByte, "echo:100x2", "other bytes"),
            (Lie::FalseByte, "echob:100x2", "other bytes"),
            (Lie::UsedCounter, "obj:4", "a fresh counter"),
            (Lie::UsedCounter, "hold:100", "a held counter"),
            (Lie::ShortChain, "chain:5", "the chain ended"),
            (Lie::ShortChain, "chainseq:5", "the chain ended"),
        ];
        for (lie, workload, expected) in false_replies {
            let error = played(Some(lie), workload).expect_err(workload).to_string();
            assert!(error.contains(expected), "{workload}: {error}");
        }
    }
}
