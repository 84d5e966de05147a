//! Owns the sessions of a node: one with each peer, however many connections are made, and what is remembered of those
//! that ended.
//!
//! It must not know transports, nor decide which connections become sessions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::mutex::Mutex;
use crate::node::session::shared::SharedSession;
use crate::node::shared::Shared;
use crate::wire::hello::{ResumeState, Secret, Sides};

/// How many ended sessions are remembered.
const REMEMBERED: usize = 4096;

/// What a session costs that holds nothing, in bytes: 5 KiB were measured. One that has lost its connection costs no
/// file, so that nothing else would bound how many a peer can leave behind within a lease.
const SESSION: usize = 8 * 1024;

/// The sessions of a node.
pub(crate) struct Sessions {
    pub(crate) shared: Arc<Shared>,
    links: Mutex<HashMap<NodeId, Arc<SharedSession>>>,
    ended: Mutex<HashMap<NodeId, Ended>>,
    changed: Notify,
}

/// A session that is over, until the peer must know that, too.
struct Ended {
    secret: Secret,
    code: u64,
    until: Instant,
}

impl Sessions {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Sessions> {
        Arc::new(Sessions {
            shared,
            links: Mutex::default(),
            ended: Mutex::default(),
            changed: Notify::new(),
        })
    }

    pub(crate) fn all(&self) -> Vec<Arc<SharedSession>> {
        self.links.lock().values().cloned().collect()
    }

    /// The live session with a peer.
    pub(crate) fn find(&self, peer: NodeId) -> Option<Arc<SharedSession>> {
        self.links.lock().get(&peer).filter(|session| session.is_live()).cloned()
    }

    /// What this side knows of a session with a peer, proved to it.
    pub(crate) fn resume_state(&self, sides: Sides<'_>) -> ResumeState {
        let peer = sides.peer.node;
        if let Some(session) = self.links.lock().get(&peer) {
            let inner = session.lock();
            let machine = &inner.machine;
            return match machine.closed() {
                None => {
                    let (received, suspended) = (machine.received(), machine.is_suspended());
                    ResumeState::live(received, suspended, &session.secret, sides)
                }
                Some(_) => ResumeState::ended(machine.code(), &session.secret, sides),
            };
        }
        match self.ended.lock().get(&peer) {
            Some(ended) => ResumeState::ended(ended.code, &ended.secret, sides),
            None => ResumeState::None,
        }
    }

    /// Enters a new session, unless there is one by now.
    pub(crate) fn enter(
        &self,
        peer: NodeId,
        make: impl FnOnce() -> Arc<SharedSession>,
    ) -> std::result::Result<Arc<SharedSession>, Arc<SharedSession>> {
        let mut links = self.links.lock();
        if let Some(session) = links.get(&peer).filter(|session| session.is_live()) {
            return Err(Arc::clone(session));
        }
        let session = make();
        // What a former session still shows goes in its own time: the peer may not have heard that it is over.
        links.insert(peer, Arc::clone(&session));
        drop(links);
        self.ended.lock().remove(&peer);
        Ok(session)
    }

    /// A session has begun.
    pub(crate) fn note_begun(&self) {
        self.changed.notify_waiters();
    }

    /// The node's last handle is gone: sessions that nobody needs end, now or when they are last used.
    pub(crate) fn orphan(&self) {
        self.shared.orphan();
        for session in self.all() {
            session.update(|_| ());
        }
    }

    /// Why there can be no new session, if so.
    pub(crate) fn refusal(&self) -> Option<String> {
        if self.shared.is_closing() {
            return Some("the node is shutting down".into());
        }
        if self.shared.is_orphaned() {
            return Some("the node is gone".into());
        }
        let held = |session: &Arc<SharedSession>| SESSION + session.lock().machine.held();
        let held: usize = self.all().iter().map(held).sum();
        let limit = self.shared.limits.memory;
        (held >= limit).then(|| {
            format!("the node holds {held} bytes for its peers (`Limits::memory` is {limit})")
        })
    }

    /// Waits until there is a session with a peer, which was made on another connection.
    pub(crate) async fn wait_for(&self, peer: NodeId) -> Result<Arc<SharedSession>> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(session) = self.find(peer) {
                    return session;
                }
                changed.await;
            }
        };
        // Shorter than the attempt to connect, which this is a part of.
        let limit = self.shared.limits.handshake_time * 3 / 4;
        tokio::time::timeout(limit, wait).await.map_err(|_| Error::NotConnected {
            address: format!("node {peer}"),
            reason: "the peer has a session with this node that this node has lost; try again"
                .into(),
        })
    }

    /// The tasks of a session have ended.
    pub(crate) fn remove(&self, session: &Arc<SharedSession>) {
        let mut links = self.links.lock();
        if links.get(&session.peer.id()).is_some_and(|known| Arc::ptr_eq(known, session)) {
            self.remember(session);
            links.remove(&session.peer.id());
        }
        drop(links);
        self.changed.notify_waiters();
        self.shared.ended.notify_waiters();
    }

    /// For as long as the peer may believe that the session goes on, it can be told that it does not.
    fn remember(&self, session: &SharedSession) {
        let (now, mut ended) = (Instant::now(), self.ended.lock());
        if ended.len() >= REMEMBERED {
            ended.retain(|_, ended| ended.until > now);
        }
        let inner = session.lock();
        let (code, until) = (inner.machine.code(), now + inner.machine.term() * 5 / 4);
        if ended.len() < REMEMBERED {
            ended.insert(session.peer.id(), Ended { secret: session.secret, code, until });
        }
    }

    /// Whether there was a session with a peer, the end of which the peer can be told.
    pub(crate) fn remembers(&self, peer: NodeId) -> bool {
        self.links.lock().contains_key(&peer) || self.ended.lock().contains_key(&peer)
    }
}
