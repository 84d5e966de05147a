//! The client's end of a connection.

use bytes::Bytes;
use contract::Result;
use tonic::transport::{Channel, Endpoint};

use crate::service::{Amount, ByteString, PeerClient, Vector, WINDOW};

#[derive(Clone)]
pub(crate) struct Connection {
    /// A call borrows a client mutably; a clone shares the connection.
    peer: PeerClient<Channel>,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self> {
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .connect()
            .await?;
        Ok(Self { peer: PeerClient::new(channel) })
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
        Ok(self.peer.clone().echo(Vector { bytes }).await?.into_inner().bytes)
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        Ok(self.peer.clone().echo_bytes(ByteString { bytes }).await?.into_inner().bytes)
    }

    async fn chain_pipelined(&self, _steps: u32) -> Result<u64> {
        Err(NO_REFERENCES.into())
    }

    async fn chain_awaited(&self, _steps: u32) -> Result<u64> {
        Err(NO_REFERENCES.into())
    }
}

const NO_REFERENCES: &str = "gRPC has no references to objects";

/// The one counter of the server.
#[derive(Clone)]
pub(crate) struct Counter {
    peer: PeerClient<Channel>,
}

impl contract::Counter for Counter {
    async fn add(&self, amount: u64) -> Result<u64> {
        Ok(self.peer.clone().add(Amount { amount }).await?.into_inner().sum)
    }
}
