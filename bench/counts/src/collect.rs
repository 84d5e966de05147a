//! The functions between whose entry and return instructions are counted. It must not know what runs between them.

use std::hint::black_box;

/// The functions between whose entry and return callgrind collects, as a pattern for `--toggle-collect`.
pub(crate) const PATTERN: &str = "*counts*collect*counted_section*";

/// Runs `work` with its instructions counted. Sections must not be nested: entering a second one ends the collection.
#[inline(never)]
pub(crate) fn counted_section<T>(work: impl FnOnce() -> T) -> T {
    // What leaves the section passes through here, so that `work` is not called in its place.
    black_box(black_box(work)())
}
