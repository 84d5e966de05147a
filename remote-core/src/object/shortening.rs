//! A far reference that arrived from a third node: messages are forwarded by that node until this side has claimed the
//! object from its owner, and then go to the owner directly.
//!
//! It must not know how the owner is asked. Order is kept while the path shortens: what comes in between waits here until
//! everything that went the long way has begun (the embargo of Miller's E and of Cap'n Proto).

use std::any::Any;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

use super::builtin::SETTLE;
use super::import::Import;
use super::message::{
    Asked, Location, Receiver, Reply, Request, Resolving, Route, Running, Ticket, Watcher, not_near,
};
use super::promise::{passed_on, start, watch_resolved};
use crate::error::Error;
use crate::id::{Identity, ObjectId, Token};
use crate::mutex::Mutex;

/// A far reference whose path is being shortened.
pub(crate) struct ShorteningRef {
    owner: Identity,
    /// By which the owner gives it, if who introduced it could say.
    token: Option<Token>,
    path: Mutex<Path>,
    /// The way to stay with, once it is known.
    chosen: OnceLock<Arc<dyn Receiver>>,
    /// Notified when the path changes, or a message that went the long way is sent.
    changed: Notify,
    /// What this process calls it, if it was shown to others, for whom this side forwards.
    forwarded_as: OnceLock<ObjectId>,
    /// Who looks for the shorter way, as long as anybody wants it.
    seeking: OnceLock<AbortHandle>,
}

enum Path {
    /// By way of the node that introduced it; so many messages are just being sent.
    Long { import: Arc<dyn Receiver>, sending: usize },
    /// What went the long way may not have begun: what comes now waits.
    Between { waiting: VecDeque<(Request, oneshot::Sender<Reply>)>, sending: usize },
    /// As chosen.
    Chosen,
}

impl ShorteningRef {
    pub(crate) fn new(
        long: Arc<Import>,
        owner: Identity,
        token: Option<Token>,
    ) -> Arc<ShorteningRef> {
        Arc::new(ShorteningRef {
            owner,
            token,
            path: Mutex::new(Path::Long { import: long, sending: 0 }),
            chosen: OnceLock::new(),
            changed: Notify::new(),
            forwarded_as: OnceLock::new(),
            seeking: OnceLock::new(),
        })
    }

    /// The task that looks for the shorter way: it ends with what it is for.
    pub(crate) fn sought_by(&self, task: AbortHandle) {
        let _ = self.seeking.set(task);
    }

    pub(crate) fn owner(&self) -> Identity {
        self.owner
    }

    pub(crate) fn introduction(&self) -> Option<Token> {
        self.token
    }

    /// The owner has not given it: the long way stays.
    pub(crate) fn stay(&self) {
        let mut path = self.path.lock();
        if let Path::Long { import, .. } = &*path {
            let _ = self.chosen.set(Arc::clone(import));
            *path = Path::Chosen;
        }
        drop(path);
        self.changed.notify_waiters();
    }

    /// The owner has given it: what comes from now on goes the short way, after everything that went the long one.
    pub(crate) async fn shorten(&self, short: Arc<dyn Receiver>) {
        let Some(long) = self.part() else { return };
        self.wait_until(|path| matches!(path, Path::Between { sending: 0, .. })).await;
        let settled = match (long.ask(&long, Request::plain(&SETTLE)), long.route()) {
            (Asked::Sent(claim), Some(route)) => {
                Some(Ticket::new(Arc::clone(route), claim).reply().await)
            }
            (Asked::Refused(error), _) => Some(Reply::Fault(error)),
            _ => None,
        };
        // If the long way broke meanwhile, nothing more will begin on it, either. If it had no room for this, what was sent
        // before may still begin: so it stays.
        let is_long = matches!(settled, Some(Reply::Fault(Error::Quota(_))));
        let way = if is_long { long } else { short };
        loop {
            let mut path = self.path.lock();
            let Path::Between { waiting, .. } = &mut *path else { return };
            let batch = std::mem::take(waiting);
            if batch.is_empty() {
                let _ = self.chosen.set(way);
                *path = Path::Chosen;
                break;
            }
            drop(path);
            batch.into_iter().for_each(|(request, answer)| start(&way, request, answer));
        }
        self.changed.notify_waiters();
    }

    /// Leaves the long way: from now on messages wait.
    fn part(&self) -> Option<Arc<dyn Receiver>> {
        let mut path = self.path.lock();
        let Path::Long { import, sending } = &*path else { return None };
        let (long, sending) = (Arc::clone(import), *sending);
        *path = Path::Between { waiting: VecDeque::new(), sending };
        Some(long)
    }

    async fn wait_until(&self, is_so: impl Fn(&Path) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Registered before it looks, so that nothing is missed between.
            changed.as_mut().enable();
            if is_so(&self.path.lock()) {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for ShorteningRef {
    fn drop(&mut self) {
        if let Some(task) = self.seeking.get() {
            task.abort();
        }
    }
}

impl Receiver for ShorteningRef {
    fn ask(&self, _: &Arc<dyn Receiver>, request: Request) -> Asked {
        if let Some(chosen) = self.chosen.get() {
            return chosen.ask(chosen, request);
        }
        let mut path = self.path.lock();
        let long = match &mut *path {
            Path::Long { import, sending } => {
                *sending += 1;
                Arc::clone(import)
            }
            Path::Between { waiting, .. } => {
                let (sender, answer) = oneshot::channel();
                waiting.push_back((request.for_the_reply(), sender));
                let reply = async move { answer.await.unwrap_or(Reply::Fault(Error::Cancelled)) };
                return Asked::Running(Running::new(Box::pin(reply), None));
            }
            Path::Chosen => {
                drop(path);
                let Some(chosen) = self.chosen.get() else {
                    return Asked::Refused(Error::NoSuchObject); // It is set before the path is.
                };
                return chosen.ask(chosen, request);
            }
        };
        drop(path);
        // Sent when no lock is held, and counted, so that nobody takes the short way before it is.
        let asked = passed_on(&long, request.for_the_reply());
        let mut path = self.path.lock();
        if let Path::Long { sending, .. } | Path::Between { sending, .. } = &mut *path {
            *sending -= 1;
        }
        drop(path);
        self.changed.notify_waiters();
        asked
    }

    fn route(&self) -> Option<&Arc<dyn Route>> {
        // Before the way is chosen nobody is told a route: what is sent is awaited here.
        self.chosen.get().and_then(|chosen| chosen.route())
    }

    // One that has come home is this side's own.

    fn object(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.chosen.get().and_then(|chosen| chosen.object())
    }

    fn class(&self) -> Option<&'static str> {
        self.chosen.get().and_then(|chosen| chosen.class())
    }

    fn stop(&self, reason: &str) -> Result<(), Error> {
        self.chosen.get().map_or_else(|| Err(not_near()), |chosen| chosen.stop(reason))
    }

    fn location(&self) -> Location {
        if let Some(chosen) = self.chosen.get() {
            return chosen.location();
        }
        match &*self.path.lock() {
            Path::Long { import, .. } => import.location(),
            // By no session's way: whoever is shown it is forwarded for.
            Path::Between { .. } | Path::Chosen => Location::Far {
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
        self.token.filter(|_| self.chosen.get().is_none())
    }

    fn settled(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.wait_until(|path| matches!(path, Path::Chosen)))
    }

    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync> {
        let chosen = Box::pin(async move {
            self.wait_until(|path| matches!(path, Path::Chosen)).await;
            self.chosen.get().cloned().ok_or(Error::NoSuchObject)
        });
        watch_resolved(chosen, watcher)
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

    use super::super::message::{Claim, Payload};
    use super::super::slot::Slot;
    use super::*;
    use crate::error::Outcome;
    use crate::id::{CallToken, NodeId, QuestionId, WatchId};
    use crate::object::builtin::INTERFACES;
    use crate::wire::frame::Target;

    /// A way on which nothing is answered but by the test.
    #[derive(Default)]
    struct Way(Mutex<Vec<Arc<Slot<Reply>>>>);

    impl Way {
        fn asked(&self) -> usize {
            self.0.lock().len()
        }
    }

    impl Route for Way {
        fn ask(&self, _: Target, _: Request) -> Result<Claim, Error> {
            let slot = Arc::new(Slot::new(None));
            self.0.lock().push(Arc::clone(&slot));
            Ok(Claim { token: CallToken(0), question: QuestionId(1), slot })
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
    }

    /// How many messages went each way, after one of them was to settle the long way and had this reply.
    fn ways_after(settled: Reply) -> [usize; 2] {
        let identity = Identity { node: NodeId::from_bytes([7; 16]), object: ObjectId(9) };
        let ways = [Arc::new(Way::default()), Arc::new(Way::default())];
        let [long, short] = [&ways[0], &ways[1]].map(|way| {
            let route = Arc::clone(way) as Arc<dyn Route>;
            Arc::new(Import::new(route, ObjectId(1), identity))
        });
        let introduced = ShorteningRef::new(long, identity, Some(Token::from_bytes([3; 16])));
        let this = Arc::clone(&introduced) as Arc<dyn Receiver>;
        let mut shortening = pin!(introduced.shorten(short));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(shortening.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(ways[0].asked(), 1, "it is asked to settle");
        let waiting = this.ask(&this, Request::plain(&INTERFACES));
        assert!(matches!(waiting, Asked::Running(_)) && ways[1].asked() == 0);
        drop(ways[0].0.lock()[0].fill(settled));
        assert_eq!(shortening.as_mut().poll(&mut context), Poll::Ready(()));
        ways.map(|way| way.asked())
    }

    #[tokio::test]
    async fn the_path_shortens_when_nothing_more_will_begin_on_the_long_way() {
        assert_eq!(ways_after(Reply::Value(Payload::default())), [1, 1]);
        let lost = Error::SessionLost { reason: "gone".into(), outcome: Outcome::Unknown };
        assert_eq!(ways_after(Reply::Fault(lost)), [1, 1]);
    }

    #[tokio::test]
    async fn the_long_way_stays_if_it_had_no_room_to_settle() {
        assert_eq!(ways_after(Reply::Fault(Error::Quota("room".into()))), [2, 0]);
    }
}
