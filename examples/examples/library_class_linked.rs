//! The receiver in `library_class` that links the library: one line is enough, and registers the library's class.

use circles as _;

fn main() -> remote_core::Result<()> {
    shapes::host()
}
