//! The header of a call: selector, manner, nesting, and deadline.
//!
//! It must not know the receiver, nor the arguments. The same value is passed on from the caller to the frame, and on the other
//! side from the frame to the method.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::chain::Chain;
use super::names::Name;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::Manner;
use crate::wire::method::Method;

/// The nesting, in a frame, of a call that is made outside of any method.
pub(crate) const OUTERMOST_NESTING: u8 = 1;

/// The header of a call. In a frame the selector is the number of its name.
#[derive(Debug)]
pub(crate) struct CallHeader<S = Selector> {
    pub(crate) selector: S,
    pub(crate) manner: Manner,
    /// The depth of nested calls: each was made by the method of the one before.
    pub(crate) nesting: u8,
    pub(crate) deadline: Option<Instant>,
    /// The serial executions that await the call.
    pub(crate) chain: Chain,
    /// True if the call continues something that has begun, such as a stream: it is sent also by a node that shuts down. Not in
    /// the frame.
    pub(crate) is_continuation: bool,
}

/// The name of a message.
pub(crate) enum Selector {
    /// A method of an interface of this process.
    Own(&'static Method),
    /// A name that a peer has announced.
    Announced(Arc<Name>),
}

impl<S> CallHeader<S> {
    /// Returns true if no method and no stream that is in progress depends on the call. The nesting is that of the frame.
    pub(crate) fn is_new(&self) -> bool {
        self.nesting <= OUTERMOST_NESTING && !self.is_continuation
    }

    /// Returns a copy of the header with another form of the selector.
    pub(crate) fn with_selector<T>(self, selector: T) -> CallHeader<T> {
        let CallHeader { manner, nesting, deadline, chain, is_continuation, .. } = self;
        CallHeader { selector, manner, nesting, deadline, chain, is_continuation }
    }

    /// Returns the header for a node that forwards the call: the forwarding node does not pipeline on the reply, and pipelined
    /// messages wait there for it.
    pub(crate) fn for_the_reply(mut self) -> CallHeader<S> {
        self.manner = self.manner.for_the_reply();
        self
    }
}

impl CallHeader {
    /// Returns the header with the name of the selector and its fingerprint.
    pub(crate) fn named(&self) -> CallHeader<(&str, Fingerprint)> {
        let CallHeader { selector, manner, nesting, deadline, chain, is_continuation } = self;
        CallHeader {
            selector: (selector.text(), selector.fingerprint()),
            manner: *manner,
            nesting: *nesting,
            deadline: *deadline,
            chain: chain.clone(),
            is_continuation: *is_continuation,
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

    /// Returns true if it is the name of this method, with its signature.
    #[inline]
    pub(crate) fn is(&self, method: &Method) -> bool {
        match self {
            Selector::Own(own) if std::ptr::eq(*own, method) => true,
            // The fingerprint of a method under another name is the error, or the deception, of a peer.
            _ => self.fingerprint() == method.fingerprint() && self.text() == method.selector(),
        }
    }

    #[inline]
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        match self {
            Selector::Own(method) => method.fingerprint(),
            Selector::Announced(name) => name.fingerprint,
        }
    }
}
