//! The functions between whose entry and return instructions are counted. It must not know what runs between them.

use std::hint::black_box;

/// The pattern of the function for `--toggle-collect`: callgrind counts from its entry to its return.
pub(crate) const PATTERN: &str = "*counts*collect*counted_section*";

/// Runs `work` and counts its instructions. Must not be nested: a second entry ends the collection.
#[inline(never)]
pub(crate) fn counted_section<T>(work: impl FnOnce() -> T) -> T {
    // Prevents a tail call: `work` would then run after the section has returned.
    black_box(black_box(work)())
}
