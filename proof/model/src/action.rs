//! Owns what can happen in a state.
//!
//! It must not know what follows from it. Nobody is ever in a hurry: time may pass before anything else does, so that a
//! node that is slow, paused or never scheduled again is among what is explored.

use crate::frame::{Frame, Node, Object, Pair, Side, Token};
use crate::session::Session;
use crate::state::{Path, Stage, State};
use crate::world::{Nodes, Rule, World};

/// Something that can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A step of time passes.
    Tick,
    /// A connection is lost.
    Cut(Pair),
    /// The connection to a side that is over is lost.
    Part(Pair),
    /// A connection is made again.
    Resume(Pair),
    /// A connection is made again as far as this side, which has the last word, can tell; and lost before the other
    /// hears that word.
    ResumeUnheard(Pair, Side),
    /// The next frame is read by this side.
    Read(Pair, Side),
    /// This side learns how far its frames have come.
    Acknowledge(Pair, Side),
    /// This side's lease is over.
    Expire(Pair, Side),
    /// The owner's lease as a holder is over, and it ends all of the session.
    ExpireWhole(Pair),
    /// This side learns that the other has ended the session.
    Learn(Pair, Side),
    /// A gift has waited too long for its claim.
    LapseGift(Token),
    /// A claim has waited too long for its gift.
    LapseClaim(Token),
    /// What was given up is given back.
    Release(Pair, Object),
    /// The holder says that it lives.
    Renew(Pair),
    /// The owner does, as a holder of something else.
    RenewAsOwner(Pair),
    /// O names x to a holder.
    Introduce(Pair),
    /// O's own program lets x go.
    LeaveHome,
    /// Another object is made, and named to a holder.
    Succeed(Pair),
    /// A holder's program drops what one introduction gave it.
    Drop(Pair, Object),
    /// A calls x.
    Call,
    /// A makes a message that names x, which has to wait.
    Wait,
    /// It is sent.
    SendWaiting,
    /// A gives B what it has.
    Give,
    /// B claims.
    Claim(Token),
    /// A claims what is for B.
    Steal(Token),
    /// B sends home what it has from A.
    SendHome,
    /// B calls what it has.
    CallInOrder,
    /// A is killed.
    Kill,
}

/// Everything that can happen in a state.
pub(crate) fn possible(world: &World, state: &State, into: &mut Vec<Action>) {
    if state.fault.is_some() {
        return;
    }
    let pairs: &[Pair] = match world.nodes {
        Nodes::Two => &[Pair::OA],
        Nodes::Three => &Pair::ALL,
    };
    for &pair in pairs {
        network(world, state, pair, into);
        for side in [Side::Owner, Side::Holder] {
            of_side(world, state, pair, side, into);
        }
        of_holder(world, state, pair, into);
    }
    of_o(world, state, into);
    of_a(world, state, into);
    if world.nodes == Nodes::Three {
        of_b(world, state, into);
    }
    if crate::step::pass_time(world, state) != *state {
        into.push(Action::Tick);
    }
}

fn network(world: &World, state: &State, pair: Pair, into: &mut Vec<Action>) {
    let session = state.session(pair);
    if session.connected && session.is_live() && state.left.cuts > 0 {
        into.push(Action::Cut(pair));
    }
    if session.connected && !session.is_live() {
        into.push(Action::Part(pair));
    }
    if !session.connected && session.is_live() {
        into.push(Action::Resume(pair));
        if state.left.cuts > 0 {
            into.push(Action::ResumeUnheard(pair, Side::Owner));
            // Where the rule is kept, nothing has happened.
            if !world.keeps(Rule::LastWord) {
                into.push(Action::ResumeUnheard(pair, Side::Holder));
            }
        }
    }
}

fn of_side(world: &World, state: &State, pair: Pair, side: Side, into: &mut Vec<Action>) {
    let session = state.session(pair);
    let node = if side == Side::Owner { pair.owner() } else { pair.holder() };
    if session.ended(side) || !state.is_alive(node) {
        return;
    }
    let (incoming, outgoing, other) = match side {
        Side::Owner => (&session.to_owner, &session.to_holder, Side::Holder),
        Side::Holder => (&session.to_holder, &session.to_owner, Side::Owner),
    };
    if session.connected && incoming.has_unread() {
        into.push(Action::Read(pair, side));
    }
    if session.connected && session.is_live() && outgoing.received > 0 {
        into.push(Action::Acknowledge(pair, side));
    }
    let peer = if side == Side::Owner { pair.holder() } else { pair.owner() };
    let has_heard_all = !session.connected || !incoming.has_unread();
    if session.ended(other) && state.is_alive(peer) && has_heard_all {
        into.push(Action::Learn(pair, side));
    }
    let waits_for_reading = world.keeps(Rule::ReadingFirst);
    let is_over = match side {
        Side::Owner => world.keeps(Rule::OwnerTerm) && session.heard >= world.owner_end(),
        Side::Holder => session.confirmed >= world.holder_end(),
    };
    if is_over && !(waits_for_reading && has_evidence(world, session, side)) {
        into.push(Action::Expire(pair, side));
    }
    if side == Side::Owner
        && !world.keeps(Rule::LeasesApart)
        && session.owner_confirmed >= world.holder_end()
    {
        into.push(Action::ExpireWhole(pair));
    }
}

/// Whether something waits in this side's socket by which its lease is not over yet.
pub(crate) fn has_evidence(world: &World, session: &Session, side: Side) -> bool {
    session.connected
        && match side {
            Side::Owner => session.to_owner.has_unread(),
            Side::Holder => {
                let newest = session.to_owner.newest_received();
                !session.owner_ended && newest.is_some_and(|age| age < world.holder_end())
            }
        }
}

fn of_holder(world: &World, state: &State, pair: Pair, into: &mut Vec<Action>) {
    let session = state.session(pair);
    if session.holder_ended || !state.is_alive(pair.holder()) {
        return;
    }
    let has_room = session.to_owner.retained.has_room();
    for object in Object::ALL {
        let import = session.import(object);
        if import.held() > reserved(world, state, pair, object) {
            into.push(Action::Drop(pair, object));
        }
        let is_pinned = session.waiting && world.keeps(Rule::PinWhileWaiting);
        if import.dropped > 0 && has_room && !is_pinned {
            into.push(Action::Release(pair, object));
        }
    }
    if state.left.renewals > 0 && has_room {
        into.push(Action::Renew(pair));
    }
    let owner_holds = !world.keeps(Rule::LeasesApart) && !session.owner_ended;
    if owner_holds && state.left.renewals > 0 && session.to_holder.retained.has_room() {
        into.push(Action::RenewAsOwner(pair));
    }
}

/// How many introductions something other than the program needs.
fn reserved(world: &World, state: &State, pair: Pair, object: Object) -> u8 {
    let forwards = pair == Pair::OA && state.is_forwarding() && world.keeps(Rule::PinnedForward);
    let settles = pair != Pair::OA && state.caller.path == Path::Settling;
    u8::from(object == Object::X && (forwards || settles))
}

fn of_o(world: &World, state: &State, into: &mut Vec<Action>) {
    let may_name = |pair| {
        let session = state.session(pair);
        !session.owner_ended && session.to_holder.retained.has_room()
    };
    if state.is_home {
        into.push(Action::LeaveHome);
        if state.left.introductions > 0 && may_name(Pair::OA) {
            into.push(Action::Introduce(Pair::OA));
        }
        if state.left.introductions_to_b > 0 && may_name(Pair::OB) {
            into.push(Action::Introduce(Pair::OB));
        }
    } else if state.left.successors > 0 && !state.is_shown(world, Object::X) {
        let pairs = [Pair::OA, Pair::OB].into_iter().filter(|pair| may_name(*pair));
        into.extend(pairs.map(Action::Succeed));
    }
    for token in 0..world.budget.gifts {
        let gift = state.gifts[usize::from(token)];
        let is_over = gift.age >= world.gift_end();
        let is_read = |pair| {
            let session: &Session = state.session(pair);
            let unread = session.connected && !session.owner_ended && session.to_owner.has_unread();
            !unread || !world.keeps(Rule::ReadingFirst)
        };
        if gift.stage == Stage::Open && is_over && world.keeps(Rule::GiftTerm) && is_read(Pair::OB)
        {
            into.push(Action::LapseGift(token));
        }
        if gift.is_awaited && is_over && is_read(Pair::OA) {
            into.push(Action::LapseClaim(token));
        }
    }
}

fn of_a(world: &World, state: &State, into: &mut Vec<Action>) {
    if state.is_a_dead {
        return;
    }
    let session = state.session(Pair::OA);
    let has_room = session.to_owner.retained.has_room();
    if session.import(Object::X).held() > 0 && has_room {
        if state.left.calls > 0 {
            into.push(Action::Call);
        }
        if state.left.echoes > 0 && !session.waiting {
            into.push(Action::Wait);
        }
        let forwards = state.session(Pair::AB);
        if state.left.gifts > 0 && !forwards.owner_ended && forwards.to_holder.retained.has_room() {
            into.push(Action::Give);
        }
    }
    if session.waiting && has_room {
        into.push(Action::SendWaiting);
    }
    if state.left.thefts > 0 && !session.holder_ended && has_room {
        let given = state.next_token(world);
        into.extend((0..given).map(Action::Steal));
    }
    if state.left.kills > 0 {
        into.push(Action::Kill);
    }
}

fn of_b(world: &World, state: &State, into: &mut Vec<Action>) {
    let (direct, through_a) = (state.session(Pair::OB), state.session(Pair::AB));
    let may_ask = !direct.holder_ended && direct.to_owner.retained.has_room();
    let has_entry = through_a.import(Object::X).held() > 0;
    for token in 0..world.budget.gifts {
        let gift = state.gifts[usize::from(token)];
        if gift.is_offered && may_ask && (!gift.is_claimed || state.left.more_claims > 0) {
            into.push(Action::Claim(token));
        }
    }
    if state.left.homes > 0 && has_entry && may_ask {
        into.push(Action::SendHome);
    }
    if state.left.messages > 0 {
        let may_call = match state.caller.path {
            Path::ThroughA => has_entry && through_a.to_owner.retained.has_room(),
            Path::Settling => true,
            Path::Direct => direct.import(Object::X).held() > 0 && may_ask,
        };
        if may_call {
            into.push(Action::CallInOrder);
        }
    }
}

/// Whether B's claim is among what O has not read.
pub(crate) fn is_claim_underway(state: &State, token: Token) -> bool {
    let session = state.session(Pair::OB);
    let mut underway = session.to_owner.underway();
    session.connected
        && state.is_alive(Node::B)
        && underway.any(|frame| frame == Frame::Claim(token))
}
