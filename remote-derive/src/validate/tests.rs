//! Each refusal, found in the model alone: that the errors are the only ones is tried with the compiler, in the tests of
//! `remote-core`.

use quote::{format_ident, quote};
use syn::{ItemImpl, parse_quote, parse_str};

use super::*;
use crate::parse::{self, Options};

#[test]
fn a_plain_interface_stands() {
    let found = refusals(
        "pub trait Speaker: Super + module::Other + Send + 'static {
            async fn say(&self, line: &str, to: Option<&str>, bytes: &[u8]) -> Result<u64>;
            async fn all(&self, lines: &[String]) -> std::result::Result<Vec<Box<dyn Entry>>, Mine>;
            async fn listen(&self, listener: Ref<dyn Listener>) -> Answer { self.say(\"\", None, &[]).await }
            async fn mutable(&self, mut line: Cow<'_, str>) -> Result<Cow<'static, str>> { line.into() }
        }",
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn each_mistake_in_a_method_is_found_once() {
    let cases = [
        (
            "async fn m(&mut self) -> Result<()>;",
            "write `&self`, and keep what changes in a `Mutex`",
        ),
        ("async fn m(self) -> Result<()>;", "an object stays where it is"),
        ("async fn m(self: &Self) -> Result<()>;", "an object stays where it is"),
        ("async fn m(x: u8) -> Result<()>;", "write `&self` as the first parameter"),
        ("fn m(&self) -> Result<()>;", "write `async fn m`"),
        ("fn m(&self) -> impl Future<Output = Result<()>>;", "write `async fn m`"),
        ("async fn m(&self);", "write `-> Result<()>`"),
        ("async fn m(&self) -> (u8, u8);", "return a `Result`"),
        ("async fn m<V>(&self, v: V) -> Result<()>;", "cannot be generic"),
        ("async fn m<const N: usize>(&self, v: [u8; N]) -> Result<()>;", "cannot be generic"),
        ("async fn m<V>(&self, v: V) -> Result<()> where V: Debug;", "cannot be generic"),
        ("async fn m<'a>(&'a self, v: &'a str) -> Result<()>;", "needs no name: write `&T`"),
        ("async fn m(&self) -> Result<()> where Self: Sized;", "leave out `where`"),
        ("async fn m(&self, (a, b): (u8, u8)) -> Result<()>;", "give it a plain one"),
        ("async fn m(&self, _: u8) -> Result<()>;", "give it a plain one"),
        ("async fn m(&self, mut v: u8) -> Result<()>;", "give it a plain one"),
        ("async fn m(&self, #[cfg(unix)] v: u8) -> Result<()>;", "put the condition on the method"),
        ("async unsafe fn m(&self) -> Result<()>;", "leave this out"),
        ("const async fn m(&self) -> Result<()>;", "leave out `const`"),
        ("async extern \"C\" fn m(&self) -> Result<()>;", "leave out `extern`"),
        ("async fn __m(&self) -> Result<()>;", "begin with `__`"),
        ("type V;", "consists of methods alone"),
        ("const N: usize;", "consists of methods alone"),
    ];
    for (method, expected) in cases {
        found_once(&format!("trait T {{ {method} }}"), expected);
    }
}

#[test]
fn each_mistake_in_a_parameter_is_found_once() {
    let cases = [
        ("impl Debug", "name it"),
        ("Vec<impl Debug>", "name it"),
        ("dyn Debug", "needs its box"),
        ("&dyn Debug", "needs its box"),
        ("Option<dyn Debug>", "needs its box"),
        ("&mut u8", "brings none back"),
        ("Option<&mut u8>", "brings none back"),
        ("&'static str", "no longer than the call"),
        ("Option<&'a str>", "write `'_`"),
        ("Cow<str>", "write `Cow<'_, ..>`"),
        ("Self", "with its own name"),
        ("Ref<Self>", "with its own name"),
        ("_", "name it"),
    ];
    for (ty, expected) in cases {
        found_once(&format!("trait T {{ async fn m(&self, v: {ty}) -> Result<()>; }}"), expected);
    }
}

#[test]
fn each_mistake_in_a_result_is_found_once() {
    let cases = [
        ("&str", "cannot be borrowed"),
        ("Result<Vec<&str>>", "cannot be borrowed"),
        ("Result<&'static str>", "cannot be borrowed"),
        ("Result<Cow<'_, str>>", "cannot be borrowed"),
        ("Result<Cow<str>>", "cannot be borrowed"),
        ("Result<u8, Borrowed<'a>>", "cannot be borrowed"),
        ("impl Sized", "name it"),
        ("Result<impl Sized>", "name it"),
        ("Result<dyn T>", "needs its box"),
        ("[u8]", "return a `Result`"),
    ];
    for (ty, expected) in cases {
        found_once(&format!("trait T {{ async fn m(&self) -> {ty}; }}"), expected);
    }
}

#[test]
fn each_mistake_in_a_declaration_is_found_once() {
    let cases = [
        ("unsafe trait T {}", "cannot be unsafe"),
        ("trait T<V> {}", "cannot be generic"),
        ("trait T where Self: Sized {}", "has no `where`"),
        ("trait T: Debug {}", "is an interface itself"),
        ("trait T: Into<u8> {}", "is an interface itself"),
        ("trait T: ?Sized {}", "is an interface itself"),
        ("trait T: 'a {}", "or write `'static`"),
    ];
    for (declaration, expected) in cases {
        found_once(declaration, expected);
    }
}

#[test]
fn what_a_reference_answers_is_no_message() {
    for name in ANSWERED_BY_REF {
        let name = format_ident!("{name}");
        let declaration = quote!(trait T { async fn #name(&self) -> Result<()>; });
        found_once(&declaration.to_string(), "choose another name");
    }
}

#[test]
fn mistakes_are_gathered() {
    let found = refusals(
        "trait T<V> { fn one(&mut self); async fn two(&self, v: impl Debug) -> Result<&str>; }",
    );
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn an_impl_names_its_interface() {
    let refused = |item| {
        let item: ItemImpl = parse_str(item).expect("an impl");
        texts(implementation(&Implementation::new(parse_quote!(library), Options::default(), item)))
    };
    assert_eq!(
        refused("impl T for S { async fn m(&mut self, (a, b): (u8, u8)) -> R { a } }"),
        [""; 0]
    );
    assert!(
        refused("impl S { async fn m(&self) -> R { a } }")[0].contains("`impl Interface for Type`")
    );
    assert!(refused("impl T for S { fn m(&self) -> R { a } }")[0].contains("write `async fn m`"));
}

#[test]
fn a_class_lists_its_interfaces() {
    let refused = |item| {
        let (input, options) = parse::class(parse_str(item).expect("tokens")).expect("a type");
        texts(class(&Class::new(parse_quote!(library), options, input)))
    };
    assert_eq!(refused("#[remote(A, module::B, name = \"s\")] struct S;"), [""; 0]);
    let cases = [
        ("struct S;", "add `#[remote(Interface)]`"),
        ("#[remote(A)] struct S<V>(V);", "cannot be generic"),
        ("#[remote(A)] union S { a: u8 }", "a `struct` or an `enum`"),
        ("#[remote(A, B, A)] struct S;", "listed already"),
        ("#[remote(A<u8>)] struct S;", "not generic"),
        ("#[remote(A, name = 3)] struct S;", "no option `name`"),
        ("#[remote(A, size = 3)] struct S;", "no option `size`"),
        ("#[remote(A, name = \" \")] struct S;", "cannot be empty"),
        ("#[remote(A, name = \"a\", name = \"b\")] struct S;", "given already"),
        ("#[remote(42)] struct S;", "expected identifier"),
    ];
    for (item, expected) in cases {
        let found = refused(item);
        assert!(found.len() == 1 && found[0].contains(expected), "{item}: {found:?}");
    }
}

#[test]
fn other_items_are_told_where_the_attribute_goes() {
    assert!(
        other_item(&parse_quote!(
            struct S;
        ))
        .to_string()
        .contains("#[derive(Remote)]")
    );
    assert!(
        other_item(&parse_quote!(
            fn f() {}
        ))
        .to_string()
        .contains("goes on a trait")
    );
}

fn found_once(item: &str, expected: &str) {
    let found = refusals(item);
    assert!(found.len() == 1 && found[0].contains(expected), "{item}: {found:?}");
}

fn refusals(item: &str) -> Vec<String> {
    let item: ItemTrait = parse_str(item).expect("a trait");
    texts(interface(&Interface::new(parse_quote!(library), Options::default(), item)))
}

fn texts(result: Result<(), Error>) -> Vec<String> {
    result.err().into_iter().flatten().map(|error| error.to_string()).collect()
}
