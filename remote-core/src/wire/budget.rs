//! Owns the count of what one body may still contain: depth, polymorphic depth, elements.
//!
//! It must not know how bodies are encoded. Reader and writer count by the same rules, so that what one refuses the
//! other would have refused.

use std::cell::{Cell, RefCell};
use std::fmt;

use crate::error::Error;
use crate::limits::Bounds;

/// What one body may still contain, and the first thing that went wrong in it.
pub(crate) struct Budget {
    depth: Cell<u32>,
    polymorphic: Cell<u32>,
    elements: Cell<u64>,
    /// Serde reduces every error to text; what is known better is kept here.
    fault: RefCell<Option<Error>>,
}

impl Budget {
    pub(crate) fn new(bounds: Bounds) -> Budget {
        Budget {
            depth: Cell::new(bounds.depth),
            polymorphic: Cell::new(bounds.polymorphic_depth),
            elements: Cell::new(bounds.elements),
            fault: RefCell::new(None),
        }
    }

    /// One value deeper, until the guard goes.
    pub(crate) fn enter<E: serde::de::Error>(&self) -> Result<Level<'_>, E> {
        Level::enter(&self.depth)
            .ok_or_else(|| self.refuse("values are nested too deep (`Limits::depth`)"))
    }

    /// One polymorphic value deeper, until the guard goes.
    pub(crate) fn enter_polymorphic<E: serde::de::Error>(&self) -> Result<Level<'_>, E> {
        Level::enter(&self.polymorphic).ok_or_else(|| {
            self.refuse("polymorphic values are nested too deep (`Limits::polymorphic_depth`)")
        })
    }

    /// One value deeper while writing.
    #[inline(always)]
    pub(crate) fn enter_writing<E: serde::ser::Error>(&self) -> Result<Level<'_>, E> {
        Level::enter(&self.depth).ok_or_else(|| {
            let text = "values are nested too deep (`Limits::depth`)";
            self.fail(Error::Quota(text.into()));
            E::custom(text)
        })
    }

    /// One more element. An element without bytes counts too: eight bytes can claim 10^9 of them.
    pub(crate) fn element<E: serde::de::Error>(&self) -> Result<(), E> {
        match self.elements.get().checked_sub(1) {
            Some(left) => {
                self.elements.set(left);
                Ok(())
            }
            None => Err(self.refuse("a body has too many elements (`Limits::elements`)")),
        }
    }

    /// Keeps what is known about a failure; the first one counts.
    pub(crate) fn fail(&self, error: Error) {
        self.fault.borrow_mut().get_or_insert(error);
    }

    pub(crate) fn take_fault(&self) -> Option<Error> {
        self.fault.take()
    }

    fn refuse<E: serde::de::Error>(&self, text: &'static str) -> E {
        self.fail(Error::Quota(text.into()));
        E::custom(text)
    }
}

/// One level of depth; given back when dropped.
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

/// Text of the peer's in an error of ours: its beginning, and never more.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// An error as it may go one level up. Each level of polymorphic values puts the text of an error into another, and its
/// quotes into quotes: uncut, it doubles with every level, and sixteen of them take minutes and all memory.
pub(crate) fn cut<E: fmt::Display>(error: E, custom: impl FnOnce(String) -> E) -> E {
    const LONGEST: usize = 512;
    let text = error.to_string();
    if text.len() <= LONGEST { error } else { custom(excerpt(&text)) }
}

/// Whether a visitor expects a polymorphic value: typetag says `dyn Trait`, and says it through every erasure of
/// types, which is why it is asked here rather than by type.
pub(crate) fn expects_polymorphic(expected: &dyn serde::de::Expected) -> bool {
    struct Prefix {
        seen: usize,
        matches: bool,
    }
    impl fmt::Write for Prefix {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for byte in text.bytes() {
                match b"dyn ".get(self.seen) {
                    Some(wanted) if *wanted == byte => self.seen += 1,
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
    let mut prefix = Prefix { seen: 0, matches: true };
    // The text is cut off by an error as soon as it is known enough.
    let _ = fmt::write(&mut prefix, format_args!("{expected}"));
    prefix.matches && prefix.seen == 4
}
