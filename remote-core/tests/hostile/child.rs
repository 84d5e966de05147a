//! Owns a node in a process of its own, so that its memory can be told from that of whoever attacks it.
//!
//! It must not know what the attack is.

use remote_core::{Limits, Ref};

use super::stage::{Good, LEASE, LIMIT, run, serve};
use super::support::child::{Allocated, Child, say};
use super::target::{Butt, Target};

/// The role of the process.
pub(crate) const SERVER: &str = "server";

/// A node in another process.
pub(crate) struct Served {
    child: Child,
    uri: String,
    good: Good,
}

impl Served {
    /// Starts the process, with a good client of its node in this one.
    pub(crate) async fn new() -> Served {
        let child = Child::start(SERVER, &[]);
        let uri = child.hear();
        let good = Good::at(&uri).await;
        good.goes_on().await;
        Served { child, uri, good }
    }

    /// Host and port of the node.
    pub(crate) fn address(&self) -> String {
        self.uri.trim_start_matches("tcp://").trim_end_matches("/target").to_owned()
    }

    /// Measures the memory of the process.
    pub(crate) fn allocated(&self) -> Allocated {
        self.child.allocated()
    }

    pub(crate) async fn goes_on(&self) {
        self.good.goes_on().await;
    }
}

/// Publishes the target, until the process is killed.
pub(crate) fn play() {
    run(async {
        let limits = Limits { silence: LIMIT, ..Limits::default() };
        let node = serve(limits, LEASE).await.expect("a node starts");
        node.publish("target", Ref::<dyn Target>::new(Butt::default()))
            .await
            .expect("the name is free");
        say(&node.uri("target"));
        node.closed().await;
    });
}
