//! The baseline contestant: sockets, call ids and length-prefixed frames. It deliberately has no codec, no errors on the
//! wire, no sessions and no references.

mod client;
mod frame;
mod outbox;
mod server;

use std::net::Ipv4Addr;
use std::process::ExitCode;

use contract::{Contestant, Result};
use tokio::net::{TcpListener, TcpStream};

fn main() -> ExitCode {
    contract::play::<Raw>()
}

struct Raw;

impl Contestant for Raw {
    type Connection = client::Connection;

    async fn serve(announce: impl FnOnce(u16) + Send) -> Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        announce(listener.local_addr()?.port());
        server::serve(listener).await
    }

    async fn connect(port: u16) -> Result<client::Connection> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(client::Connection::new(socket)?)
    }
}
