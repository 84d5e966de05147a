//! The part that all clients have in common: the address of the server, the client's node, and the notes about its
//! connection. It must not know what the clients do.

use remote_core::{Node, Ref, SessionState};

use crate::address;
use crate::failure::Failure;
use crate::lease::Lease;

/// The options of every client.
#[derive(clap::Args)]
pub(crate) struct Client {
    /// The address of the server
    #[arg(long, value_name = "URI", default_value = address::DEFAULT)]
    to: String,

    #[command(flatten)]
    lease: Lease,
}

impl Client {
    /// Starts a node with this name. The caller must shut it down: otherwise the server waits until the lease expires.
    pub(crate) async fn node(&self, name: &str) -> Result<Node, Failure> {
        Ok(Node::builder().name(name).lease(self.lease.term).start().await?)
    }

    /// Returns the address with the default name, if it has no name.
    pub(crate) fn uri(&self, name: &str) -> String {
        address::named(&self.to, name)
    }

    /// Looks up an object; from then on `note` is called when the connection is lost and when it is restored.
    pub(crate) async fn lookup<T: ?Sized + remote_core::Interface>(
        &self,
        node: &Node,
        name: &str,
        note: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Ref<T>, Failure> {
        let found = node.lookup(self.uri(name)).await?;
        tokio::spawn(note_connection(node.clone(), note));
        Ok(found)
    }
}

/// Notes each loss of the connection and each reconnection. The end of the session is reported elsewhere, with its
/// reason.
async fn note_connection(node: Node, note: impl Fn(&str)) {
    // A client does not listen: it has one session, or none if it has ended.
    let Some(session) = node.sessions().pop() else { return };
    let mut state = session.watch();
    loop {
        let lost = state.wait_for(|state| *state != SessionState::Connected).await;
        if !lost.is_ok_and(|state| *state == SessionState::Suspended) {
            return;
        }
        note("connection lost; trying again ...");
        let back = state.wait_for(|state| *state != SessionState::Suspended).await;
        if !back.is_ok_and(|state| *state == SessionState::Connected) {
            return;
        }
        note("connected again");
    }
}
