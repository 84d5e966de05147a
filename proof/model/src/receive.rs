//! The effect of a frame on its receiver.
//!
//! It must not know how the frame arrived.

use crate::frame::{Frame, Object, Pair, Side, Token};
use crate::state::{Fault, Path, Stage, State};
use crate::world::{Rule, World};

/// O receives a frame from A or B, or A receives one from B.
pub(crate) fn receive_at_owner(state: &mut State, world: &World, pair: Pair, frame: Frame) {
    match frame {
        Frame::Release(object, answered) => release(state, world, pair, object, answered),
        Frame::Call(object, order) => {
            if !find(state, world, pair, object) {
                return;
            }
            match pair {
                Pair::OA | Pair::OB => start(state, order),
                Pair::AB => forward(state, Frame::Call(object, order)),
            }
        }
        Frame::Yours(object) => {
            find(state, world, pair, object);
        }
        Frame::Vouch(token) => vouch(state, world, pair, token),
        Frame::Withdraw(token) => withdraw(state, token),
        Frame::Claim(token) => claim(state, world, pair, token),
        Frame::ToOwner(object) => receive_forwarded(state, world, object),
        Frame::Settle => match pair {
            Pair::OA | Pair::OB => state.session_mut(pair).send(Side::Holder, Frame::Settled),
            Pair::AB => forward(state, Frame::Settle),
        },
        _ => {}
    }
}

/// A or B receives a frame from O, or B receives one from A.
pub(crate) fn receive_at_holder(state: &mut State, world: &World, pair: Pair, frame: Frame) {
    match frame {
        Frame::Introduce(object) => state.session_mut(pair).import_mut(object).introductions += 1,
        Frame::Forward(token) => {
            state.session_mut(pair).import_mut(Object::X).introductions += 1;
            state.gifts[usize::from(token)].is_offered = true;
        }
        Frame::Granted(_) => {
            state.session_mut(pair).import_mut(Object::X).introductions += 1;
            if pair == Pair::OB && state.caller.path == Path::ThroughA {
                begin_to_shorten(state, world);
            }
        }
        Frame::Settled | Frame::Broken => match pair {
            Pair::OA => state.session_mut(Pair::AB).send(Side::Holder, frame),
            Pair::OB | Pair::AB => {
                if frame == Frame::Broken {
                    state.shorten_at_once();
                } else if state.caller.path == Path::Settling {
                    state.shorten();
                }
            }
        },
        _ => {}
    }
}

fn release(state: &mut State, world: &World, pair: Pair, object: Object, answered: u8) {
    let number = state.number(world, object);
    let count = &mut state.session_mut(pair).exports[number];
    if !world.keeps(Rule::CountedRelease) {
        *count = 0;
        return;
    }
    match count.checked_sub(answered) {
        Some(rest) => *count = rest,
        None => state.fault = Some(Fault::Count),
    }
    if pair == Pair::AB && world.keeps(Rule::Withdrawal) && !state.is_forwarding() {
        withdraw_all(state);
    }
}

/// A has nothing to forward for B any more: B has claimed what A vouched for, or never will.
fn withdraw_all(state: &mut State) {
    for token in 0..state.gifts.len() {
        if std::mem::take(&mut state.gifts[token].is_vouched) {
            state.session_mut(Pair::OA).send(Side::Owner, Frame::Withdraw(token as Token));
        }
    }
}

fn withdraw(state: &mut State, token: Token) {
    let gift = &mut state.gifts[usize::from(token)];
    if gift.stage == Stage::Open {
        (gift.stage, gift.age) = (Stage::Withdrawn, 0);
    }
}

/// Checks that the object which a frame names is among the exports to its sender.
fn find(state: &mut State, world: &World, pair: Pair, object: Object) -> bool {
    if state.exports(world, pair, object) == 0 {
        state.fault = Some(Fault::NotThere);
        return false;
    }
    if pair != Pair::AB && state.occupant(world, object) != object {
        state.fault = Some(Fault::AnotherObject);
        return false;
    }
    true
}

/// O receives a reference to its own object from a node that has it from A. The sender does not hold the object: if it was
/// dropped, the reply is an error.
fn receive_forwarded(state: &mut State, world: &World, object: Object) {
    if state.is_shown(world, object) && state.occupant(world, object) != object {
        state.fault = Some(Fault::AnotherObject);
    }
}

/// O starts a call; B's calls must start in order.
fn start(state: &mut State, order: u8) {
    if order == 0 {
        return;
    }
    let caller = &mut state.caller;
    let is_again = caller.started & 1 << order != 0;
    let is_late = caller.started >> order != 0 && order > caller.lost;
    if is_again || is_late {
        state.fault = Some(Fault::Order);
        return;
    }
    caller.started |= 1 << order;
}

/// A forwards a frame for its entry, or reports to B that it cannot.
fn forward(state: &mut State, frame: Frame) {
    let session = state.session_mut(Pair::OA);
    if session.holder_ended {
        state.session_mut(Pair::AB).send(Side::Holder, Frame::Broken);
    } else if session.import(Object::X).introductions == 0 {
        state.fault = Some(Fault::NotThere);
    } else {
        session.send(Side::Owner, frame);
    }
}

fn vouch(state: &mut State, world: &World, pair: Pair, token: Token) {
    if !find(state, world, pair, Object::X) {
        return;
    }
    let gift = &mut state.gifts[usize::from(token)];
    gift.stage = Stage::Open;
    gift.age = 0;
    if std::mem::take(&mut gift.is_awaited) {
        state.grant(world, Pair::OB, token);
    }
}

fn claim(state: &mut State, world: &World, pair: Pair, token: Token) {
    let gift = &mut state.gifts[usize::from(token)];
    let is_its = pair == Pair::OB || !world.keeps(Rule::BoundToken);
    match gift.stage {
        Stage::Open if is_its => {
            if state.is_shown(world, Object::X) {
                state.grant(world, pair, token);
            } else {
                state.fault = Some(Fault::Claim);
            }
        }
        Stage::Unknown if pair == Pair::OB && !gift.is_awaited => {
            (gift.is_awaited, gift.age) = (true, 0);
        }
        _ => state.session_mut(pair).send(Side::Holder, Frame::Refused(token)),
    }
}

/// B has a direct reference: its calls through A must have started before it uses the direct path.
fn begin_to_shorten(state: &mut State, world: &World) {
    let through_a = state.session(Pair::AB);
    if state.caller.made == 0 || through_a.holder_ended || !world.keeps(Rule::Settling) {
        state.caller.path = Path::Direct;
    } else if through_a.import(Object::X).held() > 0 {
        state.caller.path = Path::Settling;
        state.session_mut(Pair::AB).send(Side::Owner, Frame::Settle);
    }
    // Otherwise the program has dropped the object, and will not call it again.
}
