//! The server: a task for each connection, and one for each request, as in tarpc's examples.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use contract::Result;
use futures::StreamExt;
use tarpc::context::Context;
use tarpc::server::{BaseChannel, Channel, Config};
use tokio::net::TcpListener;

use crate::service::{self, Peer};

pub(crate) async fn serve(listener: TcpListener) -> Result<()> {
    let server = Server::default();
    loop {
        let (socket, _) = listener.accept().await?;
        // The default would make handlers wait under load.
        let config = Config { pending_response_buffer: 1 << 12 };
        let requests = BaseChannel::new(config, service::transport(socket)?);
        tokio::spawn(requests.execute(server.clone().serve()).for_each(|request| async {
            tokio::spawn(request);
        }));
    }
}

#[derive(Clone, Default)]
struct Server {
    sum: Arc<AtomicU64>,
}

impl Peer for Server {
    async fn add(self, _: Context, amount: u64) -> u64 {
        self.sum.fetch_add(amount, Ordering::Relaxed) + amount
    }

    async fn echo(self, _: Context, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn echo_bytes(self, _: Context, bytes: Bytes) -> Bytes {
        bytes
    }
}
