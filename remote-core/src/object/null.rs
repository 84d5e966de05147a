//! The receiver of a null reference, which stands for a reference while the shape of a type is traced.
//!
//! It must not answer messages.

use std::sync::Arc;

use super::message::{Asked, Ended, Location, Receiver, Request, Resolving, Watcher};
use crate::error::Error;
use crate::id::ObjectId;

/// Refuses every message.
pub(crate) struct NullReceiver;

impl Receiver for NullReceiver {
    fn ask(&self, _: &Arc<dyn Receiver>, _: Request) -> Asked {
        Asked::Refused(Error::NoSuchObject)
    }

    fn location(&self) -> Location {
        Location::Promise { object: ObjectId::DIRECTORY }
    }

    fn export_id(&self) -> ObjectId {
        ObjectId::fresh()
    }

    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync> {
        watcher(Ended::Released);
        Box::new(())
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(std::future::ready(Err(Error::NoSuchObject)))
    }
}
