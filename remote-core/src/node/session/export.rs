//! Exports: converts references of this process into descriptors for one peer.
//!
//! There are two steps, because the object table and the session have separate locks, which are taken in one order: first the
//! objects are entered in the table, then they are introduced to the peer under the session's lock.

use std::sync::Arc;

use crate::error::Error;
use crate::id::{Identity, NameId, NodeId, ObjectId, Token};
use crate::node::shared::Shared;
use crate::object::message::{InterfaceName, Location, Receiver, Reference, RouteId};
use crate::session::Session;
use crate::wire::descriptor::Descriptor;

/// References entered in the object table.
pub(crate) struct Prepared<'r> {
    entries: Vec<Entry<'r>>,
}

struct Entry<'r> {
    kind: Kind,
    interface: &'r InterfaceName,
}

enum Kind {
    Mine(ObjectId),
    Yours(ObjectId),
    Forwarded(ObjectId, Identity, Option<Token>),
    /// Forwarded, with a token for which this side has vouched.
    HandedOff(ObjectId, Identity, Token),
}

/// References introduced to the peer.
pub(crate) struct Outgoing {
    pub(crate) descriptors: Vec<Descriptor>,
    /// Objects that the peer already knew. The table counts them once too often, which must be undone.
    pub(crate) hide: Vec<ObjectId>,
    /// Tokens for which this side has vouched, each with its object and the owner.
    pub(crate) vouched: Vec<(ObjectId, NodeId, Token)>,
}

/// Enters references in the object table, for the session with a peer.
#[inline(always)]
pub(crate) fn prepare<'r>(
    shared: &Shared,
    (route, peer): (RouteId, NodeId),
    references: &'r [Reference],
) -> Prepared<'r> {
    if references.is_empty() {
        return Prepared { entries: Vec::new() };
    }
    prepare_some(shared, (route, peer), references)
}

fn prepare_some<'r>(
    shared: &Shared,
    (route, peer): (RouteId, NodeId),
    references: &'r [Reference],
) -> Prepared<'r> {
    let entries = references.iter().map(|Reference { receiver, interface }| Entry {
        kind: enter(shared, (route, peer), receiver),
        interface,
    });
    Prepared { entries: entries.collect() }
}

fn enter(shared: &Shared, (route, peer): (RouteId, NodeId), receiver: &Arc<dyn Receiver>) -> Kind {
    let kind = match receiver.location() {
        Location::Far { route: its, entry, .. } if its == Some(route) => return Kind::Yours(entry),
        Location::Far { node, object, .. } => {
            // For its owner, the descriptor contains the token by which this side claims it; for other nodes, a token of their
            // own.
            let (id, owner) = (receiver.export_id(), Identity { node, object });
            if node == peer {
                Kind::Forwarded(id, owner, receiver.token())
            } else {
                match shared.hand_off.get().and_then(|hand_off| hand_off.vouch(receiver, peer)) {
                    Some(token) => Kind::HandedOff(id, owner, token),
                    None => Kind::Forwarded(id, owner, None),
                }
            }
        }
        Location::Promise { .. } | Location::Addressed { .. } => {
            let object = receiver.export_id();
            Kind::Forwarded(object, Identity { node: shared.id, object }, None)
        }
        Location::Near { object, .. } => {
            receiver.exported_by(shared.id);
            match receiver.location() {
                // The owner is another node of this process. This node forwards.
                Location::Near { owner: Some(node), .. } if node != shared.id => {
                    Kind::Forwarded(object, Identity { node, object }, None)
                }
                _ => Kind::Mine(object),
            }
        }
    };
    let (Kind::Mine(id) | Kind::Forwarded(id, ..) | Kind::HandedOff(id, ..) | Kind::Yours(id)) =
        kind;
    shared.table.show(id, receiver);
    kind
}

impl Prepared<'_> {
    /// Introduces the references to the peer. If this fails, none is introduced, and the returned objects must be removed from
    /// the table again.
    #[inline(always)]
    pub(crate) fn introduce(
        self,
        machine: &mut Session,
    ) -> Result<Outgoing, (Error, Vec<ObjectId>)> {
        if self.entries.is_empty() {
            return Ok(Outgoing { descriptors: Vec::new(), hide: Vec::new(), vouched: Vec::new() });
        }
        self.introduce_some(machine)
    }

    fn introduce_some(self, machine: &mut Session) -> Result<Outgoing, (Error, Vec<ObjectId>)> {
        let mut outgoing = Outgoing {
            descriptors: Vec::with_capacity(self.entries.len()),
            hide: Vec::new(),
            vouched: Vec::new(),
        };
        let mut failure = None;
        for Entry { kind, interface } in self.entries {
            // If the peer accepts no more names, the name is left out: a reference is valid without it.
            let interface = interface.text().and_then(|name| machine.intern_interface(name));
            let interface = interface.unwrap_or(NameId::NONE);
            let (object, descriptor) = match kind {
                Kind::Yours(object) => {
                    outgoing.descriptors.push(Descriptor::Yours { object, interface });
                    continue;
                }
                Kind::Mine(object) => (object, Descriptor::Mine { object, interface }),
                Kind::Forwarded(object, owner, token) => {
                    (object, Descriptor::Forwarded { object, owner, interface, token })
                }
                Kind::HandedOff(object, owner, token) => {
                    outgoing.vouched.push((object, owner.node, token));
                    let token = Some(token);
                    (object, Descriptor::Forwarded { object, owner, interface, token })
                }
            };
            if failure.is_some() || machine.closed().is_some() {
                outgoing.hide.push(object);
                continue;
            }
            match machine.introduce(object) {
                Ok(presence) => {
                    outgoing.descriptors.push(descriptor);
                    if presence.is_known() {
                        outgoing.hide.push(object);
                    }
                }
                Err(error) => {
                    outgoing.hide.push(object);
                    failure = Some(error);
                }
            }
        }
        match failure {
            None => Ok(outgoing),
            Some(error) => {
                machine.retract_all(&outgoing.descriptors);
                Err((error, outgoing.hide))
            }
        }
    }
}
