//! Owns the sessions of a node: one with each peer, however many connections are made.
//!
//! It must not know transports.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use tokio::sync::Notify;

use super::driver::drive;
use super::link::Link;
use super::shared::Shared;
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::object::peer::Peer;
use crate::session::{Session, Settings};
use crate::transport::connection::Connection;
use crate::wire::hello::{Grant, Hello, Verdict};

/// What is decided about a connection.
pub(crate) enum Decision {
    Accepted(Begun),
    Duplicate(Arc<Link>),
    Refused(String),
}

impl Decision {
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Decision::Accepted(_) => Verdict::Accept,
            Decision::Duplicate(_) => Verdict::Duplicate,
            Decision::Refused(reason) => Verdict::Refuse { code: 0, reason: reason.clone() },
        }
    }
}

/// A session that is decided for, and has no tasks yet. Dropped before it has, because the connection failed
/// meanwhile, it is over.
pub(crate) struct Begun {
    sessions: Arc<Sessions>,
    link: Option<Arc<Link>>,
}

impl Begun {
    /// Starts the tasks.
    pub(crate) fn start(mut self, connection: Connection) -> Arc<Link> {
        let link = self.link.take().expect("it is taken only here and when it is dropped");
        let Connection { reader, writer, .. } = connection;
        let (sessions, ended) = (Arc::clone(&self.sessions), Arc::clone(&link));
        tracing::debug!(peer = %link.peer.id(), address = link.peer.address(), "session begins");
        drive(Arc::clone(&link), reader, writer, move || sessions.remove(&ended));
        self.sessions.changed.notify_waiters();
        link
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            link.update(|inner| {
                inner.session.lose("the connection failed before the session began")
            });
            self.sessions.remove(&link);
        }
    }
}

/// The sessions of a node.
pub(crate) struct Sessions {
    pub(crate) shared: Arc<Shared>,
    links: Mutex<HashMap<NodeId, Arc<Link>>>,
    changed: Notify,
}

impl Sessions {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Sessions> {
        Arc::new(Sessions { shared, links: Mutex::default(), changed: Notify::new() })
    }

    pub(crate) fn all(&self) -> Vec<Arc<Link>> {
        self.lock().values().cloned().collect()
    }

    /// The live session with a peer.
    pub(crate) fn find(&self, peer: NodeId) -> Option<Arc<Link>> {
        self.lock().get(&peer).filter(|link| link.lock().session.closed().is_none()).cloned()
    }

    /// Decides about a connection: called on the side that decides.
    pub(crate) fn decide(self: &Arc<Self>, connection: &Connection, hello: &Hello) -> Decision {
        if let Some(reason) = self.refusal() {
            return Decision::Refused(reason);
        }
        let mut links = self.lock();
        if let Some(link) = links.get(&hello.node)
            && link.lock().session.closed().is_none()
        {
            return Decision::Duplicate(Arc::clone(link));
        }
        let link = self.make(connection, hello);
        links.insert(hello.node, Arc::clone(&link));
        Decision::Accepted(Begun { sessions: Arc::clone(self), link: Some(link) })
    }

    /// Accepts what the peer decided. A session that the peer has given up is over for this side, too.
    pub(crate) fn accept(self: &Arc<Self>, connection: &Connection, hello: &Hello) -> Begun {
        let link = self.make(connection, hello);
        let replaced = self.lock().insert(hello.node, Arc::clone(&link));
        if let Some(replaced) = replaced {
            replaced.update(|inner| inner.session.lose("the peer has begun another session"));
        }
        Begun { sessions: Arc::clone(self), link: Some(link) }
    }

    /// The node's last handle is gone: sessions that nobody needs end, now or when they are last used.
    pub(crate) fn orphan(&self) {
        self.shared.orphan();
        for link in self.all() {
            link.update(|_| ());
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
        let held: usize = self.all().iter().map(|link| link.lock().session.held()).sum();
        let limit = self.shared.limits.memory;
        (held >= limit).then(|| {
            format!("the node holds {held} bytes for its peers (`Limits::memory` is {limit})")
        })
    }

    /// Waits until there is a session with a peer, which was made on another connection.
    pub(crate) async fn wait_for(&self, peer: NodeId) -> Result<Arc<Link>> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(link) = self.find(peer) {
                    return link;
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

    fn make(&self, connection: &Connection, hello: &Hello) -> Arc<Link> {
        let peer = Peer::new(hello.node, hello.name.clone(), connection.address.clone());
        let limits = self.shared.limits.clone();
        // What the peer would take does not raise what this side makes.
        let granted = Grant { body: hello.grant.body.min(limits.body as u64), ..hello.grant };
        let settings = Settings { limits, granted };
        Link::new(Arc::clone(&self.shared), peer, Session::new(settings, Instant::now()))
    }

    fn remove(&self, ended: &Arc<Link>) {
        let mut links = self.lock();
        if links.get(&ended.peer.id()).is_some_and(|link| Arc::ptr_eq(link, ended)) {
            links.remove(&ended.peer.id());
        }
        drop(links);
        self.changed.notify_waiters();
        self.shared.ended.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, Arc<Link>>> {
        self.links.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
