//! Expressions that have the compiler pick the codec of a parameter or of a result by its type (autoref specialization). They
//! serve caller and callee alike, and must not know which of the two they stand in.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;

use crate::{
    model::{Method, Parameter},
    span::generated_at,
};

/// The way in which a parameter travels, picked by its type.
pub(super) fn parameter_codec(parameter: &Parameter) -> TokenStream {
    let ty = parameter.lent.as_ref().unwrap_or(&parameter.ty);
    let place = generated_at(ty.span());
    match (&parameter.lent, parameter.borrows) {
        (Some(_), _) => quote_spanned!(place=> (&__remote::Lent::<#ty>::new()).codec()),
        (None, true) => quote_spanned!(place=> (&__remote::PassedBorrowing::<#ty>::new()).codec()),
        (None, false) => quote_spanned!(place=> (&__remote::Passed::<#ty>::new()).codec()),
    }
}

/// The way in which a result travels, picked by its type.
pub(super) fn result_codec(method: &Method) -> TokenStream {
    let (probe, place) = (result_probe(method), generated_at(method.answer.ty.span()));
    quote_spanned!(place=> #probe.answer())
}

/// What asks the compiler for the kind of a result.
pub(super) fn result_probe(method: &Method) -> TokenStream {
    let (ty, place) = (&method.answer.ty, generated_at(method.answer.ty.span()));
    quote_spanned!(place=> (&__remote::Returned::<#ty>::new()))
}
