//! The actions that are possible in a state.
//!
//! It must not know their effects. No action is urgent: time may pass before any other action, so that nodes which are slow,
//! paused or never scheduled again are explored, too.

use crate::frame::{Frame, Node, Object, Pair, Side, Token};
use crate::session::Session;
use crate::state::{Path, Stage, State};
use crate::world::{Nodes, Rule, World};

/// A step from one state to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// One step of time passes.
    Tick,
    /// A connection is lost.
    Cut(Pair),
    /// The connection of a session that has ended on one side is closed.
    Disconnect(Pair),
    /// A new connection resumes the session.
    Resume(Pair),
    /// A new connection resumes the session on this side, the decider, but is lost before the other side receives the
    /// verdict.
    ResumeWithLostVerdict(Pair, Side),
    /// This side reads the next frame.
    Read(Pair, Side),
    /// This side receives an acknowledgement of the frames that have arrived.
    Acknowledge(Pair, Side),
    /// The lease expires on this side.
    Expire(Pair, Side),
    /// The owner's lease as a holder expires, and it ends the whole session.
    ExpireWhole(Pair),
    /// This side learns that the other one has ended the session.
    Learn(Pair, Side),
    /// A gift expires without a claim.
    ExpireGift(Token),
    /// A claim that waits for its vouch is refused.
    RefuseClaim(Token),
    /// The holder releases the introductions that it has dropped.
    Release(Pair, Object),
    /// The holder sends a renewal.
    Renew(Pair),
    /// The owner sends one, as a holder of other objects.
    RenewAsOwner(Pair),
    /// O introduces x to a holder.
    Introduce(Pair),
    /// O's own program drops x.
    DropAtOwner,
    /// O creates another object, and introduces it to a holder.
    Succeed(Pair),
    /// A holder's program drops the reference of one introduction.
    Drop(Pair, Object),
    /// A calls x.
    Call,
    /// A queues a message that names x.
    Wait,
    /// A sends the queued message.
    SendWaiting,
    /// A hands its reference off to B.
    Give,
    /// B claims a gift.
    Claim(Token),
    /// A claims a gift that is for B.
    Steal(Token),
    /// B sends the reference that it has from A to the owner O.
    SendToOwner,
    /// B calls its object, in order.
    CallInOrder,
    /// A is killed.
    Kill,
}

/// Appends all actions that are possible in a state.
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
        into.push(Action::Disconnect(pair));
    }
    if !session.connected && session.is_live() {
        into.push(Action::Resume(pair));
        if state.left.cuts > 0 {
            into.push(Action::ResumeWithLostVerdict(pair, Side::Owner));
            // With the rule, this changes nothing for a holder.
            if !world.keeps(Rule::LostVerdict) {
                into.push(Action::ResumeWithLostVerdict(pair, Side::Holder));
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
    let has_read_all = !session.connected || !incoming.has_unread();
    if session.ended(other) && state.is_alive(peer) && has_read_all {
        into.push(Action::Learn(pair, side));
    }
    let waits_for_reading = world.keeps(Rule::GracePeriod);
    let is_over = match side {
        Side::Owner => world.keeps(Rule::OwnerTerm) && session.silence >= world.owner_end(),
        Side::Holder => session.confirmed >= world.holder_end(),
    };
    if is_over && !(waits_for_reading && has_unread_renewal(world, session, side)) {
        into.push(Action::Expire(pair, side));
    }
    if side == Side::Owner
        && !world.keeps(Rule::LeasesApart)
        && session.owner_confirmed >= world.holder_end()
    {
        into.push(Action::ExpireWhole(pair));
    }
}

/// Returns true if unread input of this side would renew its lease.
pub(crate) fn has_unread_renewal(world: &World, session: &Session, side: Side) -> bool {
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

/// Returns the number of introductions that something other than the program needs.
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
    if state.owner_uses {
        into.push(Action::DropAtOwner);
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
            !unread || !world.keeps(Rule::GracePeriod)
        };
        if gift.stage == Stage::Open && is_over && world.keeps(Rule::GiftTerm) && is_read(Pair::OB)
        {
            into.push(Action::ExpireGift(token));
        }
        if gift.is_awaited && is_over && is_read(Pair::OA) {
            into.push(Action::RefuseClaim(token));
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
        let tokens = state.next_token(world);
        into.extend((0..tokens).map(Action::Steal));
    }
    if state.left.kills > 0 {
        into.push(Action::Kill);
    }
}

fn of_b(world: &World, state: &State, into: &mut Vec<Action>) {
    let (direct, through_a) = (state.session(Pair::OB), state.session(Pair::AB));
    let may_ask = !direct.holder_ended && direct.to_owner.retained.has_room();
    let has_entry = through_a.import(Object::X).held() > 0;
    // What B has dropped it does not claim.
    let may_claim = may_ask && (has_entry || through_a.holder_ended);
    for token in 0..world.budget.gifts {
        let gift = state.gifts[usize::from(token)];
        if gift.is_offered && may_claim && (!gift.is_claimed || state.left.more_claims > 0) {
            into.push(Action::Claim(token));
        }
    }
    if state.left.homes > 0 && has_entry && may_ask {
        into.push(Action::SendToOwner);
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

/// Returns true if B's claim is among the frames that O has not read.
pub(crate) fn is_claim_in_transit(state: &State, token: Token) -> bool {
    let session = state.session(Pair::OB);
    let mut in_transit = session.to_owner.in_transit();
    session.connected
        && state.is_alive(Node::B)
        && in_transit.any(|frame| frame == Frame::Claim(token))
}
