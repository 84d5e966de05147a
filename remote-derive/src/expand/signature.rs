//! Code for an `async fn` as a method that returns a `Call`: one lifetime for all borrowed parameters, and the body as
//! a future. It must not know whether the method belongs to a trait, an object or a proxy.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    GenericParam, Generics, Ident, Lifetime, ParenthesizedGenericArguments, Path, Receiver,
    ReceiverKind, ReturnType, Token, Type, TypeFnPtr, TypeReference, WhereClause, parse_quote,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use crate::{
    model::{Method, Parameter},
    names, span,
};

/// Generates the signature under this name: `fn greet<'remote>(&'remote self, name: &'remote str) -> Call<'remote,
/// Result<String>>`.
///
/// Parts that are invalid in an interface are kept if possible: the fallback uses the same signatures.
pub(super) fn signature(method: &Method, library: &Path, name: &Ident) -> TokenStream {
    let lifetime = lifetime();
    let generics: Vec<_> = method
        .signature
        .generics
        .params
        .iter()
        .filter(|parameter| !is_lifetime(parameter))
        .collect();
    let clause = where_clause(&method.signature.generics);
    let receiver = method.receiver().map(receiver);
    let parameters = method.parameters.iter().map(typed_parameter);
    let inputs = receiver.into_iter().chain(parameters);
    let keyword = &method.signature.fn_token;
    let call = call(method, library);
    quote!(#keyword #name<#lifetime #(, #generics)*>(#(#inputs),*) -> #call #clause)
}

/// Generates the body as the future of a call: as in an `async fn`, every parameter moves into it, used or not.
pub(super) fn body(method: &Method, library: &Path) -> TokenStream {
    let Some(body) = &method.body else { return TokenStream::new() };
    let here = Span::mixed_site();
    let place = span::generated_at(body.brace_token.span.join());
    let bindings = method.parameters.iter().map(|parameter| {
        let (pattern, name) = (&parameter.pattern, &parameter.name);
        quote_spanned! {here=>
            #[allow(clippy::no_effect_underscore_binding, clippy::used_underscore_binding)]
            let #pattern = #name;
        }
    });
    let (result, call) = match &method.result.deferred {
        Some(deferred) => (&deferred.ty, quote_spanned!(place=> later)),
        None => (&method.result.ty, quote_spanned!(place=> new)),
    };
    let (result, statements) = (with_one_lifetime(result), &body.stmts);
    let statements = quote_spanned!(place=> { #(#statements)* });
    let library = span::placed(library.to_token_stream(), place);
    // An async block cannot declare its type. A `return` that is never reached does, so that the compiler reports a
    // wrong type in the body at its place, as in an `async fn`.
    let future = quote_spanned! {place=>
        #library::Call::#call(async move {
            if let ::core::option::Option::Some(result) = ::core::option::Option::None::<#result> {
                return result;
            }
            #(#bindings)*
            #[allow(clippy::diverging_sub_expression)]
            let result: #result = #statements;
            #[allow(unreachable_code)]
            result
        })
    };
    let mut block = TokenStream::new();
    body.brace_token.surround(&mut block, |block| block.extend(future));
    block
}

/// Generates `Call<'remote, Result<String>>`, with the span of the result.
fn call(method: &Method, library: &Path) -> TokenStream {
    let place = span::generated_at(match &method.signature.output {
        ReturnType::Default => method.signature.ident.span(),
        ReturnType::Type(arrow, _) => arrow.span(),
    });
    let (lifetime, result) = (lifetime(), with_one_lifetime(&method.result.ty));
    let library = span::placed(library.to_token_stream(), place);
    quote_spanned!(place=> #library::Call<#lifetime, #result>)
}

/// Returns the names of the parameters in generated signatures.
pub(super) fn parameter_names(method: &Method) -> impl Iterator<Item = &Ident> {
    method.parameters.iter().map(|parameter| &parameter.name)
}

/// Returns the `self` token of a method: hygiene requires the one of the source.
pub(super) fn receiver_token(method: &Method) -> Option<Token![self]> {
    method.receiver().map(|receiver| receiver.self_token)
}

fn lifetime() -> Lifetime {
    Lifetime::new(names::LIFETIME, Span::mixed_site())
}

/// Adds `Send` bounds for type parameters. Generic methods are invalid; without the bounds there would be a second
/// error.
fn where_clause(generics: &Generics) -> Option<WhereClause> {
    let lifetime = lifetime();
    let mut clause = generics.where_clause.clone();
    for parameter in generics.type_params() {
        let ident = &parameter.ident;
        let predicates = &mut clause.get_or_insert_with(|| parse_quote!(where)).predicates;
        predicates.push(parse_quote!(#ident: ::core::marker::Send + #lifetime));
    }
    clause
}

fn is_lifetime(parameter: &GenericParam) -> bool {
    matches!(parameter, GenericParam::Lifetime(_))
}

fn receiver(receiver: &Receiver) -> TokenStream {
    let lifetime = lifetime();
    let token = &receiver.self_token;
    match &receiver.kind {
        ReceiverKind::Reference(and, _, mutability) => quote!(#and #lifetime #mutability #token),
        ReceiverKind::Value => quote!(#token),
        ReceiverKind::Typed(colon, ty) => {
            let ty = with_one_lifetime(ty);
            quote!(#token #colon #ty)
        }
        _ => receiver.to_token_stream(),
    }
}

fn typed_parameter(parameter: &Parameter) -> TokenStream {
    let name = &parameter.name;
    let attributes = &parameter.attributes;
    let ty = with_one_lifetime(&parameter.ty);
    quote!(#(#attributes)* #name: #ty)
}

/// Returns the type with every elided or named lifetime replaced by the call's.
fn with_one_lifetime(ty: &Type) -> Type {
    let mut ty = ty.clone();
    OneLifetime.visit_type_mut(&mut ty);
    ty
}

struct OneLifetime;

impl VisitMut for OneLifetime {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(lifetime);
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, place: &mut Lifetime) {
        if place.ident != "static" {
            *place = lifetime();
        }
    }

    // Lifetimes elided in a function's type are bound by that type.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }
}
