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

/// The default term of a lease.
const LEASE: Duration = Duration::from_secs(30);
/// The maximum term of a lease.
const LONGEST_LEASE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The settings of a node before it starts; made by [`Node::builder`](crate::Node::builder).
///
/// Each method sets one of them and returns the builder. [`NodeBuilder::start`] checks them and starts the node.
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
    /// Adds an address at which the node listens, such as `tcp://127.0.0.1:0`. Can be used several times.
    ///
    /// With port 0 the system chooses a free port. At an address such as `udp://127.0.0.1:0`, the node receives one-way
    /// messages to published objects; see [`Node::lookup`](crate::Node::lookup). The chapter
    /// [transports](crate::guide::transports) lists the schemes. [`NodeBuilder::start`] checks the address.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let node = Node::builder().listen("tcp://127.0.0.1:0").listen("udp://127.0.0.1:0").start().await?;
    /// let uris = node.uris("printer");
    /// assert!(uris[0].starts_with("tcp://127.0.0.1:") && uris[1].starts_with("udp://127.0.0.1:"));
    /// # Ok(()) }
    /// ```
    pub fn listen(mut self, uri: impl Into<String>) -> NodeBuilder {
        self.listen.push(uri.into());
        self
    }

    /// Sets the limits of the node, for its peers and for itself; [`Limits::default`] unless set. [`NodeBuilder::start`]
    /// refuses limits that contradict each other.
    ///
    /// ```
    /// # use remote_core::{Error, Limits, Node};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let limits = Limits { body: 1 << 20, window_calls: 100, ..Limits::default() };
    /// let node = Node::builder().limits(limits.clone()).start().await?;
    /// # drop(node);
    /// let limits = Limits { queue: 1 << 10, ..limits }; // a body does not fit into the queue
    /// assert!(matches!(Node::builder().limits(limits).start().await, Err(Error::Refused(_))));
    /// # Ok(()) }
    /// ```
    pub fn limits(mut self, limits: Limits) -> NodeBuilder {
        self.limits = limits;
        self
    }

    /// Sets the term of the lease: references expire if nothing arrives from the other side for this time. 30 s unless set;
    /// [`NodeBuilder::start`] refuses terms under 100 ms and over 7 days.
    ///
    /// Between two nodes the shorter of their terms applies, in both directions. The term also limits the times of the
    /// keepalive: a ping is sent after a ninth of the term, and a silent connection is dropped after a third of it, unless
    /// [`Limits`] set shorter times. See the chapter [leases](crate::guide::leases).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let _server = Node::builder().listen("memory://lease-doc").start().await?; // 30 s
    /// let client = Node::builder().lease(Duration::from_secs(10)).start().await?;
    /// client.names("memory://lease-doc").await?;
    /// assert!(client.sessions()[0].stats().lease_left <= Duration::from_secs(10));
    /// # Ok(()) }
    /// ```
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

    /// Sets the name of the node, which its peers read as [`Peer::name`](crate::Peer::name). Empty unless set. It is not
    /// authenticated. [`NodeBuilder::start`] refuses names of more than 128 bytes.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let _server = Node::builder().name("printer").listen("memory://name-doc").start().await?;
    /// let client = Node::new();
    /// client.names("memory://name-doc").await?;
    /// assert_eq!(client.sessions()[0].peer().name(), "printer");
    /// # Ok(()) }
    /// ```
    pub fn name(mut self, name: &str) -> NodeBuilder {
        self.name = name.to_owned();
        self
    }

    /// Sets the policy by which other nodes may use TCP sockets of this machine, through the object
    /// [`Node::sockets`](crate::Node::sockets). Unless set, nothing is allowed.
    ///
    /// ```
    /// use remote_core::socket::{Policy, Sockets};
    /// use remote_core::{Node, Ref};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let gateway = Node::builder()
    ///     .listen("tcp://127.0.0.1:0")
    ///     .sockets(Policy::loopback())
    ///     .start()
    ///     .await?;
    /// gateway.publish("sockets", gateway.sockets()).await?;
    /// let sockets: Ref<dyn Sockets> = Node::new().lookup(gateway.uri("sockets")).await?;
    /// assert!(!Ref::is_near(&sockets)); // they are sockets of the gateway's machine
    /// # Ok(()) }
    /// ```
    pub fn sockets(mut self, policy: Policy) -> NodeBuilder {
        self.sockets = policy;
        self
    }

    /// Makes the node. Also returns the addresses at which it is to listen.
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
                "with `NodeBuilder::call_timeout` of zero no call succeeds; set a longer one, or none".into(),
            ));
        }
        let shared = Shared::new(name, limits, lease, call_timeout);
        let sessions = Sessions::new(Arc::new(shared));
        let core = Core::new(sessions, Factory::new(sockets));
        HandOff::install(&core);
        Ok((core, listen))
    }
}
