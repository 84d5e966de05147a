//! The server: its objects, and a task that serves each of them, as in remoc's examples.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use contract::Failure;
use remoc::ConnectExt;
use remoc::codec;
use remoc::rtc::{CallError, ServerShared};
use tokio::net::{TcpListener, TcpStream};

use crate::interfaces::{
    self, Counter, CounterClient, CounterServerShared, Node, NodeClient, NodeServerShared,
    RootServerShared,
};
use crate::network;

pub(crate) async fn serve(listener: TcpListener) -> Result<(), Failure> {
    let shared = Arc::new(Tally::default());
    loop {
        let (socket, _) = listener.accept().await?;
        let root = Arc::new(Root { shared: shared.clone() });
        tokio::spawn(async {
            if let Err(error) = attend(socket, root).await {
                eprintln!("a connection broke: {error}");
            }
        });
    }
}

async fn attend(socket: TcpStream, root: Arc<Root>) -> Result<(), Failure> {
    socket.set_nodelay(true)?;
    let (input, output) = socket.into_split();
    let (server, client) = RootServerShared::<_, codec::Default>::new(root);
    remoc::Connect::io(network::configuration(), input, output).provide(client).await?;
    server.serve().await.map_err(|error| error.to_string().into())
}

struct Root {
    shared: Arc<Tally>,
}

impl interfaces::Root for Root {
    async fn counter(&self) -> Result<CounterClient, CallError> {
        let (server, client) = CounterServerShared::new(self.shared.clone());
        tokio::spawn(server.serve());
        Ok(client)
    }

    async fn make(&self) -> Result<CounterClient, CallError> {
        let (server, client) = CounterServerShared::new(Arc::new(Tally::default()));
        tokio::spawn(server.serve());
        Ok(client)
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CallError> {
        Ok(bytes)
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes, CallError> {
        Ok(bytes)
    }

    async fn node(&self) -> Result<NodeClient, CallError> {
        Ok(Step::served(0))
    }
}

#[derive(Default)]
struct Tally {
    sum: AtomicU64,
}

impl Counter for Tally {
    async fn add(&self, amount: u64) -> Result<u64, CallError> {
        Ok(self.sum.fetch_add(amount, Ordering::Relaxed) + amount)
    }
}

struct Step {
    value: u64,
}

impl Step {
    fn served(value: u64) -> NodeClient {
        let (server, client) = NodeServerShared::new(Arc::new(Self { value }));
        tokio::spawn(server.serve());
        client
    }
}

impl Node for Step {
    async fn next(&self) -> Result<NodeClient, CallError> {
        Ok(Self::served(self.value + 1))
    }

    async fn value(&self) -> Result<u64, CallError> {
        Ok(self.value)
    }
}
