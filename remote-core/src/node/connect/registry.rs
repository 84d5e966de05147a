//! The sessions of a node: at most one with each peer, however many connections are made. Also a table of ended sessions.
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
use crate::session::SHUTTING_DOWN;
use crate::wire::hello::{ResumeState, Secret, Sides};

/// The maximum number of ended sessions in the table.
const REMEMBERED: usize = 4096;

/// The bytes that count against `Limits::memory` for an empty session; 5 KiB were measured. A suspended session has no file
/// descriptor, so that only this limits how many of them a peer can leave within a lease.
const SESSION: usize = 8 * 1024;

/// The sessions of a node.
pub(crate) struct Sessions {
    pub(crate) shared: Arc<Shared>,
    links: Mutex<HashMap<NodeId, Arc<SharedSession>>>,
    ended: Mutex<HashMap<NodeId, Ended>>,
    /// Sessions that are over, and whose one-way messages are still being executed.
    detached: Mutex<Vec<Arc<SharedSession>>>,
    changed: Notify,
}

/// An ended session, kept in the table until the peer must have noticed its end.
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
            detached: Mutex::default(),
            changed: Notify::new(),
        })
    }

    pub(crate) fn all(&self) -> Vec<Arc<SharedSession>> {
        self.links.lock().values().cloned().collect()
    }

    /// Returns the sessions that are over, and whose one-way messages are still being executed.
    pub(crate) fn detached(&self) -> Vec<Arc<SharedSession>> {
        let mut detached = self.detached.lock();
        let over = detached.extract_if(.., |session| session.detached() == 0).collect::<Vec<_>>();
        let left = detached.clone();
        drop(detached);
        drop(over);
        left
    }

    /// Returns the live session with a peer.
    pub(crate) fn find(&self, peer: NodeId) -> Option<Arc<SharedSession>> {
        self.links.lock().get(&peer).filter(|session| session.is_live()).cloned()
    }

    /// Returns this side's state of the session with a peer, with a proof.
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

    /// Adds a new session, or returns the existing live one.
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
        // A former session keeps its exports until its lease has expired: the peer may not know yet that it has ended.
        links.insert(peer, Arc::clone(&session));
        drop(links);
        self.ended.lock().remove(&peer);
        Ok(session)
    }

    /// Wakes the tasks that wait for a session.
    pub(crate) fn note_begun(&self) {
        self.changed.notify_waiters();
    }

    /// Ends the sessions that neither side needs, now or as soon as that is the case: the last handle of the node was dropped.
    pub(crate) fn orphan(&self) {
        self.shared.orphan();
        for session in self.all() {
            session.update(|_| ());
        }
    }

    /// Returns the reason if no new session is accepted.
    pub(crate) fn refusal(&self) -> Option<String> {
        if self.shared.is_closing() {
            return Some(SHUTTING_DOWN.into());
        }
        if self.shared.is_orphaned() {
            return Some("the node is gone".into());
        }
        let held = |session: &Arc<SharedSession>| SESSION + session.lock().machine.held();
        let detached = |session: &Arc<SharedSession>| session.detached_bytes();
        let held: usize = self.all().iter().map(held).sum::<usize>()
            + self.detached().iter().map(detached).sum::<usize>();
        let limit = self.shared.limits.memory;
        (held >= limit).then(|| {
            format!("the node holds {held} bytes for its peers (`Limits::memory` is {limit})")
        })
    }

    /// Waits for a session with a peer that is being made on another connection.
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
        // Shorter than the time limit of the whole connection attempt, of which this is a part.
        let limit = self.shared.limits.handshake_time / 4 * 3;
        tokio::time::timeout(limit, wait).await.map_err(|_| Error::NotConnected {
            address: format!("node {peer}"),
            reason: "the peer has a session with this node that this node has lost; try again"
                .into(),
        })
    }

    /// Removes a session whose tasks have ended.
    pub(crate) fn remove(&self, session: &Arc<SharedSession>) {
        let mut links = self.links.lock();
        if links.get(&session.peer.id()).is_some_and(|known| Arc::ptr_eq(known, session)) {
            self.remember(session);
            links.remove(&session.peer.id());
        }
        drop(links);
        if session.detached() > 0 {
            self.detached.lock().push(Arc::clone(session));
            drop(self.detached()); // Removes those that are done.
        }
        self.changed.notify_waiters();
        self.shared.ended.notify_waiters();
    }

    /// Adds a session to the table of ended ones, for as long as the peer may try to resume it.
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

    /// Returns true if there is a session with a peer, or an ended one in the table.
    pub(crate) fn remembers(&self, peer: NodeId) -> bool {
        self.links.lock().contains_key(&peer) || self.ended.lock().contains_key(&peer)
    }
}
