//! A session that others attack: the peer that owns it, and the claims of impostors that do not know its secret.
//!
//! It must not know the results.

use remote_core::{Session, SessionState};

use super::hello::{Claim, Hello, ResumeState, WRONG};
use super::peer::{Peer, stranger};
use super::setup::{Setup, until};
use super::wire::Bytes;

/// A peer with a session, and an object in it that nobody else holds.
pub(crate) struct Owner {
    pub(crate) peer: Peer,
    pub(crate) child: u64,
    pub(crate) session: Session,
    pub(crate) address: String,
}

impl Owner {
    pub(crate) async fn new(setup: &Setup, node: [u8; 16]) -> Owner {
        let mut peer = Peer::begun(&setup.address(), &Hello::of(node)).await;
        let target = peer.target().await;
        let child = peer.answer_to(target, "child", Bytes::new()).await.object();
        Owner { peer, child, session: setup.hostile(), address: setup.address() }
    }

    /// Asserts that the session works, on the connection that it has.
    pub(crate) async fn assert_works(&mut self) {
        let answer = self.peer.answer_to(self.child, "length", Bytes::new().string("four")).await;
        assert_eq!(answer.value(), 4);
        self.is(SessionState::Connected).await;
    }

    pub(crate) async fn is(&self, state: SessionState) {
        until("the state is published", || self.session.state() == state).await;
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

    /// Returns an impostor with the identity of the peer, on a connection of its own, after the introductions, and the
    /// resume state that it got.
    pub(crate) async fn impostor(&self) -> (Peer, ResumeState) {
        let mut impostor = self.peer.copy(stranger(&self.address).await);
        let state = impostor.introduce().await;
        (impostor, state)
    }
}

/// The number of forgeries.
pub(crate) const FORGERIES: usize = 17;

/// Returns the claims that can be made without the secret.
pub(crate) fn forgeries(
    owner: &Peer,
    impostor: &Peer,
    state: ResumeState,
) -> Vec<(&'static str, ResumeState)> {
    let mut forged = vec![("nothing", ResumeState::nothing()), ("the state of the node", state)];
    for claim in [owner.claim(), Claim::Ended { code: 0 }, Claim::Ended { code: 32 }] {
        let other = match claim {
            Claim::Live { received, lost } => Claim::Live { received: received + 1, lost },
            _ => Claim::Ended { code: 1 },
        };
        let (own, node) = (&impostor.hello, &impostor.other);
        forged.extend([
            ("something without a proof", ResumeState::unproved(claim)),
            ("something with another secret", ResumeState::proved(claim, &WRONG, own, node)),
            ("what was proved on another connection", owner.prove(claim)),
            ("what the node would prove", ResumeState::proved(claim, &owner.secret, node, own)),
            ("other than what was proved", ResumeState { claim, ..impostor.prove(other) }),
        ]);
    }
    assert_eq!(forged.len(), FORGERIES);
    forged
}
