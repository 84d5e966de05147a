//! Code for the callee's side of an interface: for each method a function that decodes the arguments, calls the object,
//! and encodes the result. It must not know how the message arrived.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::spanned::Spanned;

use super::probe::{parameter_codec, result_codec, result_probe};
use crate::{
    model::{Interface, Method},
    names, span,
};

/// Generates the registration of the interface and its supertraits for every class that implements it.
pub(super) fn hosts(interface: &Interface) -> TokenStream {
    let here = Span::mixed_site();
    let ident = &interface.item.ident;
    let inherited = interface.supertraits.iter().map(|supertrait| {
        let place = span::generated_at(span::path_span(supertrait));
        quote_spanned!(place=> (&__remote::Registering::<dyn #supertrait, __Class>::new()).register(class);)
    });
    let generics =
        span::generics(&interface.item, &quote_spanned!(here=> __Class: __remote::Class + #ident));
    let methods = interface.methods.iter().map(|method| registration(interface, method));
    quote_spanned! {here=>
        impl #generics __remote::Hosts<__Class> for dyn #ident {
            fn register(class: &mut __remote::ClassBuilder) {
                #(#inherited)*
                class.interface::<Self>(<Self as __remote::Interface>::NAME);
                #(#methods)*
            }
        }
    }
}

fn registration(interface: &Interface, method: &Method) -> TokenStream {
    let here = Span::mixed_site();
    let (conditions, trait_ident) = (method.conditions(), &interface.item.ident);
    let (ident, description) =
        (&method.signature.ident, names::description(&method.signature.ident));
    let result = result_codec(method);
    let names: Vec<_> = (0..method.parameters.len())
        .map(|position| format_ident!("argument_{position}", span = here))
        .collect();
    let reads = method.parameters.iter().map(|parameter| {
        let codec = parameter_codec(parameter);
        quote_spanned!(here=> __remote::next(#codec, decoder)?)
    });
    let decode = (!names.is_empty()).then(|| {
        quote_spanned! {here=>
            let (#(#names,)*) = match incoming.decode(|decoder| __remote::Ok((#(#reads,)*))) {
                __remote::Ok(arguments) => arguments,
                __remote::Err(error) => return __remote::Reply::Fault(error),
            };
        }
    });
    let decode = decode.unwrap_or_else(|| {
        quote_spanned! {here=>
            if let __remote::Err(error) = incoming.decode(|_| __remote::Ok(())) {
                return __remote::Reply::Fault(error);
            }
        }
    });
    let arguments =
        method.parameters.iter().zip(&names).map(|(parameter, name)| match parameter.referent {
            Some(_) => quote_spanned!(here=> &*#name),
            None => quote_spanned!(here=> #name),
        });
    let (call, returned) = (quote_spanned!(here=> call), quote_spanned!(here=> returned));
    let (probe, place) = (result_probe(method), span::generated_at(method.result.ty.span()));
    let future =
        quote_spanned!(place=> #probe.future(#call, __remote::deferred_reply(#result)).await);
    let reply = quote_spanned!(place=> __remote::reply(#result, #returned));
    quote_spanned! {here=>
        #(#conditions)*
        class.method(&#description, |near, incoming| __remote::Box::pin(async move {
            #decode
            let call = <__Class as #trait_ident>::#ident(near.get::<__Class>() #(, #arguments)*);
            let returned = #future;
            #reply
        }));
    }
}
