//! References: smart pointers to objects, near or far.
//!
//! It must not know where the object is; the receiver does.

use std::any::TypeId;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, Weak};

use serde::de::{Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};

use super::interface::{Implements, Interface, Proxy};
use super::link::Link;
use super::monitor::Monitor;
use super::object::{Object, is_any};
use crate::error::{Error, Result};
use crate::object::builtin::{INTERFACES, read_interfaces};
use crate::object::marshal;
use crate::object::message::{
    Asked, InterfaceName, Location, Receiver, Reference, Reply, Request, Ticket,
};
use crate::object::null::NullReceiver;
use crate::object::{near, resolution};
use crate::wire::shape::NULL_POSITION;

/// A counted reference to one object, near or far. Calling the methods of its interface sends messages.
///
/// It dereferences to the interface, `dyn Trait`. The operations on the reference itself are associated functions, such as
/// `Ref::is_near(&r)`, as with `Arc`. Cloning is cheap. A reference can be passed in arguments and results at any depth, and
/// keeps its object alive on any node. References are equal if they refer to the same object; a promise (see
/// [`Call::pipelined`](crate::Call::pipelined)) equals only its own clones. The chapter [references](crate::guide::references)
/// says how long an object lives.
///
/// ```
/// use remote_core::{Ref, Remote, Result, remote};
///
/// #[remote]
/// trait Counter {
///     async fn add(&self, n: u64) -> Result<u64>;
/// }
///
/// #[derive(Remote, Default)]
/// #[remote(Counter)]
/// struct Total(std::sync::atomic::AtomicU64);
///
/// #[remote]
/// impl Counter for Total {
///     async fn add(&self, n: u64) -> Result<u64> {
///         Ok(self.0.fetch_add(n, std::sync::atomic::Ordering::Relaxed) + n)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let counter: Ref<dyn Counter> = Ref::new(Total::default());
/// assert_eq!(counter.add(2).await?, 2);
/// assert_eq!(counter.clone().add(3).await?, 5);
/// assert!(Ref::is_near(&counter));
/// # Ok(()) }
/// ```
pub struct Ref<T: ?Sized> {
    proxy: Proxy<T>,
}

impl<T: ?Sized + Interface> Ref<T> {
    /// Makes an object, and returns a reference to it.
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Solo;
    /// # #[remote] impl Ping for Solo { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let object: Ref<dyn Ping> = Ref::new(Solo);
    /// assert_eq!(object.ping().await?, 1);
    /// # Ok(()) }
    /// ```
    pub fn new(object: impl Implements<T>) -> Ref<T> {
        Ref::to(near::alone(object))
    }

    /// Makes an object of the value in an `Arc`, and returns a reference to it. The program can continue to use the `Arc`
    /// directly. References made of clones of one `Arc` are equal as long as one of them exists.
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Duet;
    /// # #[remote] impl Ping for Duet { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let shared = std::sync::Arc::new(Duet);
    /// let object: Ref<dyn Ping> = Ref::from_arc(shared.clone());
    /// assert_eq!(object, Ref::from_arc(shared));
    /// # Ok(()) }
    /// ```
    pub fn from_arc(object: Arc<impl Implements<T>>) -> Ref<T> {
        Ref::to(near::shared(object))
    }

    /// Returns true if the object is near: in this process, and not reached through a session. A promise is not near, even if
    /// it resolves to a near object.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Neighbour;
    /// # #[remote] impl Ping for Neighbour { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let near: Ref<dyn Ping> = Ref::new(Neighbour);
    /// assert!(Ref::is_near(&near));
    ///
    /// let server = Node::listen("memory://is-near-doc").await?;
    /// server.publish("ping", near).await?;
    /// let far: Ref<dyn Ping> = Node::new().lookup(server.uri("ping")).await?;
    /// assert!(!Ref::is_near(&far));
    /// # Ok(()) }
    /// ```
    pub fn is_near(this: &Ref<T>) -> bool {
        matches!(this.receiver().location(), Location::Near { .. })
    }

    /// Returns a reference that does not keep the object alive; see [`WeakRef`].
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote};
    /// # #[remote] trait Empty {}
    /// # #[derive(Remote)] #[remote(Empty)] struct Feather;
    /// # #[remote] impl Empty for Feather {}
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let weak = Ref::downgrade(&Ref::<dyn Empty>::new(Feather));
    /// assert_eq!(weak.upgrade().await?, None);
    /// # Ok(()) }
    /// ```
    pub fn downgrade(this: &Ref<T>) -> WeakRef<T> {
        WeakRef { receiver: Arc::downgrade(this.receiver()), interface: std::marker::PhantomData }
    }

    /// Returns a reference to the same object through another of its interfaces. It requests the interfaces from the object; if
    /// the object is far, this takes a round trip.
    ///
    /// # Errors
    /// [`Error::WrongInterface`] if the class of the object does not list the interface; otherwise those of a call.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future has no effect.
    ///
    /// ```
    /// # use remote_core::{Error, Ref, Remote, Result, remote};
    /// # #[remote] trait Read { async fn read(&self) -> Result<u8>; }
    /// # #[remote] trait Write { async fn write(&self, value: u8) -> Result<()>; }
    /// # #[derive(Remote, Default)] #[remote(Read, Write)] struct Cell(std::sync::Mutex<u8>);
    /// # #[remote] impl Read for Cell { async fn read(&self) -> Result<u8> { Ok(*self.0.lock().unwrap()) } }
    /// # #[remote] impl Write for Cell { async fn write(&self, value: u8) -> Result<()> { *self.0.lock().unwrap() = value; Ok(()) } }
    /// # #[remote] trait Seek {}
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let writer: Ref<dyn Write> = Ref::new(Cell::default()); // the class lists `Read` and `Write`
    /// writer.write(7).await?;
    /// let reader: Ref<dyn Read> = Ref::cast(&writer).await?;
    /// assert_eq!(reader.read().await?, 7);
    /// assert!(matches!(Ref::cast::<dyn Seek>(&writer).await, Err(Error::WrongInterface { .. })));
    /// # Ok(()) }
    /// ```
    pub async fn cast<U: ?Sized + Interface>(this: &Ref<T>) -> Result<Ref<U>> {
        let (class, interfaces) = interfaces(this.receiver()).await?;
        if interfaces.iter().any(|name| name == U::NAME) {
            return Ok(Ref::to(Arc::clone(this.receiver())));
        }
        Err(Error::WrongInterface { found: format!("class {class}"), wanted: U::NAME.to_owned() })
    }

    /// Waits until a promise is resolved, and returns the reference that it resolves to. Any other reference is returned as it
    /// is. Messages that are sent to the result start after those that were sent to the promise.
    ///
    /// # Errors
    /// The error with which the promise's call failed.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future has no effect.
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote, this};
    /// # #[remote] trait Selfish { async fn me(&self) -> Result<Ref<dyn Selfish>>; }
    /// # #[derive(Remote)] #[remote(Selfish)] struct Ego;
    /// # #[remote] impl Selfish for Ego { async fn me(&self) -> Result<Ref<dyn Selfish>> { Ok(this()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let object: Ref<dyn Selfish> = Ref::new(Ego);
    /// let promise = object.me().pipelined();
    /// assert_ne!(promise, object);
    /// assert_eq!(Ref::resolved(&promise).await?, object);
    /// # Ok(()) }
    /// ```
    pub async fn resolved(this: &Ref<T>) -> Result<Ref<T>> {
        Ok(Ref::to(resolution::resolved(Arc::clone(this.receiver())).await?))
    }

    /// Returns a future that resolves when the object ends, with the reason; see [`Monitor`]. It does not keep the object alive.
    ///
    /// A reference that was looked up over `udp://` cannot be monitored: the future resolves at once, with
    /// [`Ended::SessionEnded`](crate::Ended::SessionEnded).
    ///
    /// ```
    /// # use remote_core::{Ended, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Mortal;
    /// # #[remote] impl Ping for Mortal { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let object: Ref<dyn Ping> = Ref::new(Mortal);
    /// let monitor = Ref::monitor(&object);
    /// drop(object);
    /// assert_eq!(monitor.await, Ended::Released);
    /// # Ok(()) }
    /// ```
    pub fn monitor(this: &Ref<T>) -> Monitor {
        Monitor::new(this.receiver())
    }

    /// Stops a near object: later calls fail with [`Error::Ended`] and the reason, its monitors resolve, and its links stop
    /// their objects. Calls in progress continue. Stopping an object again has no effect.
    ///
    /// # Errors
    /// [`Error::Refused`] if the object is not near.
    ///
    /// ```
    /// # use remote_core::{Error, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Stoppable;
    /// # #[remote] impl Ping for Stoppable { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let object: Ref<dyn Ping> = Ref::new(Stoppable);
    /// Ref::stop(&object, "enough")?;
    /// assert_eq!(object.ping().await, Err(Error::Ended("enough".into())));
    /// # Ok(()) }
    /// ```
    pub fn stop(this: &Ref<T>, reason: &str) -> Result<()> {
        this.receiver().stop(reason)
    }

    /// Stops the near object `mine` when `other`, near or far, ends for any reason; at once, if it has ended already. The
    /// [`Link`] holds until it is dropped.
    ///
    /// # Errors
    /// [`Error::Refused`] if `mine` is not near, or if `other` was looked up over `udp://`, where its end is not reported.
    ///
    /// ```
    /// # use remote_core::{Error, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Twin;
    /// # #[remote] impl Ping for Twin { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let (first, second): (Ref<dyn Ping>, Ref<dyn Ping>) = (Ref::new(Twin), Ref::new(Twin));
    /// let _link = Ref::link(&second, &first)?;
    /// Ref::stop(&first, "enough")?;
    /// assert!(matches!(second.ping().await, Err(Error::Ended(_))));
    /// # Ok(()) }
    /// ```
    pub fn link<U: ?Sized + Interface>(mine: &Ref<U>, other: &Ref<T>) -> Result<Link> {
        Link::new::<T>(mine.receiver(), other.receiver())
    }

    pub(crate) fn to(receiver: Arc<dyn Receiver>) -> Ref<T> {
        Ref { proxy: Proxy::new(receiver) }
    }

    pub(crate) fn receiver(&self) -> &Arc<dyn Receiver> {
        &self.proxy.receiver
    }
}

/// A reference that does not keep its object alive; made by [`Ref::downgrade`].
///
/// ```
/// # use remote_core::{Ref, Remote, Result, remote};
/// # #[remote] trait Empty {}
/// # #[derive(Remote)] #[remote(Empty)] struct Void;
/// # #[remote] impl Empty for Void {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let strong: Ref<dyn Empty> = Ref::new(Void);
/// let weak = Ref::downgrade(&strong);
/// assert_eq!(weak.upgrade().await?, Some(strong.clone()));
/// drop(strong);
/// assert_eq!(weak.upgrade().await?, None);
/// # Ok(()) }
/// ```
pub struct WeakRef<T: ?Sized> {
    receiver: Weak<dyn Receiver>,
    interface: std::marker::PhantomData<fn(&T)>,
}

impl<T: ?Sized + Interface> WeakRef<T> {
    /// Returns a reference to the object, or `None`: for a near object, if it was dropped; for a far object, if the reference
    /// from which this was made and all clones of it are dropped, although the object may still exist.
    ///
    /// # Errors
    /// None at present.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future has no effect.
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote};
    /// # #[remote] trait Empty {}
    /// # #[derive(Remote)] #[remote(Empty)] struct Straw;
    /// # #[remote] impl Empty for Straw {}
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let strong: Ref<dyn Empty> = Ref::new(Straw);
    /// assert_eq!(Ref::downgrade(&strong).upgrade().await?, Some(strong));
    /// # Ok(()) }
    /// ```
    pub async fn upgrade(&self) -> Result<Option<Ref<T>>> {
        Ok(self.receiver.upgrade().map(Ref::to))
    }
}

impl<T: ?Sized + Interface> Clone for WeakRef<T> {
    fn clone(&self) -> WeakRef<T> {
        WeakRef { receiver: Weak::clone(&self.receiver), interface: std::marker::PhantomData }
    }
}

impl<T: ?Sized + Interface> fmt::Debug for WeakRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weak{}", T::REFERENCE)
    }
}

impl<T: ?Sized + Interface> Deref for Ref<T> {
    type Target = T;

    fn deref(&self) -> &T {
        T::from_proxy(&self.proxy)
    }
}

impl<T: ?Sized + Interface> Clone for Ref<T> {
    fn clone(&self) -> Ref<T> {
        Ref::to(Arc::clone(self.receiver()))
    }
}

impl<T: ?Sized + Interface> PartialEq for Ref<T> {
    fn eq(&self, other: &Ref<T>) -> bool {
        Arc::ptr_eq(self.receiver(), other.receiver())
            || self.receiver().location().is_same(&other.receiver().location())
    }
}

impl<T: ?Sized + Interface> Eq for Ref<T> {}

impl<T: ?Sized + Interface> Hash for Ref<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.receiver().location().number().hash(state);
    }
}

impl<T: ?Sized + Interface> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.receiver().location() {
            Location::Near { object, .. } => write!(f, "{}(near #{})", T::REFERENCE, object.0),
            Location::Far { node, object, .. } => {
                write!(f, "{}(far #{} on {node})", T::REFERENCE, object.0)
            }
            Location::Promise { .. } => write!(f, "{}(promised)", T::REFERENCE),
            Location::Addressed { .. } => write!(f, "{}(by its address)", T::REFERENCE),
        }
    }
}

impl<T: ?Sized + Interface> Serialize for Ref<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let interface = InterfaceName::Own(T::NAME);
        let reference = Reference { receiver: Arc::clone(self.receiver()), interface };
        write(reference, T::REFERENCE, serializer)
    }
}

impl<'de, T: ?Sized + Interface> Deserialize<'de> for Ref<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ref<T>, D::Error> {
        let reference = read(T::REFERENCE, deserializer)?;
        if !is_any::<T>() {
            match reference.interface.text() {
                Some(name) if name != T::NAME && name != <dyn Object>::NAME => {
                    let problem =
                        format!("a reference to {name} where one to {} is wanted", T::NAME);
                    return Err(D::Error::custom(problem));
                }
                _ => reference
                    .receiver
                    .require(TypeId::of::<T>(), T::NAME)
                    .map_err(D::Error::custom)?,
            }
        }
        Ok(Ref::to(reference.receiver))
    }
}

/// Serializes a reference as its position in the payload, in a newtype struct of this name.
pub(crate) fn write<S: Serializer>(
    reference: Reference,
    name: &'static str,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let place = marshal::put(reference).ok_or_else(|| S::Error::custom(ONLY_IN_MESSAGES))?;
    serializer.serialize_newtype_struct(name, &place)
}

/// Deserializes a reference that [`write()`] wrote under this name.
pub(crate) fn read<'de, D: Deserializer<'de>>(
    name: &'static str,
    deserializer: D,
) -> Result<Reference, D::Error> {
    struct Place;
    impl<'de> Visitor<'de> for Place {
        type Value = u32;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the position of a reference")
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, place: D) -> Result<u32, D::Error> {
            u32::deserialize(place)
        }
    }
    let place = deserializer.deserialize_newtype_struct(name, Place)?;
    if place == NULL_POSITION {
        let receiver: Arc<dyn Receiver> = Arc::new(NullReceiver);
        return Ok(Reference { receiver, interface: InterfaceName::Unknown });
    }
    marshal::get(place).ok_or_else(|| D::Error::custom(ONLY_IN_MESSAGES))
}

const ONLY_IN_MESSAGES: &str = "a reference travels only in messages between nodes";

/// Requests the class and the interfaces of an object.
pub(crate) async fn interfaces(receiver: &Arc<dyn Receiver>) -> Result<(String, Vec<String>)> {
    let reply = match receiver.ask(receiver, Request::plain(&INTERFACES)) {
        Asked::Running(running) => running.await,
        Asked::Sent(claim) => match receiver.route() {
            Some(route) => Ticket::new(route, claim).reply().await,
            None => return Err(Error::NoSuchObject),
        },
        Asked::Refused(error) => return Err(error),
    };
    match reply {
        Reply::Value(payload) => read_interfaces(&payload),
        Reply::Failure(_) => Err(Error::Decode("an object whose interfaces cannot be read".into())),
        Reply::Fault(error) => Err(error),
    }
}
