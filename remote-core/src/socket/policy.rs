//! The policy of a node: which sockets of its machine other nodes may make.
//!
//! It must not know sockets.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::lookup_host;

use crate::error::{Error, Result};

/// The addresses at which other nodes may make sockets of this machine; by default none. Set by
/// [`NodeBuilder::sockets`](crate::NodeBuilder::sockets).
///
/// The policy applies to every node that has a reference to [`Node::sockets`](crate::Node::sockets), however it got it. Rules
/// get resolved addresses, and only those that they allow are used.
///
/// ```
/// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
/// # #[derive(Remote)] #[remote(SocketController)] struct Browser;
/// # #[remote] impl SocketController for Browser { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let web_only = Policy::none().connect(|address| address.port() == 443).at_most(16);
/// let node = Node::builder().sockets(web_only).start().await?;
/// let refused = node.sockets().connect("127.0.0.1:80", Ref::new(Browser)).await.unwrap_err();
/// assert!(matches!(refused.root(), Error::Refused(_)));
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a policy does nothing before a node has it"]
pub struct Policy {
    listen: Option<Rule>,
    connect: Option<Rule>,
    max_sockets: usize,
}

type Rule = Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>;

/// The use of an address.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Listen,
    Connect,
}

/// The default of [`Policy::at_most`]. Each socket may hold about 1 MiB.
const DEFAULT_MAX_SOCKETS: usize = 256;

impl Policy {
    /// Returns the policy that allows nothing, which is the default.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Hermit;
    /// # #[remote] impl SocketController for Hermit { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let node = Node::builder().sockets(Policy::none()).start().await?;
    /// let refused = node.sockets().connect("127.0.0.1:80", Ref::new(Hermit)).await.unwrap_err();
    /// assert!(matches!(refused.root(), Error::Refused(_)));
    /// # Ok(()) }
    /// ```
    pub fn none() -> Policy {
        Policy { listen: None, connect: None, max_sockets: DEFAULT_MAX_SOCKETS }
    }

    /// Returns the policy that allows listening and connecting within this machine.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(ServerController)] struct Homebody;
    /// # #[remote] impl ServerController for Homebody {
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// assert!(node.sockets().listen("127.0.0.1:0", Ref::new(Homebody)).await.is_ok());
    /// let refused = node.sockets().listen("0.0.0.0:0", Ref::new(Homebody)).await.unwrap_err();
    /// assert!(matches!(refused.root(), Error::Refused(_)));
    /// # Ok(()) }
    /// ```
    pub fn loopback() -> Policy {
        let within = |address: SocketAddr| address.ip().is_loopback();
        Policy::none().listen(within).connect(within)
    }

    /// Sets the rule for the addresses at which other nodes may listen. If the system is to choose the port, the rule gets port
    /// 0.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(ServerController)] struct Tenant;
    /// # #[remote] impl ServerController for Tenant {
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let policy = Policy::none().listen(|address| address.ip().is_loopback() && address.port() == 0);
    /// let node = Node::builder().sockets(policy).start().await?;
    /// assert!(node.sockets().listen("127.0.0.1:0", Ref::new(Tenant)).await.is_ok());
    /// let refused = node.sockets().listen("127.0.0.1:8080", Ref::new(Tenant)).await.unwrap_err();
    /// assert!(matches!(refused.root(), Error::Refused(_)));
    /// # Ok(()) }
    /// ```
    pub fn listen(mut self, rule: impl Fn(SocketAddr) -> bool + Send + Sync + 'static) -> Policy {
        self.listen = Some(Arc::new(rule));
        self
    }

    /// Sets the rule for the addresses to which other nodes may connect.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Guest;
    /// # #[remote] impl SocketController for Guest { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let policy = Policy::none().connect(|address| address.port() == 443);
    /// let node = Node::builder().sockets(policy).start().await?;
    /// let refused = node.sockets().connect("127.0.0.1:80", Ref::new(Guest)).await.unwrap_err();
    /// assert!(matches!(refused.root(), Error::Refused(_)));
    /// # Ok(()) }
    /// ```
    pub fn connect(mut self, rule: impl Fn(SocketAddr) -> bool + Send + Sync + 'static) -> Policy {
        self.connect = Some(Arc::new(rule));
        self
    }

    /// Sets the maximum number of sockets, listening and connected ones together; 256 unless set. Each may hold about 1 MiB. At
    /// the maximum, making a socket fails with [`Error::Quota`], and connections wait to be accepted.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(ServerController)] struct Single;
    /// # #[remote] impl ServerController for Single {
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let node = Node::builder().sockets(Policy::loopback().at_most(1)).start().await?;
    /// let server = node.sockets().listen("127.0.0.1:0", Ref::new(Single)).await?;
    /// let refused = node.sockets().listen("127.0.0.1:0", Ref::new(Single)).await.unwrap_err();
    /// assert!(matches!(refused.root(), Error::Quota(_)));
    /// # drop(server);
    /// # Ok(()) }
    /// ```
    pub fn at_most(mut self, sockets: usize) -> Policy {
        self.max_sockets = sockets;
        self
    }

    pub(super) fn max_sockets(&self) -> usize {
        self.max_sockets
    }

    /// Resolves an address and returns the results that are allowed. Fails if there is none.
    pub(super) async fn allowed(&self, text: &str, purpose: Purpose) -> Result<Vec<SocketAddr>> {
        let refused = || {
            Error::Refused(format!(
                "the socket policy of this node does not allow to {purpose} {text}; set it with `NodeBuilder::sockets`"
            ))
        };
        let rule = match purpose {
            Purpose::Listen => &self.listen,
            Purpose::Connect => &self.connect,
        };
        // Checked before the lookup: a node that allows nothing does not resolve names.
        let rule = rule.as_ref().ok_or_else(refused)?;
        let found = lookup_host(text).await.map_err(|error| Error::NotConnected {
            address: text.to_owned(),
            reason: error.to_string(),
        })?;
        let allowed: Vec<SocketAddr> = found.filter(|address| rule(*address)).collect();
        if allowed.is_empty() { Err(refused()) } else { Ok(allowed) }
    }
}

impl Default for Policy {
    fn default() -> Policy {
        Policy::none()
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("listens", &self.listen.is_some())
            .field("connects", &self.connect.is_some())
            .field("max_sockets", &self.max_sockets)
            .finish()
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Purpose::Listen => "listen at",
            Purpose::Connect => "connect to",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_no_rule_allows_is_refused() {
        let policy = Policy::none().listen(|address| address.port() == 80);
        let allowed = policy.allowed("127.0.0.1:80", Purpose::Listen).await;
        assert_eq!(allowed, Ok(vec!["127.0.0.1:80".parse().unwrap()]));
        for (text, purpose) in
            [("127.0.0.1:81", Purpose::Listen), ("127.0.0.1:80", Purpose::Connect)]
        {
            let refused = policy.allowed(text, purpose).await.unwrap_err();
            assert!(
                matches!(&refused, Error::Refused(reason) if reason.contains("`NodeBuilder::sockets`"))
            );
            assert!(refused.to_string().contains(&format!("{purpose} {text}")), "{refused}");
        }
    }

    #[tokio::test]
    async fn rules_get_resolved_addresses() {
        let policy = Policy::loopback();
        let allowed = policy.allowed("localhost:80", Purpose::Connect).await.unwrap();
        assert!(allowed.iter().all(|address| address.ip().is_loopback()), "{allowed:?}");
        let outside = policy.allowed("0.0.0.0:0", Purpose::Listen).await;
        assert!(matches!(outside, Err(Error::Refused(_))), "{outside:?}");
        let nonsense = policy.allowed("nowhere", Purpose::Listen).await;
        assert!(matches!(nonsense, Err(Error::NotConnected { .. })), "{nonsense:?}");
    }
}
