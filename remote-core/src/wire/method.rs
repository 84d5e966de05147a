//! The selector of a message: its name, and the fingerprint of the method's signature.
//!
//! It must not know sessions or objects. Methods are looked up by fingerprint: a method whose signature was changed is not
//! found, and the call is refused, instead of being decoded wrongly.

use std::hash::Hasher;
use std::sync::OnceLock;

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
    signature: u64,
    error: u64,
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

    /// Returns the hash of the whole signature.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.traced().signature
    }

    /// Returns the hash of the error type.
    pub(crate) fn error_fingerprint(&self) -> u64 {
        self.traced().error
    }

    fn traced(&self) -> &Traced {
        self.traced.get_or_init(|| {
            let selector = format!("{}.{}", self.interface, self.name);
            let mut signature = Fingerprint::new();
            signature.write(selector.as_bytes());
            for parameter in self.parameters {
                signature.write_u64(type_fingerprint(&parameter.ty));
            }
            signature.write_u64(type_fingerprint(&self.value));
            let error = type_fingerprint(&self.error);
            signature.write_u64(error);
            Traced { selector, signature: signature.finish(), error }
        })
    }
}

fn type_fingerprint(ty: &Type) -> u64 {
    let mut shape = Shape::default();
    (ty.shape)(&mut shape);
    let mut fingerprint = Fingerprint::new();
    fingerprint.write(shape.text().as_bytes());
    if shape.text().ends_with('?') {
        // The shape was cut off, so that the type's name is hashed, too.
        fingerprint.write(ty.text.as_bytes());
    }
    fingerprint.finish()
}

/// Returns the hash of a name.
pub(crate) fn name_fingerprint(name: &str) -> u64 {
    let mut fingerprint = Fingerprint::new();
    fingerprint.write(name.as_bytes());
    fingerprint.finish()
}

/// The hash function FNV-1a (Fowler, Noll, Vo 1991). It is the same on every machine and in every build, which the hashers
/// of std do not guarantee.
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Fingerprint {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.write(&value.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        self.0
    }
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
