//! The receiver of `library_class` that depends on the library as well, but does not say so: the compiler leaves it out.

fn main() -> remote_core::Result<()> {
    shapes::host()
}
