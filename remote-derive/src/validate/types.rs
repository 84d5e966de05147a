//! Validation of types by their spelling: borrowed results, `impl Trait`, bare trait objects, named lifetimes. It must
//! not know the methods around them.

use quote::ToTokens;
use syn::{
    GenericArgument, Lifetime, ParenthesizedGenericArguments, Path, PathArguments, PathSegment,
    Signature, Type, TypeFnPtr, TypeImplTrait, TypeInfer, TypeReference, TypeTraitObject,
    visit::{self, Visit},
};

use super::errors::Errors;
use crate::model::peel;

/// Validates the type of a parameter.
pub(super) fn parameter(ty: &Type, signature: &Signature, errors: &mut Errors) {
    Walk::new(Position::Parameter, signature, errors).visit_type(ty);
}

/// Validates the type of a result.
pub(super) fn result(ty: &Type, signature: &Signature, errors: &mut Errors) {
    match peel(ty) {
        Type::Path(_) | Type::Macro(_) => {
            Walk::new(Position::Result, signature, errors).visit_type(ty)
        }
        Type::Reference(reference) => errors.at(reference, BORROWED),
        Type::ImplTrait(ty) => errors.at(ty, IMPL_TRAIT),
        ty => errors.at(ty, NO_RESULT),
    }
}

/// Returns true if a method with this type is not dyn compatible, or does not compile.
pub(crate) fn is_not_dyn_compatible(ty: &Type, signature: &Signature) -> bool {
    let mut errors = Errors::default();
    let mut walk = Walk::new(Position::Parameter, signature, &mut errors);
    walk.visit_type(ty);
    walk.not_dyn_compatible
}

/// Returns true if the method declares the lifetime, which is an error at its declaration.
pub(super) fn is_declared(lifetime: &Lifetime, signature: &Signature) -> bool {
    signature.generics.lifetimes().any(|declared| declared.lifetime == *lifetime)
}

const BORROWED: &str = "a result is sent to the caller and cannot be borrowed: return an owned type, as `String`, `Vec<V>` or `V`";
const IMPL_TRAIT: &str =
    "the peer must know the type: name it, or use `Box<dyn Value>` or `Ref<dyn Trait>`";
const NO_RESULT: &str = "every call can fail, because a connection can be lost: return a `Result`";
const BARE_OBJECT: &str = "a bare trait object cannot be sent: write `Box<dyn Value>` to pass it by value, `Ref<dyn Trait>` by reference";

/// Types of the standard library whose type arguments must be sized.
const CONTAINERS: [&str; 11] = [
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "HashMap",
    "HashSet",
    "LinkedList",
    "Mutex",
    "Option",
    "Result",
    "Vec",
    "VecDeque",
];

struct Walk<'a> {
    position: Position,
    within: Within,
    signature: &'a Signature,
    errors: &'a mut Errors,
    not_dyn_compatible: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Position {
    Parameter,
    Result,
}

/// The place in which a type is nested.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    /// A parameter or a result itself, or a type argument that must be sized.
    Sized,
    /// A type argument that may be a trait object, as in `Box<dyn Trait>`.
    Argument,
}

impl<'a> Walk<'a> {
    fn new(position: Position, signature: &'a Signature, errors: &'a mut Errors) -> Self {
        Self { position, within: Within::Sized, signature, errors, not_dyn_compatible: false }
    }

    fn add_error(&mut self, place: impl ToTokens, text: &str) {
        self.not_dyn_compatible = true;
        self.errors.at(place, text);
    }

    fn within(&mut self, within: Within, walk: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.within, within);
        walk(self);
        self.within = outer;
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        match (self.position, &reference.mutability) {
            (Position::Result, _) => self.errors.at(reference, BORROWED),
            (Position::Parameter, Some(_)) => self.errors.at(
                reference,
                "the callee cannot change a value of the caller: pass `&V` and return the new value, or pass a `Ref<dyn Trait>`",
            ),
            (Position::Parameter, None) => match &reference.lifetime {
                Some(lifetime) if lifetime.ident == "static" => self.errors.at(
                    lifetime,
                    "a borrowed parameter lives no longer than the call: write `&` alone, or pass an owned type",
                ),
                _ => self.within(Within::Sized, |walk| visit::visit_type_reference(walk, reference)),
            },
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        match self.position {
            _ if lifetime.ident == "static" || is_declared(lifetime, self.signature) => {}
            Position::Result => self.errors.at(lifetime, BORROWED),
            Position::Parameter if lifetime.ident == "_" => {}
            Position::Parameter => {
                self.errors.at(
                    lifetime,
                    "all borrowed parameters share one lifetime, which has no name: write `'_`",
                );
            }
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.add_error(ty, IMPL_TRAIT);
    }

    fn visit_type_trait_object(&mut self, ty: &'ast TypeTraitObject) {
        match self.within {
            Within::Sized => self.add_error(ty, BARE_OBJECT),
            Within::Argument => visit::visit_type_trait_object(self, ty),
        }
    }

    fn visit_type_infer(&mut self, ty: &'ast TypeInfer) {
        self.add_error(ty, "the peer must know the type: write it instead of `_`");
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.is_ident("Self") {
            self.add_error(
                path,
                "`Self` is not the same type on both sides: write `Ref<dyn Trait>` with the name of the interface",
            );
            return;
        }
        visit::visit_path(self, path);
    }

    fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
        if hides_lifetime(segment) {
            match self.position {
                Position::Parameter => {
                    self.errors.at(segment, "the lifetime is missing: write `Cow<'_, ..>`")
                }
                Position::Result => self.errors.at(segment, BORROWED),
            }
            return;
        }
        let contained = match CONTAINERS.iter().any(|container| segment.ident == container) {
            true => Within::Sized,
            false => Within::Argument,
        };
        self.within(contained, |walk| visit::visit_path_segment(walk, segment));
    }

    // Lifetimes elided in a function's type are bound by that type.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
}

/// Returns true for `Cow<str>`: the lifetime is not written, and other code would take the type for an owned one.
fn hides_lifetime(segment: &PathSegment) -> bool {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return false };
    segment.ident == "Cow"
        && !arguments.args.iter().any(|argument| matches!(argument, GenericArgument::Lifetime(_)))
}
