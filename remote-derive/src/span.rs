//! The spans of generated tokens: where the compiler shows an error in generated code. It must not know what is generated.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ItemTrait, Path};

/// Where an error in generated code is shown, while the code itself counts as generated.
pub(crate) fn generated_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// Generated tokens, moved to where an error in them is shown.
pub(crate) fn placed(tokens: TokenStream, place: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}

/// Generic parameters, in brackets whose place is the whole trait. The compiler advises to add a parameter for a type
/// that it does not find, differently for each item that names the type, unless the type stands within the brackets: so
/// the same error is told once.
pub(crate) fn generics(item: &ItemTrait, parameters: &impl ToTokens) -> TokenStream {
    let start = generated_at(item.trait_token.span);
    let end = generated_at(item.brace_token.span.close());
    let (open, close) = (quote_spanned!(start=> <), quote_spanned!(end=> >));
    quote!(#open #parameters #close)
}

/// The place of a path's last segment: where an error about what it names belongs.
pub(crate) fn path_span(path: &Path) -> Span {
    path.segments.last().map_or_else(Span::call_site, |last| last.ident.span())
}
