//! Tests of each error of the validation. That the compiler reports no others is tested in `remote-core/tests/ui`.

use quote::{format_ident, quote};
use syn::{ItemImpl, parse_quote, parse_str};

use super::*;
use crate::parse::{self, Options};

#[test]
fn a_valid_interface_has_no_errors() {
    let found = errors_of(
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
fn each_error_in_a_method_is_reported_once() {
    let cases = [
        (
            "async fn m(&mut self) -> Result<()>;",
            "write `&self`, and keep mutable state in a `Mutex`",
        ),
        ("async fn m(self) -> Result<()>;", "takes its object as `&self` only"),
        ("async fn m(self: &Self) -> Result<()>;", "takes its object as `&self` only"),
        ("async fn m(x: u8) -> Result<()>;", "write `&self` as the first parameter"),
        ("fn m(&self) -> Result<()>;", "write `async fn m`"),
        ("fn m(&self) -> impl Future<Output = Result<()>>;", "write `async fn m`"),
        ("async fn m(&self);", "write `-> Result<()>`"),
        ("async fn m(&self) -> (u8, u8);", "return a `Result`"),
        ("async fn m<V>(&self, v: V) -> Result<()>;", "cannot be generic"),
        ("async fn m<const N: usize>(&self, v: [u8; N]) -> Result<()>;", "cannot be generic"),
        ("async fn m<V>(&self, v: V) -> Result<()> where V: Debug;", "cannot be generic"),
        ("async fn m<'a>(&'a self, v: &'a str) -> Result<()>;", "has no name: write `&T`"),
        ("async fn m(&self) -> Result<()> where Self: Sized;", "cannot have a `where` clause"),
        ("async fn m(&self, (a, b): (u8, u8)) -> Result<()>;", "needs a plain name"),
        ("async fn m(&self, _: u8) -> Result<()>;", "needs a plain name"),
        ("async fn m(&self, mut v: u8) -> Result<()>;", "needs a plain name"),
        ("async fn m(&self, #[cfg(unix)] v: u8) -> Result<()>;", "put `#[cfg(..)]` on the method"),
        ("async unsafe fn m(&self) -> Result<()>;", "cannot have a safety qualifier"),
        ("const async fn m(&self) -> Result<()>;", "cannot be `const`"),
        ("async extern \"C\" fn m(&self) -> Result<()>;", "remove `extern`"),
        ("async fn __m(&self) -> Result<()>;", "begin with `__`"),
        ("type V;", "has only methods"),
        ("const N: usize;", "has only methods"),
    ];
    for (method, expected) in cases {
        reports_once(&format!("trait T {{ {method} }}"), expected);
    }
}

#[test]
fn each_error_in_a_parameter_is_reported_once() {
    let cases = [
        ("impl Debug", "name it"),
        ("Vec<impl Debug>", "name it"),
        ("dyn Debug", "bare trait object"),
        ("&dyn Debug", "bare trait object"),
        ("Option<dyn Debug>", "bare trait object"),
        ("&mut u8", "cannot change a value"),
        ("Option<&mut u8>", "cannot change a value"),
        ("&'static str", "no longer than the call"),
        ("Option<&'a str>", "write `'_`"),
        ("Cow<str>", "write `Cow<'_, ..>`"),
        ("Self", "with the name of the interface"),
        ("Ref<Self>", "with the name of the interface"),
        ("_", "instead of `_`"),
    ];
    for (ty, expected) in cases {
        reports_once(&format!("trait T {{ async fn m(&self, v: {ty}) -> Result<()>; }}"), expected);
    }
}

#[test]
fn each_error_in_a_result_is_reported_once() {
    let cases = [
        ("&str", "cannot be borrowed"),
        ("Result<Vec<&str>>", "cannot be borrowed"),
        ("Result<&'static str>", "cannot be borrowed"),
        ("Result<Cow<'_, str>>", "cannot be borrowed"),
        ("Result<Cow<str>>", "cannot be borrowed"),
        ("Result<u8, Borrowed<'a>>", "cannot be borrowed"),
        ("impl Sized", "name it"),
        ("Result<impl Sized>", "name it"),
        ("Result<dyn T>", "bare trait object"),
        ("[u8]", "return a `Result`"),
    ];
    for (ty, expected) in cases {
        reports_once(&format!("trait T {{ async fn m(&self) -> {ty}; }}"), expected);
    }
}

#[test]
fn each_error_in_a_declaration_is_reported_once() {
    let cases = [
        ("unsafe trait T {}", "cannot be unsafe"),
        ("trait T<V> {}", "cannot be generic"),
        ("trait T where Self: Sized {}", "cannot have a `where` clause"),
        ("trait T: Debug {}", "must be an interface"),
        ("trait T: Into<u8> {}", "must be an interface"),
        ("trait T: ?Sized {}", "must be an interface"),
        ("trait T: 'a {}", "or write `'static`"),
    ];
    for (declaration, expected) in cases {
        reports_once(declaration, expected);
    }
}

#[test]
fn a_method_of_ref_is_not_a_valid_name() {
    for name in METHODS_OF_REF {
        let name = format_ident!("{name}");
        let declaration = quote!(trait T { async fn #name(&self) -> Result<()>; });
        reports_once(&declaration.to_string(), "choose another name");
    }
}

#[test]
fn all_errors_are_reported() {
    let found = errors_of(
        "trait T<V> { fn one(&mut self); async fn two(&self, v: impl Debug) -> Result<&str>; }",
    );
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn an_impl_must_name_its_interface() {
    let errors_of = |item| {
        let item: ItemImpl = parse_str(item).expect("an impl");
        texts(implementation(&Implementation::new(parse_quote!(library), Options::default(), item)))
    };
    assert_eq!(
        errors_of("impl T for S { async fn m(&mut self, (a, b): (u8, u8)) -> R { a } }"),
        [""; 0]
    );
    assert!(
        errors_of("impl S { async fn m(&self) -> R { a } }")[0]
            .contains("`impl Interface for Type`")
    );
    assert!(errors_of("impl T for S { fn m(&self) -> R { a } }")[0].contains("write `async fn m`"));
}

#[test]
fn errors_in_a_class_are_reported_once() {
    let errors_of = |item| {
        let (input, options) = parse::class(parse_str(item).expect("tokens")).expect("a type");
        texts(class(&Class::new(parse_quote!(library), options, input)))
    };
    assert_eq!(errors_of("#[remote(A, module::B, name = \"s\")] struct S;"), [""; 0]);
    let cases = [
        ("struct S;", "add `#[remote(Interface)]`"),
        ("#[remote(A)] struct S<V>(V);", "cannot be generic"),
        ("#[remote(A)] union S { a: u8 }", "use a `struct` or an `enum`"),
        ("#[remote(A, B, A)] struct S;", "already listed"),
        ("#[remote(A<u8>)] struct S;", "not generic"),
        ("#[remote(A, name = 3)] struct S;", "a name is a string"),
        ("#[remote(A, size = 3)] struct S;", "unknown option `size`"),
        ("#[remote(A, name = \" \")] struct S;", "cannot be empty"),
        ("#[remote(A, name = \"a\", name = \"b\")] struct S;", "occurs twice"),
        ("#[remote(42)] struct S;", "expected identifier"),
    ];
    for (item, expected) in cases {
        let found = errors_of(item);
        assert!(found.len() == 1 && found[0].contains(expected), "{item}: {found:?}");
    }
}

#[test]
fn the_error_for_other_items_says_where_the_attribute_goes() {
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
        .contains("write it on a trait")
    );
}

fn reports_once(item: &str, expected: &str) {
    let found = errors_of(item);
    assert!(found.len() == 1 && found[0].contains(expected), "{item}: {found:?}");
}

fn errors_of(item: &str) -> Vec<String> {
    let item: ItemTrait = parse_str(item).expect("a trait");
    texts(interface(&Interface::new(parse_quote!(library), Options::default(), item)))
}

fn texts(result: Result<(), Error>) -> Vec<String> {
    result.err().into_iter().flatten().map(|error| error.to_string()).collect()
}
