//! The interfaces of the two ends of a stream.
//!
//! It must not know the implementations. Both ends are ordinary objects, so that the order of messages, windows, leases,
//! resumption and hand-off apply to streams, too. The flow control by credit is that of Tony Garnock-Jones's "Actors for
//! Squeak".

use remote_derive::remote;

use super::batch::Batch;
use crate::error::{Error, Result};
use crate::reference::reference::Ref;

/// The source of a stream's values. A stream that is not opened yet is a reference to it.
#[remote(name = "remote.Source")]
pub(crate) trait Source {
    /// Sends the values to an inbox, with an initial credit of values and bytes. Fails if the source has been opened
    /// before.
    async fn open(&self, inbox: Ref<dyn Inbox>, values: u64, bytes: u64) -> Result<()>;

    /// Issues more credit.
    async fn credit(&self, values: u64, bytes: u64) -> Result<()>;
}

/// The destination of a stream's values. It is stopped when values are no longer taken.
#[remote(name = "remote.Inbox")]
pub(crate) trait Inbox {
    /// Delivers the next values.
    async fn values(&self, batch: Batch) -> Result<()>;

    /// Ends the stream, with an error or in order.
    async fn end(&self, failure: Option<Error>) -> Result<()>;
}
