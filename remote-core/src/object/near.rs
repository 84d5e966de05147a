//! Near objects: number, end, and watchers.
//!
//! It must not know who refers to the object. It is kept alive by references, by the tables of the nodes that export it,
//! and by the calls that it executes.

use std::any::{Any, TypeId};
use std::sync::{Arc, OnceLock, Weak};

use dashmap::DashMap;

use super::builtin;
use super::class::{Class, ClassInfo, Incoming, Near};
use super::message::{
    Asked, Context, Ended, Location, Receiver, Reply, Request, Resolving, Running, Watcher,
};
use super::serial::SerialQueue;
use crate::error::{Error, Result};
use crate::id::{NodeId, ObjectId, WatchId};
use crate::mutex::Mutex;
use crate::session::header::CallHeader;

/// A near object.
pub(crate) struct NearObject<O: Held> {
    id: ObjectId,
    class: &'static ClassInfo,
    owner: OnceLock<NodeId>,
    end: Arc<End>,
    object: O,
}

/// The ownership of the user's object.
pub(crate) trait Held: Send + Sync + 'static {
    fn object(&self) -> &(dyn Any + Send + Sync);

    /// Returns the address of a shared object, by which it is recognized when it is passed again.
    fn address(&self) -> Option<usize> {
        None
    }

    /// Returns the queue of calls, if they are executed one at a time.
    fn serial_queue(&self) -> Option<&Arc<SerialQueue>> {
        None
    }
}

/// Passed by value.
pub(crate) struct Owned<S>(pub(crate) S);

/// Passed in an `Arc`, which the user may pass again.
pub(crate) struct Shared<S>(pub(crate) Arc<S>);

/// An object of a serial class. It is a type of its own, so that other objects need no check.
struct Serial<H>(H, Arc<SerialQueue>);

impl<S: Class> Held for Owned<S> {
    fn object(&self) -> &(dyn Any + Send + Sync) {
        &self.0
    }
}

impl<S: Class> Held for Shared<S> {
    fn object(&self) -> &(dyn Any + Send + Sync) {
        &*self.0
    }

    fn address(&self) -> Option<usize> {
        Some(Arc::as_ptr(&self.0) as usize)
    }
}

impl<H: Held> Held for Serial<H> {
    fn object(&self) -> &(dyn Any + Send + Sync) {
        self.0.object()
    }

    fn address(&self) -> Option<usize> {
        self.0.address()
    }

    fn serial_queue(&self) -> Option<&Arc<SerialQueue>> {
        Some(&self.1)
    }
}

/// The near objects that were passed in an `Arc`, by its address: passed twice, they are the same object.
static SHARED: OnceLock<DashMap<usize, Weak<dyn Receiver>>> = OnceLock::new();

/// Makes a near object of a value.
pub(crate) fn alone<S: Class>(object: S) -> Arc<dyn Receiver> {
    near(S::class(), Owned(object))
}

/// Returns the near object of an `Arc`, which is made if there is none yet.
pub(crate) fn shared<S: Class>(object: Arc<S>) -> Arc<dyn Receiver> {
    let address = Arc::as_ptr(&object) as usize;
    let mut entry = SHARED
        .get_or_init(DashMap::new)
        .entry(address)
        .or_insert_with(|| Weak::<NearObject<Shared<S>>>::new());
    if let Some(known) = entry.upgrade() {
        return known;
    }
    let near = near(S::class(), Shared(object));
    *entry = Arc::downgrade(&near);
    near
}

fn near(class: &'static ClassInfo, object: impl Held) -> Arc<dyn Receiver> {
    match class.is_serial() {
        true => Arc::new(NearObject::new(class, Serial(object, Arc::default()))),
        false => Arc::new(NearObject::new(class, object)),
    }
}

impl<O: Held> NearObject<O> {
    fn new(class: &'static ClassInfo, object: O) -> NearObject<O> {
        NearObject {
            id: ObjectId::fresh(),
            class,
            owner: OnceLock::new(),
            end: Arc::default(),
            object,
        }
    }
}

impl<O: Held> Receiver for NearObject<O> {
    fn ask(&self, this: &Arc<dyn Receiver>, request: Request) -> Asked {
        if let Some(reply) = builtin::reply(&request.header.selector, self.class) {
            return Asked::Running(Running::ready(reply));
        }
        if let Some(reason) = self.end.reason() {
            return Asked::Running(Running::ready(Reply::Fault(Error::Ended(reason))));
        }
        let invoke = match self.class.find(&request.header.selector) {
            Ok(invoke) => invoke,
            Err(error) => return Asked::Running(Running::ready(Reply::Fault(error))),
        };
        let Request { header, payload, caller, .. } = request;
        let CallHeader { selector, nesting, deadline, mut chain, .. } = header;
        let mut method = invoke(Near(Arc::clone(this)), Incoming(payload));
        if let Some(queue) = self.object.serial_queue() {
            match queue.enqueue(method, &chain) {
                Some((queued, execution)) => (method, chain) = (queued, chain.with(execution)),
                None => {
                    let (class, selector) = (self.class.name(), selector.text());
                    let error = Error::Refused(format!(
                        "an object of class {class} executes one call at a time, and has called itself by `{selector}`, \
                         which would wait for ever; use `self`, or send the message with `.oneway()`"
                    ));
                    return Asked::Running(Running::ready(Reply::Fault(error)));
                }
            };
        }
        let context = Context { this: Some(Arc::clone(this)), caller, deadline, nesting, chain };
        Asked::Running(Running::new(method, Some(context)))
    }

    fn object(&self) -> Option<&(dyn Any + Send + Sync)> {
        Some(self.object.object())
    }

    fn location(&self) -> Location {
        Location::Near { object: self.id, owner: self.owner.get().copied() }
    }

    fn class(&self) -> Option<&'static str> {
        Some(self.class.name())
    }

    fn export_id(&self) -> ObjectId {
        self.id
    }

    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync> {
        // Invariant: a monitor does not keep the object alive. So the guard refers to the object's end, and not to the
        // object.
        match self.end.watch(watcher) {
            Some(watch) => Box::new(Watching { end: Arc::clone(&self.end), watch }),
            None => Box::new(()),
        }
    }

    fn stop(&self, reason: &str) -> Result<()> {
        self.end.stop(reason);
        if let Some(queue) = self.object.serial_queue() {
            queue.stop(reason);
        }
        Ok(())
    }

    fn note_panic(&self, panic: &str) {
        if self.class.stops_on_panic() {
            let _ = self.stop(&format!("a method panicked: {panic}"));
        }
    }

    fn require(&self, interface: TypeId, name: &str) -> Result<()> {
        if self.class.answers_to(interface) {
            return Ok(());
        }
        Err(Error::WrongInterface {
            found: format!("class {}", self.class.name()),
            wanted: name.to_owned(),
        })
    }

    fn exported_by(&self, node: NodeId) {
        let _ = self.owner.set(node);
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(async move { Ok(self as Arc<dyn Receiver>) })
    }
}

impl<O: Held> Drop for NearObject<O> {
    fn drop(&mut self) {
        if let (Some(address), Some(shared)) = (self.object.address(), SHARED.get()) {
            // While this object was being dropped, a new near object may have been made at the same address.
            shared.remove_if(&address, |_, near| near.strong_count() == 0);
        }
        self.end.release();
    }
}

/// The end of an object, which can outlive the object.
#[derive(Default)]
struct End {
    stopped: OnceLock<String>,
    watchers: Mutex<Watchers>,
}

#[derive(Default)]
struct Watchers {
    next: u64,
    waiting: Vec<(WatchId, Watcher)>,
    ended: Option<Ended>,
}

impl End {
    fn reason(&self) -> Option<String> {
        self.stopped.get().cloned()
    }

    fn watch(&self, watcher: Watcher) -> Option<WatchId> {
        let mut watchers = self.watchers.lock();
        if let Some(ended) = watchers.ended.clone() {
            drop(watchers);
            watcher(ended);
            return None;
        }
        watchers.next += 1;
        let watch = WatchId(watchers.next);
        watchers.waiting.push((watch, watcher));
        Some(watch)
    }

    fn unwatch(&self, watch: WatchId) {
        let mut watchers = self.watchers.lock();
        let at = watchers.waiting.iter().position(|(known, _)| *known == watch);
        let gone = at.map(|at| watchers.waiting.swap_remove(at));
        drop(watchers);
        drop(gone); // After the lock is released: a watcher may run user code when it is dropped.
    }

    fn stop(&self, reason: &str) {
        if self.stopped.set(reason.to_owned()).is_ok() {
            self.notify(Ended::Stopped(reason.to_owned()));
        }
    }

    fn release(&self) {
        self.notify(Ended::Released);
    }

    fn notify(&self, ended: Ended) {
        let mut watchers = self.watchers.lock();
        if watchers.ended.is_some() {
            return;
        }
        watchers.ended = Some(ended.clone());
        let waiting = std::mem::take(&mut watchers.waiting);
        drop(watchers);
        for (_, watcher) in waiting {
            watcher(ended.clone());
        }
    }
}

struct Watching {
    end: Arc<End>,
    watch: WatchId,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.end.unwatch(self.watch);
    }
}
