//! The client: one node for each connection, and plain calls on references. It must not know what the replies should be.

use bytes::Bytes;
use contract::Result;
use remote_core::{Node, Ref};

use crate::interfaces::{Counter, Root};
use crate::{COUNTER, ROOT};

#[derive(Clone)]
pub(crate) struct Connection {
    /// Two nodes share no session, so each has a connection of its own.
    _node: Node,
    counter: Ref<dyn Counter>,
    root: Ref<dyn Root>,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self> {
        let node = Node::new();
        let counter = node.lookup(format!("tcp://127.0.0.1:{port}/{COUNTER}")).await?;
        let root = node.lookup(format!("tcp://127.0.0.1:{port}/{ROOT}")).await?;
        Ok(Self { _node: node, counter, root })
    }
}

impl contract::Connection for Connection {
    type Counter = Far;

    fn counter(&self) -> Far {
        Far(self.counter.clone())
    }

    async fn make(&self) -> Result<Far> {
        Ok(Far(self.root.make().await?))
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

/// A counter on the server.
#[derive(Clone)]
pub(crate) struct Far(Ref<dyn Counter>);

impl contract::Counter for Far {
    async fn add(&self, amount: u64) -> Result<u64> {
        Ok(self.0.add(amount).await?)
    }
}
