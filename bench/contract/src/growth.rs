//! The growth workloads: calls on one object, beside many objects or connections that are only held.

use std::num::NonZeroU32;
use std::thread::sleep;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::client::add;
use crate::hold::{self, SETTLE};
use crate::{Connection, Contestant, Counter, Mark, Result, Summary, Workload};

/// The time without calls is this many times the measured time: keepalives and lease renewals are seconds apart.
const IDLE_FACTOR: u32 = 10;
/// Time for the runner to read both processes before anything is created.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections that are opened at a time.
const DIALERS: u32 = 64;

/// Holds `objects` objects, adds to one of them, and checks the others at the end.
pub(crate) fn table<C: Connection>(
    runtime: &Handle,
    connection: &C,
    objects: NonZeroU32,
    length: Duration,
) -> Result<Summary> {
    hold::rehearse(runtime, connection)?;
    let mut held = hold(length, || runtime.block_on(hold::make(connection, objects.get())))?;
    let called = held.iter_mut().find_map(Vec::pop).ok_or("no object was created")?;
    let counters = vec![called; Workload::GROWTH_TASKS.get() as usize];
    let summary = add(runtime, counters, Workload::Table { objects }, length)?;
    runtime.block_on(hold::call(held))?;
    Ok(summary)
}

/// Holds `idle` connections, adds over one more, and checks the idle ones at the end.
pub(crate) fn idle<C: Contestant>(
    runtime: &Handle,
    port: u16,
    idle: u32,
    length: Duration,
) -> Result<Summary> {
    let busy = runtime.block_on(C::connect(port))?;
    let before = runtime.block_on(busy.counter().add(0))?;
    let held = hold(length, || runtime.block_on(open::<C>(port, idle)))?;
    let counters = vec![busy.counter(); Workload::GROWTH_TASKS.get() as usize];
    let summary = add(runtime, counters, Workload::Idle { connections: idle }, length)?;
    runtime.block_on(async {
        for connection in held.iter().flatten() {
            let sum = connection.counter().add(0).await?;
            if sum < before + summary.calls {
                return Err(format!("an idle connection reads {sum}").into());
            }
        }
        Ok(summary)
    })
}

/// Calls `create` between the marks that delimit it, then waits between those that delimit the time without calls.
fn hold<V>(length: Duration, create: impl FnOnce() -> Result<V>) -> Result<V> {
    sleep(SETTLE);
    Mark::HeldBegin.announce();
    sleep(PAUSE);
    let held = create()?;
    sleep(SETTLE);
    Mark::HeldEnd.announce();
    sleep(PAUSE);
    Mark::IdleBegin.announce();
    sleep(length * IDLE_FACTOR);
    Mark::IdleEnd.announce();
    Ok(held)
}

/// Opens that many connections. Each has answered one call.
async fn open<C: Contestant>(port: u16, connections: u32) -> Result<Vec<Vec<C::Connection>>> {
    hold::in_tasks(connections, DIALERS, |share| async move {
        let mut opened = Vec::with_capacity(share as usize);
        for _ in 0..share {
            let connection = C::connect(port).await?;
            connection.counter().add(0).await?;
            opened.push(connection);
        }
        Ok(opened)
    })
    .await
}
