//! The hidden block around generated code. It must not know the code.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Path};

/// Wraps generated code in an anonymous constant, so that its names are visible only inside.
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
