//! Owns the sockets that listen: the object that stands for one, and its task, which accepts as far as there is credit.
//!
//! It must not know what becomes of a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use remote_derive::{Remote, remote};
use tokio::net::TcpListener;

use super::beside::beside;
use super::connection::Connection;
use super::ends::ends;
use super::messages::{ServerController, ServerSocket};
use super::orders::Orders;
use super::place::{Place, Places};
use crate::error::Result;
use crate::reference::monitor::Monitor;
use crate::reference::reference::{Ref, WeakRef};

/// After a failure to accept (no more file descriptors, say), how long until the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// A socket that listens.
#[derive(Remote)]
#[remote(ServerSocket, name = "remote.Listener")]
pub(super) struct Server {
    orders: Arc<Orders<dyn ServerController>>,
    address: SocketAddr,
}

/// What its task has.
struct Reception {
    listener: TcpListener,
    places: Places,
    server: WeakRef<dyn ServerSocket>,
    controller: Ref<dyn ServerController>,
    orders: Arc<Orders<dyn ServerController>>,
}

impl Server {
    /// The socket of a listener, at its place; what it accepts has places as well. Its controlling object is told.
    pub(super) fn open(
        listener: TcpListener,
        (places, place): (Places, Place),
        controller: Ref<dyn ServerController>,
    ) -> Result<Ref<dyn ServerSocket>> {
        let address = listener.local_addr()?;
        let orders = Arc::new(Orders::new(Some(controller.clone())));
        let server: Ref<dyn ServerSocket> =
            Ref::new(Server { orders: Arc::clone(&orders), address });
        controller.ready(server.clone(), &address.to_string()).post()?;
        let (monitor, weak) = (Ref::monitor(&server), Ref::downgrade(&server));
        let reception = Reception { listener, places, server: weak, controller, orders };
        tokio::spawn(reception.run(monitor, place));
        Ok(server)
    }
}

#[remote]
impl ServerSocket for Server {
    async fn issue_credit(&self, connections: u64) -> Result<()> {
        self.orders.issue_credit(connections)
    }

    async fn address(&self) -> Result<String> {
        Ok(self.address.to_string())
    }

    async fn close(&self) -> Result<()> {
        self.orders.see_closed().await
    }
}

impl Reception {
    /// Goes on until the socket is to be closed, of which there is this monitor.
    async fn run(self, own: Monitor, mut place: Place) {
        let accepting = async {
            if let Err(error) = self.accept().await {
                self.orders.close(Some(error));
            }
        };
        let mut asides = ends(&self.orders, own, &mut place);
        asides.push(Box::pin(accepting));
        let failure = beside(self.orders.over(), asides).await;
        let Reception { listener, server, orders, .. } = self;
        drop(listener);
        let (reason, controller) = orders.note_closed(&failure);
        if let Ok(Some(server)) = server.upgrade().await {
            let _ = Ref::stop(&server, &reason); // it is near, so that it can be
            let _ = controller.map(|controller| controller.closed(server, failure).post());
        }
        drop(place); // Behind the last word: a node that closes its sockets goes on only then.
    }

    /// Accepts as far as there is credit.
    async fn accept(&self) -> Result<()> {
        loop {
            self.orders.until(|told| told.credit > 0).await;
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection on behalf of others");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let place = self.places.free().await?;
            // Gone already, before it was looked at: then there is nothing to tell.
            let Ok(connection) = Connection::open(stream, place, None) else { continue };
            let Some(server) = self.server.upgrade().await? else { return Ok(()) };
            self.orders.spend();
            self.controller.accepted(server, connection).oneway().await?;
        }
    }
}
