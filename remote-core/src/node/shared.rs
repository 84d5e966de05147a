//! The state that all sessions of a node share: its identity, limits, object table and directory.
//!
//! It must not know sessions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::error::{Error, Result};
use crate::id::{NodeId, ProcessId, Token};
use crate::limits::Limits;
use crate::mutex::Mutex;
use crate::object::message::{Receiver, Route};
use crate::object::shortening::ShorteningRef;
use crate::object::table::Table;
use crate::random;
use crate::session::SHUTTING_DOWN;
use crate::transport::connection::Connection;
use crate::wire::hello::{Grant, Hello};

/// Hand-off of references, as sessions use it; see `handoff`.
pub(crate) trait HandsOff: Send + Sync {
    /// Deposits a far object at its owner as a gift for a recipient. Returns the token, or `None` if this node cannot vouch.
    fn vouch(&self, object: &Arc<dyn Receiver>, recipient: NodeId) -> Option<Token>;

    /// Withdraws a gift for which this side has vouched.
    fn withdraw(&self, owner: NodeId, token: Token);

    /// Starts to shorten the path of a reference.
    fn shorten(&self, reference: Arc<ShorteningRef>, giver: Giver);

    /// Returns the near object of a gift whose recipient sends this node a reference with the token.
    fn recognize(&self, token: Token, claimant: NodeId) -> Option<Arc<dyn Receiver>>;
}

/// The node that sent a reference to an object of a third node.
pub(crate) struct Giver {
    pub(crate) node: NodeId,
    pub(crate) route: Arc<dyn Route>,
    /// Permits for requests for tokens to it.
    pub(crate) permits: Arc<Semaphore>,
}

/// The error of a session that ended before the peer had received everything that was handed over, until a flush reports it.
#[derive(Default)]
pub(crate) struct Unreceived(Mutex<Option<Error>>);

impl Unreceived {
    pub(crate) fn note(&self, error: Error) {
        self.0.lock().get_or_insert(error);
    }

    pub(crate) fn take(&self) -> Result<()> {
        self.0.lock().take().map_or(Ok(()), Err)
    }
}

/// The state that all sessions of one node share.
pub(crate) struct Shared {
    pub(crate) id: NodeId,
    pub(crate) name: String,
    pub(crate) limits: Limits,
    pub(crate) lease: Duration,
    /// The limit of calls without a deadline.
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) table: Table,
    /// The object with the number 0.
    pub(crate) directory: OnceLock<Arc<dyn Receiver>>,
    /// Hand-off of references.
    pub(crate) hand_off: OnceLock<Arc<dyn HandsOff>>,
    /// The address that the node announces: the first at which it listens.
    pub(crate) address: OnceLock<String>,
    /// True when the node is shutting down: calls that arrive are refused.
    closing: AtomicBool,
    /// True when the last handle of the node was dropped: sessions that neither side needs end.
    orphaned: AtomicBool,
    /// Notified when something ends for which a shutdown may wait.
    pub(crate) ended: Notify,
    /// The end of a session that lost messages.
    pub(crate) unreceived: Unreceived,
}

impl Shared {
    pub(crate) fn new(
        name: String,
        limits: Limits,
        lease: Duration,
        call_timeout: Option<Duration>,
    ) -> Shared {
        Shared {
            id: NodeId::random(),
            name,
            limits,
            lease,
            call_timeout,
            table: Table::default(),
            directory: OnceLock::new(),
            hand_off: OnceLock::new(),
            address: OnceLock::new(),
            closing: AtomicBool::new(false),
            orphaned: AtomicBool::new(false),
            ended: Notify::new(),
            unreceived: Unreceived::default(),
        }
    }

    /// Returns the introduction of this node for a connection.
    pub(crate) fn hello(&self, connection: &Connection) -> Hello {
        let address = self.address.get().cloned().unwrap_or_default();
        Hello {
            node: self.id,
            name: self.name.clone(),
            grant: Grant::of(&self.limits),
            lease: self.lease,
            address,
            nonce: random::bytes(),
            process: connection.process.as_ref().and_then(|_| ProcessId::new(std::process::id())),
        }
    }

    /// Returns an error for a received message if the nesting is too deep. A node that is shutting down still executes received
    /// messages, because they were handed over before the peer could know of the shutdown.
    pub(crate) fn admit(&self, nesting: u8) -> Result<()> {
        if nesting > self.limits.nesting { Err(self.limits.too_deep()) } else { Ok(()) }
    }

    /// Returns an error if the node is shutting down.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.is_closing() { Err(Error::Ended(SHUTTING_DOWN.into())) } else { Ok(()) }
    }

    pub(crate) fn begin_closing(&self) {
        self.closing.store(true, Ordering::Release);
        self.ended.notify_waiters();
    }

    pub(crate) fn orphan(&self) {
        self.orphaned.store(true, Ordering::Release);
    }

    pub(crate) fn is_orphaned(&self) -> bool {
        self.orphaned.load(Ordering::Acquire)
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}
