//! The state of a world: the sessions, the gifts, the remaining actions of each program, and the fault, if any.
//!
//! It must not know how one state follows from another.

use crate::frame::{Node, Object, Pair, Token};
use crate::session::Session;
use crate::world::{Budget, Nodes, Rule, World};

/// The complete state of a world at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct State {
    pub(crate) sessions: [Session; 3],
    pub(crate) gifts: [Gift; 2],
    pub(crate) caller: Caller,
    /// O's own program holds x.
    pub(crate) owner_uses: bool,
    pub(crate) is_a_dead: bool,
    pub(crate) has_successor: bool,
    pub(crate) left: Budget,
    pub(crate) fault: Option<Fault>,
}

/// A gift on O, and B's knowledge of its token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Gift {
    pub(crate) stage: Stage,
    /// The time since the vouch, or since a claim waits for the vouch.
    pub(crate) age: u8,
    /// A claim has arrived before its vouch.
    pub(crate) is_awaited: bool,
    pub(crate) grants: u8,
    /// A has vouched, and B has not released the reference since.
    pub(crate) is_vouched: bool,
    /// B has received the token.
    pub(crate) is_offered: bool,
    /// B has claimed.
    pub(crate) is_claimed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Stage {
    Unknown,
    Open,
    Taken,
    Expired,
    Withdrawn,
}

/// B's calls to x, and those of them that O has started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Caller {
    pub(crate) path: Path,
    /// Calls made. The last `queued` of them wait on B until the path has settled.
    pub(crate) made: u8,
    pub(crate) queued: u8,
    /// B knows that the outcome of the calls up to this one is unknown.
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

/// A violation in a step. No action follows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// A holder within its lease named an object that is not in the table.
    NotThere,
    /// A message reached an object other than its target.
    AnotherObject,
    /// More introductions were released than made.
    Count,
    /// A gift was granted twice, or to another node than its recipient.
    Gift,
    /// The object of a gift was not available for the claim.
    Claim,
    /// A lease or a gift expired while unread input would have renewed or claimed it.
    TooEarly,
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
            is_vouched: false,
            is_offered: false,
            is_claimed: false,
        };
        State {
            sessions: [Session::NEW, others, others],
            gifts: [gift; 2],
            caller: Caller { path: Path::ThroughA, made: 0, queued: 0, lost: 0, started: 0 },
            owner_uses: true,
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

    /// Returns the token of the next gift.
    pub(crate) fn next_token(&self, world: &World) -> Token {
        world.budget.gifts - self.left.gifts
    }

    /// Returns the number under which O exports an object.
    pub(crate) fn number(&self, world: &World, object: Object) -> usize {
        if world.keeps(Rule::FreshIds) { object as usize } else { 0 }
    }

    /// Returns the owner's count of an object for the holder.
    pub(crate) fn exports(&self, world: &World, pair: Pair, object: Object) -> u8 {
        self.session(pair).exports[self.number(world, object)]
    }

    /// Returns true if the number of an object is in O's object table.
    pub(crate) fn is_shown(&self, world: &World, object: Object) -> bool {
        let number = self.number(world, object);
        let counted = |pair| self.session(pair).exports[number] > 0;
        let pinned = world.keeps(Rule::PinnedGift)
            && number == 0
            && self.gifts.iter().any(|gift| gift.stage == Stage::Open);
        counted(Pair::OA) || counted(Pair::OB) || pinned
    }

    /// Returns the object that O finds under the number of this one, if it is in the table at all.
    pub(crate) fn occupant(&self, world: &World, object: Object) -> Object {
        if self.has_successor && !world.keeps(Rule::FreshIds) { Object::Y } else { object }
    }

    /// Returns true if A has an entry for B that forwards to x.
    pub(crate) fn is_forwarding(&self) -> bool {
        let forwards = self.session(Pair::AB);
        !forwards.owner_ended && forwards.exports[Object::X as usize] > 0
    }
}
