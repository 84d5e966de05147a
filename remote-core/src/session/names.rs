//! The names that each side has announced, so that frames contain their numbers: names of messages and of interfaces.
//!
//! It must not know what the names mean.

use std::sync::Arc;

use foldhash::HashMap;

use crate::id::NameId;
use crate::wire::breach::Breach;
use crate::wire::frame::MAX_NAME;

/// The maximum number of names that one side may announce, and of their bytes.
const MAX_NAMES: usize = 16 * 1024;
const MAX_BYTES: usize = 1 << 20;

/// A name, with its fingerprint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) fingerprint: u64,
    pub(crate) text: Box<str>,
}

/// The names that this side has announced.
#[derive(Default)]
pub(crate) struct Announced {
    ids: HashMap<u64, NameId>,
    bytes: usize,
}

impl Announced {
    /// Returns the number of a name, and true if it is new and must be announced; `None` if the peer accepts no more. This
    /// is not an error, since a forwarded name must not end the session.
    pub(crate) fn intern(&mut self, fingerprint: u64, text: &str) -> Option<(NameId, bool)> {
        if let Some(id) = self.ids.get(&fingerprint) {
            return Some((*id, false));
        }
        if self.ids.len() >= MAX_NAMES
            || self.bytes + text.len() > MAX_BYTES
            || text.len() > MAX_NAME
        {
            return None;
        }
        self.bytes += text.len();
        let id = NameId(self.ids.len() as u64 + 1);
        self.ids.insert(fingerprint, id);
        Some((id, true))
    }
}

/// The names that the peer has announced, in order.
#[derive(Default)]
pub(crate) struct PeerNames {
    names: Vec<Arc<Name>>,
    bytes: usize,
}

impl PeerNames {
    pub(crate) fn announce(
        &mut self,
        id: NameId,
        fingerprint: u64,
        text: &str,
    ) -> Result<(), Breach> {
        self.bytes += text.len();
        let in_order = id.0 == self.names.len() as u64 + 1;
        if !in_order
            || text.len() > MAX_NAME
            || self.names.len() >= MAX_NAMES
            || self.bytes > MAX_BYTES
        {
            return Err(Breach::Name);
        }
        self.names.push(Arc::new(Name { fingerprint, text: text.into() }));
        Ok(())
    }

    pub(crate) fn get(&self, id: NameId) -> Result<&Arc<Name>, Breach> {
        let index = usize::try_from(id.0).ok().and_then(|id| id.checked_sub(1));
        index.and_then(|index| self.names.get(index)).ok_or(Breach::Name)
    }
}
