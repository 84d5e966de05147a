//! A client of a hostile server that is also a client of an honest one, and must not be harmed there.
//!
//! It must not know what the hostile server does.

use std::time::Duration;

use remote_core::{Error, Limits, Node, Ref, Result, Session};

use super::raw_server::RawServer;
use super::setup::{HonestClient, LEASE, SHORT_LEASE, patient, serve, soon, until};
use super::target::{Target, TargetObject};

/// A client of a hostile server and of an honest one.
pub(crate) struct Client {
    pub(crate) node: Node,
    honest: HonestClient,
    _server: Node,
}

impl Client {
    pub(crate) async fn new() -> Client {
        Client::with(patient()).await
    }

    pub(crate) async fn with(limits: Limits) -> Client {
        Client::leasing(limits, LEASE).await
    }

    /// Makes a client with a short lease, for a test that waits for its end.
    pub(crate) async fn brief(limits: Limits) -> Client {
        Client::leasing(limits, SHORT_LEASE).await
    }

    async fn leasing(limits: Limits, lease: Duration) -> Client {
        let server = serve(patient(), LEASE).await.expect("a node starts");
        server
            .publish("target", Ref::<dyn Target>::new(TargetObject::default()))
            .await
            .expect("the name is free");
        let node = Node::builder().limits(limits).lease(lease).start().await;
        let node = node.expect("a node starts");
        let honest = HonestClient::of(&node, &server.uri("target")).await;
        Client { node, honest, _server: server }
    }

    /// Looks up the object of a hostile server, within the time limit.
    pub(crate) async fn lookup(&self, server: &RawServer) -> Result<Ref<dyn Target>> {
        soon("the lookup", self.node.lookup(server.uri())).await
    }

    pub(crate) async fn assert_served(&self) {
        self.honest.assert_served().await;
    }

    /// Returns the session with the hostile server.
    pub(crate) fn hostile(&self) -> Session {
        let sessions = self.node.sessions();
        let hostile = sessions.into_iter().find(|session| session.peer().name() == "raw");
        hostile.expect("there is a session with a hostile server")
    }

    pub(crate) async fn is_alone_again(&self) {
        until("the hostile session ends", || self.node.sessions().len() == 1).await;
        self.assert_served().await;
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
