//! The calls of a session, under its lock: callers here that wait for a reply of the peer, and calls of the peer that wait for
//! their execution or are being executed.
//!
//! It must not know the machine, nor how a call is executed. What it gives up it returns, to be dropped when the lock is free.

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

/// A caller, and the call that it waits for: its token may be another caller's by the time that a late word arrives.
pub(crate) struct Waiter {
    question: QuestionId,
    slot: Arc<Slot<Reply>>,
}

/// A call of the peer's that is to be executed. It is moved several times, and no larger than it must be.
pub(crate) struct Delivery {
    pub(crate) question: QuestionId,
    pub(crate) receiver: Result<Arc<dyn Receiver>, NoReceiver>,
    pub(crate) header: CallHeader,
    pub(crate) body: Body,
    pub(crate) references: Vec<Reference>,
    /// The promise of the answer, if the peer may pipeline on it.
    pub(crate) promise: Option<Arc<NearPromise>>,
}

/// Why a call has no receiver.
#[derive(Clone, Copy)]
pub(crate) enum NoReceiver {
    NoSuchObject,
    Cancelled,
}

/// The state in which a cancellation found its call.
pub(crate) enum Cancelled {
    /// The call is executed by this task.
    Running(AbortHandle),
    /// It was not begun. It stays in the inbox, without receiver, and is answered in its turn.
    Queued(Result<Arc<dyn Receiver>, NoReceiver>, Vec<Reference>),
    /// The reader is about to begin it.
    InHand,
}

/// A call of the peer that a task executes.
struct Execution {
    manner: Manner,
    /// Set when the task is spawned.
    task: Option<AbortHandle>,
}

/// What is given up when the session ends.
pub(crate) struct Rest {
    pub(crate) promises: Vec<Arc<NearPromise>>,
    pub(crate) queued: Vec<Delivery>,
}

/// The calls in progress, in both directions.
#[derive(Default)]
pub(crate) struct Calls {
    /// Callers, by the token of their call.
    waiters: Slab<Waiter>,
    /// Answers of this side on which the peer may pipeline.
    promises: HashMap<QuestionId, Arc<NearPromise>>,
    /// Calls of the peer that tasks execute.
    running: HashMap<QuestionId, Execution>,
    /// Calls that the peer cancelled while the reader had them in hand: neither in the inbox any more, nor a task yet.
    cancelled: HashSet<QuestionId>,
    /// Calls of the peer that are not begun, in order.
    inbox: VecDeque<Delivery>,
}

impl Calls {
    /// Adds a caller. Its question is set when the machine has accepted the call.
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

    /// Removes the caller of a call, unless the token is another one's by now.
    pub(crate) fn take_waiter(&mut self, token: CallToken, question: QuestionId) -> Option<Waiter> {
        let is_its = self.waiters.get(token.0).is_some_and(|waiter| waiter.question == question);
        is_its.then(|| self.waiters.remove(token.0))
    }

    /// Gives a caller its reply. Returns the waker to wake, or the reply if nobody waits for it.
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

    /// Returns true if calls of the peer are not begun.
    pub(crate) fn has_queued(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Queues a call of the peer's.
    pub(crate) fn enqueue(&mut self, delivery: Delivery) {
        self.inbox.push_back(delivery);
    }

    /// Takes all queued calls in exchange for an empty queue.
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

    /// Enters the task that executes a call. False if the call or the session has ended by now, or the peer cancelled it.
    pub(crate) fn note_task(&mut self, question: QuestionId, task: &AbortHandle) -> bool {
        let Some(entry) = self.running.get_mut(&question) else { return false };
        entry.task.replace(task.clone()).is_none() && !self.cancelled.remove(&question)
    }

    /// Notes that a call of the peer's is answered.
    pub(crate) fn note_answered(&mut self, question: QuestionId) {
        // Most calls end in place and never had a task.
        if !self.running.is_empty() {
            self.running.remove(&question);
        }
        if !self.cancelled.is_empty() {
            self.cancelled.remove(&question);
        }
    }

    /// Cancels a call of the peer's.
    pub(crate) fn cancel(&mut self, question: QuestionId) -> Cancelled {
        if let Some(Execution { task: Some(task), .. }) = self.running.get(&question) {
            return Cancelled::Running(task.clone());
        }
        // From the back: most calls that are cancelled at all arrived a moment ago, and the queue may be long.
        let queued = self.inbox.iter_mut().rev().find(|delivery| delivery.question == question);
        let Some(queued) = queued else {
            self.cancelled.insert(question);
            return Cancelled::InHand;
        };
        // Answered in its turn, when there is room: else a peer that does not read could fill the queue of answers by
        // cancelling.
        let receiver = std::mem::replace(&mut queued.receiver, Err(NoReceiver::Cancelled));
        Cancelled::Queued(receiver, std::mem::take(&mut queued.references))
    }

    /// Gives up what needs the session, which has ended. Calls that run, and queued ones that are to be executed all the same,
    /// stay.
    pub(crate) fn end(&mut self, is_executed: impl Fn(Manner) -> bool) -> Rest {
        self.cancelled.clear();
        let inbox = std::mem::take(&mut self.inbox);
        let (executed, given_up): (Vec<_>, Vec<_>) =
            inbox.into_iter().partition(|delivery| is_executed(delivery.header.manner));
        self.inbox = executed.into();
        let promises = std::mem::take(&mut self.promises).into_values().collect();
        Rest { promises, queued: given_up }
    }

    /// Gives up calls that run, except for those that are to be executed all the same.
    pub(crate) fn give_up_running(
        &mut self,
        is_executed: impl Fn(Manner) -> bool,
        aborted: &mut Vec<AbortHandle>,
    ) {
        let given_up = self.running.extract_if(|_, execution| !is_executed(execution.manner));
        aborted.extend(given_up.filter_map(|(_, execution)| execution.task));
    }

    /// Returns the number of the peer's calls that tasks execute.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    /// Checks what must always hold. Called in debug builds after each change, so it looks at no table of any size.
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
