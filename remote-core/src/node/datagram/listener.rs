//! Owns what happens to datagrams that arrive: each is one message to a published object, whose method is begun in place
//! and gets a task only if it does not end at once.
//!
//! It must not answer anything, nor believe anything: who sends a datagram proves nothing. Whatever is wrong with one, it
//! is dropped.

use std::future::{Future, poll_fn, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::replay::Arrivals;
use crate::error::{Error, Result};
use crate::node::directory::Published;
use crate::node::runtime::lifo_slot::Way;
use crate::node::shared::Shared;
use crate::object::execution::contained;
use crate::object::message::{Asked, Payload, Reply, Request, Selector, Ticket};
use crate::object::peer::Peer;
use crate::session::Name;
use crate::transport::udp;
use crate::transport::uri::Uri;
use crate::wire::body::Body;
use crate::wire::datagram::Datagram;
use crate::wire::frame::Manner;

/// After a failure to receive, how long until the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// A place where datagrams arrive, until this is dropped.
pub(crate) struct Mailbox {
    /// Gone, it says that no more is taken.
    open: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Mailbox {
    /// Takes datagrams at a place; its address as others can use it.
    pub(crate) async fn open(
        uri: &Uri,
        shared: Arc<Shared>,
        published: Published,
    ) -> Result<(Mailbox, String)> {
        let (socket, address) = udp::listen(uri).await?;
        let (open, closing) = oneshot::channel();
        let (arrivals, running, way) = (Arrivals::default(), JoinSet::new(), Way::default());
        let clerk = Clerk { shared, published, arrivals, running, way };
        let task = tokio::spawn(clerk.take_all(socket, closing));
        Ok((Mailbox { open, task }, address))
    }

    /// Takes no more. What this gives ends when the methods that run have; aborted, it ends them.
    pub(crate) fn close(self) -> JoinHandle<()> {
        drop(self.open);
        self.task
    }
}

/// What is done with the datagrams of one mailbox.
struct Clerk {
    shared: Arc<Shared>,
    published: Published,
    arrivals: Arrivals,
    /// The methods that did not end at once.
    running: JoinSet<()>,
    way: Way,
}

impl Clerk {
    async fn take_all(mut self, socket: UdpSocket, mut closing: oneshot::Receiver<()>) {
        // A byte more than may be sent: what fills it is too long.
        let mut buffer = vec![0; self.shared.limits.datagram + 1];
        while let Some(arrived) = next(&socket, &mut closing, &mut buffer).await {
            let (length, from) = match arrived {
                Ok(arrived) => arrived,
                Err(error) => {
                    tracing::warn!(%error, "cannot receive datagrams");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            // Contained, as what is left of a message may panic when it is dropped; the next ones go on.
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
        if !self.arrivals.is_first(datagram.sender, datagram.number) {
            return Err(Error::Refused("it arrived before, or too late to tell".into()));
        }
        self.shared.admit(datagram.nesting)?;
        // Before it is begun: what is begun here has its effect, and could only be stopped half way.
        while self.running.try_join_next().is_some() {}
        if self.running.len() >= limits.datagram_calls {
            let limit = limits.datagram_calls;
            return Err(Error::Quota(format!("{limit} methods run (`Limits::datagram_calls`)")));
        }
        self.way.clear();
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
            selector: Selector::Heard(Arc::new(name)),
            payload: Payload::new(Body::from_slice(body), Vec::new(), bounds),
            manner: Manner::Tell,
            deadline: deadline.map(|left| Instant::now() + left),
            nesting,
            caller: Some(Peer::new(sender, String::new(), format!("udp://{from}"))),
            waker: None,
        };
        match receiver.ask(receiver, request) {
            Asked::Refused(error) => return Err(error),
            Asked::Running(mut running) => match running.poll_in_place() {
                Poll::Ready(Reply::Fault(error)) => return Err(error),
                Poll::Ready(Reply::Value(_) | Reply::Failure(_)) => {}
                Poll::Pending => {
                    // An answer that comes later is one that nobody waits for.
                    self.running.spawn(async { drop(running.finish_unless(|| ready(())).await) });
                    self.way.take(true);
                }
            },
            // It was published here and is elsewhere. Over a session it may have to wait for room.
            Asked::Sent(claim) => {
                if let Some(route) = receiver.route() {
                    let ticket = Ticket::new(Arc::clone(route), claim);
                    self.running.spawn(async { drop(ticket.reply().await) });
                    self.way.take(true);
                }
            }
        }
        Ok(())
    }
}

/// The next datagram, its length and whence it comes; nothing when no more is to be taken.
async fn next(
    socket: &UdpSocket,
    closing: &mut oneshot::Receiver<()>,
    buffer: &mut [u8],
) -> Option<io::Result<(usize, SocketAddr)>> {
    poll_fn(|context| {
        if Pin::new(&mut *closing).poll(context).is_ready() {
            return Poll::Ready(None);
        }
        let mut into = ReadBuf::new(buffer);
        let arrived = socket.poll_recv_from(context, &mut into);
        arrived.map(|from| Some(from.map(|from| (into.filled().len(), from))))
    })
    .await
}
