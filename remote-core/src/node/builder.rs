//! The settings of a node before it starts.
//!
//! It must not start the node.

use std::sync::Arc;
use std::time::Duration;

use super::connect::registry::Sessions;
use super::core::Core;
use super::handoff::HandOff;
use super::shared::Shared;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::object::class::check_registrations;
use crate::socket::factory::Factory;
use crate::socket::policy::Policy;
use crate::wire::hello::{MAX_NODE_NAME, MIN_LEASE};

/// The lease term, unless set.
const LEASE: Duration = Duration::from_secs(30);
/// The longest lease term.
const LONGEST_LEASE: Duration = Duration::from_secs(7 * 24 * 3600);

/// A node that is not yet started; made by [`Node::builder`](crate::Node::builder).
///
/// ```
/// use std::time::Duration;
/// use remote_core::{Limits, Node};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
/// let node = Node::builder()
///     .name("printer")
///     .listen("memory://builder-doc")
///     .limits(Limits { window_calls: 100, ..Limits::default() })
///     .lease(Duration::from_secs(10))
///     .start()
///     .await?;
/// assert_eq!(node.uri("queue"), "memory://builder-doc/queue");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `start`"]
pub struct NodeBuilder {
    listen: Vec<String>,
    name: String,
    limits: Limits,
    lease: Duration,
    sockets: Policy,
}

impl Default for NodeBuilder {
    fn default() -> NodeBuilder {
        NodeBuilder {
            listen: Vec::new(),
            name: String::new(),
            limits: Limits::default(),
            lease: LEASE,
            sockets: Policy::none(),
        }
    }
}

impl NodeBuilder {
    /// Listens at an address, as `tcp://127.0.0.1:0`; may be said several times. At one as `udp://127.0.0.1:0` one-way
    /// messages to published objects are taken, see [`Node::lookup`](crate::Node::lookup).
    pub fn listen(mut self, uri: impl Into<String>) -> NodeBuilder {
        self.listen.push(uri.into());
        self
    }

    /// Sets what the node allows its peers.
    pub fn limits(mut self, limits: Limits) -> NodeBuilder {
        self.limits = limits;
        self
    }

    /// Sets the term of the lease: references expire if for this time nothing arrives from the other side; 30 s by
    /// default. Between two nodes the shorter of their terms applies, in both directions. It also limits the times of
    /// the keepalive: a ping is sent after a ninth of the term, and a silent connection is dropped after a third of it,
    /// unless [`Limits`] set shorter times.
    pub fn lease(mut self, lease: Duration) -> NodeBuilder {
        self.lease = lease;
        self
    }

    /// Names the node, for its peers' eyes; the name proves nothing.
    pub fn name(mut self, name: &str) -> NodeBuilder {
        self.name = name.to_owned();
        self
    }

    /// Lets others use sockets of this machine, as far as this goes, if they are given [`Node::sockets`](crate::Node::sockets).
    /// Unless it is said, nobody may.
    ///
    /// ```
    /// use remote_core::Node;
    /// use remote_core::socket::Policy;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let gateway = Node::builder()
    ///     .listen("tcp://127.0.0.1:0")
    ///     .sockets(Policy::loopback())
    ///     .start()
    ///     .await?;
    /// gateway.publish("sockets", gateway.sockets()).await?;
    /// # Ok(()) }
    /// ```
    pub fn sockets(mut self, policy: Policy) -> NodeBuilder {
        self.sockets = policy;
        self
    }

    /// Makes the node. Returns also the addresses at which it must then listen.
    pub(crate) fn make(self) -> Result<(Arc<Core>, Vec<String>)> {
        let NodeBuilder { listen, name, limits, lease, sockets } = self;
        limits.validate()?;
        check_registrations()?;
        if name.len() > MAX_NODE_NAME {
            return Err(Error::Refused(format!(
                "the name of a node has at most {MAX_NODE_NAME} bytes"
            )));
        }
        if !(MIN_LEASE..=LONGEST_LEASE).contains(&lease) {
            return Err(Error::Refused(format!(
                "a lease of {lease:?} cannot be kept; set one from {MIN_LEASE:?} to {LONGEST_LEASE:?}"
            )));
        }
        let sessions = Sessions::new(Arc::new(Shared::new(name, limits, lease)));
        let core = Core::new(sessions, Factory::new(sockets));
        HandOff::install(&core);
        Ok((core, listen))
    }
}
