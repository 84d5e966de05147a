//! Owns what all clients have in common: where the server is, the node that they use it through, and what their users are
//! told of the connection. Knows nothing of what they do there.

use remote_core::{Node, Ref, State};

use crate::address;
use crate::failure::Failure;
use crate::lease::Lease;

/// What every client is asked for.
#[derive(clap::Args)]
pub(crate) struct Client {
    /// Where the server is
    #[arg(long, value_name = "URI", default_value = address::DEFAULT)]
    to: String,

    #[command(flatten)]
    lease: Lease,
}

impl Client {
    /// A node with this name. Whoever is done with it shuts it down: else the server waits for the end of the lease.
    pub(crate) async fn node(&self, name: &str) -> Result<Node, Failure> {
        Ok(Node::builder().name(name).lease(self.lease.term).start().await?)
    }

    /// The address of what is meant, if the user does not name another.
    pub(crate) fn uri(&self, name: &str) -> String {
        address::named(&self.to, name)
    }

    /// Looks up what is meant; from then on `tell` is told when the connection is lost, and when it is back.
    pub(crate) async fn lookup<T: ?Sized + remote_core::Interface>(
        &self,
        node: &Node,
        name: &str,
        tell: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Ref<T>, Failure> {
        let found = node.lookup(self.uri(name)).await?;
        tokio::spawn(tell_of_connection(node.clone(), tell));
        Ok(found)
    }
}

/// Tells of each loss once, and of each return; not of the end, which has reasons that others know.
async fn tell_of_connection(node: Node, tell: impl Fn(&str)) {
    // A client listens nowhere: it has one session, or none any more.
    let Some(session) = node.sessions().pop() else { return };
    let mut state = session.watch();
    loop {
        let lost = state.wait_for(|state| *state != State::Connected).await;
        if !lost.is_ok_and(|state| *state == State::Suspended) {
            return;
        }
        tell("connection lost; trying again ...");
        let back = state.wait_for(|state| *state != State::Suspended).await;
        if !back.is_ok_and(|state| *state == State::Connected) {
            return;
        }
        tell("connected again");
    }
}
