//! Owns how references get into payloads and out of them: the one place where serde's `Serialize` and `Deserialize`
//! of a reference meet the payload that they are for.
//!
//! It must not know sessions. A reference writes only its place; what stands there travels beside the body.

use std::cell::{Cell, RefCell};

use super::message::{Payload, Reference, Reply};
use crate::error::{Error, Result};
use crate::limits::Bounds;
use crate::wire::body::Body;
use crate::wire::bounded_writer::Role;
use crate::wire::codec::{Decoder, Encoder};

/// The largest body that is made before anybody looks at the receiver's limit.
const LARGEST: usize = 256 << 20;

thread_local! {
    /// Which of the references below are those of the payload that this thread is writing or reading. Apart from them,
    /// since most payloads have none, and this costs a word or two.
    static OPEN: Cell<Open> = const { Cell::new(Open::NONE) };
    /// The references of all payloads that are open, innermost last: a `Serialize` of the user's may make calls of its
    /// own. The trait signatures of serde leave no other way to reach them.
    static REFERENCES: RefCell<Vec<Reference>> = const { RefCell::new(Vec::new()) };
}

/// Where the references of a payload are, and the bounds that it is read by, if it is read.
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
        let mut encoder = Encoder::new(Bounds::default(), LARGEST, role);
        let (written, references) = with_open(None, || write(&mut encoder));
        written?;
        Ok(Payload { body: encoder.finish()?, references, bounds: Bounds::default() })
    }

    /// Decodes values out of the payload, to its last byte.
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
    /// The reply of a method that succeeded. A value that cannot be encoded fails the call, which was executed.
    pub fn value(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Reply {
        match Payload::encode(write) {
            Ok(payload) => Reply::Value(payload),
            Err(error) => Reply::Fault(Error::Nested(Box::new(error))),
        }
    }

    /// The reply of a method that failed with an error of its own.
    pub fn failure(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Reply {
        match Payload::encode_as(Role::Failure, write) {
            Ok(payload) => Reply::Failure(payload),
            Err(error) => Reply::Fault(Error::Nested(Box::new(error))),
        }
    }
}

/// Decodes values out of a body, to its last byte.
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
    // The hot path: without references there is nothing to open, unless another payload is open around this one.
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

/// The bounds that the payload being read is read by, if it has references.
pub(crate) fn bounds() -> Option<Bounds> {
    OPEN.get().bounds
}

/// Adds a reference to the payload being written; its place. Nothing if none is.
pub(crate) fn put(reference: Reference) -> Option<u32> {
    let open = OPEN.get();
    if !open.is_open {
        return None;
    }
    REFERENCES.with_borrow_mut(|references| references.push(reference));
    OPEN.set(Open { end: open.end + 1, ..open });
    Some((open.end - open.start) as u32)
}

/// The reference at a place of the payload being read.
pub(crate) fn get(place: u32) -> Option<Reference> {
    let open = OPEN.get();
    let at = open.start.checked_add(place as usize).filter(|at| *at < open.end)?;
    REFERENCES.with_borrow(|references| references.get(at).cloned())
}

/// Runs with a payload open, and gives the references that it has in the end. What was open before is open again after,
/// also after a panic.
fn with_open<R>(bounds: Option<Bounds>, run: impl FnOnce() -> R) -> (R, Vec<Reference>) {
    struct Restore(Open);
    impl Drop for Restore {
        fn drop(&mut self) {
            // Dropped when all is as before: what a reference holds may be anything.
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

/// Ends the innermost payload that is open. Its references, if it was not ended before.
#[inline(always)]
fn close(outer: Open) -> Vec<Reference> {
    match (OPEN.replace(outer).end - outer.end, outer.end) {
        (0, _) => Vec::new(),
        // The outermost takes all, also the memory.
        (_, 0) => REFERENCES.take(),
        _ => REFERENCES.with_borrow_mut(|references| references.split_off(outer.end)),
    }
}
