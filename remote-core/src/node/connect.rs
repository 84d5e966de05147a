//! Owns how a node gets a session with the node at an address: the one it has, or a new one.
//!
//! It must not know what the session is for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::handshake::{Decides, decides, hear_verdict, introduce, say_verdict};
use super::link::Link;
use super::sessions::{Decision, Sessions};
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::transport::connection::Connection;
use crate::transport::uri::Uri;
use crate::wire::hello::{Hello, Verdict};

/// What an address led to.
pub(crate) enum Reached {
    Peer(Arc<Link>),
    /// The node itself.
    Here,
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
            if let Some(link) = sessions.find(node) {
                return Ok(Reached::Peer(link));
            }
        }
        let reached = dial(sessions, uri).await?;
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

async fn dial(sessions: &Arc<Sessions>, uri: &Uri) -> Result<Reached> {
    let limit = sessions.shared.limits.handshake_time;
    let failed = |reason: String| Error::NotConnected { address: uri.node(), reason };
    let attempt = async {
        let mut connection = uri.transport()?.connect(uri).await?;
        let hello = introduce(&mut connection, &sessions.shared.hello()).await?;
        if hello.node == sessions.shared.id {
            return Ok(Reached::Here);
        }
        settle(sessions, connection, hello).await
    };
    match tokio::time::timeout(limit, attempt).await {
        Ok(Err(Error::Io(reason) | Error::Protocol(reason))) => Err(failed(reason)),
        Ok(Err(Error::Refused(reason))) => Err(failed(format!("the peer refused: {reason}"))),
        Ok(reached) => reached,
        Err(_) => Err(failed(format!("no answer within {} s", limit.as_secs_f32()))),
    }
}

async fn settle(
    sessions: &Arc<Sessions>,
    mut connection: Connection,
    hello: Hello,
) -> Result<Reached> {
    match decides(sessions.shared.id, hello.node) {
        Decides::This => {
            let decision = sessions.decide(&connection, &hello);
            say_verdict(&mut connection, &decision.verdict()).await?;
            match decision {
                Decision::Accepted(begun) => Ok(Reached::Peer(begun.start(connection))),
                Decision::Duplicate(link) => Ok(Reached::Peer(link)),
                Decision::Refused(reason) => Err(Error::Refused(reason)),
            }
        }
        Decides::Peer => match hear_verdict(&mut connection).await? {
            Verdict::Accept => {
                Ok(Reached::Peer(sessions.accept(&connection, &hello).start(connection)))
            }
            Verdict::Duplicate => Ok(Reached::Peer(sessions.wait_for(hello.node).await?)),
            Verdict::Refuse { reason, .. } => Err(Error::Refused(reason)),
        },
    }
}
