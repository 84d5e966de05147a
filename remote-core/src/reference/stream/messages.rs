//! Owns what the two ends of a stream say to each other.
//!
//! It must not know how they do what they are told. They are objects like any others, so the order of messages, windows,
//! leases, resumption and hand-off hold for streams, too. That whoever takes values issues credit for them, and nothing is
//! sent without, is the flow control of Tony Garnock-Jones's "Actors for Squeak".

use remote_derive::remote;

use super::batch::Batch;
use crate::error::{Error, Result};
use crate::reference::reference::Ref;

/// Where the values of a stream come from: what a stream is a reference to, as long as nobody takes values from it.
#[remote(name = "remote.Source")]
pub(crate) trait Source {
    /// Has the values sent to an inbox, with credit for so many values and so many bytes. It can be done once.
    async fn open(&self, inbox: Ref<dyn Inbox>, values: u64, bytes: u64) -> Result<()>;

    /// Issues more credit.
    async fn credit(&self, values: u64, bytes: u64) -> Result<()>;
}

/// Where the values of a stream go to. It is stopped when nobody takes them any more.
#[remote(name = "remote.Inbox")]
pub(crate) trait Inbox {
    /// The next values.
    async fn values(&self, batch: Batch) -> Result<()>;

    /// There are no more, in good order or not.
    async fn end(&self, failure: Option<Error>) -> Result<()>;
}
