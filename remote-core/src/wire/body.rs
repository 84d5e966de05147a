//! The bytes of a body. A small body is stored inline, so that a call with small arguments allocates nothing for them.
//!
//! It must not know what the bytes mean. It does less than a crate for small vectors, since it is on the path of every
//! call: appending a few bytes is a comparison and a copy.

use std::fmt;
use std::ops::Deref;

/// The number of bytes that are stored inline. With it a body has 32 bytes, eight more than a vector.
const INLINE: usize = 30;

/// The bytes of a body.
#[derive(Clone)]
pub(crate) struct Body(Bytes);

#[derive(Clone)]
enum Bytes {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Vec<u8>),
}

impl Body {
    pub(crate) const fn new() -> Body {
        Body(Bytes::Inline { length: 0, bytes: [0; INLINE] })
    }

    #[inline]
    pub(crate) fn from_slice(slice: &[u8]) -> Body {
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..slice.len()) {
            Some(place) => {
                place.copy_from_slice(slice);
                Body(Bytes::Inline { length: slice.len() as u8, bytes })
            }
            None => Body(Bytes::Heap(slice.to_vec())),
        }
    }

    /// Makes a body of a vector, without a copy.
    pub(crate) fn from_vec(bytes: Vec<u8>) -> Body {
        Body(Bytes::Heap(bytes))
    }

    #[inline]
    pub(crate) fn extend_from_slice(&mut self, more: &[u8]) {
        match &mut self.0 {
            Bytes::Inline { length, bytes } => {
                let end = usize::from(*length) + more.len();
                match bytes.get_mut(usize::from(*length)..end) {
                    Some(place) => {
                        place.copy_from_slice(more);
                        *length = end as u8;
                    }
                    None => {
                        self.reserve(more.len());
                        self.extend_from_slice(more);
                    }
                }
            }
            Bytes::Heap(bytes) => bytes.extend_from_slice(more),
        }
    }

    /// Reserves room for this many more bytes, so that they are not copied again while the body grows.
    pub(crate) fn reserve(&mut self, more: usize) {
        match &mut self.0 {
            Bytes::Inline { length, bytes } => {
                let length = usize::from(*length);
                if length + more > INLINE {
                    let mut heap = Vec::with_capacity(length + more);
                    heap.extend_from_slice(&bytes[..length]);
                    self.0 = Bytes::Heap(heap);
                }
            }
            Bytes::Heap(bytes) => bytes.reserve(more),
        }
    }

    pub(crate) fn truncate(&mut self, end: usize) {
        match &mut self.0 {
            Bytes::Inline { length, .. } => *length = usize::from(*length).min(end) as u8,
            Bytes::Heap(bytes) => bytes.truncate(end),
        }
    }

    /// Returns the bytes, without a copy unless they are stored inline.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Bytes::Inline { length, bytes } => bytes[..usize::from(length)].to_vec(),
            Bytes::Heap(bytes) => bytes,
        }
    }
}

impl Deref for Body {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline { length, bytes } => &bytes[..usize::from(*length)],
            Bytes::Heap(bytes) => bytes,
        }
    }
}

impl Default for Body {
    fn default() -> Body {
        Body::new()
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Body) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_32_bytes() {
        assert_eq!(size_of::<Body>(), 32);
    }

    #[test]
    fn bytes_are_the_same_inline_and_on_the_heap() {
        let bytes: Vec<u8> = (0..100).collect();
        for step in [1, 7, 30, 31, 100] {
            let mut body = Body::new();
            bytes.chunks(step).for_each(|chunk| body.extend_from_slice(chunk));
            assert_eq!(*body, *bytes);
            assert_eq!(body, Body::from_vec(bytes.clone()));
            body.truncate(20);
            assert_eq!(*body, bytes[..20]);
            assert_eq!(body.into_vec(), bytes[..20]);
        }
        let mut body = Body::from_slice(&bytes[..10]);
        body.reserve(90);
        body.extend_from_slice(&bytes[10..]);
        assert_eq!(*body, *bytes);
    }
}
