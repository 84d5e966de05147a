//! References as they are written in the content of a message (the format is in PROTOCOL.md).
//!
//! It must not know objects.

use super::breach::Breach;
use super::varint::{Cursor, put};
use crate::id::{Identity, NameId, NodeId, ObjectId, Token};

/// A reference as it is written in a frame, from the sender's point of view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Descriptor {
    /// An object of the sender's node.
    Mine { object: ObjectId, interface: NameId },
    /// An object of the receiver's node.
    Yours { object: ObjectId, interface: NameId },
    /// An object of a third node, to which the sender forwards. With the token, the receiver can claim it from its owner.
    Forwarded { object: ObjectId, owner: Identity, interface: NameId, token: Option<Token> },
}

impl Descriptor {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (kind, object, interface) = match *self {
            Descriptor::Mine { object, interface } => (0, object, interface),
            Descriptor::Yours { object, interface } => (1, object, interface),
            Descriptor::Forwarded { object, interface, token: None, .. } => (2, object, interface),
            Descriptor::Forwarded { object, interface, token: Some(_), .. } => {
                (3, object, interface)
            }
        };
        out.push(kind);
        put(out, object.0);
        put(out, interface.0);
        if let Descriptor::Forwarded { owner, token, .. } = self {
            out.extend_from_slice(owner.node.bytes());
            put(out, owner.object.0);
            if let Some(token) = token {
                out.extend_from_slice(token.bytes());
            }
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Descriptor, Breach> {
        let kind = cursor.byte()?;
        let object = ObjectId(cursor.number()?);
        let interface = NameId(cursor.number()?);
        Ok(match kind {
            0 => Descriptor::Mine { object, interface },
            1 => Descriptor::Yours { object, interface },
            2 | 3 => {
                let node = NodeId::from_bytes(cursor.array()?);
                let owner = Identity { node, object: ObjectId(cursor.number()?) };
                let token = if kind == 3 { Some(Token::from_bytes(cursor.array()?)) } else { None };
                Descriptor::Forwarded { object, owner, interface, token }
            }
            _ => return Err(Breach::Frame),
        })
    }
}
