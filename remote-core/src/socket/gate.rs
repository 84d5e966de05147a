//! Owns the object by which others use sockets of this machine, as far as they may.
//!
//! It must not know who asks: whoever was given the object may.

use std::sync::Arc;

use remote_derive::{Remote, remote};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use super::connection::Connection;
use super::messages::{ServerController, ServerSocket, Socket, SocketController, Sockets};
use super::place::Places;
use super::policy::{Policy, Purpose};
use super::server::Server;
use crate::error::{Error, Result};
use crate::reference::reference::Ref;

/// What makes the sockets of a node.
#[derive(Remote)]
#[remote(Sockets, name = "remote.Gate")]
pub(crate) struct Gate {
    policy: Policy,
    places: Places,
}

impl Gate {
    pub(crate) fn new(policy: Policy) -> Arc<Gate> {
        let places = Places::new(policy.most());
        Arc::new(Gate { policy, places })
    }

    /// Has all sockets closed; done when they are.
    pub(crate) async fn close(&self) {
        self.places.close().await;
    }
}

#[remote]
impl Sockets for Gate {
    async fn listen(
        &self,
        address: &str,
        controller: Ref<dyn ServerController>,
    ) -> Result<Ref<dyn ServerSocket>> {
        check_runtime()?;
        let allowed = self.policy.allowed(address, Purpose::Listen).await?;
        let place = self.places.take()?;
        let listener = TcpListener::bind(&allowed[..]).await;
        let listener =
            listener.map_err(|error| Error::Io(format!("cannot listen at {address}: {error}")))?;
        Server::open(listener, (self.places.clone(), place), controller)
    }

    async fn connect(
        &self,
        address: &str,
        controller: Ref<dyn SocketController>,
    ) -> Result<Ref<dyn Socket>> {
        check_runtime()?;
        let allowed = self.policy.allowed(address, Purpose::Connect).await?;
        let place = self.places.take()?;
        let stream = TcpStream::connect(&allowed[..]).await;
        let stream = stream.map_err(|error| Error::NotConnected {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
        Connection::open(stream, place, Some(controller))
    }
}

fn check_runtime() -> Result<()> {
    let refused = || Error::Refused("a socket needs a runtime to read and write in".into());
    Handle::try_current().map(drop).map_err(|_| refused())
}
