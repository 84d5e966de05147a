//! The connections, and the network's effect on them: delays, partitions in one or both directions, repetitions, and cuts.
//!
//! It must not know what the bytes mean. The bytes of one connection arrive in order, as with TCP. Bytes that a partition
//! withholds arrive when it heals, unless the connection is dropped before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::agenda::End;
use crate::id::NodeId;
use crate::session::Block;
use crate::wire::hello::{Hello, ResumeState, Verdict};

/// The maximum number of machines.
pub(super) const MOST: usize = 6;

/// An item in transit on a connection.
#[derive(Clone)]
pub(super) enum Item {
    Hello(Box<Hello>),
    ResumeState(ResumeState),
    Verdict(Verdict),
    Bytes(Block),
    /// The other end has closed.
    Closed,
}

/// The phase of a connection, at one end.
pub(super) enum Phase {
    /// Waits for the introduction of the other end.
    Hello,
    ResumeState,
    /// The other end decides. It has sent this state.
    Verdict(ResumeState),
    /// Carries a session of the node, with this number.
    Attached {
        link: usize,
        number: u64,
    },
    Gone,
}

/// The reason why an end dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DialReason {
    /// The end did not dial.
    None,
    /// A request for a session with the node at a place; only with this node, if one is specified.
    Reach { place: usize, wanted: Option<NodeId> },
    /// A session that has lost its connection.
    Redial { link: usize },
}

/// One end of a connection.
pub(super) struct Endpoint {
    pub(super) life: usize,
    pub(super) dial_reason: DialReason,
    pub(super) phase: Phase,
    /// The introduction of this end.
    pub(super) own: Hello,
    pub(super) asked: Instant,
    /// The introduction of the other end.
    pub(super) peer: Option<Hello>,
    /// The items in transit to this end, with their times of arrival.
    pub(super) pipe: VecDeque<(Duration, Item)>,
    /// The beginning of a frame that has arrived.
    pub(super) arrived: Vec<u8>,
}

/// A connection.
pub(super) struct Connection {
    pub(super) ends: [Endpoint; 2],
    /// True if it transports no more bytes. Its ends may not know yet.
    pub(super) is_cut: bool,
}

/// All connections, and the partitions.
#[derive(Default)]
pub(super) struct Network {
    pub(super) connections: Vec<Connection>,
    withheld: [[bool; MOST]; MOST],
}

impl Network {
    pub(super) fn end(&self, end: End) -> &Endpoint {
        &self.connections[end.connection].ends[end.end]
    }

    pub(super) fn end_mut(&mut self, end: End) -> &mut Endpoint {
        &mut self.connections[end.connection].ends[end.end]
    }

    /// Sends an item to an end. Returns its time of arrival.
    pub(super) fn push(&mut self, to: End, arrival: Duration, item: Item) -> Option<Duration> {
        let connection = &mut self.connections[to.connection];
        if connection.is_cut || matches!(connection.ends[to.end].phase, Phase::Gone) {
            return None;
        }
        let pipe = &mut connection.ends[to.end].pipe;
        let arrival = pipe.back().map_or(arrival, |(last, _)| arrival.max(*last));
        pipe.push_back((arrival, item));
        Some(arrival)
    }

    pub(super) fn withhold(&mut self, from: usize, to: usize) {
        self.withheld[from][to] = true;
    }

    pub(super) fn heal(&mut self, from: usize, to: usize) {
        self.withheld[from][to] = false;
    }

    pub(super) fn withholds(&self, from: usize, to: usize) -> bool {
        self.withheld[from][to]
    }

    /// Drops all items in transit on a connection.
    pub(super) fn cut(&mut self, connection: usize) {
        let connection = &mut self.connections[connection];
        connection.is_cut = true;
        for end in &mut connection.ends {
            end.pipe.clear();
            end.arrived.clear();
        }
    }
}
