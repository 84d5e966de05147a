//! A far reference that arrived from a third node. Messages are forwarded by that node until this side has claimed the
//! object from its owner; then they go to the owner directly.
//!
//! It must not know how the object is claimed. The order of messages is kept while the path is shortened: messages wait
//! here until all that were forwarded have started (the embargo of Miller's E and of Cap'n Proto).

use std::any::Any;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

use super::builtin::SETTLE;
use super::import::Import;
use super::message::{
    Asked, Location, Receiver, Reply, Request, Resolving, Route, Running, Ticket, Watcher, not_near,
};
use super::promise::{forward, start, watch_resolved};
use crate::error::Error;
use crate::id::{Identity, ObjectId, Token};
use crate::mutex::Mutex;

/// A far reference whose path is being shortened.
pub(crate) struct ShorteningRef {
    owner: Identity,
    /// The token by which the object can be claimed, if the sender of the reference provided one.
    token: Option<Token>,
    path: Mutex<Path>,
    /// The final path, once it is known.
    final_receiver: OnceLock<Arc<dyn Receiver>>,
    /// Notified when the path changes, or a forwarded message has been sent.
    changed: Notify,
    /// The number under which this process exports the object to third nodes, for which it forwards; set at the first
    /// export.
    forwarded_as: OnceLock<ObjectId>,
    /// The task that claims the object. Aborted when the reference is dropped.
    task: OnceLock<AbortHandle>,
    /// The runtime of the session by which the reference arrived.
    runtime: Option<Handle>,
}

enum Path {
    /// Forwarded by the node that sent the reference. `sending` messages are just being sent.
    Forwarded { import: Arc<dyn Receiver>, sending: usize },
    /// Forwarded messages may not have started: new messages wait.
    Settling { waiting: VecDeque<(Request, oneshot::Sender<Reply>)>, sending: usize },
    /// The path is final.
    Final,
}

impl ShorteningRef {
    pub(crate) fn new(
        forwarded: Arc<Import>,
        owner: Identity,
        token: Option<Token>,
    ) -> Arc<ShorteningRef> {
        let runtime = forwarded.route().and_then(|route| route.runtime());
        Arc::new(ShorteningRef {
            owner,
            token,
            path: Mutex::new(Path::Forwarded { import: forwarded, sending: 0 }),
            final_receiver: OnceLock::new(),
            changed: Notify::new(),
            forwarded_as: OnceLock::new(),
            task: OnceLock::new(),
            runtime,
        })
    }

    /// Sets the task that claims the object, which is aborted when the reference is dropped.
    pub(crate) fn set_task(&self, task: AbortHandle) {
        let _ = self.task.set(task);
    }

    pub(crate) fn owner(&self) -> Identity {
        self.owner
    }

    pub(crate) fn initial_token(&self) -> Option<Token> {
        self.token
    }

    /// Makes the forwarded path final: the object could not be claimed.
    pub(crate) fn keep_forwarded(&self) {
        let mut path = self.path.lock();
        if let Path::Forwarded { import, .. } = &*path {
            let _ = self.final_receiver.set(Arc::clone(import));
            *path = Path::Final;
        }
        drop(path);
        self.changed.notify_waiters();
    }

    /// Makes the direct path final, after all forwarded messages have started.
    pub(crate) async fn shorten(&self, direct: Arc<dyn Receiver>) {
        let Some(forwarded) = self.start_settling() else { return };
        self.wait_until(|path| matches!(path, Path::Settling { sending: 0, .. })).await;
        let settled = match (forwarded.ask(&forwarded, Request::plain(&SETTLE)), forwarded.route())
        {
            (Asked::Sent(claim), Some(route)) => {
                Some(Ticket::new(Arc::clone(route), claim).reply().await)
            }
            (Asked::Refused(error), _) => Some(Reply::Fault(error)),
            _ => None,
        };
        // If the forwarded path has failed, no forwarded message will start any more. If it had no room for the message,
        // forwarded messages may still start, so that it remains the path.
        let keeps_forwarded = matches!(settled, Some(Reply::Fault(Error::Quota(_))));
        let receiver = if keeps_forwarded { forwarded } else { direct };
        loop {
            let mut path = self.path.lock();
            let Path::Settling { waiting, .. } = &mut *path else { return };
            let batch = std::mem::take(waiting);
            if batch.is_empty() {
                let _ = self.final_receiver.set(receiver);
                *path = Path::Final;
                break;
            }
            drop(path);
            batch.into_iter().for_each(|(request, answer)| start(&receiver, request, answer));
        }
        self.changed.notify_waiters();
    }

    /// Leaves the forwarded path: from now on messages wait.
    fn start_settling(&self) -> Option<Arc<dyn Receiver>> {
        let mut path = self.path.lock();
        let Path::Forwarded { import, sending } = &*path else { return None };
        let (forwarded, sending) = (Arc::clone(import), *sending);
        *path = Path::Settling { waiting: VecDeque::new(), sending };
        Some(forwarded)
    }

    async fn wait_until(&self, is_so: impl Fn(&Path) -> bool) {
        loop {
            // Created before the check: it completes at the next `notify_waiters` from now on.
            let changed = self.changed.notified();
            if is_so(&self.path.lock()) {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for ShorteningRef {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl Receiver for ShorteningRef {
    fn ask(&self, _: &Arc<dyn Receiver>, request: Request) -> Asked {
        if let Some(receiver) = self.final_receiver.get() {
            return receiver.ask(receiver, request);
        }
        let mut path = self.path.lock();
        let forwarded = match &mut *path {
            Path::Forwarded { import, sending } => {
                *sending += 1;
                Arc::clone(import)
            }
            Path::Settling { waiting, .. } => {
                let (sender, answer) = oneshot::channel();
                waiting.push_back((request.for_the_reply(), sender));
                let reply = async move { answer.await.unwrap_or(Reply::Fault(Error::Cancelled)) };
                return Asked::Running(Running::new(Box::pin(reply), None));
            }
            Path::Final => {
                drop(path);
                let Some(receiver) = self.final_receiver.get() else {
                    return Asked::Refused(Error::NoSuchObject); // `chosen` is set before `path`.
                };
                return receiver.ask(receiver, request);
            }
        };
        drop(path);
        // Sent without the lock, and counted, so that the path does not become direct before the message is sent.
        let asked = forward(&forwarded, request.for_the_reply());
        let mut path = self.path.lock();
        if let Path::Forwarded { sending, .. } | Path::Settling { sending, .. } = &mut *path {
            *sending -= 1;
        }
        drop(path);
        self.changed.notify_waiters();
        asked
    }

    fn route(&self) -> Option<&Arc<dyn Route>> {
        // There is no route before the path is final: until then replies are awaited here.
        self.final_receiver.get().and_then(|receiver| receiver.route())
    }

    // If the owner is this node, the reference resolves to the near object.

    fn object(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.final_receiver.get().and_then(|receiver| receiver.object())
    }

    fn class(&self) -> Option<&'static str> {
        self.final_receiver.get().and_then(|receiver| receiver.class())
    }

    fn stop(&self, reason: &str) -> Result<(), Error> {
        self.final_receiver.get().map_or_else(|| Err(not_near()), |receiver| receiver.stop(reason))
    }

    fn location(&self) -> Location {
        if let Some(receiver) = self.final_receiver.get() {
            return receiver.location();
        }
        match &*self.path.lock() {
            Path::Forwarded { import, .. } => import.location(),
            // On no session's path: a peer that gets the reference gets it as a forwarded one.
            Path::Settling { .. } | Path::Final => Location::Far {
                route: None,
                entry: ObjectId::DIRECTORY,
                node: self.owner.node,
                object: self.owner.object,
            },
        }
    }

    fn export_id(&self) -> ObjectId {
        *self.forwarded_as.get_or_init(ObjectId::fresh)
    }

    fn token(&self) -> Option<Token> {
        self.token.filter(|_| self.final_receiver.get().is_none())
    }

    fn settled(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.wait_until(|path| matches!(path, Path::Final)))
    }

    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync> {
        let runtime = self.runtime.clone();
        let receiver = Box::pin(async move {
            self.wait_until(|path| matches!(path, Path::Final)).await;
            self.final_receiver.get().cloned().ok_or(Error::NoSuchObject)
        });
        watch_resolved(receiver, runtime, watcher)
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(async move { Ok(self as Arc<dyn Receiver>) })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use tokio::sync::watch;

    use super::super::message::{Claim, Payload};
    use super::super::slot::Slot;
    use super::*;
    use crate::error::Outcome;
    use crate::id::{CallToken, NodeId, QuestionId, WatchId};
    use crate::object::builtin::INTERFACES;
    use crate::wire::frame::Target;

    /// A route whose messages are answered by the test.
    #[derive(Default)]
    struct TestRoute(Mutex<Vec<Arc<Slot<Reply>>>>);

    impl TestRoute {
        fn asked(&self) -> usize {
            self.0.lock().len()
        }
    }

    impl Route for TestRoute {
        fn ask(&self, _: Target, _: Request) -> Result<Claim, Error> {
            let slot = Arc::new(Slot::new(None));
            self.0.lock().push(Arc::clone(&slot));
            Ok(Claim { token: CallToken(0), question: QuestionId(1), slot })
        }

        fn call_timeout(&self) -> Option<Duration> {
            None
        }

        fn runtime(&self) -> Option<Handle> {
            None
        }

        fn abandon(&self, _: CallToken, _: QuestionId) {}

        fn finish(&self, _: CallToken, _: QuestionId) {}

        fn release(&self, _: ObjectId) {}

        fn is_behind(&self, _: QuestionId) -> bool {
            false
        }

        fn watch(&self, _: ObjectId, _: Watcher) -> Option<WatchId> {
            None
        }

        fn unwatch(&self, _: WatchId) {}

        fn begin_stream(&self) -> watch::Receiver<bool> {
            watch::channel(false).1
        }

        fn end_stream(&self) {}
    }

    /// Returns the number of messages on each path, after the forwarded path was settled with this reply.
    fn messages_after(settled: Reply) -> [usize; 2] {
        let identity = Identity { node: NodeId::from_bytes([7; 16]), object: ObjectId(9) };
        let routes = [Arc::new(TestRoute::default()), Arc::new(TestRoute::default())];
        let [forwarded, direct] = [&routes[0], &routes[1]].map(|route| {
            let route = Arc::clone(route) as Arc<dyn Route>;
            Arc::new(Import::new(route, ObjectId(1), identity))
        });
        let reference = ShorteningRef::new(forwarded, identity, Some(Token::from_bytes([3; 16])));
        let this = Arc::clone(&reference) as Arc<dyn Receiver>;
        let mut shortening = pin!(reference.shorten(direct));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(shortening.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(routes[0].asked(), 1, "the settle message");
        let waiting = this.ask(&this, Request::plain(&INTERFACES));
        assert!(matches!(waiting, Asked::Running(_)) && routes[1].asked() == 0);
        drop(routes[0].0.lock()[0].fill(settled));
        assert_eq!(shortening.as_mut().poll(&mut context), Poll::Ready(()));
        routes.map(|route| route.asked())
    }

    #[tokio::test]
    async fn the_path_becomes_direct_when_no_forwarded_message_can_start() {
        assert_eq!(messages_after(Reply::Value(Payload::default())), [1, 1]);
        let lost = Error::SessionLost { reason: "gone".into(), outcome: Outcome::Unknown };
        assert_eq!(messages_after(Reply::Fault(lost)), [1, 1]);
    }

    #[tokio::test]
    async fn messages_are_still_forwarded_if_the_path_could_not_be_settled() {
        assert_eq!(messages_after(Reply::Fault(Error::Quota("room".into()))), [2, 0]);
    }
}
