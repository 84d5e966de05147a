//! Owns one session as tasks and callers share it: the state machine under one short lock, and who waits for what.
//!
//! It must not execute user code under the lock, nor drop anything of the user's there: see `settle`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use foldhash::HashMap;
use slab::Slab;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::attach::Attached;
use super::shared::Shared;
use super::state::State;
use crate::error::Error;
use crate::id::QuestionId;
use crate::object::message::{Receiver, Reply, Request, Watcher};
use crate::object::peer::Peer;
use crate::object::promise::NearPromise;
use crate::object::slot::Slot;
use crate::session::{Hearing, Session};
use crate::transport::uri::Uri;
use crate::wire::hello::Secret;

/// One session.
pub(crate) struct Link {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Peer,
    /// What only the two sides of the session know.
    pub(super) secret: Secret,
    pub(super) origin: Origin,
    pub(super) this: Weak<Link>,
    pub(super) inner: Mutex<Inner>,
    /// Whether there was no room for another answer when the state was last changed; read without the lock.
    pub(super) is_full: AtomicBool,
    pub(super) state: watch::Sender<State>,
    /// The newest change of state that was told.
    pub(super) turns_told: AtomicU64,
}

/// How a session came to be.
pub(crate) struct Origin {
    /// Where this side made the connection to, if it did: it makes the next one, too.
    pub(crate) dialled: Option<Uri>,
    /// Where the peer says that it listens; empty if nowhere.
    pub(crate) listens: String,
}

/// What is under the lock.
pub(crate) struct Inner {
    pub(crate) session: Session,
    /// Callers, by the token of their call.
    pub(super) waiters: Slab<Waiter>,
    /// Answers of ours that the peer may pipeline on.
    pub(super) promises: HashMap<QuestionId, Arc<NearPromise>>,
    /// Calls of the peer's that are being executed by tasks.
    pub(super) running: HashMap<QuestionId, Option<AbortHandle>>,
    /// Calls of the peer's that are not yet begun, in order.
    pub(super) inbox: VecDeque<Delivery>,
    /// Objects of ours that the peer watches, by the peer's number.
    pub(super) watched: HashMap<u64, Box<dyn Send + Sync>>,
    /// Who watches objects of the peer's, by our number.
    pub(super) watchers: HashMap<u64, Watcher>,
    pub(super) next_watch: u64,
    /// How often the state changed that users are told.
    turns: u64,
    /// Whether the reader is at work on what it has read: so long it cannot hear the peer.
    pub(super) is_deaf: bool,
    /// The connection beneath, and the next one.
    pub(super) attached: Attached,
    /// The writer, if it sleeps.
    pub(super) writer: Option<Waker>,
    /// The writer, if the connection takes no more: woken when there is another connection, or none.
    pub(super) stalled_writer: Option<Waker>,
    /// The reader, if it waits.
    pub(super) reader: Option<Waker>,
    /// Whether calls are held back for want of room.
    pub(super) holds_back: bool,
    /// Tasks that wait for room for their answer.
    pub(super) answerers: Vec<Waker>,
}

/// A caller, and the call that its place is for.
pub(super) struct Waiter {
    pub(super) question: QuestionId,
    pub(super) slot: Arc<Slot<Reply>>,
}

/// A call that is to be begun.
pub(crate) struct Delivery {
    pub(crate) question: QuestionId,
    pub(crate) receiver: Result<Arc<dyn Receiver>, Error>,
    pub(crate) request: Request,
    /// What the peer may pipeline on, if it asked for that.
    pub(crate) promise: Option<Arc<NearPromise>>,
}

impl Link {
    pub(crate) fn new(
        shared: Arc<Shared>,
        peer: Peer,
        session: Session,
        secret: Secret,
        origin: Origin,
    ) -> Arc<Link> {
        Arc::new_cyclic(|this| Link {
            shared,
            peer,
            secret,
            origin,
            this: this.clone(),
            inner: Mutex::new(Inner {
                session,
                waiters: Slab::new(),
                promises: HashMap::default(),
                running: HashMap::default(),
                inbox: VecDeque::new(),
                watched: HashMap::default(),
                watchers: HashMap::default(),
                next_watch: 0,
                turns: 0,
                is_deaf: false,
                attached: Attached::default(),
                writer: None,
                stalled_writer: None,
                reader: None,
                holds_back: false,
                answerers: Vec::new(),
            }),
            is_full: AtomicBool::new(false),
            state: watch::Sender::new(State::Connected),
            turns_told: AtomicU64::new(0),
        })
    }

    /// The state, under its lock. What is done to it is seen to by [`Link::settle`].
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // No user code runs under the lock, so a panic there is a bug of ours; the session goes on all the same.
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether there was no room for another answer when the state was last changed.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// The term of the lease.
    pub(crate) fn term(&self) -> Duration {
        self.lock().session.term()
    }

    pub(crate) fn state(&self) -> &watch::Sender<State> {
        &self.state
    }

    /// Whether nothing is in progress in either direction. A promise that is kept, its answer here, is nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        let inner = self.lock();
        inner.waiters.is_empty() && inner.session.running() == 0 && inner.session.underway() == 0
    }

    pub(super) fn this(&self) -> Arc<Link> {
        self.this.upgrade().expect("whoever calls a link holds it")
    }
}

impl Inner {
    /// Whether neither side refers to anything of the other's, or waits for it.
    pub(super) fn is_unneeded(&self) -> bool {
        let session = &self.session;
        session.export_count() + session.import_count() + session.question_count() == 0
            && session.running() == 0
    }

    /// A change of the state that users are told, with its place among them.
    pub(super) fn turn(&mut self, state: State) -> (u64, State) {
        self.turns += 1;
        (self.turns, state)
    }

    /// Time has passed. While a method blocks the reader's thread, the silence is not the peer's.
    pub(crate) fn time_out(&mut self) {
        let hearing = if self.is_deaf { Hearing::Deaf } else { Hearing::Awake };
        self.session.time_out(Instant::now(), hearing);
    }

    /// Calls to be begun now, as many as fit into a batch.
    pub(crate) fn next_deliveries(&mut self, batch: &mut VecDeque<Delivery>) {
        const BATCH: usize = 64;
        if self.session.has_room() {
            batch.extend(self.inbox.drain(..self.inbox.len().min(BATCH)));
        }
    }

    /// The rest of a batch waits for room. When the session is over, nothing comes back for it: it stays where it is.
    pub(crate) fn put_back(&mut self, batch: &mut VecDeque<Delivery>) {
        if self.session.closed().is_none() {
            std::mem::swap(&mut self.inbox, batch);
            self.inbox.append(batch);
        }
    }

    /// The next call to be begun, if there is room for its answer.
    pub(crate) fn next_delivery(&mut self) -> Option<Delivery> {
        if self.session.has_room() { self.inbox.pop_front() } else { None }
    }

    /// The reader waits: for what arrives, for another connection, or for room if calls are held back.
    pub(crate) fn sleep_reader(&mut self, reader: &Waker) {
        self.is_deaf = false;
        self.holds_back = !self.inbox.is_empty() && !self.session.has_room();
        if !self.reader.as_ref().is_some_and(|known| known.will_wake(reader)) {
            self.reader = Some(reader.clone());
        }
    }

    /// A task will be made that executes a call, unless the session is over.
    pub(crate) fn expect_running(&mut self, question: QuestionId) {
        if self.session.closed().is_none() {
            self.running.insert(question, None);
        }
    }

    /// Enters the task that executes a call. False if the call or the session has ended meanwhile.
    pub(crate) fn note_running(&mut self, question: QuestionId, task: &AbortHandle) -> bool {
        let entry = self.running.get_mut(&question);
        entry.is_some_and(|entry| entry.replace(task.clone()).is_none())
    }

    pub(crate) fn forget_running(&mut self, question: QuestionId) {
        // Most calls end in place and never had a task.
        if !self.running.is_empty() {
            self.running.remove(&question);
        }
    }

    /// The writer, if it sleeps and has something to do.
    pub(super) fn rouse_writer(&mut self) -> Option<Waker> {
        let wanted = self.writer.is_some()
            && (self.session.wants_transmit() || self.session.closed().is_some());
        if wanted { self.writer.take() } else { None }
    }

    /// The tasks of the session, if they sleep: something has changed that both must look at.
    pub(super) fn tasks(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let tasks = [self.reader.take(), self.writer.take(), self.stalled_writer.take()];
        tasks.into_iter().flatten()
    }

    pub(crate) fn sleep_writer(&mut self, writer: &Waker) {
        if !self.writer.as_ref().is_some_and(|known| known.will_wake(writer)) {
            self.writer = Some(writer.clone());
        }
    }

    /// Bytes were taken to be written: those who waited for room go on.
    pub(crate) fn room(&mut self) -> Vec<Waker> {
        if !self.session.has_room() || (self.answerers.is_empty() && !self.holds_back) {
            return Vec::new();
        }
        let mut wake = std::mem::take(&mut self.answerers);
        if std::mem::take(&mut self.holds_back) {
            wake.extend(self.reader.take());
        }
        wake
    }
}

#[allow(dead_code, reason = "a static assertion: invariant 9")]
fn links_are_shared(link: Link) -> impl Send + Sync {
    link
}
