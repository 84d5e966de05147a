//! Expressions by which the compiler selects the codec of a parameter or a result from its type (autoref
//! specialization). Caller and callee use the same ones; they must not know on which side they are.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;

use crate::{
    model::{Method, Parameter},
    span::generated_at,
};

/// Generates the expression for the codec of a parameter.
pub(super) fn parameter_codec(parameter: &Parameter) -> TokenStream {
    let ty = parameter.referent.as_ref().unwrap_or(&parameter.ty);
    let place = generated_at(ty.span());
    match (&parameter.referent, parameter.borrows) {
        (Some(_), _) => quote_spanned!(place=> (&__remote::Lent::<#ty>::new()).codec()),
        (None, true) => quote_spanned!(place=> (&__remote::PassedBorrowing::<#ty>::new()).codec()),
        (None, false) => quote_spanned!(place=> (&__remote::Passed::<#ty>::new()).codec()),
    }
}

/// Generates the expression for the codec of a result.
pub(super) fn result_codec(method: &Method) -> TokenStream {
    let (probe, place) = (result_probe(method), generated_at(method.result.ty.span()));
    quote_spanned!(place=> #probe.answer())
}

/// Generates the expression on which the methods that depend on the kind of a result are called.
pub(super) fn result_probe(method: &Method) -> TokenStream {
    let (ty, place) = (&method.result.ty, generated_at(method.result.ty.span()));
    quote_spanned!(place=> (&__remote::Returned::<#ty>::new()))
}
