//! Owns every bound of the system and the reason for it.
//!
//! It must not know who keeps the bounds: each is kept where the thing it bounds is made.

use std::time::Duration;

use crate::error::{Error, Result};

/// What a node allows its peers, and itself. All bounds hold for each session unless said otherwise.
///
/// The defaults serve most uses; `NodeBuilder::start` refuses settings that contradict each other.
///
/// ```
/// use remote_core::Limits;
/// let limits = Limits { body: 1024 * 1024, ..Limits::default() };
/// assert!(limits.validate().is_ok());
/// assert!(Limits { window_bytes: 10, ..limits }.validate().is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// How long a connection may take to introduce itself.
    pub handshake_time: Duration,
    /// Connections that have not yet introduced themselves; past it the oldest of them is closed.
    pub handshakes: usize,
    /// The largest body, in bytes: the arguments of one message, or one result.
    pub body: usize,
    /// Polymorphic values within each other in one body.
    pub polymorphic_depth: u32,
    /// Values of any kind within each other in one body.
    pub depth: u32,
    /// Elements of sequences and maps in one body; a byte string counts as one.
    pub elements: u64,
    /// Calls in progress that one side may have with the other; past it callers wait. A call that a method makes is refused
    /// when none has ended for a whole lease term: calls may be waiting for each other.
    pub window_calls: u32,
    /// Bytes of arguments of the calls in progress that one side may have with the other; past it callers wait, too.
    pub window_bytes: u64,
    /// Bytes that wait to be written; past it senders wait.
    pub queue: usize,
    /// Bytes written and not yet acknowledged, which are kept to be sent again; past it senders wait.
    pub unacknowledged: usize,
    /// How long a write may stall.
    pub stall: Duration,
    /// Objects exported to, or imported from, one peer.
    pub references: usize,
    /// How deep calls may go back and forth (A calls B calls A ...).
    pub nesting: u8,
    /// Silence after which a ping is sent.
    pub ping: Duration,
    /// Silence after which the connection is given up.
    pub silence: Duration,
    /// The largest datagram, in bytes: one message by `udp://`, of which the names in it take some fifty. Larger ones are
    /// neither sent nor taken. The default is what any network carries in one piece (RFC 9000, section 14); a datagram in
    /// pieces is lost if one of them is. UDP itself takes 65,507.
    pub datagram: usize,
    /// Methods in progress, of all that came by datagrams to one address; past it what arrives is dropped.
    pub datagram_calls: usize,
    /// Bytes held for all peers of a node together, and 8 KiB for each session; past it new sessions are refused.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            handshake_time: Duration::from_secs(5),
            handshakes: 256,
            body: 4 << 20,
            polymorphic_depth: 16,
            depth: 64,
            elements: 1 << 21,
            window_calls: 16_384,
            window_bytes: 16 << 20,
            queue: 8 << 20,
            unacknowledged: 8 << 20,
            stall: Duration::from_secs(30),
            references: 1 << 21,
            nesting: 32,
            ping: Duration::from_secs(3),
            silence: Duration::from_secs(9),
            datagram: 1200,
            datagram_calls: 1024,
            memory: 256 << 20,
        }
    }
}

/// Twice what may arrive before a receiver acknowledges: 64 frames of 16 KiB.
const LEAST_UNACKNOWLEDGED: usize = 2 << 20;

/// What an IPv4 packet has room for.
const LARGEST_DATAGRAM: usize = 65_507;

/// The bounds that one body is read and written by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) polymorphic_depth: u32,
    pub(crate) depth: u32,
    pub(crate) elements: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Limits::default().bounds()
    }
}

impl Limits {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            polymorphic_depth: self.polymorphic_depth,
            depth: self.depth,
            elements: self.elements,
        }
    }

    /// The nesting of a call that is made at this one.
    pub(crate) fn nest(&self, nesting: u8) -> Result<u8> {
        if nesting >= self.nesting { Err(self.too_deep()) } else { Ok(nesting + 1) }
    }

    pub(crate) fn too_deep(&self) -> Error {
        let limit = self.nesting;
        Error::Quota(format!("calls go back and forth {limit} deep (`Limits::nesting`)"))
    }

    /// Refuses bounds that contradict each other.
    ///
    /// # Errors
    /// [`Error::Refused`] names the two settings and what to change.
    pub fn validate(&self) -> Result<()> {
        let refuse =
            |reason: &str| Err(Error::Refused(format!("limits contradict each other: {reason}")));
        if self.window_calls == 0 || self.handshakes == 0 || self.depth == 0 || self.nesting == 0 {
            return refuse("window_calls, handshakes, depth and nesting must be at least 1");
        }
        if self.datagram == 0 || self.datagram_calls == 0 {
            return refuse("datagram and datagram_calls must be at least 1");
        }
        if self.body as u64 > self.window_bytes {
            return refuse("a body must fit into window_bytes; lower body or raise window_bytes");
        }
        if self.body > self.queue {
            return refuse("a body must fit into the queue; lower body or raise queue");
        }
        if self.unacknowledged < LEAST_UNACKNOWLEDGED {
            return refuse("unacknowledged must be at least 2 MiB: a peer acknowledges after one");
        }
        if self.body > u32::MAX as usize {
            return refuse("a body is at most 4 GiB");
        }
        if self.polymorphic_depth > self.depth {
            return refuse("polymorphic_depth counts within depth; lower it or raise depth");
        }
        if self.datagram > LARGEST_DATAGRAM {
            return refuse("UDP carries datagrams of at most 65,507 bytes; lower datagram");
        }
        if self.ping >= self.silence {
            return refuse("ping must come before silence gives the connection up");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_do_not_contradict_each_other() {
        assert_eq!(Limits::default().validate(), Ok(()));
    }

    #[test]
    fn contradictions_are_named() {
        let told = |limits: Limits| limits.validate().unwrap_err().to_string();
        let limits = Limits::default();
        assert!(told(Limits { ping: Duration::from_secs(9), ..limits.clone() }).contains("ping"));
        assert!(told(Limits { queue: 1, ..limits.clone() }).contains("queue"));
        assert!(told(Limits { datagram: 65_508, ..limits.clone() }).contains("datagram"));
        assert!(told(Limits { window_calls: 0, ..limits }).contains("window_calls"));
    }
}
