//! Owns the state of a world: the sessions, the gifts, what each program has left to do, and what has gone wrong.
//!
//! It must not know how one state follows from another.

use crate::frame::{Node, Object, Pair, Token};
use crate::session::Session;
use crate::world::{Budget, Nodes, Rule, World};

/// Everything that is known of a world at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct State {
    pub(crate) sessions: [Session; 3],
    pub(crate) gifts: [Gift; 2],
    pub(crate) caller: Caller,
    /// O's own program holds x.
    pub(crate) is_home: bool,
    pub(crate) is_a_dead: bool,
    pub(crate) has_successor: bool,
    pub(crate) left: Budget,
    pub(crate) fault: Option<Fault>,
}

/// A gift as O sees it, and its token as B does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Gift {
    pub(crate) stage: Stage,
    /// Since it was opened, or since a claim waits for that.
    pub(crate) age: u8,
    /// A claim has come before what it claims.
    pub(crate) is_awaited: bool,
    pub(crate) grants: u8,
    /// B was told the token.
    pub(crate) is_offered: bool,
    /// B has claimed.
    pub(crate) is_claimed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Stage {
    Unknown,
    Open,
    Taken,
    Lapsed,
}

/// B as one who calls x, and how far O has come with these calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Caller {
    pub(crate) path: Path,
    /// Calls made; the last of them wait at B until the path has settled.
    pub(crate) made: u8,
    pub(crate) queued: u8,
    /// Calls up to this one are of unknown outcome, and B was told so.
    pub(crate) lost: u8,
    /// Calls that have started, one bit each.
    pub(crate) started: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Path {
    ThroughA,
    Settling,
    Direct,
}

/// What has gone wrong in a step; nothing follows then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// A holder within its lease named an object that is not there.
    NotThere,
    /// A message reached another object than the one it was for.
    AnotherObject,
    /// More was given back than was introduced.
    Count,
    /// A gift was given twice, or to somebody else.
    Gift,
    /// What was vouched for was not there for the claim.
    Promise,
    /// A lease or a gift was ended over what waits unread.
    Haste,
    /// A call started twice, or before one that was made earlier.
    Order,
}

impl State {
    pub(crate) fn begin(world: &World) -> State {
        let others = match world.nodes {
            Nodes::Two => Session::OVER,
            Nodes::Three => Session::NEW,
        };
        let gift = Gift {
            stage: Stage::Unknown,
            age: 0,
            is_awaited: false,
            grants: 0,
            is_offered: false,
            is_claimed: false,
        };
        State {
            sessions: [Session::NEW, others, others],
            gifts: [gift; 2],
            caller: Caller { path: Path::ThroughA, made: 0, queued: 0, lost: 0, started: 0 },
            is_home: true,
            is_a_dead: false,
            has_successor: false,
            left: world.budget,
            fault: None,
        }
    }

    pub(crate) fn session(&self, pair: Pair) -> &Session {
        &self.sessions[pair as usize]
    }

    pub(crate) fn session_mut(&mut self, pair: Pair) -> &mut Session {
        &mut self.sessions[pair as usize]
    }

    pub(crate) fn is_alive(&self, node: Node) -> bool {
        node != Node::A || !self.is_a_dead
    }

    /// The token of the next gift.
    pub(crate) fn next_token(&self, world: &World) -> Token {
        world.budget.gifts - self.left.gifts
    }

    /// The number under which O shows an object.
    pub(crate) fn number(&self, world: &World, object: Object) -> usize {
        if world.keeps(Rule::FreshIds) { object as usize } else { 0 }
    }

    /// How often the owner counts an object for the holder.
    pub(crate) fn exports(&self, world: &World, pair: Pair, object: Object) -> u8 {
        self.session(pair).exports[self.number(world, object)]
    }

    /// Whether a number of O's is in its object table.
    pub(crate) fn is_shown(&self, world: &World, object: Object) -> bool {
        let number = self.number(world, object);
        let counted = |pair| self.session(pair).exports[number] > 0;
        let pinned = world.keeps(Rule::PinnedGift)
            && number == 0
            && self.gifts.iter().any(|gift| gift.stage == Stage::Open);
        counted(Pair::OA) || counted(Pair::OB) || pinned
    }

    /// Which object O finds under the number of this one, if it is in the table at all.
    pub(crate) fn occupant(&self, world: &World, object: Object) -> Object {
        if self.has_successor && !world.keeps(Rule::FreshIds) { Object::Y } else { object }
    }

    /// Whether A's entry for B forwards to x, and keeps it.
    pub(crate) fn is_forwarding(&self) -> bool {
        let forwards = self.session(Pair::AB);
        !forwards.owner_ended && forwards.exports[Object::X as usize] > 0
    }
}
