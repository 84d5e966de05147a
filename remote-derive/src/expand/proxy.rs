//! Owns the caller's side of an interface: its proxy understands exactly its methods and turns each call into a message. It
//! must not know how the message is answered.

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

/// `pub type GreeterProxy = Proxy<dyn Greeter>;`
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

/// The interface, implemented for its own proxy and for those of interfaces that extend it.
pub(super) fn implementation(interface: &Interface) -> TokenStream {
    let here = Span::mixed_site();
    let ident = &interface.item.ident;
    let methods = interface.methods.iter().map(|method| sent(interface, method));
    // A supertrait that is no interface is refused once, where it is named: here it is taken for granted.
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

/// How a proxy becomes a `dyn` of its interface.
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
    // With a supertrait that is no interface the proxy is none either: a second error for one mistake, if it were not
    // asked for in this way.
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

fn sent(interface: &Interface, method: &Method) -> TokenStream {
    let here = Span::mixed_site();
    let (conditions, library, ident) =
        (method.conditions(), &interface.library, &interface.item.ident);
    let signature = signature::signature(method, library, &method.signature.ident);
    let description = names::description(&method.signature.ident);
    let answer = probe::result_codec(method);
    let receiver = receiver_token(method);
    let pushes = method.parameters.iter().map(|parameter| {
        let (name, codec) = (&parameter.name, probe::parameter_codec(parameter));
        match parameter.lent {
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
            quote_spanned!(here=> __remote::message(#answer, #receiver, &#description, arguments))
        }
        Some(_) => {
            let default = names::default_body(&method.signature.ident);
            let names = parameter_names(method);
            quote_spanned! {here=>
                __remote::message_or_default(#answer, #receiver, &#description, arguments, move || {
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
