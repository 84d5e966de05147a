//! The workload `hold`: objects that are made and kept, so that the runner can see what they weigh. It owns its own
//! order of rests and marks, and must not know who looks at the memory.

use std::num::NonZeroU32;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::{Connection, Counter, Mark, Result, Summary};

/// So many are made and dropped first, so that what is allocated once is not counted.
const REHEARSED: u32 = 500;
const TASKS: u32 = 64;
/// After each burst, until what is freed or written late has been.
const SETTLE: Duration = Duration::from_millis(200);
/// After the mark, until the runner has looked.
const PAUSE: Duration = Duration::from_millis(300);

/// Makes that many, holds them for that long, and at the end calls each to see that it is still there.
pub(crate) fn play<C: Connection>(
    runtime: &Runtime,
    connection: &C,
    objects: NonZeroU32,
    length: Duration,
) -> Result<Summary> {
    drop(runtime.block_on(make(connection, REHEARSED))?);
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

/// Each task keeps its own: one vector for all would have to grow while it is weighed.
async fn make<C: Connection>(connection: &C, objects: u32) -> Result<Vec<Vec<C::Counter>>> {
    let mut tasks = Vec::with_capacity(TASKS as usize);
    for task in 0..TASKS {
        let share = objects / TASKS + u32::from(task < objects % TASKS);
        let connection = connection.clone();
        tasks.push(tokio::spawn(async move {
            let mut made = Vec::with_capacity(share as usize);
            for _ in 0..share {
                made.push(connection.make().await?);
            }
            Result::Ok(made)
        }));
    }
    let mut all = Vec::with_capacity(tasks.len());
    for task in tasks {
        all.push(task.await??);
    }
    Ok(all)
}

async fn call<C: Counter>(held: Vec<Vec<C>>) -> Result<()> {
    let tasks: Vec<_> = held
        .into_iter()
        .map(|share| {
            tokio::spawn(async move {
                for counter in &share {
                    let sum = counter.add(1).await?;
                    if sum != 1 {
                        return Err(format!("a held counter answered {sum}").into());
                    }
                }
                Result::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}
