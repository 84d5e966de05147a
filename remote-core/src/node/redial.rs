//! Owns how a lost connection is made again: by the side that made it, with growing pauses, while the lease runs.
//!
//! It must not know what the two sides agree on then.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::connect::{Reached, Wanted, dial};
use super::link::Link;
use super::sessions::Sessions;
use super::state::State;
use crate::error::Error;
use crate::transport::uri::Uri;

/// The pause after the first attempt that failed, and the longest.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Sees to it that a session has a connection, until it is over.
pub(crate) async fn keep_connected(sessions: Arc<Sessions>, link: Arc<Link>, uri: Uri) {
    let mut state = link.state().subscribe();
    loop {
        let changed = state.wait_for(|state| *state != State::Connected).await;
        match changed.map(|state| *state) {
            Ok(State::Suspended) => reconnect(&sessions, &link, &uri, &mut state).await,
            Ok(State::Ended | State::Connected) | Err(_) => return,
        }
    }
}

async fn reconnect(
    sessions: &Arc<Sessions>,
    link: &Arc<Link>,
    uri: &Uri,
    state: &mut watch::Receiver<State>,
) {
    let longest = LONGEST.min(link.term() / 8);
    let mut pause = FIRST.min(longest);
    while *state.borrow() == State::Suspended {
        match dial(sessions, uri, Wanted::Only(link.peer.id())).await {
            Ok(Reached::Peer(_)) => {}
            Ok(Reached::Here) | Err(Error::Stale) => {
                link.update(|inner| inner.session.find_restarted());
            }
            Err(error) => tracing::debug!(address = uri.node(), %error, "cannot reconnect yet"),
        }
        let resumed = state.wait_for(|state| *state != State::Suspended);
        if tokio::time::timeout(jittered(pause), resumed).await.is_ok() {
            return;
        }
        pause = (pause * 2).min(longest);
    }
}

/// Between half of a pause and all of it, so that peers that lost one node do not come back all at once.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness they do.
    let _ = getrandom::fill(&mut byte);
    pause / 2 + pause / 2 * u32::from(byte[0]) / 255
}
