//! Owns one session as tasks and callers share it: the state machine under one short lock, and who waits for what.
//!
//! It must not execute user code under the lock, nor drop anything of the user's there: see `settle`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashSet};
use slab::Slab;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;

use super::state::SessionState;
use crate::id::{QuestionId, WatchId};
use crate::mutex::Mutex;
use crate::node::io::slot::ConnectionSlot;
use crate::node::runtime::watchdog::{DispatchCount, Unblock, watch_session};
use crate::node::shared::Shared;
use crate::object::message::{Receiver, Reference, Reply, Watcher};
use crate::object::peer::Peer;
use crate::object::promise::NearPromise;
use crate::object::shortening::ShorteningRef;
use crate::object::slot::Slot;
use crate::session::{Name, Reads, Session};
use crate::transport::uri::Uri;
use crate::wire::body::Body;
use crate::wire::frame::Manner;
use crate::wire::hello::Secret;

/// So many tokens a peer is asked for at once, and by no more than half of the calls that it takes, if it takes several:
/// the answer may take it long, and the window is for users' calls.
const ASKED: u64 = 8;

/// One session.
pub(crate) struct SharedSession {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Peer,
    /// What only the two sides of the session know.
    pub(crate) secret: Secret,
    pub(crate) origin: Origin,
    pub(crate) this: Weak<SharedSession>,
    pub(crate) inner: Mutex<Inner>,
    /// Whether no call is to be begun, as it was when the state was last changed; read without the lock.
    pub(crate) is_held_up: AtomicBool,
    pub(crate) state: watch::Sender<SessionState>,
    /// What reads and writes in place of the session's tasks.
    pub(crate) bystander: OnceLock<Arc<dyn Bystander>>,
    /// The runtime of its tasks.
    pub(crate) runtime: OnceLock<Handle>,
    /// When the reader executes calls, as the lookout sees it.
    pub(crate) turns: Arc<DispatchCount>,
    /// The newest change of state that was told.
    pub(crate) turns_told: AtomicU64,
    /// DispatchCount to ask the peer for tokens of what it introduced.
    pub(crate) asking: Arc<Semaphore>,
}

/// What can read and write for a session without being one of its tasks.
pub(crate) trait Bystander: Send + Sync {
    /// Hears what has arrived, as long as it does, while the reader is at work on something else. False if the reader hears.
    fn read_in_place(&self, session: &SharedSession) -> bool;

    /// Writes what is ready, as far as the connection takes it at once.
    fn write_in_place(&self, session: &SharedSession);

    /// The same, and what was begun to be written: the writer's waker is lost to the connection.
    fn write_rest(&self, session: &SharedSession);
}

/// How a session came to be.
pub(crate) struct Origin {
    /// Where this side made the connection to, if it did: it makes the next one, too.
    dialled: Option<Uri>,
    /// Whether somebody sees to that.
    is_kept: AtomicBool,
    /// Where the peer says that it listens; empty if nowhere.
    listens: String,
}

impl Origin {
    pub(crate) fn new(dialled: Option<Uri>, listens: String) -> Origin {
        Origin { dialled, is_kept: AtomicBool::new(false), listens }
    }

    /// Where others can reach the peer, as far as this side knows.
    pub(crate) fn address(&self) -> Option<String> {
        let listens = Some(self.listens.clone()).filter(|listens| !listens.is_empty());
        listens.or_else(|| self.dialled.as_ref().map(Uri::node))
    }

    /// Where the next connection is to be made to, for the first who asks.
    pub(crate) fn begin_to_keep(&self) -> Option<Uri> {
        self.dialled.clone().filter(|_| !self.is_kept.swap(true, Ordering::Relaxed))
    }
}

/// What is under the lock.
pub(crate) struct Inner {
    pub(crate) machine: Session,
    /// Callers, by the token of their call.
    pub(crate) waiters: Slab<Waiter>,
    /// Answers of ours that the peer may pipeline on.
    pub(crate) promises: HashMap<QuestionId, Arc<NearPromise>>,
    /// Calls of the peer's that are being executed by tasks.
    pub(crate) running: HashMap<QuestionId, Option<AbortHandle>>,
    /// Calls that the peer gave up while they were in the reader's hands: neither waiting any more, nor a task yet.
    pub(crate) given_up: HashSet<QuestionId>,
    /// References that arrived, to objects to which there may be a shorter way.
    pub(crate) introduced: Vec<Arc<ShorteningRef>>,
    /// References that arrived and are not needed: let go when the lock is free.
    pub(crate) arrived: Vec<Arc<dyn Receiver>>,
    /// Calls of the peer's that are not yet begun, in order.
    pub(crate) inbox: VecDeque<Delivery>,
    /// Objects of ours that the peer watches, by the peer's number.
    pub(crate) watched: HashMap<WatchId, Box<dyn Send + Sync>>,
    /// Who watches objects of the peer's, by our number.
    pub(crate) watchers: HashMap<WatchId, Watcher>,
    pub(crate) next_watch: u64,
    /// How often the state changed that users are told.
    turns: u64,
    /// Whether the reader is at work on what it has read: so long it cannot hear the peer.
    pub(crate) reads_blocked: bool,
    /// The connection beneath, and the next one.
    pub(crate) slot: ConnectionSlot,
    /// What the lookout sees.
    turns_seen: Arc<DispatchCount>,
    /// The writer, if it sleeps.
    pub(crate) writer: Option<Waker>,
    /// Whether the reader executes calls, and writes what comes of it: so nobody else wakes the writer for that.
    pub(crate) is_executing: bool,
    /// The number of the connection that the pen has; none is 0.
    pub(crate) pen: u64,
    /// Whether what was taken to be written was left to the writer.
    pub(crate) is_left_over: bool,
    /// The writer, if the connection takes no more: woken when there is another connection, or none.
    pub(crate) stalled_writer: Option<Waker>,
    /// The reader, if it waits.
    pub(crate) reader: Option<Waker>,
    /// Whether a bystander has listened: then it is the bystander whom the connection would wake.
    pub(crate) was_overheard: bool,
    /// Whether calls are held back for want of room.
    pub(crate) holds_back: bool,
    /// Tasks that wait for room for their answer.
    pub(crate) answerers: Vec<Waker>,
}

/// A caller, and the call that its place is for.
pub(crate) struct Waiter {
    pub(crate) question: QuestionId,
    pub(crate) slot: Arc<Slot<Reply>>,
}

/// A call that is to be begun. It is moved several times on its way, and no larger than it must be.
pub(crate) struct Delivery {
    pub(crate) question: QuestionId,
    pub(crate) receiver: Result<Arc<dyn Receiver>, Void>,
    pub(crate) selector: Arc<Name>,
    pub(crate) body: Body,
    pub(crate) references: Vec<Reference>,
    pub(crate) manner: Manner,
    pub(crate) nesting: u8,
    pub(crate) deadline: Option<Instant>,
    /// What the peer may pipeline on, if it asked for that.
    pub(crate) promise: Option<Arc<NearPromise>>,
}

/// Why a call has no receiver.
#[derive(Clone, Copy)]
pub(crate) enum Void {
    NoSuchObject,
    Cancelled,
}

impl SharedSession {
    pub(crate) fn new(
        shared: Arc<Shared>,
        peer: Peer,
        machine: Session,
        secret: Secret,
        origin: Origin,
    ) -> Arc<SharedSession> {
        let turns = Arc::<DispatchCount>::default();
        let asked = ASKED.min(machine.most_calls() / 2).max(1);
        let session = Arc::new_cyclic(|this| SharedSession {
            shared,
            peer,
            secret,
            origin,
            this: this.clone(),
            inner: Mutex::new(Inner {
                machine,
                waiters: Slab::new(),
                promises: HashMap::default(),
                running: HashMap::default(),
                given_up: HashSet::default(),
                introduced: Vec::new(),
                arrived: Vec::new(),
                inbox: VecDeque::new(),
                watched: HashMap::default(),
                watchers: HashMap::default(),
                next_watch: 0,
                turns: 0,
                reads_blocked: false,
                slot: ConnectionSlot::default(),
                turns_seen: Arc::clone(&turns),
                writer: None,
                is_executing: false,
                pen: 0,
                is_left_over: false,
                stalled_writer: None,
                reader: None,
                was_overheard: false,
                holds_back: false,
                answerers: Vec::new(),
            }),
            is_held_up: AtomicBool::new(false),
            state: watch::Sender::new(SessionState::Connected),
            bystander: OnceLock::new(),
            runtime: OnceLock::new(),
            turns,
            turns_told: AtomicU64::new(0),
            asking: Arc::new(Semaphore::new(asked as usize)),
        });
        let unblock: Weak<dyn Unblock> = session.this.clone();
        watch_session(&session.turns, unblock);
        session
    }

    /// The state, under its lock. What is done to it is seen to by [`SharedSession::settle`].
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // No user code runs under the lock, so a panic there is a bug of ours; the session goes on all the same.
        self.inner.lock()
    }

    /// Whether no call is to be begun: there is no room for another answer, or the session is over.
    pub(crate) fn is_held_up(&self) -> bool {
        self.is_held_up.load(Ordering::Relaxed)
    }

    /// The term of the lease.
    pub(crate) fn term(&self) -> Duration {
        self.lock().machine.term()
    }

    pub(crate) fn state(&self) -> &watch::Sender<SessionState> {
        &self.state
    }

    /// Waits until the session is over.
    pub(crate) async fn over(&self) {
        let _ = self.state.subscribe().wait_for(|state| *state == SessionState::Ended).await;
    }

    /// Whether nothing is in progress in either direction. A promise that is kept, its answer here, is nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        let inner = self.lock();
        inner.waiters.is_empty() && inner.machine.running() == 0 && inner.machine.underway() == 0
    }

    pub(crate) fn this(&self) -> Arc<SharedSession> {
        self.this.upgrade().expect("whoever calls a link holds it")
    }
}

impl Inner {
    /// Whether neither side refers to anything of the other's, or waits for it.
    pub(crate) fn is_unneeded(&self) -> bool {
        let machine = &self.machine;
        machine.export_count() + machine.held_count() + machine.question_count() == 0
            && machine.running() == 0
    }

    /// Whether a connection is the one that the session has.
    pub(crate) fn has(&self, number: u64) -> bool {
        self.slot.number == number && !self.machine.is_suspended()
    }

    /// A change of the state that users are told, with its place among them.
    pub(crate) fn turn(&mut self, state: SessionState) -> (u64, SessionState) {
        self.turns += 1;
        (self.turns, state)
    }

    /// Time has passed. While a method blocks the reader's thread, the silence is not the peer's. When it passes next.
    pub(crate) fn handle_timeout(&mut self) -> Option<Instant> {
        let reads = if self.reads_blocked { Reads::Blocked } else { Reads::Active };
        self.machine.handle_timeout(Instant::now(), reads);
        let next = self.machine.poll_timeout();
        self.turns_seen.set_due(next);
        next
    }

    /// The calls to be begun now: all that arrived, in exchange for an empty queue.
    pub(crate) fn next_deliveries(&mut self, empty: &mut VecDeque<Delivery>) {
        if self.machine.has_room() {
            std::mem::swap(&mut self.inbox, empty);
        }
        self.is_executing = !empty.is_empty();
    }

    /// The rest of them waits for room; when the session is over it stays where it is.
    pub(crate) fn put_back(&mut self, rest: &mut VecDeque<Delivery>) {
        if self.machine.closed().is_none() {
            std::mem::swap(&mut self.inbox, rest);
            self.inbox.append(rest);
        }
    }

    /// Whether the reader has nothing to do; then it is woken by another connection, the end, or room for the answers of
    /// calls that are held back.
    pub(crate) fn sleep_reader(&mut self, reader: &Waker) -> bool {
        self.reads_blocked = false;
        if std::mem::take(&mut self.was_overheard)
            || self.slot.reader.is_some()
            || self.machine.closed().is_some()
        {
            return false;
        }
        self.holds_back = !self.inbox.is_empty();
        if self.holds_back && self.machine.has_room() {
            return false;
        }
        if !self.reader.as_ref().is_some_and(|known| known.will_wake(reader)) {
            self.reader = Some(reader.clone());
        }
        true
    }

    /// Whether a call can be begun that was held back.
    pub(crate) fn has_next_call(&self) -> bool {
        !self.inbox.is_empty() && self.machine.has_room()
    }

    /// A task will be made that executes a call, unless the session is over.
    pub(crate) fn expect_running(&mut self, question: QuestionId) {
        if self.machine.closed().is_none() {
            self.running.insert(question, None);
        }
    }

    /// Enters the task that executes a call. False if the call or the session has ended meanwhile, or the peer gave it up.
    pub(crate) fn note_running(&mut self, question: QuestionId, task: &AbortHandle) -> bool {
        let Some(entry) = self.running.get_mut(&question) else { return false };
        entry.replace(task.clone()).is_none() && !self.given_up.remove(&question)
    }

    pub(crate) fn forget_running(&mut self, question: QuestionId) {
        // Most calls end in place and never had a task.
        if !self.running.is_empty() {
            self.running.remove(&question);
        }
        if !self.given_up.is_empty() {
            self.given_up.remove(&question);
        }
    }

    /// The writer, if it sleeps and has something to do.
    pub(crate) fn rouse_writer(&mut self) -> Option<Waker> {
        let is_over = self.machine.closed().is_some();
        let is_wanted = is_over || (!self.is_executing && self.has_work_for_writer());
        if is_wanted { self.writer.take() } else { None }
    }

    /// Whether something is to be written, or a connection to be let go that is no longer the session's.
    pub(crate) fn has_work_for_writer(&self) -> bool {
        self.machine.wants_transmit()
            || self.is_left_over
            || self.machine.is_done()
            || (self.pen != 0 && !self.has(self.pen))
    }

    /// What was taken to be written is not, or not all of it.
    pub(crate) fn leave_to_writer(&mut self) {
        self.is_left_over = true;
    }

    /// WakeBatch that was taken is written. Whether it was the last.
    pub(crate) fn note_written(&mut self) -> bool {
        self.is_left_over = false;
        self.machine.closed().is_some() && !self.machine.wants_transmit()
    }

    /// The tasks of the session, if they sleep: something has changed that both must look at.
    pub(crate) fn tasks(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let tasks = [self.reader.take(), self.writer.take(), self.stalled_writer.take()];
        tasks.into_iter().flatten()
    }

    pub(crate) fn sleep_writer(&mut self, writer: &Waker) {
        if !self.writer.as_ref().is_some_and(|known| known.will_wake(writer)) {
            self.writer = Some(writer.clone());
        }
    }

    /// Bytes were taken to be written: those who waited for room go on.
    pub(crate) fn room(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let has_room = self.machine.has_room();
        let answerers = if has_room { std::mem::take(&mut self.answerers) } else { Vec::new() };
        let holds_back = has_room && std::mem::take(&mut self.holds_back);
        let reader = if holds_back { self.reader.take() } else { None };
        answerers.into_iter().chain(reader)
    }
}

#[allow(dead_code, reason = "a static assertion: invariant 9")]
fn links_are_shared(session: SharedSession) -> impl Send + Sync {
    session
}
