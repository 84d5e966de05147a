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
    call_timeout: Option<Duration>,
    sockets: Policy,
}

impl Default for NodeBuilder {
    fn default() -> NodeBuilder {
        NodeBuilder {
            listen: Vec::new(),
            name: String::new(),
            limits: Limits::default(),
            lease: LEASE,
            call_timeout: None,
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

    /// Sets a deadline for each call to a far object that is awaited, has no [`timeout`](crate::Call::timeout), and is not
    /// made by a method that has a deadline; lookups included. Without it, such a call waits until the session ends.
    /// Calls to near objects, one-way messages, and pipelined calls whose result is not awaited have no such deadline.
    /// [`NodeBuilder::start`] refuses a limit of zero.
    ///
    /// ```
    /// use std::time::Duration;
    /// use remote_core::{Error, Node, Ref, Remote, Result, remote};
    ///
    /// #[remote]
    /// trait Sleeper {
    ///     async fn sleep(&self) -> Result<()>;
    /// }
    ///
    /// #[derive(Remote)]
    /// #[remote(Sleeper)]
    /// struct Forever;
    ///
    /// #[remote]
    /// impl Sleeper for Forever {
    ///     async fn sleep(&self) -> Result<()> {
    ///         std::future::pending().await
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let server = Node::listen("memory://call-timeout-doc").await?;
    /// server.publish("sleeper", Ref::<dyn Sleeper>::new(Forever)).await?;
    /// let client = Node::builder().call_timeout(Duration::from_millis(50)).start().await?;
    /// let sleeper: Ref<dyn Sleeper> = client.lookup(server.uri("sleeper")).await?;
    /// assert_eq!(sleeper.sleep().await, Err(Error::Timeout));
    /// # Ok(()) }
    /// ```
    pub fn call_timeout(mut self, limit: Duration) -> NodeBuilder {
        self.call_timeout = Some(limit);
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
        let NodeBuilder { listen, name, limits, lease, call_timeout, sockets } = self;
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
        if call_timeout == Some(Duration::ZERO) {
            return Err(Error::Refused(
                "a default deadline of zero lets no call succeed; set a longer one, or none".into(),
            ));
        }
        let shared = Shared::new(name, limits, lease, call_timeout);
        let sessions = Sessions::new(Arc::new(shared));
        let core = Core::new(sessions, Factory::new(sockets));
        HandOff::install(&core);
        Ok((core, listen))
    }
}
