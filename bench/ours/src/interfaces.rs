//! The interfaces that client and server share.

use bytes::Bytes;
use remote_core::{Ref, Result, remote};

/// A counter.
#[remote]
pub(crate) trait Counter {
    /// Adds `amount` and returns the sum.
    async fn add(&self, amount: u64) -> Result<u64>;
}

/// The first object of a server.
#[remote]
pub(crate) trait Root {
    /// Returns its argument.
    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>>;

    /// Returns its argument.
    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes>;

    /// Creates a counter, which starts at 0.
    async fn make(&self) -> Result<Ref<dyn Counter>>;

    /// Creates a chain and returns its first link.
    async fn node(&self) -> Result<Ref<dyn Link>>;
}

/// A link of a chain.
#[remote]
pub(crate) trait Link {
    /// Creates the next link.
    async fn next(&self) -> Result<Ref<dyn Link>>;

    /// Returns the number of links before this one.
    async fn value(&self) -> Result<u64>;
}
