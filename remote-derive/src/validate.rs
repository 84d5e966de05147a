//! Validation: the compile errors for invalid interfaces, implementations and classes, each with a text that says what
//! to write instead. All errors are reported, each once. It must not generate code. What depends on types, not on their
//! spelling (if serde can carry them), is checked by assertions in the generated code.

mod errors;
mod options;
pub(crate) mod types;

#[cfg(test)]
mod tests;

use quote::ToTokens;
use syn::{
    Data, Error, GenericParam, Item, ItemTrait, Pat, PatIdent, Path, PathArguments, Receiver,
    ReceiverKind, ReturnType, Safety, Signature, TraitItem, TypeParamBound,
};

use self::errors::Errors;
use crate::{
    model::{Class, Implementation, Interface, Method, Parameter, peel, receiver_span},
    names,
};

/// The methods of `Ref<dyn T>` itself. A method of `T` with one of these names could not be called on the reference.
const METHODS_OF_REF: [&str; 16] = [
    "borrow",
    "borrow_mut",
    "clone",
    "clone_from",
    "clone_into",
    "deref",
    "drop",
    "eq",
    "fmt",
    "hash",
    "into",
    "ne",
    "serialize",
    "to_owned",
    "try_into",
    "type_id",
];

/// Traits that users may write as supertraits and that are not interfaces.
const FOREIGN_TRAITS: [&str; 16] = [
    "Any",
    "AsRef",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deserialize",
    "Display",
    "Eq",
    "Error",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Serialize",
    "Sized",
];

/// Validates a trait marked `#[remote]`.
pub(crate) fn interface(interface: &Interface) -> Result<(), Error> {
    let mut errors = Errors::default();
    options::known(&interface.options, &mut errors);
    options::no_list(
        &interface.options,
        "`#[remote(..)]` on a trait lists no interfaces: write supertraits after the colon, `trait T: Super`",
        &mut errors,
    );
    options::no_flags(&interface.options, &mut errors);
    declaration(&interface.item, &mut errors);
    for item in &interface.item.items {
        if !matches!(item, TraitItem::Fn(_)) {
            errors.at(item, "an interface has only methods: move this to another trait");
        }
    }
    for method in &interface.methods {
        interface_method(method, &mut errors);
    }
    errors.into_result()
}

/// Validates an `impl` marked `#[remote]`. The compiler checks that it agrees with the trait.
pub(crate) fn implementation(implementation: &Implementation) -> Result<(), Error> {
    let mut errors = Errors::default();
    options::known(&implementation.options, &mut errors);
    options::no_list(
        &implementation.options,
        "`#[remote]` on an `impl` lists no interfaces: name the interface in `impl Interface for Type`",
        &mut errors,
    );
    options::no_flags(&implementation.options, &mut errors);
    if let Some(name) = implementation.options.name() {
        errors.at(
            name,
            "an `impl` has no name on the wire: write `name = \"..\"` on the trait or on the class",
        );
    }
    if implementation.item.trait_.is_none() {
        let place = &implementation.item.self_ty;
        errors
            .at(place, "only methods of an interface can be called by message: write `impl Interface for Type`");
    }
    for method in &implementation.methods {
        asynchronous(&method.signature, &mut errors);
    }
    errors.into_result()
}

/// Validates a type with `#[derive(Remote)]`.
pub(crate) fn class(class: &Class) -> Result<(), Error> {
    let mut errors = Errors::default();
    options::known(&class.options, &mut errors);
    if let Some(parameter) = class.input.generics.params.first() {
        let place = match parameter {
            GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
            GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
            GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
        };
        errors.at(
            place,
            "a class has one name and cannot be generic: derive `Remote` for a separate type that wraps each `Type<Argument>`",
        );
    }
    if let Data::Union(data) = &class.input.data {
        errors.at(data.union_token, "a union cannot be a class: use a `struct` or an `enum`");
    }
    if class.interfaces.is_empty() && class.options.syntax_error.is_none() {
        errors.at(
            &class.input.ident,
            "a class must list the interfaces that it implements: add `#[remote(Interface)]`",
        );
    }
    for (position, interface) in class.interfaces.iter().enumerate() {
        if has_arguments(interface) {
            errors.at(interface, "an interface is not generic: remove the arguments");
        }
        if class.interfaces[..position]
            .iter()
            .any(|earlier| names::text(earlier) == names::text(interface))
        {
            errors.at(interface, "this interface is already listed: remove one of the two");
        }
    }
    errors.into_result()
}

/// Returns the error for an item that is neither a trait nor an `impl`.
pub(crate) fn other_item(item: &Item) -> Error {
    let advice = match item {
        Item::Struct(_) | Item::Enum(_) | Item::Union(_) => {
            "`#[remote(..)]` on a type needs the derive above it: write `#[derive(Remote)]`, then `#[remote(Interface)]`"
        }
        _ => {
            "`#[remote]` does not apply to this item: write it on a trait, on `impl Interface for Type`, or on a type below `#[derive(Remote)]`"
        }
    };
    match item {
        Item::Struct(item) => Error::new_spanned(&item.ident, advice),
        Item::Enum(item) => Error::new_spanned(&item.ident, advice),
        Item::Union(item) => Error::new_spanned(&item.ident, advice),
        Item::Fn(item) => Error::new_spanned(&item.sig.ident, advice),
        Item::Mod(item) => Error::new_spanned(&item.ident, advice),
        item => Error::new_spanned(item, advice),
    }
}

/// Returns the error for a crate that does not depend on the library.
pub(crate) fn no_library() -> Error {
    Error::new(
        proc_macro2::Span::call_site(),
        "this crate does not depend on `remote-core`: add the dependency, or give its path with `#[remote(crate = path)]`",
    )
}

fn declaration(item: &ItemTrait, errors: &mut Errors) {
    if let Some(unsafety) = &item.unsafety {
        errors.at(
            unsafety,
            "an interface cannot be unsafe, because its proxy implements it, too: write `trait`",
        );
    }
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "an interface cannot be generic, because peers know it by its name alone: write a trait for each type",
        );
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(
            clause,
            "an interface cannot have a `where` clause: write supertraits after the colon",
        );
    }
    for bound in &item.supertraits {
        supertrait(bound, errors);
    }
}

/// Returns true if the bound is valid after the colon of an interface.
pub(crate) fn is_allowed(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Lifetime(lifetime) => lifetime.ident == "static",
        TypeParamBound::Trait(bound) => {
            let plain =
                bound.maybe.is_none() && bound.lifetimes.is_none() && !has_arguments(&bound.path);
            let last = bound.path.segments.last();
            plain && !last.is_some_and(|last| FOREIGN_TRAITS.iter().any(|name| last.ident == name))
        }
        _ => false,
    }
}

fn supertrait(bound: &TypeParamBound, errors: &mut Errors) {
    match bound {
        bound if is_allowed(bound) => {}
        TypeParamBound::Lifetime(lifetime) => {
            errors.at(lifetime, "an interface is `'static`: remove this lifetime, or write `'static`");
        }
        bound => errors.at(
            bound,
            "a proxy cannot implement this: a supertrait must be an interface, a trait marked `#[remote]`",
        ),
    }
}

fn interface_method(method: &Method, errors: &mut Errors) {
    let signature = &method.signature;
    name(method, errors);
    // A function that is not `async` has one error, not a second one for its result.
    if asynchronous(signature, errors) {
        result(method, errors);
    }
    qualifiers(signature, errors);
    receiver(method, errors);
    generics(signature, errors);
    for parameter in &method.parameters {
        self::parameter(parameter, method, errors);
    }
}

fn name(method: &Method, errors: &mut Errors) {
    let selector = method.selector.as_str();
    if METHODS_OF_REF.contains(&selector) {
        errors.at(
            &method.signature.ident,
            format!("`Ref<dyn Trait>` has a method `{selector}` of its own, which would be called instead: choose another name"),
        );
    } else if selector.starts_with("__") {
        errors.at(
            &method.signature.ident,
            "names that begin with `__` are reserved for generated code: choose another name",
        );
    }
}

fn asynchronous(signature: &Signature, errors: &mut Errors) -> bool {
    if signature.asyncness.is_none() {
        errors.at(
            signature.fn_token,
            format!(
                "a method of an interface is asynchronous: write `async fn {}`",
                names::selector(&signature.ident)
            ),
        );
    }
    signature.asyncness.is_some()
}

fn qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(constness) = &signature.constness {
        errors.at(constness, "a method of an interface cannot be `const`: remove it");
    }
    if !matches!(signature.safety, Safety::Default) {
        errors.at(
            &signature.safety,
            "a method of an interface cannot have a safety qualifier: remove it",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a method of an interface has no calling convention: remove `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(
            variadic,
            "a method of an interface has a fixed number of parameters: pass any number of values as `&[V]`",
        );
    }
}

fn receiver(method: &Method, errors: &mut Errors) {
    match method.receiver() {
        Some(Receiver {
            kind: ReceiverKind::Reference(_, lifetime, None),
            mutability: None,
            ..
        }) => {
            let named = lifetime.as_ref().filter(|lifetime| lifetime.ident != "_");
            if let Some(lifetime) =
                named.filter(|lifetime| !types::is_declared(lifetime, &method.signature))
            {
                errors.at(
                    lifetime,
                    "all borrowed parameters share one lifetime, which has no name: write `&self`",
                );
            }
        }
        Some(receiver @ Receiver { kind: ReceiverKind::Reference(_, _, Some(_)), .. }) => {
            errors.at(receiver, "an object is shared by all its references: write `&self`, and keep mutable state in a `Mutex` or an atomic");
        }
        Some(receiver) => {
            errors.at(receiver, "a method takes its object as `&self` only: write `&self`");
        }
        None => errors.at_span(
            receiver_span(method),
            "a method is called on an object: write `&self` as the first parameter",
        ),
    }
}

fn generics(signature: &Signature, errors: &mut Errors) {
    for parameter in &signature.generics.params {
        match parameter {
            GenericParam::Lifetime(parameter) => {
                errors.at(&parameter.lifetime, "all borrowed parameters share one lifetime, which has no name: write `&T`");
            }
            GenericParam::Type(parameter) => errors.at(
                &parameter.ident,
                "a method of an interface cannot be generic, because the peer must know its types: name the type, or pass `Box<dyn Value>` or `Ref<dyn Trait>`",
            ),
            GenericParam::Const(parameter) => errors.at(
                &parameter.ident,
                "a method of an interface cannot be generic, because the peer must know its types: name the length, or pass `&[V]`",
            ),
        }
    }
    // Generic parameters are an error already; their bounds are not a second one.
    if let Some(clause) =
        signature.generics.where_clause.as_ref().filter(|_| signature.generics.params.is_empty())
    {
        errors.at(clause, "a method of an interface cannot have a `where` clause: remove it");
    }
}

fn parameter(parameter: &Parameter, method: &Method, errors: &mut Errors) {
    if let Some(condition) =
        parameter.attributes.iter().find(|attribute| attribute.path().is_ident("cfg"))
    {
        errors.at(
            condition,
            "a parameter cannot be conditional, because caller and callee must agree on it: put `#[cfg(..)]` on the method",
        );
    }
    match &parameter.pattern {
        Pat::Ident(PatIdent { by_ref: None, subpat: None, mutability, .. })
            if method.body.is_some() || mutability.is_none() => {}
        pattern => errors.at(pattern, "a parameter of an interface needs a plain name: write `name: Type`, and match the pattern in the body"),
    }
    types::parameter(&parameter.ty, &method.signature, errors);
}

fn result(method: &Method, errors: &mut Errors) {
    match &method.signature.output {
        ReturnType::Default => errors.at(
            &method.signature.ident,
            "every call can fail, because a connection can be lost: write `-> Result<()>`",
        ),
        ReturnType::Type(_, ty) => match &method.result.deferred {
            Some(deferred) => {
                let seen = names::text(&method.result.ty);
                errors.at(&deferred.later, format!("deferring a reply is not part of the interface: write `{seen}` here, and `Later` in the `impl`"));
            }
            None => types::result(peel(ty), &method.signature, errors),
        },
    }
}

fn has_arguments(path: &Path) -> bool {
    path.segments.iter().any(|segment| !matches!(segment.arguments, PathArguments::None))
}
