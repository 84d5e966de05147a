//! The effects of actions: the next state.
//!
//! It must not know the properties.

use crate::action::{Action, has_unread_renewal, is_claim_in_transit};
use crate::frame::{Frame, Object, Pair, Side, Token};
use crate::receive::{receive_at_holder, receive_at_owner};
use crate::session::Arrival;
use crate::state::{Caller, Fault, Path, Stage, State};
use crate::world::{Rule, World};

impl State {
    /// Applies an action.
    pub(crate) fn apply(&mut self, world: &World, action: Action) {
        match action {
            Action::Tick => *self = pass_time(world, self),
            Action::Cut(pair) => {
                self.left.cuts -= 1;
                self.cut(world, pair);
            }
            Action::Disconnect(pair) => self.cut(world, pair),
            Action::Resume(pair) => self.session_mut(pair).resume(),
            Action::ResumeWithLostVerdict(pair, decider) => {
                self.left.cuts -= 1;
                let session = self.session_mut(pair);
                match decider {
                    Side::Owner => session.silence = 0,
                    Side::Holder => session.confirmed = 0,
                }
            }
            Action::Read(pair, side) => self.read(world, pair, side),
            Action::Acknowledge(pair, side) => self.acknowledge(world, pair, side),
            Action::Expire(pair, side) => {
                if has_unread_renewal(world, self.session(pair), side) {
                    self.fault = Some(Fault::TooEarly);
                }
                self.end(pair, side);
            }
            Action::ExpireWhole(pair) => self.end(pair, Side::Owner),
            Action::Learn(pair, side) => self.end(pair, side),
            Action::ExpireGift(token) => {
                if is_claim_in_transit(self, token) {
                    self.fault = Some(Fault::TooEarly);
                }
                self.gifts[usize::from(token)].stage = Stage::Expired;
                self.gifts[usize::from(token)].age = 0;
            }
            Action::RefuseClaim(token) => {
                let gift = &mut self.gifts[usize::from(token)];
                (gift.is_awaited, gift.age) = (false, 0);
                self.session_mut(Pair::OB).send(Side::Holder, Frame::Refused(token));
            }
            Action::Release(pair, object) => {
                let session = self.session_mut(pair);
                let import = session.import_mut(object);
                let answered = import.dropped;
                import.introductions -= answered;
                import.dropped = 0;
                session.send(Side::Owner, Frame::Release(object, answered));
            }
            Action::Drop(pair, object) => self.session_mut(pair).import_mut(object).dropped += 1,
            _ => self.program(world, action),
        }
    }

    /// Applies an action of a program.
    fn program(&mut self, world: &World, action: Action) {
        let left = &mut self.left;
        match action {
            Action::Renew(pair) => {
                left.renewals -= 1;
                self.session_mut(pair).send(Side::Owner, Frame::Renew);
            }
            Action::RenewAsOwner(pair) => {
                left.renewals -= 1;
                self.session_mut(pair).send(Side::Holder, Frame::Renew);
            }
            Action::Introduce(pair) => {
                match pair {
                    Pair::OB => left.introductions_to_b -= 1,
                    _ => left.introductions -= 1,
                }
                self.introduce(world, pair, Object::X, Frame::Introduce(Object::X));
            }
            Action::DropAtOwner => self.owner_uses = false,
            Action::Succeed(pair) => {
                left.successors -= 1;
                self.has_successor = true;
                self.introduce(world, pair, Object::Y, Frame::Introduce(Object::Y));
            }
            Action::Call => {
                left.calls -= 1;
                self.session_mut(Pair::OA).send(Side::Owner, Frame::Call(Object::X, 0));
            }
            Action::Wait => {
                left.echoes -= 1;
                self.session_mut(Pair::OA).waiting = true;
            }
            Action::SendWaiting => {
                let session = self.session_mut(Pair::OA);
                session.waiting = false;
                session.send(Side::Owner, Frame::Yours(Object::X));
            }
            Action::Give => {
                let token = self.next_token(world);
                self.left.gifts -= 1;
                self.gifts[usize::from(token)].is_vouched = true;
                self.session_mut(Pair::OA).send(Side::Owner, Frame::Vouch(token));
                self.introduce(world, Pair::AB, Object::X, Frame::Forward(token));
            }
            Action::Claim(token) => {
                let gift = &mut self.gifts[usize::from(token)];
                if gift.is_claimed {
                    left.more_claims -= 1;
                }
                gift.is_claimed = true;
                self.session_mut(Pair::OB).send(Side::Owner, Frame::Claim(token));
            }
            Action::Steal(token) => {
                left.thefts -= 1;
                self.session_mut(Pair::OA).send(Side::Owner, Frame::Claim(token));
            }
            Action::SendToOwner => {
                left.homes -= 1;
                self.session_mut(Pair::OB).send(Side::Owner, Frame::ToOwner(Object::X));
            }
            Action::CallInOrder => self.call_in_order(),
            Action::Kill => {
                left.kills -= 1;
                self.is_a_dead = true;
                self.end(Pair::OA, Side::Holder);
                self.end(Pair::AB, Side::Owner);
            }
            _ => unreachable!("the network and the sessions do this: {action:?}"),
        }
    }

    /// Introduces an object of the owner to the holder.
    pub(crate) fn introduce(&mut self, world: &World, pair: Pair, object: Object, frame: Frame) {
        let number = self.number(world, object);
        let session = self.session_mut(pair);
        if world.keeps(Rule::PinInTransit) {
            session.exports[number] += 1;
        }
        session.send(Side::Holder, frame);
    }

    fn call_in_order(&mut self) {
        self.left.messages -= 1;
        self.caller.made += 1;
        let call = Frame::Call(Object::X, self.caller.made);
        match self.caller.path {
            Path::ThroughA => self.session_mut(Pair::AB).send(Side::Owner, call),
            Path::Settling => self.caller.queued += 1,
            Path::Direct => self.session_mut(Pair::OB).send(Side::Owner, call),
        }
    }

    fn cut(&mut self, world: &World, pair: Pair) {
        let session = self.session_mut(pair);
        session.cut();
        if !world.keeps(Rule::Retention) {
            for side in [Side::Owner, Side::Holder] {
                let direction = session.to(side);
                direction.acknowledge();
                direction.retained.forget(direction.retained.len());
            }
        }
    }

    fn read(&mut self, world: &World, pair: Pair, side: Side) {
        let session = self.session_mut(pair);
        if side == Side::Owner {
            session.silence = 0;
        }
        let frame = match session.to(side).arrive() {
            Arrival::New(frame) => frame,
            Arrival::Duplicate(frame) if !world.keeps(Rule::Numbers) => frame,
            Arrival::Duplicate(_) => return,
        };
        match side {
            Side::Owner => receive_at_owner(self, world, pair, frame),
            Side::Holder => receive_at_holder(self, world, pair, frame),
        }
    }

    fn acknowledge(&mut self, world: &World, pair: Pair, side: Side) {
        let session = self.session_mut(pair);
        match side {
            Side::Holder => {
                let newest = session.to_owner.newest_received().unwrap_or(session.confirmed);
                let counted = if world.keeps(Rule::CountedFromSending) { newest } else { 0 };
                session.confirmed = session.confirmed.min(counted);
                session.to_owner.acknowledge();
            }
            Side::Owner => {
                if let Some(newest) = session.to_holder.newest_received()
                    && !world.keeps(Rule::LeasesApart)
                {
                    session.owner_confirmed = session.owner_confirmed.min(newest);
                }
                if !world.keeps(Rule::PinInTransit) {
                    let received = usize::from(session.to_holder.received);
                    for sent in &session.to_holder.retained.sent()[..received] {
                        match sent.frame {
                            Frame::Introduce(Object::Y) => session.exports[1] += 1,
                            Frame::Introduce(_) | Frame::Forward(_) | Frame::Granted(_) => {
                                session.exports[0] += 1;
                            }
                            _ => {}
                        }
                    }
                }
                session.to_holder.acknowledge();
            }
        }
    }

    /// Ends a session on one side.
    pub(crate) fn end(&mut self, pair: Pair, side: Side) {
        self.session_mut(pair).end(side);
        match (pair, side) {
            (Pair::OB, Side::Owner) => {
                for gift in self.gifts.iter_mut().filter(|gift| gift.is_awaited) {
                    (gift.is_awaited, gift.age) = (false, 0);
                }
            }
            (Pair::AB, Side::Holder) => self.shorten_at_once(),
            // B gets no more replies to what A has forwarded.
            (Pair::OA, Side::Holder) if !self.is_a_dead && self.caller.made > 0 => {
                self.session_mut(Pair::AB).send(Side::Holder, Frame::Broken);
            }
            _ => {}
        }
    }

    /// B's old path is violated: the outcome of the calls on it is unknown.
    pub(crate) fn shorten_at_once(&mut self) {
        self.caller.lost = self.caller.made - self.caller.queued;
        if self.caller.path == Path::Settling {
            self.shorten();
        }
    }

    /// B's old path is no longer used: sends the waiting calls on the direct path.
    pub(crate) fn shorten(&mut self) {
        let Caller { made, queued, .. } = self.caller;
        self.caller.path = Path::Direct;
        self.caller.queued = 0;
        for order in made - queued + 1..=made {
            self.session_mut(Pair::OB).send(Side::Owner, Frame::Call(Object::X, order));
        }
    }

    /// Grants a claim: the reply introduces x.
    pub(crate) fn grant(&mut self, world: &World, pair: Pair, token: Token) {
        let gift = &mut self.gifts[usize::from(token)];
        gift.grants += 1;
        if gift.grants > 1 || pair != Pair::OB {
            self.fault = Some(Fault::Gift);
        }
        if world.keeps(Rule::SingleUse) {
            gift.stage = Stage::Taken;
            gift.age = 0;
        }
        self.introduce(world, pair, Object::X, Frame::Granted(token));
    }
}

/// Returns the state after one step of time.
pub(crate) fn pass_time(world: &World, state: &State) -> State {
    let mut later = *state;
    if world.lease.is_none() {
        return later;
    }
    let owner_holds = !world.keeps(Rule::LeasesApart);
    for session in &mut later.sessions {
        session.advance(world.holder_end(), world.owner_end(), owner_holds);
    }
    for gift in &mut later.gifts {
        if gift.stage == Stage::Open || gift.is_awaited {
            gift.age = (gift.age + 1).min(world.gift_end());
        }
    }
    later
}
