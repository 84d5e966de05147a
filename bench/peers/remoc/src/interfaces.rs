//! The interfaces that client and server share. Methods and arguments have the short names that remoc's codec writes as
//! one byte.

use bytes::Bytes;
use remoc::rtc::{self, CallError};

/// The root object of a server.
#[rtc::remote(server(Shared))]
pub(crate) trait Root {
    /// Returns the counter that all connections share.
    #[serde(rename = "_0")]
    async fn counter(&self) -> Result<CounterClient, CallError>;

    /// Returns a fresh counter, which starts at 0.
    #[serde(rename = "_1")]
    async fn make(&self) -> Result<CounterClient, CallError>;

    /// Returns its argument.
    #[serde(rename = "_2")]
    async fn echo(&self, #[serde(rename = "_0")] bytes: Vec<u8>) -> Result<Vec<u8>, CallError>;

    /// Returns its argument.
    #[serde(rename = "_3")]
    async fn echo_bytes(&self, #[serde(rename = "_0")] bytes: Bytes) -> Result<Bytes, CallError>;

    /// Returns the first node of a chain.
    #[serde(rename = "_4")]
    #[pipelinable]
    async fn node(&self) -> Result<NodeClient, CallError>;
}

/// A counter.
#[rtc::remote(server(Shared))]
pub(crate) trait Counter {
    /// Adds, and returns the sum.
    #[serde(rename = "_0")]
    async fn add(&self, #[serde(rename = "_0")] amount: u64) -> Result<u64, CallError>;
}

/// One node of a chain.
#[rtc::remote(server(Shared))]
pub(crate) trait Node {
    /// Returns a node whose value is one more.
    #[serde(rename = "_0")]
    #[pipelinable]
    async fn next(&self) -> Result<NodeClient, CallError>;

    /// Returns the number of nodes before this one.
    #[serde(rename = "_1")]
    async fn value(&self) -> Result<u64, CallError>;
}
