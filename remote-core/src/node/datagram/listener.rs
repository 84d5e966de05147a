//! Receiving datagrams: each is one message to a published object. Its method is polled once in place, and gets a task only if
//! it is then pending.
//!
//! It must not reply, and must not trust its input: the sender of a datagram is not authenticated. An invalid datagram is
//! dropped.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Instant;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::replay::ReplayWindow;
use crate::error::{Error, Result};
use crate::node::directory::Published;
use crate::node::runtime::lifo_slot::LifoSlot;
use crate::node::shared::Shared;
use crate::object::execution::contained;
use crate::object::message::{Asked, Payload, Reply, Request, Ticket};
use crate::object::peer::Peer;
use crate::session::Name;
use crate::session::chain::Chain;
use crate::session::header::{CallHeader, Selector};
use crate::transport::accept::accept;
use crate::transport::udp;
use crate::transport::uri::Uri;
use crate::wire::body::Body;
use crate::wire::datagram::Datagram;
use crate::wire::frame::Manner;

/// A socket that receives datagrams until this is dropped.
pub(crate) struct DatagramListener {
    /// Dropping it stops the receiving task.
    open: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl DatagramListener {
    /// Binds the socket. Also returns its address for other nodes.
    pub(crate) async fn open(
        uri: &Uri,
        shared: Arc<Shared>,
        published: Published,
    ) -> Result<(DatagramListener, String)> {
        let (socket, address) = udp::listen(uri).await?;
        let (open, closing) = oneshot::channel();
        let (replay, running, lifo_slot) =
            (ReplayWindow::default(), JoinSet::new(), LifoSlot::default());
        let receiving = ReceiveLoop { shared, published, replay, running, lifo_slot };
        let task = tokio::spawn(receiving.run(socket, closing));
        Ok((DatagramListener { open, task }, address))
    }

    /// Stops receiving. The returned task ends when the running methods have ended; aborting it drops them.
    pub(crate) fn close(self) -> JoinHandle<()> {
        drop(self.open);
        self.task
    }
}

/// The state of the receiving task.
struct ReceiveLoop {
    shared: Arc<Shared>,
    published: Published,
    replay: ReplayWindow,
    /// The running methods that have a task.
    running: JoinSet<()>,
    lifo_slot: LifoSlot,
}

impl ReceiveLoop {
    async fn run(mut self, socket: UdpSocket, mut closing: oneshot::Receiver<()>) {
        // One byte more than the limit: a datagram that fills the buffer is too long.
        let mut buffer = vec![0; self.shared.limits.datagram + 1];
        loop {
            let receive = accept(|context| {
                let mut into = ReadBuf::new(&mut buffer);
                let from = task::ready!(socket.poll_recv_from(context, &mut into))?;
                Poll::Ready(Ok((into.filled().len(), from)))
            });
            let (length, from) = tokio::select! {
                biased;
                _ = &mut closing => break,
                received = receive => received,
            };
            // Panics are caught: dropping a message may run user code.
            contained(|| {
                if let Err(error) = self.take(&buffer[..length], from) {
                    tracing::debug!(%from, %error, "a datagram was dropped");
                }
            });
        }
        drop(socket);
        while self.running.join_next().await.is_some() {}
    }

    fn take(&mut self, bytes: &[u8], from: SocketAddr) -> Result<()> {
        let limits = &self.shared.limits;
        if bytes.len() > limits.datagram {
            let (size, limit) = (bytes.len() as u64, limits.datagram as u64);
            return Err(Error::TooLarge { size, limit });
        }
        let datagram =
            Datagram::read(bytes).map_err(|breach| Error::Protocol(breach.to_string()))?;
        if !self.replay.is_first(datagram.sender, datagram.number) {
            return Err(Error::Refused("it arrived before, or too late to tell".into()));
        }
        self.shared.admit(datagram.nesting)?;
        // Checked before the method starts, because the method may have effects.
        while self.running.try_join_next().is_some() {}
        if self.running.len() >= limits.datagram_calls {
            let limit = limits.datagram_calls;
            return Err(Error::Quota(format!("{limit} methods run (`Limits::datagram_calls`)")));
        }
        self.lifo_slot.clear();
        self.begin(datagram, from)
    }

    fn begin(&mut self, datagram: Datagram<'_>, from: SocketAddr) -> Result<()> {
        let Datagram { sender, name, fingerprint, selector, nesting, deadline, body, .. } =
            datagram;
        let object = self.published.find(name)?;
        let receiver = object.receiver();
        let name = Name { fingerprint, text: selector.into() };
        let bounds = self.shared.limits.bounds();
        let request = Request {
            header: CallHeader {
                selector: Selector::Announced(Arc::new(name)),
                manner: Manner::OneWay,
                nesting,
                deadline: deadline.and_then(|left| Instant::now().checked_add(left)),
                chain: Chain::default(),
                is_continuation: false,
            },
            payload: Payload::new(Body::from_slice(body), Vec::new(), bounds),
            caller: Some(Peer::new(sender, String::new(), format!("udp://{from}"))),
            waker: None,
        };
        match receiver.ask(receiver, request) {
            Asked::Refused(error) => return Err(error),
            Asked::Running(mut running) => match running.poll_in_place() {
                Poll::Ready(Reply::Fault(error)) => return Err(error),
                Poll::Ready(Reply::Value(_) | Reply::Failure(_)) => {}
                Poll::Pending => {
                    // A deferred reply has no receiver.
                    self.running.spawn(async { drop(running.finish_unless(|| ready(())).await) });
                    self.lifo_slot.note(true);
                }
            },
            // The published object is far: sending may have to wait for the window of its session.
            Asked::Sent(claim) => {
                if let Some(route) = receiver.route() {
                    let ticket = Ticket::new(Arc::clone(route), claim);
                    self.running.spawn(async { drop(ticket.reply().await) });
                    self.lifo_slot.note(true);
                }
            }
        }
        Ok(())
    }
}
