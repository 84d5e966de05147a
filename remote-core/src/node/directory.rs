//! The directory: the object with number 0 of every node. Peers send it messages to look up published objects and to hand off
//! references.
//!
//! It must not know frames: it is an ordinary object that receives messages.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use remote_derive::{Remote, remote};

use super::connect::registry::Sessions;
use super::gifts::desk::Desk;
use crate::error::{Error, Result};
use crate::id::{NodeId, Token};
use crate::mutex::Mutex;
use crate::object::execution::contained;
use crate::object::message::Location;
use crate::reference::context::caller;
use crate::reference::object::Object;
use crate::reference::reference::{Ref, interfaces};
use crate::transport::uri::check_name;

/// The interface of the directory.
#[remote(name = "remote.Directory")]
pub(crate) trait Directory {
    /// Returns the object that is published under a name, if it has the interface.
    async fn lookup(&self, name: &str, interface: &str) -> Result<Ref<dyn Object>>;

    /// Returns the names of all published objects, in order.
    async fn names(&self) -> Result<Vec<String>>;

    /// Returns an address of a node with which this node has a session.
    async fn address(&self, node: NodeId) -> Result<String>;

    /// Keeps an object of this node for a recipient, which will claim it with the token. The sender must have a reference to
    /// the object.
    async fn vouch(&self, object: Ref<dyn Object>, recipient: NodeId, token: Token) -> Result<()>;

    /// Withdraws a gift for which the caller has vouched, if it was not claimed: the recipient does not refer to the object any
    /// more.
    async fn withdraw(&self, token: Token) -> Result<()>;

    /// Returns a token by which the caller can claim an object for which this node forwards. Waits until this node has a direct
    /// reference.
    async fn introduction(&self, object: Ref<dyn Object>) -> Result<Token>;

    /// Returns the object of a gift to its recipient.
    async fn claim(&self, token: Token) -> Result<Ref<dyn Object>>;
}

/// The published objects of a node, each of which lives while it is published, and access to the gifts.
#[derive(Remote, Clone)]
#[remote(Directory, name = "remote.Published")]
pub(crate) struct Published {
    objects: Arc<Mutex<BTreeMap<String, Ref<dyn Object>>>>,
    desk: Arc<Desk>,
    sessions: Weak<Sessions>,
}

impl Published {
    pub(crate) fn new(desk: Arc<Desk>, sessions: &Arc<Sessions>) -> Published {
        Published { objects: Arc::default(), desk, sessions: Arc::downgrade(sessions) }
    }

    pub(crate) fn publish(&self, name: &str, object: Ref<dyn Object>) -> Result<()> {
        check_name(name)?;
        let mut objects = self.objects.lock();
        if objects.contains_key(name) {
            return Err(Error::NameInUse { name: name.to_owned() });
        }
        objects.insert(name.to_owned(), object);
        Ok(())
    }

    pub(crate) fn unpublish(&self, name: &str) -> Result<()> {
        let Some(removed) = self.objects.lock().remove(name) else {
            return Err(Error::NameNotFound { name: name.to_owned() });
        };
        contained(|| drop(removed));
        Ok(())
    }

    pub(crate) fn clear(&self) {
        let objects = std::mem::take(&mut *self.objects.lock());
        // One by one: of several destructors that panic at once, the second would abort the process.
        objects.into_values().for_each(|object| contained(|| drop(object)));
    }

    pub(crate) fn find(&self, name: &str) -> Result<Ref<dyn Object>> {
        self.objects
            .lock()
            .get(name)
            .cloned()
            .ok_or_else(|| Error::NameNotFound { name: name.to_owned() })
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
        Ok(self.objects.lock().keys().cloned().collect())
    }

    async fn address(&self, node: NodeId) -> Result<String> {
        let session = self.sessions.upgrade().and_then(|sessions| sessions.find(node));
        let address = session.and_then(|session| session.origin.address());
        address.ok_or_else(|| Error::NameNotFound { name: node.to_string() })
    }

    async fn vouch(&self, object: Ref<dyn Object>, recipient: NodeId, token: Token) -> Result<()> {
        if !Ref::is_near(&object) {
            return Err(Error::NoSuchObject); // Another node owns the object.
        }
        self.desk.vouch(token, (caller().id(), recipient), Arc::clone(object.receiver()))
    }

    async fn withdraw(&self, token: Token) -> Result<()> {
        self.desk.withdraw(token, caller().id());
        Ok(())
    }

    async fn introduction(&self, object: Ref<dyn Object>) -> Result<Token> {
        object.receiver().settled().await;
        let sessions = self.sessions.upgrade();
        let hand_off = sessions.as_ref().and_then(|sessions| sessions.shared.hand_off.get());
        let recipient = caller().id();
        let token = hand_off.and_then(|hand_off| hand_off.vouch(object.receiver(), recipient));
        let token = token.ok_or_else(|| {
            Error::Refused("this node has it by way of another one, and forwards".into())
        })?;
        let session = sessions.as_ref().and_then(|sessions| sessions.find(recipient));
        if let (Some(session), Location::Far { node, .. }) = (session, object.receiver().location())
        {
            session.note_late_token(object.receiver().export_id(), node, token);
        }
        Ok(token)
    }

    async fn claim(&self, token: Token) -> Result<Ref<dyn Object>> {
        Ok(Ref::to(self.desk.claim(token, caller().id()).await?))
    }
}

const OBJECT: &str = <dyn Object as crate::reference::interface::Interface>::NAME;
