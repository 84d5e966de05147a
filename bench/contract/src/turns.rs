//! What one turn of each workload is, and what its reply must be. It must not know how often or how fast turns are
//! taken.

use std::num::NonZeroU32;

use bytes::Bytes;

use crate::{Connection, Counter, Result};

/// One task's part in a workload.
pub(crate) trait Turn: Send + 'static {
    /// Goes through the workload once, and checks what came back.
    fn take(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Adds one to a counter that others may add to as well.
pub(crate) struct Adding<C> {
    counter: C,
    last: Option<u64>,
}

impl<C: Counter> Adding<C> {
    pub(crate) fn new(counter: C) -> Self {
        Self { counter, last: None }
    }
}

impl<C: Counter> Turn for Adding<C> {
    async fn take(&mut self) -> Result<()> {
        let sum = self.counter.add(1).await?;
        if Some(sum) <= self.last {
            return Err(format!("the sum did not rise: {sum} after {:?}", self.last).into());
        }
        self.last = Some(sum);
        Ok(())
    }
}

/// Sends a vector there and back. What comes back is sent again when it has been checked, so that nothing is copied here.
pub(crate) struct Echoing<C> {
    connection: C,
    /// Two unlike ones take turns, so that a reply to the call before would be noticed.
    expected: [Vec<u8>; 2],
    outgoing: [Vec<u8>; 2],
}

impl<C: Connection> Echoing<C> {
    pub(crate) fn new(connection: &C, task: u32, bytes: u32) -> Self {
        let expected = [pattern(task, 0, bytes), pattern(task, 1, bytes)];
        Self { connection: connection.clone(), outgoing: expected.clone(), expected }
    }
}

impl<C: Connection> Turn for Echoing<C> {
    async fn take(&mut self) -> Result<()> {
        let reply = self.connection.echo(std::mem::take(&mut self.outgoing[0])).await?;
        same(&reply, &self.expected[0])?;
        self.outgoing[0] = reply;
        self.outgoing.swap(0, 1);
        self.expected.swap(0, 1);
        Ok(())
    }
}

/// Sends a byte string there and back.
pub(crate) struct EchoingBytes<C> {
    connection: C,
    /// Two unlike ones take turns, so that a reply to the call before would be noticed.
    outgoing: [Bytes; 2],
}

impl<C: Connection> EchoingBytes<C> {
    pub(crate) fn new(connection: &C, task: u32, bytes: u32) -> Self {
        let outgoing = [pattern(task, 0, bytes).into(), pattern(task, 1, bytes).into()];
        Self { connection: connection.clone(), outgoing }
    }
}

impl<C: Connection> Turn for EchoingBytes<C> {
    async fn take(&mut self) -> Result<()> {
        let reply = self.connection.echo_bytes(self.outgoing[0].clone()).await?;
        same(&reply, &self.outgoing[0])?;
        self.outgoing.swap(0, 1);
        Ok(())
    }
}

/// Makes a counter, calls it once and drops it.
pub(crate) struct Making<C> {
    connection: C,
}

impl<C: Connection> Making<C> {
    pub(crate) fn new(connection: &C) -> Self {
        Self { connection: connection.clone() }
    }
}

impl<C: Connection> Turn for Making<C> {
    async fn take(&mut self) -> Result<()> {
        match self.connection.make().await?.add(1).await? {
            1 => Ok(()),
            other => Err(format!("a fresh counter answered {other}").into()),
        }
    }
}

/// Goes down a chain of dependent calls.
pub(crate) struct Chaining<C> {
    connection: C,
    steps: u32,
    way: Way,
}

enum Way {
    Pipelined,
    Awaited,
}

impl<C: Connection> Chaining<C> {
    pub(crate) fn pipelined(connection: &C, calls: NonZeroU32) -> Self {
        Self { connection: connection.clone(), steps: between(calls), way: Way::Pipelined }
    }

    pub(crate) fn awaited(connection: &C, calls: NonZeroU32) -> Self {
        Self { connection: connection.clone(), steps: between(calls), way: Way::Awaited }
    }
}

impl<C: Connection> Turn for Chaining<C> {
    async fn take(&mut self) -> Result<()> {
        let value = match self.way {
            Way::Pipelined => self.connection.chain_pipelined(self.steps).await?,
            Way::Awaited => self.connection.chain_awaited(self.steps).await?,
        };
        if value == u64::from(self.steps) {
            return Ok(());
        }
        Err(format!("the chain ended at {value} instead of {}", self.steps).into())
    }
}

/// How many calls lie between the first of a chain, which asks the root, and the last, which asks for the value.
fn between(calls: NonZeroU32) -> u32 {
    calls.get().saturating_sub(2)
}

/// Bytes that differ from task to task, from turn to turn, and from place to place.
fn pattern(task: u32, turn: u8, bytes: u32) -> Vec<u8> {
    let mut state = (u64::from(task) << 8 | u64::from(turn)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(bytes as usize).collect()
}

fn same(reply: &[u8], expected: &[u8]) -> Result<()> {
    if reply == expected {
        return Ok(());
    }
    Err(format!("the echo of {} bytes came back as {} other bytes", expected.len(), reply.len())
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_tell_tasks_and_turns_apart() {
        assert_eq!(pattern(3, 1, 1_000), pattern(3, 1, 1_000));
        assert_ne!(pattern(3, 1, 1_000), pattern(3, 0, 1_000));
        assert_ne!(pattern(3, 1, 1_000), pattern(4, 1, 1_000));
        assert_ne!(pattern(3, 1, 1_000)[..500], pattern(3, 1, 1_000)[500..]);
    }
}
