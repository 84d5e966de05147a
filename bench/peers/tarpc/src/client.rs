//! The client's end of a connection.

use bytes::Bytes;
use contract::Result;
use tarpc::{client, context};
use tokio::net::TcpStream;

use crate::service::{self, PeerClient};

#[derive(Clone)]
pub(crate) struct Connection {
    peer: PeerClient,
}

impl Connection {
    pub(crate) fn new(socket: TcpStream) -> Result<Self> {
        let mut config = client::Config::default();
        // More than any workload has in progress, so that no call waits for the reply of another one.
        config.max_in_flight_requests = 1 << 16;
        config.pending_request_buffer = 1 << 12;
        Ok(Self { peer: PeerClient::new(config, service::transport(socket)?).spawn() })
    }
}

impl contract::Connection for Connection {
    type Counter = Counter;

    fn counter(&self) -> Counter {
        Counter { peer: self.peer.clone() }
    }

    async fn make(&self) -> Result<Counter> {
        Err(NO_REFERENCES.into())
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(self.peer.echo(context::current(), bytes).await?)
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        Ok(self.peer.echo_bytes(context::current(), bytes).await?)
    }

    async fn chain_pipelined(&self, _steps: u32) -> Result<u64> {
        Err(NO_REFERENCES.into())
    }

    async fn chain_awaited(&self, _steps: u32) -> Result<u64> {
        Err(NO_REFERENCES.into())
    }
}

const NO_REFERENCES: &str = "tarpc has no references to objects";

/// The one counter of the server.
#[derive(Clone)]
pub(crate) struct Counter {
    peer: PeerClient,
}

impl contract::Counter for Counter {
    async fn add(&self, amount: u64) -> Result<u64> {
        Ok(self.peer.add(context::current(), amount).await?)
    }
}
