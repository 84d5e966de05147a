//! The properties of every state, and the situations that must be reached, so that the properties do not hold vacuously.
//!
//! It must not know how one state follows from another, only if one does.

use stateright::{Model, Property};

use crate::frame::{Frame, Node, Object, Pair};
use crate::session::Session;
use crate::state::{Fault, Gift, Path, Stage, State};
use crate::world::{Nodes, World};

/// An object that a live holder holds within its lease is in the table of its owner, in a live session.
pub const SAFE: &str = "safe";
/// No message reaches an object other than its target.
pub const IDENTITY: &str = "identity";
/// No count is negative; and when no frame is in transit, owner and holder have the same count.
pub const COUNTS: &str = "counts";
/// A gift is granted once, and to its recipient.
pub const GIFTS: &str = "gifts";
/// An object that was vouched for is available for a claim within its term.
pub const CLAIMS: &str = "claims";
/// No lease or gift expires while unread input would renew or claim it.
pub const GRACE: &str = "grace";
/// A call starts once, and calls start in the order in which they were made, unless their outcome was reported as unknown.
pub const ORDER: &str = "order";
/// In a terminal state nothing is left in the tables.
pub const LIVE: &str = "live";

pub(crate) fn properties(world: &World) -> Vec<Property<World>> {
    let mut all = vec![
        Property::always(SAFE, |world, state| {
            is_without(state, Fault::NotThere) && is_safe(world, state)
        }),
        Property::always(IDENTITY, |_, state| is_without(state, Fault::AnotherObject)),
        Property::always(COUNTS, |world, state| {
            is_without(state, Fault::Count) && is_counted(world, state)
        }),
        Property::always(GIFTS, |_, state| is_without(state, Fault::Gift)),
        Property::always(CLAIMS, |_, state| is_without(state, Fault::Claim)),
        Property::always(GRACE, |_, state| is_without(state, Fault::TooEarly)),
        Property::always(ORDER, |_, state| is_without(state, Fault::Order)),
        Property::always(LIVE, |world, state| is_empty(state) || !is_terminal(world, state)),
    ];
    all.extend(situations(world));
    all
}

/// The situations that must be reached in a world.
fn situations(world: &World) -> Vec<Property<World>> {
    let budget = &world.budget;
    let mut all = Vec::new();
    if world.lease.is_some() {
        all.push(Property::sometimes(
            "a lease expires for the holder before the owner",
            |_, state: &State| {
                let ends_first = |session: &Session| session.holder_ended && !session.owner_ended;
                !state.is_a_dead && state.sessions.iter().any(ends_first)
            },
        ));
        all.push(Property::sometimes(
            "a lease expires for the owner after the holder's end",
            |world: &World, state: &State| {
                let session = state.session(Pair::OA);
                session.owner_ended
                    && !session.holder_ended
                    && session.confirmed >= world.holder_end()
            },
        ));
    }
    if budget.introductions > 1 {
        all.push(Property::sometimes("a release crosses an introduction", |_, state: &State| {
            let session = state.session(Pair::OA);
            let releases =
                session.to_owner.in_transit().any(|frame| matches!(frame, Frame::Release(..)));
            let introduces =
                session.to_holder.in_transit().any(|frame| matches!(frame, Frame::Introduce(_)));
            releases && introduces
        }));
    }
    if budget.cuts > 0 {
        all.push(Property::sometimes("a received frame is retransmitted", |_, state: &State| {
            let is_again = |session: &Session| {
                session.connected && session.to_owner.arrived < session.to_owner.received
            };
            state.sessions.iter().any(is_again)
        }));
    }
    if budget.successors > 0 {
        all.push(Property::sometimes("there is a successor", |_, state: &State| {
            state.has_successor
        }));
    }
    if world.nodes == Nodes::Three && budget.gifts > 0 {
        all.extend(gift_situations(world));
    }
    all
}

fn gift_situations(world: &World) -> Vec<Property<World>> {
    let mut all = vec![
        Property::sometimes("a gift is withdrawn", |_, state: &State| {
            state.gifts.iter().any(|gift| gift.stage == Stage::Withdrawn)
        }),
        Property::sometimes("a claim meets a gift that was withdrawn", |_, state: &State| {
            let withdrawn = |gift: &Gift| gift.stage == Stage::Withdrawn && gift.is_claimed;
            state.gifts.iter().any(withdrawn)
        }),
        Property::sometimes("a claim waits for its gift", |_, state: &State| {
            state.gifts.iter().any(|gift| gift.is_awaited)
        }),
        Property::sometimes("only B holds x", |_, state: &State| {
            let direct = state.session(Pair::OB).import(Object::X).held() > 0;
            direct && state.session(Pair::OA).exports == [0; 2] && !state.owner_uses
        }),
    ];
    if world.lease.is_some() {
        all.push(Property::sometimes("a gift expires", |_, state: &State| {
            state.gifts.iter().any(|gift| gift.stage == Stage::Expired)
        }));
    }
    if world.budget.kills > 0 {
        all.push(Property::sometimes("a claim is granted when A is dead", |_, state: &State| {
            let gift = &state.gifts[0];
            state.is_a_dead && gift.stage == Stage::Open && !gift.is_claimed
        }));
    }
    if world.budget.messages > 1 {
        all.push(Property::sometimes("calls wait while a path settles", |_, state: &State| {
            state.caller.path == Path::Settling && state.caller.queued > 0
        }));
        all.push(Property::sometimes("all calls start, on two paths", |_, state: &State| {
            state.caller.path == Path::Direct
                && state.left.messages == 0
                && state.caller.started.count_ones() == u32::from(state.caller.made)
        }));
    }
    all
}

fn is_without(state: &State, fault: Fault) -> bool {
    state.fault != Some(fault)
}

fn is_safe(world: &World, state: &State) -> bool {
    let holds = |pair: Pair, object: Object| {
        let session = state.session(pair);
        let within = !session.holder_ended && session.confirmed < world.holder_end();
        within && state.is_alive(pair.holder()) && session.import(object).held() > 0
    };
    let there = |pair: Pair, object: Object| {
        let is_shown = !state.session(pair).owner_ended && state.exports(world, pair, object) > 0;
        is_shown && (pair == Pair::AB || state.occupant(world, object) == object)
    };
    let all_there = Pair::ALL.into_iter().all(|pair| {
        let alive = state.is_alive(pair.owner());
        Object::ALL.into_iter().all(|object| !alive || !holds(pair, object) || there(pair, object))
    });
    // A holds the object that it forwards to, as long as A itself has a lease.
    let own = state.session(Pair::OA);
    let has_lease =
        state.is_alive(Node::A) && !own.holder_ended && own.confirmed < world.holder_end();
    let forwards = !has_lease || !holds(Pair::AB, Object::X) || holds(Pair::OA, Object::X);
    all_there && forwards
}

fn is_counted(world: &World, state: &State) -> bool {
    Pair::ALL.into_iter().all(|pair| {
        let session = state.session(pair);
        let mut in_transit = session.to_owner.in_transit().chain(session.to_holder.in_transit());
        if !session.is_live() || in_transit.next().is_some() {
            return true;
        }
        (0..2).all(|number| {
            let named = |object: &Object| state.number(world, *object) == number;
            let held = Object::ALL.into_iter().filter(named);
            let introductions: u8 = held.map(|object| session.import(object).introductions).sum();
            session.exports[number] == introductions
        })
    })
}

fn is_empty(state: &State) -> bool {
    let nothing = |session: &Session| {
        session.exports == [0; 2]
            && !session.waiting
            && session.imports.iter().all(|import| import.introductions == 0)
    };
    state.sessions.iter().all(nothing)
        && state.gifts.iter().all(|gift| gift.stage != Stage::Open && !gift.is_awaited)
}

/// Returns true if no action is possible.
fn is_terminal(world: &World, state: &State) -> bool {
    if state.fault.is_some() {
        return false;
    }
    let mut actions = Vec::new();
    world.actions(state, &mut actions);
    actions.is_empty()
}
