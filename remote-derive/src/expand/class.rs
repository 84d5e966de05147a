//! Owns what `#[derive(Remote)]` adds to a type: its entry in the registry of classes, and the interfaces that it answers
//! to. It must not know their methods.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::hidden_block::hidden_block;
use crate::{model::Class, names, parse::Conduct, span};

/// The type as a class.
pub(super) fn expand(class: &Class) -> TokenStream {
    let here = Span::mixed_site();
    let (ident, name) = (&class.input.ident, &class.name);
    let written = names::selector(ident);
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
    let asked = |conduct, method| class.options.asks_for(conduct).then_some(method);
    let serial = asked(Conduct::Serial, quote_spanned!(here=> .serial()));
    let stopping = asked(Conduct::StopOnPanic, quote_spanned!(here=> .stopping_on_panic()));
    let content = quote_spanned! {here=>
        static CLASS: __remote::ClassInfo = __remote::ClassInfo::new(
            #name,
            ::core::concat!(::core::module_path!(), "::", #written),
            |class| { #(#registered)* },
        )#serial #stopping;
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
