//! Publishing objects under names, looking them up, and the addresses of names.
//!
//! It must not know how sessions are made, nor how objects are stored.

use super::directory::Directory;
use super::node::Node;
use crate::error::{Error, Result};
use crate::reference::interface::Interface;
use crate::reference::object::Object;
use crate::reference::reference::Ref;
use crate::transport::nowhere;
use crate::transport::uri::Uri;

impl Node {
    /// Publishes an object under a name, so that others can look it up. The object lives at least until it is unpublished.
    ///
    /// # Errors
    /// [`Error::NameInUse`]; [`Error::Refused`] for a name that cannot stand in an address; for a promise, what its
    /// call failed with; [`Error::Ended`] after the node has begun to shut down.
    pub async fn publish<T: ?Sized + Interface>(
        &self,
        name: impl AsRef<str>,
        reference: Ref<T>,
    ) -> Result<()> {
        let object = Ref::<dyn Object>::to(Ref::resolved(&reference).await?.receiver().clone());
        self.0.sessions.shared.check_open()?;
        self.0.published.publish(name.as_ref(), object)
    }

    /// Unpublishes a name. References that were looked up by it stay valid.
    ///
    /// # Errors
    /// [`Error::NameNotFound`].
    pub async fn unpublish(&self, name: impl AsRef<str>) -> Result<()> {
        self.0.published.unpublish(name.as_ref())
    }

    /// Returns the names published by the node at an address.
    ///
    /// # Errors
    /// [`Error::InvalidUri`], [`Error::NotConnected`], and those of a call.
    pub async fn names(&self, node_uri: impl AsRef<str>) -> Result<Vec<String>> {
        let uri = Uri::of_node(node_uri.as_ref())?;
        let directory = Ref::<dyn Directory>::to(self.0.directory(&uri).await?);
        match directory.names().await {
            Err(error) if is_over(&error) => {
                let directory = Ref::<dyn Directory>::to(self.0.directory(&uri).await?);
                directory.names().await.map_err(own)
            }
            names => names.map_err(own),
        }
    }

    /// Looks up the object published at an address, as `tcp://127.0.0.1:4096/transcript`. Looked up on the node itself, it is
    /// the near object.
    ///
    /// # By datagrams
    /// With an address as `udp://127.0.0.1:4096/transcript`, nobody is asked, and no connection is made: the reference is
    /// the address and the name, and each message to it is one datagram. Such messages must be sent with
    /// [`Call::oneway`](crate::Call::oneway), pass values alone, and fit into
    /// [`Limits::datagram`](crate::Limits::datagram); any other is refused, and nothing is sent of it. What is sent may
    /// be lost without a word: by the network, by a receiver that has no room, or because nobody listens there, publishes
    /// the name, or understands the message. It may arrive in another order. It is executed at most once, as long as it
    /// does not arrive again after thousands of others.
    ///
    /// The other way round, nothing proves who sent a datagram: whoever can reach the address can send the published
    /// objects messages, and say to be any node, so that [`caller`](crate::caller) is only what the sender says.
    ///
    /// The reference equals only its clones, since nobody knows which object it means. It cannot be monitored, linked to
    /// or cast. It can be passed on, and then this node sends the datagrams for whoever received it.
    ///
    /// # Errors
    /// [`Error::InvalidUri`], [`Error::NotConnected`], [`Error::NameNotFound`], [`Error::WrongInterface`], and those
    /// of a call.
    pub async fn lookup<T: ?Sized + Interface>(&self, uri: impl AsRef<str>) -> Result<Ref<T>> {
        let uri = Uri::of_object(uri.as_ref())?;
        if uri.is_for_datagrams() {
            return Ok(Ref::to(self.0.datagram_target(uri).await?));
        }
        let directory = Ref::<dyn Directory>::to(self.0.directory(&uri).await?);
        let found = match directory.lookup(&uri.name, T::NAME).await {
            Err(error) if is_over(&error) => {
                let directory = Ref::<dyn Directory>::to(self.0.directory(&uri).await?);
                directory.lookup(&uri.name, T::NAME).await
            }
            found => found,
        };
        Ok(Ref::to(found.map_err(own)?.receiver().clone()))
    }

    /// Returns the address of an object published here, for others to look up: at the first address at which the node listens.
    /// If it listens nowhere, a lookup of the address fails with [`Error::NotConnected`].
    pub fn uri(&self, name: impl AsRef<str>) -> String {
        let uri = self.uris(name.as_ref()).into_iter().next();
        uri.unwrap_or_else(|| nowhere::uri(self.id(), name.as_ref()))
    }

    /// Returns the addresses of an object published here: one for each address at which the node listens, in the order of the
    /// builder.
    pub fn uris(&self, name: impl AsRef<str>) -> Vec<String> {
        let name = name.as_ref();
        self.0.addresses().iter().map(|address| format!("{address}/{name}")).collect()
    }
}

/// Returns true if the session turned out to be over: another one may answer at its address by now, so it is tried once more.
fn is_over(error: &Error) -> bool {
    matches!(error, Error::SessionLost { .. } | Error::LeaseExpired | Error::Stale)
}

/// Unwraps an error that the directory's method returned: the lookup fails with it.
fn own(error: Error) -> Error {
    match error {
        Error::Nested(inner) => *inner,
        other => other,
    }
}
