//! The order of an expansion: parse, model, validate, then the generated code or, beside the errors, the fallback. It
//! must not know any syntax.

mod class;
mod dispatch;
mod fallback;
mod hidden_block;
mod implementation;
mod interface;
mod probe;
mod proxy;
mod signature;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Item, Path};

use crate::{
    model::{Class, Implementation, Interface},
    names,
    parse::{self, Options},
    validate,
};

/// Expands `#[remote(..)]`.
pub(crate) fn remote(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse::options(options);
    let expanded = parse::item(item).and_then(|parsed| match parsed {
        Item::Trait(item) => {
            let interface = Interface::new(library(&options)?, options, item);
            Ok(match validate::interface(&interface) {
                Ok(()) => interface::expand(&interface),
                Err(errors) => with_errors(&errors, fallback::interface(&interface)),
            })
        }
        Item::Impl(item) => {
            let implementation = Implementation::new(library(&options)?, options, item);
            let expanded = implementation::expand(&implementation);
            Ok(match validate::implementation(&implementation) {
                Ok(()) => expanded,
                Err(errors) => with_errors(&errors, expanded),
            })
        }
        other => Ok(with_errors(&validate::other_item(&other), fallback::other_item(&other))),
    });
    expanded.unwrap_or_else(Error::into_compile_error)
}

/// Expands `#[derive(Remote)]`.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let expanded = parse::class(item).and_then(|(input, options)| {
        let class = Class::new(library(&options)?, options, input);
        Ok(match validate::class(&class) {
            Ok(()) => class::expand(&class),
            Err(errors) => with_errors(&errors, fallback::class(&class)),
        })
    });
    expanded.unwrap_or_else(Error::into_compile_error)
}

fn library(options: &Options) -> Result<Path, Error> {
    options.library().cloned().or_else(names::library).ok_or_else(validate::no_library)
}

fn with_errors(errors: &Error, fallback: TokenStream) -> TokenStream {
    let errors = errors.to_compile_error();
    quote!(#errors #fallback)
}
