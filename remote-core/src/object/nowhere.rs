//! Owns the reference to nothing: what a type gets for a reference while only its shape is traced.
//!
//! It must not answer anything.

use std::sync::Arc;

use super::message::{Asked, Ended, Receiver, Request, Resolving, Standing, Watcher};
use crate::error::Error;
use crate::id::ObjectId;

/// Nothing.
pub(crate) struct Nowhere;

impl Receiver for Nowhere {
    fn ask(&self, _: &Arc<dyn Receiver>, _: Request) -> Asked {
        Asked::Refused(Error::NoSuchObject)
    }

    fn standing(&self) -> Standing {
        Standing::Promise { object: ObjectId::DIRECTORY }
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
