//! The parts of a node, which its handles share: sessions, addresses, published objects; and its shutdown.
//!
//! It must not know the interfaces of users.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::connect::dial::{Dialled, Reached};
use super::connect::listen::accept_all;
use super::connect::registry::Sessions;
use super::datagram::listener::DatagramListener;
use super::datagram::target::DatagramSender;
use super::directory::Published;
use super::gifts::desk::Desk;
use super::session::shared::SharedSession;
use crate::error::{Error, Result};
use crate::id::{Identity, ObjectId};
use crate::mutex::Mutex;
use crate::object::import::Import;
use crate::object::message::{Receiver, Route};
use crate::object::near;
use crate::socket::factory::Factory;
use crate::transport::uri::Uri;

/// A node, behind its handles.
pub(crate) struct Core {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) published: Published,
    pub(crate) sockets: Arc<Factory>,
    dialled: Dialled,
    datagrams: Arc<DatagramSender>,
    /// The addresses, in their order, each with the task that accepts connections there; none for datagrams.
    listening: Mutex<Vec<(String, Option<JoinHandle<()>>)>>,
    datagram_listeners: Mutex<Vec<DatagramListener>>,
    closed: watch::Sender<bool>,
}

impl Core {
    pub(crate) fn new(sessions: Arc<Sessions>, sockets: Arc<Factory>) -> Arc<Core> {
        let desk = Desk::new(sessions.shared.lease);
        let published = Published::new(Arc::clone(&desk), &sessions);
        let directory = near::alone(published.clone());
        let _ = sessions.shared.directory.set(directory);
        let datagrams = DatagramSender::new(Arc::clone(&sessions.shared));
        Arc::new(Core {
            sessions,
            desk,
            published,
            sockets,
            dialled: Dialled::default(),
            datagrams,
            listening: Mutex::default(),
            datagram_listeners: Mutex::default(),
            closed: watch::Sender::new(false),
        })
    }

    pub(crate) async fn listen(&self, uri: &Uri) -> Result<()> {
        if uri.is_for_datagrams() {
            let shared = Arc::clone(&self.sessions.shared);
            let (listener, bound) =
                DatagramListener::open(uri, shared, self.published.clone()).await?;
            self.datagram_listeners.lock().push(listener);
            self.listening.lock().push((bound, None));
            return Ok(());
        }
        let listener = uri.transport()?.listen(uri).await?;
        let bound = listener.uri();
        let _ = self.sessions.shared.address.set(bound.clone());
        let task = tokio::spawn(accept_all(Arc::clone(&self.sessions), listener));
        self.listening.lock().push((bound, Some(task)));
        Ok(())
    }

    /// Returns the addresses at which the node listens.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.listening.lock().iter().map(|(uri, _)| uri.clone()).collect()
    }

    /// Returns a receiver that sends each message as a datagram to an address.
    pub(crate) async fn datagram_target(&self, uri: Uri) -> Result<Arc<dyn Receiver>> {
        if self.sessions.shared.is_closing() {
            return Err(Error::Ended("the node is shutting down".into()));
        }
        self.datagrams.target(uri).await
    }

    /// Returns the session with the node at an address.
    pub(crate) async fn reach(&self, uri: &Uri) -> Result<Reached> {
        self.dialled.reach(&self.sessions, uri).await
    }

    /// Returns the directory of the node at an address.
    pub(crate) async fn directory(&self, uri: &Uri) -> Result<Arc<dyn Receiver>> {
        if self.sessions.shared.is_closing() {
            return Err(Error::Ended("the node is shutting down".into()));
        }
        Ok(match self.reach(uri).await? {
            Reached::Here => near::alone(self.published.clone()),
            Reached::Peer(session) => {
                let identity = Identity { node: session.peer.id(), object: ObjectId::DIRECTORY };
                Arc::new(Import::new(session as Arc<dyn Route>, ObjectId::DIRECTORY, identity))
            }
        })
    }

    /// Stops accepting connections and calls, waits for the calls in progress within a limit, and ends the sessions.
    pub(crate) async fn shut_down(&self, limit: Duration) {
        self.sessions.shared.begin_closing();
        for task in self.stop_listening() {
            // When the task has ended, its listener is dropped: a socket in the file system is removed by then.
            let _ = task.await;
        }
        let datagram_listeners = std::mem::take(&mut *self.datagram_listeners.lock());
        let mut datagram_listeners: Vec<_> =
            datagram_listeners.into_iter().map(DatagramListener::close).collect();
        let finished = async {
            self.wait_until(|session| session.is_quiet()).await;
            for listener in &mut datagram_listeners {
                let _ = listener.await;
            }
        };
        let _ = tokio::time::timeout(limit, finished).await;
        datagram_listeners.iter().for_each(JoinHandle::abort);
        self.published.clear();
        // Limits the wait for peers that do not read.
        const GOODBYE: Duration = Duration::from_secs(1);
        let _ = tokio::time::timeout(GOODBYE, self.sockets.close()).await;
        for session in self.sessions.all() {
            session.update(|inner| inner.machine.close("the node was shut down"));
        }
        let _ = tokio::time::timeout(GOODBYE, self.wait_until(|_| false)).await;
        self.closed.send_replace(true);
    }

    pub(crate) async fn closed(&self) {
        let mut closed = self.closed.subscribe();
        // It cannot fail: the sender lives as long as `self`.
        let _ = closed.wait_for(|closed| *closed).await;
    }

    /// Waits until all sessions satisfy a condition; if it is never true, until there is none.
    async fn wait_until(&self, is_done: impl Fn(&SharedSession) -> bool) {
        loop {
            // Made before it looks: it completes at the next `notify_waiters` from now on.
            let ended = self.sessions.shared.ended.notified();
            if self.sessions.all().iter().all(|session| is_done(session)) {
                return;
            }
            ended.await;
        }
    }

    fn stop_listening(&self) -> Vec<JoinHandle<()>> {
        let tasks: Vec<_> =
            self.listening.lock().iter_mut().filter_map(|(_, task)| task.take()).collect();
        tasks.iter().for_each(JoinHandle::abort);
        tasks
    }
}

impl Drop for Core {
    /// The last handle is gone: nobody can publish or look up any more. Sessions with references in use go on.
    fn drop(&mut self) {
        drop(self.stop_listening());
        self.published.clear();
        self.sessions.orphan();
    }
}
