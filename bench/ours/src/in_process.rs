//! The forms within the client process. Their server process does nothing.

use std::future::pending;

use contract::{Contestant, Result, Workload};
use remote_core::Node;
use tokio::sync::OnceCell;

use crate::client::Connection;
use crate::server::publish;

/// Two nodes in one process.
pub(crate) struct Memory;

const ADDRESS: &str = "memory://bench";

impl Contestant for Memory {
    type Connection = Connection;

    async fn serve(announce: impl FnOnce(u16) + Send) -> Result<()> {
        serve_nothing(announce).await
    }

    async fn connect(_: u16) -> Result<Connection> {
        static SERVER: OnceCell<Node> = OnceCell::const_new();
        SERVER
            .get_or_try_init(|| async {
                let node = Node::listen(ADDRESS).await?;
                publish(&node).await?;
                Result::Ok(node)
            })
            .await?;
        Connection::open(ADDRESS).await
    }
}

/// References to near objects.
pub(crate) struct Near;

impl Contestant for Near {
    type Connection = Connection;

    async fn serve(announce: impl FnOnce(u16) + Send) -> Result<()> {
        serve_nothing(announce).await
    }

    async fn connect(_: u16) -> Result<Connection> {
        Ok(Connection::near())
    }

    fn supports(workload: Workload) -> bool {
        needs_no_connections(workload)
    }
}

/// Announces the number 0, and waits until the process is killed.
pub(crate) async fn serve_nothing(announce: impl FnOnce(u16) + Send) -> Result<()> {
    announce(0);
    pending().await
}

/// Returns true if the workload does not depend on connections.
pub(crate) fn needs_no_connections(workload: Workload) -> bool {
    !matches!(workload, Workload::Connections { .. } | Workload::Idle { .. })
}
