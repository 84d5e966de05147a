//! The interfaces that client and server share. They say what can be asked, and must not know who answers.

use bytes::Bytes;
use remote_core::{Ref, Result, remote};

/// Adds up.
#[remote]
pub(crate) trait Counter {
    /// Adds, and answers the sum.
    async fn add(&self, amount: u64) -> Result<u64>;
}

/// What there is one of on a server.
#[remote]
pub(crate) trait Root {
    /// Answers what it is given.
    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>>;

    /// Answers what it is given.
    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes>;

    /// A fresh counter at 0.
    async fn make(&self) -> Result<Ref<dyn Counter>>;

    /// The first link of a fresh chain.
    async fn node(&self) -> Result<Ref<dyn Link>>;
}

/// One link of a chain.
#[remote]
pub(crate) trait Link {
    /// A fresh link after this one.
    async fn next(&self) -> Result<Ref<dyn Link>>;

    /// How many links are before this one.
    async fn value(&self) -> Result<u64>;
}
