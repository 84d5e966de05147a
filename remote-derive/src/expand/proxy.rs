//! Code for the caller's side of an interface: its implementation for the proxy, which sends each call as a message. It
//! must not know how the callee dispatches the message.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{
    probe,
    signature::{self, parameter_names, receiver_token},
};
use crate::{
    model::{Interface, Method},
    names, span,
};

/// Generates `pub type GreeterProxy = Proxy<dyn Greeter>;`.
pub(super) fn alias(interface: &Interface) -> TokenStream {
    let conditions = interface.conditions();
    let (ident, visibility, library) =
        (&interface.item.ident, &interface.item.vis, &interface.library);
    let proxy = names::proxy(ident);
    let text = format!(" The proxy of [`{ident}`], to which a `Ref<dyn {ident}>` dereferences.");
    quote! {
        #(#conditions)*
        #[doc = #text]
        #[allow(dead_code)]
        #visibility type #proxy = #library::Proxy<dyn #ident>;
    }
}

/// Generates the implementation for the proxies of the interface and of the interfaces that extend it.
pub(super) fn implementation(interface: &Interface) -> TokenStream {
    let here = Span::mixed_site();
    let ident = &interface.item.ident;
    let methods = interface.methods.iter().map(|method| method_item(interface, method));
    // A bound, so that a supertrait that is not an interface is an error once, where it is named, and not here as well.
    let assumed = interface.supertraits.iter();
    let generics = span::generics(&interface.item, &quote_spanned!(here=> __Interface));
    quote_spanned! {here=>
        #[diagnostic::do_not_recommend]
        impl #generics #ident for __remote::Proxy<__Interface>
        where
            __Interface: ?::core::marker::Sized + __remote::Interface + #ident,
            #(__remote::Proxy<__Interface>: #assumed,)*
        {
            #(#methods)*
        }
    }
}

/// Generates the conversion from a proxy to a `dyn` of its interface.
pub(super) fn from_proxy(interface: &Interface) -> TokenStream {
    let here = Span::mixed_site();
    let (ident, supertraits) = (&interface.item.ident, &interface.supertraits);
    if supertraits.is_empty() {
        return quote_spanned! {here=>
            fn from_proxy(proxy: &__remote::Proxy<Self>) -> &Self {
                proxy
            }
        };
    }
    // If a supertrait is not an interface, the proxy does not implement this trait. Selected this way (autoref
    // specialization), that is not a second error.
    quote_spanned! {here=>
        fn from_proxy(proxy: &__remote::Proxy<Self>) -> &Self {
            trait Upcast<'a> {
                fn upcast(&self) -> &'a dyn #ident;
            }
            impl<'a, __Interface> Upcast<'a> for __remote::Upcasting<'a, __Interface>
            where
                __Interface: ?::core::marker::Sized,
                __remote::Proxy<__Interface>: #ident,
            {
                fn upcast(&self) -> &'a dyn #ident {
                    self.0
                }
            }
            (&__remote::Upcasting(proxy)).upcast()
        }
    }
}

fn method_item(interface: &Interface, method: &Method) -> TokenStream {
    let here = Span::mixed_site();
    let (conditions, library, ident) =
        (method.conditions(), &interface.library, &interface.item.ident);
    let signature = signature::signature(method, library, &method.signature.ident);
    let description = names::description(&method.signature.ident);
    let result = probe::result_codec(method);
    let receiver = receiver_token(method);
    let pushes = method.parameters.iter().map(|parameter| {
        let (name, codec) = (&parameter.name, probe::parameter_codec(parameter));
        match parameter.referent {
            Some(_) => quote_spanned!(here=> __remote::push(#codec, #name, encoder)?;),
            None => quote_spanned!(here=> __remote::push(#codec, &#name, encoder)?;),
        }
    });
    let arguments = match method.parameters.is_empty() {
        true => quote_spanned!(here=> __remote::Payload::encode(|_| __remote::Ok(()))),
        false => {
            quote_spanned!(here=> __remote::Payload::encode(|encoder| { #(#pushes)* __remote::Ok(()) }))
        }
    };
    let send = match method.body {
        None => {
            quote_spanned!(here=> __remote::message(#result, #receiver, &#description, arguments))
        }
        Some(_) => {
            let default = names::default_body(&method.signature.ident);
            let names = parameter_names(method);
            quote_spanned! {here=>
                __remote::message_or_default(#result, #receiver, &#description, arguments, move || {
                    <Self as #ident>::#default(#receiver #(, #names)*)
                })
            }
        }
    };
    quote_spanned! {here=>
        #(#conditions)*
        #signature {
            let arguments = #arguments;
            #send
        }
    }
}
