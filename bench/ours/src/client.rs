//! The client: one node for each connection, and calls on references.

use bytes::Bytes;
use contract::Result;
use remote_core::{Node, Ref};

use crate::interfaces::{Counter, Root};
use crate::server::{self, COUNTER, ROOT, Tally};

#[derive(Clone)]
pub(crate) struct Connection {
    /// Two nodes do not share a session, so that each connection of the contract is a session of its own. None if the
    /// objects are near.
    _node: Option<Node>,
    counter: Ref<dyn Counter>,
    root: Ref<dyn Root>,
}

impl Connection {
    /// Connects a new node to the server at that address.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let node = Node::new();
        let counter = node.lookup(format!("{address}/{COUNTER}")).await?;
        let root = node.lookup(format!("{address}/{ROOT}")).await?;
        Ok(Self { _node: Some(node), counter, root })
    }

    /// Creates the server's objects in this process.
    pub(crate) fn near() -> Self {
        Self { _node: None, counter: Ref::new(Tally::default()), root: Ref::new(server::Root) }
    }
}

impl contract::Connection for Connection {
    type Counter = Handle;

    fn counter(&self) -> Handle {
        Handle(self.counter.clone())
    }

    async fn make(&self) -> Result<Handle> {
        Ok(Handle(self.root.make().await?))
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(self.root.echo(bytes).await?)
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        Ok(self.root.echo_bytes(bytes).await?)
    }

    async fn chain_pipelined(&self, steps: u32) -> Result<u64> {
        let mut link = self.root.node().pipelined();
        for _ in 0..steps {
            link = link.next().pipelined();
        }
        Ok(link.value().await?)
    }

    async fn chain_awaited(&self, steps: u32) -> Result<u64> {
        let mut link = self.root.node().await?;
        for _ in 0..steps {
            link = link.next().await?;
        }
        Ok(link.value().await?)
    }
}

/// A reference to a counter.
#[derive(Clone)]
pub(crate) struct Handle(Ref<dyn Counter>);

impl contract::Counter for Handle {
    async fn add(&self, amount: u64) -> Result<u64> {
        Ok(self.0.add(amount).await?)
    }
}
