//! The budget of one body: how much depth, polymorphic depth, and how many elements are left.
//!
//! It must not know the encoding. Reader and writer count by the same rules, so that each refuses what the other one
//! refuses.

use std::cell::{Cell, RefCell};
use std::fmt;

use crate::error::Error;
use crate::limits::Bounds;

/// The maximum number of elements without bytes in one body. Nine bytes could announce 2^64 of them.
const MAX_EMPTY: u64 = 4096;

/// The budget that is left for one body, and the first fault in it.
pub(crate) struct Budget {
    depth: Cell<u32>,
    polymorphic: Cell<u32>,
    elements: Cell<u64>,
    /// The elements without bytes that are left.
    empty: Cell<u64>,
    /// When writing, the number of bytes written; when reading, the number of bytes left, or more: numbers count with their
    /// shortest encoding.
    bytes: Cell<u64>,
    /// Serde reduces every error to text; the typed error is kept here. Boxed, so that a budget is small to move.
    fault: RefCell<Option<Box<Error>>>,
}

impl Budget {
    /// Makes the budget of a body that is written.
    pub(crate) fn new(bounds: Bounds) -> Budget {
        Budget::for_reading(bounds, 0)
    }

    /// Makes the budget of a body of this size.
    pub(crate) fn for_reading(bounds: Bounds, size: usize) -> Budget {
        Budget {
            depth: Cell::new(bounds.depth),
            polymorphic: Cell::new(bounds.polymorphic_depth),
            elements: Cell::new(bounds.elements),
            empty: Cell::new(MAX_EMPTY),
            bytes: Cell::new(size as u64),
            fault: RefCell::new(None),
        }
    }

    /// Enters a nested value, until the guard is dropped.
    pub(crate) fn enter<E: serde::de::Error>(&self) -> Result<Level<'_>, E> {
        Level::enter(&self.depth)
            .ok_or_else(|| self.refuse("values are nested too deep (`Limits::depth`)"))
    }

    /// Enters a nested polymorphic value, until the guard is dropped.
    pub(crate) fn enter_polymorphic<E: serde::de::Error>(&self) -> Result<Level<'_>, E> {
        Level::enter(&self.polymorphic).ok_or_else(|| {
            self.refuse("polymorphic values are nested too deep (`Limits::polymorphic_depth`)")
        })
    }

    /// Enters a nested value while writing.
    #[inline(always)]
    pub(crate) fn enter_writing<E: serde::ser::Error>(&self) -> Result<Level<'_>, E> {
        Level::enter(&self.depth)
            .ok_or_else(|| self.refuse_writing("values are nested too deep (`Limits::depth`)"))
    }

    /// Counts bytes that were written.
    #[inline(always)]
    pub(crate) fn count_written(&self, bytes: usize) {
        self.bytes.set(self.bytes.get() + bytes as u64);
    }

    /// Counts bytes that were read.
    #[inline(always)]
    pub(crate) fn count_read(&self, bytes: u64) {
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
    }

    /// Returns a number that changes with each byte that is written or read.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Counts one element.
    pub(crate) fn element<E: serde::de::Error>(&self) -> Result<(), E> {
        if take_one(&self.elements) { Ok(()) } else { Err(self.refuse(TOO_MANY)) }
    }

    /// Counts one element while writing.
    pub(crate) fn element_writing<E: serde::ser::Error>(&self) -> Result<(), E> {
        if take_one(&self.elements) { Ok(()) } else { Err(self.refuse_writing(TOO_MANY)) }
    }

    /// Counts an element that was read, if it had no bytes. `before` is what `bytes` returned before it, and `announced` the
    /// number of elements that are to follow in its sequence: each takes a byte, or is one of those that may be empty.
    #[inline(always)]
    pub(crate) fn after_element<E: serde::de::Error>(
        &self,
        before: u64,
        announced: Option<usize>,
    ) -> Result<(), E> {
        if self.bytes() != before {
            return Ok(());
        }
        let is_counted = take_one(&self.empty);
        let may_follow = self.bytes() + self.empty.get();
        if is_counted && announced.unwrap_or_default() as u64 <= may_follow {
            return Ok(());
        }
        Err(self.refuse(TOO_MANY_EMPTY))
    }

    /// Counts an element that was written, if it added no bytes.
    #[inline(always)]
    pub(crate) fn after_element_writing<E: serde::ser::Error>(&self, before: u64) -> Result<(), E> {
        if self.bytes() != before || take_one(&self.empty) {
            return Ok(());
        }
        Err(self.refuse_writing(TOO_MANY_EMPTY))
    }

    /// Keeps the typed error of a failure. The first one counts.
    pub(crate) fn fail(&self, error: Error) {
        self.fault.borrow_mut().get_or_insert_with(|| Box::new(error));
    }

    pub(crate) fn take_fault(&self) -> Option<Error> {
        self.fault.take().map(|error| *error)
    }

    fn refuse<E: serde::de::Error>(&self, text: &'static str) -> E {
        self.fail(Error::Quota(text.into()));
        E::custom(text)
    }

    fn refuse_writing<E: serde::ser::Error>(&self, text: &'static str) -> E {
        self.fail(Error::Quota(text.into()));
        E::custom(text)
    }
}

const TOO_MANY: &str = "a body has too many elements (`Limits::elements`)";
const TOO_MANY_EMPTY: &str = "a body has more than 4,096 elements that take no bytes, such as `()`: pass their number instead (`Limits::elements` \
     limits the other elements)";

/// Takes one from a counter. Returns false if nothing is left.
#[inline(always)]
fn take_one(left: &Cell<u64>) -> bool {
    match left.get().checked_sub(1) {
        Some(less) => {
            left.set(less);
            true
        }
        None => false,
    }
}

/// One level of depth. Dropping it leaves the level.
pub(crate) struct Level<'b>(&'b Cell<u32>);

impl<'b> Level<'b> {
    fn enter(left: &'b Cell<u32>) -> Option<Level<'b>> {
        left.set(left.get().checked_sub(1)?);
        Some(Level(left))
    }
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Returns the beginning of a text from the peer, for use in an error.
pub(crate) fn excerpt(text: &str) -> String {
    const MAX_LENGTH: usize = 120;
    match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns an error, with its text cut off if it is long. For each level of polymorphic values the text of an error is put
/// into another one, where its quotes are escaped. Without the cut it doubles with every level: 16 levels take minutes and
/// all memory.
pub(crate) fn cut<E: fmt::Display>(error: E, custom: impl FnOnce(String) -> E) -> E {
    const MAX_LENGTH: usize = 512;
    let text = error.to_string();
    if text.len() <= MAX_LENGTH { error } else { custom(excerpt(&text)) }
}

/// Returns true if a visitor expects a polymorphic value. typetag's visitors say that they expect `dyn Trait`, also through
/// erased types, so that the text is checked and not the type.
pub(crate) fn expects_polymorphic(expected: &dyn serde::de::Expected) -> bool {
    struct Prefix {
        position: usize,
        matches: bool,
    }
    impl fmt::Write for Prefix {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for byte in text.bytes() {
                match b"dyn ".get(self.position) {
                    Some(wanted) if *wanted == byte => self.position += 1,
                    Some(_) => {
                        self.matches = false;
                        return Err(fmt::Error);
                    }
                    None => return Err(fmt::Error),
                }
            }
            Ok(())
        }
    }
    let mut prefix = Prefix { position: 0, matches: true };
    // An error ends the formatting as soon as the prefix is known.
    let _ = fmt::write(&mut prefix, format_args!("{expected}"));
    prefix.matches && prefix.position == 4
}
