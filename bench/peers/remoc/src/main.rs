//! The contestant `remoc`: remote trait calls over one multiplexed connection, references to objects, pipelined
//! calls, the default codec.

mod client;
mod interfaces;
mod network;
mod server;

use std::net::Ipv4Addr;
use std::process::ExitCode;

use contract::{Contestant, Result};
use tokio::net::{TcpListener, TcpStream};

fn main() -> ExitCode {
    contract::play::<Remoc>()
}

struct Remoc;

impl Contestant for Remoc {
    type Connection = client::Connection;

    async fn serve(announce: impl FnOnce(u16) + Send) -> Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        announce(listener.local_addr()?.port());
        server::serve(listener).await
    }

    async fn connect(port: u16) -> Result<client::Connection> {
        client::Connection::open(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?).await
    }
}
