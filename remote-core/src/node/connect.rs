//! Owns how a node gets a session with the node at an address: the one it has, or a new one.
//!
//! It must not know what the session is for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::agreement::Introduced;
use super::handshake::introduce;
use super::link::Link;
use super::sessions::Sessions;
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::transport::uri::Uri;

/// What an address led to.
pub(crate) enum Reached {
    Peer(Arc<Link>),
    /// The node itself.
    Here,
}

/// Which node is wanted at an address.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    Any,
    /// This one, and no other: with another no session is begun.
    Only(NodeId),
}

/// The addresses that a node has connected to.
#[derive(Default)]
pub(crate) struct Dialled {
    places: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<NodeId>>>>>,
}

impl Dialled {
    /// The session with the node at an address. Callers for the same address share one attempt.
    pub(crate) async fn reach(&self, sessions: &Arc<Sessions>, uri: &Uri) -> Result<Reached> {
        let place = self.place(uri);
        let mut known = place.lock().await;
        if let Some(node) = *known {
            if node == sessions.shared.id {
                return Ok(Reached::Here);
            }
            // One without a connection is not waited for: who dials learns whether anybody is there.
            if let Some(link) = sessions.find(node).filter(|link| !link.is_suspended()) {
                return Ok(Reached::Peer(link));
            }
        }
        let reached = dial(sessions, uri, Wanted::Any).await?;
        *known = Some(match &reached {
            Reached::Peer(link) => link.peer.id(),
            Reached::Here => sessions.shared.id,
        });
        Ok(reached)
    }

    fn place(&self, uri: &Uri) -> Arc<tokio::sync::Mutex<Option<NodeId>>> {
        let mut places = self.places.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(places.entry(uri.node()).or_default())
    }
}

/// Connects to an address.
pub(crate) async fn dial(sessions: &Arc<Sessions>, uri: &Uri, wanted: Wanted) -> Result<Reached> {
    let limit = sessions.shared.limits.handshake_time;
    let failed = |reason: String| Error::NotConnected { address: uri.node(), reason };
    let attempt = async {
        let mut connection = uri.transport()?.connect(uri).await?;
        let (own, asked) = (sessions.shared.hello(), Instant::now());
        let hello = introduce(&mut connection, &own).await?;
        match wanted {
            _ if hello.node == sessions.shared.id => return Ok(Reached::Here),
            Wanted::Only(node) if hello.node != node => return Err(Error::Stale),
            Wanted::Any | Wanted::Only(_) => {}
        }
        let introduced = Introduced { hello: &hello, own: &own, asked, dialled: Some(uri) };
        Ok(Reached::Peer(introduced.agree(sessions, connection).await?))
    };
    match tokio::time::timeout(limit, attempt).await {
        Ok(Err(Error::Io(reason) | Error::Protocol(reason))) => Err(failed(reason)),
        Ok(Err(Error::Refused(reason))) => Err(failed(format!("the peer refused: {reason}"))),
        Ok(reached) => reached,
        Err(_) => Err(failed(format!("no answer within {} s", limit.as_secs_f32()))),
    }
}
