//! The hidden block around generated code: nothing in it can be named from outside. It must not know what stands in it.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Path};

/// The hidden block that holds generated code. Nothing in it can be named from outside.
pub(super) fn hidden_block(
    conditions: &[&Attribute],
    library: &Path,
    content: TokenStream,
) -> TokenStream {
    let here = Span::mixed_site();
    quote_spanned! {here=>
        #(#conditions)*
        #[doc(hidden)]
        #[allow(
            deprecated,
            non_upper_case_globals,
            unused_imports,
            unused_qualifications,
            clippy::all,
            clippy::nursery,
            clippy::pedantic,
            clippy::restriction
        )]
        const _: () = {
            use #library::__private::v1 as __remote;
            use #library::__private::v1::probes::*;
            #content
        };
    }
}
