//! Owns how references get into payloads and out of them: the one place where serde's `Serialize` and `Deserialize`
//! of a reference meet the payload that they are for.
//!
//! It must not know sessions. A reference writes only its place; what stands there travels beside the body.

use std::cell::RefCell;

use super::message::{Payload, Reference, Reply};
use crate::error::{Error, Result};
use crate::limits::Bounds;
use crate::wire::body::Body;
use crate::wire::bounded_writer::Leaving;
use crate::wire::codec::{Decoder, Encoder};

/// The largest body that is made before anybody looks at the receiver's limit.
const LARGEST: usize = 256 << 20;

thread_local! {
    /// The references of the payload that this thread is writing or reading. The trait signatures of serde leave no
    /// other way to reach it.
    static OPEN: RefCell<Option<Vec<Reference>>> = const { RefCell::new(None) };
}

impl Payload {
    /// Encodes values into a payload.
    pub fn encode(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Result<Payload, Error> {
        Payload::encode_leaving(Leaving::AsValue, write)
    }

    fn encode_leaving(
        leaving: Leaving,
        write: impl FnOnce(&mut Encoder) -> Result<(), Error>,
    ) -> Result<Payload, Error> {
        let mut encoder = Encoder::new(Bounds::default(), LARGEST, leaving);
        let (written, references) = with_open(Vec::new(), || write(&mut encoder));
        written?;
        Ok(Payload { body: encoder.finish()?, references, bounds: Bounds::default() })
    }

    /// Decodes values out of the payload, to its last byte.
    pub fn decode<'p, A>(
        &'p self,
        read: impl FnOnce(&mut Decoder<'p>) -> Result<A, Error>,
    ) -> Result<A, Error> {
        let mut decoder = Decoder::new(&self.body, self.bounds);
        let read = || {
            let value = read(&mut decoder)?;
            decoder.finish()?;
            Ok(value)
        };
        // The hot path: without references there is nothing to open, unless another payload is open around this one.
        if self.references.is_empty() && OPEN.with_borrow(Option::is_none) {
            return read();
        }
        with_open(self.references.clone(), read).0
    }

    pub(crate) fn new(body: Body, references: Vec<Reference>, bounds: Bounds) -> Payload {
        Payload { body, references, bounds }
    }
}

impl Reply {
    /// The reply of a method that succeeded. A value that cannot be encoded fails the call, which was executed.
    pub fn value(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Reply {
        match Payload::encode(write) {
            Ok(payload) => Reply::Value(payload),
            Err(error) => Reply::Fault(Error::Nested(Box::new(error))),
        }
    }

    /// The reply of a method that failed with an error of its own.
    pub fn failure(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Reply {
        match Payload::encode_leaving(Leaving::AsFailure, write) {
            Ok(payload) => Reply::Failure(payload),
            Err(error) => Reply::Fault(Error::Nested(Box::new(error))),
        }
    }
}

/// Adds a reference to the payload being written; its place. Nothing if none is.
pub(crate) fn put(reference: Reference) -> Option<u32> {
    OPEN.with_borrow_mut(|open| {
        let open = open.as_mut()?;
        open.push(reference);
        Some((open.len() - 1) as u32)
    })
}

/// The reference at a place of the payload being read.
pub(crate) fn get(place: u32) -> Option<Reference> {
    OPEN.with_borrow(|open| open.as_ref()?.get(place as usize).cloned())
}

/// Runs with these references as the payload's, and gives them back. What was open before is open again after, also
/// after a panic: a `Serialize` of the user's may make calls of its own.
fn with_open<R>(references: Vec<Reference>, run: impl FnOnce() -> R) -> (R, Vec<Reference>) {
    struct Restore(Option<Vec<Reference>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            // Dropped outside of the borrow: what a reference holds may be anything.
            drop(OPEN.replace(self.0.take()));
        }
    }
    let restore = Restore(OPEN.replace(Some(references)));
    let result = run();
    let references = OPEN.take().unwrap_or_default();
    drop(restore);
    (result, references)
}
