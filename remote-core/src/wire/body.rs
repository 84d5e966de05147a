//! Owns the bytes of a body. Small ones are kept in place: the call that adds two numbers allocates nothing for them.
//!
//! It must not know what the bytes mean. It does less than a crate for small vectors, and what it does is on the path
//! of every call: appending a few bytes is a comparison and a copy.

use std::fmt;
use std::ops::Deref;

/// How many bytes are kept in place: a body is then 32 bytes, and a word larger than a vector.
const IN_PLACE: usize = 30;

/// The bytes of a body.
#[derive(Clone)]
pub(crate) struct Body(Bytes);

#[derive(Clone)]
enum Bytes {
    InPlace { length: u8, bytes: [u8; IN_PLACE] },
    Apart(Vec<u8>),
}

impl Body {
    pub(crate) const fn new() -> Body {
        Body(Bytes::InPlace { length: 0, bytes: [0; IN_PLACE] })
    }

    #[inline]
    pub(crate) fn from_slice(slice: &[u8]) -> Body {
        let mut bytes = [0; IN_PLACE];
        match bytes.get_mut(..slice.len()) {
            Some(place) => {
                place.copy_from_slice(slice);
                Body(Bytes::InPlace { length: slice.len() as u8, bytes })
            }
            None => Body(Bytes::Apart(slice.to_vec())),
        }
    }

    /// Takes the bytes over without a copy.
    pub(crate) fn from_vec(bytes: Vec<u8>) -> Body {
        Body(Bytes::Apart(bytes))
    }

    #[inline]
    pub(crate) fn extend_from_slice(&mut self, more: &[u8]) {
        match &mut self.0 {
            Bytes::InPlace { length, bytes } => {
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
            Bytes::Apart(bytes) => bytes.extend_from_slice(more),
        }
    }

    /// Makes room for so many bytes more, so that they are not copied again while the body grows.
    pub(crate) fn reserve(&mut self, more: usize) {
        match &mut self.0 {
            Bytes::InPlace { length, bytes } => {
                let length = usize::from(*length);
                if length + more > IN_PLACE {
                    let mut apart = Vec::with_capacity(length + more);
                    apart.extend_from_slice(&bytes[..length]);
                    self.0 = Bytes::Apart(apart);
                }
            }
            Bytes::Apart(bytes) => bytes.reserve(more),
        }
    }

    pub(crate) fn truncate(&mut self, end: usize) {
        match &mut self.0 {
            Bytes::InPlace { length, .. } => *length = usize::from(*length).min(end) as u8,
            Bytes::Apart(bytes) => bytes.truncate(end),
        }
    }

    /// The bytes, without a copy unless there are few.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Bytes::InPlace { length, bytes } => bytes[..usize::from(length)].to_vec(),
            Bytes::Apart(bytes) => bytes,
        }
    }
}

impl Deref for Body {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::InPlace { length, bytes } => &bytes[..usize::from(*length)],
            Bytes::Apart(bytes) => bytes,
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
    fn a_body_is_a_word_larger_than_a_vector() {
        assert_eq!(size_of::<Body>(), 32);
    }

    #[test]
    fn bytes_stay_the_same_wherever_they_are_kept() {
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
