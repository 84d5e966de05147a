//! Owns the directory: the object that every node shows to every peer, by which published objects are found.
//!
//! It must not know sessions. It is an object like any other, and is asked by messages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use remote_derive::{Remote, remote};

use crate::error::{Error, Result};
use crate::reference::object::Object;
use crate::reference::reference::{Ref, interfaces};
use crate::transport::uri::check_name;

/// What a node answers about the objects published on it.
#[remote(name = "remote.Directory")]
pub(crate) trait Directory {
    /// The object published under a name, if it answers to the interface.
    async fn lookup(&self, name: &str, interface: &str) -> Result<Ref<dyn Object>>;

    /// All names, in order.
    async fn names(&self) -> Result<Vec<String>>;
}

/// The published objects of a node. Each is a root: it lives while it is published.
#[derive(Remote, Clone, Default)]
#[remote(Directory, name = "remote.Published")]
pub(crate) struct Published {
    objects: Arc<Mutex<BTreeMap<String, Ref<dyn Object>>>>,
}

impl Published {
    pub(crate) fn publish(&self, name: &str, object: Ref<dyn Object>) -> Result<()> {
        check_name(name)?;
        let mut objects = self.lock();
        if objects.contains_key(name) {
            return Err(Error::NameInUse { name: name.to_owned() });
        }
        objects.insert(name.to_owned(), object);
        Ok(())
    }

    pub(crate) fn unpublish(&self, name: &str) -> Result<()> {
        let removed = self.lock().remove(name);
        removed.map(drop).ok_or_else(|| Error::NameNotFound { name: name.to_owned() })
    }

    pub(crate) fn clear(&self) {
        let objects = std::mem::take(&mut *self.lock());
        drop(objects);
    }

    fn find(&self, name: &str) -> Result<Ref<dyn Object>> {
        self.lock().get(name).cloned().ok_or_else(|| Error::NameNotFound { name: name.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Ref<dyn Object>>> {
        self.objects.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[remote]
impl Directory for Published {
    async fn lookup(&self, name: &str, interface: &str) -> Result<Ref<dyn Object>> {
        let object = self.find(name)?;
        let (class, known) = interfaces(object.receiver()).await?;
        if interface == OBJECT || known.iter().any(|known| known == interface) {
            return Ok(object);
        }
        Err(Error::WrongInterface {
            found: format!("`{name}`, of class {class},"),
            wanted: interface.to_owned(),
        })
    }

    async fn names(&self) -> Result<Vec<String>> {
        Ok(self.lock().keys().cloned().collect())
    }
}

const OBJECT: &str = <dyn Object as crate::reference::interface::Interface>::NAME;
