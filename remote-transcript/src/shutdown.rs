//! Shutdown of a command: the signals that request it, and its time limit. It must not know what is shut down.

use std::io;
use std::time::Duration;

/// The time limit of a shutdown, in which messages in transit arrive and sessions end.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// Returns a future that resolves at Ctrl-C or SIGTERM. From this call on, the signals no longer end the process by
/// themselves.
#[cfg(unix)]
pub(crate) fn termination() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that resolves at Ctrl-C.
#[cfg(windows)]
pub(crate) fn termination() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
