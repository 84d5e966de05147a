//! The contestant `tarpc`: one service, requests multiplexed over one TCP connection, bincode. It has no references
//! to objects, so that only calls on the one counter and echoes are supported.

mod client;
mod server;
mod service;

use std::net::Ipv4Addr;
use std::process::ExitCode;

use contract::{Contestant, Result, Workload};
use tokio::net::{TcpListener, TcpStream};

fn main() -> ExitCode {
    contract::play::<Tarpc>()
}

struct Tarpc;

impl Contestant for Tarpc {
    type Connection = client::Connection;

    async fn serve(announce: impl FnOnce(u16) + Send) -> Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        announce(listener.local_addr()?.port());
        server::serve(listener).await
    }

    async fn connect(port: u16) -> Result<client::Connection> {
        client::Connection::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?)
    }

    fn supports(workload: Workload) -> bool {
        matches!(
            workload,
            Workload::Latency
                | Workload::Throughput { .. }
                | Workload::Connections { .. }
                | Workload::Echo { .. }
                | Workload::EchoBytes { .. }
        )
    }
}
