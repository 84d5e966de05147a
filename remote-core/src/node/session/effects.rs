//! Side effects of a change of a session's state: gathered under the lock, applied after it is released.
//!
//! It must not know the session. Invariant 8: wakers, watchers and destructors may be user code, and none of it runs under a
//! lock.

use std::sync::Arc;
use std::task::Waker;

use tokio::task::AbortHandle;

use super::calls::Delivery;
use super::state::StateChange;
use super::vouched::Withdrawn;
use super::watches::Guard;
use crate::id::WatchId;
use crate::object::message::{Ended, Receiver, Reference, Reply, Watcher};
use crate::object::promise::NearPromise;
use crate::object::shortening::ShorteningRef;

/// Side effects to apply when no lock is held.
#[must_use]
#[derive(Default)]
pub(crate) struct Effects {
    /// Tasks to wake.
    pub(crate) wake: Vec<Waker>,
    /// Watchers to call.
    pub(crate) notify: Vec<(Watcher, Ended)>,
    /// Objects to watch for the peer.
    pub(crate) watch: Vec<(WatchId, Arc<dyn Receiver>)>,
    /// Tasks to abort.
    pub(crate) abort: Vec<AbortHandle>,
    /// Received references whose path can be shortened.
    pub(crate) shorten: Vec<Arc<ShorteningRef>>,
    /// Gifts to withdraw, because the peer has released the reference.
    pub(crate) withdraw: Vec<Withdrawn>,
    /// Values to drop. Their destructors may be user code.
    pub(crate) drops: Vec<Dropped>,
    /// True if the streams of the session should end: a node shuts down.
    pub(crate) end_streams: bool,
    /// The change of the session's state to publish.
    pub(crate) state: Option<StateChange>,
}

/// A value to be dropped. It is an enum and not a box, because there is one for each released reference.
#[allow(dead_code, reason = "they are held to be dropped")]
pub(crate) enum Dropped {
    Receiver(Arc<dyn Receiver>),
    References(Vec<Reference>),
    Promise(Arc<NearPromise>),
    Reply(Reply),
    Guard(Guard),
    Delivery(Box<Delivery>),
}

macro_rules! dropped {
    ($($variant:ident($value:ty)),* $(,)?) => {$(
        impl From<$value> for Dropped {
            fn from(value: $value) -> Dropped {
                Dropped::$variant(value)
            }
        }
    )*};
}

dropped! {
    Receiver(Arc<dyn Receiver>), References(Vec<Reference>), Promise(Arc<NearPromise>), Reply(Reply),
    Guard(Guard), Delivery(Box<Delivery>),
}

impl Effects {
    /// Adds a value that is dropped when no lock is held.
    pub(crate) fn drop_later(&mut self, value: impl Into<Dropped>) {
        self.drops.push(value.into());
    }

    /// Returns true if there are no effects. Then no task was woken.
    pub(crate) fn is_empty(&self) -> bool {
        let Effects { wake, notify, watch, abort, shorten, withdraw, drops, end_streams, state } =
            self;
        wake.is_empty()
            && notify.is_empty()
            && watch.is_empty()
            && abort.is_empty()
            && shorten.is_empty()
            && withdraw.is_empty()
            && drops.is_empty()
            && !end_streams
            && state.is_none()
    }
}
