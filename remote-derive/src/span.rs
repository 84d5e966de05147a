//! Spans of generated tokens: the place in the source where the compiler shows an error in generated code. It must not
//! know what is generated.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ItemTrait, Path};

/// Returns a span at which errors are shown, with the hygiene of generated code.
pub(crate) fn generated_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// Returns the tokens with their spans moved to `place`.
pub(crate) fn placed(tokens: TokenStream, place: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}

/// Returns generic parameters in angle brackets that span the whole trait. For an unknown type the compiler suggests
/// adding a generic parameter, with another text for each generated item that names the type, unless the type is within
/// the span of the brackets. With the same text, the error is reported once.
pub(crate) fn generics(item: &ItemTrait, parameters: &impl ToTokens) -> TokenStream {
    let start = generated_at(item.trait_token.span);
    let end = generated_at(item.brace_token.span.close());
    let (open, close) = (quote_spanned!(start=> <), quote_spanned!(end=> >));
    quote!(#open #parameters #close)
}

/// Returns the span of a path's last segment, for errors about the item that the path names.
pub(crate) fn path_span(path: &Path) -> Span {
    path.segments.last().map_or_else(Span::call_site, |last| last.ident.span())
}
