//! The receiver of `library_class` that has the library: one line links it, and with it the registration of its class.

use circles as _;

fn main() -> remote_core::Result<()> {
    shapes::host()
}
