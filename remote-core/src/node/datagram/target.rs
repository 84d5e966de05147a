//! Sending datagrams: the receiver behind a `udp://` reference, which consists of an address and a name. Each message is one
//! datagram, or is refused before it is sent.
//!
//! It must not wait for the other side, nor know the fate of a datagram.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::node::shared::Shared;
use crate::object::message::{
    Asked, Ended, Location, Payload, Receiver, Reply, Request, Resolving, Running, Watcher,
};
use crate::session::header::CallHeader;
use crate::transport::connection::not_connected;
use crate::transport::udp::{Outlet, Outlets};
use crate::transport::uri::Uri;
use crate::wire::datagram::Datagram;
use crate::wire::frame::Manner;

/// Sends the datagrams of a node. Numbers them consecutively over all destinations, for the anti-replay window of the
/// receivers.
pub(crate) struct DatagramSender {
    shared: Arc<Shared>,
    outlets: Outlets,
    sent: AtomicU64,
}

impl DatagramSender {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<DatagramSender> {
        Arc::new(DatagramSender { shared, outlets: Outlets::default(), sent: AtomicU64::new(0) })
    }

    /// Returns a receiver for the object at an address. Sends nothing, and does not check if a node listens there.
    pub(crate) async fn target(self: &Arc<DatagramSender>, uri: Uri) -> Result<Arc<dyn Receiver>> {
        let outlet = self.outlets.towards(&uri).await?;
        Ok(Arc::new(DatagramTarget {
            datagrams: Arc::clone(self),
            outlet,
            uri,
            id: ObjectId::fresh(),
        }))
    }
}

struct DatagramTarget {
    datagrams: Arc<DatagramSender>,
    outlet: Outlet,
    uri: Uri,
    /// The number under which this node exports the receiver to peers, for which it forwards.
    id: ObjectId,
}

impl DatagramTarget {
    fn send(&self, request: &Request) -> Result<()> {
        let Request { header, payload, .. } = request;
        let CallHeader { selector, manner, nesting, deadline, .. } = header;
        let Payload { body, references, .. } = payload;
        let DatagramSender { shared, sent, .. } = &*self.datagrams;
        let refuse = |what: &str| {
            let selector = selector.text();
            Err(Error::Refused(format!("`{selector}` {what}, or look the object up over tcp://")))
        };
        if *manner != Manner::OneWay {
            return refuse("wants a reply, and udp:// carries none: send it with `.oneway()`");
        }
        if !references.is_empty() {
            return refuse(
                "passes a reference or a stream, and udp:// carries none: pass values alone",
            );
        }
        shared.check_open()?;
        let datagram = Datagram {
            sender: shared.id,
            number: sent.fetch_add(1, Ordering::Relaxed) + 1,
            name: &self.uri.name,
            fingerprint: selector.fingerprint(),
            selector: selector.text(),
            nesting: shared.limits.nest(*nesting)?,
            deadline: deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
            body,
        };
        let (bytes, limit) = (datagram.write(), shared.limits.datagram);
        if bytes.len() > limit {
            let head = bytes.len() - body.len();
            let (size, limit) = (body.len() as u64, limit.saturating_sub(head) as u64);
            return Err(Error::TooLarge { size, limit });
        }
        self.outlet.send(&bytes).map_err(|error| not_connected(&self.uri, &error))
    }
}

impl Receiver for DatagramTarget {
    fn ask(&self, _: &Arc<dyn Receiver>, request: Request) -> Asked {
        match self.send(&request) {
            Ok(()) => Asked::Running(Running::ready(Reply::Value(Payload::default()))),
            Err(error) => Asked::Refused(error),
        }
    }

    fn location(&self) -> Location {
        Location::Addressed { object: self.id }
    }

    fn export_id(&self) -> ObjectId {
        self.id
    }

    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync> {
        watcher(Ended::SessionEnded("there is none over udp://; look it up over tcp://".into()));
        Box::new(())
    }

    fn resolved(self: Arc<Self>) -> Resolving {
        Box::pin(async move { Ok(self as Arc<dyn Receiver>) })
    }
}
