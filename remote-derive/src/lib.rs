//! The macros of `remote-core`: `#[remote]` on a trait and on an `impl`, and `#[derive(Remote)]`.
//!
//! Use them through `remote_core`, which re-exports them. An expansion has four steps: parse, model, validate, expand.
//! Where validation finds errors, the fallback is generated beside them, so that the compiler reports no others. The
//! macros must not know how messages are sent: generated code uses only the versioned module
//! `remote_core::__private::v1`.

mod expand;
mod model;
mod names;
mod parse;
mod span;
mod validate;

use proc_macro::TokenStream;

/// Makes a trait an interface, or adapts an `impl` of an interface.
///
/// # On a trait
///
/// Each method is an `async fn` that takes `&self` and returns a `Result`; each call of it is a message.
///
/// ```
/// # extern crate the_library as remote_core;
/// use remote_core::{Result, remote};
///
/// /// Greets.
/// #[remote]
/// pub trait Greeter {
///     /// Greets by name.
///     async fn greet(&self, name: &str) -> Result<String>;
///
///     /// Greets twice. This is sent as a message, too; the default body runs, at the caller, if the class of the far
///     /// object is older and does not have the method.
///     async fn insist(&self, name: &str) -> Result<String> {
///         Ok(format!("{}, {}", self.greet(name).await?, self.greet(name).await?))
///     }
/// }
/// # fn main() {}
/// ```
///
/// becomes, without the hidden parts,
///
/// ```
/// # extern crate the_library as remote_core;
/// # use remote_core::Result;
/// use remote_core::Call;
///
/// /// Greets.
/// pub trait Greeter: Send + Sync + 'static {
///     /// Greets by name.
///     fn greet<'remote>(&'remote self, name: &'remote str) -> Call<'remote, Result<String>>;
///
///     /// Greets twice. [..]
///     fn insist<'remote>(&'remote self, name: &'remote str) -> Call<'remote, Result<String>> {
///         /* the body, as a call */
/// #       self.greet(name)
///     }
/// }
///
/// /* pub type GreeterProxy = Proxy<dyn Greeter>; */
/// # fn main() {}
/// ```
///
/// and also generates `impl Interface for dyn Greeter`, which describes the methods to both sides; the implementation
/// for the proxy, which sends each call as a message; and one function for each method that decodes the arguments,
/// calls the object, and encodes the result. All borrowed parameters share the lifetime of the call. The trait remains
/// an ordinary trait: it can be used as `dyn Greeter`, as a bound, and implemented by types that are not classes
/// (mocks).
///
/// **Parameters** are values that serde can serialize and deserialize, or references to them: `&str`, `&[u8]`, `&V`,
/// `&[V]`, `Option<&str>`, which borrow from the message where serde can. `Vec<u8>` and `&[u8]` are copied as a block,
/// not byte by byte. Objects are passed as `Ref<dyn Trait>`, at any depth. **Results** are `Result<V, E>`, or any alias
/// of it, with owned `V` and `E`, and `E: From<remote_core::Error>`, so that a lost connection can be reported.
///
/// **Supertraits** must be interfaces, except markers such as `Send` and `Sync`. `#[cfg(..)]` on a method applies to
/// all that is generated for it.
///
/// **Options**: `#[remote(name = "..")]` sets the name of the interface on the wire, so that the trait can be renamed;
/// `#[remote(crate = path)]` is the path of the library, if it is not a direct dependency.
///
/// # On an `impl`
///
/// ```
/// # extern crate the_library as remote_core;
/// # use remote_core::{Result, remote};
/// # #[remote]
/// # pub trait Greeter {
/// #     async fn greet(&self, name: &str) -> Result<String>;
/// # }
/// struct English;
///
/// #[remote]
/// impl Greeter for English {
///     async fn greet(&self, name: &str) -> Result<String> {
///         Ok(format!("hello, {name}"))
///     }
/// }
/// # fn main() {}
/// ```
///
/// Each method becomes `fn greet<'remote>(..) -> Call<'remote, Result<String>>` with the body as its future. As in any
/// `async fn`, nothing runs before the call is awaited, and all parameters live until it is done.
///
/// A method can defer its reply: it then returns `Result<Later<V>>` here where the interface has `Result<V>`; see
/// `remote_core::Reply`.
#[proc_macro_attribute]
pub fn remote(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::remote(options.into(), item.into()).into()
}

/// Makes a type a class: registers it under a name, with the interfaces that its objects implement.
///
/// ```
/// # extern crate the_library as remote_core;
/// use remote_core::{Ref, Remote, Result, remote};
///
/// #[remote]
/// trait Counter {
///     async fn add(&self, step: u64) -> Result<u64>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Counter, name = "example.Steady")]
/// struct Steady;
///
/// #[remote]
/// impl Counter for Steady {
///     async fn add(&self, step: u64) -> Result<u64> {
///         Ok(step)
///     }
/// }
///
/// # fn main() {
/// let counter: Ref<dyn Counter> = Ref::new(Steady);
/// # }
/// ```
///
/// `#[remote(..)]` lists the interfaces by their paths. The class has the name of the type, or that of `name = ".."`;
/// if a program has two classes of one name, starting a node fails. `crate = path` is the path of the library, if it is
/// not a direct dependency. Structs and enums can be classes, generic types cannot.
///
/// # One call at a time
///
/// An object executes its calls concurrently. With `#[remote(Interface, serial)]` each object of the class is a serial
/// object: it executes one call at a time, in the order in which they were made:
///
/// ```
/// # extern crate the_library as remote_core;
/// # use remote_core::{Ref, Remote, Result, remote};
/// # #[remote]
/// # trait Counter {
/// #     async fn add(&self, step: u64) -> Result<u64>;
/// # }
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// #[derive(Remote, Default)]
/// #[remote(Counter, serial)]
/// struct Careful(AtomicU64);
///
/// #[remote]
/// impl Counter for Careful {
///     async fn add(&self, step: u64) -> Result<u64> {
///         let before = self.0.load(Relaxed);
///         tokio::task::yield_now().await; // no other call runs meanwhile
///         self.0.store(before + step, Relaxed);
///         Ok(before + step)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let counter: Ref<dyn Counter> = Ref::new(Careful::default());
/// let added = tokio::join!(counter.add(1), counter.add(2), counter.add(3));
/// assert_eq!(added, (Ok(1), Ok(3), Ok(6)));
/// # Ok(()) }
/// ```
///
/// - The next call starts when the method of the current one has returned, panicked, was cancelled, or its deadline has
///   passed. A method that awaits something has not returned; one that defers its reply has.
/// - Calls that wait can be cancelled like others, count in the window of their session like others, and fail with
///   `Error::Ended` when the object is stopped.
/// - A near call is executed by the task that awaits it: one that was polled once, and is neither awaited nor dropped,
///   blocks the calls after it.
/// - An object that calls itself and awaits the reply, directly or through other objects, deadlocks. If there are only
///   awaited near calls between, that is detected, and the call fails with `Error::Refused`. A cycle through another
///   node, a task or a promise is not detected: it ends when the deadline passes, which calls inherit. Call methods on
///   `self` instead, or send the message with `.oneway()`: it is executed later.
/// - Only calls through references are serial. Calls that the program makes on an `Arc` of its own are not.
///
/// # Panics
///
/// A panic in a method ends that call with `Error::Panicked`, and nothing else. If a panic may leave the object
/// inconsistent, `#[remote(Interface, stop_on_panic)]` stops the object as well: its monitors and links are notified,
/// and later calls fail with `Error::Ended`, whose reason contains the panic message.
///
/// ```
/// # extern crate the_library as remote_core;
/// # use remote_core::{Error, Ref, Remote, Result, remote};
/// # #[remote]
/// # trait Counter {
/// #     async fn add(&self, step: u64) -> Result<u64>;
/// # }
/// use std::sync::Mutex;
///
/// #[derive(Remote, Default)]
/// #[remote(Counter, stop_on_panic)]
/// struct Fragile(Mutex<u64>); // a panic poisons it
///
/// #[remote]
/// impl Counter for Fragile {
///     async fn add(&self, step: u64) -> Result<u64> {
///         let mut count = self.0.lock().unwrap();
///         *count = count.checked_add(step).expect("the count overflowed");
///         Ok(*count)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let counter: Ref<dyn Counter> = Ref::new(Fragile::default());
/// counter.add(1).await?;
/// assert_eq!(counter.add(u64::MAX).await, Err(Error::Panicked("the count overflowed".into())));
/// let ended = Error::Ended("a method panicked: the count overflowed".into());
/// assert_eq!(counter.add(1).await, Err(ended));
/// # Ok(()) }
/// ```
///
/// # Linking
///
/// Classes are collected when the program is linked. The linker may leave out a library of which nothing is used, and
/// its classes with it: write `use that_library as _;`.
#[proc_macro_derive(Remote, attributes(remote))]
pub fn derive_remote(item: TokenStream) -> TokenStream {
    expand::derive(item.into()).into()
}
