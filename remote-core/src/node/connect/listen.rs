//! Accepting connections: each completes the handshake within a limit and becomes a session, or is closed.
//!
//! It must not be blocked by unknown peers: handshakes in progress are limited in number and time, and above the limit the
//! oldest is aborted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::{AbortHandle, JoinSet};

use super::handshake::{Decides, decides, read_hello, write_hello};
use super::negotiate::Negotiation;
use super::registry::Sessions;
use crate::error::{Error, Result};
use crate::transport::accept::accept;
use crate::transport::connection::{Connection, Listener};

/// Accepts connections until the task is aborted.
pub(crate) async fn accept_all(sessions: Arc<Sessions>, mut listener: Box<dyn Listener>) {
    // Dropped with this task, it aborts the handshakes in progress.
    let mut handshakes = JoinSet::new();
    let mut strangers: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let connection = accept(|context| listener.poll_accept(context)).await;
        strangers.retain(|stranger| !stranger.is_finished());
        if strangers.len() >= sessions.shared.limits.handshakes
            && let Some(oldest) = strangers.pop_front()
        {
            oldest.abort();
        }
        while handshakes.try_join_next().is_some() {}
        strangers.push_back(handshakes.spawn(welcome(Arc::clone(&sessions), connection)));
    }
}

async fn welcome(sessions: Arc<Sessions>, connection: Connection) {
    let address = connection.address.clone();
    let limit = sessions.shared.limits.handshake_time;
    match tokio::time::timeout(limit, handshake(&sessions, connection)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(address, %error, "a connection did not become a session"),
        Err(_) => tracing::debug!(address, "a connection did not introduce itself in time"),
    }
}

async fn handshake(sessions: &Arc<Sessions>, mut connection: Connection) -> Result<()> {
    let hello = read_hello(&mut connection).await?;
    let (own, asked) = (sessions.shared.hello(&connection), Instant::now());
    write_hello(&mut connection, &own).await?;
    if hello.node == sessions.shared.id {
        return Ok(()); // This node has dialled itself, and detects that by the hello.
    }
    if decides(sessions.shared.id, hello.node) == Decides::Peer
        && sessions.find(hello.node).is_none()
        && let Some(reason) = sessions.refusal()
    {
        // The peer decides, and would accept. Closing the connection refuses it.
        return Err(Error::Refused(reason));
    }
    let negotiation = Negotiation { hello: &hello, own: &own, asked, dialled: None };
    negotiation.run(sessions, connection).await.map(drop)
}
