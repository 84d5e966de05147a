//! Resumption by a hostile peer: it moves its session from one connection to another, in good order or not.
//!
//! It must not know the library, whose implementation of the protocol is under test.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::TcpStream;

use super::hello::{Claim, Hello, ResumeState, SECRET, Verdict};
use super::peer::{Peer, drained, stranger};

impl Peer {
    /// Begins a session with the node at an address, whichever of the two is the decider.
    pub(crate) async fn begun(address: &str, hello: &Hello) -> Peer {
        let mut peer = Peer::on(stranger(address).await, hello);
        peer.introduce().await;
        peer.begin().await;
        peer
    }

    /// Begins a session on a connection on which both sides have introduced themselves.
    pub(crate) async fn begin(&mut self) {
        self.send_raw(&ResumeState::nothing().write()).await;
        if self.decides() {
            self.send_raw(&Verdict::Accept(SECRET).write()).await;
        } else {
            let verdict = self.verdict().await;
            assert!(matches!(verdict, Verdict::Accept(_)), "{verdict:?}");
        }
    }

    /// Returns the same peer on another connection, with the same state.
    pub(crate) fn copy(&self, stream: TcpStream) -> Peer {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        Peer {
            stream,
            hello: Hello { nonce, ..self.hello.clone() },
            other: self.other.clone(),
            names: self.names.clone(),
            partial: HashMap::new(),
            closed: None,
            untaken: Vec::new(),
            ..*self
        }
    }

    /// Forgets the session, so that another begins.
    pub(crate) fn forget(&mut self) {
        (self.number, self.received, self.acknowledged, self.connection) = (0, 0, Some(0), 1);
        self.names.clear();
    }

    /// Introduces itself to a node that listens. Returns the node's resume state.
    pub(crate) async fn introduce(&mut self) -> ResumeState {
        self.send_raw(&self.hello.write()).await;
        self.read_hello().await;
        self.read_resume_state().await.expect("a node says how it stands")
    }

    /// Introduces itself to a node that dialled. Returns the node's resume state, if it sends one.
    pub(crate) async fn welcome(&mut self) -> Option<ResumeState> {
        self.read_hello().await;
        self.send_raw(&self.hello.write()).await;
        self.read_resume_state().await
    }

    /// Returns true if this side is the decider.
    pub(crate) fn decides(&self) -> bool {
        self.hello.node > self.other.node
    }

    /// Returns the claim that the session is live, and its connection is lost.
    pub(crate) fn claim(&self) -> Claim {
        Claim::Live { received: self.received, lost: true }
    }

    /// Returns the resume state with a claim, proved on this connection.
    pub(crate) fn prove(&self, claim: Claim) -> ResumeState {
        ResumeState::proved(claim, &self.secret, &self.hello, &self.other)
    }

    /// Returns true if the other side has proved its resume state on this connection.
    pub(crate) fn believes(&self, state: &ResumeState) -> bool {
        *state == ResumeState::proved(state.claim, &self.secret, &self.other, &self.hello)
    }

    /// Closes the connection, and loses what is in transit there. When this returns, the node has noticed.
    pub(crate) async fn lose(&mut self) {
        self.shut_down_writing().await;
        drained(&mut self.stream).await;
    }

    /// Resumes its session on another connection, in good order.
    pub(crate) async fn resume(&mut self, address: &str) {
        self.resume_with(address, self.claim()).await;
    }

    /// Resumes its session on another connection, with this claim.
    pub(crate) async fn resume_with(&mut self, address: &str, claim: Claim) {
        let mut next = self.copy(stranger(address).await);
        let state = next.introduce().await;
        assert!(next.believes(&state), "{state:?}");
        next.resume_on(claim).await;
        *self = next;
    }

    /// Resumes its session on a connection on which both sides have introduced themselves.
    pub(crate) async fn resume_on(&mut self, claim: Claim) {
        self.send_raw(&self.prove(claim).write()).await;
        if self.decides() {
            self.connection += 1;
            self.send_raw(&Verdict::Resume(self.connection).write()).await;
        } else {
            let former = self.connection;
            let verdict = self.verdict().await;
            assert!(matches!(verdict, Verdict::Resume(_)), "{verdict:?}");
            assert!(self.connection > former, "{verdict:?} after {former}");
        }
    }
}
