//! The handling of a session's events, modelled after `node/session/events.rs` and `node/session/inbound.rs`: references
//! are resolved at once and in order, calls are started later and in order.
//!
//! It must not know how messages are sent.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::world::check_body;
use super::agenda::{At, SimEvent};
use super::ledger::{Ended, Purpose};
use super::link::{Claimant, Delivery, Outbound, Running, TokenRequest, Waiter, Waits};
use super::network::Item;
use super::node::{Condition, Import, Receiver};
use super::world::World;
use crate::error::Outcome;
use crate::id::{CallToken, Identity, ObjectId, QuestionId};
use crate::session::event::{Cause, Event, IncomingCall};
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{Manner, Status, Target};

impl World {
    pub(super) fn handle(&mut self, at: At, event: Event) {
        let At { life, link } = at;
        match event {
            Event::Call(call) => self.take_call(at, call),
            Event::Answered { token, status, content } => {
                let (purpose, references) = self.receive_references(at, &content);
                match token {
                    Some(CallToken(token)) => {
                        self.take_answer(at, token, (status, purpose), references)
                    }
                    None => self.nodes[life].drop_holders(references),
                }
            }
            // While the session closes, it is handed over when the peer has received it.
            Event::HandedOver { token: CallToken(token) }
            | Event::Flushed { token: CallToken(token) } => self.note_one_way_sent(life, token),
            Event::Refused { token: CallToken(token) } => {
                self.tally.refused += 1;
                self.take_loss(life, token, Outcome::NotExecuted);
            }
            Event::Lost { token: CallToken(token), outcome } => {
                self.take_loss(life, token, outcome)
            }
            Event::Unexported { object } => {
                self.withdraw(at, object);
                self.nodes[life].hide(object);
            }
            Event::Cancelled { question } => self.take_cancellation(at, question),
            Event::Suspended { .. } => {
                self.nodes[life].links[link].is_sound = false;
                if let Some(end) = self.nodes[life].links[link].attached.take() {
                    self.close_end(end);
                }
                self.plan_redial(at);
            }
            Event::Resumed => self.nodes[life].links[link].is_sound = false,
            Event::Closed { cause, .. } => self.take_end(at, &cause),
            Event::PeerGone => self.end_methods(at),
            Event::PeerClosing => {}
            Event::Promised { .. }
            | Event::Finished { .. }
            | Event::Watch { .. }
            | Event::Unwatch { .. }
            | Event::WatchEnded { .. } => unreachable!("not used in the simulation"),
        }
    }

    /// Resolves the references of a message, each of which gets one more holder.
    fn receive_references(&mut self, at: At, content: &Content) -> (Purpose, Vec<Receiver>) {
        let number = check_body(&content.body);
        let Some((peer, _)) = self.nodes[at.life].links[at.link].twin else {
            unreachable!("a message from a session that the peer does not have")
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
                let exported = node
                    .table
                    .get(&object)
                    .expect("an object of this node in a message is exported");
                let receiver = exported.receiver;
                return node.add_holder(receiver);
            }
            Descriptor::Mine { object, .. } => (object, Identity { node: peer, object }, None),
            Descriptor::Forwarded { object, owner, token, .. } => (object, owner, token),
        };
        let import = Import { link: at.link, entry };
        let is_own = identity.node == node.id;
        let own = token.filter(|_| is_own);
        if let Some(object) = own.and_then(|token| node.gifts.recognize(token, peer)) {
            node.release(import);
            return node.add_holder(Receiver::Near(object));
        }
        let proxy = node.new_proxy(import, identity, truth, lineage);
        if identity.node != peer {
            self.start_shortening(at, proxy, token.filter(|_| !is_own));
        }
        Receiver::Far(proxy)
    }

    fn take_call(&mut self, at: At, call: IncomingCall) {
        let IncomingCall { question, target, header, content } = call;
        let (manner, nesting) = (header.manner, header.nesting);
        let size = content.body.len();
        let (purpose, references) = self.receive_references(at, &content);
        let node = &mut self.nodes[at.life];
        let receiver = match target {
            Some(Target::Object(ObjectId::DIRECTORY)) => Receiver::Directory,
            Some(Target::Object(object)) => {
                let exported =
                    node.table.get(&object).expect("an object that the peer may name is exported");
                exported.receiver
            }
            Some(Target::Answer(_)) | None => panic!("{purpose:?} has no target"),
        };
        let receiver = Some(node.add_holder(receiver));
        let delivery = Delivery { question, manner, nesting, receiver, references, purpose, size };
        node.links[at.link].inbox.push_back(delivery);
    }

    /// Starts the next call that has arrived.
    pub(super) fn begin(&mut self, at: At) {
        let side = &mut self.nodes[at.life].links[at.link];
        side.will_begin = false;
        if !side.session.has_room() {
            side.will_begin = true;
            let later = self.now + Duration::from_millis(1);
            return self.agenda.enter(later, SimEvent::StartCall(at));
        }
        let Some(delivery) = side.inbox.pop_front() else { return };
        self.nodes[at.life].mark_changed(at.link);
        let Delivery { question, manner, nesting, receiver, references, purpose, size } = delivery;
        let node = &mut self.nodes[at.life];
        let receiver = receiver.map(|receiver| {
            let itself = node.near_target(receiver);
            node.add_holder(itself);
            node.drop_holder(receiver);
            itself
        });
        match receiver {
            None => {
                node.drop_holders(references);
                self.answer(at, question, Status::Fault, Vec::new());
            }
            Some(Receiver::Directory) => self.ask_directory(at, question, purpose, references),
            Some(receiver @ Receiver::Near(object)) => {
                let Purpose::Call(call) = purpose else {
                    assert_eq!(purpose, Purpose::Settle);
                    node.drop_holder(receiver);
                    return self.answer(at, question, Status::Value, Vec::new());
                };
                let reached = Identity { node: node.id, object };
                if self.is_verbose {
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
                let manner = if manner == Manner::OneWay { Manner::Call } else { manner };
                let outbound = Outbound { purpose, manner, nesting, references, size, waits };
                self.send_to(at.life, proxy, outbound);
                self.nodes[at.life].drop_holder(receiver);
            }
        }
    }

    /// Ends a call: its method returns.
    pub(super) fn finish(&mut self, life: usize, running: Running, references: Vec<Receiver>) {
        let Running { link, question, manner, receiver } = running;
        let mut references = references;
        if manner == Manner::OneWay {
            self.nodes[life].drop_holders(std::mem::take(&mut references));
        }
        self.answer(At { life, link }, question, Status::Value, references);
        self.nodes[life].drop_holder(receiver);
    }

    /// Lets the application keep the references that it has got, or some of them.
    pub(super) fn keep(&mut self, life: usize, references: Vec<Receiver>) {
        for receiver in references {
            let keeps = self.random.percent(self.settings.keeps);
            let node = &mut self.nodes[life];
            match receiver {
                Receiver::Far(proxy) if keeps => node.held.push(proxy),
                Receiver::Near(object) if keeps => node.roots.push(object),
                receiver => node.drop_holder(receiver),
            }
        }
    }

    /// Calls a near object to which a proxy has resolved. It answers at once.
    pub(super) fn start_near(&mut self, life: usize, object: ObjectId, outbound: Outbound) {
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
            other => unreachable!("{other:?} is never sent to a proxy"),
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
            // The caller has cancelled since the answer arrived.
            return self.nodes[life].drop_holders(references);
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
                if manner == Manner::OneWay {
                    self.nodes[life].drop_holders(std::mem::take(&mut references));
                }
                self.answer(At { life, link }, question, status, references);
            }
            Waits::Lookup => self.keep(life, references),
            Waits::Vouch(_) | Waits::Withdraw(_) => unreachable!("a one-way message has no answer"),
            Waits::Introduction { proxy, giver } => {
                self.end_token_request(At { life, link: giver });
                match purpose {
                    Purpose::Introduced(token) => self.claim(life, proxy, token),
                    _ => self.keep_forwarded(life, proxy),
                }
            }
            Waits::Address { proxy, .. } if status == Status::Fault => {
                self.keep_forwarded(life, proxy)
            }
            Waits::Address { proxy, token } => self.reach_owner(life, proxy, token),
            Waits::Claim { proxy, .. } => match references.first() {
                Some(claimed) => self.shorten(life, proxy, *claimed),
                None => self.keep_forwarded(life, proxy),
            },
            Waits::Settle(proxy) => {
                if status == Status::Fault {
                    // A node keeps the forwarded path if there was no room to settle it. The order is kept in both cases.
                    self.ledger.break_order();
                }
                self.use_direct_path(life, proxy);
            }
        }
    }

    fn note_one_way_sent(&mut self, life: usize, token: usize) {
        let waiter =
            self.nodes[life].waiters.remove(&token).expect("a one-way message has a waiter");
        match waiter.waits {
            Waits::Caller(call) => {
                self.nodes[life].open.retain(|open| *open != call);
                self.ledger.end(call, Ended::HandedOver);
            }
            Waits::Vouch(_) | Waits::Withdraw(_) => {}
            other => panic!("{other:?} was sent one-way"),
        }
    }

    fn take_loss(&mut self, life: usize, token: usize, outcome: Outcome) {
        let Some(waiter) = self.nodes[life].waiters.remove(&token) else {
            return; // The caller has cancelled in the same batch; of a forwarded call, the peer has.
        };
        if outcome == Outcome::NotExecuted {
            self.ledger.withdraw(waiter.message);
        }
        match waiter.waits {
            Waits::Caller(call) => {
                self.nodes[life].open.retain(|open| *open != call);
                self.ledger.end(call, Ended::Lost(outcome));
            }
            other => self.fail_waiter(life, other),
        }
    }

    fn take_cancellation(&mut self, at: At, question: QuestionId) {
        let life = at.life;
        let node = &mut self.nodes[life];
        let inbox = &mut node.links[at.link].inbox;
        if let Some(held) = inbox.iter_mut().find(|held| held.question == question) {
            let receiver = held.receiver.take();
            let references = std::mem::take(&mut held.references);
            receiver.into_iter().for_each(|receiver| node.drop_holder(receiver));
            return node.drop_holders(references);
        }
        let runs = |running: &Running| running.link == at.link && running.question == question;
        if let Some(position) = node.running.iter().position(runs) {
            if self.random.percent(70) {
                let running = self.nodes[life].running.swap_remove(position);
                self.answer(at, question, Status::Fault, Vec::new());
                self.nodes[life].drop_holder(running.receiver);
            }
            return;
        }
        let forwarded = [Manner::Call, Manner::OneWay].map(|manner| Waits::Peer {
            link: at.link,
            question,
            manner,
        });
        forwarded.into_iter().for_each(|waits| self.abandon(life, waits));
        let claimant = Claimant::Peer { link: at.link, question };
        let node = &mut self.nodes[life];
        node.early_claims.retain(|early_claims| early_claims.claimant != claimant);
        let is_it = |token_requests: &mut TokenRequest| {
            (token_requests.link, token_requests.question) == (at.link, question)
        };
        let token_requests: Vec<TokenRequest> = node.token_requests.extract_if(.., is_it).collect();
        token_requests
            .into_iter()
            .for_each(|token_requests| node.drop_holder(Receiver::Far(token_requests.proxy)));
        self.answer(at, question, Status::Fault, Vec::new());
    }

    fn take_end(&mut self, at: At, cause: &Cause) {
        assert!(!matches!(cause, Cause::Breach { .. }), "a breach: {cause:?}");
        self.tally.ended += 1;
        if *cause == Cause::Expired {
            self.tally.expired += 1;
            self.assert_may_expire(at);
        }
        let node = &mut self.nodes[at.life];
        node.links[at.link].vouched.clear();
        let is_executed = |delivery: &Delivery| {
            delivery.manner == Manner::OneWay && !matches!(cause, Cause::ClosedHere { .. })
        };
        let inbox = std::mem::take(&mut node.links[at.link].inbox);
        let (executed, given_up): (VecDeque<_>, VecDeque<_>) =
            inbox.into_iter().partition(is_executed);
        node.links[at.link].inbox = executed;
        for delivery in given_up {
            delivery.receiver.into_iter().for_each(|receiver| node.drop_holder(receiver));
            node.drop_holders(delivery.references);
        }
        node.early_claims.retain(
            |early_claims| !matches!(early_claims.claimant, Claimant::Peer { link, .. } if link == at.link),
        );
    }

    /// Ends the methods whose caller is gone, except for one-way messages.
    fn end_methods(&mut self, at: At) {
        let node = &mut self.nodes[at.life];
        let is_its = |request: &mut TokenRequest| request.link == at.link;
        let requests: Vec<TokenRequest> = node.token_requests.extract_if(.., is_its).collect();
        for request in requests {
            node.drop_holder(Receiver::Far(request.proxy));
        }
        let is_awaited =
            |running: &mut Running| running.link == at.link && running.manner != Manner::OneWay;
        let awaited: Vec<Running> = node.running.extract_if(.., is_awaited).collect();
        for running in awaited {
            node.drop_holder(running.receiver);
        }
    }

    /// Asserts that a lease expires only if the two sides could not reach each other, and not while input waits to be read.
    fn assert_may_expire(&self, at: At) {
        let node = &self.nodes[at.life];
        let side = &node.links[at.link];
        let Some((peer, twin)) = side.twin else { return };
        let peer = &self.nodes[peer];
        if peer.links[twin].session.closed().is_some() {
            return; // The peer's lease expired.
        }
        let has_just_woken = self.now < node.continued + side.session.term() / 25;
        // A node that is stopped again in the grace period gets no second one.
        if let Some(end) = side.attached.filter(|_| side.is_sound && has_just_woken) {
            let waits = |(arrival, _): &(Duration, Item)| *arrival < self.now;
            let from = self.nodes[self.network.end(end.other()).life].place;
            let is_withheld = self.network.withholds(from, node.place);
            let is_unread = !is_withheld && self.network.end(end).pipe.iter().any(waits);
            assert!(!is_unread, "a lease expired while input waited, at {:?}", self.now);
        }
        let since = self.now.saturating_sub(side.session.term() * 8 / 5);
        let is_dead = peer.condition == Condition::Dead;
        assert!(
            is_dead || self.outages.any_since(since, node.place, peer.place),
            "a lease expired without cause at {:?}: {} and {}",
            self.now,
            node.place,
            peer.place
        );
    }
}
