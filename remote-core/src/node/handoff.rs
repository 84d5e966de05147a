//! Hand-off: A sends B a reference to an object of C, and B gets a direct path to the object.
//!
//! It must not know frames: it consists of messages to directories. A vouches for B at C, which keeps the object as a gift. B
//! claims the gift from C with the token, and shortens its path. Until then, and if anything fails, A forwards. A token can be
//! claimed once, by one recipient, whose identity is that of its session with C. If A has no direct path to the object when it
//! sends the reference, it cannot vouch. Then B requests a token from A, and A replies when it has a direct path.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::connect::dial::Reached;
use super::core::Core;
use super::directory::Directory;
use super::shared::{Giver, HandsOff};
use crate::id::{Identity, NodeId, ObjectId, Token};
use crate::object::import::Import;
use crate::object::message::{Location, Receiver, Route};
use crate::object::shortening::ShorteningRef;
use crate::reference::object::Object;
use crate::reference::reference::Ref;
use crate::transport::uri::Uri;

/// The time limit for requests to the sender of the reference and to the owner. After it the path remains as it is.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The part of a node that hands off references.
pub(crate) struct HandOff {
    core: Weak<Core>,
}

impl HandOff {
    /// Installs hand-off in the sessions of a node.
    pub(crate) fn install(core: &Arc<Core>) {
        let hand_off = Arc::new(HandOff { core: Arc::downgrade(core) });
        let _ = core.sessions.shared.hand_off.set(hand_off);
    }
}

impl HandsOff for HandOff {
    fn vouch(&self, object: &Arc<dyn Receiver>, recipient: NodeId) -> Option<Token> {
        let Location::Far { node, route, .. } = object.location() else { return None };
        let owner = self.core.upgrade()?.sessions.find(node)?;
        // Only a node that has a direct reference can vouch.
        if Some(owner.route_id()) != route {
            return None;
        }
        let token = Token::random();
        let object = Ref::<dyn Object>::to(Arc::clone(object));
        let directory = directory(Arc::clone(&owner) as Arc<dyn Route>, node);
        let mut vouching = directory.vouch(object, recipient, token).oneway();
        // The first poll sends the message. If there is no room for it now, this side continues to forward.
        let sent = Pin::new(&mut vouching).poll(&mut Context::from_waker(Waker::noop()));
        matches!(sent, Poll::Ready(Ok(()))).then_some(token)
    }

    fn withdraw(&self, owner: NodeId, token: Token) {
        let session = self.core.upgrade().and_then(|core| core.sessions.find(owner));
        if let Some(session) = session {
            // If it cannot be sent, the gift expires.
            let _ = directory(session as Arc<dyn Route>, owner).withdraw(token).post();
        }
    }

    fn shorten(&self, reference: Arc<ShorteningRef>, Giver { node, route, permits }: Giver) {
        let core = self.core.clone();
        let (owner, token) = (reference.owner().node, reference.initial_token());
        let giver = directory(route, node);
        // A weak reference, so that the claim is abandoned when the reference is dropped.
        let weak = Arc::downgrade(&reference);
        let claiming = tokio::spawn(async move {
            let permit = match token {
                Some(_) => None,
                None => permits.acquire().await.ok(),
            };
            let claim = async {
                let token = match token {
                    Some(token) => token,
                    None => ask(&giver, &weak).await?,
                };
                drop(permit);
                claim(&core, &giver, owner, token).await
            };
            let claimed = tokio::time::timeout(REQUEST_TIMEOUT, claim).await.ok().flatten();
            let Some(reference) = weak.upgrade() else { return };
            match claimed {
                Some(object) => reference.shorten(object).await,
                None => reference.keep_forwarded(),
            }
        });
        reference.set_task(claiming.abort_handle());
    }

    fn recognize(&self, token: Token, claimant: NodeId) -> Option<Arc<dyn Receiver>> {
        self.core.upgrade()?.desk.recognize(token, claimant)
    }
}

/// Returns the directory of the node at the other end of a route.
fn directory(route: Arc<dyn Route>, node: NodeId) -> Ref<dyn Directory> {
    let identity = Identity { node, object: ObjectId::DIRECTORY };
    Ref::to(Arc::new(Import::new(route, ObjectId::DIRECTORY, identity)))
}

/// Requests a token from the sender of a reference that arrived without one.
async fn ask(giver: &Ref<dyn Directory>, reference: &Weak<ShorteningRef>) -> Option<Token> {
    let object = Ref::<dyn Object>::to(reference.upgrade()? as Arc<dyn Receiver>);
    giver.introduction(object).await.ok()
}

/// Claims an object from its owner, on the existing session with it or on a new one.
async fn claim(
    core: &Weak<Core>,
    giver: &Ref<dyn Directory>,
    owner: NodeId,
    token: Token,
) -> Option<Arc<dyn Receiver>> {
    let (known, desk) = {
        let core = core.upgrade()?;
        let is_own = owner == core.sessions.shared.id;
        (core.sessions.find(owner), is_own.then(|| Arc::clone(&core.desk)))
    };
    if let Some(desk) = desk {
        return desk.claim(token, owner).await.ok();
    }
    let session = match known {
        Some(session) => session,
        None => {
            let address = giver.address(owner).await.ok()?;
            let uri = Uri::of_node(&address).ok()?;
            // The address comes from the sender of the reference and is not trusted: it is dialled only if it is on this
            // machine.
            if !uri.is_local() {
                return None;
            }
            match core.upgrade()?.reach(&uri).await.ok()? {
                Reached::Peer(session) if session.peer.id() == owner => session,
                Reached::Peer(_) | Reached::Here => return None,
            }
        }
    };
    let object = directory(session as Arc<dyn Route>, owner).claim(token).await.ok()?;
    Some(Arc::clone(object.receiver()))
}
