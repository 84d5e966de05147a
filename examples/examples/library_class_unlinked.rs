//! The receiver in `library_class` that does not link the library: the package depends on it, but this program does not
//! mention it, so the compiler leaves it out.

fn main() -> remote_core::Result<()> {
    shapes::host()
}
