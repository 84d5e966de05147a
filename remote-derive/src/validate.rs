//! Owns every refusal: what an interface, an implementation and a class may not say, and the text that tells its author
//! what to write instead. Mistakes are gathered, one error for each. It must not generate code, and what only the types
//! themselves can tell (whether serde carries them) is left to assertions in the expansion.

mod faults;
mod options;
pub(crate) mod types;

#[cfg(test)]
mod tests;

use quote::ToTokens;
use syn::{
    Data, Error, GenericParam, Item, ItemTrait, Pat, PatIdent, Path, PathArguments, Receiver,
    ReceiverKind, ReturnType, Safety, Signature, TraitItem, TypeParamBound,
};

use self::faults::Faults;
use crate::{
    model::{Class, Implementation, Interface, Method, Parameter, peel, receiver_span},
    names,
};

/// What `Ref<dyn T>` answers itself, before it looks at the methods of `T`.
const ANSWERED_BY_REF: [&str; 16] = [
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

/// Supertraits that many would write and that are no interfaces.
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

/// Refuses what a trait marked `#[remote]` may not say.
pub(crate) fn interface(interface: &Interface) -> Result<(), Error> {
    let mut faults = Faults::default();
    options::known(&interface.options, &mut faults);
    options::no_list(
        &interface.options,
        "a class lists its interfaces, a trait names its supertraits: `trait T: Super`",
        &mut faults,
    );
    options::no_conduct(&interface.options, &mut faults);
    declaration(&interface.item, &mut faults);
    for item in &interface.item.items {
        if !matches!(item, TraitItem::Fn(_)) {
            faults.at(item, "an interface consists of methods alone: what is not a message belongs in another trait");
        }
    }
    for method in &interface.methods {
        interface_method(method, &mut faults);
    }
    faults.into_result()
}

/// Refuses what an `impl` marked `#[remote]` may not say. What has to agree with the trait is left to the compiler.
pub(crate) fn implementation(implementation: &Implementation) -> Result<(), Error> {
    let mut faults = Faults::default();
    options::known(&implementation.options, &mut faults);
    options::no_list(
        &implementation.options,
        "the interface stands in `impl Interface for Type`",
        &mut faults,
    );
    options::no_conduct(&implementation.options, &mut faults);
    if let Some(name) = implementation.options.name() {
        faults.at(name, "an interface is named on its trait, a class on its type");
    }
    if implementation.item.trait_.is_none() {
        let place = &implementation.item.self_ty;
        faults
            .at(place, "only what an interface declares is sent: write `impl Interface for Type`");
    }
    for method in &implementation.methods {
        asynchronous(&method.signature, &mut faults);
    }
    faults.into_result()
}

/// Refuses what a type with `#[derive(Remote)]` may not say.
pub(crate) fn class(class: &Class) -> Result<(), Error> {
    let mut faults = Faults::default();
    options::known(&class.options, &mut faults);
    if let Some(parameter) = class.input.generics.params.first() {
        let place = match parameter {
            GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
            GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
            GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
        };
        faults.at(
            place,
            "a class has one name and so cannot be generic: derive `Remote` for a type of its own around each `Type<Argument>`",
        );
    }
    if let Data::Union(data) = &class.input.data {
        faults.at(data.union_token, "a class is a `struct` or an `enum`");
    }
    if class.interfaces.is_empty() && class.options.unreadable.is_none() {
        faults.at(
            &class.input.ident,
            "a class lists the interfaces that it answers to: add `#[remote(Interface)]`",
        );
    }
    for (position, interface) in class.interfaces.iter().enumerate() {
        if has_arguments(interface) {
            faults.at(interface, "an interface is not generic: name it alone");
        }
        if class.interfaces[..position]
            .iter()
            .any(|earlier| names::text(earlier) == names::text(interface))
        {
            faults.at(interface, "this interface is listed already: name it once");
        }
    }
    faults.into_result()
}

/// Refuses an item that is neither a trait nor an `impl`.
pub(crate) fn other_item(item: &Item) -> Error {
    let advice = match item {
        Item::Struct(_) | Item::Enum(_) | Item::Union(_) => {
            "`#[remote(..)]` on a type needs the derive above it: write `#[derive(Remote)]`, then `#[remote(Interface)]`"
        }
        _ => {
            "`#[remote]` goes on a trait, on `impl Interface for Type`, or on a type below `#[derive(Remote)]`"
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

/// Refuses to expand where the library cannot be named.
pub(crate) fn no_library() -> Error {
    Error::new(
        proc_macro2::Span::call_site(),
        "`remote-core` is no dependency of this crate: add it, or say where it is with `#[remote(crate = path)]`",
    )
}

fn declaration(item: &ItemTrait, faults: &mut Faults) {
    if let Some(unsafety) = &item.unsafety {
        faults.at(
            unsafety,
            "an interface is implemented by far objects too and cannot be unsafe: write `trait`",
        );
    }
    if !item.generics.params.is_empty() {
        faults.at(
            &item.generics,
            "an interface cannot be generic, as its name says what travels: write a trait for each type",
        );
    }
    if let Some(clause) = &item.generics.where_clause {
        faults.at(clause, "an interface has no `where`: name its superinterfaces after the colon");
    }
    for bound in &item.supertraits {
        supertrait(bound, faults);
    }
}

/// Whether the bound may stand after the colon of an interface.
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

fn supertrait(bound: &TypeParamBound, faults: &mut Faults) {
    match bound {
        bound if is_allowed(bound) => {}
        TypeParamBound::Lifetime(lifetime) => {
            faults.at(lifetime, "an object outlives its messages: leave this out, or write `'static`");
        }
        bound => faults.at(
            bound,
            "a far object cannot promise this: a supertrait is an interface itself, marked `#[remote]`",
        ),
    }
}

fn interface_method(method: &Method, faults: &mut Faults) {
    let signature = &method.signature;
    name(method, faults);
    // The result of what is not asynchronous is no message's result yet: one mistake, one error.
    if asynchronous(signature, faults) {
        answer(method, faults);
    }
    qualifiers(signature, faults);
    receiver(method, faults);
    generics(signature, faults);
    for parameter in &method.parameters {
        self::parameter(parameter, method, faults);
    }
}

fn name(method: &Method, faults: &mut Faults) {
    let selector = method.selector.as_str();
    if ANSWERED_BY_REF.contains(&selector) {
        faults.at(
            &method.signature.ident,
            format!("`Ref<dyn Trait>` answers `{selector}` itself, so that it would never be sent: choose another name"),
        );
    } else if selector.starts_with("__") {
        faults.at(
            &method.signature.ident,
            "names that begin with `__` are kept for generated code: choose another",
        );
    }
}

fn asynchronous(signature: &Signature, faults: &mut Faults) -> bool {
    if signature.asyncness.is_none() {
        faults.at(
            signature.fn_token,
            format!(
                "a message takes its time: write `async fn {}`",
                names::selector(&signature.ident)
            ),
        );
    }
    signature.asyncness.is_some()
}

fn qualifiers(signature: &Signature, faults: &mut Faults) {
    if let Some(constness) = &signature.constness {
        faults.at(constness, "a message is never sent while compiling: leave out `const`");
    }
    if !matches!(signature.safety, Safety::Default) {
        faults
            .at(&signature.safety, "a message cannot carry a promise about memory: leave this out");
    }
    if let Some(abi) = &signature.abi {
        faults.at(abi, "a message has no calling convention: leave out `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        faults.at(
            variadic,
            "a message has a fixed number of parameters: write `&[V]` for any number of values",
        );
    }
}

fn receiver(method: &Method, faults: &mut Faults) {
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
                faults.at(lifetime, "all borrowed parameters share one lifetime, which needs no name: write `&self`");
            }
        }
        Some(receiver @ Receiver { kind: ReceiverKind::Reference(_, _, Some(_)), .. }) => {
            faults.at(receiver, "an object is shared by all who hold a reference: write `&self`, and keep what changes in a `Mutex` or an atomic");
        }
        Some(receiver) => {
            faults
                .at(receiver, "an object stays where it is when it gets a message: write `&self`");
        }
        None => faults.at_span(
            receiver_span(method),
            "a message goes to an object: write `&self` as the first parameter",
        ),
    }
}

fn generics(signature: &Signature, faults: &mut Faults) {
    for parameter in &signature.generics.params {
        match parameter {
            GenericParam::Lifetime(parameter) => {
                faults.at(&parameter.lifetime, "all borrowed parameters share one lifetime, which needs no name: write `&T`");
            }
            GenericParam::Type(parameter) => faults.at(
                &parameter.ident,
                "a message cannot be generic, as the far side must know its types: name the type, or pass `Box<dyn Value>` or `Ref<dyn Trait>`",
            ),
            GenericParam::Const(parameter) => faults.at(
                &parameter.ident,
                "a message cannot be generic, as the far side must know its types: name the length, or pass `&[V]`",
            ),
        }
    }
    // Bounds on parameters that are refused already would be a second error for one mistake.
    if let Some(clause) =
        signature.generics.where_clause.as_ref().filter(|_| signature.generics.params.is_empty())
    {
        faults.at(clause, "a message is sent to every object of its interface: leave out `where`");
    }
}

fn parameter(parameter: &Parameter, method: &Method, faults: &mut Faults) {
    if let Some(condition) =
        parameter.attributes.iter().find(|attribute| attribute.path().is_ident("cfg"))
    {
        faults.at(
            condition,
            "both sides must agree on the parameters: put the condition on the method",
        );
    }
    match &parameter.pattern {
        Pat::Ident(PatIdent { by_ref: None, subpat: None, mutability, .. })
            if method.body.is_some() || mutability.is_none() => {}
        pattern => faults.at(pattern, "a parameter's name is part of the interface: give it a plain one, and take it apart in the body"),
    }
    types::parameter(&parameter.ty, &method.signature, faults);
}

fn answer(method: &Method, faults: &mut Faults) {
    match &method.signature.output {
        ReturnType::Default => faults.at(
            &method.signature.ident,
            "every message can fail, at least by a lost connection: write `-> Result<()>`",
        ),
        ReturnType::Type(_, ty) => match &method.answer.postponed {
            Some(postponed) => {
                let seen = names::text(&method.answer.ty);
                faults.at(&postponed.later, format!("callers do not see when a reply is given: write `{seen}` here, and `Later` in the `impl`"));
            }
            None => types::answer(peel(ty), &method.signature, faults),
        },
    }
}

fn has_arguments(path: &Path) -> bool {
    path.segments.iter().any(|segment| !matches!(segment.arguments, PathArguments::None))
}
