//! Imports: converts received calls and answers into messages and replies. References are resolved in the order of their
//! arrival, before a body is decoded.
//!
//! It must not know what executes a message.

use std::sync::Arc;

use super::calls::{Delivery, NoReceiver};
use super::effects::Effects;
use super::shared::{Inner, SharedSession};
use crate::error::Error;
use crate::id::{Identity, NameId, ObjectId, Token};
use crate::object::import::Import;
use crate::object::message::{InterfaceName, Payload, Receiver, Reference, Reply, Route};
use crate::object::null::NullReceiver;
use crate::object::shortening::ShorteningRef;
use crate::session::event::IncomingCall;
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{Manner, Status, Target};

impl SharedSession {
    pub(crate) fn object(&self, object: ObjectId) -> Option<Arc<dyn Receiver>> {
        if object == ObjectId::DIRECTORY {
            self.shared.directory.get().cloned()
        } else {
            self.shared.table.get(object)
        }
    }

    /// Resolves the receiver and the references of a call.
    pub(crate) fn delivery(
        &self,
        inner: &mut Inner,
        call: IncomingCall,
        effects: &mut Effects,
    ) -> Delivery {
        let IncomingCall { question, target, header, content } = call;
        let receiver = match target {
            Some(Target::Object(object)) => self.object(object),
            Some(Target::Answer(answer)) => {
                inner.calls.promise(answer).map(|promise| Arc::clone(promise) as Arc<dyn Receiver>)
            }
            None => None,
        };
        let is_promise = header.manner == Manner::Promise;
        Delivery {
            question,
            receiver: receiver.ok_or(NoReceiver::NoSuchObject),
            header,
            references: self.references(inner, &content.references, effects),
            body: content.body,
            promise: if is_promise { inner.calls.promise(question).cloned() } else { None },
        }
    }

    #[inline(always)]
    fn references(
        &self,
        inner: &mut Inner,
        descriptors: &[Descriptor],
        effects: &mut Effects,
    ) -> Vec<Reference> {
        if descriptors.is_empty() {
            return Vec::new();
        }
        descriptors.iter().map(|descriptor| self.reference(inner, descriptor, effects)).collect()
    }

    fn reference(
        &self,
        inner: &mut Inner,
        descriptor: &Descriptor,
        effects: &mut Effects,
    ) -> Reference {
        let route = || self.this() as Arc<dyn Route>;
        let (receiver, interface): (Arc<dyn Receiver>, NameId) = match *descriptor {
            Descriptor::Mine { object, interface } => {
                let identity = Identity { node: self.peer.id(), object };
                (Arc::new(Import::new(route(), object, identity)), interface)
            }
            Descriptor::Forwarded { object, owner, interface, token } => {
                let import = Import::new(route(), object, owner);
                (self.forwarded(import, owner, token, effects), interface)
            }
            Descriptor::Yours { object, interface } => {
                // The state machine has checked that the peer refers to the object, so it is in the table.
                let null = || Arc::new(NullReceiver) as Arc<dyn Receiver>;
                (self.object(object).unwrap_or_else(null), interface)
            }
        };
        let interface = inner
            .machine
            .name(interface)
            .map_or(InterfaceName::Unknown, |name| InterfaceName::Announced(name.clone()));
        Reference { receiver, interface }
    }

    /// Resolves a reference to an object of a third node. If this node is the owner, the result is the near object; otherwise
    /// the path can be shortened.
    fn forwarded(
        &self,
        import: Import,
        owner: Identity,
        token: Option<Token>,
        effects: &mut Effects,
    ) -> Arc<dyn Receiver> {
        // If the peer itself is the owner, the object has no direct path: it is a promise, for example.
        let hand_off = self.shared.hand_off.get().filter(|_| owner.node != self.peer.id());
        let Some(hand_off) = hand_off else { return Arc::new(import) };
        let is_own = owner.node == self.shared.id;
        let own =
            token.filter(|_| is_own).and_then(|token| hand_off.recognize(token, self.peer.id()));
        if let Some(own) = own {
            effects.drop_later(Arc::new(import) as Arc<dyn Receiver>);
            return own;
        }
        let reference = ShorteningRef::new(Arc::new(import), owner, token.filter(|_| !is_own));
        effects.shorten.push(Arc::clone(&reference));
        reference
    }

    /// Converts an answer into a reply.
    pub(crate) fn reply(
        &self,
        inner: &mut Inner,
        status: Status,
        content: Content,
        effects: &mut Effects,
    ) -> Reply {
        let references = self.references(inner, &content.references, effects);
        let payload = Payload::new(content.body, references, self.shared.limits.bounds());
        match status {
            Status::Value => Reply::Value(payload),
            Status::Failure => Reply::Failure(payload),
            Status::Fault => {
                let read = payload.decode(|decoder| decoder.next());
                // The reason of the failure cannot be read, so that it is not known if the call was executed.
                let error = read.unwrap_or_else(|error| {
                    Error::Protocol(format!("a fault that cannot be read: {error}"))
                });
                // A fault has no references; if the peer sent some, they are dropped.
                effects.drop_later(Reply::Value(payload));
                Reply::Fault(error)
            }
        }
    }
}
