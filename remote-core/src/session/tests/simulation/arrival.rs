//! Owns what a node does with what its sessions tell it, as `node/session/effects.rs` and `node/session/inbound.rs` have it: references
//! are resolved at once and in order, calls are begun later and in order.
//!
//! It must not know how what it does is sent.

use std::time::Duration;

use super::super::world::check_body;
use super::agenda::{At, Happening};
use super::ledger::{Ended, Purpose};
use super::link::{Asking, Claimant, Delivery, Outbound, Running, Waiter, Waits};
use super::network::Item;
use super::node::{Condition, Import, Receiver};
use super::world::World;
use crate::error::Outcome;
use crate::id::{CallToken, Identity, ObjectId, QuestionId};
use crate::session::event::{Cause, Event, IncomingCall};
use crate::wire::content::Content;
use crate::wire::frame::{Descriptor, Manner, Status, Target};

impl World {
    pub(super) fn handle(&mut self, at: At, event: Event) {
        let At { life, link } = at;
        match event {
            Event::Call(call) => self.take_call(at, call),
            Event::Answered { token, status, content } => {
                let (purpose, references) = self.take_in(at, &content);
                match token {
                    Some(CallToken(token)) => {
                        self.take_answer(at, token, (status, purpose), references)
                    }
                    None => self.nodes[life].let_all_go(references),
                }
            }
            Event::HandedOver { token: CallToken(token) } => self.hand_over(life, token),
            Event::Refused { token: CallToken(token) } => {
                self.tally.refused += 1;
                self.take_loss(life, token, Outcome::NotExecuted);
            }
            Event::Lost { token: CallToken(token), outcome } => {
                self.take_loss(life, token, outcome)
            }
            Event::Unexported { object } => self.nodes[life].hide(object),
            Event::Cancelled { question } => self.take_cancellation(at, question),
            Event::Suspended { .. } => {
                self.nodes[life].links[link].is_sound = false;
                if let Some(end) = self.nodes[life].links[link].attached.take() {
                    self.hang_up(end);
                }
                self.plan_redial(at);
            }
            Event::Resumed => self.nodes[life].links[link].is_sound = false,
            Event::Closed { cause } => self.take_end(at, &cause),
            Event::Promised { .. }
            | Event::Finished { .. }
            | Event::Watch { .. }
            | Event::Unwatch { .. }
            | Event::WatchEnded { .. } => unreachable!("nobody here asks for that"),
        }
    }

    /// Resolves what a message refers to: each has one holder more.
    fn take_in(&mut self, at: At, content: &Content) -> (Purpose, Vec<Receiver>) {
        let number = check_body(&content.body);
        let Some((peer, _)) = self.nodes[at.life].links[at.link].twin else {
            unreachable!("a message came from a session that the peer does not have")
        };
        let message = self.ledger.arrive(number, peer);
        let (purpose, truths) = (message.purpose, message.truths.clone());
        let references = &content.references;
        assert_eq!(truths.len(), references.len(), "references of message {number}");
        let mut receivers = Vec::new();
        for (descriptor, truth) in references.iter().zip(truths) {
            let receiver = self.resolve(at, descriptor, truth);
            let reached = self.nodes[at.life].truth(receiver);
            assert_eq!(reached, truth, "a reference in message {number}");
            receivers.push(receiver);
        }
        (purpose, receivers)
    }

    fn resolve(&mut self, at: At, descriptor: &Descriptor, truth: Identity) -> Receiver {
        let lineage = self.ledger.new_lineage();
        let node = &mut self.nodes[at.life];
        let peer = node.links[at.link].peer;
        let (entry, identity, token) = match *descriptor {
            Descriptor::Yours { object, .. } => {
                let shown = node.table.get(&object).expect("what comes home is still shown");
                let receiver = shown.receiver;
                return node.hold(receiver);
            }
            Descriptor::Mine { object, .. } => (object, Identity { node: peer, object }, None),
            Descriptor::Forwarded { object, owner, token, .. } => (object, owner, token),
        };
        let import = Import { link: at.link, entry };
        let is_own = identity.node == node.id;
        let own = token.filter(|_| is_own);
        if let Some(object) = own.and_then(|token| node.gifts.recognize(token, peer)) {
            node.release(import);
            return node.hold(Receiver::Near(object));
        }
        let proxy = node.new_proxy(import, identity, truth, lineage);
        if identity.node != peer {
            self.seek(at, proxy, token.filter(|_| !is_own));
        }
        Receiver::Far(proxy)
    }

    fn take_call(&mut self, at: At, call: IncomingCall) {
        let IncomingCall { question, target, header, content } = call;
        let (manner, nesting) = (header.manner, header.nesting);
        let size = content.body.len();
        let (purpose, references) = self.take_in(at, &content);
        let node = &mut self.nodes[at.life];
        let receiver = match target {
            Some(Target::Object(ObjectId::DIRECTORY)) => Receiver::Directory,
            Some(Target::Object(object)) => {
                let shown = node.table.get(&object).expect("what the peer may name is shown");
                shown.receiver
            }
            Some(Target::Answer(_)) | None => panic!("{purpose:?} came to nothing"),
        };
        let receiver = Some(node.hold(receiver));
        let delivery = Delivery { question, manner, nesting, receiver, references, purpose, size };
        node.links[at.link].inbox.push_back(delivery);
    }

    /// The next call that arrived begins.
    pub(super) fn begin(&mut self, at: At) {
        let side = &mut self.nodes[at.life].links[at.link];
        side.will_begin = false;
        if !side.session.has_room() {
            side.will_begin = true;
            let later = self.now + Duration::from_millis(1);
            return self.agenda.enter(later, Happening::Begin(at));
        }
        let Some(delivery) = side.inbox.pop_front() else { return };
        self.nodes[at.life].stir(at.link);
        let Delivery { question, manner, nesting, receiver, references, purpose, size } = delivery;
        let node = &mut self.nodes[at.life];
        let receiver = receiver.map(|receiver| {
            let itself = node.at_home(receiver);
            node.hold(itself);
            node.let_go(receiver);
            itself
        });
        match receiver {
            None => {
                node.let_all_go(references);
                self.answer(at, question, Status::Fault, Vec::new());
            }
            Some(Receiver::Directory) => self.ask_directory(at, question, purpose, references),
            Some(receiver @ Receiver::Near(object)) => {
                let Purpose::Call(call) = purpose else {
                    assert_eq!(purpose, Purpose::Settle);
                    node.let_go(receiver);
                    return self.answer(at, question, Status::Value, Vec::new());
                };
                let reached = Identity { node: node.id, object };
                if self.speaks {
                    eprintln!("{:?}   {at:?} begins call {call} at {object:?}", self.now);
                }
                self.ledger.begin(call, reached);
                self.tally.executed += 1;
                self.keep(at.life, references);
                let running = Running { link: at.link, question, manner, receiver };
                if self.random.percent(self.settings.quick) {
                    self.finish(at.life, running, Vec::new());
                } else {
                    self.nodes[at.life].running.push(running);
                }
            }
            Some(receiver @ Receiver::Far(proxy)) => {
                self.tally.forwarded += 1;
                let waits = Waits::Peer { link: at.link, question, manner };
                let manner = if manner == Manner::Tell { Manner::Ask } else { manner };
                let outbound = Outbound { purpose, manner, nesting, references, size, waits };
                self.send_to(at.life, proxy, outbound);
                self.nodes[at.life].let_go(receiver);
            }
        }
    }

    /// A method returns.
    pub(super) fn finish(&mut self, life: usize, running: Running, references: Vec<Receiver>) {
        let Running { link, question, manner, receiver } = running;
        let mut references = references;
        if manner == Manner::Tell {
            self.nodes[life].let_all_go(std::mem::take(&mut references));
        }
        self.answer(At { life, link }, question, Status::Value, references);
        self.nodes[life].let_go(receiver);
    }

    /// The application keeps what it was given, or some of it.
    pub(super) fn keep(&mut self, life: usize, references: Vec<Receiver>) {
        for receiver in references {
            let keeps = self.random.percent(self.settings.keeps);
            let node = &mut self.nodes[life];
            match receiver {
                Receiver::Far(proxy) if keeps => node.held.push(proxy),
                Receiver::Near(object) if keeps => node.roots.push(object),
                receiver => node.let_go(receiver),
            }
        }
    }

    /// Calls what has come home: it answers at once.
    pub(super) fn begin_at_home(&mut self, life: usize, object: ObjectId, outbound: Outbound) {
        let Outbound { purpose, references, waits, .. } = outbound;
        if let Purpose::Call(call) = purpose {
            self.ledger.begin(call, Identity { node: self.nodes[life].id, object });
            self.tally.executed += 1;
        }
        self.keep(life, references);
        match waits {
            Waits::Caller(call) => {
                self.nodes[life].open.retain(|open| *open != call);
                self.ledger.end(call, Ended::Answered);
            }
            Waits::Peer { link, question, .. } => {
                self.answer(At { life, link }, question, Status::Value, Vec::new());
            }
            other => unreachable!("{other:?} is not sent to a proxy"),
        }
    }

    fn take_answer(
        &mut self,
        at: At,
        token: usize,
        (status, purpose): (Status, Purpose),
        references: Vec<Receiver>,
    ) {
        let life = at.life;
        let Some(Waiter { waits, .. }) = self.nodes[life].waiters.remove(&token) else {
            // Who waited has given up since it arrived.
            return self.nodes[life].let_all_go(references);
        };
        match waits {
            Waits::Caller(call) => {
                self.nodes[life].open.retain(|open| *open != call);
                let is_fault = status == Status::Fault;
                self.ledger.end(call, if is_fault { Ended::Failed } else { Ended::Answered });
                self.keep(life, references);
            }
            Waits::Peer { link, question, manner } => {
                let mut references = references;
                if manner == Manner::Tell {
                    self.nodes[life].let_all_go(std::mem::take(&mut references));
                }
                self.answer(At { life, link }, question, status, references);
            }
            Waits::Lookup => self.keep(life, references),
            Waits::Vouch(_) => unreachable!("nobody answers what is told"),
            Waits::Introduction { proxy, giver } => {
                self.be_told(At { life, link: giver });
                match purpose {
                    Purpose::Introduced(token) => self.claim(life, proxy, token),
                    _ => self.stay(life, proxy),
                }
            }
            Waits::Address { proxy, .. } if status == Status::Fault => self.stay(life, proxy),
            Waits::Address { proxy, token } => self.reach_owner(life, proxy, token),
            Waits::Claim { proxy, .. } => match references.first() {
                Some(given) => self.shorten(life, proxy, *given),
                None => self.stay(life, proxy),
            },
            Waits::Settle(proxy) => {
                if status == Status::Fault {
                    // Why is not told here: a node keeps the long way if that had no room, and loses no order by it.
                    self.ledger.break_order();
                }
                self.go_direct(life, proxy);
            }
        }
    }

    fn hand_over(&mut self, life: usize, token: usize) {
        let waiter = self.nodes[life].waiters.remove(&token).expect("one who tells waits");
        match waiter.waits {
            Waits::Caller(call) => {
                self.nodes[life].open.retain(|open| *open != call);
                self.ledger.end(call, Ended::HandedOver);
            }
            Waits::Vouch(_) => {}
            other => panic!("{other:?} was told"),
        }
    }

    fn take_loss(&mut self, life: usize, token: usize, outcome: Outcome) {
        let Some(waiter) = self.nodes[life].waiters.remove(&token) else {
            return; // Who waited gave up in the same batch: what was forwarded to a peer, by the peer's own cancellation.
        };
        if outcome == Outcome::NotExecuted {
            self.ledger.withdraw(waiter.message);
        }
        match waiter.waits {
            Waits::Caller(call) => {
                self.nodes[life].open.retain(|open| *open != call);
                self.ledger.end(call, Ended::Lost(outcome));
            }
            other => self.deny(life, other),
        }
    }

    fn take_cancellation(&mut self, at: At, question: QuestionId) {
        let life = at.life;
        let node = &mut self.nodes[life];
        let inbox = &mut node.links[at.link].inbox;
        if let Some(held) = inbox.iter_mut().find(|held| held.question == question) {
            let receiver = held.receiver.take();
            let references = std::mem::take(&mut held.references);
            receiver.into_iter().for_each(|receiver| node.let_go(receiver));
            return node.let_all_go(references);
        }
        let runs = |running: &Running| running.link == at.link && running.question == question;
        if let Some(position) = node.running.iter().position(runs) {
            if self.random.percent(70) {
                let running = self.nodes[life].running.swap_remove(position);
                self.answer(at, question, Status::Fault, Vec::new());
                self.nodes[life].let_go(running.receiver);
            }
            return;
        }
        let forwarded = [Manner::Ask, Manner::Tell].map(|manner| Waits::Peer {
            link: at.link,
            question,
            manner,
        });
        forwarded.into_iter().for_each(|waits| self.abandon(life, waits));
        let claimant = Claimant::Peer { link: at.link, question };
        let node = &mut self.nodes[life];
        node.early.retain(|early| early.claimant != claimant);
        let is_it = |asking: &mut Asking| (asking.link, asking.question) == (at.link, question);
        let asking: Vec<Asking> = node.asking.extract_if(.., is_it).collect();
        asking.into_iter().for_each(|asking| node.let_go(Receiver::Far(asking.proxy)));
        self.answer(at, question, Status::Fault, Vec::new());
    }

    fn take_end(&mut self, at: At, cause: &Cause) {
        assert!(!matches!(cause, Cause::Breach { .. }), "nobody here breaks a rule: {cause:?}");
        self.tally.ended += 1;
        if *cause == Cause::Expired {
            self.tally.expired += 1;
            self.assert_may_expire(at);
        }
        let node = &mut self.nodes[at.life];
        for delivery in std::mem::take(&mut node.links[at.link].inbox) {
            delivery.receiver.into_iter().for_each(|receiver| node.let_go(receiver));
            node.let_all_go(delivery.references);
        }
        node.early.retain(
            |early| !matches!(early.claimant, Claimant::Peer { link, .. } if link == at.link),
        );
        // Who was lost did not say that nobody waits any more: what it began goes on.
        if !matches!(cause, Cause::Expired | Cause::Lost { .. } | Cause::Restarted) {
            let is_its = |asking: &mut Asking| asking.link == at.link;
            let asking: Vec<Asking> = node.asking.extract_if(.., is_its).collect();
            asking.into_iter().for_each(|asking| node.let_go(Receiver::Far(asking.proxy)));
        }
    }

    /// No lease ends while both sides could hear each other all the time, nor over what waits to be read.
    fn assert_may_expire(&self, at: At) {
        let node = &self.nodes[at.life];
        let side = &node.links[at.link];
        let Some((peer, twin)) = side.twin else { return };
        let peer = &self.nodes[peer];
        if peer.links[twin].session.closed().is_some() {
            return; // It was the peer's that ended.
        }
        let has_just_woken = self.now < node.continued + side.session.term() / 25;
        // Who is stopped again while it reads has had some time for it, and no more.
        if let Some(end) = side.attached.filter(|_| side.is_sound && has_just_woken) {
            let waits = |(arrival, _): &(Duration, Item)| *arrival < self.now;
            let from = self.nodes[self.network.end(end.other()).life].place;
            let is_withheld = self.network.withholds(from, node.place);
            let is_unread = !is_withheld && self.network.end(end).pipe.iter().any(waits);
            assert!(!is_unread, "a lease ended over what waits unread, at {:?}", self.now);
        }
        let since = self.now.saturating_sub(side.session.term() * 8 / 5);
        let is_dead = peer.condition == Condition::Dead;
        assert!(
            is_dead || self.troubles.any_since(since, node.place, peer.place),
            "a lease ended without reason at {:?}: {} and {}",
            self.now,
            node.place,
            peer.place
        );
    }
}
