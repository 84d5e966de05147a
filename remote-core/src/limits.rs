//! The limits of the system, each with its reason.
//!
//! It must not know where they are enforced: each is enforced where the limited thing is made.

use std::time::Duration;

use crate::error::{Error, Result};

/// The limits that a node sets for its peers and for itself. They apply to each session, unless a field says otherwise.
///
/// Sizes are in bytes. The defaults suit most programs. [`NodeBuilder::limits`](crate::NodeBuilder::limits) sets others, and
/// [`NodeBuilder::start`](crate::NodeBuilder::start) refuses those that contradict each other. When two nodes connect, each
/// sends the other its limits for bodies, the window and references, which the other observes as a sender. The chapter
/// [limits](crate::guide::limits) describes how callers wait for room.
///
/// ```
/// use remote_core::Limits;
/// let limits = Limits { body: 1024 * 1024, ..Limits::default() };
/// assert!(limits.validate().is_ok());
/// assert!(Limits { window_bytes: 10, ..limits }.validate().is_err());
/// ```
///
#[doc = include_str!("guide/limits_table.md")]
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The time limit of the handshake on a connection, on either side.
    pub handshake_time: Duration,
    /// The maximum number of connections in the handshake, for each address at which the node listens.
    pub handshakes: usize,
    /// The maximum size of a body: all arguments of one message, or one result.
    pub body: usize,
    /// The maximum depth of nested polymorphic values in one body.
    pub polymorphic_depth: u32,
    /// The maximum depth of nested values of any kind in one body.
    pub depth: u32,
    /// The maximum total number of elements of sequences and entries of maps in one body. A byte string counts as one. Elements
    /// that take no byte, such as `()`, are 4,096 at most in any case.
    pub elements: u64,
    /// The maximum number of calls of the peer in progress on this node. Above it, callers wait. A call that is made inside a
    /// method is refused with [`Error::Quota`] if no call has ended for a whole lease term, since the calls may be waiting for
    /// each other.
    pub window_calls: u32,
    /// The maximum size of the arguments of the peer's calls in progress on this node. Above it, callers wait as well.
    pub window_bytes: u64,
    /// The maximum size of the frames that wait to be written.
    pub queue: usize,
    /// The maximum size of the frames that were written and not yet acknowledged. They are kept for retransmission.
    pub unacknowledged: usize,
    /// The maximum time that a write may make no progress.
    pub stall: Duration,
    /// The maximum number of objects exported to one peer, and of those imported from it.
    pub references: usize,
    /// The maximum depth of calls back and forth between nodes: A calls B, whose method calls A, and so on.
    pub nesting: u8,
    /// The silence after which a ping is sent. If a ninth of the lease's term is shorter, that is used.
    pub ping: Duration,
    /// The silence after which the connection is dropped. If a third of the lease's term is shorter, that is used.
    pub silence: Duration,
    /// The maximum size of a datagram: one message over `udp://`, with about fifty bytes for the names in it. The default is a
    /// size that any network transports without fragmentation (RFC 9000, section 14). A larger datagram is fragmented, and is
    /// lost if one of its fragments is. The upper bound of UDP is 65,507 bytes.
    pub datagram: usize,
    /// The maximum number of running methods that were called by datagrams, for each address.
    pub datagram_calls: usize,
    /// The maximum size of all data held for the peers of the node together. Each session counts for 8 KiB more.
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

/// Twice the size of the frames that may arrive before a receiver acknowledges: 64 frames of 16 KiB.
const LEAST_UNACKNOWLEDGED: usize = 2 << 20;

/// The largest UDP payload in an IPv4 packet, in bytes.
const LARGEST_DATAGRAM: usize = 65_507;

/// The limits for encoding and decoding one body.
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

    /// Returns the nesting of a call that is made by a method with this nesting.
    pub(crate) fn nest(&self, nesting: u8) -> Result<u8> {
        if nesting >= self.nesting { Err(self.too_deep()) } else { Ok(nesting + 1) }
    }

    pub(crate) fn too_deep(&self) -> Error {
        let limit = self.nesting;
        Error::Quota(format!("calls go back and forth {limit} deep (`Limits::nesting`)"))
    }

    /// Returns an error if settings contradict each other. [`NodeBuilder::start`](crate::NodeBuilder::start) calls it.
    ///
    /// # Errors
    /// [`Error::Refused`], whose text names the settings and what to change.
    ///
    /// ```
    /// use remote_core::{Error, Limits};
    /// let contradictory = Limits { queue: 1024, ..Limits::default() }; // less than a body
    /// assert!(matches!(contradictory.validate(), Err(Error::Refused(_))));
    /// ```
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
    fn the_documented_defaults_are_the_defaults() {
        let table = include_str!("guide/limits_table.md");
        let Limits {
            handshake_time,
            handshakes,
            body,
            polymorphic_depth,
            depth,
            elements,
            window_calls,
            window_bytes,
            queue,
            unacknowledged,
            stall,
            references,
            nesting,
            ping,
            silence,
            datagram,
            datagram_calls,
            memory,
        } = Limits::default();
        let defaults = [
            ("handshake_time", format!("{} s", handshake_time.as_secs())),
            ("handshakes", handshakes.to_string()),
            ("body", format!("{} MiB", body >> 20)),
            ("polymorphic_depth", polymorphic_depth.to_string()),
            ("depth", depth.to_string()),
            ("elements", elements.to_string()),
            ("window_calls", window_calls.to_string()),
            ("window_bytes", format!("{} MiB", window_bytes >> 20)),
            ("queue", format!("{} MiB", queue >> 20)),
            ("unacknowledged", format!("{} MiB", unacknowledged >> 20)),
            ("stall", format!("{} s", stall.as_secs())),
            ("references", references.to_string()),
            ("nesting", nesting.to_string()),
            ("ping", format!("{} s", ping.as_secs())),
            ("silence", format!("{} s", silence.as_secs())),
            ("datagram", format!("{datagram} bytes")),
            ("datagram_calls", datagram_calls.to_string()),
            ("memory", format!("{} MiB", memory >> 20)),
        ];
        let rows = table.lines().skip(2).map(|row| row.replace(',', ""));
        for (row, (field, default)) in rows.zip(&defaults) {
            assert!(row.starts_with(&format!("| `{field}` | {default} |")), "{row}: {default}");
        }
        assert_eq!(table.lines().count() - 2, defaults.len());
    }

    #[test]
    fn contradictions_are_named() {
        let refusal = |limits: Limits| limits.validate().unwrap_err().to_string();
        let limits = Limits::default();
        assert!(
            refusal(Limits { ping: Duration::from_secs(9), ..limits.clone() }).contains("ping")
        );
        assert!(refusal(Limits { queue: 1, ..limits.clone() }).contains("queue"));
        assert!(refusal(Limits { datagram: 65_508, ..limits.clone() }).contains("datagram"));
        assert!(refusal(Limits { window_calls: 0, ..limits }).contains("window_calls"));
    }
}
