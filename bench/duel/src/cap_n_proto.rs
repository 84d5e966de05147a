//! The contestant `capnp`: capnp-rpc, used as in its examples, with one thread and a two-party connection. An object is dropped
//! with the last capability to it.
//!
//! It must not know the faults.

use std::rc::Rc;

use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{RpcSystem, new_client, twoparty};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

use crate::duel_capnp::{item, maker};
use crate::play::{self, Failure, Name, Numbering};
use crate::report::Report;
use crate::role::Role;

pub(crate) async fn play(role: Role) -> crate::Result<()> {
    LocalSet::new()
        .run_until(async {
            match role {
                Role::Owner { port, life } => own(port, life).await,
                Role::Holder { port } => play::hold(connect(port).await?).await,
                Role::Churner { port, time } => play::churn(connect(port).await?, time).await,
            }
        })
        .await
}

struct Workshop {
    numbering: Numbering,
}

impl maker::Server for Workshop {
    async fn make(
        self: Rc<Self>,
        _: maker::MakeParams,
        mut results: maker::MakeResults,
    ) -> capnp::Result<()> {
        results.get().set_item(new_client(Piece { name: self.numbering.next() }));
        Ok(())
    }
}

struct Piece {
    name: Name,
}

impl item::Server for Piece {
    async fn name(
        self: Rc<Self>,
        _: item::NameParams,
        mut results: item::NameResults,
    ) -> capnp::Result<()> {
        results.get().set_name(&self.name.0);
        Ok(())
    }
}

async fn own(port: u16, life: u32) -> crate::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let maker: maker::Client = new_client(Workshop { numbering: Numbering::new(life) });
    play::report(&Report::Ready);
    loop {
        let (stream, _) = listener.accept().await?;
        let system = RpcSystem::new(network(stream, Side::Server)?, Some(maker.clone().client));
        // The result does not matter: the connection's references are dropped in any case.
        spawn_local(async { drop(system.await) });
    }
}

async fn connect(port: u16) -> crate::Result<maker::Client> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut system = RpcSystem::new(network(stream, Side::Client)?, None);
    let maker = system.bootstrap(Side::Server);
    // The calls report the end of the connection.
    spawn_local(async { drop(system.await) });
    Ok(maker)
}

type Network = twoparty::VatNetwork<tokio_util::compat::Compat<tokio::net::tcp::OwnedReadHalf>>;

fn network(stream: TcpStream, side: Side) -> crate::Result<Box<Network>> {
    stream.set_nodelay(true)?;
    let (input, output) = stream.into_split();
    Ok(Box::new(twoparty::VatNetwork::new(
        input.compat(),
        output.compat_write(),
        side,
        capnp::message::ReaderOptions::default(),
    )))
}

impl play::Maker for maker::Client {
    type Item = item::Client;

    async fn make(&self) -> Result<item::Client, Failure> {
        let response = self.make_request().send().promise.await.map_err(failure)?;
        response.get().and_then(|results| results.get_item()).map_err(failure)
    }
}

impl play::Item for item::Client {
    async fn name(&self) -> Result<String, Failure> {
        let response = self.name_request().send().promise.await.map_err(failure)?;
        let name = response.get().and_then(|results| results.get_name()).map_err(failure)?;
        name.to_string().map_err(|error| Failure::of(&error))
    }
}

fn failure(error: capnp::Error) -> Failure {
    Failure::of(&error.kind)
}
