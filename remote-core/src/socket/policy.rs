//! Owns what a node allows others to do with sockets of its machine.
//!
//! It must not know sockets.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::lookup_host;

use crate::error::{Error, Result};

/// What others may do with sockets of this machine: nothing, unless it is allowed. Set by
/// [`NodeBuilder::sockets`](crate::NodeBuilder::sockets).
///
/// Whatever is allowed is allowed to everybody who is given [`Node::sockets`](crate::Node::sockets), and to whoever they
/// pass it on to. A rule sees the address itself, after names were looked up, and that is the address which is used.
///
/// ```
/// use remote_core::socket::Policy;
///
/// let web_only = Policy::none()
///     .connect(|address| address.port() == 443 && !address.ip().is_loopback())
///     .at_most(16);
/// # drop(web_only);
/// ```
#[derive(Clone)]
#[must_use = "a policy does nothing before a node has it"]
pub struct Policy {
    listen: Option<Rule>,
    connect: Option<Rule>,
    most: usize,
}

type Rule = Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>;

/// What is to be done at an address.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Listen,
    Connect,
}

/// How many sockets there may be, unless set. Each may hold about 1 MiB.
const MOST: usize = 256;

impl Policy {
    /// Nothing is allowed: what a node has that is not given another.
    pub fn none() -> Policy {
        Policy { listen: None, connect: None, most: MOST }
    }

    /// Listening and connecting within this machine.
    pub fn loopback() -> Policy {
        let within = |address: SocketAddr| address.ip().is_loopback();
        Policy::none().listen(within).connect(within)
    }

    /// At which addresses others may listen. A port that the system is to choose is 0 here.
    pub fn listen(mut self, rule: impl Fn(SocketAddr) -> bool + Send + Sync + 'static) -> Policy {
        self.listen = Some(Arc::new(rule));
        self
    }

    /// To which addresses others may connect.
    pub fn connect(mut self, rule: impl Fn(SocketAddr) -> bool + Send + Sync + 'static) -> Policy {
        self.connect = Some(Arc::new(rule));
        self
    }

    /// How many sockets there may be at a time, of either kind; 256 unless set. Past it no more are made, and connections
    /// wait to be accepted.
    pub fn at_most(mut self, sockets: usize) -> Policy {
        self.most = sockets;
        self
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Those of the addresses that a text stands for at which it is allowed; at least one.
    pub(super) async fn allowed(&self, text: &str, purpose: Purpose) -> Result<Vec<SocketAddr>> {
        let refused = || {
            Error::Refused(format!(
                "this node lets nobody {purpose} {text} by its sockets; allow it with `NodeBuilder::sockets`"
            ))
        };
        let rule = match purpose {
            Purpose::Listen => &self.listen,
            Purpose::Connect => &self.connect,
        };
        // Before anything is looked up: where nothing is allowed, not even a name is asked for.
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
            .field("most", &self.most)
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
    async fn what_no_rule_allows_is_refused() {
        let policy = Policy::none().listen(|address| address.port() == 80);
        let allowed = policy.allowed("127.0.0.1:80", Purpose::Listen).await;
        assert_eq!(allowed, Ok(vec!["127.0.0.1:80".parse().unwrap()]));
        for (text, purpose) in
            [("127.0.0.1:81", Purpose::Listen), ("127.0.0.1:80", Purpose::Connect)]
        {
            let refused = policy.allowed(text, purpose).await.unwrap_err();
            assert!(
                matches!(&refused, Error::Refused(said) if said.contains("`NodeBuilder::sockets`"))
            );
            assert!(refused.to_string().contains(&format!("{purpose} {text}")), "{refused}");
        }
    }

    #[tokio::test]
    async fn of_a_name_the_addresses_count() {
        let policy = Policy::loopback();
        let allowed = policy.allowed("localhost:80", Purpose::Connect).await.unwrap();
        assert!(allowed.iter().all(|address| address.ip().is_loopback()), "{allowed:?}");
        let outside = policy.allowed("0.0.0.0:0", Purpose::Listen).await;
        assert!(matches!(outside, Err(Error::Refused(_))), "{outside:?}");
        let nonsense = policy.allowed("nowhere", Purpose::Listen).await;
        assert!(matches!(nonsense, Err(Error::NotConnected { .. })), "{nonsense:?}");
    }
}
