//! Owns how what arrived becomes messages: references are resolved, in the order in which they came, and before any
//! body is decoded.
//!
//! It must not know who executes them.

use std::sync::Arc;
use std::time::Instant;

use super::shared::{Delivery, Inner, SharedSession, Void};
use crate::error::Error;
use crate::id::{Identity, NameId, ObjectId, Token};
use crate::object::import::Import;
use crate::object::message::{Interfaced, Payload, Receiver, Reference, Reply, Route};
use crate::object::null::NullReceiver;
use crate::object::shortening::ShorteningRef;
use crate::session::event::IncomingCall;
use crate::wire::content::Content;
use crate::wire::frame::{Descriptor, Manner, Status, Target};

impl SharedSession {
    pub(crate) fn object(&self, object: ObjectId) -> Option<Arc<dyn Receiver>> {
        if object == ObjectId::DIRECTORY {
            self.shared.directory.get().cloned()
        } else {
            self.shared.table.get(object)
        }
    }

    /// A call with its references resolved: before anything later is looked at, and before its body is.
    pub(crate) fn delivery(&self, inner: &mut Inner, call: IncomingCall) -> Delivery {
        let IncomingCall { question, target, selector, manner, nesting, deadline, content } = call;
        let receiver = match target {
            Some(Target::Object(object)) => self.object(object),
            Some(Target::Answer(answer)) => {
                inner.promises.get(&answer).map(|promise| Arc::clone(promise) as Arc<dyn Receiver>)
            }
            None => None,
        };
        let is_promise = manner == Manner::Promise;
        Delivery {
            question,
            receiver: receiver.ok_or(Void::NoSuchObject),
            selector,
            references: self.references(inner, &content.references),
            body: content.body,
            manner,
            nesting,
            deadline: deadline.map(|left| Instant::now() + left),
            promise: if is_promise { inner.promises.get(&question).cloned() } else { None },
        }
    }

    #[inline(always)]
    fn references(&self, inner: &mut Inner, descriptors: &[Descriptor]) -> Vec<Reference> {
        if descriptors.is_empty() {
            return Vec::new();
        }
        descriptors.iter().map(|descriptor| self.reference(inner, descriptor)).collect()
    }

    fn reference(&self, inner: &mut Inner, descriptor: &Descriptor) -> Reference {
        let route = || self.this() as Arc<dyn Route>;
        let (receiver, interface): (Arc<dyn Receiver>, NameId) = match *descriptor {
            Descriptor::Mine { object, interface } => {
                let identity = Identity { node: self.peer.id(), object };
                (Arc::new(Import::new(route(), object, identity)), interface)
            }
            Descriptor::Forwarded { object, owner, interface, token } => {
                let long = Import::new(route(), object, owner);
                (self.introduced(inner, long, owner, token), interface)
            }
            Descriptor::Yours { object, interface } => {
                // The session has checked that the peer was given it, so it is in the table.
                let nowhere = || Arc::new(NullReceiver) as Arc<dyn Receiver>;
                (self.object(object).unwrap_or_else(nowhere), interface)
            }
        };
        let interface = inner
            .machine
            .name(interface)
            .map_or(Interfaced::Unknown, |name| Interfaced::Heard(name.clone()));
        Reference { receiver, interface }
    }

    /// An object that was introduced by the peer: this side's own, or one to which there may be a shorter way.
    fn introduced(
        &self,
        inner: &mut Inner,
        long: Import,
        owner: Identity,
        token: Option<Token>,
    ) -> Arc<dyn Receiver> {
        // What is the peer's own is forwarded by it for a reason: a promise, say.
        let Some(hand_off) = self.shared.hand_off.get().filter(|_| owner.node != self.peer.id())
        else {
            return Arc::new(long);
        };
        let is_own = owner.node == self.shared.id;
        let home =
            token.filter(|_| is_own).and_then(|token| hand_off.recognize(token, self.peer.id()));
        if let Some(home) = home {
            // Given back when the lock is free.
            inner.arrived.push(Arc::new(long));
            return home;
        }
        let introduced = ShorteningRef::new(Arc::new(long), owner, token.filter(|_| !is_own));
        inner.introduced.push(Arc::clone(&introduced));
        introduced
    }

    /// The reply, and what of the message is no part of it: to be dropped when the lock is free.
    pub(crate) fn reply(
        &self,
        inner: &mut Inner,
        status: Status,
        content: Content,
    ) -> (Reply, Option<Payload>) {
        let references = self.references(inner, &content.references);
        let payload = Payload::new(content.body, references, self.shared.limits.bounds());
        match status {
            Status::Value => (Reply::Value(payload), None),
            Status::Failure => (Reply::Failure(payload), None),
            Status::Fault => {
                let read = payload.decode(|decoder| decoder.next());
                // The call failed over there, and why is not known: so neither is whether it was executed.
                let error = read.unwrap_or_else(|error| {
                    Error::Protocol(format!("a fault that cannot be read: {error}"))
                });
                // References have no business there.
                (Reply::Fault(error), Some(payload))
            }
        }
    }
}
