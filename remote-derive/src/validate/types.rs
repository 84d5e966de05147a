//! Owns the refusals of types by their spelling: borrowed results, `impl Trait`, bare trait objects, named lifetimes. It
//! knows nothing of the methods around them.

use quote::ToTokens;
use syn::{
    GenericArgument, Lifetime, ParenthesizedGenericArguments, Path, PathArguments, PathSegment,
    Signature, Type, TypeFnPtr, TypeImplTrait, TypeInfer, TypeReference, TypeTraitObject,
    visit::{self, Visit},
};

use super::faults::Faults;
use crate::model::peel;

/// Refuses what the type of a parameter may not say.
pub(super) fn parameter(ty: &Type, signature: &Signature, faults: &mut Faults) {
    Walk::new(Place::Parameter, signature, faults).visit_type(ty);
}

/// Refuses what the type of a result may not say.
pub(super) fn answer(ty: &Type, signature: &Signature, faults: &mut Faults) {
    match peel(ty) {
        Type::Path(_) | Type::Macro(_) => {
            Walk::new(Place::Answer, signature, faults).visit_type(ty)
        }
        Type::Reference(reference) => faults.at(reference, BORROWED),
        Type::ImplTrait(ty) => faults.at(ty, IMPL_TRAIT),
        ty => faults.at(ty, NO_RESULT),
    }
}

/// Whether the compiler would refuse the type in the signature of a `dyn` trait's method.
pub(crate) fn is_impossible(ty: &Type, signature: &Signature) -> bool {
    let mut faults = Faults::default();
    let mut walk = Walk::new(Place::Parameter, signature, &mut faults);
    walk.visit_type(ty);
    walk.impossible
}

/// Whether the lifetime is one of the method's own, which is refused where it is declared.
pub(super) fn is_declared(lifetime: &Lifetime, signature: &Signature) -> bool {
    signature.generics.lifetimes().any(|declared| declared.lifetime == *lifetime)
}

const BORROWED: &str = "a result crosses to the caller and cannot be borrowed: return it owned, as `String`, `Vec<V>` or `V`";
const IMPL_TRAIT: &str =
    "both sides must know the type: name it, or pass `Box<dyn Value>` or `Ref<dyn Trait>`";
const NO_RESULT: &str = "every message can fail, at least by a lost connection: return a `Result`";
const BARE_OBJECT: &str =
    "a trait object needs its box: `Box<dyn Value>` goes by value, `Ref<dyn Trait>` by reference";

/// Containers of the standard library that hold what they contain in place.
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
    place: Place,
    within: Within,
    signature: &'a Signature,
    faults: &'a mut Faults,
    impossible: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Parameter,
    Answer,
}

/// What surrounds a type.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Message,
    /// The arguments of a type that may well be a box.
    Box,
}

impl<'a> Walk<'a> {
    fn new(place: Place, signature: &'a Signature, faults: &'a mut Faults) -> Self {
        Self { place, within: Within::Message, signature, faults, impossible: false }
    }

    fn refuse(&mut self, place: impl ToTokens, text: &str) {
        self.impossible = true;
        self.faults.at(place, text);
    }

    fn within(&mut self, within: Within, walk: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.within, within);
        walk(self);
        self.within = outer;
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        match (self.place, &reference.mutability) {
            (Place::Answer, _) => self.faults.at(reference, BORROWED),
            (Place::Parameter, Some(_)) => self.faults.at(
                reference,
                "a message carries values and brings none back: pass `&V` and return what changed, or pass a `Ref<dyn Trait>`",
            ),
            (Place::Parameter, None) => match &reference.lifetime {
                Some(lifetime) if lifetime.ident == "static" => self.faults.at(
                    lifetime,
                    "what is borrowed from a message lives no longer than the call: write `&` alone, or pass it owned",
                ),
                _ => self.within(Within::Message, |walk| visit::visit_type_reference(walk, reference)),
            },
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        match self.place {
            _ if lifetime.ident == "static" || is_declared(lifetime, self.signature) => {}
            Place::Answer => self.faults.at(lifetime, BORROWED),
            Place::Parameter if lifetime.ident == "_" => {}
            Place::Parameter => {
                self.faults.at(
                    lifetime,
                    "all borrowed parameters share one lifetime, which needs no name: write `'_`",
                );
            }
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.refuse(ty, IMPL_TRAIT);
    }

    fn visit_type_trait_object(&mut self, ty: &'ast TypeTraitObject) {
        match self.within {
            Within::Message => self.refuse(ty, BARE_OBJECT),
            Within::Box => visit::visit_type_trait_object(self, ty),
        }
    }

    fn visit_type_infer(&mut self, ty: &'ast TypeInfer) {
        self.refuse(ty, "both sides must know the type: name it");
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.is_ident("Self") {
            self.refuse(
                path,
                "an interface does not know its classes: write `Ref<dyn Trait>` with its own name",
            );
            return;
        }
        visit::visit_path(self, path);
    }

    fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
        if hides_lifetime(segment) {
            match self.place {
                Place::Parameter => {
                    self.faults.at(segment, "this hides what is borrowed: write `Cow<'_, ..>`")
                }
                Place::Answer => self.faults.at(segment, BORROWED),
            }
            return;
        }
        let contained = match CONTAINERS.iter().any(|container| segment.ident == container) {
            true => Within::Message,
            false => Within::Box,
        };
        self.within(contained, |walk| visit::visit_path_segment(walk, segment));
    }

    // The lifetimes of a function's own parameters are its own affair.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
}

/// `Cow<str>` says nothing of its lifetime, and only the compiler could tell that it has one.
fn hides_lifetime(segment: &PathSegment) -> bool {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return false };
    segment.ident == "Cow"
        && !arguments.args.iter().any(|argument| matches!(argument, GenericArgument::Lifetime(_)))
}
