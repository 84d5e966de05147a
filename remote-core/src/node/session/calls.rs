//! The calls of a session, under its lock: callers of this side that wait for a reply, and calls of the peer that wait or run.
//!
//! It must not know the state machine, nor how a call is executed. It returns removed values, to be dropped after the lock is
//! released.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::Waker;

use foldhash::{HashMap, HashSet};
use slab::Slab;
use tokio::task::AbortHandle;

use crate::id::{CallToken, QuestionId};
use crate::object::builtin::INTERFACES;
use crate::object::message::{Receiver, Reference, Reply};
use crate::object::null::NullReceiver;
use crate::object::promise::NearPromise;
use crate::object::slot::Slot;
use crate::session::header::CallHeader;
use crate::wire::body::Body;
use crate::wire::frame::Manner;

/// A caller, and the question of its call: the token may belong to another caller when a late event arrives.
pub(crate) struct Waiter {
    question: QuestionId,
    slot: Arc<Slot<Reply>>,
}

/// A call of the peer that is to be executed. It is small because it is moved several times.
pub(crate) struct Delivery {
    pub(crate) question: QuestionId,
    pub(crate) receiver: Result<Arc<dyn Receiver>, NoReceiver>,
    pub(crate) header: CallHeader,
    pub(crate) body: Body,
    pub(crate) references: Vec<Reference>,
    /// The promise of the answer, if the peer may send pipelined calls to it.
    pub(crate) promise: Option<Arc<NearPromise>>,
}

/// The reason for which a call has no receiver.
#[derive(Clone, Copy)]
pub(crate) enum NoReceiver {
    NoSuchObject,
    Cancelled,
}

/// The state of a call when its cancellation arrives.
pub(crate) enum Cancelled {
    /// The call runs in this task.
    Running(AbortHandle),
    /// The call has not started. It stays in the queue without its receiver, and is answered when its turn comes.
    Queued(Result<Arc<dyn Receiver>, NoReceiver>, Vec<Reference>),
    /// The reader is about to start it.
    InHand,
}

/// A call of the peer that runs in a task.
struct Execution {
    manner: Manner,
    /// Set when the task is spawned.
    task: Option<AbortHandle>,
}

/// The calls that are given up when the session ends.
pub(crate) struct Rest {
    pub(crate) promises: Vec<Arc<NearPromise>>,
    pub(crate) queued: Vec<Delivery>,
}

/// The calls in progress, in both directions.
#[derive(Default)]
pub(crate) struct Calls {
    /// The waiting callers, by the token of their call.
    waiters: Slab<Waiter>,
    /// The promises of answers of this side to which the peer may send pipelined calls.
    promises: HashMap<QuestionId, Arc<NearPromise>>,
    /// The calls of the peer that run in tasks.
    running: HashMap<QuestionId, Execution>,
    /// The calls that the peer cancelled after the reader had taken them from the queue, and before they had a task.
    cancelled: HashSet<QuestionId>,
    /// The calls of the peer that have not started, in order.
    inbox: VecDeque<Delivery>,
}

impl Calls {
    /// Adds a caller. Its question is set when the state machine has accepted the call.
    #[inline(always)]
    pub(crate) fn add_waiter(&mut self, slot: Arc<Slot<Reply>>) -> CallToken {
        CallToken(self.waiters.insert(Waiter { question: QuestionId(0), slot }))
    }

    #[inline(always)]
    pub(crate) fn set_question(&mut self, token: CallToken, question: QuestionId) {
        self.waiters[token.0].question = question;
    }

    /// Removes a caller whose call was refused.
    pub(crate) fn remove_waiter(&mut self, token: CallToken) -> Waiter {
        self.waiters.remove(token.0)
    }

    /// Removes the caller of a call, unless the token belongs to another call by now.
    pub(crate) fn take_waiter(&mut self, token: CallToken, question: QuestionId) -> Option<Waiter> {
        let is_its = self.waiters.get(token.0).is_some_and(|waiter| waiter.question == question);
        is_its.then(|| self.waiters.remove(token.0))
    }

    /// Passes a reply to its caller. Returns the waker to wake, or the reply if the caller no longer waits.
    #[inline]
    pub(crate) fn complete(
        &mut self,
        token: CallToken,
        reply: Reply,
    ) -> Result<Option<Waker>, Reply> {
        match self.waiters.try_remove(token.0) {
            Some(waiter) => Ok(waiter.slot.fill(reply)),
            None => Err(reply),
        }
    }

    /// Returns true if callers wait.
    pub(crate) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Returns the number of callers that wait.
    pub(crate) fn waiters(&self) -> usize {
        self.waiters.len()
    }

    /// Makes the promise of an answer.
    pub(crate) fn add_promise(&mut self, question: QuestionId) {
        let nobody: Weak<dyn Receiver> = Weak::<NullReceiver>::new();
        self.promises.insert(question, NearPromise::new(&INTERFACES, nobody));
    }

    pub(crate) fn promise(&self, question: QuestionId) -> Option<&Arc<NearPromise>> {
        self.promises.get(&question)
    }

    pub(crate) fn remove_promise(&mut self, question: QuestionId) -> Option<Arc<NearPromise>> {
        self.promises.remove(&question)
    }

    /// Returns true if calls of the peer have not started.
    pub(crate) fn has_queued(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Queues a call of the peer.
    pub(crate) fn enqueue(&mut self, delivery: Delivery) {
        self.inbox.push_back(delivery);
    }

    /// Takes all queued calls, and leaves the empty queue in their place.
    pub(crate) fn take_queued(&mut self, empty: &mut VecDeque<Delivery>) {
        std::mem::swap(&mut self.inbox, empty);
    }

    /// Puts calls back to the front of the queue.
    pub(crate) fn put_back(&mut self, rest: &mut VecDeque<Delivery>) {
        std::mem::swap(&mut self.inbox, rest);
        self.inbox.append(rest);
    }

    /// Notes that a task is about to be spawned for a call.
    pub(crate) fn expect_task(&mut self, question: QuestionId, manner: Manner) {
        self.running.insert(question, Execution { manner, task: None });
    }

    /// Adds the task that runs a call. Returns false if the call or the session has ended meanwhile, or the peer has cancelled
    /// the call.
    pub(crate) fn note_task(&mut self, question: QuestionId, task: &AbortHandle) -> bool {
        let Some(entry) = self.running.get_mut(&question) else { return false };
        entry.task.replace(task.clone()).is_none() && !self.cancelled.remove(&question)
    }

    /// Notes that a call of the peer is answered.
    pub(crate) fn note_answered(&mut self, question: QuestionId) {
        // Most calls have no task.
        if !self.running.is_empty() {
            self.running.remove(&question);
        }
        if !self.cancelled.is_empty() {
            self.cancelled.remove(&question);
        }
    }

    /// Cancels a call of the peer.
    pub(crate) fn cancel(&mut self, question: QuestionId) -> Cancelled {
        if let Some(Execution { task: Some(task), .. }) = self.running.get(&question) {
            return Cancelled::Running(task.clone());
        }
        // Searched from the end: most cancelled calls have arrived recently, and the queue may be long.
        let queued = self.inbox.iter_mut().rev().find(|delivery| delivery.question == question);
        let Some(queued) = queued else {
            self.cancelled.insert(question);
            return Cancelled::InHand;
        };
        // Answered when its turn comes and there is room. Otherwise a peer that does not read could fill the queue of answers
        // by cancelling calls.
        let receiver = std::mem::replace(&mut queued.receiver, Err(NoReceiver::Cancelled));
        Cancelled::Queued(receiver, std::mem::take(&mut queued.references))
    }

    /// Removes the promises and queued calls that need the session, because it has ended. Running calls remain, and so do
    /// queued calls that are still executed.
    pub(crate) fn end(&mut self, is_executed: impl Fn(Manner) -> bool) -> Rest {
        self.cancelled.clear();
        let inbox = std::mem::take(&mut self.inbox);
        let (executed, given_up): (Vec<_>, Vec<_>) =
            inbox.into_iter().partition(|delivery| is_executed(delivery.header.manner));
        self.inbox = executed.into();
        let promises = std::mem::take(&mut self.promises).into_values().collect();
        Rest { promises, queued: given_up }
    }

    /// Removes the running calls, except those that are still executed. Adds the handles of their tasks to `aborted`.
    pub(crate) fn give_up_running(
        &mut self,
        is_executed: impl Fn(Manner) -> bool,
        aborted: &mut Vec<AbortHandle>,
    ) {
        let given_up = self.running.extract_if(|_, execution| !is_executed(execution.manner));
        aborted.extend(given_up.filter_map(|(_, execution)| execution.task));
    }

    /// Returns the number of the peer's calls that run in tasks.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    /// Asserts the invariants. Called in debug builds after each change, so it iterates over no large table.
    pub(crate) fn check(&self, is_over: bool) {
        for question in &self.cancelled {
            assert!(
                !matches!(self.running.get(question), Some(Execution { task: Some(_), .. })),
                "a call with a task is aborted and not noted as cancelled"
            );
        }
        if is_over {
            assert!(self.waiters.is_empty(), "the session is over, and a caller waits");
            assert!(self.promises.is_empty());
        }
    }
}
