//! Owns one session as tasks and callers share it: the state machine under one short lock, and who waits for what.
//!
//! It must not execute user code under the lock, nor drop anything of the user's there: see `settle`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::Waker;
use std::time::Instant;

use foldhash::HashMap;
use slab::Slab;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::lookout::{GoesOn, Turns, look_after};
use super::shared::Shared;
use super::state::State;
use crate::id::QuestionId;
use crate::object::message::{Receiver, Reference, Reply, Watcher};
use crate::object::peer::Peer;
use crate::object::promise::NearPromise;
use crate::object::slot::Slot;
use crate::session::{Name, Session};
use crate::wire::body::Body;
use crate::wire::frame::Manner;

/// One session.
pub(crate) struct Link {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Peer,
    pub(super) this: Weak<Link>,
    pub(super) inner: Mutex<Inner>,
    /// Whether calls are to be begun, as it was when the state was last changed; read without the lock.
    pub(super) is_held_up: AtomicBool,
    pub(super) state: watch::Sender<State>,
    pub(super) turns: Arc<Turns>,
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
    /// Whether the reader is at work on what it has read: so long it cannot hear the peer.
    pub(super) is_deaf: bool,
    /// The writer, if it sleeps.
    pub(super) writer: Option<Waker>,
    /// Whether the reader executes calls, and writes what comes of it: so nobody else wakes the writer for that.
    is_executing: bool,
    /// Whether what was taken to be written was left to the writer.
    is_left_over: bool,
    /// The reader, if it holds back calls for want of room.
    pub(super) reader: Option<Waker>,
    /// Tasks that wait for room for their answer.
    pub(super) answerers: Vec<Waker>,
}

/// A caller, and the call that its place is for.
pub(super) struct Waiter {
    pub(super) question: QuestionId,
    pub(super) slot: Arc<Slot<Reply>>,
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

impl Link {
    pub(crate) fn new(shared: Arc<Shared>, peer: Peer, session: Session) -> Arc<Link> {
        let link = Arc::new_cyclic(|this| Link {
            shared,
            peer,
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
                is_deaf: false,
                writer: None,
                is_executing: false,
                is_left_over: false,
                reader: None,
                answerers: Vec::new(),
            }),
            is_held_up: AtomicBool::new(false),
            state: watch::Sender::new(State::Connected),
            turns: Arc::default(),
        });
        let goes_on: Weak<dyn GoesOn> = link.this.clone();
        look_after(&link.turns, goes_on);
        link
    }

    /// The state, under its lock. What is done to it is seen to by [`Link::settle`].
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // No user code runs under the lock, so a panic there is a bug of ours; the session goes on all the same.
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether no call is to be begun: there is no room for another answer, or the session is over.
    pub(crate) fn is_held_up(&self) -> bool {
        self.is_held_up.load(Ordering::Relaxed)
    }

    pub(crate) fn state(&self) -> &watch::Sender<State> {
        &self.state
    }

    /// Whether nothing is in progress in either direction. A promise that is kept, its answer here, is nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        let inner = self.lock();
        inner.waiters.is_empty() && inner.session.running() == 0 && inner.session.held() == 0
    }

    pub(super) fn this(&self) -> Arc<Link> {
        self.this.upgrade().expect("whoever calls a link holds it")
    }
}

impl GoesOn for Link {
    fn go_on(&self) {
        let mut inner = self.lock();
        inner.is_executing = false;
        // Also if there is nothing to be written: it keeps time.
        let writer = inner.writer.take();
        drop(inner);
        writer.into_iter().for_each(Waker::wake);
    }
}

impl Inner {
    /// Whether neither side refers to anything of the other's, or waits for it.
    pub(super) fn is_unneeded(&self) -> bool {
        let session = &self.session;
        session.export_count() + session.import_count() + session.question_count() == 0
            && session.running() == 0
    }

    /// Takes bytes from the connection; see [`Session::receive`].
    pub(crate) fn receive(&mut self, input: &[u8]) -> usize {
        self.is_deaf = true;
        self.session.receive(Instant::now(), input)
    }

    /// Time has passed. While a method blocks the reader's thread, the silence is not the peer's.
    pub(crate) fn time_out(&mut self) {
        let now = Instant::now();
        if self.is_deaf {
            self.session.receive(now, &[]);
        }
        self.session.time_out(now);
    }

    /// The calls to be begun now: all that arrived, in exchange for an empty queue.
    pub(crate) fn next_deliveries(&mut self, empty: &mut VecDeque<Delivery>) {
        if self.session.has_room() {
            std::mem::swap(&mut self.inbox, empty);
        }
        self.is_executing = !empty.is_empty();
    }

    /// The rest of them waits for room; when the session is over it stays where it is.
    pub(crate) fn put_back(&mut self, rest: &mut VecDeque<Delivery>) {
        if self.session.closed().is_none() {
            std::mem::swap(&mut self.inbox, rest);
            self.inbox.append(rest);
        }
    }

    /// Whether nothing is to be begun; then the reader is woken when there is room.
    pub(crate) fn hold_back(&mut self, reader: &Waker) -> bool {
        self.is_deaf = false;
        if !self.inbox.is_empty() {
            if self.session.has_room() {
                return false;
            }
            self.reader = Some(reader.clone());
        }
        true
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
        let is_over = self.session.closed().is_some();
        let is_wanted = is_over || (!self.is_executing && self.has_work_for_writer());
        if is_wanted { self.writer.take() } else { None }
    }

    pub(crate) fn has_work_for_writer(&self) -> bool {
        self.session.wants_transmit() || self.is_left_over || self.session.closed().is_some()
    }

    /// What was taken to be written is not, or not all of it.
    pub(crate) fn leave_to_writer(&mut self) {
        self.is_left_over = true;
    }

    /// All that was taken is written. Whether it was the last.
    pub(crate) fn note_written(&mut self) -> bool {
        self.is_left_over = false;
        self.session.closed().is_some() && !self.session.wants_transmit()
    }

    pub(crate) fn sleep_writer(&mut self, writer: &Waker) {
        if !self.writer.as_ref().is_some_and(|known| known.will_wake(writer)) {
            self.writer = Some(writer.clone());
        }
    }

    /// Bytes were taken to be written: those who waited for room go on.
    pub(crate) fn room(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let has_room = self.session.has_room();
        let answerers = if has_room { std::mem::take(&mut self.answerers) } else { Vec::new() };
        let reader = if has_room { self.reader.take() } else { None };
        answerers.into_iter().chain(reader)
    }
}

#[allow(dead_code, reason = "a static assertion: invariant 9")]
fn links_are_shared(link: Link) -> impl Send + Sync {
    link
}
