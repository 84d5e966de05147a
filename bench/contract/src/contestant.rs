//! The traits that a contestant implements.

use std::error::Error;

use bytes::Bytes;

use crate::Workload;

/// Any error. It ends the play, which then yields no figures.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The result of one call.
pub type Result<V> = std::result::Result<V, Failure>;

/// One implementation of remote calls.
pub trait Contestant: 'static {
    /// One connection from the client process to the server process.
    type Connection: Connection;

    /// Worker threads of a multi-thread runtime. None for tokio's default: one for each core that the process may use.
    const WORKER_THREADS: Option<usize> = None;

    /// Binds a free port of 127.0.0.1, passes it to `announce`, and serves until the process is killed.
    ///
    /// A contestant without ports passes another number from which `connect` can derive the address.
    fn serve(announce: impl FnOnce(u16) + Send) -> impl Future<Output = Result<()>> + Send;

    /// Opens one more connection to the server at that port of 127.0.0.1.
    fn connect(port: u16) -> impl Future<Output = Result<Self::Connection>> + Send;

    /// Returns true if this contestant can play the workload. If not, the client reports it as unsupported.
    fn supports(_workload: Workload) -> bool {
        true
    }
}

/// One connection. Clones share it.
pub trait Connection: Clone + Send + Sync + 'static {
    /// A remote counter. When the last clone of a created one is dropped, the server can free it.
    type Counter: Counter;

    /// Returns the counter that all connections to this server share.
    fn counter(&self) -> Self::Counter;

    /// Creates a counter on the server. It starts at 0.
    fn make(&self) -> impl Future<Output = Result<Self::Counter>> + Send;

    /// Sends a plain vector to the server, which returns it.
    fn echo(&self, bytes: Vec<u8>) -> impl Future<Output = Result<Vec<u8>>> + Send;

    /// Sends a byte string to the server, which returns it.
    fn echo_bytes(&self, bytes: Bytes) -> impl Future<Output = Result<Bytes>> + Send;

    /// Performs `steps + 2` dependent calls without waiting for a reply in between.
    ///
    /// The calls are `node()` on the root, which returns a node of value 0; then `steps` times `next()`, which returns
    /// a node whose value is one higher; then `value()` on the last node.
    fn chain_pipelined(&self, steps: u32) -> impl Future<Output = Result<u64>> + Send;

    /// Performs the calls of [`chain_pipelined`](Self::chain_pipelined), each after the reply to the one before.
    fn chain_awaited(&self, steps: u32) -> impl Future<Output = Result<u64>> + Send;
}

/// A remote counter. Clones refer to the same counter.
pub trait Counter: Clone + Send + Sync + 'static {
    /// Adds `amount` and returns the sum.
    fn add(&self, amount: u64) -> impl Future<Output = Result<u64>> + Send;
}
