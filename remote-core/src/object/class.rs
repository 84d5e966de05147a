//! Classes: their interfaces, and the dispatch of messages to methods.
//!
//! It must not know where objects are stored. Classes register themselves at link time, so that two classes with one name
//! are detected when a node starts, and not when one is taken for the other.

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use foldhash::HashMap;

use super::message::{Payload, Receiver, Reply};
use crate::error::{Error, Result};
use crate::session::header::Selector;
use crate::wire::codec::Decoder;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::method::Method;

/// A type whose objects can be referred to by [`Ref`](crate::Ref): a bound for code that is generic over classes. Implemented
/// by [`#[derive(Remote)]`](derive@crate::Remote), and only by it. [`Implements`](crate::Implements) also requires an
/// interface.
///
/// ```
/// use std::sync::Arc;
/// use remote_core::{Class, Ref, Remote, remote};
///
/// #[remote]
/// trait Empty {}
///
/// #[derive(Remote)]
/// #[remote(Empty)]
/// struct Vacuum;
///
/// #[remote]
/// impl Empty for Vacuum {}
///
/// /// Idle objects of one class.
/// struct Pool<C: Class>(Vec<Arc<C>>);
///
/// let mut pool = Pool(vec![Arc::new(Vacuum)]);
/// let object: Option<Ref<dyn Empty>> = pool.0.pop().map(Ref::from_arc);
/// assert!(object.is_some_and(|object| Ref::is_near(&object)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a class of remote objects",
    note = "add `#[derive(Remote)]` and `#[remote(TheInterface)]` to the type"
)]
pub trait Class: Send + Sync + 'static {
    #[doc(hidden)]
    fn class() -> &'static ClassInfo;
}

/// A class of objects: its name, its options, and its methods.
pub struct ClassInfo {
    name: &'static str,
    path: &'static str,
    register: fn(&mut ClassBuilder),
    is_serial: bool,
    stops_on_panic: bool,
    dispatch: OnceLock<ClassBuilder>,
}

/// Registers a class with its process, at link time.
pub struct Registration(pub &'static ClassInfo);

inventory::collect!(Registration);

/// Executes a method of an object.
pub type Invoke = fn(Near, Incoming) -> Pin<Box<dyn Future<Output = Reply> + Send>>;

/// The interfaces of a class, and its methods by fingerprint.
#[derive(Default)]
pub struct ClassBuilder {
    interfaces: Vec<(TypeId, &'static str)>,
    methods: HashMap<Fingerprint, (&'static Method, Invoke)>,
}

/// The user's object, as it is passed to its methods.
pub struct Near(pub(crate) Arc<dyn Receiver>);

/// The arguments of a received message.
pub struct Incoming(pub(crate) Payload);

impl ClassInfo {
    /// Describes a class.
    pub const fn new(
        name: &'static str,
        path: &'static str,
        register: fn(&mut ClassBuilder),
    ) -> ClassInfo {
        let (is_serial, stops_on_panic) = (false, false);
        ClassInfo { name, path, register, is_serial, stops_on_panic, dispatch: OnceLock::new() }
    }

    /// Makes the objects of the class serial: each executes one call at a time.
    pub const fn serial(mut self) -> ClassInfo {
        self.is_serial = true;
        self
    }

    /// Makes a panic in a method stop the object.
    pub const fn stopping_on_panic(mut self) -> ClassInfo {
        self.stops_on_panic = true;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn is_serial(&self) -> bool {
        self.is_serial
    }

    pub(crate) fn stops_on_panic(&self) -> bool {
        self.stops_on_panic
    }

    /// Returns the interfaces of the class.
    pub(crate) fn interfaces(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.dispatch().interfaces.iter().map(|(_, name)| *name)
    }

    pub(crate) fn answers_to(&self, interface: TypeId) -> bool {
        self.dispatch().interfaces.iter().any(|(known, _)| *known == interface)
    }

    /// Returns the method for a message, or the error if there is none.
    pub(crate) fn find(&self, selector: &Selector) -> Result<Invoke> {
        if let Some((method, invoke)) = self.dispatch().methods.get(&selector.fingerprint())
            && selector.is(method)
        {
            return Ok(*invoke);
        }
        let text = selector.text();
        let (class, selector) = (self.name.to_owned(), text.to_owned());
        if self.dispatch().methods.values().any(|(method, _)| method.selector() == text) {
            return Err(Error::SignatureMismatch { class, selector });
        }
        Err(Error::MessageNotUnderstood { class, selector })
    }

    fn dispatch(&self) -> &ClassBuilder {
        self.dispatch.get_or_init(|| {
            let mut builder = ClassBuilder::default();
            (self.register)(&mut builder);
            builder
        })
    }
}

impl ClassBuilder {
    /// Adds an interface.
    pub fn interface<T: ?Sized + 'static>(&mut self, name: &'static str) {
        let id = TypeId::of::<T>();
        if !self.interfaces.iter().any(|(known, _)| *known == id) {
            self.interfaces.push((id, name));
        }
    }

    /// Adds a method.
    pub fn method(&mut self, method: &'static Method, invoke: Invoke) {
        self.methods.insert(method.fingerprint(), (method, invoke));
    }
}

impl Near {
    /// Returns the object, as a value of its class.
    ///
    /// # Panics
    /// Panics if the object has another class. Generated code never causes this.
    pub fn get<S: Class>(&self) -> &S {
        self.0
            .object()
            .and_then(|object| object.downcast_ref())
            .expect("a class executes its methods on its own objects")
    }
}

impl Incoming {
    /// Decodes the arguments. Fails if bytes are left.
    pub fn decode<'p, A>(
        &'p self,
        read: impl FnOnce(&mut Decoder<'p>) -> Result<A, Error>,
    ) -> Result<A, Error> {
        self.0.decode(read)
    }
}

/// Returns an error if two classes have one name.
pub(crate) fn check_registrations() -> Result<()> {
    let mut seen: HashMap<&str, &ClassInfo> = HashMap::default();
    for Registration(class) in inventory::iter::<Registration> {
        if let Some(other) = seen.insert(class.name, class)
            && !std::ptr::eq(other, *class)
        {
            let paths = (other.path.to_owned(), class.path.to_owned());
            return Err(Error::DuplicateClass { name: class.name.to_owned(), paths });
        }
    }
    Ok(())
}
