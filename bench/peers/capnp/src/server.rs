//! The server: the objects, and a task for each connection.

use std::cell::Cell;
use std::rc::Rc;

use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{RpcSystem, new_client};
use contract::Result;
use tokio::net::TcpListener;

use crate::peer_capnp::{counter, node, root};
use crate::{network, pinned};

pub(crate) async fn serve(listener: TcpListener) -> Result<()> {
    let root: root::Client = new_client(Root { shared: new_client(Counter::default()) });
    loop {
        let (socket, _) = listener.accept().await?;
        let system =
            RpcSystem::new(network::over(socket, Side::Server)?, Some(root.client.clone()));
        pinned::start(async {
            // The client reports the end of the connection.
            let _ = system.await;
        });
    }
}

struct Root {
    shared: counter::Client,
}

impl root::Server for Root {
    async fn counter(
        self: Rc<Self>,
        _: root::CounterParams,
        mut results: root::CounterResults,
    ) -> capnp::Result<()> {
        results.get().set_counter(self.shared.clone());
        Ok(())
    }

    async fn make(
        self: Rc<Self>,
        _: root::MakeParams,
        mut results: root::MakeResults,
    ) -> capnp::Result<()> {
        results.get().set_counter(new_client(Counter::default()));
        Ok(())
    }

    async fn echo(
        self: Rc<Self>,
        params: root::EchoParams,
        mut results: root::EchoResults,
    ) -> capnp::Result<()> {
        results.get().set_bytes(params.get()?.get_bytes()?);
        Ok(())
    }

    async fn node(
        self: Rc<Self>,
        _: root::NodeParams,
        mut results: root::NodeResults,
    ) -> capnp::Result<()> {
        results.get().set_node(new_client(Node { value: 0 }));
        Ok(())
    }
}

#[derive(Default)]
struct Counter {
    sum: Cell<u64>,
}

impl counter::Server for Counter {
    async fn add(
        self: Rc<Self>,
        params: counter::AddParams,
        mut results: counter::AddResults,
    ) -> capnp::Result<()> {
        self.sum.set(self.sum.get() + params.get()?.get_amount());
        results.get().set_sum(self.sum.get());
        Ok(())
    }
}

struct Node {
    value: u64,
}

impl node::Server for Node {
    async fn next(
        self: Rc<Self>,
        _: node::NextParams,
        mut results: node::NextResults,
    ) -> capnp::Result<()> {
        results.get().set_node(new_client(Node { value: self.value + 1 }));
        Ok(())
    }

    async fn value(
        self: Rc<Self>,
        _: node::ValueParams,
        mut results: node::ValueResults,
    ) -> capnp::Result<()> {
        results.get().set_value(self.value);
        Ok(())
    }
}
