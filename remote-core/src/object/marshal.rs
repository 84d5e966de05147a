//! The references in payloads: serializing and deserializing a reference accesses the payload that is being written or
//! read.
//!
//! It must not know sessions. A reference is encoded as its position in the list of references, which is sent beside the
//! body.

use std::cell::{Cell, RefCell};

use super::message::{Payload, Reference, Reply};
use crate::error::{Error, Result};
use crate::limits::Bounds;
use crate::wire::body::Body;
use crate::wire::bounded_writer::Role;
use crate::wire::codec::{Decoder, Encoder};

/// The maximum size of a body before the receiver's limit is checked.
const MAX_BODY: usize = 256 << 20;

thread_local! {
    /// The range of `REFERENCES` that belongs to the payload that this thread is writing or reading. It is apart from them
    /// because most payloads have no references, and then only this is accessed.
    static OPEN: Cell<Open> = const { Cell::new(Open::NONE) };
    /// The references of all open payloads, innermost last: an implementation of `Serialize` may itself make calls. A
    /// thread-local is needed because the signatures of serde have no parameter for them.
    static REFERENCES: RefCell<Vec<Reference>> = const { RefCell::new(Vec::new()) };
}

/// The range of a payload's references, and the bounds for decoding it.
#[derive(Clone, Copy)]
struct Open {
    is_open: bool,
    start: usize,
    end: usize,
    bounds: Option<Bounds>,
}

impl Open {
    const NONE: Open = Open { is_open: false, start: 0, end: 0, bounds: None };
}

impl Payload {
    /// Encodes values into a payload.
    pub fn encode(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Result<Payload, Error> {
        Payload::encode_as(Role::Value, write)
    }

    fn encode_as(
        role: Role,
        write: impl FnOnce(&mut Encoder) -> Result<(), Error>,
    ) -> Result<Payload, Error> {
        let mut encoder = Encoder::new(Bounds::default(), MAX_BODY, role);
        let (written, references) = with_open(None, || write(&mut encoder));
        written?;
        Ok(Payload { body: encoder.finish()?, references, bounds: Bounds::default() })
    }

    /// Decodes values from the payload. Fails if bytes are left.
    pub fn decode<'p, A>(
        &'p self,
        read: impl FnOnce(&mut Decoder<'p>) -> Result<A, Error>,
    ) -> Result<A, Error> {
        decode(&self.body, &self.references, self.bounds, read)
    }

    pub(crate) fn new(body: Body, references: Vec<Reference>, bounds: Bounds) -> Payload {
        Payload { body, references, bounds }
    }
}

impl Reply {
    /// Encodes the value of a method that succeeded. If that fails, the reply is the error, nested, since the method was
    /// executed.
    pub fn value(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Reply {
        match Payload::encode(write) {
            Ok(payload) => Reply::Value(payload),
            Err(error) => Reply::Fault(Error::Nested(Box::new(error))),
        }
    }

    /// Encodes the error of a method that failed.
    pub fn failure(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Reply {
        match Payload::encode_as(Role::Failure, write) {
            Ok(payload) => Reply::Failure(payload),
            Err(error) => Reply::Fault(Error::Nested(Box::new(error))),
        }
    }
}

/// Decodes values from a body. Fails if bytes are left.
pub(crate) fn decode<'p, A>(
    body: &'p [u8],
    references: &[Reference],
    bounds: Bounds,
    read: impl FnOnce(&mut Decoder<'p>) -> Result<A, Error>,
) -> Result<A, Error> {
    let mut decoder = Decoder::new(body, bounds);
    let read = || {
        let value = read(&mut decoder)?;
        decoder.finish()?;
        Ok(value)
    };
    // The fast path: without references no payload must be opened, unless another payload is open around this one.
    if references.is_empty() && !OPEN.get().is_open {
        return read();
    }
    let with_references = || {
        let open = OPEN.get();
        REFERENCES.with_borrow_mut(|all| all.extend_from_slice(references));
        OPEN.set(Open { end: open.end + references.len(), ..open });
        read()
    };
    with_open(Some(bounds), with_references).0
}

/// Returns the bounds for decoding the payload that is being read, if it has references.
pub(crate) fn bounds() -> Option<Bounds> {
    OPEN.get().bounds
}

/// Adds a reference to the payload that is being written, and returns its position; `None` if no payload is being written.
pub(crate) fn put(reference: Reference) -> Option<u32> {
    let open = OPEN.get();
    if !open.is_open {
        return None;
    }
    REFERENCES.with_borrow_mut(|references| references.push(reference));
    OPEN.set(Open { end: open.end + 1, ..open });
    Some((open.end - open.start) as u32)
}

/// Returns the reference at a position of the payload that is being read.
pub(crate) fn get(place: u32) -> Option<Reference> {
    let open = OPEN.get();
    let at = open.start.checked_add(place as usize).filter(|at| *at < open.end)?;
    REFERENCES.with_borrow(|references| references.get(at).cloned())
}

/// Runs a function with a payload open, and returns the references of the payload. The outer payload is then open again,
/// also after a panic.
fn with_open<R>(bounds: Option<Bounds>, run: impl FnOnce() -> R) -> (R, Vec<Reference>) {
    struct Restore(Open);
    impl Drop for Restore {
        fn drop(&mut self) {
            // Dropped after the state is restored: a reference may run user code when it is dropped.
            drop(close(self.0));
        }
    }
    let outer = OPEN.get();
    OPEN.set(Open { is_open: true, start: outer.end, end: outer.end, bounds });
    let restore = Restore(outer);
    let result = run();
    std::mem::forget(restore);
    (result, close(outer))
}

/// Closes the innermost payload. Returns its references.
#[inline(always)]
fn close(outer: Open) -> Vec<Reference> {
    match (OPEN.replace(outer).end - outer.end, outer.end) {
        (0, _) => Vec::new(),
        // The outermost payload takes the vector itself.
        (_, 0) => REFERENCES.take(),
        _ => REFERENCES.with_borrow_mut(|references| references.split_off(outer.end)),
    }
}
