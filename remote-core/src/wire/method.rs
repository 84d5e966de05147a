//! The selector of a message: its name, and the fingerprint of the method's signature.
//!
//! It must not know sessions or objects. Methods are looked up by fingerprint: a method whose signature was changed is not
//! found, and the call is refused, instead of being decoded wrongly.

use std::sync::OnceLock;

use super::fingerprint::Fingerprint;
use super::shape::Shape;

/// A method of an interface, as both sides describe it. The macro generates one static for each.
pub struct Method {
    interface: &'static str,
    name: &'static str,
    parameters: &'static [Parameter],
    value: Type,
    error: Type,
    traced: OnceLock<Traced>,
}

/// A parameter of a method.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
}

/// A type in a signature.
pub struct Type {
    /// The type, as it is written in the source.
    pub text: &'static str,
    /// Adds the type, as serde sees it, to a shape.
    pub shape: fn(&mut Shape),
}

struct Traced {
    selector: String,
    signature: Fingerprint,
    error: Fingerprint,
}

impl Method {
    /// Describes a method. The types are traced at the first use.
    pub const fn new(
        interface: &'static str,
        name: &'static str,
        parameters: &'static [Parameter],
        value: Type,
        error: Type,
    ) -> Method {
        Method { interface, name, parameters, value, error, traced: OnceLock::new() }
    }

    /// Returns interface and method: `Greeter.greet`.
    pub(crate) fn selector(&self) -> &str {
        &self.traced().selector
    }

    /// Returns the fingerprint of the whole signature.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.traced().signature
    }

    /// Returns the fingerprint of the error type.
    pub(crate) fn error_fingerprint(&self) -> Fingerprint {
        self.traced().error
    }

    fn traced(&self) -> &Traced {
        self.traced.get_or_init(|| {
            let selector = format!("{}.{}", self.interface, self.name);
            let parameters: String =
                self.parameters.iter().map(|parameter| shape(&parameter.ty)).collect();
            let (value, error) = (shape(&self.value), shape(&self.error));
            let signature = Fingerprint::of(&format!("{selector}({parameters}){value}!{error}"));
            let error = Fingerprint::of(&error);
            Traced { selector, signature, error }
        })
    }
}

/// Returns the shape of a type, as it is hashed.
fn shape(ty: &Type) -> String {
    let mut shape = Shape::default();
    (ty.shape)(&mut shape);
    let mut text = shape.text().to_owned();
    if shape.is_partial() {
        // The type's name is part of the signature, too.
        text.push('?');
        text.push_str(ty.text);
        text.push(',');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    static NUMBER: &[Parameter] =
        &[Parameter { name: "n", ty: Type { text: "u64", shape: |shape| shape.of::<u64>() } }];
    static TEXT: &[Parameter] = &[Parameter {
        name: "n",
        ty: Type { text: "String", shape: |shape| shape.of::<String>() },
    }];

    fn method(parameters: &'static [Parameter]) -> Method {
        let unit = || Type { text: "()", shape: |shape| shape.of::<()>() };
        Method::new("Counter", "add", parameters, unit(), unit())
    }

    #[test]
    fn the_fingerprint_is_the_signature_and_nothing_else() {
        assert_eq!(method(NUMBER).selector(), "Counter.add");
        assert_eq!(method(NUMBER).fingerprint(), method(NUMBER).fingerprint());
        assert_ne!(method(NUMBER).fingerprint(), method(TEXT).fingerprint());
        assert_eq!(method(NUMBER).error_fingerprint(), method(TEXT).error_fingerprint());
    }
}
