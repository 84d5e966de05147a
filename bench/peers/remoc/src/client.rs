//! The client's end of a connection.

use bytes::Bytes;
use contract::Result;
use remoc::ConnectExt;
use remoc::rtc::Client;
use tokio::net::TcpStream;

use crate::interfaces::{self, CounterClient, Node, NodeClient, Root, RootClient};
use crate::network;

#[derive(Clone)]
pub(crate) struct Connection {
    root: RootClient,
    shared: Counter,
}

impl Connection {
    pub(crate) async fn open(socket: TcpStream) -> Result<Self> {
        socket.set_nodelay(true)?;
        let (input, output) = socket.into_split();
        let root: RootClient =
            remoc::Connect::io(network::configuration(), input, output).consume().await?;
        let shared = Counter(root.counter().await?);
        Ok(Self { root, shared })
    }
}

impl contract::Connection for Connection {
    type Counter = Counter;

    fn counter(&self) -> Counter {
        self.shared.clone()
    }

    async fn make(&self) -> Result<Counter> {
        Ok(Counter(self.root.make().await?))
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(self.root.echo(bytes).await?)
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        Ok(self.root.echo_bytes(bytes).await?)
    }

    async fn chain_pipelined(&self, steps: u32) -> Result<u64> {
        let (mut node, requests) = NodeClient::new();
        let mut sessions = vec![self.root.node_pipelined(requests).await];
        for _ in 0..steps {
            let (next, requests) = NodeClient::new();
            sessions.push(node.next_pipelined(requests).await);
            node = next;
        }
        let value = node.value_call().await;
        // A session that failed says why; the calls behind it do not.
        for session in sessions {
            session.await?;
        }
        Ok(value.await?)
    }

    async fn chain_awaited(&self, steps: u32) -> Result<u64> {
        let mut node = self.root.node().await?;
        for _ in 0..steps {
            node = node.next().await?;
        }
        Ok(node.value().await?)
    }
}

/// A counter on the server.
#[derive(Clone)]
pub(crate) struct Counter(CounterClient);

impl contract::Counter for Counter {
    async fn add(&self, amount: u64) -> Result<u64> {
        Ok(interfaces::Counter::add(&self.0, amount).await?)
    }
}
