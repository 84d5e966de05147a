//! Owns the worlds that are explored: small ones for each change, larger ones by hand, and the one in which the lack of
//! each rule shows.

use crate::property::{COUNTS, GIFTS, IDENTITY, LIVE, ORDER, PATIENCE, PROMISES, SAFE};
use crate::world::{Budget, Nodes, Rule, World};

const NOTHING: Budget = Budget {
    introductions: 0,
    introductions_to_b: 0,
    cuts: 0,
    renewals: 0,
    calls: 0,
    echoes: 0,
    gifts: 0,
    more_claims: 0,
    thefts: 0,
    homes: 0,
    messages: 0,
    kills: 0,
    successors: 0,
};

/// Two nodes: introductions and releases that cross, sessions that are cut, leases that end.
pub const PAIR: World = World {
    name: "pair",
    nodes: Nodes::Two,
    budget: Budget { introductions: 3, cuts: 2, renewals: 1, calls: 1, echoes: 1, successors: 1, ..NOTHING },
    lease: 2,
    without: None,
};

/// Three nodes: A hands x to B.
pub const GIFT: World = World {
    name: "gift",
    nodes: Nodes::Three,
    budget: Budget { introductions: 1, gifts: 1, kills: 1, ..NOTHING },
    lease: 1,
    without: None,
};

/// Three nodes, and B's path shortens while it calls.
pub const PATH: World = World {
    name: "path",
    nodes: Nodes::Three,
    budget: Budget { introductions: 1, gifts: 1, messages: 3, ..NOTHING },
    lease: 1,
    without: None,
};
