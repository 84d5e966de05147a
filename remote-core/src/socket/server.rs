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
use super::control::Control;
use super::ends::ends;
use super::messages::{ServerController, ServerSocket};
use super::quota::{Permit, Quota};
use crate::error::Result;
use crate::reference::monitor::Monitor;
use crate::reference::reference::{Ref, WeakRef};

/// After a failure to accept (no more file descriptors, say), how long until the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// A socket that listens.
#[derive(Remote)]
#[remote(ServerSocket, name = "remote.Listener")]
pub(super) struct Server {
    control: Arc<Control<dyn ServerController>>,
    address: SocketAddr,
}

/// What its task has.
struct Reception {
    listener: TcpListener,
    quota: Quota,
    server: WeakRef<dyn ServerSocket>,
    controller: Ref<dyn ServerController>,
    control: Arc<Control<dyn ServerController>>,
}

impl Server {
    /// The socket of a listener, of this permit; what it accepts takes permits as well. Notifies the controlling object.
    pub(super) fn open(
        listener: TcpListener,
        (quota, permit): (Quota, Permit),
        controller: Ref<dyn ServerController>,
    ) -> Result<Ref<dyn ServerSocket>> {
        let address = listener.local_addr()?;
        let control = Arc::new(Control::new(Some(controller.clone())));
        let server: Ref<dyn ServerSocket> =
            Ref::new(Server { control: Arc::clone(&control), address });
        controller.ready(server.clone(), &address.to_string()).post()?;
        let (monitor, weak) = (Ref::monitor(&server), Ref::downgrade(&server));
        let reception = Reception { listener, quota, server: weak, controller, control };
        tokio::spawn(reception.run(monitor, permit));
        Ok(server)
    }
}

#[remote]
impl ServerSocket for Server {
    async fn issue_credit(&self, connections: u64) -> Result<()> {
        self.control.issue_credit(connections)
    }

    async fn address(&self) -> Result<String> {
        Ok(self.address.to_string())
    }

    async fn close(&self) -> Result<()> {
        self.control.close_and_wait().await
    }
}

impl Reception {
    /// Goes on until the socket is to be closed, of which there is this monitor.
    async fn run(self, own: Monitor, mut permit: Permit) {
        let accepting = async {
            if let Err(error) = self.accept().await {
                self.control.close(Some(error));
            }
        };
        let mut asides = ends(&self.control, own, &mut permit);
        asides.push(Box::pin(accepting));
        let failure = beside(self.control.over(), asides).await;
        let Reception { listener, server, control, .. } = self;
        drop(listener);
        let (reason, controller) = control.note_closed(&failure);
        if let Ok(Some(server)) = server.upgrade().await {
            let _ = Ref::stop(&server, &reason); // it is near, so that it can be
            let _ = controller.map(|controller| controller.closed(server, failure).post());
        }
        drop(permit); // Behind the last word: a node that closes its sockets goes on only then.
    }

    /// Accepts as far as there is credit.
    async fn accept(&self) -> Result<()> {
        loop {
            self.control.until(|told| told.credit > 0).await;
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection on behalf of others");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let permit = self.quota.acquire().await?;
            // Gone already, before it was looked at: then there is nothing to tell.
            let Ok(connection) = Connection::open(stream, permit, None) else { continue };
            let Some(server) = self.server.upgrade().await? else { return Ok(()) };
            self.control.spend();
            self.controller.accepted(server, connection).oneway().await?;
        }
    }
}
