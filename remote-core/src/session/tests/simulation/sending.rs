//! Sending: references become descriptors, as in `node/session/export.rs`, and calls and answers are sent.
//!
//! It must not know the replies.

use super::super::super::questions::Progress;
use super::super::pair::header;
use super::super::world::body;
use super::agenda::At;
use super::ledger::{Ended, Fate, Message, Purpose};
use super::link::{Outbound, Waiter, Waits};
use super::node::{Path, Proxy, Receiver};
use super::world::World;
use crate::error::{Error, Outcome};
use crate::id::{CallToken, NameId, ObjectId, QuestionId};
use crate::session::OutgoingCall;
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{Manner, Status, Target};

/// The target of calls to the directory.
pub(super) const DIRECTORY: Target = Target::Object(ObjectId::DIRECTORY);

impl World {
    /// Sends a message to the target of a proxy, or queues it until the path is direct.
    pub(super) fn send_to(&mut self, life: usize, number: usize, outbound: Outbound) {
        let node = &mut self.nodes[life];
        let proxy = node.proxies.get_mut(&number).expect("the sender holds it");
        if proxy.next.is_some() {
            proxy.queue.push_back(outbound);
            node.add_holder(Receiver::Far(number));
            return;
        }
        match proxy.path {
            Path::Forwarded(import) => {
                let target = Target::Object(import.entry);
                self.send(At { life, link: import.link }, target, outbound);
            }
            Path::Near(object) => self.start_near(life, object, outbound),
        }
    }

    /// Sends a message. If that fails, notifies the waiter.
    pub(super) fn send(&mut self, at: At, target: Target, outbound: Outbound) {
        let Outbound { purpose, manner, nesting, references, size, waits } = outbound;
        let local = self.local(at.life);
        let exported = if nesting < self.settings.limits.nesting {
            self.export(at, &references)
        } else {
            Err(Error::Quota("calls go back and forth too deep".into()))
        };
        let sent = exported.and_then(|descriptors| {
            let truths =
                references.iter().map(|reference| self.nodes[at.life].truth(*reference)).collect();
            let fate = Fate::Underway;
            let message = Message { purpose, from: at.life, truths, fate };
            let message = self.ledger.send(message);
            if self.is_verbose {
                eprintln!("{:?}   {at:?} sends {message}: {purpose:?} to {target:?}", self.now);
            }
            let node = &mut self.nodes[at.life];
            node.next_token += 1;
            let token = node.next_token;
            let content = Content { body: body(message, size), references: descriptors.clone() };
            let header = header(manner, nesting + 1);
            let ask = OutgoingCall { token: CallToken(token), target, header, content };
            let side = &mut node.links[at.link];
            match side.session.ask(Some(local), ask) {
                Ok(question) => {
                    let waiter = Waiter { link: at.link, question, message, waits };
                    node.waiters.insert(token, waiter);
                    Ok(())
                }
                Err(error) => {
                    self.ledger.withdraw(message);
                    self.retract(at, &descriptors);
                    Err(error)
                }
            }
        });
        self.nodes[at.life].drop_holders(references);
        self.nodes[at.life].mark_changed(at.link);
        if let Err(error) = sent {
            self.tally.refused += u64::from(matches!(error, Error::Quota(_)));
            self.fail_waiter(at.life, waits);
        }
    }

    /// Notifies a waiter that its message was not sent.
    pub(super) fn fail_waiter(&mut self, life: usize, waits: Waits) {
        match waits {
            Waits::Caller(call) => {
                self.nodes[life].open.retain(|open| *open != call);
                self.ledger.end(call, Ended::Lost(Outcome::NotExecuted));
            }
            Waits::Peer { link, question, .. } => {
                self.answer(At { life, link }, question, Status::Fault, Vec::new());
            }
            Waits::Lookup | Waits::Vouch(_) | Waits::Withdraw(_) => {}
            Waits::Introduction { proxy, giver } => {
                self.end_token_request(At { life, link: giver });
                self.keep_forwarded(life, proxy);
            }
            Waits::Address { proxy, .. } | Waits::Claim { proxy, .. } => {
                self.keep_forwarded(life, proxy)
            }
            Waits::Settle(proxy) => {
                self.ledger.break_order();
                self.use_direct_path(life, proxy);
            }
        }
    }

    /// Answers a call. Drops the references of the answer.
    pub(super) fn answer(
        &mut self,
        at: At,
        question: QuestionId,
        status: Status,
        references: Vec<Receiver>,
    ) {
        self.answer_with(at, question, status, Purpose::Answer, references);
    }

    /// Answers a call to a directory.
    pub(super) fn answer_with(
        &mut self,
        at: At,
        question: QuestionId,
        status: Status,
        purpose: Purpose,
        references: Vec<Receiver>,
    ) {
        if !self.nodes[at.life].is_over(at.link) {
            let (status, descriptors) = match self.export(at, &references) {
                Ok(descriptors) => (status, descriptors),
                Err(_) => {
                    self.tally.refused += 1;
                    (Status::Fault, Vec::new())
                }
            };
            let node = &mut self.nodes[at.life];
            let truths = match descriptors.len() {
                0 => Vec::new(),
                _ => references.iter().map(|reference| node.truth(*reference)).collect(),
            };
            let message = Message { purpose, from: at.life, truths, fate: Fate::Underway };
            let content =
                Content { body: body(self.ledger.send(message), 0), references: descriptors };
            node.links[at.link].session.answer(question, status, content);
            node.mark_changed(at.link);
        }
        self.nodes[at.life].drop_holders(references);
    }

    /// Exports references: all of them or none.
    fn export(&mut self, at: At, references: &[Receiver]) -> Result<Vec<Descriptor>, Error> {
        let mut descriptors = Vec::new();
        for reference in references {
            let reference = self.nodes[at.life].near_target(*reference);
            let (object, descriptor) = match self.translate(at, reference) {
                Descriptor::Yours { object, interface } => {
                    descriptors.push(Descriptor::Yours { object, interface });
                    continue;
                }
                descriptor @ (Descriptor::Mine { object, .. }
                | Descriptor::Forwarded { object, .. }) => (object, descriptor),
            };
            let node = &mut self.nodes[at.life];
            node.show(object, reference);
            if node.links[at.link].session.closed().is_some() {
                node.hide(object);
                continue;
            }
            match node.links[at.link].session.introduce(object) {
                Ok(presence) => {
                    descriptors.push(descriptor);
                    if presence.is_known() {
                        node.hide(object);
                    }
                }
                Err(error) => {
                    node.hide(object);
                    self.retract(at, &descriptors);
                    return Err(error);
                }
            }
            if let Descriptor::Forwarded { owner, token: Some(token), .. } = descriptor
                && owner.node != node.links[at.link].peer
            {
                node.links[at.link].note_vouched(object, owner.node, token);
            }
        }
        Ok(descriptors)
    }

    fn retract(&mut self, at: At, descriptors: &[Descriptor]) {
        let node = &mut self.nodes[at.life];
        for descriptor in descriptors {
            if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } =
                *descriptor
            {
                node.links[at.link].session.retract(object);
            }
        }
        node.mark_changed(at.link);
    }

    fn translate(&mut self, at: At, reference: Receiver) -> Descriptor {
        let interface = NameId::NONE;
        let node = &mut self.nodes[at.life];
        match reference {
            Receiver::Directory => unreachable!("a directory is never passed on"),
            Receiver::Near(object) => Descriptor::Mine { object, interface },
            Receiver::Far(number) => {
                let proxy = &node.proxies[&number];
                if let Some(import) = proxy.import().filter(|import| import.link == at.link) {
                    return Descriptor::Yours { object: import.entry, interface };
                }
                let (owner, own) = (proxy.identity, proxy.token);
                let is_home = owner.node == node.links[at.link].peer;
                // Its owner recognises it by the token by which this node will claim it.
                let may_vouch = !is_home && self.random.percent(self.settings.hand_on);
                let token =
                    if may_vouch { self.vouch(at, number) } else { own.filter(|_| is_home) };
                let object = self.nodes[at.life].forwarded_as(number);
                Descriptor::Forwarded { object, owner, interface, token }
            }
        }
    }

    /// Sends the calls that waited for the direct path.
    pub(super) fn send_queue(&mut self, life: usize, number: usize) {
        let proxy = self.nodes[life].proxies.get_mut(&number).expect("it is held by what waits");
        for outbound in std::mem::take(&mut proxy.queue) {
            self.send_to(life, number, outbound);
            self.nodes[life].drop_holder(Receiver::Far(number));
        }
    }

    /// Cancels a call.
    pub(super) fn cancel(&mut self, life: usize, call: usize) {
        self.nodes[life].open.retain(|open| *open != call);
        self.ledger.end(call, Ended::GivenUp);
        self.abandon(life, Waits::Caller(call));
    }

    /// Notes that a waiter no longer needs its answer.
    pub(super) fn abandon(&mut self, life: usize, waits: Waits) {
        let node = &mut self.nodes[life];
        if let Some((token, _)) = node.waiters.iter().find(|(_, waiter)| waiter.waits == waits) {
            let token = *token;
            let Some(waiter) = node.waiters.remove(&token) else { return };
            let session = &mut node.links[waiter.link].session;
            let is_unsent = session.questions.get_mut(waiter.question).is_some_and(|question| {
                matches!(question.progress, Progress::Waiting | Progress::Admitted)
            });
            session.cancel(waiter.question);
            node.mark_changed(waiter.link);
            if is_unsent {
                self.ledger.withdraw(waiter.message);
            }
            return;
        }
        let queues =
            |proxy: &Proxy| proxy.queue.iter().position(|outbound| outbound.waits == waits);
        let queued =
            node.proxies.iter().find_map(|(number, proxy)| Some((*number, queues(proxy)?)));
        let Some((number, at)) = queued else { return };
        let queue = &mut node.proxies.get_mut(&number).expect("it was found").queue;
        if let Some(outbound) = queue.remove(at) {
            node.drop_holders(outbound.references);
            node.drop_holder(Receiver::Far(number));
        }
    }

    /// Lets an application call a target that it holds.
    pub(super) fn call(
        &mut self,
        life: usize,
        proxy: usize,
        manner: Manner,
        references: Vec<Receiver>,
        size: usize,
    ) -> usize {
        let (lineage, truth) = {
            let proxy = &self.nodes[life].proxies[&proxy];
            (proxy.lineage, proxy.truth)
        };
        let call = self.ledger.call(lineage, truth);
        self.tally.calls += 1;
        self.nodes[life].open.push(call);
        let (purpose, waits) = (Purpose::Call(call), Waits::Caller(call));
        let outbound = Outbound { purpose, manner, nesting: 0, references, size, waits };
        self.send_to(life, proxy, outbound);
        call
    }
}
