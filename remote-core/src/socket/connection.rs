//! The object of a connected socket.
//!
//! It must not read or write itself: it only changes the control state and queues the bytes to send.

use std::net::SocketAddr;
use std::sync::Arc;

use remote_derive::{Remote, remote};
use tokio::net::TcpStream;

use super::connected::{Socket, SocketController};
use super::connection_task::ConnectionTask;
use super::control::{Control, Sending};
use super::outgoing::Outgoing;
use super::quota::Permit;
use super::units::WorkUnits;
use crate::error::{Error, Result};
use crate::reference::context::this;
use crate::reference::reference::Ref;

/// A connected socket.
#[derive(Remote)]
#[remote(Socket, name = "remote.Connection")]
pub(super) struct Connection {
    control: Arc<Control<dyn SocketController>>,
    outgoing: Arc<Outgoing>,
    address: SocketAddr,
    peer: SocketAddr,
}

impl Connection {
    /// Makes the object of a connection, and starts its task. Notifies the controlling object, if there is one.
    pub(super) fn open(
        stream: TcpStream,
        permit: Permit,
        controller: Option<Ref<dyn SocketController>>,
    ) -> Result<Ref<dyn Socket>> {
        // The task of the socket already writes many small messages together.
        stream.set_nodelay(true)?;
        let (address, peer) = (stream.local_addr()?, stream.peer_addr()?);
        let control = Arc::new(Control::new(controller.clone()));
        let outgoing = Arc::new(Outgoing::new());
        let (own_control, own_outgoing) = (Arc::clone(&control), Arc::clone(&outgoing));
        let socket: Ref<dyn Socket> =
            Ref::new(Connection { control: own_control, outgoing: own_outgoing, address, peer });
        // `connected` is the first message that the controlling object gets.
        controller.map(|controller| controller.connected(socket.clone()).post()).transpose()?;
        let (monitor, weak) = (Ref::monitor(&socket), Ref::downgrade(&socket));
        let task = ConnectionTask { stream, permit, socket: weak, control, outgoing };
        tokio::spawn(task.run(monitor));
        Ok(socket)
    }

    async fn put(&self, parts: [&[u8]; 2]) -> Result<()> {
        self.control.check_sending()?;
        self.outgoing.put(parts).await.map_err(|_| self.control.ended())
    }
}

#[remote]
impl Socket for Connection {
    async fn controlled_by(&self, controller: Ref<dyn SocketController>) -> Result<()> {
        controller.connected(this()).post()?;
        self.control.set_controller(controller)
    }

    async fn work_units(&self, units: WorkUnits) -> Result<()> {
        self.control.set_units(units.check()?)
    }

    async fn issue_credit(&self, units: u64) -> Result<()> {
        self.control.issue_credit(units)
    }

    async fn send(&self, bytes: &[u8]) -> Result<()> {
        self.put([bytes, b""]).await
    }

    async fn send_line(&self, line: &str) -> Result<()> {
        if line.contains('\n') {
            return Err(Error::Refused(
                "a line must not contain a line feed; use `send` for several lines".into(),
            ));
        }
        self.put([line.as_bytes(), b"\n"]).await
    }

    async fn send_prefixed(&self, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len());
        let length = length.map_err(|_| {
            Error::Refused("a byte string whose length does not fit into four bytes".into())
        })?;
        self.put([&length.to_be_bytes(), bytes]).await
    }

    async fn end(&self) -> Result<()> {
        self.control.end()?;
        self.control.until(|state| state.sending == Sending::Ended || state.closed.is_some()).await;
        let is_written = self.control.subscribe().borrow().sending == Sending::Ended;
        if is_written { Ok(()) } else { Err(self.control.ended()) }
    }

    async fn close(&self) -> Result<()> {
        self.control.close_and_wait().await
    }

    async fn address(&self) -> Result<String> {
        Ok(self.address.to_string())
    }

    async fn peer(&self) -> Result<String> {
        Ok(self.peer.to_string())
    }
}
