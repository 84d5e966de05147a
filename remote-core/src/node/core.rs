//! The state that the handles of a node share: sessions, addresses, published objects.
//!
//! It must not know the interfaces of users.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::connect::dial::{Dialled, Reached};
use super::connect::listen::accept_all;
use super::connect::registry::Sessions;
use super::datagram::listener::DatagramListener;
use super::datagram::target::DatagramSender;
use super::directory::Published;
use super::gifts::desk::Desk;
use crate::error::Result;
use crate::id::{Identity, ObjectId};
use crate::mutex::Mutex;
use crate::object::import::Import;
use crate::object::message::{Receiver, Route};
use crate::object::near;
use crate::socket::factory::Factory;
use crate::transport::uri::Uri;

/// The state of a node, shared by its handles.
pub(crate) struct Core {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) published: Published,
    pub(crate) sockets: Arc<Factory>,
    dialled: Dialled,
    datagrams: Arc<DatagramSender>,
    /// The addresses, in order, each with the task that accepts connections there; `None` for datagrams.
    listening: Mutex<Vec<(String, Option<JoinHandle<()>>)>>,
    pub(super) datagram_listeners: Mutex<Vec<DatagramListener>>,
    pub(super) closed: watch::Sender<bool>,
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
        self.sessions.shared.check_open()?;
        self.datagrams.target(uri).await
    }

    /// Returns the session with the node at an address.
    pub(crate) async fn reach(&self, uri: &Uri) -> Result<Reached> {
        self.dialled.reach(&self.sessions, uri).await
    }

    /// Returns the directory of the node at an address.
    pub(crate) async fn directory(&self, uri: &Uri) -> Result<Arc<dyn Receiver>> {
        self.sessions.shared.check_open()?;
        Ok(match self.reach(uri).await? {
            Reached::Here => near::alone(self.published.clone()),
            Reached::Peer(session) => {
                let identity = Identity { node: session.peer.id(), object: ObjectId::DIRECTORY };
                Arc::new(Import::new(session as Arc<dyn Route>, ObjectId::DIRECTORY, identity))
            }
        })
    }

    pub(crate) async fn closed(&self) {
        let mut closed = self.closed.subscribe();
        // Cannot fail: the sender lives as long as `self`.
        let _ = closed.wait_for(|closed| *closed).await;
    }

    /// Stops accepting. Returns the tasks, which are about to end.
    pub(super) fn stop_listening(&self) -> Vec<JoinHandle<()>> {
        let tasks: Vec<_> =
            self.listening.lock().iter_mut().filter_map(|(_, task)| task.take()).collect();
        tasks.iter().for_each(JoinHandle::abort);
        tasks
    }
}

impl Drop for Core {
    /// The last handle was dropped, so that nothing can be published or looked up any more. Sessions with references in use
    /// continue.
    fn drop(&mut self) {
        drop(self.stop_listening());
        self.published.clear();
        self.sessions.orphan();
    }
}
