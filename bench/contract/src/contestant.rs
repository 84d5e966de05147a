//! What a contestant supplies: a server, connections to it, and the objects behind them. It must not know how the load
//! on them is made or measured.

use std::error::Error;

use bytes::Bytes;

use crate::Workload;

/// Whatever went wrong; it ends the run, which then counts for nothing.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The result of one message.
pub type Result<V> = std::result::Result<V, Failure>;

/// One way of calling far objects.
pub trait Contestant: 'static {
    /// One connection from the client process to the server process.
    type Connection: Connection;

    /// Binds a free port of 127.0.0.1, passes it to `announce`, and serves until the process is killed.
    fn serve(announce: impl FnOnce(u16) + Send) -> impl Future<Output = Result<()>> + Send;

    /// Opens one more connection to the server on that port of 127.0.0.1.
    fn connect(port: u16) -> impl Future<Output = Result<Self::Connection>> + Send;

    /// Whether this contestant can play a workload; where it cannot, it says so and is left out.
    fn supports(_workload: Workload) -> bool {
        true
    }
}

/// One connection; clones share it.
pub trait Connection: Clone + Send + Sync + 'static {
    /// A far counter. Dropping the last clone of a made one lets the server free it.
    type Counter: Counter;

    /// The one counter that all connections of this server share.
    fn counter(&self) -> Self::Counter;

    /// Makes a fresh counter on the server, which starts at 0.
    fn make(&self) -> impl Future<Output = Result<Self::Counter>> + Send;

    /// Sends a plain vector there and back.
    fn echo(&self, bytes: Vec<u8>) -> impl Future<Output = Result<Vec<u8>>> + Send;

    /// Sends a byte string there and back.
    fn echo_bytes(&self, bytes: Bytes) -> impl Future<Output = Result<Bytes>> + Send;

    /// Asks the root for its node (whose value is 0), then `steps` times a node for the next one (whose value is one
    /// more), then the last one for its value, without waiting for a reply in between.
    fn chain_pipelined(&self, steps: u32) -> impl Future<Output = Result<u64>> + Send;

    /// The same messages as [`chain_pipelined`](Self::chain_pipelined), each sent when the reply to the last is there.
    fn chain_awaited(&self, steps: u32) -> impl Future<Output = Result<u64>> + Send;
}

/// A far counter; clones mean the same one.
pub trait Counter: Clone + Send + Sync + 'static {
    /// Adds, and answers the sum.
    fn add(&self, amount: u64) -> impl Future<Output = Result<u64>> + Send;
}
