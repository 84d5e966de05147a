//! Promises: references to the result of a call in progress (promise pipelining, Liskov and Shrira 1988, and Miller's E).
//!
//! It must not know interfaces. A far promise sends its messages to the peer that will have the result. A near promise
//! queues them until the result is known.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::sync::{OnceCell, oneshot};

use super::builtin::SETTLE;
use super::message::{
    Asked, Claim, Ended, Failure, Location, Receiver, Reply, Request, Resolution, Resolving, Route,
    RouteId, Running, Ticket, Watcher,
};
use super::resolution::{circular, drop_chain, end_of_chain, leads_to, lock_chains, outcome};
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::mutex::Mutex;
use crate::wire::frame::Target;
use crate::wire::method::Method;

/// The promise of a call to a far object.
pub(crate) struct FarPromise {
    route: Arc<dyn Route>,
    claim: Claim,
    method: &'static Method,
    /// The receiver of the call, which may be a promise that failed first. Weak, so that a chain of promises does not keep
    /// its first one.
    on: Weak<dyn Receiver>,
    id: ObjectId,
    reply: OnceCell<Reply>,
    /// Messages to the answer of the call.
    sends: Mutex<Sends>,
    /// The object, once all messages to the answer have started. From then on messages go to it, so that their order with
    /// messages to the resolved reference is kept.
    target: OnceLock<Arc<dyn Receiver>>,
}

/// The numbers of messages to the answer of a call.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sends {
    begun: u64,
    done: u64,
}

impl FarPromise {
    pub(crate) fn new(
        (route, claim): (Arc<dyn Route>, Claim),
        method: &'static Method,
        on: &Arc<dyn Receiver>,
    ) -> FarPromise {
        FarPromise {
            route,
            claim,
            method,
            on: Arc::downgrade(on),
            id: ObjectId::fresh(),
            reply: OnceCell::new(),
            sends: Mutex::default(),
            target: OnceLock::new(),
        }
    }

    fn is_on(&self, route: &Arc<dyn Route>) -> bool {
        RouteId::of(&**route) == RouteId::of(&*self.route)
    }

    /// Waits until all messages that were sent to the answer have started, if messages to the object could start before
    /// them.
    async fn settle(&self, target: &Arc<dyn Receiver>) {
        let own = Some(RouteId::of(&*self.route));
        let stays = matches!(target.location(), Location::Far { route, .. } if route == own);
        if (!stays || self.route.is_behind(self.claim.question))
            && let Asked::Sent(claim) = self.send(Request::plain(&SETTLE))
        {
            Ticket::new(&self.route, claim).reply().await;
        }
    }

    async fn reply(&self) -> &Reply {
        self.reply.get_or_init(|| poll_fn(|waking| self.claim.poll(waking))).await
    }

    fn send(&self, request: Request) -> Asked {
        match self.route.ask(Target::Answer(self.claim.question), request) {
            Ok(claim) => Asked::Sent(claim),
            Err(error) => Asked::Refused(error),
        }
    }
}

impl Receiver for FarPromise {
    fn ask(&self, _: &Arc<dyn Receiver>, request: Request) -> Asked {
        let mut sends = self.sends.lock();
        if let Some(target) = self.target.get() {
            drop(sends);
            let target = end_of_chain(Arc::clone(target));
            return match target.route() {
                Some(route) if self.is_on(route) => target.ask(&target, request),
                _ => forward(&target, request.for_the_reply()),
            };
        }
        sends.begun += 1;
        drop(sends);
        // Also after the reply has arrived: this keeps the order with the messages that were sent before.
        let asked = self.send(request);
        self.sends.lock().done += 1;
        asked
    }

    fn route(&self) -> Option<&Arc<dyn Route>> {
        Some(&self.route)
    }

    fn location(&self) -> Location {
        Location::Promise { object: self.id }
    }

    fn export_id(&self) -> ObjectId {
        self.id
    }

    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync> {
        let runtime = self.route.runtime();
        watch_resolved(self.resolved(), runtime, watcher)
    }

    fn failure(&self) -> Option<Failure> {
        // This failure arrives before those of the calls that are pipelined on it.
        let reply = self.reply.get().cloned().or_else(|| self.claim.slot.peek())?;
        Some(Failure::new(self.method, reply, &self.on))
    }

    fn resolution(&self) -> Option<Resolution> {
        let target = Arc::clone(self.target.get()?);
        Some(Resolution { target, is_complete: true })
    }

    fn take_resolution(&mut self) -> Option<Arc<dyn Receiver>> {
        drop(self.target.take());
        outcome(&self.reply.take()?).ok()
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(async move {
            let target = outcome(self.reply().await)?;
            if self.target.get().is_none() {
                let before = *self.sends.lock();
                self.settle(&target).await;
                // A message that another task sends meanwhile may not have started. Then later messages follow it.
                let now = self.sends.lock();
                if *now == before && now.begun == now.done {
                    let _chains = lock_chains(&target);
                    if leads_to(&target, &*self) {
                        return Err(circular());
                    }
                    let _ = self.target.set(Arc::clone(&target));
                }
            }
            Ok(target)
        })
    }
}

impl Drop for FarPromise {
    fn drop(&mut self) {
        self.route.finish(self.claim.token, self.claim.question);
        drop_chain(self.take_resolution());
    }
}

/// The promise of a call that is executed in this process.
pub(crate) struct NearPromise {
    method: &'static Method,
    on: Weak<dyn Receiver>,
    id: ObjectId,
    /// The runtime in which the call is executed. Outside of one, the promise is resolved at once.
    runtime: Option<Handle>,
    state: Mutex<State>,
}

enum State {
    /// The messages that wait for the result, in order.
    Pending {
        waiting: VecDeque<(Request, oneshot::Sender<Reply>)>,
        observers: Vec<oneshot::Sender<()>>,
        /// The receiver to which the messages are being sent.
        target: Option<Arc<dyn Receiver>>,
    },
    /// The result is known, and all messages that waited have been sent on.
    Resolved(Reply),
}

impl NearPromise {
    pub(crate) fn new(method: &'static Method, on: Weak<dyn Receiver>) -> Arc<NearPromise> {
        let state =
            State::Pending { waiting: VecDeque::new(), observers: Vec::new(), target: None };
        Arc::new(NearPromise {
            method,
            on,
            id: ObjectId::fresh(),
            runtime: Handle::try_current().ok(),
            state: Mutex::new(state),
        })
    }

    /// Resolves the promise. The messages that waited are started before any later one.
    pub(crate) fn resolve(&self, reply: Reply) {
        let reply = match outcome(&reply).and_then(|target| self.set_target(target)) {
            Err(error) if matches!(reply, Reply::Value(_)) => Reply::Fault(error),
            _ => reply,
        };
        let target = outcome(&reply);
        loop {
            let mut state = self.state.lock();
            let State::Pending { waiting, observers, .. } = &mut *state else { return };
            let batch = std::mem::take(waiting);
            if batch.is_empty() {
                let observers = std::mem::take(observers);
                let pending = std::mem::replace(&mut *state, State::Resolved(reply));
                drop(state);
                drop(pending);
                for observer in observers {
                    let _ = observer.send(());
                }
                return;
            }
            drop(state);
            for (request, answer) in batch {
                match &target {
                    Ok(target) => start(&end_of_chain(Arc::clone(target)), request, answer),
                    Err(error) => drop(answer.send(Reply::Fault(error.clone().broken()))),
                }
            }
        }
    }

    /// Notes the receiver to which the promise resolves. Fails if that would lead back to the promise.
    fn set_target(&self, receiver: Arc<dyn Receiver>) -> Result<()> {
        let _chains = lock_chains(&receiver);
        if leads_to(&receiver, self) {
            return Err(circular());
        }
        if let State::Pending { target, .. } = &mut *self.state.lock() {
            *target = Some(receiver);
        }
        Ok(())
    }
}

impl Drop for NearPromise {
    fn drop(&mut self) {
        drop_chain(self.take_resolution());
    }
}

impl Receiver for NearPromise {
    fn ask(&self, _: &Arc<dyn Receiver>, request: Request) -> Asked {
        let request = request.for_the_reply();
        let mut state = self.state.lock();
        match &mut *state {
            State::Pending { waiting, .. } => {
                let (sender, answer) = oneshot::channel();
                waiting.push_back((request, sender));
                Asked::Running(Running::new(
                    Box::pin(async move { answer.await.unwrap_or(Reply::Fault(Error::Cancelled)) }),
                    None,
                ))
            }
            State::Resolved(reply) => {
                let target = outcome(reply);
                drop(state);
                match target {
                    Ok(target) => forward(&end_of_chain(target), request),
                    Err(error) => Asked::Running(Running::ready(Reply::Fault(error.broken()))),
                }
            }
        }
    }

    fn location(&self) -> Location {
        Location::Promise { object: self.id }
    }

    fn export_id(&self) -> ObjectId {
        self.id
    }

    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync> {
        let runtime = self.runtime.clone();
        watch_resolved(self.resolved(), runtime, watcher)
    }

    fn failure(&self) -> Option<Failure> {
        let reply = match &*self.state.lock() {
            State::Resolved(reply) => reply.clone(),
            State::Pending { .. } => return None,
        };
        Some(Failure::new(self.method, reply, &self.on))
    }

    fn resolution(&self) -> Option<Resolution> {
        match &*self.state.lock() {
            State::Pending { target, .. } => {
                let target = Arc::clone(target.as_ref()?);
                Some(Resolution { target, is_complete: false })
            }
            State::Resolved(reply) => {
                Some(Resolution { target: outcome(reply).ok()?, is_complete: true })
            }
        }
    }

    fn take_resolution(&mut self) -> Option<Arc<dyn Receiver>> {
        match std::mem::replace(
            self.state.get_mut(),
            State::Resolved(Reply::Fault(Error::Cancelled)),
        ) {
            State::Resolved(reply) => outcome(&reply).ok(),
            State::Pending { target, .. } => target,
        }
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(async move {
            let wait = match &mut *self.state.lock() {
                State::Pending { observers, .. } => {
                    let (sender, receiver) = oneshot::channel();
                    observers.push(sender);
                    Some(receiver)
                }
                State::Resolved(_) => None,
            };
            if let Some(wait) = wait {
                wait.await.map_err(|_| Error::Cancelled)?;
            }
            match &*self.state.lock() {
                State::Resolved(reply) => outcome(reply),
                State::Pending { .. } => Err(Error::Cancelled),
            }
        })
    }
}

/// Forwards a message to the object of a resolved promise. The sender gets no route from a promise, so that the reply of a
/// far object is awaited here.
pub(super) fn forward(target: &Arc<dyn Receiver>, request: Request) -> Asked {
    match (target.ask(target, request), target.route()) {
        (Asked::Sent(claim), Some(route)) => {
            let ticket = Ticket::new(Arc::clone(route), claim);
            Asked::Running(Running::new(Box::pin(ticket.reply()), None))
        }
        (asked, _) => asked,
    }
}

/// Starts a message and executes it to its end. The reply is sent to `answer`.
pub(super) fn start(target: &Arc<dyn Receiver>, request: Request, answer: oneshot::Sender<Reply>) {
    match target.ask(target, request) {
        Asked::Refused(error) => drop(answer.send(Reply::Fault(error))),
        Asked::Running(running) => execute(running, answer),
        Asked::Sent(claim) => {
            let Some(route) = target.route() else { return };
            let ticket = Ticket::new(Arc::clone(route), claim);
            drop(tokio::spawn(answer_unless_closed(ticket.reply(), answer)));
        }
    }
}

/// Executes a method to its end: a first poll here, the rest in a task. The reply is sent to `answer`.
pub(super) fn execute(mut running: Running, answer: oneshot::Sender<Reply>) {
    match running.poll_in_place() {
        Poll::Ready(reply) => drop(answer.send(reply)),
        Poll::Pending => drop(tokio::spawn(answer_unless_closed(running.finish(), answer))),
    }
}

/// Waits for a reply and sends it to `answer`. Drops the execution as soon as the receiver of `answer` is dropped.
async fn answer_unless_closed(
    reply: impl Future<Output = Reply>,
    mut answer: oneshot::Sender<Reply>,
) {
    let mut reply = pin!(reply);
    let reply = poll_fn(|waking| match reply.as_mut().poll(waking) {
        Poll::Ready(reply) => Poll::Ready(Some(reply)),
        Poll::Pending => answer.poll_closed(waking).map(|()| None),
    });
    if let Some(reply) = reply.await {
        drop(answer.send(reply));
    }
}

/// Watches the object to which a promise resolves. A promise that fails has ended. Dropping the guard ends the watch. The
/// runtime is for a caller outside of one.
pub(super) fn watch_resolved(
    mut resolved: Resolving,
    runtime: Option<Handle>,
    watcher: Watcher,
) -> Box<dyn Send + Sync> {
    struct Guard(tokio::task::AbortHandle);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    fn failed(watcher: Watcher, error: &Error) {
        watcher(Ended::Stopped(error.to_string()));
    }
    match resolved.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(target)) => return end_of_chain(target).watch(watcher),
        Poll::Ready(Err(error)) => failed(watcher, &error),
        Poll::Pending => match Handle::try_current().ok().or(runtime) {
            None => failed(watcher, &Error::Refused("a monitor needs a tokio runtime".into())),
            Some(runtime) => {
                let task = runtime.spawn(async move {
                    match resolved.await {
                        Ok(target) => {
                            let _watching = end_of_chain(target).watch(watcher);
                            std::future::pending::<()>().await;
                        }
                        Err(error) => failed(watcher, &error),
                    }
                });
                return Box::new(Guard(task.abort_handle()));
            }
        },
    }
    Box::new(())
}
