//! The workload `hold`: objects that are created and kept, so that the runner can measure their memory.

use std::num::NonZeroU32;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::{Connection, Counter, Mark, Result, Summary};

/// Objects that are created and dropped first, so that what is allocated once is not counted.
const REHEARSED: u32 = 500;
const TASKS: u32 = 64;
/// Time after a burst, for what is freed or written late.
pub(crate) const SETTLE: Duration = Duration::from_millis(200);
/// Time after a mark, for the runner to read both processes.
const PAUSE: Duration = Duration::from_millis(300);

/// Creates the objects, holds them for that long, and at the end calls each to check that it is still there.
pub(crate) fn play<C: Connection>(
    runtime: &Handle,
    connection: &C,
    objects: NonZeroU32,
    length: Duration,
) -> Result<Summary> {
    rehearse(runtime, connection)?;
    sleep(SETTLE);

    Mark::Begin.announce();
    let begun = Instant::now();
    let held = runtime.block_on(make(connection, objects.get()))?;
    let making = begun.elapsed();
    sleep(SETTLE);
    Mark::End.announce();

    sleep(PAUSE);
    Mark::IdleBegin.announce();
    sleep(length);
    Mark::IdleEnd.announce();

    runtime.block_on(call(held))?;
    let calls = u64::from(objects.get());
    Ok(Summary { calls, secs: making.as_secs_f64(), p50_ns: None, p99_ns: None, mb_per_s: None })
}

/// Creates and drops some objects.
pub(crate) fn rehearse<C: Connection>(runtime: &Handle, connection: &C) -> Result<()> {
    runtime.block_on(make(connection, REHEARSED)).map(drop)
}

/// Creates objects from [`TASKS`] tasks. Each task has a vector of its own: one for all would grow while memory is
/// measured.
pub(crate) async fn make<C: Connection>(
    connection: &C,
    objects: u32,
) -> Result<Vec<Vec<C::Counter>>> {
    in_tasks(objects, TASKS, |share| {
        let connection = connection.clone();
        async move {
            let mut made = Vec::with_capacity(share as usize);
            for _ in 0..share {
                made.push(connection.make().await?);
            }
            Ok(made)
        }
    })
    .await
}

/// Calls each object once. It must not have been called before.
pub(crate) async fn call<C: Counter>(held: Vec<Vec<C>>) -> Result<()> {
    let tasks = held.into_iter().map(|share| async move {
        for counter in &share {
            let sum = counter.add(1).await?;
            if sum != 1 {
                return Err(format!("a held counter answered {sum}").into());
            }
        }
        Ok(())
    });
    join(tasks).await.map(drop)
}

/// Divides `count` among that many tasks, and returns what each of them returns.
pub(crate) async fn in_tasks<V, F>(
    count: u32,
    tasks: u32,
    task: impl Fn(u32) -> F,
) -> Result<Vec<V>>
where
    V: Send + 'static,
    F: Future<Output = Result<V>> + Send + 'static,
{
    join((0..tasks).map(|index| task(count / tasks + u32::from(index < count % tasks)))).await
}

async fn join<V, F>(tasks: impl Iterator<Item = F>) -> Result<Vec<V>>
where
    V: Send + 'static,
    F: Future<Output = Result<V>> + Send + 'static,
{
    let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await??);
    }
    Ok(results)
}
