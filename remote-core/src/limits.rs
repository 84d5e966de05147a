//! The limits of the system, each with its reason.
//!
//! It must not know where they are enforced: each is enforced where the limited thing is made.

use std::time::Duration;

use crate::error::{Error, Result};

/// The bounds that a node sets for its peers and for itself. They hold for each session, unless a field says otherwise.
///
/// Sizes are in bytes. The defaults suit most programs. [`NodeBuilder::limits`](crate::NodeBuilder::limits) sets others, and
/// [`NodeBuilder::start`](crate::NodeBuilder::start) refuses those that contradict each other. When two nodes connect, each
/// learns the other's limits for bodies, the window and references, and keeps to them as a sender. The chapter
/// [limits](crate::guide::limits) says more about waiting for room.
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
    /// The time that a connection may take for the handshake, on either side.
    pub handshake_time: Duration,
    /// The number of connections in their handshake, for each address at which the node listens.
    pub handshakes: usize,
    /// The size of a body: all arguments of one message, or one result.
    pub body: usize,
    /// The depth of polymorphic values within each other in one body.
    pub polymorphic_depth: u32,
    /// The depth of values of any kind within each other in one body.
    pub depth: u32,
    /// The number of elements of sequences and entries of maps in one body, in all. A byte string counts as one.
    pub elements: u64,
    /// The number of calls that the peer may have in progress here. Past it, callers wait. A call that a method makes is
    /// refused with [`Error::Quota`] if no call has ended for a whole lease term, since calls may be waiting for each other.
    pub window_calls: u32,
    /// The size of the arguments of the calls that the peer may have in progress here. Past it, callers wait as well.
    pub window_bytes: u64,
    /// The size of what waits to be written.
    pub queue: usize,
    /// The size of what was written and is not yet acknowledged, which is kept to be sent again.
    pub unacknowledged: usize,
    /// The time that a write may make no progress.
    pub stall: Duration,
    /// The number of objects exported to one peer, and of those imported from it.
    pub references: usize,
    /// The depth of calls that go back and forth between nodes: A calls B, whose method calls A, and so on.
    pub nesting: u8,
    /// The silence after which a ping is sent. A ninth of the lease's term counts if it is less.
    pub ping: Duration,
    /// The silence after which the connection is given up. A third of the lease's term counts if it is less.
    pub silence: Duration,
    /// The size of a datagram: one message over `udp://`, of which the names in it take some fifty bytes. The default is what
    /// any network carries in one piece (RFC 9000, section 14); a larger datagram travels in pieces, and is lost if one of
    /// them is. UDP carries at most 65,507 bytes.
    pub datagram: usize,
    /// The number of methods in progress that came by datagrams to one address.
    pub datagram_calls: usize,
    /// The size of what is held for all peers of the node together; each session counts for 8 KiB more.
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

/// The largest UDP payload in an IPv4 packet, in bytes.
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
        let told = |limits: Limits| limits.validate().unwrap_err().to_string();
        let limits = Limits::default();
        assert!(told(Limits { ping: Duration::from_secs(9), ..limits.clone() }).contains("ping"));
        assert!(told(Limits { queue: 1, ..limits.clone() }).contains("queue"));
        assert!(told(Limits { datagram: 65_508, ..limits.clone() }).contains("datagram"));
        assert!(told(Limits { window_calls: 0, ..limits }).contains("window_calls"));
    }
}
