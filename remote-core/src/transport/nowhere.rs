//! The transport `nowhere://node`: the addresses of nodes that do not listen.
//!
//! It must not connect: every attempt fails with an error that says why.

use super::connection::{Connection, Listener, Pending, Registered, Scheme, Transport};
use super::uri::{Uri, invalid};
use crate::error::{Error, Result};
use crate::id::NodeId;

struct Nowhere;

inventory::submit!(Registered::Connections(&Nowhere));

/// Returns the address of an object on a node that does not listen.
pub(crate) fn uri(node: NodeId, name: &str) -> String {
    format!("{}://{node}/{name}", Nowhere.name())
}

impl Scheme for Nowhere {
    fn name(&self) -> &'static str {
        "nowhere"
    }

    fn can_be_reached(&self) -> bool {
        false
    }
}

impl Transport for Nowhere {
    fn listen<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Box<dyn Listener>>> {
        let error = invalid(&uri.node(), "it is the address of a node that listens nowhere");
        Box::pin(std::future::ready(Err(error)))
    }

    fn connect<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Connection>> {
        let reason = "the node of this address listens nowhere; give it an address with \
                      `NodeBuilder::listen`";
        let error = Error::NotConnected { address: uri.node(), reason: reason.into() };
        Box::pin(std::future::ready(Err(error)))
    }
}
