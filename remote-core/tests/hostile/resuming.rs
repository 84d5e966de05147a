//! Owns how a hostile peer takes its session from one connection to another, in order or not.
//!
//! It must not know the library, whose idea of the protocol is what is tested.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::TcpStream;

use super::hello::{Claim, Hello, SECRET, Standing, Verdict};
use super::peer::{Peer, drained, stranger};

impl Peer {
    /// A session with the node at an address, begun by whoever of the two decides.
    pub(crate) async fn begun(address: &str, hello: &Hello) -> Peer {
        let mut peer = Peer::on(stranger(address).await, hello);
        peer.introduce().await;
        peer.begin().await;
        peer
    }

    /// Begins a session on a connection on which both sides have introduced themselves.
    pub(crate) async fn begin(&mut self) {
        self.send_raw(&Standing::nothing().write()).await;
        if self.decides() {
            self.send_raw(&Verdict::Accept(SECRET).write()).await;
        } else {
            let verdict = self.verdict().await;
            assert!(matches!(verdict, Verdict::Accept(_)), "{verdict:?}");
        }
    }

    /// The same peer on another connection, of which the one that it has knows nothing.
    pub(crate) fn twin(&self, stream: TcpStream) -> Peer {
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

    /// Knows nothing of the session that it had: another begins.
    pub(crate) fn forget(&mut self) {
        (self.number, self.received, self.acknowledged, self.connection) = (0, 0, Some(0), 1);
        self.names.clear();
    }

    /// Introduces itself to a node that listens; how that stands with it.
    pub(crate) async fn introduce(&mut self) -> Standing {
        self.send_raw(&self.hello.write()).await;
        self.hear_hello().await;
        self.hear_standing().await.expect("a node says how it stands")
    }

    /// Introduces itself to a node that dialled; how that stands with it, if it goes on.
    pub(crate) async fn welcome(&mut self) -> Option<Standing> {
        self.hear_hello().await;
        self.send_raw(&self.hello.write()).await;
        self.hear_standing().await
    }

    /// Whether it is for this side to decide.
    pub(crate) fn decides(&self) -> bool {
        self.hello.node > self.other.node
    }

    /// That the session goes on, and its connection is lost.
    pub(crate) fn claim(&self) -> Claim {
        Claim::Live { received: self.received, lost: true }
    }

    /// A claim, proved on this connection.
    pub(crate) fn prove(&self, claim: Claim) -> Standing {
        Standing::proved(claim, &self.secret, &self.hello, &self.other)
    }

    /// Whether the other side has proved what it said on this connection.
    pub(crate) fn believes(&self, standing: &Standing) -> bool {
        *standing == Standing::proved(standing.claim, &self.secret, &self.other, &self.hello)
    }

    /// Loses its connection, and what is on its way there. When this returns, the node has noticed.
    pub(crate) async fn lose(&mut self) {
        self.hush().await;
        drained(&mut self.stream).await;
    }

    /// Goes on with its session on another connection, as is right.
    pub(crate) async fn resume(&mut self, address: &str) {
        self.resume_with(address, self.claim()).await;
    }

    /// Goes on with its session on another connection, and claims this.
    pub(crate) async fn resume_with(&mut self, address: &str, claim: Claim) {
        let mut next = self.twin(stranger(address).await);
        let heard = next.introduce().await;
        assert!(next.believes(&heard), "{heard:?}");
        next.take_up(claim).await;
        *self = next;
    }

    /// Goes on with its session on a connection on which both sides have introduced themselves.
    pub(crate) async fn take_up(&mut self, claim: Claim) {
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
