//! Dialling: returns the session with the node at an address, creating it if necessary, and reconnects it with backoff while
//! the lease runs. The side that dialled first also makes all later connections of a session.
//!
//! It must not know the use of the session, nor what the two sides negotiate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::handshake::introduce;
use super::negotiate::Negotiation;
use super::registry::Sessions;
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::mutex::Mutex;
use crate::node::session::shared::SharedSession;
use crate::node::session::state::SessionState;
use crate::random;
use crate::transport::uri::Uri;

/// The first pause between attempts, and the longest.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// The node at an address.
pub(crate) enum Reached {
    Peer(Arc<SharedSession>),
    /// This node itself.
    Here,
}

/// The reason for which a node was not reached.
enum Unreached {
    /// A node other than the wanted one has answered.
    Restarted,
    Failed(Error),
}

impl From<Error> for Unreached {
    fn from(error: Error) -> Unreached {
        Unreached::Failed(error)
    }
}

impl From<Unreached> for Error {
    fn from(unreached: Unreached) -> Error {
        match unreached {
            Unreached::Failed(error) => error,
            Unreached::Restarted => Error::Stale,
        }
    }
}

/// The nodes that are accepted at an address.
#[derive(Clone, Copy)]
enum Wanted {
    Any,
    /// Only this node. No session is started with another one.
    Only(NodeId),
}

/// The addresses that a node has dialled, each with the node that answered there.
#[derive(Default)]
pub(crate) struct Dialled {
    places: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<NodeId>>>>>,
}

impl Dialled {
    /// Returns the session with the node at an address. Concurrent callers for one address share one attempt.
    pub(crate) async fn reach(&self, sessions: &Arc<Sessions>, uri: &Uri) -> Result<Reached> {
        let place = self.place(uri);
        let mut known = place.lock().await;
        if let Some(node) = *known {
            if node == sessions.shared.id {
                return Ok(Reached::Here);
            }
            // Does not wait for a suspended session to resume: dialling shows if a process listens there.
            if let Some(session) = sessions.find(node).filter(|session| !session.is_suspended()) {
                return Ok(Reached::Peer(session));
            }
        }
        let limit = sessions.shared.limits.handshake_time;
        let reached = dial(sessions, uri, Wanted::Any, limit).await.map_err(Error::from)?;
        *known = Some(match &reached {
            Reached::Peer(session) => session.peer.id(),
            Reached::Here => sessions.shared.id,
        });
        Ok(reached)
    }

    fn place(&self, uri: &Uri) -> Arc<tokio::sync::Mutex<Option<NodeId>>> {
        let mut places = self.places.lock();
        Arc::clone(places.entry(uri.node()).or_default())
    }
}

/// Connects to an address and negotiates a session, within a time limit.
async fn dial(
    sessions: &Arc<Sessions>,
    uri: &Uri,
    wanted: Wanted,
    limit: Duration,
) -> Result<Reached, Unreached> {
    let failed = |reason| Unreached::Failed(Error::NotConnected { address: uri.node(), reason });
    let transport = uri.transport()?;
    let attempt = async {
        let mut connection = transport.connect(uri).await?;
        let (own, asked) = (sessions.shared.hello(&connection), Instant::now());
        let hello = introduce(&mut connection, &own).await?;
        match wanted {
            _ if hello.node == sessions.shared.id => return Ok(Reached::Here),
            Wanted::Only(node) if hello.node != node => return Err(Unreached::Restarted),
            Wanted::Any | Wanted::Only(_) => {}
        }
        let negotiation = Negotiation { hello: &hello, own: &own, asked, dialled: Some(uri) };
        let session = negotiation.run(sessions, connection).await?;
        keep_connected(sessions, &session);
        Ok(Reached::Peer(session))
    };
    match tokio::time::timeout(limit, attempt).await {
        Ok(Err(Unreached::Failed(Error::Io(reason) | Error::Protocol(reason)))) => {
            Err(failed(reason))
        }
        Ok(Err(Unreached::Failed(Error::Refused(reason)))) => {
            Err(failed(format!("the peer refused: {reason}")))
        }
        Ok(reached) => reached,
        Err(_) => Err(failed(format!("no answer within {} s", limit.as_secs_f32()))),
    }
}

/// Spawns a task that reconnects a session which this side has dialled, until the session has ended.
fn keep_connected(sessions: &Arc<Sessions>, session: &Arc<SharedSession>) {
    let Some(uri) = session.origin.begin_to_keep() else { return };
    let (sessions, session) = (Arc::clone(sessions), Arc::clone(session));
    tokio::spawn(async move {
        let mut state = session.state.subscribe();
        loop {
            let changed = state.wait_for(|state| *state != SessionState::Connected).await;
            match changed.map(|state| *state) {
                Ok(SessionState::Suspended) => {
                    reconnect(&sessions, &session, &uri, &mut state).await
                }
                Ok(SessionState::Ended | SessionState::Connected) | Err(_) => return,
            }
        }
    });
}

async fn reconnect(
    sessions: &Arc<Sessions>,
    session: &Arc<SharedSession>,
    uri: &Uri,
    state: &mut watch::Receiver<SessionState>,
) {
    // The limit is a part of the term, so that an attempt delayed by a lost packet is repeated while the lease runs.
    let limit = sessions.shared.limits.handshake_time.min(session.term() / 8);
    let longest = LONGEST.min(limit);
    let mut pause = FIRST.min(longest);
    while *state.borrow() == SessionState::Suspended {
        match dial(sessions, uri, Wanted::Only(session.peer.id()), limit).await {
            Ok(Reached::Peer(_)) => {}
            Ok(Reached::Here) | Err(Unreached::Restarted) => {
                session.update(|inner| inner.machine.handle_peer_restarted());
            }
            Err(unreached) => {
                let error = Error::from(unreached);
                tracing::debug!(address = uri.node(), %error, "cannot reconnect yet");
            }
        }
        let resumed = state.wait_for(|state| *state != SessionState::Suspended);
        if tokio::time::timeout(jittered(pause), resumed).await.is_ok() {
            return;
        }
        pause = (pause * 2).min(longest);
    }
}

/// Returns a random pause between one half and the whole of `pause`, so that peers that lost the same node do not all reconnect
/// at once.
fn jittered(pause: Duration) -> Duration {
    let [byte] = random::bytes();
    pause / 2 + pause / 2 * u32::from(byte) / 255
}
