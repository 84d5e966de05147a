//! Links: a near object is stopped when another one ends, near or far.
//!
//! A link must not keep either of them alive.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Weak};

use super::interface::Interface;
use crate::error::{Error, Result};
use crate::object::execution::contained;
use crate::object::message::{Ended, Location, Receiver};

/// The prefix of the reason for which a link stops an object. It is part of the protocol: a reason with this prefix already
/// names the object that ended first, so that the next link of a chain passes it on unchanged, on any node.
const LINKED_PREFIX: &str = "because of ";

thread_local! {
    /// The objects that this thread still has to stop, while it is stopping one. They are stopped one after another and not
    /// recursively: a chain may be longer than the stack is deep.
    static STOPPING: RefCell<Option<VecDeque<Stop>>> = const { RefCell::new(None) };
}

/// An object to be stopped, and the reason.
struct Stop {
    object: Weak<dyn Receiver>,
    reason: String,
}

/// Stops a near object when another one ends; made by [`Ref::link`](crate::Ref::link). Dropping it ends the link, and nothing
/// else.
///
/// The other object ends when its [`Monitor`](crate::Monitor) resolves: it was stopped or dropped, or its state is unknown
/// because the session ended, the lease expired, or its node was restarted. A link keeps neither of the two objects alive.
///
/// The reason for which the object is stopped names the object that ended, and its reason: `because of Store #7 on 00f1..: the
/// disk is full`. An object that is linked to the stopped one is stopped for the same reason, so that along a chain of links,
/// across any number of nodes, the reason names the object that ended first. Links may form a cycle: an object that is already
/// stopped is not stopped again.
///
/// ```
/// # use remote_core::{Error, Ref, Remote, Result, remote};
/// # #[remote] trait Store { async fn read(&self) -> Result<u8>; }
/// # #[derive(Remote)] #[remote(Store)] struct Disk;
/// # #[remote] impl Store for Disk { async fn read(&self) -> Result<u8> { Ok(1) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let disk: Ref<dyn Store> = Ref::new(Disk);
/// let cache: Ref<dyn Store> = Ref::new(Disk);
/// let link = Ref::link(&cache, &disk)?;
/// Ref::stop(&disk, "the disk is full")?;
/// let Err(Error::Ended(reason)) = cache.read().await else { panic!("it was stopped as well") };
/// assert!(reason.starts_with("because of Store #") && reason.ends_with(": the disk is full"));
/// # drop(link);
/// # Ok(()) }
/// ```
#[must_use = "a link that is dropped does nothing"]
pub struct Link {
    _watching: Box<dyn Send + Sync>,
}

impl Link {
    /// Makes a link by which `mine`, a near object, is stopped when `other` ends. `T` is the interface that names `other`.
    pub(crate) fn new<T: ?Sized + Interface>(
        mine: &Arc<dyn Receiver>,
        other: &Arc<dyn Receiver>,
    ) -> Result<Link> {
        if !matches!(mine.location(), Location::Near { .. }) {
            return Err(Error::Refused(
                "a link can stop a near object only; make the link on the node of the object that it is to stop"
                    .into(),
            ));
        }
        if let Location::Addressed { .. } = other.location() {
            return Err(Error::Refused("// alone; look it up over tcp://".into()));
        }
        let (mine, culprit) = (Arc::downgrade(mine), name::<T>(&other.location()));
        let watcher =
            move |ended: Ended| stop(Stop { object: mine, reason: reason(&culprit, ended) });
        Ok(Link { _watching: Arc::clone(other).watch(Box::new(watcher)) })
    }

    /// Ends the link, as dropping it does.
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Carriage;
    /// # #[remote] impl Ping for Carriage { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let (first, second): (Ref<dyn Ping>, Ref<dyn Ping>) = (Ref::new(Carriage), Ref::new(Carriage));
    /// let link = Ref::link(&second, &first)?;
    /// link.unlink();
    /// Ref::stop(&first, "enough")?;
    /// assert_eq!(second.ping().await, Ok(1)); // not stopped
    /// # Ok(()) }
    /// ```
    pub fn unlink(self) {}
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// Returns the name of an object in reasons, which may be read on any node.
fn name<T: ?Sized + Interface>(location: &Location) -> String {
    match location {
        Location::Near { object, owner: Some(node) } | Location::Far { node, object, .. } => {
            format!("{} #{} on {node}", T::NAME, object.0)
        }
        Location::Near { object, owner: None } => format!("{} #{}", T::NAME, object.0),
        Location::Promise { .. } => format!("a promised {}", T::NAME),
        Location::Addressed { .. } => format!("a {} by its address", T::NAME),
    }
}

fn reason(culprit: &str, ended: Ended) -> String {
    match ended {
        Ended::Stopped(reason) if reason.starts_with(LINKED_PREFIX) => reason,
        Ended::Stopped(reason) => format!("{LINKED_PREFIX}{culprit}: {reason}"),
        ended => format!("{LINKED_PREFIX}{culprit}: {ended}"),
    }
}

/// Stops an object, and the objects that are linked to it.
fn stop(stop: Stop) {
    let is_first = STOPPING.with_borrow_mut(|waiting| {
        let is_first = waiting.is_none();
        waiting.get_or_insert_default().push_back(stop);
        is_first
    });
    if !is_first {
        return;
    }
    while let Some(Stop { object, reason }) = next() {
        // Panics are caught: this may drop the last reference to the object, whose destructor is user code.
        contained(|| {
            let _ = object.upgrade().map(|object| object.stop(&reason));
        });
    }
}

fn next() -> Option<Stop> {
    STOPPING.with_borrow_mut(|waiting| {
        let next = waiting.as_mut().and_then(VecDeque::pop_front);
        if next.is_none() {
            *waiting = None;
        }
        next
    })
}
