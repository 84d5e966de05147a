//! Each refusal, found in the model alone: that the errors are the only ones is tried with the compiler, in the tests of
//! `remote-core`.

use quote::quote;
use syn::parse_quote;

use super::*;
use crate::parse;

#[test]
fn a_plain_interface_stands() {
    assert_eq!(
        refusals(quote! {
            #[doc = "Speaks."]
            pub trait Speaker: Super + module::Other + Send + 'static {
                async fn say(&self, line: &str, to: Option<&str>, bytes: &[u8]) -> Result<u64>;
                async fn all(&self, lines: &[String]) -> std::result::Result<Vec<Box<dyn Entry>>, Mine>;
                async fn listen(&self, listener: Ref<dyn Listener>) -> Answer { self.say("", None, &[]).await }
                async fn mutable(&self, mut line: Cow<'_, str>) -> Result<Cow<'static, str>> { line.into() }
            }
        }),
        [""; 0]
    );
}

#[test]
fn each_mistake_in_a_method_is_found_once() {
    let cases = [
        (quote!(async fn m(&mut self) -> Result<()>;), "write `&self`, and keep what changes in a `Mutex`"),
        (quote!(async fn m(self) -> Result<()>;), "an object stays where it is"),
        (quote!(async fn m(self: &Self) -> Result<()>;), "an object stays where it is"),
        (quote!(async fn m(x: u8) -> Result<()>;), "write `&self` as the first parameter"),
        (quote!(fn m(&self) -> Result<()>;), "write `async fn m`"),
        (quote!(fn m(&self) -> impl Future<Output = Result<()>>;), "write `async fn m`"),
        (quote!(async fn m(&self);), "write `-> Result<()>`"),
        (quote!(async fn m(&self) -> (u8, u8);), "return a `Result`"),
        (quote!(async fn m(&self) -> &str;), "cannot be borrowed"),
        (quote!(async fn m(&self) -> Result<Vec<&str>>;), "cannot be borrowed"),
        (quote!(async fn m(&self) -> Result<Cow<'_, str>>;), "cannot be borrowed"),
        (quote!(async fn m(&self) -> Result<Cow<str>>;), "cannot be borrowed"),
        (quote!(async fn m(&self) -> impl Sized;), "name it"),
        (quote!(async fn m(&self) -> Result<dyn T>;), "needs its box"),
        (quote!(async fn m<V>(&self, v: V) -> Result<()>;), "cannot be generic"),
        (quote!(async fn m<const N: usize>(&self, v: [u8; N]) -> Result<()>;), "cannot be generic"),
        (quote!(async fn m<V>(&self, v: V) -> Result<()> where V: Debug;), "cannot be generic"),
        (quote!(async fn m<'a>(&'a self, v: &'a str) -> Result<()>;), "needs no name: write `&T`"),
        (quote!(async fn m(&self) -> Result<()> where Self: Sized;), "leave out `where`"),
        (quote!(async fn m(&self, v: impl Debug) -> Result<()>;), "name it"),
        (quote!(async fn m(&self, v: dyn Debug) -> Result<()>;), "needs its box"),
        (quote!(async fn m(&self, v: &dyn Debug) -> Result<()>;), "needs its box"),
        (quote!(async fn m(&self, v: Option<dyn Debug>) -> Result<()>;), "needs its box"),
        (quote!(async fn m(&self, v: &mut u8) -> Result<()>;), "brings none back"),
        (quote!(async fn m(&self, v: &'static str) -> Result<()>;), "no longer than the call"),
        (quote!(async fn m(&self, v: Option<&'a str>) -> Result<()>;), "write `'_`"),
        (quote!(async fn m(&self, v: Cow<str>) -> Result<()>;), "write `Cow<'_, ..>`"),
        (quote!(async fn m(&self, v: Self) -> Result<()>;), "with its own name"),
        (quote!(async fn m(&self, v: _) -> Result<()>;), "name it"),
        (quote!(async fn m(&self, (a, b): (u8, u8)) -> Result<()>;), "give it a plain one"),
        (quote!(async fn m(&self, _: u8) -> Result<()>;), "give it a plain one"),
        (quote!(async fn m(&self, mut v: u8) -> Result<()>;), "give it a plain one"),
        (quote!(async fn m(&self, #[cfg(unix)] v: u8) -> Result<()>;), "put the condition on the method"),
        (quote!(async unsafe fn m(&self) -> Result<()>;), "leave this out"),
        (quote!(const async fn m(&self) -> Result<()>;), "leave out `const`"),
        (quote!(async extern "C" fn m(&self) -> Result<()>;), "leave out `extern`"),
        (quote!(async fn __m(&self) -> Result<()>;), "begin with `__`"),
        (quote!(type V;), "consists of methods alone"),
        (quote!(const N: usize;), "consists of methods alone"),
    ];
    for (method, expected) in cases {
        let found = refusals(quote!(trait T { #method }));
        assert!(found.len() == 1 && found[0].contains(expected), "{method}: {found:?}");
    }
}

#[test]
fn what_a_reference_answers_is_no_message() {
    for name in ANSWERED_BY_REF {
        let name = quote::format_ident!("{name}");
        let found = refusals(quote!(trait T { async fn #name(&self) -> Result<()>; }));
        assert!(found.len() == 1 && found[0].contains("choose another name"), "{name}: {found:?}");
    }
}

#[test]
fn each_mistake_in_a_declaration_is_found_once() {
    let cases = [
        (quote!(unsafe trait T {}), "cannot be unsafe"),
        (quote!(trait T<V> {}), "cannot be generic"),
        (quote!(trait T where Self: Sized {}), "has no `where`"),
        (quote!(trait T: Debug {}), "is an interface itself"),
        (quote!(trait T: Into<u8> {}), "is an interface itself"),
        (quote!(trait T: ?Sized {}), "is an interface itself"),
        (quote!(trait T: 'a {}), "or write `'static`"),
    ];
    for (declaration, expected) in cases {
        let found = refusals(declaration.clone());
        assert!(found.len() == 1 && found[0].contains(expected), "{declaration}: {found:?}");
    }
}

#[test]
fn mistakes_are_gathered() {
    let found = refusals(quote! {
        trait T<V> {
            fn one(&mut self);
            async fn two(&self, v: impl Debug) -> Result<&str>;
        }
    });
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn an_impl_names_its_interface() {
    let refused = |item| {
        let implementation = Implementation::new(parse_quote!(library), Options::default(), item);
        texts(super::implementation(&implementation))
    };
    assert!(refused(parse_quote!(impl T for S { async fn m(&self, (a, b): (u8, u8)) -> R { a } })).is_empty());
    assert!(refused(parse_quote!(impl S { async fn m(&self) -> R { a } }))[0].contains("impl Interface for Type"));
    assert!(refused(parse_quote!(impl T for S { fn m(&self) -> R { a } }))[0].contains("write `async fn m`"));
}

#[test]
fn a_class_lists_its_interfaces() {
    let refused = |tokens| {
        let (input, options) = parse::class(tokens).expect("a type");
        texts(super::class(&Class::new(parse_quote!(library), options, input)))
    };
    assert!(refused(quote!(#[remote(A, module::B, name = "s")] struct S;)).is_empty());
    let cases = [
        (quote!(struct S;), "add `#[remote(Interface)]`"),
        (quote!(#[remote(A)] struct S<V>(V);), "cannot be generic"),
        (quote!(#[remote(A)] union S { a: u8 }), "a `struct` or an `enum`"),
        (quote!(#[remote(A, B, A)] struct S;), "listed already"),
        (quote!(#[remote(A<u8>)] struct S;), "not generic"),
        (quote!(#[remote(A, name = 3)] struct S;), "no option `name`"),
        (quote!(#[remote(A, size = 3)] struct S;), "no option `size`"),
        (quote!(#[remote(A, name = " ")] struct S;), "cannot be empty"),
        (quote!(#[remote(A, name = "a", name = "b")] struct S;), "given already"),
        (quote!(#[remote(42)] struct S;), "expected identifier"),
    ];
    for (class, expected) in cases {
        let found = refused(class.clone());
        assert!(found.len() == 1 && found[0].contains(expected), "{class}: {found:?}");
    }
}

#[test]
fn other_items_are_told_where_the_attribute_goes() {
    assert!(other_item(&parse_quote!(struct S;)).to_string().contains("#[derive(Remote)]"));
    assert!(other_item(&parse_quote!(fn f() {})).to_string().contains("goes on a trait"));
}

fn refusals(item: proc_macro2::TokenStream) -> Vec<String> {
    let item: ItemTrait = syn::parse2(item).expect("a trait");
    texts(interface(&Interface::new(parse_quote!(library), Options::default(), item)))
}

fn texts(result: Result<(), Error>) -> Vec<String> {
    result.err().into_iter().flatten().map(|error| error.to_string()).collect()
}
