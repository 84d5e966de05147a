//! One operation of each workload, and the check of its reply.

use std::num::NonZeroU32;

use bytes::Bytes;

use crate::{Connection, Counter, Result};

/// The operation that one task of a workload repeats.
pub(crate) trait Operation: Send + 'static {
    /// Performs the operation once and checks the reply.
    fn perform(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Adds one to a counter that other tasks may add to as well.
pub(crate) struct Adding<C> {
    counter: C,
    last: Option<u64>,
}

impl<C: Counter> Adding<C> {
    pub(crate) fn new(counter: C) -> Self {
        Self { counter, last: None }
    }
}

impl<C: Counter> Operation for Adding<C> {
    async fn perform(&mut self) -> Result<()> {
        let sum = self.counter.add(1).await?;
        if Some(sum) <= self.last {
            return Err(format!("the sum did not rise: {sum} after {:?}", self.last).into());
        }
        self.last = Some(sum);
        Ok(())
    }
}

/// Echoes a vector. The reply is sent again once it has been checked, so that nothing is copied here.
pub(crate) struct Echoing<C> {
    connection: C,
    /// Two different vectors, sent alternately, so that a repeated reply would be noticed.
    expected: [Vec<u8>; 2],
    outgoing: [Vec<u8>; 2],
}

impl<C: Connection> Echoing<C> {
    pub(crate) fn new(connection: &C, task: u32, bytes: u32) -> Self {
        let expected = [pattern(task, 0, bytes), pattern(task, 1, bytes)];
        Self { connection: connection.clone(), outgoing: expected.clone(), expected }
    }
}

impl<C: Connection> Operation for Echoing<C> {
    async fn perform(&mut self) -> Result<()> {
        let reply = self.connection.echo(std::mem::take(&mut self.outgoing[0])).await?;
        check_echo(&reply, &self.expected[0])?;
        self.outgoing[0] = reply;
        self.outgoing.swap(0, 1);
        self.expected.swap(0, 1);
        Ok(())
    }
}

/// Echoes a byte string.
pub(crate) struct EchoingBytes<C> {
    connection: C,
    /// Two different byte strings, sent alternately, so that a repeated reply would be noticed.
    outgoing: [Bytes; 2],
}

impl<C: Connection> EchoingBytes<C> {
    pub(crate) fn new(connection: &C, task: u32, bytes: u32) -> Self {
        let outgoing = [pattern(task, 0, bytes).into(), pattern(task, 1, bytes).into()];
        Self { connection: connection.clone(), outgoing }
    }
}

impl<C: Connection> Operation for EchoingBytes<C> {
    async fn perform(&mut self) -> Result<()> {
        let reply = self.connection.echo_bytes(self.outgoing[0].clone()).await?;
        check_echo(&reply, &self.outgoing[0])?;
        self.outgoing.swap(0, 1);
        Ok(())
    }
}

/// Creates a counter, calls it once and drops it.
pub(crate) struct Making<C> {
    connection: C,
}

impl<C: Connection> Making<C> {
    pub(crate) fn new(connection: &C) -> Self {
        Self { connection: connection.clone() }
    }
}

impl<C: Connection> Operation for Making<C> {
    async fn perform(&mut self) -> Result<()> {
        match self.connection.make().await?.add(1).await? {
            1 => Ok(()),
            other => Err(format!("a new counter answered {other}").into()),
        }
    }
}

/// Performs one chain of dependent calls.
pub(crate) struct Chaining<C> {
    connection: C,
    steps: u32,
    mode: Mode,
}

enum Mode {
    Pipelined,
    Awaited,
}

impl<C: Connection> Chaining<C> {
    pub(crate) fn pipelined(connection: &C, calls: NonZeroU32) -> Self {
        Self { connection: connection.clone(), steps: steps(calls), mode: Mode::Pipelined }
    }

    pub(crate) fn awaited(connection: &C, calls: NonZeroU32) -> Self {
        Self { connection: connection.clone(), steps: steps(calls), mode: Mode::Awaited }
    }
}

impl<C: Connection> Operation for Chaining<C> {
    async fn perform(&mut self) -> Result<()> {
        let value = match self.mode {
            Mode::Pipelined => self.connection.chain_pipelined(self.steps).await?,
            Mode::Awaited => self.connection.chain_awaited(self.steps).await?,
        };
        if value == u64::from(self.steps) {
            return Ok(());
        }
        Err(format!("the chain ended at {value} instead of {}", self.steps).into())
    }
}

/// Returns the number of calls between the first of a chain, on the root, and the last, for the value.
fn steps(calls: NonZeroU32) -> u32 {
    calls.get().saturating_sub(2)
}

/// Returns bytes that differ by task, by variant and by position.
fn pattern(task: u32, variant: u8, bytes: u32) -> Vec<u8> {
    let mut state = (u64::from(task) << 8 | u64::from(variant)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(bytes as usize).collect()
}

fn check_echo(reply: &[u8], expected: &[u8]) -> Result<()> {
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
    fn patterns_differ_by_task_and_variant() {
        assert_eq!(pattern(3, 1, 1_000), pattern(3, 1, 1_000));
        assert_ne!(pattern(3, 1, 1_000), pattern(3, 0, 1_000));
        assert_ne!(pattern(3, 1, 1_000), pattern(4, 1, 1_000));
        assert_ne!(pattern(3, 1, 1_000)[..500], pattern(3, 1, 1_000)[500..]);
    }
}
