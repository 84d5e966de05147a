//! The names that each side has announced, so that frames contain their numbers: names of messages and of interfaces.
//!
//! It must not know what the names mean.

use std::sync::Arc;

use foldhash::HashMap;

use crate::id::NameId;
use crate::wire::breach::Breach;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::MAX_NAME;

/// The maximum number of names that one side may announce, and of their bytes.
const MAX_NAMES: usize = 16 * 1024;
const MAX_BYTES: usize = 1 << 20;

/// A name, with its fingerprint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// [`Fingerprint::NONE`] for an interface.
    pub(crate) fingerprint: Fingerprint,
    pub(crate) text: Box<str>,
}

/// The names that this side has announced.
///
/// A name is known by fingerprint and text. A forwarded call has the text that its sender chose: it must not become the text of
/// others' calls with the same fingerprint.
#[derive(Default)]
pub(crate) struct Announced {
    messages: HashMap<Fingerprint, (Box<str>, NameId)>,
    /// Names with the fingerprint of another one. A peer has made them up.
    aliases: HashMap<(Fingerprint, Box<str>), NameId>,
    interfaces: HashMap<Box<str>, NameId>,
    count: usize,
    bytes: usize,
}

impl Announced {
    /// Returns the number of the name of a message, and true if it is new and must be announced; `None` if the peer accepts no
    /// more. This is not an error, since a forwarded name must not end the session.
    pub(crate) fn intern(
        &mut self,
        fingerprint: Fingerprint,
        text: &str,
    ) -> Option<(NameId, bool)> {
        match self.messages.get(&fingerprint) {
            Some((known, id)) if **known == *text => Some((*id, false)),
            Some(_) => self.intern_alias((fingerprint, text.into())),
            None => {
                let id = self.add(text)?;
                self.messages.insert(fingerprint, (text.into(), id));
                Some((id, true))
            }
        }
    }

    #[cold]
    fn intern_alias(&mut self, alias: (Fingerprint, Box<str>)) -> Option<(NameId, bool)> {
        if let Some(id) = self.aliases.get(&alias) {
            return Some((*id, false));
        }
        let id = self.add(&alias.1)?;
        self.aliases.insert(alias, id);
        Some((id, true))
    }

    /// Does the same for the name of an interface.
    pub(crate) fn intern_interface(&mut self, text: &str) -> Option<(NameId, bool)> {
        if let Some(id) = self.interfaces.get(text) {
            return Some((*id, false));
        }
        let id = self.add(text)?;
        self.interfaces.insert(text.into(), id);
        Some((id, true))
    }

    /// Counts a new name.
    fn add(&mut self, text: &str) -> Option<NameId> {
        if self.count >= MAX_NAMES || self.bytes + text.len() > MAX_BYTES || text.len() > MAX_NAME {
            return None;
        }
        self.bytes += text.len();
        self.count += 1;
        Some(NameId(self.count as u64))
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
        fingerprint: Fingerprint,
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
