//! Owns the macros of `remote-core`: `#[remote]` on a trait and on an `impl`, and `#[derive(Remote)]`. It must not know how
//! messages travel: what is generated speaks to the library through one versioned door alone.
//!
//! Use them through `remote_core`, which exports them again. The way of a macro is parse → model → validate → expand; what
//! validation refuses goes to the fallback, so that one mistake is one error.

mod expand;
mod model;
mod names;
mod parse;
mod span;
mod validate;

use proc_macro::TokenStream;

/// Makes a trait an interface, or an `impl` of one the object's side of it.
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
///     /// Greets twice. Sent as a message too; this body runs, at the caller's, if the far class is older and does
///     /// not know the message.
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
/// together with `impl Interface for dyn Greeter`, which describes the methods to both sides; with the implementation for
/// the proxy, which turns each call into a message; and with a function for each method that decodes its arguments, calls
/// the object, and encodes what it returns. All borrowed parameters share the lifetime of the call. The trait is an
/// ordinary trait: it can be used as `dyn Greeter`, generically, and with objects that are no classes (mocks).
///
/// **Parameters** are passed by value, if serde carries them, or as `&str`, `&[u8]`, `&V`, `&[V]`, `Option<&str>` and the
/// like, borrowed from the message where they can be. `Vec<u8>` and `&[u8]` are copied whole. Objects are passed as
/// `Ref<dyn Trait>`, at any depth. **Results** are `Result<V, E>`, or any alias of it, with owned `V` and `E`, and
/// `E: From<remote_core::Error>`, so that it can say that the connection was lost.
///
/// **Supertraits** are interfaces themselves, except `Send`, `Sync` and the like. `#[cfg(..)]` on a method removes all that
/// is generated for it.
///
/// **Options**: `#[remote(name = "..")]` gives the interface another name on the wire, so that the trait can be renamed;
/// `#[remote(crate = path)]` says where the library is, if it is no direct dependency.
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
/// A method may keep its caller's reply and give it later: then it returns `Result<Later<V>>` here, where the interface says
/// `Result<V>`; see `remote_core::Reply`.
#[proc_macro_attribute]
pub fn remote(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::remote(options.into(), item.into()).into()
}

/// Makes a type a class: named, known to its process, and with the interfaces that it answers to.
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
/// `#[remote(..)]` lists interfaces by their paths. The class is named like the type, or by `name = ".."`; two classes of
/// one name in a program are an error when a node starts. `crate = path` says where the library is, if it is no direct
/// dependency. Structs and enums can be classes, generic types cannot.
///
/// # One call at a time
///
/// The methods of an object run at once, as many as are called. `#[remote(Interface, serial)]` has those of each object of
/// the class run one after another, in the order in which they were called:
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
///         tokio::task::yield_now().await; // nobody else gets in between
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
/// - A method has its turn until it returns, also while it awaits something. One that panics, is cancelled, or whose
///   deadline passes gives it on; and one that keeps its caller's reply does when it returns.
/// - Calls that wait for their turn are cancelled like others, count in the window of their session like others, and
///   fail with `Error::Ended` when the object is stopped.
/// - A near call is executed by whoever awaits it: one that was begun, and is neither awaited nor dropped, has the turn.
/// - An object that calls itself and waits, directly or by way of others, waits for its own turn. Where that can be seen
///   from this side, because there are only awaited near calls between, the call fails with `Error::Refused`. A circle
///   through another node, a task or a promise is not seen: it ends when its deadline passes, which travels along. Call
///   methods on `self` instead, or send the message with `.oneway()`: it is executed later.
/// - The turns are those of calls through references. What the program does with an `Arc` of its own is in none.
///
/// # Panics
///
/// A panic in a method ends that call with `Error::Panicked`, and nothing else. If it may leave an object of the class in
/// pieces, `#[remote(Interface, stop_on_panic)]` stops the object as well: its monitors and links are told, and later calls
/// fail with `Error::Ended`, whose reason names the panic.
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
///         *count = count.checked_add(step).expect("a count that fits");
///         Ok(*count)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let counter: Ref<dyn Counter> = Ref::new(Fragile::default());
/// counter.add(1).await?;
/// assert_eq!(counter.add(u64::MAX).await, Err(Error::Panicked("a count that fits".into())));
/// let ended = Error::Ended("a method panicked: a count that fits".into());
/// assert_eq!(counter.add(1).await, Err(ended));
/// # Ok(()) }
/// ```
///
/// # At link time
///
/// Classes register themselves when the program is linked. A class in a library of which nothing else is used may be left
/// out by the linker: name something of that library, `use that_library as _;`.
#[proc_macro_derive(Remote, attributes(remote))]
pub fn derive_remote(item: TokenStream) -> TokenStream {
    expand::derive(item.into()).into()
}
