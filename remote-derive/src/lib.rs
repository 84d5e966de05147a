//! Owns the macros of `remote-core`: `#[remote]` on a trait and on an `impl`, and `#[derive(Remote)]`. It must not know how
//! messages travel: what is generated speaks to the library through one versioned door alone.
//!
//! Use them through `remote_core`, which exports them again. The way of a macro is parse → model → validate → expand; what
//! validation refuses goes to the fallback, so that one mistake is one error.

mod expand;
mod model;
mod names;
mod parse;
mod validate;

use proc_macro::TokenStream;

/// TODO
#[proc_macro_attribute]
pub fn remote(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::remote(options.into(), item.into()).into()
}

/// TODO
#[proc_macro_derive(Remote, attributes(remote))]
pub fn derive_remote(item: TokenStream) -> TokenStream {
    expand::derive(item.into()).into()
}
