//! A session, as its tasks, callers and references share it: the state machine and its tables behind one lock, and the halves
//! of the connection.
//!
//! It must not run or drop user code under the lock: see `effects`. The lock of a half of the connection is taken before the
//! lock of the session.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use super::admission::Admission;
use super::calls::Calls;
use super::state::{PublishedState, StateChanges};
use super::tasks::Tasks;
use super::vouched::Vouched;
use super::watches::Watches;
use crate::id::{ConnectionId, NodeId, ObjectId, Token};
use crate::mutex::Mutex;
use crate::node::io::reader::Reader;
use crate::node::io::writer::Writer;
use crate::node::runtime::watchdog::DispatchCount;
use crate::node::shared::Shared;
use crate::object::message::RouteId;
use crate::object::peer::Peer;
use crate::session::Session;
use crate::transport::uri::Uri;
use crate::wire::hello::Secret;

/// The maximum number of concurrent requests for tokens to the peer. At most half of the peer's window is used, because an
/// answer may take long and the window is meant for the user's calls.
const MAX_TOKEN_REQUESTS: u64 = 8;

/// One session.
pub(crate) struct SharedSession {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Peer,
    /// The secret that only the two sides know.
    pub(crate) secret: Secret,
    pub(crate) origin: Origin,
    this: Weak<SharedSession>,
    inner: Mutex<Inner>,
    pub(super) reader: Mutex<Reader>,
    pub(super) writer: Mutex<Writer>,
    /// The calls that may be started, as of the last change of the state. Read without the lock.
    pub(super) admission: AtomicU8,
    pub(crate) state: PublishedState,
    /// The runtime of the session's tasks, once they are started.
    pub(super) runtime: OnceLock<Handle>,
    /// Counts the reader's dispatches of calls, for the watchdog.
    pub(super) dispatch: Arc<DispatchCount>,
    /// Permits for requests to the peer for tokens of references that it introduced.
    pub(super) token_requests: Arc<Semaphore>,
    /// The number of open streams with one end at the peer.
    pub(super) streams: AtomicUsize,
    /// True if the end of the peer's process is noticed.
    pub(super) watches_process: AtomicBool,
    /// True if the streams should end, because one of the two nodes shuts down.
    pub(super) end_streams: watch::Sender<bool>,
}

/// The origin of a session: dialled, or accepted.
pub(crate) struct Origin {
    /// The address that this side has dialled; `None` if it accepted the connection. With an address, this side also makes
    /// later connections.
    dialled: Option<Uri>,
    /// True if a task makes later connections.
    is_kept: AtomicBool,
    /// The address at which the peer listens, by its own account.
    listens: Option<String>,
}

impl Origin {
    pub(crate) fn new(dialled: Option<Uri>, listens: Option<String>) -> Origin {
        Origin { dialled, is_kept: AtomicBool::new(false), listens }
    }

    /// Returns an address at which other nodes can reach the peer, if it is known.
    pub(crate) fn address(&self) -> Option<String> {
        self.listens.clone().or_else(|| self.dialled.as_ref().map(Uri::node))
    }

    /// Returns the address for later connections, to the first caller only.
    pub(crate) fn begin_to_keep(&self) -> Option<Uri> {
        self.dialled.clone().filter(|_| !self.is_kept.swap(true, Ordering::Relaxed))
    }
}

/// The state under the lock: the machine, and the tables of its calls, watches and tasks.
pub(crate) struct Inner {
    pub(crate) machine: Session,
    pub(super) calls: Calls,
    pub(super) watches: Watches,
    pub(super) tasks: Tasks,
    pub(super) vouched: Vouched,
    pub(super) state_changes: StateChanges,
    dispatch: Arc<DispatchCount>,
}

impl SharedSession {
    pub(crate) fn new(
        shared: Arc<Shared>,
        peer: Peer,
        machine: Session,
        secret: Secret,
        origin: Origin,
    ) -> Arc<SharedSession> {
        let dispatch = Arc::<DispatchCount>::default();
        let token_requests = MAX_TOKEN_REQUESTS.min(machine.max_calls() / 2).max(1);
        Arc::new_cyclic(|this| SharedSession {
            shared,
            peer,
            secret,
            origin,
            this: this.clone(),
            inner: Mutex::new(Inner {
                machine,
                calls: Calls::default(),
                watches: Watches::default(),
                tasks: Tasks::default(),
                vouched: Vouched::default(),
                state_changes: StateChanges::default(),
                dispatch: Arc::clone(&dispatch),
            }),
            reader: Mutex::default(),
            writer: Mutex::default(),
            admission: AtomicU8::new(Admission::All as u8),
            state: PublishedState::new(),
            runtime: OnceLock::new(),
            dispatch,
            token_requests: Arc::new(Semaphore::new(token_requests as usize)),
            streams: AtomicUsize::new(0),
            watches_process: AtomicBool::new(false),
            end_streams: watch::Sender::new(false),
        })
    }

    /// Locks the state. A caller that changes it must end with `finish` or `change`, which apply the side effects.
    #[inline(always)]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    /// Returns a shared reference to the session itself.
    pub(super) fn this(&self) -> Arc<SharedSession> {
        self.this.upgrade().expect("the caller holds the session")
    }

    pub(super) fn downgrade(&self) -> Weak<SharedSession> {
        self.this.clone()
    }

    /// Notes a token for a reference that was passed to the peer before. If the peer has released it meanwhile, the gift is
    /// withdrawn.
    pub(crate) fn note_late_token(&self, object: ObjectId, owner: NodeId, token: Token) {
        let is_exported = self.update(|inner| {
            let is_exported = inner.machine.is_exported(object);
            if is_exported {
                inner.note_vouched(vec![(object, owner, token)]);
            }
            is_exported
        });
        if let (false, Some(hand_off)) = (is_exported, self.shared.hand_off.get()) {
            hand_off.withdraw(owner, token);
        }
    }

    /// Returns the identity of the session as a route.
    pub(crate) fn route_id(&self) -> RouteId {
        RouteId::of(self)
    }

    /// Returns the calls that may be started.
    pub(crate) fn admission(&self) -> Admission {
        Admission::from_byte(self.admission.load(Ordering::Relaxed))
    }

    /// Returns the term of the lease.
    pub(crate) fn term(&self) -> Duration {
        self.lock().machine.term()
    }
}

impl Inner {
    /// Returns true if neither side has a reference to an object of the other one, or waits for a reply. One-way messages that
    /// were handed over may not have been executed yet.
    pub(super) fn is_unneeded(&self) -> bool {
        let machine = &self.machine;
        machine.export_count() + machine.held_count() + machine.question_count() == 0
            && machine.running() == 0
    }

    /// Notes the tokens for which this side has vouched.
    #[inline]
    pub(crate) fn note_vouched(&mut self, vouched: Vec<(ObjectId, NodeId, Token)>) {
        for (object, owner, token) in vouched {
            self.vouched.add(object, owner, token);
        }
    }

    /// Handles bytes from a connection, and returns the number of bytes used. Returns `None` if the session uses another
    /// connection by now, so that bytes of two connections are never mixed.
    pub(super) fn handle_input(&mut self, connection: ConnectionId, input: &[u8]) -> Option<usize> {
        self.tasks.note_read();
        let is_current = self.tasks.has(&self.machine, connection);
        is_current.then(|| self.machine.handle_input(Instant::now(), input))
    }

    /// Handles the passage of time. Returns the time of the next call.
    pub(super) fn handle_timeout(&mut self) -> Option<Instant> {
        self.machine.handle_timeout(Instant::now(), self.tasks.reads());
        let next = self.machine.poll_timeout();
        self.dispatch.set_due(next);
        next
    }

    /// Handles the loss of a connection.
    pub(super) fn handle_loss(&mut self, connection: ConnectionId, reason: &str) {
        if self.tasks.has(&self.machine, connection) {
            self.machine.suspend(reason);
        }
    }

    /// Handles a failure to write to a connection. The last bytes of the peer, which may end the session, may not have been read
    /// yet: the connection is lost when the reader has reached their end.
    pub(super) fn handle_write_failure(&mut self, connection: ConnectionId, reason: &str) {
        if self.machine.closed().is_some() {
            self.handle_loss(connection, reason);
            self.machine.drop_unwritten();
        } else {
            self.tasks.note_write_failed(connection);
        }
    }

    /// Asserts the invariants. Called in debug builds after each change, when its events are handled.
    pub(super) fn check(&self) {
        let is_over = self.machine.closed().is_some();
        self.calls.check(is_over);
        self.watches.check(is_over);
        self.tasks.check();
    }
}

#[allow(dead_code, reason = "a static assertion: invariant 9")]
fn sessions_are_shared(session: SharedSession) -> impl Send + Sync {
    session
}
