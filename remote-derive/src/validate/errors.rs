//! The list of compile errors. It must not know what is an error.

use proc_macro2::Span;
use quote::ToTokens;
use syn::Error;

/// The errors found so far.
#[derive(Default)]
pub(super) struct Errors(Vec<Error>);

impl Errors {
    /// Adds an error at the span of these tokens.
    pub(super) fn at(&mut self, place: impl ToTokens, text: impl std::fmt::Display) {
        self.0.push(Error::new_spanned(place, text));
    }

    pub(super) fn at_span(&mut self, place: Span, text: impl std::fmt::Display) {
        self.0.push(Error::new(place, text));
    }

    pub(super) fn extend(&mut self, errors: impl IntoIterator<Item = Error>) {
        self.0.extend(errors);
    }

    /// Returns all errors as one, if there are any.
    pub(super) fn into_result(self) -> Result<(), Error> {
        let whole = self.0.into_iter().reduce(|mut whole, next| {
            whole.combine(next);
            whole
        });
        whole.map_or(Ok(()), Err)
    }
}
