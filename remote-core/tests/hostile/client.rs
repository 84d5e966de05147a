//! Owns a client of a hostile server, which is a client of a good one as well and must not be harmed there.
//!
//! It must not know what the hostile server does.

use std::time::Duration;

use remote_core::{Error, Limits, Node, Ref, Result, Session};

use super::raw_server::RawServer;
use super::stage::{Good, LEASE, SHORT_LEASE, patient, serve, soon, until};
use super::target::{Butt, Target};

/// A client of a hostile server that is a client of a good one as well.
pub(crate) struct Client {
    pub(crate) node: Node,
    good: Good,
    _server: Node,
}

impl Client {
    pub(crate) async fn new() -> Client {
        Client::with(patient()).await
    }

    pub(crate) async fn with(limits: Limits) -> Client {
        Client::leasing(limits, LEASE).await
    }

    /// For a test that waits for the end of a lease.
    pub(crate) async fn brief(limits: Limits) -> Client {
        Client::leasing(limits, SHORT_LEASE).await
    }

    async fn leasing(limits: Limits, lease: Duration) -> Client {
        let server = serve(patient(), LEASE).await.expect("a node starts");
        server
            .publish("target", Ref::<dyn Target>::new(Butt::default()))
            .await
            .expect("the name is free");
        let node = Node::builder().limits(limits).lease(lease).start().await;
        let node = node.expect("a node starts");
        let good = Good::of(&node, &server.uri("target")).await;
        Client { node, good, _server: server }
    }

    /// Looks up what a hostile server shows; never longer than anything may take.
    pub(crate) async fn lookup(&self, server: &RawServer) -> Result<Ref<dyn Target>> {
        soon("the lookup", self.node.lookup(server.uri())).await
    }

    pub(crate) async fn goes_on(&self) {
        self.good.goes_on().await;
    }

    /// The session with a hostile server.
    pub(crate) fn hostile(&self) -> Session {
        let sessions = self.node.sessions();
        let hostile = sessions.into_iter().find(|session| session.peer().name() == "raw");
        hostile.expect("there is a session with a hostile server")
    }

    pub(crate) async fn is_alone_again(&self) {
        until("the hostile session ends", || self.node.sessions().len() == 1).await;
        self.goes_on().await;
    }
}

#[track_caller]
pub(crate) fn not_connected<V>(result: Result<V>) -> String {
    match result {
        Err(Error::NotConnected { reason, .. }) => reason,
        Err(other) => panic!("another error: {other:?}"),
        Ok(_) => panic!("it connected"),
    }
}

#[track_caller]
pub(crate) fn lost<V>(result: Result<V>) -> String {
    match result {
        Err(Error::SessionLost { reason, .. }) => reason,
        Err(other) => panic!("another error: {other:?}"),
        Ok(_) => panic!("it was answered"),
    }
}
