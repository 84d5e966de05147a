//! Accepting in a loop: a failure to accept one connection must not end the loop.
//!
//! It must not know what is accepted.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

/// The pause after a failure, for example for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts the next one. After a failure it logs the error, pauses, and tries again.
pub(crate) async fn accept<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>) -> T {
    loop {
        match poll_fn(&mut poll).await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept; will try again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
