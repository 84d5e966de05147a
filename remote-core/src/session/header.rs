//! The header of a call: which message it is, and how it is to be executed.
//!
//! It must not know the receiver, nor the arguments. One value goes all the way: from the caller to the frame, and at the other
//! side from the frame to the method.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::names::Name;
use crate::wire::frame::Manner;
use crate::wire::method::Method;

/// The header of a call. On its way into a frame the selector becomes the number of its name.
#[derive(Debug)]
pub(crate) struct CallHeader<S = Selector> {
    pub(crate) selector: S,
    pub(crate) manner: Manner,
    /// How many calls, each made by the method of the one before, led to this one.
    pub(crate) nesting: u8,
    pub(crate) deadline: Option<Instant>,
}

/// Which message it is.
pub(crate) enum Selector {
    /// A method of an interface of this process.
    Own(&'static Method),
    /// As the peer announced it.
    Announced(Arc<Name>),
}

impl<S> CallHeader<S> {
    /// Returns the same header with another form of the selector.
    pub(crate) fn with_selector<T>(self, selector: T) -> CallHeader<T> {
        let CallHeader { manner, nesting, deadline, .. } = self;
        CallHeader { selector, manner, nesting, deadline }
    }

    /// Returns the header for passing the call on to somebody who only waits for the reply: what is pipelined on the call waits
    /// where it is passed on.
    pub(crate) fn for_the_reply(mut self) -> CallHeader<S> {
        self.manner = self.manner.for_the_reply();
        self
    }
}

impl CallHeader {
    /// Returns the header with the name of the selector and its fingerprint.
    pub(crate) fn named(&self) -> CallHeader<(&str, u64)> {
        let CallHeader { selector, manner, nesting, deadline } = self;
        let (manner, nesting, deadline) = (*manner, *nesting, *deadline);
        CallHeader {
            selector: (selector.text(), selector.fingerprint()),
            manner,
            nesting,
            deadline,
        }
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.text())
    }
}

impl Selector {
    pub(crate) fn text(&self) -> &str {
        match self {
            Selector::Own(method) => method.selector(),
            Selector::Announced(name) => &name.text,
        }
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        match self {
            Selector::Own(method) => method.fingerprint(),
            Selector::Announced(name) => name.fingerprint,
        }
    }
}
