//! A node in a process of its own, so that its memory is measured without that of the attacker.
//!
//! It must not know the attacks.

use remote_core::{Limits, Ref};

use super::setup::{HonestClient, LEASE, LIMIT, run, serve};
use super::support::child::{Allocated, Child, report};
use super::target::{Target, TargetObject};

/// The role of the process.
pub(crate) const SERVER: &str = "server";

/// A node in another process.
pub(crate) struct Served {
    child: Child,
    uri: String,
    honest: HonestClient,
}

impl Served {
    /// Starts the process, with an honest client of its node in this one.
    pub(crate) async fn new() -> Served {
        let child = Child::start(SERVER, &[]);
        let uri = child.receive();
        let honest = HonestClient::at(&uri).await;
        honest.assert_served().await;
        Served { child, uri, honest }
    }

    /// Returns host and port of the node.
    pub(crate) fn address(&self) -> String {
        self.uri.trim_start_matches("tcp://").trim_end_matches("/target").to_owned()
    }

    /// Measures the memory of the process.
    pub(crate) fn allocated(&self) -> Allocated {
        self.child.allocated()
    }

    pub(crate) async fn assert_served(&self) {
        self.honest.assert_served().await;
    }
}

/// Publishes the target, until the process is killed.
pub(crate) fn serve_target() {
    run(async {
        let limits = Limits { silence: LIMIT, ..Limits::default() };
        let node = serve(limits, LEASE).await.expect("a node starts");
        node.publish("target", Ref::<dyn Target>::new(TargetObject::default()))
            .await
            .expect("the name is free");
        report(&node.uri("target"));
        node.closed().await;
    });
}
