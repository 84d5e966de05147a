//! The end of the peer's process, on the same machine: a suspended session ends with it, before the lease does.
//!
//! It must not end a session that has a connection: what the process sent last is still read.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::shared::SharedSession;
use super::state::SessionState;
use crate::transport::peer_process::PeerProcess;

/// The pause after the first look at a process whose connection was lost, and the longest. A process that is killed closes
/// its connections a moment before its end can be seen.
const FIRST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);

impl SharedSession {
    /// Watches the process of the peer, until the session is over. It is the same on all connections: one is watched.
    pub(super) fn watch_process(&self, process: PeerProcess) {
        if self.watches_process.swap(true, Ordering::Relaxed) {
            return;
        }
        let (session, mut state) = (self.downgrade(), self.state.subscribe());
        tokio::spawn(async move {
            let mut pause = FIRST;
            loop {
                let changed = state.wait_for(|state| *state != SessionState::Connected).await;
                let suspended = changed.is_ok_and(|state| *state == SessionState::Suspended);
                let Some(session) = session.upgrade().filter(|_| suspended) else { return };
                if process.has_ended() {
                    let reason = format!("the process of the peer, {}, has ended", process.id());
                    return session.update(|inner| inner.machine.handle_failure(&reason));
                }
                drop(session);
                let resumed = state.wait_for(|state| *state != SessionState::Suspended);
                pause = match tokio::time::timeout(pause, resumed).await {
                    Ok(_) => FIRST,
                    Err(_) => (2 * pause).min(LONGEST),
                };
            }
        });
    }
}
