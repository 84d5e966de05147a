//! Owns how a command ends: who may ask it to, and how long it may take to say goodbye. Knows nothing of what then ends.

use std::io;
use std::time::Duration;

/// How long a farewell may take: what is on its way arrives, and the sessions end in peace.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// Ends at Ctrl-C or SIGTERM, which are listened for from now on: they no longer end the process by themselves.
#[cfg(unix)]
pub(crate) fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
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

/// Ends at Ctrl-C.
#[cfg(windows)]
pub(crate) fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
