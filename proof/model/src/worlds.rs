//! The worlds to explore: small ones for every change, large ones for manual runs, and one for each rule that is left out.
//!
//! It must not know how they are explored.

use crate::property::{CLAIMS, COUNTS, GIFTS, GRACE, IDENTITY, LIVE, ORDER, SAFE};
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

/// O and A; time passes.
const TWO: World =
    World { name: "", nodes: Nodes::Two, budget: NOTHING, lease: Some(2), without: None };
/// O, A and B; time passes.
const THREE: World =
    World { name: "", nodes: Nodes::Three, budget: NOTHING, lease: Some(1), without: None };
/// O, A and B; time does not pass, which allows more of the other actions.
const STILL: World = World { lease: None, ..THREE };

const NAMED: Budget = Budget { introductions: 1, ..NOTHING };
const GIFT: Budget = Budget { gifts: 1, ..NAMED };

/// The worlds that every change must pass.
pub const SMALL: &[World] = &[
    World {
        name: "two nodes: cuts, leases, a message that waits, a successor",
        budget: Budget {
            introductions: 2,
            cuts: 2,
            renewals: 1,
            echoes: 1,
            successors: 1,
            ..NOTHING
        },
        ..TWO
    },
    World {
        name: "two nodes: three introductions, a cut, leases, a call",
        budget: Budget { introductions: 3, cuts: 1, renewals: 1, calls: 1, ..NOTHING },
        ..TWO
    },
    World { name: "a gift: leases, A is killed", budget: Budget { kills: 1, ..GIFT }, ..THREE },
    World {
        name: "a gift: leases, a successor",
        budget: Budget { successors: 1, ..GIFT },
        ..THREE
    },
    World {
        name: "a gift: a cut, B claims twice, A claims",
        budget: Budget { cuts: 1, more_claims: 1, thefts: 1, ..GIFT },
        ..STILL
    },
    World {
        name: "a gift: O names x to B too, B sends it home, a successor",
        budget: Budget { introductions_to_b: 1, homes: 1, successors: 1, ..GIFT },
        ..STILL
    },
    World { name: "two gifts", budget: Budget { gifts: 2, ..NAMED }, ..STILL },
    World {
        name: "a path shortens: two calls, a cut",
        budget: Budget { messages: 2, cuts: 1, ..GIFT },
        ..STILL
    },
    World { name: "a path shortens: three calls", budget: Budget { messages: 3, ..GIFT }, ..STILL },
];

/// Larger worlds, for manual runs.
pub const LARGE: &[World] = &[
    World {
        name: "two nodes: three introductions, cuts, leases, everything",
        budget: Budget {
            introductions: 3,
            cuts: 2,
            renewals: 1,
            calls: 1,
            echoes: 1,
            successors: 1,
            ..NOTHING
        },
        ..TWO
    },
    World {
        name: "a gift: leases, B sends it home, a successor",
        budget: Budget { homes: 1, successors: 1, ..GIFT },
        ..THREE
    },
    World { name: "a gift: leases, renewals", budget: Budget { renewals: 1, ..GIFT }, ..THREE },
    World {
        name: "two gifts, two introductions",
        budget: Budget { introductions: 2, gifts: 2, ..NAMED },
        ..STILL
    },
    World { name: "two gifts, a cut", budget: Budget { gifts: 2, cuts: 1, ..NAMED }, ..STILL },
];

/// Returns a small world without a rule, and the property that is violated in it.
pub fn without(rule: Rule) -> (World, &'static str) {
    let named_twice = Budget { introductions: 2, ..NOTHING };
    let (world, budget, broken) = match rule {
        Rule::PinInTransit => (TWO, named_twice, SAFE),
        Rule::PinWhileWaiting => (TWO, Budget { echoes: 1, ..NAMED }, SAFE),
        Rule::CountedRelease => (TWO, named_twice, SAFE),
        Rule::Numbers => (TWO, Budget { cuts: 1, ..NAMED }, COUNTS),
        Rule::Retention => (TWO, Budget { cuts: 1, ..NAMED }, COUNTS),
        Rule::FreshIds => (THREE, Budget { homes: 1, successors: 1, ..GIFT }, IDENTITY),
        Rule::GracePeriod => (TWO, Budget { renewals: 1, ..NAMED }, GRACE),
        Rule::PinnedGift => (THREE, Budget { kills: 1, ..GIFT }, CLAIMS),
        Rule::PinnedForward => (THREE, GIFT, SAFE),
        Rule::SingleUse => (THREE, Budget { more_claims: 1, ..GIFT }, GIFTS),
        Rule::BoundToken => (THREE, Budget { thefts: 1, ..GIFT }, GIFTS),
        Rule::Withdrawal => (STILL, GIFT, LIVE),
        Rule::GiftTerm => (THREE, GIFT, LIVE),
        Rule::OwnerTerm => (THREE, Budget { kills: 1, ..NAMED }, LIVE),
        Rule::CountedFromSending => (TWO, Budget { renewals: 1, ..NAMED }, SAFE),
        Rule::LeasesApart => (TWO, Budget { renewals: 1, ..NAMED }, SAFE),
        Rule::LostVerdict => (TWO, Budget { cuts: 2, ..NAMED }, SAFE),
        Rule::Settling => (THREE, Budget { messages: 2, ..GIFT }, ORDER),
    };
    (
        World { name: "the smallest in which the rule is needed", budget, ..world }.without(rule),
        broken,
    )
}
