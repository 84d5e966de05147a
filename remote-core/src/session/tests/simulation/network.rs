//! Owns the connections and what the network does to them: it delays, withholds one way or both, repeats, and cuts.
//!
//! It must not know what the bytes mean. What is on one connection arrives in order, as TCP has it; what a partition
//! withholds comes when it heals, unless the connection is given up before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::agenda::End;
use crate::id::NodeId;
use crate::session::Block;
use crate::wire::hello::{Hello, ResumeState, Verdict};

/// The most machines of a simulation.
pub(super) const MOST: usize = 6;

/// What travels on a connection.
#[derive(Clone)]
pub(super) enum Item {
    Hello(Box<Hello>),
    ResumeState(ResumeState),
    Verdict(Verdict),
    Bytes(Block),
    /// The other end has gone.
    Closed,
}

/// How far a connection has come, as one end sees it.
pub(super) enum Phase {
    /// It waits for the other's introduction.
    Hello,
    ResumeState,
    /// The other decides; it has said this.
    Verdict(ResumeState),
    /// It carries a session of the node's, and is the connection of this number there.
    Attached {
        link: usize,
        number: u64,
    },
    Gone,
}

/// Why an end dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Errand {
    /// It did not: the other end did.
    None,
    /// For whoever wants a session with the node at a place; with this node, if it says so.
    Reach { place: usize, wanted: Option<NodeId> },
    /// For a session that lost its connection.
    Redial { link: usize },
}

/// One end of a connection.
pub(super) struct Endpoint {
    pub(super) life: usize,
    pub(super) errand: Errand,
    pub(super) phase: Phase,
    /// What this end says of itself.
    pub(super) own: Hello,
    pub(super) asked: Instant,
    /// What the other end says of itself.
    pub(super) peer: Option<Hello>,
    /// What is on its way to this end, and when it arrives.
    pub(super) pipe: VecDeque<(Duration, Item)>,
    /// What has arrived, and is not yet a whole frame.
    pub(super) arrived: Vec<u8>,
}

/// A connection.
pub(super) struct Connection {
    pub(super) ends: [Endpoint; 2],
    /// It does not carry anything any more, whether or not its ends know.
    pub(super) is_cut: bool,
}

/// All connections, and who hears whom.
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

    /// Puts something on its way to an end; tells when it arrives.
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

    /// Whatever is on its way on a connection is lost.
    pub(super) fn cut(&mut self, connection: usize) {
        let connection = &mut self.connections[connection];
        connection.is_cut = true;
        for end in &mut connection.ends {
            end.pipe.clear();
            end.arrived.clear();
        }
    }
}
