//! Code for an `impl` marked `#[remote]`: the same `impl`, with methods that return a `Call`. It must not know whether
//! the type is a class.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ImplItem;

use super::signature;
use crate::model::Implementation;

/// Generates the `impl`, method by method.
pub(super) fn expand(implementation: &Implementation) -> TokenStream {
    let item = &implementation.item;
    let Some((interface, for_token)) = &item.trait_ else {
        return item.to_token_stream();
    };
    let (attributes, unsafety, keyword, ty) =
        (&item.attrs, &item.unsafety, &item.impl_token, &item.self_ty);
    let (generics, _, clause) = item.generics.split_for_impl();
    let mut methods = implementation.methods.iter();
    let items = item.items.iter().map(|item| match item {
        ImplItem::Fn(function) => {
            let (visibility, library) = (&function.vis, &implementation.library);
            let method = methods.next().expect("the model has every method of the impl");
            let attributes = &method.attributes;
            let signature = signature::signature(method, library, &method.signature.ident);
            let body = signature::body(method, library);
            quote!(#(#attributes)* #visibility #signature #body)
        }
        other => other.to_token_stream(),
    });
    let mut block = TokenStream::new();
    item.brace_token.surround(&mut block, |block| block.extend(items));
    quote!(#(#attributes)* #unsafety #keyword #generics #interface #for_token #ty #clause #block)
}
