//! Owns references: smart pointers to objects, near or far.
//!
//! It must not know where the object is; whoever must, asks its receiver.

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
    Asked, Interfaced, Location, Receiver, Reference, Reply, Request, Ticket,
};
use crate::object::near;
use crate::object::null::NullReceiver;
use crate::wire::shape::NOWHERE;

/// A reference to an object, near or far: messages are sent by calling the methods of its interface.
///
/// Like `Arc` it answers no messages of its own: what it can do itself are associated functions. It travels in
/// arguments and results, at any depth; one that comes home is the original object. References are equal if they
/// mean the same object, and a promise (see [`Call::pipelined`](crate::Call::pipelined)) equals only its clones.
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
    /// A reference to an object that nobody else has. It lives while references to it do, here or elsewhere.
    pub fn new(object: impl Implements<T>) -> Ref<T> {
        Ref::to(near::alone(object))
    }

    /// A reference to an object that this process goes on to use directly. Made twice of the same `Arc`, the
    /// references are equal.
    pub fn from_arc(object: Arc<impl Implements<T>>) -> Ref<T> {
        Ref::to(near::shared(object))
    }

    /// Whether the object is in this process.
    pub fn is_near(this: &Ref<T>) -> bool {
        matches!(this.receiver().location(), Location::Near { .. })
    }

    /// A reference that does not keep the object alive.
    pub fn downgrade(this: &Ref<T>) -> WeakRef<T> {
        WeakRef { receiver: Arc::downgrade(this.receiver()), interface: std::marker::PhantomData }
    }

    /// The same object through another of its interfaces.
    ///
    /// # Errors
    /// [`Error::WrongInterface`] if the object's class does not list the interface; whatever keeps the question from
    /// being answered otherwise.
    pub async fn cast<U: ?Sized + Interface>(this: &Ref<T>) -> Result<Ref<U>> {
        let (class, interfaces) = interfaces(this.receiver()).await?;
        if interfaces.iter().any(|name| name == U::NAME) {
            return Ok(Ref::to(Arc::clone(this.receiver())));
        }
        Err(Error::WrongInterface { found: format!("class {class}"), wanted: U::NAME.to_owned() })
    }

    /// The object that a promise came to be, once it is known; anything else is itself. Messages sent to the result
    /// start after those sent to the promise.
    ///
    /// # Errors
    /// What the promised call failed with.
    pub async fn resolved(this: &Ref<T>) -> Result<Ref<T>> {
        Ok(Ref::to(Arc::clone(this.receiver()).resolved().await?))
    }

    /// Watches the object: the monitor is told, once and with the reason, when it ends. It does not keep the object
    /// alive. What was looked up over `udp://` cannot be watched: its monitor says so at once, by
    /// [`Ended::SessionEnded`](crate::Ended::SessionEnded).
    pub fn monitor(this: &Ref<T>) -> Monitor {
        Monitor::new(this.receiver())
    }

    /// Ends a near object: later calls fail with [`Error::Ended`], its monitors are told. Calls that run go on.
    ///
    /// # Errors
    /// [`Error::Refused`] if the object is not near.
    pub fn stop(this: &Ref<T>, reason: &str) -> Result<()> {
        this.receiver().stop(reason)
    }

    /// Stops an object of one's own, `mine`, when this one ends: near or far, in whatever way; at once, if it has ended
    /// already. Until the link is dropped, which see.
    ///
    /// # Errors
    /// [`Error::Refused`] if `mine` is not near, or if the other was looked up over `udp://`: nobody would tell of its end.
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

/// A reference that does not keep its object alive.
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
    /// The reference again, if the object still lives for whom the weak reference was given.
    ///
    /// # Errors
    /// None yet: it is for references whose owner must be asked.
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
        let interface = Interfaced::Own(T::NAME);
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

/// Writes a reference as serde sees it under a name: its place in the payload.
pub(crate) fn write<S: Serializer>(
    reference: Reference,
    name: &'static str,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let place = marshal::put(reference).ok_or_else(|| S::Error::custom(ONLY_IN_MESSAGES))?;
    serializer.serialize_newtype_struct(name, &place)
}

/// Reads a reference as it was written under a name.
pub(crate) fn read<'de, D: Deserializer<'de>>(
    name: &'static str,
    deserializer: D,
) -> Result<Reference, D::Error> {
    struct Place;
    impl<'de> Visitor<'de> for Place {
        type Value = u32;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the place of a reference")
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, place: D) -> Result<u32, D::Error> {
            u32::deserialize(place)
        }
    }
    let place = deserializer.deserialize_newtype_struct(name, Place)?;
    if place == NOWHERE {
        let receiver: Arc<dyn Receiver> = Arc::new(NullReceiver);
        return Ok(Reference { receiver, interface: Interfaced::Unknown });
    }
    marshal::get(place).ok_or_else(|| D::Error::custom(ONLY_IN_MESSAGES))
}

const ONLY_IN_MESSAGES: &str = "a reference travels only in messages between nodes";

/// Class and interfaces of an object, wherever it is.
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
        Reply::Failure(_) => Err(Error::Decode("an object that cannot tell its interfaces".into())),
        Reply::Fault(error) => Err(error),
    }
}
