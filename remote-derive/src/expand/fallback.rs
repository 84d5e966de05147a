//! Code that is generated beside errors, so that the compiler reports no others: the trait, with what is valid of its
//! methods, and empty implementations of all that other code relies on. It is never executed.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Item, Path, ReceiverKind, TypeParamBound, parse_quote};

use super::{hidden_block::hidden_block, interface::trait_item, proxy, signature};
use crate::{
    model::{Class, Interface, Method},
    names, span,
    validate::{self, types},
};

/// Generates the code for an invalid trait.
pub(super) fn interface(interface: &Interface) -> TokenStream {
    let here = Span::mixed_site();
    let library = &interface.library;
    let ident = &interface.item.ident;
    let signatures: Vec<_> =
        interface.methods.iter().map(|method| signature_without_errors(method, library)).collect();
    let methods = interface.methods.iter().zip(&signatures).map(|(method, signature)| {
        let attributes = &method.attributes;
        let end = match method.body {
            Some(_) => quote!({ ::core::unreachable!() }),
            None => quote!(;),
        };
        quote!(#(#attributes)* #[allow(unused_variables)] #signature #end)
    });
    let supertraits: Vec<_> =
        interface.item.supertraits.iter().filter(|bound| validate::is_allowed(bound)).collect();
    let trait_item = trait_item(interface, &supertraits, methods);
    if !interface.item.generics.params.is_empty() {
        return trait_item;
    }
    let alias = proxy::alias(interface);
    let proxy_methods = interface.methods.iter().zip(&signatures).map(|(method, signature)| {
        let conditions = method.conditions();
        quote!(#(#conditions)* #signature { ::core::unreachable!() })
    });
    let generics = span::generics(&interface.item, &quote_spanned!(here=> __Interface));
    let assumed = supertraits.iter().filter(|bound| matches!(bound, TypeParamBound::Trait(_)));
    let block = hidden_block(
        &interface.conditions(),
        library,
        quote_spanned! {here=>
            impl __remote::Interface for dyn #ident {
                const NAME: &'static __remote::str = "";
                const REFERENCE: &'static __remote::str = "";
                fn methods() -> __remote::Vec<&'static __remote::Method> {
                    ::core::unreachable!()
                }
                fn from_proxy(_: &__remote::Proxy<Self>) -> &Self {
                    ::core::unreachable!()
                }
            }
            #[allow(unused_variables)]
            impl #generics #ident for __remote::Proxy<__Interface>
            where
                __Interface: ?::core::marker::Sized + __remote::Interface + #ident,
                #(__remote::Proxy<__Interface>: #assumed,)*
            {
                #(#proxy_methods)*
            }
            impl<__Class: __remote::Class + #ident> __remote::Hosts<__Class> for dyn #ident {
                fn register(_: &mut __remote::ClassBuilder) {}
            }
        },
    );
    quote!(#trait_item #alias #block)
}

/// Generates the code for an invalid class.
pub(super) fn class(class: &Class) -> TokenStream {
    let here = Span::mixed_site();
    let (ident, library) = (&class.input.ident, &class.library);
    let (generics, arguments, clause) = class.input.generics.split_for_impl();
    let bounds: Vec<_> =
        clause.map(|clause| clause.predicates.iter()).into_iter().flatten().collect();
    let clause = quote_spanned! {here=>
        where #ident #arguments: ::core::marker::Send + ::core::marker::Sync + 'static, #(#bounds,)*
    };
    let listed = class.interfaces.iter().enumerate().filter(|(position, interface)| {
        !class.interfaces[..*position]
            .iter()
            .any(|earlier| names::text(earlier) == names::text(interface))
    });
    let listed = listed.map(|(_, interface)| {
        quote_spanned!(here=> impl #generics __remote::Implements<dyn #interface> for #ident #arguments #clause {})
    });
    let content = quote_spanned! {here=>
        impl #generics __remote::Class for #ident #arguments #clause {
            fn class() -> &'static __remote::ClassInfo {
                ::core::unreachable!()
            }
        }
        #(#listed)*
    };
    hidden_block(&[], library, content)
}

/// Returns an item that `#[remote]` does not apply to, unchanged.
pub(super) fn other_item(item: &Item) -> TokenStream {
    item.to_token_stream()
}

/// Generates the signature without the parts that are not dyn compatible, so that the trait can still be used as `dyn`.
fn signature_without_errors(method: &Method, library: &Path) -> TokenStream {
    let mut method = method.clone();
    for parameter in &mut method.parameters {
        if types::is_not_dyn_compatible(&parameter.ty, &method.signature) {
            parameter.ty = parse_quote!(());
        }
    }
    if types::is_not_dyn_compatible(&method.result.ty, &method.signature) {
        method.result.ty = parse_quote!(());
    }
    let generics = &method.signature.generics;
    let by_value = method
        .receiver()
        .is_none_or(|receiver| !matches!(receiver.kind, ReceiverKind::Reference(..)));
    let generic =
        generics.type_params().next().is_some() || generics.const_params().next().is_some();
    if by_value || generic {
        let clause = method.signature.generics.make_where_clause();
        clause.predicates.push(parse_quote!(Self: ::core::marker::Sized));
    }
    signature::signature(&method, library, &method.signature.ident)
}
