//! Owns promises: references to what a call in progress will return (promise pipelining, Liskov and Shrira 1988,
//! and Miller's E).
//!
//! It must not know interfaces. A far promise sends what it is sent to the peer that will have the answer; a near one
//! keeps it until the answer is there.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;

use tokio::sync::{OnceCell, oneshot};

use super::builtin::SETTLE;
use super::message::{
    Asked, Claim, Ended, Location, Receiver, Reply, Request, Resolving, Route, RouteId, Running,
    Ticket, Watcher,
};
use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::mutex::Mutex;
use crate::wire::frame::Target;
use crate::wire::method::Method;

/// What a promise's call came to: the object, or the failure.
fn outcome(reply: &Reply) -> Result<Arc<dyn Receiver>> {
    match reply {
        Reply::Value(payload) => match payload.references.as_slice() {
            [reference] => Ok(Arc::clone(&reference.receiver)),
            _ => Err(Error::Decode("the answer to a promise is not one reference".into())),
        },
        // Its type is known to its callers alone; see `Message::decode`.
        Reply::Failure(_) => {
            Err(Error::Broken(Box::new(Error::Decode("an error of the user's".into()))))
        }
        Reply::Fault(error) => Err(error.clone()),
    }
}

/// What a promise failed with: what it was pipelined on, if that broke it.
fn failure(
    method: &'static Method,
    on: &Weak<dyn Receiver>,
    reply: Reply,
) -> Option<(&'static Method, Reply)> {
    match reply {
        Reply::Fault(Error::Broken(_)) => {
            on.upgrade().and_then(|on| on.failure()).or(Some((method, reply)))
        }
        _ => Some((method, reply)),
    }
}

/// The promise of a call to a far object.
pub(crate) struct FarPromise {
    route: Arc<dyn Route>,
    claim: Claim,
    method: &'static Method,
    /// What it was called on, which may be a promise that failed first. Weak: a chain must not hold its beginning.
    on: Weak<dyn Receiver>,
    id: ObjectId,
    reply: OnceCell<Reply>,
}

impl FarPromise {
    pub(crate) fn new(
        (route, claim): (Arc<dyn Route>, Claim),
        method: &'static Method,
        on: &Arc<dyn Receiver>,
    ) -> FarPromise {
        let on = Arc::downgrade(on);
        FarPromise { route, claim, method, on, id: ObjectId::fresh(), reply: OnceCell::new() }
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
        // Also when the answer is known: what was sent this way keeps its order with what follows.
        self.send(request)
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
        watch_resolved(self.resolved(), watcher)
    }

    fn failure(&self) -> Option<(&'static Method, Reply)> {
        // The failure arrives before that of anything pipelined on it, so it is here.
        let reply = self.reply.get().cloned().or_else(|| self.claim.slot.peek())?;
        failure(self.method, &self.on, reply)
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(async move {
            let target = outcome(self.reply().await)?;
            let stays = matches!(target.location(),
                Location::Far { route, .. } if route == Some(RouteId::of(&*self.route)));
            if !stays || self.route.is_behind(self.claim.question) {
                // The path shortens: what was sent the long way must have started before anything goes the short one.
                if let Asked::Sent(claim) = self.send(Request::plain(&SETTLE)) {
                    Ticket::new(&self.route, claim).reply().await;
                }
            }
            Ok(target)
        })
    }
}

impl Drop for FarPromise {
    fn drop(&mut self) {
        self.route.finish(self.claim.token, self.claim.question);
    }
}

/// The promise of a call that is executed in this process.
pub(crate) struct NearPromise {
    method: &'static Method,
    on: Weak<dyn Receiver>,
    id: ObjectId,
    state: Mutex<State>,
}

enum State {
    /// Messages that wait, in order.
    Open { waiting: VecDeque<(Request, oneshot::Sender<Reply>)>, told: Vec<oneshot::Sender<()>> },
    /// Being passed on: what comes meanwhile waits, too.
    Known(Reply),
}

impl NearPromise {
    pub(crate) fn new(method: &'static Method, on: Weak<dyn Receiver>) -> Arc<NearPromise> {
        let state = State::Open { waiting: VecDeque::new(), told: Vec::new() };
        Arc::new(NearPromise { method, on, id: ObjectId::fresh(), state: Mutex::new(state) })
    }

    /// The answer is here. What waited is started before anything that comes later.
    pub(crate) fn resolve(&self, reply: Reply) {
        let target = outcome(&reply);
        loop {
            let mut state = self.state.lock();
            let State::Open { waiting, told } = &mut *state else { return };
            let batch = std::mem::take(waiting);
            if batch.is_empty() {
                let told = std::mem::take(told);
                *state = State::Known(reply);
                drop(state);
                for told in told {
                    let _ = told.send(());
                }
                return;
            }
            drop(state);
            for (request, answer) in batch {
                match &target {
                    Ok(target) => start(target, request, answer),
                    Err(error) => drop(answer.send(Reply::Fault(error.clone().broken()))),
                }
            }
        }
    }
}

impl Receiver for NearPromise {
    fn ask(&self, _: &Arc<dyn Receiver>, request: Request) -> Asked {
        let request = request.for_the_reply();
        let mut state = self.state.lock();
        match &mut *state {
            State::Open { waiting, .. } => {
                let (sender, answer) = oneshot::channel();
                waiting.push_back((request, sender));
                Asked::Running(Running::new(
                    Box::pin(async move { answer.await.unwrap_or(Reply::Fault(Error::Cancelled)) }),
                    None,
                ))
            }
            State::Known(reply) => {
                let target = outcome(reply);
                drop(state);
                match target {
                    Ok(target) => passed_on(&target, request),
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
        watch_resolved(self.resolved(), watcher)
    }

    fn failure(&self) -> Option<(&'static Method, Reply)> {
        let reply = match &*self.state.lock() {
            State::Known(reply) => reply.clone(),
            State::Open { .. } => return None,
        };
        failure(self.method, &self.on, reply)
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(async move {
            let wait = match &mut *self.state.lock() {
                State::Open { told, .. } => {
                    let (sender, receiver) = oneshot::channel();
                    told.push(sender);
                    Some(receiver)
                }
                State::Known(_) => None,
            };
            if let Some(wait) = wait {
                wait.await.map_err(|_| Error::Cancelled)?;
            }
            match &*self.state.lock() {
                State::Known(reply) => outcome(reply),
                State::Open { .. } => Err(Error::Cancelled),
            }
        })
    }
}

/// Passes a message on to what a promise came to. Whoever sent it knows no route but the promise's own, of which there
/// is none: so the reply of a far object is awaited here.
pub(super) fn passed_on(target: &Arc<dyn Receiver>, request: Request) -> Asked {
    match (target.ask(target, request), target.route()) {
        (Asked::Sent(claim), Some(route)) => {
            let ticket = Ticket::new(Arc::clone(route), claim);
            Asked::Running(Running::new(Box::pin(ticket.reply()), None))
        }
        (asked, _) => asked,
    }
}

/// Starts a message, and sees to it that it goes on; its reply goes to whoever waits.
pub(super) fn start(target: &Arc<dyn Receiver>, request: Request, answer: oneshot::Sender<Reply>) {
    match target.ask(target, request) {
        Asked::Refused(error) => drop(answer.send(Reply::Fault(error))),
        Asked::Running(mut running) => match running.poll_in_place() {
            Poll::Ready(reply) => drop(answer.send(reply)),
            Poll::Pending => drop(tokio::spawn(answer_unless_closed(running.finish(), answer))),
        },
        Asked::Sent(claim) => {
            let Some(route) = target.route() else { return };
            let ticket = Ticket::new(Arc::clone(route), claim);
            drop(tokio::spawn(answer_unless_closed(ticket.reply(), answer)));
        }
    }
}

/// Drops the execution as soon as nobody waits for its reply.
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

/// Watches what a promise comes to; a broken one has ended. Dropping the guard ends the task and the watch.
pub(super) fn watch_resolved(resolved: Resolving, watcher: Watcher) -> Box<dyn Send + Sync> {
    struct Guard(tokio::task::AbortHandle);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let task = tokio::spawn(async move {
        match resolved.await {
            Ok(target) => {
                let _watching = target.watch(watcher);
                std::future::pending::<()>().await;
            }
            Err(error) => watcher(Ended::Stopped(error.to_string())),
        }
    });
    Box::new(Guard(task.abort_handle()))
}
