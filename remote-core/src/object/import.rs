//! A far object in this process: the route to it, and its identity.
//!
//! It must not know the session. Each import stands for one introduction, and releases it when it is dropped.

use std::sync::{Arc, OnceLock};

use super::message::{Asked, Location, Receiver, Request, Resolving, Route, RouteId, Watcher};
use crate::id::{Identity, ObjectId, WatchId};
use crate::wire::frame::Target;

/// A proxy's receiver for one introduction of a far object.
pub(crate) struct Import {
    route: Arc<dyn Route>,
    /// The number by which the peer knows the object.
    entry: ObjectId,
    identity: Identity,
    /// The number under which this process exports the object to third nodes, for which it forwards; set at the first
    /// export.
    forwarded_as: OnceLock<ObjectId>,
}

impl Import {
    pub(crate) fn new(route: Arc<dyn Route>, entry: ObjectId, identity: Identity) -> Import {
        Import { route, entry, identity, forwarded_as: OnceLock::new() }
    }
}

impl Receiver for Import {
    fn ask(&self, _: &Arc<dyn Receiver>, request: Request) -> Asked {
        match self.route.ask(Target::Object(self.entry), request) {
            Ok(claim) => Asked::Sent(claim),
            Err(error) => Asked::Refused(error),
        }
    }

    fn route(&self) -> Option<&Arc<dyn Route>> {
        Some(&self.route)
    }

    fn location(&self) -> Location {
        let Identity { node, object } = self.identity;
        Location::Far { route: Some(RouteId::of(&*self.route)), entry: self.entry, node, object }
    }

    fn export_id(&self) -> ObjectId {
        *self.forwarded_as.get_or_init(ObjectId::fresh)
    }

    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync> {
        match self.route.watch(self.entry, watcher) {
            Some(watch) => Box::new(Watching { route: Arc::clone(&self.route), watch }),
            None => Box::new(()),
        }
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(async move { Ok(self as Arc<dyn Receiver>) })
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        self.route.release(self.entry);
    }
}

struct Watching {
    route: Arc<dyn Route>,
    watch: WatchId,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.route.unwatch(self.watch);
    }
}
