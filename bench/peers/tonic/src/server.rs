//! The server.

use std::sync::atomic::{AtomicU64, Ordering};

use contract::Result;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::service::{Amount, ByteString, Peer, PeerServer, Sum, Vector, WINDOW};

pub(crate) async fn serve(listener: TcpListener) -> Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .add_service(PeerServer::new(Service::default()))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

#[derive(Default)]
struct Service {
    sum: AtomicU64,
}

type Reply<Message> = std::result::Result<Response<Message>, Status>;

#[tonic::async_trait]
impl Peer for Service {
    async fn add(&self, request: Request<Amount>) -> Reply<Sum> {
        let amount = request.into_inner().amount;
        let sum = self.sum.fetch_add(amount, Ordering::Relaxed) + amount;
        Ok(Response::new(Sum { sum }))
    }

    async fn echo(&self, request: Request<Vector>) -> Reply<Vector> {
        Ok(Response::new(request.into_inner()))
    }

    async fn echo_bytes(&self, request: Request<ByteString>) -> Reply<ByteString> {
        Ok(Response::new(request.into_inner()))
    }
}
