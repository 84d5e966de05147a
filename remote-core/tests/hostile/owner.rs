//! Owns the scene of a session that others want: the peer that owns it, and what they can say who do not know its secret.
//!
//! It must not know what becomes of them.

use remote_core::{Session, SessionState};

use super::hello::{Claim, Hello, Standing, WRONG};
use super::peer::{Peer, stranger};
use super::stage::{Stage, until};
use super::wire::Bytes;

/// A peer with a session, and an object in it that nobody else holds.
pub(crate) struct Owner {
    pub(crate) peer: Peer,
    pub(crate) child: u64,
    pub(crate) session: Session,
    pub(crate) address: String,
}

impl Owner {
    pub(crate) async fn new(stage: &Stage, node: [u8; 16]) -> Owner {
        let mut peer = Peer::begun(&stage.address(), &Hello::of(node)).await;
        let target = peer.target().await;
        let child = peer.answer_to(target, "child", Bytes::new()).await.object();
        Owner { peer, child, session: stage.hostile(), address: stage.address() }
    }

    /// The session goes on, on the connection that it has.
    pub(crate) async fn is_unharmed(&mut self) {
        let answer = self.peer.answer_to(self.child, "length", Bytes::new().string("four")).await;
        assert_eq!(answer.value(), 4);
        self.is(SessionState::Connected).await;
    }

    pub(crate) async fn is(&self, state: SessionState) {
        until("the state is told", || self.session.state() == state).await;
    }

    pub(crate) async fn lose(&mut self) {
        self.peer.lose().await;
        self.is(SessionState::Suspended).await;
    }

    pub(crate) async fn resume(&mut self) {
        self.peer.resume(&self.address).await;
    }

    pub(crate) fn reconnects(&self) -> u64 {
        self.session.stats().reconnects
    }

    /// Somebody who has its identity, on a connection of his own, and has introduced himself; what he was told.
    pub(crate) async fn impostor(&self) -> (Peer, Standing) {
        let mut impostor = self.peer.twin(stranger(&self.address).await);
        let heard = impostor.introduce().await;
        (impostor, heard)
    }
}

/// How many forgeries there are.
pub(crate) const FORGERIES: usize = 17;

/// What somebody can say who does not know the secret.
pub(crate) fn forgeries(
    owner: &Peer,
    impostor: &Peer,
    heard: Standing,
) -> Vec<(&'static str, Standing)> {
    let mut forged = vec![("nothing", Standing::nothing()), ("what it was told itself", heard)];
    for claim in [owner.claim(), Claim::Ended { code: 0 }, Claim::Ended { code: 32 }] {
        let other = match claim {
            Claim::Live { received, lost } => Claim::Live { received: received + 1, lost },
            _ => Claim::Ended { code: 1 },
        };
        let (own, node) = (&impostor.hello, &impostor.other);
        forged.extend([
            ("something without a proof", Standing::unproved(claim)),
            ("something with another secret", Standing::proved(claim, &WRONG, own, node)),
            ("what was proved on another connection", owner.prove(claim)),
            ("what the node would prove", Standing::proved(claim, &owner.secret, node, own)),
            ("other than what was proved", Standing { claim, ..impostor.prove(other) }),
        ]);
    }
    assert_eq!(forged.len(), FORGERIES);
    forged
}
