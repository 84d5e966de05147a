//! The object through which other nodes make sockets on this machine, as far as the policy allows.
//!
//! It must not check the caller: every node that has a reference to it may use it.

use std::sync::Arc;

use remote_derive::{Remote, remote};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use super::connected::{Socket, SocketController};
use super::connection::Connection;
use super::listening::{ServerController, ServerSocket, Sockets};
use super::policy::{Policy, Purpose};
use super::quota::Quota;
use super::server::Server;
use crate::error::{Error, Result};
use crate::reference::reference::Ref;

/// Makes the sockets of a node.
#[derive(Remote)]
#[remote(Sockets, name = "remote.Gate")]
pub(crate) struct Factory {
    policy: Policy,
    quota: Quota,
}

impl Factory {
    pub(crate) fn new(policy: Policy) -> Arc<Factory> {
        let quota = Quota::new(policy.max_sockets());
        Arc::new(Factory { policy, quota })
    }

    /// Closes all sockets and waits until they are closed.
    pub(crate) async fn close(&self) {
        self.quota.close().await;
    }
}

#[remote]
impl Sockets for Factory {
    async fn listen(
        &self,
        address: &str,
        controller: Ref<dyn ServerController>,
    ) -> Result<Ref<dyn ServerSocket>> {
        check_runtime()?;
        let allowed = self.policy.allowed(address, Purpose::Listen).await?;
        let permit = self.quota.try_acquire()?;
        let listener = TcpListener::bind(&allowed[..]).await;
        let listener =
            listener.map_err(|error| Error::Io(format!("cannot listen at {address}: {error}")))?;
        Server::open(listener, (self.quota.clone(), permit), controller)
    }

    async fn connect(
        &self,
        address: &str,
        controller: Ref<dyn SocketController>,
    ) -> Result<Ref<dyn Socket>> {
        check_runtime()?;
        let allowed = self.policy.allowed(address, Purpose::Connect).await?;
        let permit = self.quota.try_acquire()?;
        let stream = TcpStream::connect(&allowed[..]).await;
        let stream = stream.map_err(|error| Error::NotConnected {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
        Connection::open(stream, permit, Some(controller))
    }
}

fn check_runtime() -> Result<()> {
    let refused = || Error::Refused("sockets need a tokio runtime; call this inside one".into());
    Handle::try_current().map(drop).map_err(|_| refused())
}
