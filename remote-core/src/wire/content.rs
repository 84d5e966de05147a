//! The content of a message: its body, followed by the references that the body contains as positions.
//!
//! It must not know what the references designate. They are apart from the body so that they can be registered before user
//! code decodes the body. They follow it so that the body of a large message is cut off without a copy.

use super::body::Body;
use super::breach::Breach;
use super::descriptor::Descriptor;
use super::varint::Cursor;

/// The body and the references of one message.
#[derive(Clone, Default, Debug, PartialEq)]
pub(crate) struct Content {
    pub(crate) body: Body,
    pub(crate) references: Vec<Descriptor>,
}

/// Content that is ready to be sent: the references are encoded.
pub(crate) struct Packed {
    pub(crate) body: Body,
    pub(crate) references: Vec<u8>,
}

impl Content {
    #[inline(always)]
    pub(crate) fn pack(self) -> Packed {
        if self.references.is_empty() {
            return Packed { body: self.body, references: Vec::new() };
        }
        let mut references = Vec::new();
        for reference in &self.references {
            reference.write(&mut references);
        }
        Packed { body: self.body, references }
    }

    /// Splits complete content, whose last `references` bytes are references.
    #[inline]
    pub(crate) fn read(body: Body, references: u64) -> Result<Content, Breach> {
        if references == 0 {
            return Ok(Content { body, references: Vec::new() });
        }
        Content::read_references(body, references)
    }

    fn read_references(mut body: Body, references: u64) -> Result<Content, Breach> {
        let start = usize::try_from(references)
            .ok()
            .and_then(|references| body.len().checked_sub(references));
        let start = start.ok_or(Breach::Frame)?;
        let mut cursor = Cursor::new(&body[start..]);
        // No capacity is reserved by a count from the peer: the vector grows with the bytes that exist.
        let mut references = Vec::new();
        while cursor.end().is_err() {
            references.push(Descriptor::read(&mut cursor)?);
        }
        body.truncate(start);
        Ok(Content { body, references })
    }
}

impl Packed {
    /// Returns the bytes on the wire, which windows count.
    pub(crate) fn size(&self) -> u64 {
        (self.body.len() + self.references.len()) as u64
    }

    /// Returns body and references as one byte string.
    pub(crate) fn joined(mut self) -> Vec<u8> {
        self.body.extend_from_slice(&self.references);
        self.body.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{NameId, ObjectId};

    #[test]
    fn content_is_read_as_written() {
        let reference = Descriptor::Mine { object: ObjectId(7), interface: NameId(1) };
        let content = Content { body: Body::from_slice(b"body"), references: vec![reference; 3] };
        let packed = content.clone().pack();
        let references = packed.references.len() as u64;
        let joined = packed.joined();
        assert_eq!(Content::read(Body::from_vec(joined.clone()), references), Ok(content));
        assert_eq!(Content::read(Body::from_vec(joined), 1000), Err(Breach::Frame));
    }
}
