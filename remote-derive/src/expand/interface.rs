//! Code for a trait marked `#[remote]`: the trait itself, the alias for its proxy, and one hidden block with all the
//! rest. It must not know how calls are encoded and dispatched.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Type, TypeParamBound, spanned::Spanned};

use super::{
    dispatch,
    hidden_block::hidden_block,
    probe, proxy,
    signature::{self, parameter_names, receiver_token},
};
use crate::{
    model::{Interface, Method},
    names, span,
};

/// Generates the trait and everything beside it.
pub(super) fn expand(interface: &Interface) -> TokenStream {
    let methods = interface.methods.iter().map(|method| trait_method(interface, method));
    let trait_item =
        trait_item(interface, &interface.item.supertraits.iter().collect::<Vec<_>>(), methods);
    let alias = proxy::alias(interface);
    let descriptions = interface.methods.iter().map(|method| description(interface, method));
    let identity = identity(interface);
    let proxy = proxy::implementation(interface);
    let hosts = dispatch::hosts(interface);
    let assertions = interface.methods.iter().map(assertions);
    let block = hidden_block(
        &interface.conditions(),
        &interface.library,
        quote!(#(#descriptions)* #identity #proxy #hosts #(#assertions)*),
    );
    quote!(#trait_item #alias #block)
}

/// Generates the trait with the bounds of an interface, and with these supertraits and methods.
pub(super) fn trait_item(
    interface: &Interface,
    supertraits: &[&TypeParamBound],
    methods: impl Iterator<Item = TokenStream>,
) -> TokenStream {
    let item = &interface.item;
    let (attributes, visibility, keyword, ident) =
        (&item.attrs, &item.vis, &item.trait_token, &item.ident);
    let generics = span::generics(item, &item.generics.params);
    let advice = not_implemented(interface);
    let mut block = TokenStream::new();
    item.brace_token.surround(&mut block, |block| block.extend(methods));
    quote! {
        #(#attributes)*
        #advice
        #visibility #keyword #ident #generics:
            #(#supertraits +)* ::core::marker::Send + ::core::marker::Sync + 'static
        #block
    }
}

/// Generates `impl Interface`: the name, the descriptions of the methods, and the conversion from a proxy.
fn identity(interface: &Interface) -> TokenStream {
    let here = Span::mixed_site();
    let (ident, name) = (&interface.item.ident, &interface.name);
    let reference = format!("Ref<dyn {name}>");
    let own = interface.methods.iter().map(|method| {
        let (conditions, description) =
            (method.conditions(), names::description(&method.signature.ident));
        quote_spanned!(here=> #(#conditions)* &#description)
    });
    let inherited = interface.supertraits.iter().map(|supertrait| {
        let place = span::path_span(supertrait);
        quote_spanned!(place=> <dyn #supertrait as __remote::Interface>::methods)
    });
    let from_proxy = proxy::from_proxy(interface);
    quote_spanned! {here=>
        #[diagnostic::do_not_recommend]
        impl __remote::Interface for dyn #ident {
            const NAME: &'static __remote::str = #name;
            const REFERENCE: &'static __remote::str = #reference;

            fn methods() -> __remote::Vec<&'static __remote::Method> {
                __remote::methods(&[#(#own),*], &[#(#inherited),*])
            }

            #from_proxy
        }
    }
}

fn trait_method(interface: &Interface, method: &Method) -> TokenStream {
    let (library, attributes) = (&interface.library, &method.attributes);
    let signature = signature::signature(method, library, &method.signature.ident);
    if method.body.is_none() {
        return quote!(#(#attributes)* #signature;);
    }
    let (ident, conditions) = (&interface.item.ident, method.conditions());
    let default = names::default_body(&method.signature.ident);
    let default_signature = signature::signature(method, library, &default);
    let default_body = signature::body(method, library);
    let receiver = receiver_token(method);
    let arguments = parameter_names(method);
    // The body is in a separate method, because the proxy overrides this one to send a message.
    quote! {
        #(#attributes)*
        #[allow(clippy::used_underscore_binding)]
        #signature { <Self as #ident>::#default(#receiver #(, #arguments)*) }

        #(#conditions)*
        #[doc(hidden)]
        #default_signature #default_body
    }
}

/// Generates the static that describes a method to both sides.
fn description(interface: &Interface, method: &Method) -> TokenStream {
    let here = Span::mixed_site();
    let conditions = method.conditions();
    let description = names::description(&method.signature.ident);
    let (name, selector) = (&interface.name, &method.selector);
    let parameters = method.parameters.iter().map(|parameter| {
        let (name, text) = (names::selector(&parameter.name), names::text(&parameter.ty));
        let codec = probe::parameter_codec(parameter);
        quote_spanned!(here=> __remote::Parameter { name: #name, ty: __remote::Type { text: #text, shape: |shape| __remote::shape(#codec, shape) } })
    });
    let result = probe::result_codec(method);
    let value_text = names::text(method.result.value.as_ref().unwrap_or(&method.result.ty));
    let error_text = method.result.error.as_ref().map_or_else(|| "Error".to_owned(), names::text);
    quote_spanned! {here=>
        #(#conditions)*
        static #description: __remote::Method = __remote::Method::new(
            #name,
            #selector,
            &[#(#parameters),*],
            __remote::Type { text: #value_text, shape: |shape| __remote::value_shape(#result, shape) },
            __remote::Type { text: #error_text, shape: |shape| __remote::error_shape(#result, shape) },
        );
    }
}

/// Generates assertions that serde can carry the types of a method: only the compiler knows. Each type is asserted
/// once, at the user's token; all other generated code accepts every type, so that there is one error for one type.
fn assertions(method: &Method) -> TokenStream {
    let conditions = method.conditions();
    let parameters = method.parameters.iter().map(|parameter| {
        let ty = parameter.referent.as_ref().unwrap_or(&parameter.ty);
        let place = ty.span();
        let carried = match (&parameter.referent, parameter.borrows) {
            (Some(_), _) => quote_spanned!(place=> __remote::ByReference),
            (None, true) => quote_spanned!(place=> __remote::Borrowing),
            (None, false) => quote_spanned!(place=> __remote::ByValue),
        };
        quote_spanned!(place=> let () = <#ty as #carried>::CARRIED;)
    });
    let ty = &method.result.ty;
    let (value, error) =
        (method.result.value.as_ref().unwrap_or(ty), method.result.error.as_ref().unwrap_or(ty));
    let (value_place, error_place) = (value.span(), error.span());
    let (value, error, probe) =
        (inferred_at(value), inferred_at(error), probe::result_probe(method));
    let is_result = quote_spanned!(ty.span()=> let () = <#ty as __remote::Outcome>::CARRIED;);
    let value =
        quote_spanned!(value_place=> <#value as __remote::ByValue>::carried(#probe.value()););
    let failure =
        quote_spanned!(error_place=> <#error as __remote::Failure>::carried(#probe.failure()););
    let error =
        quote_spanned!(error_place=> <#error as __remote::ByValue>::carried(#probe.error()););
    quote! {
        #(#conditions)*
        const _: fn() = || { #(#parameters)* #is_result #value #failure #error };
    }
}

/// Returns a type to be inferred, with the span of the type that is written in the source.
fn inferred_at(written: &Type) -> TokenStream {
    let mut places = written.to_token_stream().into_iter().map(|token| token.span());
    let first = places.next().unwrap_or_else(Span::call_site);
    let last = places.last().unwrap_or(first);
    let (open, close) = (quote_spanned!(first=> __remote::Itself<_), quote_spanned!(last=> >));
    quote!(#open #close)
}

/// Generates the error text for a class that lists the interface and does not implement it, unless the user has written
/// one.
fn not_implemented(interface: &Interface) -> TokenStream {
    let is_set = interface.item.attrs.iter().any(|attribute| {
        attribute.path().segments.last().is_some_and(|last| last.ident == "on_unimplemented")
    });
    if is_set {
        return TokenStream::new();
    }
    let ident = &interface.item.ident;
    let message = format!("`{{Self}}` does not implement the interface `{ident}`");
    let label = format!("write `#[remote] impl {ident} for {{Self}}`");
    quote!(#[diagnostic::on_unimplemented(message = #message, label = #label)])
}
