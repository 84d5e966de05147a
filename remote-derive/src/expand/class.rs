//! Code for `#[derive(Remote)]`: the registration of the class, and the interfaces that it implements. It must not know
//! their methods.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::hidden_block::hidden_block;
use crate::{model::Class, names, parse::Flag, span};

/// Generates the code that makes the type a class.
pub(super) fn expand(class: &Class) -> TokenStream {
    let here = Span::mixed_site();
    let (ident, name) = (&class.input.ident, &class.name);
    let type_name = names::selector(ident);
    let registered = class.interfaces.iter().map(|interface| {
        let place = span::generated_at(span::path_span(interface));
        quote_spanned!(place=> (&__remote::Registering::<dyn #interface, #ident>::new()).register(class);)
    });
    let listed = class.interfaces.iter().map(|interface| {
        let place = span::path_span(interface);
        quote_spanned! {place=>
            impl __remote::Implements<dyn #interface> for #ident {}
            const _: fn(&#ident) = |object| {
                let _: &dyn #interface = object;
            };
        }
    });
    let builder = |flag, method| class.options.has(flag).then_some(method);
    let serial = builder(Flag::Serial, quote_spanned!(here=> .serial()));
    let stop_on_panic = builder(Flag::StopOnPanic, quote_spanned!(here=> .stopping_on_panic()));
    let content = quote_spanned! {here=>
        static CLASS: __remote::ClassInfo = __remote::ClassInfo::new(
            #name,
            ::core::concat!(::core::module_path!(), "::", #type_name),
            |class| { #(#registered)* },
        )#serial #stop_on_panic;
        impl __remote::Class for #ident {
            fn class() -> &'static __remote::ClassInfo {
                &CLASS
            }
        }
        #(#listed)*
        __remote::inventory::submit! { __remote::Registration(&CLASS) }
    };
    hidden_block(&[], &class.library, content)
}
