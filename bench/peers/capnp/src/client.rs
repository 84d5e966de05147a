//! The client's end of a connection.

use std::net::Ipv4Addr;

use bytes::Bytes;
use capnp_rpc::RpcSystem;
use capnp_rpc::rpc_twoparty_capnp::Side;
use contract::Result;
use tokio::net::TcpStream;

use crate::network;
use crate::peer_capnp::{counter, root};
use crate::pinned::{self, Pinned, failure};

#[derive(Clone)]
pub(crate) struct Connection {
    root: Pinned<root::Client>,
    shared: Counter,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self> {
        pinned::run(move || async move {
            let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            let mut system = RpcSystem::new(network::over(socket, Side::Client)?, None);
            let root: root::Client = system.bootstrap(Side::Server);
            pinned::start(async {
                // The calls report the end of the connection.
                let _ = system.await;
            });
            let reply = root.counter_request().send().promise.await.map_err(failure)?;
            let shared = reply.get().and_then(|results| results.get_counter()).map_err(failure)?;
            Ok(Self { root: Pinned::new(root), shared: Counter(Pinned::new(shared)) })
        })
        .await
    }
}

impl contract::Connection for Connection {
    type Counter = Counter;

    fn counter(&self) -> Counter {
        self.shared.clone()
    }

    async fn make(&self) -> Result<Counter> {
        self.root
            .with(|root| {
                let reply = root.make_request().send().promise;
                async {
                    let reply = reply.await.map_err(failure)?;
                    let made = reply.get().and_then(|results| results.get_counter());
                    Ok(Counter(Pinned::new(made.map_err(failure)?)))
                }
            })
            .await
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        self.root
            .with(move |root| {
                let mut request = root.echo_request();
                request.get().set_bytes(&bytes);
                let reply = request.send().promise;
                async {
                    let reply = reply.await.map_err(failure)?;
                    let bytes = reply.get().and_then(|results| results.get_bytes());
                    Ok(bytes.map_err(failure)?.to_vec())
                }
            })
            .await
    }

    /// `Data` is the only type of bytes: the same as [`echo`](contract::Connection::echo).
    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        self.root
            .with(move |root| {
                let mut request = root.echo_request();
                request.get().set_bytes(&bytes);
                let reply = request.send().promise;
                async {
                    let reply = reply.await.map_err(failure)?;
                    let bytes = reply.get().and_then(|results| results.get_bytes());
                    Ok(Bytes::copy_from_slice(bytes.map_err(failure)?))
                }
            })
            .await
    }

    async fn chain_pipelined(&self, steps: u32) -> Result<u64> {
        self.root
            .with(move |root| {
                let mut node = root.node_request().send().pipeline.get_node();
                for _ in 0..steps {
                    node = node.next_request().send().pipeline.get_node();
                }
                let reply = node.value_request().send().promise;
                async {
                    let reply = reply.await.map_err(failure)?;
                    Ok(reply.get().map_err(failure)?.get_value())
                }
            })
            .await
    }

    async fn chain_awaited(&self, steps: u32) -> Result<u64> {
        self.root
            .with(move |root| {
                let first = root.node_request().send().promise;
                async move {
                    let reply = first.await.map_err(failure)?;
                    let mut node =
                        reply.get().and_then(|results| results.get_node()).map_err(failure)?;
                    for _ in 0..steps {
                        let reply = node.next_request().send().promise.await.map_err(failure)?;
                        node =
                            reply.get().and_then(|results| results.get_node()).map_err(failure)?;
                    }
                    let reply = node.value_request().send().promise.await.map_err(failure)?;
                    Ok(reply.get().map_err(failure)?.get_value())
                }
            })
            .await
    }
}

/// A counter on the server.
#[derive(Clone)]
pub(crate) struct Counter(Pinned<counter::Client>);

impl contract::Counter for Counter {
    async fn add(&self, amount: u64) -> Result<u64> {
        self.0
            .with(move |counter| {
                let mut request = counter.add_request();
                request.get().set_amount(amount);
                let reply = request.send().promise;
                async {
                    let reply = reply.await.map_err(failure)?;
                    Ok(reply.get().map_err(failure)?.get_sum())
                }
            })
            .await
    }
}
