//! The messages that have arrived in part.
//!
//! It must not know what is done with a complete message. Buffers grow with the bytes that arrive, not with the size that
//! is announced.

use std::collections::HashMap;

use crate::id::QuestionId;
use crate::wire::body::Body;
use crate::wire::breach::Breach;
use crate::wire::content::Content;
use crate::wire::frame::Extent;

/// The messages that arrive in chunks, each with its header.
pub(crate) struct Partials<H> {
    open: HashMap<QuestionId, Partial<H>>,
    announced: u64,
    held: usize,
}

struct Partial<H> {
    head: H,
    extent: Extent,
    bytes: Vec<u8>,
}

impl<H> Default for Partials<H> {
    fn default() -> Partials<H> {
        Partials { open: HashMap::new(), announced: 0, held: 0 }
    }
}

impl<H> Partials<H> {
    /// Adds the first part of a message. All messages in the table together may announce at most `limit` bytes.
    pub(crate) fn begin(
        &mut self,
        id: QuestionId,
        head: H,
        extent: Extent,
        first: &[u8],
        limit: u64,
    ) -> Result<(), Breach> {
        self.announced = self.announced.saturating_add(extent.total);
        if first.len() as u64 >= extent.total || self.open.contains_key(&id) {
            return Err(Breach::Chunk);
        }
        if self.announced > limit {
            return Err(Breach::Window);
        }
        self.held += first.len();
        self.open.insert(id, Partial { head, extent, bytes: first.to_vec() });
        Ok(())
    }

    /// Adds a part. Returns the message if it is complete.
    pub(crate) fn chunk(
        &mut self,
        id: QuestionId,
        bytes: &[u8],
    ) -> Result<Option<(H, Content)>, Breach> {
        let partial = self.open.get_mut(&id).ok_or(Breach::Chunk)?;
        let size = (partial.bytes.len() + bytes.len()) as u64;
        if bytes.is_empty() || size > partial.extent.total {
            return Err(Breach::Chunk);
        }
        self.held += bytes.len();
        partial.bytes.extend_from_slice(bytes);
        if size < partial.extent.total {
            return Ok(None);
        }
        let Some(Partial { head, extent, bytes }) = self.open.remove(&id) else { return Ok(None) };
        self.announced -= extent.total;
        self.held -= bytes.len();
        Ok(Some((head, Content::read(Body::from_vec(bytes), extent.references)?)))
    }

    /// Returns the header of a message that is still arriving.
    pub(crate) fn head_mut(&mut self, id: QuestionId) -> Option<&mut H> {
        self.open.get_mut(&id).map(|partial| &mut partial.head)
    }

    #[cfg(test)]
    pub(crate) fn check(&self) {
        let announced = self.open.values().map(|partial| partial.extent.total);
        assert_eq!(self.announced, announced.sum::<u64>());
        assert_eq!(self.held, self.open.values().map(|partial| partial.bytes.len()).sum::<usize>());
    }

    /// Returns the number of bytes in the buffers.
    pub(crate) fn held(&self) -> usize {
        self.held
    }
}
