//! Owns one session as tasks and callers share it: the state machine under one short lock, and who waits for what.
//!
//! It must not execute user code under the lock, nor drop anything of the user's there: what is to be woken, told or
//! dropped is gathered in [`Aftermath`] and seen to when the lock is free.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use foldhash::HashMap;
use slab::Slab;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::shared::Shared;
use crate::error::{Error, Outcome};
use crate::id::{Identity, NameId, ObjectId, QuestionId};
use crate::object::execution::contained;
use crate::object::import::Import;
use crate::object::message::{
    Claim, Ended, Interfaced, Payload, Receiver, Reference, Reply, Request, Route, Selector, Watcher,
};
use crate::object::peer::Peer;
use crate::object::promise::NearPromise;
use crate::object::slot::Slot;
use crate::session::event::{Event, IncomingCall};
use crate::session::{Ask, Session};
use crate::wire::content::Content;
use crate::wire::frame::{Descriptor, Manner, Status, Target};

use super::state::State;
use super::translate::{Outgoing, prepare};

/// Errors up to this length are told whatever the peer's limit.
const SHORT: u64 = 256;

/// One session.
pub(crate) struct Link {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Peer,
    this: Weak<Link>,
    inner: Mutex<Inner>,
    /// Whether there was no room for another answer when the state was last changed; read without the lock.
    is_full: AtomicBool,
    state: watch::Sender<State>,
}

/// What is under the lock.
pub(crate) struct Inner {
    pub(crate) session: Session,
    /// Callers, by the token of their call.
    waiters: Slab<Waiter>,
    /// Answers of ours that the peer may pipeline on.
    promises: HashMap<QuestionId, Arc<NearPromise>>,
    /// Calls of the peer's that are being executed by tasks.
    running: HashMap<QuestionId, Option<AbortHandle>>,
    /// Calls of the peer's that are not yet begun, in order.
    inbox: VecDeque<Delivery>,
    /// Objects of ours that the peer watches, by the peer's number.
    watched: HashMap<u64, Box<dyn Send + Sync>>,
    /// Who watches objects of the peer's, by our number.
    watchers: HashMap<u64, Watcher>,
    next_watch: u64,
    /// Whether the reader is at work on what it has read: so long it cannot hear the peer.
    is_deaf: bool,
    /// The writer, if it sleeps.
    writer: Option<Waker>,
    /// The reader, if it holds back calls for want of room.
    reader: Option<Waker>,
    /// Tasks that wait for room for their answer.
    answerers: Vec<Waker>,
}

struct Waiter {
    question: QuestionId,
    slot: Arc<Slot<Reply>>,
}

/// A call that is to be begun.
pub(crate) struct Delivery {
    pub(crate) question: QuestionId,
    pub(crate) receiver: Result<Arc<dyn Receiver>, Error>,
    pub(crate) request: Request,
    /// What the peer may pipeline on, if it asked for that.
    pub(crate) promise: Option<Arc<NearPromise>>,
}

/// What is to be done when the lock is free.
#[derive(Default)]
pub(crate) struct Aftermath {
    wake: Vec<Waker>,
    tell: Vec<(Watcher, Ended)>,
    watch: Vec<(u64, Arc<dyn Receiver>)>,
    abort: Vec<AbortHandle>,
    replies: Vec<Reply>,
    receivers: Vec<Arc<dyn Receiver>>,
    deliveries: Vec<Delivery>,
    guards: Vec<Box<dyn Send + Sync>>,
    promises: Vec<Arc<NearPromise>>,
    ended: Option<String>,
}

impl Link {
    pub(crate) fn new(shared: Arc<Shared>, peer: Peer, session: Session) -> Arc<Link> {
        Arc::new_cyclic(|this| Link {
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
                reader: None,
                answerers: Vec::new(),
            }),
            is_full: AtomicBool::new(false),
            state: watch::Sender::new(State::Connected),
        })
    }

    /// The state, under its lock. What is done to it is seen to by [`Link::settle`].
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // No user code runs under the lock, so a panic there is a bug of ours; the session goes on all the same.
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Does something to the state, and what follows from it.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.lock();
        let result = change(&mut inner);
        self.settle(inner);
        result
    }

    /// Drains what the session has to tell, frees the lock, and does what follows from it.
    fn settle(&self, mut inner: MutexGuard<'_, Inner>) {
        if self.shared.is_orphaned() && inner.is_unneeded() {
            inner.session.close("the node is gone");
        }
        if self.shared.is_closing() {
            self.shared.ended.notify_waiters(); // Who waits looks when the lock is free.
        }
        let Some(first) = inner.session.poll_event() else {
            // The hot path: a call or an answer was sent, and nobody is to be told.
            let writer = inner.rouse_writer();
            self.is_full.store(!inner.session.has_room(), Ordering::Relaxed);
        drop(inner);
            return writer.into_iter().for_each(Waker::wake);
        };
        let mut aftermath = Aftermath::default();
        let mut next = Some(first);
        while let Some(event) = next {
            self.handle(&mut inner, event, &mut aftermath);
            next = inner.session.poll_event();
        }
        aftermath.wake.extend(inner.rouse_writer());
        drop(inner);
        self.follow(aftermath);
    }

    /// Whether there was no room for another answer when the state was last changed.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    pub(crate) fn state(&self) -> &watch::Sender<State> {
        &self.state
    }

    /// Whether nothing is in progress in either direction. A promise that is kept, its answer here, is nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        let inner = self.lock();
        inner.waiters.is_empty() && inner.session.running() == 0 && inner.session.held() == 0
    }

    fn this(&self) -> Arc<Link> {
        self.this.upgrade().expect("whoever calls a link holds it")
    }

    fn handle(&self, inner: &mut Inner, event: Event, aftermath: &mut Aftermath) {
        match event {
            Event::Promised { question } => {
                let nobody: Weak<dyn Receiver> = Weak::<crate::object::nowhere::Nowhere>::new();
                let promise = NearPromise::new(&crate::object::builtin::INTERFACES, nobody);
                inner.promises.insert(question, promise);
            }
            Event::Call(call) => {
                let delivery = self.delivery(inner, call);
                inner.inbox.push_back(delivery);
            }
            Event::Cancelled { question } => {
                if let Some(Some(task)) = inner.running.get(&question) {
                    aftermath.abort.push(task.clone());
                } else if let Some(held) = inner.inbox.iter_mut().find(|delivery| delivery.question == question) {
                    // Answered in its turn, when there is room: else a peer that does not read could fill the queue
                    // with answers by cancelling.
                    let receiver = std::mem::replace(&mut held.receiver, Err(Error::Cancelled));
                    aftermath.receivers.extend(receiver);
                    aftermath.replies.push(Reply::Value(std::mem::take(&mut held.request.payload)));
                }
            }
            Event::Finished { question } => aftermath.promises.extend(inner.promises.remove(&question)),
            Event::Answered { token, status, content } => {
                let reply = self.reply(inner, status, content, aftermath);
                match token {
                    Some(token) => answer(inner, token, reply, aftermath),
                    None => aftermath.replies.push(reply),
                }
            }
            Event::HandedOver { token } => answer(inner, token, Reply::Value(Payload::default()), aftermath),
            Event::Lost { token, outcome } => {
                let reason = inner.session.closed().map_or("", |cause| cause.reason()).to_owned();
                answer(inner, token, Reply::Fault(Error::SessionLost { reason, outcome }), aftermath);
            }
            Event::Unexported { object } => aftermath.receivers.extend(self.shared.table.hide(object)),
            Event::Watch { watch, object } => {
                if let Some(receiver) = self.object(object) {
                    aftermath.watch.push((watch, receiver));
                }
            }
            Event::Unwatch { watch } => {
                // It may have begun in the same batch, and not be watched yet.
                aftermath.watch.retain(|(begun, _)| *begun != watch);
                aftermath.guards.extend(inner.watched.remove(&watch));
            }
            Event::WatchEnded { watch, stopped, reason } => {
                let ended = if stopped { Ended::Stopped(reason) } else { Ended::Released };
                aftermath.tell.extend(inner.watchers.remove(&watch).map(|watcher| (watcher, ended)));
            }
            Event::Closed { cause } => {
                let reason = cause.reason().to_owned();
                let watchers = std::mem::take(&mut inner.watchers);
                aftermath
                    .tell
                    .extend(watchers.into_values().map(|watcher| (watcher, Ended::SessionEnded(reason.clone()))));
                aftermath.abort.extend(std::mem::take(&mut inner.running).into_values().flatten());
                aftermath.guards.extend(std::mem::take(&mut inner.watched).into_values());
                aftermath.promises.extend(std::mem::take(&mut inner.promises).into_values());
                aftermath.deliveries.extend(std::mem::take(&mut inner.inbox));
                aftermath.wake.append(&mut inner.answerers);
                aftermath.wake.extend(inner.reader.take());
                aftermath.ended = Some(reason);
            }
        }
    }

    fn follow(&self, aftermath: Aftermath) {
        let Aftermath { wake, tell, watch, abort, ended, replies, receivers, deliveries, guards, promises } = aftermath;
        wake.into_iter().for_each(Waker::wake);
        abort.iter().for_each(AbortHandle::abort);
        tell.into_iter().for_each(|(watcher, ended)| watcher(ended));
        for (watch, receiver) in watch {
            self.watch_for_peer(watch, receiver);
        }
        if let Some(reason) = ended {
            tracing::debug!(peer = %self.peer.id(), %reason, "session ended");
            self.state.send_replace(State::Ended);
            self.shared.ended.notify_waiters();
        }
        // One by one: of several that panic at once, the second would end the process.
        receivers.into_iter().for_each(|receiver| contained(|| drop(receiver)));
        replies.into_iter().for_each(|reply| contained(|| drop(reply)));
        deliveries.into_iter().for_each(|delivery| contained(|| drop(delivery)));
        promises.into_iter().for_each(|promise| contained(|| drop(promise)));
        guards.into_iter().for_each(|guard| contained(|| drop(guard)));
    }

    fn watch_for_peer(&self, watch: u64, receiver: Arc<dyn Receiver>) {
        let link = self.this.clone();
        let guard = receiver.watch(Box::new(move |ended| {
            let Some(link) = link.upgrade() else { return };
            let (stopped, reason) = match ended {
                Ended::Stopped(reason) | Ended::SessionEnded(reason) => (true, reason),
                Ended::Released => (false, String::new()),
            };
            let guard = link.update(|inner| {
                inner.session.tell_ended(watch, stopped, &reason);
                inner.watched.remove(&watch)
            });
            drop(guard);
        }));
        let mut inner = self.lock();
        let replaced = inner.watched.insert(watch, guard);
        drop(inner);
        drop(replaced);
    }

    fn object(&self, object: ObjectId) -> Option<Arc<dyn Receiver>> {
        if object == ObjectId::DIRECTORY { self.shared.directory.get().cloned() } else { self.shared.table.get(object) }
    }

    /// A call with its references resolved: before anything later is looked at, and before its body is.
    fn delivery(&self, inner: &Inner, call: IncomingCall) -> Delivery {
        let IncomingCall { question, target, selector, manner, nesting, deadline, content } = call;
        let receiver = match target {
            Some(Target::Object(object)) => self.object(object),
            Some(Target::Answer(answer)) => {
                inner.promises.get(&answer).map(|promise| Arc::clone(promise) as Arc<dyn Receiver>)
            }
            None => None,
        };
        let request = Request {
            selector: Selector::Heard(selector),
            payload: self.payload(inner, content),
            manner,
            deadline: deadline.map(|left| Instant::now() + left),
            nesting,
            caller: Some(self.peer.clone()),
            waker: None,
        };
        let promise = inner.promises.get(&question).cloned();
        Delivery { question, receiver: receiver.ok_or(Error::NoSuchObject), request, promise }
    }

    fn payload(&self, inner: &Inner, content: Content) -> Payload {
        let references = match content.references.as_slice() {
            [] => Vec::new(),
            some => some.iter().map(|descriptor| self.reference(inner, descriptor)).collect(),
        };
        Payload::new(content.body, references, self.shared.limits.bounds())
    }

    fn reference(&self, inner: &Inner, descriptor: &Descriptor) -> Reference {
        let route = || self.this() as Arc<dyn Route>;
        let (receiver, interface): (Arc<dyn Receiver>, NameId) = match *descriptor {
            Descriptor::Mine { object, interface } => {
                let identity = Identity { node: self.peer.id(), object };
                (Arc::new(Import::new(route(), object, identity)), interface)
            }
            Descriptor::Forwarded { object, owner, interface } => {
                (Arc::new(Import::new(route(), object, owner)), interface)
            }
            Descriptor::Yours { object, interface } => {
                // The session has checked that the peer was given it, so it is in the table.
                let nowhere = || Arc::new(crate::object::nowhere::Nowhere) as Arc<dyn Receiver>;
                (self.object(object).unwrap_or_else(nowhere), interface)
            }
        };
        let interface = inner.session.name(interface).map_or(Interfaced::Unknown, |name| Interfaced::Heard(name.clone()));
        Reference { receiver, interface }
    }

    fn reply(&self, inner: &Inner, status: Status, content: Content, aftermath: &mut Aftermath) -> Reply {
        let payload = self.payload(inner, content);
        match status {
            Status::Value => Reply::Value(payload),
            Status::Failure => Reply::Failure(payload),
            Status::Fault => {
                let read = payload.decode(|decoder| decoder.next());
                // The call failed over there, and why is not known: so neither is whether it was executed.
                let error = read.unwrap_or_else(|error| Error::Protocol(format!("a fault that cannot be read: {error}")));
                // References have no business there, and are not given back under the lock.
                aftermath.replies.push(Reply::Value(payload));
                Reply::Fault(error)
            }
        }
    }
}

// ---- for the tasks of the session

impl Inner {
    /// Whether neither side refers to anything of the other's, or waits for it.
    fn is_unneeded(&self) -> bool {
        let session = &self.session;
        session.export_count() + session.import_count() + session.question_count() == 0 && session.running() == 0
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

    /// Whether calls are held back; then the reader is woken when there is room.
    pub(crate) fn hold_back(&mut self, reader: &Waker) -> bool {
        self.is_deaf = false;
        if self.inbox.is_empty() || self.session.has_room() {
            return false;
        }
        self.reader = Some(reader.clone());
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
    fn rouse_writer(&mut self) -> Option<Waker> {
        let wanted = self.writer.is_some() && (self.session.wants_transmit() || self.session.closed().is_some());
        if wanted { self.writer.take() } else { None }
    }

    pub(crate) fn sleep_writer(&mut self, writer: &Waker) {
        if !self.writer.as_ref().is_some_and(|known| known.will_wake(writer)) {
            self.writer = Some(writer.clone());
        }
    }

    /// Bytes were taken to be written: those who waited for room go on.
    pub(crate) fn room(&mut self) -> Vec<Waker> {
        if !self.session.has_room() || (self.answerers.is_empty() && self.reader.is_none()) {
            return Vec::new();
        }
        let mut wake = std::mem::take(&mut self.answerers);
        wake.extend(self.reader.take());
        wake
    }
}

impl Link {
    /// Waits until there is room for an answer.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if inner.session.has_room() || inner.session.closed().is_some() {
            return Poll::Ready(());
        }
        inner.answerers.push(context.waker().clone());
        Poll::Pending
    }

    /// Sends the answer to a call of the peer's.
    pub(crate) fn send_answer(&self, question: QuestionId, reply: Reply) {
        let (status, payload) = match reply {
            Reply::Value(payload) => (Status::Value, payload),
            Reply::Failure(payload) => (Status::Failure, payload),
            Reply::Fault(error) => return self.send_fault(question, &error),
        };
        let Payload { body, references, .. } = payload;
        let prepared = prepare(&self.shared, self.route_number(), &references);
        let mut inner = self.lock();
        inner.forget_running(question);
        let (limit, size) = (inner.session.largest_answer(), body.len() as u64);
        let hidden = match prepared.introduce(&mut inner.session) {
            Ok(Outgoing { descriptors, hide }) if size <= limit => {
                let content = Content { body, references: descriptors };
                inner.session.answer(question, status, content);
                hide
            }
            Ok(Outgoing { descriptors, hide }) => {
                retract(&mut inner.session, &descriptors);
                let error = Error::Nested(Box::new(Error::TooLarge { size, limit }));
                inner.session.answer(question, Status::Fault, fault(&error));
                hide
            }
            Err((error, hide)) => {
                let error = Error::Nested(Box::new(error));
                inner.session.answer(question, Status::Fault, fault(&error));
                hide
            }
        };
        self.settle(inner);
        self.hide(hidden);
        drop(references);
    }

    fn send_fault(&self, question: QuestionId, error: &Error) {
        let content = fault(error);
        self.update(|inner| {
            inner.forget_running(question);
            let (limit, size) = (inner.session.largest_answer(), content.body.len() as u64);
            // The text of an error may be the user's, and of any length.
            let content = if size <= limit.max(SHORT) {
                content
            } else {
                fault(&Error::Nested(Box::new(Error::TooLarge { size, limit })))
            };
            inner.session.answer(question, Status::Fault, content);
        });
    }

    fn hide(&self, objects: Vec<ObjectId>) {
        if objects.is_empty() {
            return;
        }
        let hidden: Vec<_> = objects.into_iter().filter_map(|object| self.shared.table.hide(object)).collect();
        drop(hidden);
    }

    fn route_number(&self) -> usize {
        std::ptr::from_ref(self).cast::<()>() as usize
    }
}

// ---- for far references

impl Route for Link {
    fn ask(&self, target: Target, request: Request) -> Result<Claim, Error> {
        let Request { selector, payload, manner, deadline, nesting, waker, .. } = request;
        if nesting >= self.shared.limits.nesting {
            let limit = self.shared.limits.nesting;
            return Err(Error::Quota(format!("calls go back and forth {limit} deep (`Limits::nesting`)")));
        }
        let Payload { body, references, .. } = payload;
        let prepared = prepare(&self.shared, self.route_number(), &references);
        let now = deadline.map(|_| Instant::now());
        let slot = Arc::new(Slot::new(waker));
        let waiter = Waiter { question: QuestionId(0), slot: Arc::clone(&slot) };
        let mut inner = self.lock();
        let (descriptors, hidden) = match prepared.introduce(&mut inner.session) {
            Ok(Outgoing { descriptors, hide }) => (descriptors, hide),
            Err((error, hide)) => {
                self.settle(inner);
                self.hide(hide);
                return Err(error);
            }
        };
        let token = inner.waiters.insert(waiter);
        let ask = Ask {
            token,
            target,
            selector: (selector.text(), selector.fingerprint()),
            manner,
            nesting: nesting + 1,
            deadline,
            content: Content { body, references: descriptors.clone() },
        };
        let asked = inner.session.ask(now, ask);
        match &asked {
            Ok(question) => inner.waiters[token].question = *question,
            Err(_) => {
                inner.waiters.remove(token);
                retract(&mut inner.session, &descriptors);
            }
        }
        self.settle(inner);
        self.hide(hidden);
        drop(references);
        asked.map(|question| Claim { token, question, slot })
    }

    fn abandon(&self, token: usize, question: QuestionId) {
        let waiter = self.update(|inner| {
            inner.session.cancel(question);
            inner.take_waiter(token, question)
        });
        drop(waiter);
    }

    fn finish(&self, token: usize, question: QuestionId) {
        let waiter = self.update(|inner| {
            inner.session.finish(question);
            inner.take_waiter(token, question)
        });
        drop(waiter);
    }

    fn release(&self, object: ObjectId) {
        self.update(|inner| inner.session.release(object));
    }

    fn is_behind(&self, question: QuestionId) -> bool {
        self.lock().session.is_behind(question)
    }

    fn watch(&self, object: ObjectId, watcher: Watcher) -> u64 {
        let mut inner = self.lock();
        if let Some(cause) = inner.session.closed() {
            let reason = cause.reason().to_owned();
            drop(inner);
            watcher(Ended::SessionEnded(reason));
            return 0;
        }
        inner.next_watch += 1;
        let watch = inner.next_watch;
        inner.watchers.insert(watch, watcher);
        inner.session.watch(watch, object);
        self.settle(inner);
        watch
    }

    fn unwatch(&self, watch: u64) {
        let watcher = self.update(|inner| {
            let watcher = inner.watchers.remove(&watch);
            if watcher.is_some() && inner.session.closed().is_none() {
                inner.session.unwatch(watch);
            }
            watcher
        });
        drop(watcher);
    }
}

impl Inner {
    /// The waiter of a call, if the place is not another's by now.
    fn take_waiter(&mut self, token: usize, question: QuestionId) -> Option<Waiter> {
        let is_its = self.waiters.get(token).is_some_and(|waiter| waiter.question == question);
        is_its.then(|| self.waiters.remove(token))
    }
}

fn answer(inner: &mut Inner, token: usize, reply: Reply, aftermath: &mut Aftermath) {
    match inner.waiters.try_remove(token) {
        Some(waiter) => aftermath.wake.extend(waiter.slot.fill(reply)),
        None => aftermath.replies.push(reply),
    }
}

fn retract(session: &mut Session, descriptors: &[Descriptor]) {
    for descriptor in descriptors {
        if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } = *descriptor {
            session.retract(object);
        }
    }
}

/// An error as the content of an answer.
fn fault(error: &Error) -> Content {
    let payload = Payload::encode(|encoder| encoder.push(error));
    let body = payload.map(|payload| payload.body).unwrap_or_default();
    Content { body, references: Vec::new() }
}

#[allow(dead_code, reason = "a static assertion: invariant 9")]
fn links_are_shared(link: Link, _: Outcome, _: Manner) -> impl Send + Sync {
    link
}
