//! The model: interfaces, implementations and classes as data. It can represent invalid ones, too; `validate` finds
//! their errors. It must not generate code.

use proc_macro2::Span;
use syn::{
    AttrStyle, Attribute, Block, DeriveInput, FnArg, GenericArgument, Ident, ImplItem, ImplItemFn,
    ItemImpl, ItemTrait, Lifetime, LitStr, Pat, PatIdent, Path, PathArguments, Receiver,
    ReturnType, Signature, TraitItem, TraitItemFn, Type, TypeParamBound, TypeReference,
    parse_quote, visit::Visit,
};

use crate::{names, parse::Options};

/// A trait marked `#[remote]`.
pub(crate) struct Interface {
    pub(crate) library: Path,
    pub(crate) options: Options,
    /// The name on the wire.
    pub(crate) name: String,
    pub(crate) item: ItemTrait,
    /// The interfaces among its supertraits.
    pub(crate) supertraits: Vec<Path>,
    pub(crate) methods: Vec<Method>,
}

/// An `impl` of an interface, marked `#[remote]`.
pub(crate) struct Implementation {
    pub(crate) library: Path,
    pub(crate) options: Options,
    pub(crate) item: ItemImpl,
    pub(crate) methods: Vec<Method>,
}

/// A type with `#[derive(Remote)]`.
pub(crate) struct Class {
    pub(crate) library: Path,
    pub(crate) options: Options,
    /// The name on the wire.
    pub(crate) name: String,
    pub(crate) input: DeriveInput,
    pub(crate) interfaces: Vec<Path>,
}

/// A method, of an interface or of an implementation.
#[derive(Clone)]
pub(crate) struct Method {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
    pub(crate) selector: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) result: MethodResult,
    pub(crate) body: Option<Block>,
}

/// A parameter, without the receiver.
#[derive(Clone)]
pub(crate) struct Parameter {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) pattern: Pat,
    /// The name in generated signatures.
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// `X`, if the type is written `&X`: the callee decodes an owned or borrowed value and passes a reference to it.
    pub(crate) referent: Option<Type>,
    /// True if the type contains a reference or a lifetime: the decoded value borrows from the message.
    pub(crate) borrows: bool,
}

/// The return type of a method, as far as its spelling shows: `Result` may be an alias.
#[derive(Clone)]
pub(crate) struct MethodResult {
    /// The type that callers see.
    pub(crate) ty: Type,
    /// The type as it is written, if that is `Result<Later<V>>`.
    pub(crate) deferred: Option<Deferred>,
    /// The first argument of `Result`.
    pub(crate) value: Option<Type>,
    /// The second argument of `Result`.
    pub(crate) error: Option<Type>,
}

/// The return type of a method that can defer its reply.
#[derive(Clone)]
pub(crate) struct Deferred {
    /// `Result<Later<V>>`
    pub(crate) ty: Type,
    /// `Later<V>`
    pub(crate) later: Type,
}

impl Interface {
    pub(crate) fn new(library: Path, options: Options, mut item: ItemTrait) -> Self {
        make_outer(&mut item.attrs);
        let name = wire_name(&options, &item.ident);
        let supertraits =
            item.supertraits.iter().filter_map(supertrait_interface).cloned().collect();
        let methods = item
            .items
            .iter()
            .filter_map(|item| match item {
                TraitItem::Fn(method) => Some(Method::of_trait(method.clone())),
                _ => None,
            })
            .collect();
        Self { library, options, name, item, supertraits, methods }
    }

    /// Returns the `#[cfg(..)]` of the trait, for all that is generated beside it.
    pub(crate) fn conditions(&self) -> Vec<&Attribute> {
        conditions(&self.item.attrs)
    }
}

impl Implementation {
    pub(crate) fn new(library: Path, options: Options, mut item: ItemImpl) -> Self {
        make_outer(&mut item.attrs);
        let methods = item
            .items
            .iter()
            .filter_map(|item| match item {
                ImplItem::Fn(method) => Some(Method::of_impl(method.clone())),
                _ => None,
            })
            .collect();
        Self { library, options, item, methods }
    }
}

impl Class {
    pub(crate) fn new(library: Path, options: Options, input: DeriveInput) -> Self {
        let name = wire_name(&options, &input.ident);
        let interfaces = options.interfaces().cloned().collect();
        Self { library, options, name, input, interfaces }
    }
}

impl Method {
    fn of_trait(method: TraitItemFn) -> Self {
        Self::new(method.attrs, method.sig, method.default)
    }

    fn of_impl(method: ImplItemFn) -> Self {
        Self::new(method.attrs, method.sig, Some(method.block))
    }

    fn new(mut attributes: Vec<Attribute>, signature: Signature, body: Option<Block>) -> Self {
        make_outer(&mut attributes);
        let typed = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(parameter) => Some(parameter),
            FnArg::Receiver(_) => None,
        });
        let parameters = typed
            .enumerate()
            .map(|(position, parameter)| Parameter {
                attributes: parameter.attrs.clone(),
                name: parameter_name(&parameter.pat, position),
                pattern: (*parameter.pat).clone(),
                referent: referent(&parameter.ty),
                borrows: borrows(&parameter.ty),
                ty: (*parameter.ty).clone(),
            })
            .collect();
        Self {
            selector: names::selector(&signature.ident),
            result: MethodResult::new(&signature.output),
            attributes,
            signature,
            parameters,
            body,
        }
    }

    pub(crate) fn receiver(&self) -> Option<&Receiver> {
        self.signature.receiver()
    }

    /// Returns the `#[cfg(..)]` of the method, for all that is generated for it.
    pub(crate) fn conditions(&self) -> Vec<&Attribute> {
        conditions(&self.attributes)
    }
}

impl MethodResult {
    fn new(output: &ReturnType) -> Self {
        let ty: Type = match output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let mut arguments = arguments(&ty, "Result").into_iter();
        let (value, error) = (arguments.next(), arguments.next());
        let deferred_value =
            value.as_ref().and_then(|value| self::arguments(value, "Later").into_iter().next());
        let (Some(deferred_value), Some(later)) = (deferred_value, &value) else {
            return Self { ty, deferred: None, value, error };
        };
        let deferred = Some(Deferred { ty: ty.clone(), later: later.clone() });
        let mut seen = ty;
        if let Some(place) = first_argument(&mut seen) {
            place.clone_from(&deferred_value);
        }
        Self { ty: seen, deferred, value: Some(deferred_value), error }
    }
}

/// Returns the type without parentheses and invisible groups around it.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        ty => ty,
    }
}

/// Returns true if a supertrait is a marker trait, not an interface.
pub(crate) fn is_marker(path: &Path) -> bool {
    const MARKERS: [&str; 5] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];
    path.segments.last().is_some_and(|last| MARKERS.iter().any(|marker| last.ident == marker))
}

fn supertrait_interface(bound: &TypeParamBound) -> Option<&Path> {
    match bound {
        TypeParamBound::Trait(bound) if !is_marker(&bound.path) => Some(&bound.path),
        _ => None,
    }
}

fn wire_name(options: &Options, ident: &Ident) -> String {
    options.name().map_or_else(|| names::selector(ident), LitStr::value)
}

/// Makes inner attributes outer ones, as they are generated before the item.
fn make_outer(attributes: &mut [Attribute]) {
    for attribute in attributes {
        attribute.style = AttrStyle::Outer;
    }
}

fn conditions(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

fn parameter_name(pattern: &Pat, position: usize) -> Ident {
    match pattern {
        Pat::Ident(PatIdent { ident, by_ref: None, subpat: None, .. }) => ident.clone(),
        _ => names::parameter(position),
    }
}

fn referent(ty: &Type) -> Option<Type> {
    match peel(ty) {
        Type::Reference(TypeReference { elem, .. }) => Some(peel(elem).clone()),
        _ => None,
    }
}

fn borrows(ty: &Type) -> bool {
    struct Search(bool);
    impl<'ast> Visit<'ast> for Search {
        fn visit_type_reference(&mut self, _: &'ast TypeReference) {
            self.0 = true;
        }

        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 |= lifetime.ident != "static";
        }
    }
    let mut search = Search(false);
    search.visit_type(ty);
    search.0
}

/// Returns the type arguments of a path whose last segment has this name.
fn arguments(ty: &Type, name: &str) -> Vec<Type> {
    let Type::Path(path) = peel(ty) else { return Vec::new() };
    let Some(last) = path.path.segments.last().filter(|last| last.ident == name) else {
        return Vec::new();
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    types.collect()
}

/// Returns the first type argument at the end of a path.
fn first_argument(ty: &mut Type) -> Option<&mut Type> {
    let path = match ty {
        Type::Group(group) => return first_argument(&mut group.elem),
        Type::Paren(paren) => return first_argument(&mut paren.elem),
        Type::Path(path) => path,
        _ => return None,
    };
    let PathArguments::AngleBracketed(arguments) = &mut path.path.segments.last_mut()?.arguments
    else {
        return None;
    };
    arguments.args.iter_mut().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Returns the span of the receiver, or of the method's name if there is none.
pub(crate) fn receiver_span(method: &Method) -> Span {
    use syn::spanned::Spanned;
    method.receiver().map_or_else(|| method.signature.ident.span(), Spanned::span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::text;

    fn method(method: TraitItemFn) -> Method {
        Method::of_trait(method)
    }

    #[test]
    fn parameters_are_classified_by_their_types() {
        let method = method(parse_quote! {
            async fn m(&self, a: &str, b: Option<&str>, mut c: (&[u8]), (d, e): (u8, u8)) -> Result<u8>;
        });
        let referents: Vec<_> = method
            .parameters
            .iter()
            .map(|parameter| parameter.referent.as_ref().map(text))
            .collect();
        assert_eq!(referents, [Some("str".to_owned()), None, Some("[u8]".to_owned()), None]);
        let names: Vec<_> =
            method.parameters.iter().map(|parameter| parameter.name.to_string()).collect();
        assert_eq!(names, ["a", "b", "c", "argument_3"]);
    }

    #[test]
    fn value_and_error_are_read_from_the_result() {
        let spelled = |output: ReturnType| {
            let result = MethodResult::new(&output);
            (result.value.map(text), result.error.map(text))
        };
        assert_eq!(spelled(parse_quote!(-> Result<u8, E>)), (Some("u8".into()), Some("E".into())));
        assert_eq!(spelled(parse_quote!(-> library::Result<u8>)), (Some("u8".into()), None));
        assert_eq!(spelled(parse_quote!(-> Alias)), (None, None));
        assert_eq!(spelled(parse_quote!()), (None, None));
    }

    #[test]
    fn callers_see_the_result_without_later() {
        let spelled = |output: ReturnType| {
            let result = MethodResult::new(&output);
            let deferred = result.deferred.map(|deferred| text(deferred.later));
            (text(result.ty), result.value.map(text), deferred)
        };
        assert_eq!(
            spelled(parse_quote!(-> Result<library::Later<u8, E>, E>)),
            ("Result<u8, E>".into(), Some("u8".into()), Some("library::Later<u8, E>".into()))
        );
        assert_eq!(
            spelled(parse_quote!(-> Result<Later>)),
            ("Result<Later>".into(), Some("Later".into()), None)
        );
    }

    #[test]
    fn marker_traits_are_not_interfaces() {
        let item: ItemTrait = parse_quote!(
            trait T: Send + std::marker::Sync + 'static + module::Super {}
        );
        let interface = Interface::new(parse_quote!(library), Options::default(), item);
        assert_eq!(interface.supertraits.iter().map(text).collect::<Vec<_>>(), ["module::Super"]);
    }
}
