//! The object of a listening socket, and its task, which accepts as far as there is credit.
//!
//! It must not know what is done with a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use remote_derive::{Remote, remote};
use tokio::net::TcpListener;

use super::connection::Connection;
use super::control::Control;
use super::ends::close_at_end;
use super::listening::{ServerController, ServerSocket};
use super::quota::{Permit, Quota};
use crate::error::Result;
use crate::reference::monitor::Monitor;
use crate::reference::reference::{Ref, WeakRef};
use crate::transport::accept::accept;

/// A listening socket.
#[derive(Remote)]
#[remote(ServerSocket, name = "remote.Listener")]
pub(super) struct Server {
    control: Arc<Control<dyn ServerController>>,
    address: SocketAddr,
}

/// The state of the task.
struct AcceptTask {
    listener: TcpListener,
    quota: Quota,
    server: WeakRef<dyn ServerSocket>,
    controller: Ref<dyn ServerController>,
    control: Arc<Control<dyn ServerController>>,
}

impl Server {
    /// Makes the object of a listener, and starts its task. Each accepted connection takes a permit of the quota. Notifies
    /// the controlling object.
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
        let task = AcceptTask { listener, quota, server: weak, controller, control };
        tokio::spawn(task.run(monitor, permit));
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

impl AcceptTask {
    /// Runs until a close is requested. `own` is a monitor of the socket.
    async fn run(self, own: Monitor, mut permit: Permit) {
        let accepting = async {
            if let Err(error) = self.accept().await {
                self.control.close(Some(error));
            }
        };
        let background = async {
            tokio::join!(accepting, close_at_end(&self.control, own, &mut permit));
            std::future::pending().await
        };
        let failure = tokio::select! {
            biased;
            failure = self.control.over() => failure,
            never = background => never,
        };
        let AcceptTask { listener, server, control, .. } = self;
        drop(listener);
        let (reason, controller) = control.note_closed(&failure);
        if let Ok(Some(server)) = server.upgrade().await {
            let _ = Ref::stop(&server, &reason); // cannot fail: the socket is near
            let _ = controller.map(|controller| controller.closed(server, failure).post());
        }
        drop(permit); // After the last message: a node that shuts down waits for the permits.
    }

    /// Accepts connections as far as there is credit.
    async fn accept(&self) -> Result<()> {
        loop {
            self.control.until(|state| state.credit > 0).await;
            let (stream, _) = accept(|context| self.listener.poll_accept(context)).await;
            let permit = self.quota.acquire().await?;
            // The connection has failed already: nothing is reported.
            let Ok(connection) = Connection::open(stream, permit, None) else { continue };
            let Some(server) = self.server.upgrade().await? else { return Ok(()) };
            self.control.spend();
            self.controller.accepted(server, connection).continuing().oneway().await?;
        }
    }
}
