//! Owns how a reference to a third node's object becomes a direct one, as `node/handoff.rs` and `object/introduced.rs` have
//! it: vouched for, claimed, and the way shortened in order. And what a directory answers.
//!
//! It must not decide who hands what to whom.

use std::time::Duration;

use super::agenda::{At, Happening};
use super::ledger::Purpose;
use super::link::{Early, Outbound, Waits};
use super::node::Receiver;
use super::sending::DIRECTORY;
use super::world::World;
use crate::id::{QuestionId, Token};
use crate::session::gifts::Claimed;
use crate::wire::frame::{Manner, Status, Target};

/// How long the owner is asked, before the way stays as it is; and how long a claim waits for its gift.
const PATIENCE: Duration = Duration::from_secs(10);
const SHORT_PATIENCE: Duration = Duration::from_secs(5);

impl World {
    /// Tells the owner of an object, before the message that hands it on is sent, for whom it is.
    pub(super) fn vouch(&mut self, at: At, number: usize) -> Option<Token> {
        let node = &self.nodes[at.life];
        let proxy = &node.proxies[&number];
        let link = node.find(proxy.identity.node)?;
        let is_given_by_owner = proxy.way.link == link && proxy.next.is_none();
        if !is_given_by_owner || !self.random.percent(self.settings.hand_on) {
            return None;
        }
        let recipient = self.nodes[at.life].links[at.link].peer;
        let mut token = [0; 16];
        token[..8].copy_from_slice(&self.fresh().to_le_bytes());
        let token = Token::from_bytes(token);
        let references = vec![self.nodes[at.life].hold(Receiver::Far(number))];
        let (purpose, waits) = (Purpose::Vouch { token, recipient }, Waits::Vouch(token));
        let manner = Manner::Tell;
        let outbound = Outbound { purpose, manner, nesting: 0, references, size: 0, waits };
        let owner = At { life: at.life, link };
        self.send(owner, DIRECTORY, outbound);
        // If there is no room for it now, this side goes on forwarding.
        let is_handed_over = self.is_handed_over(owner, waits);
        if is_handed_over == Some(false) {
            self.abandon(at.life, waits);
        }
        is_handed_over.filter(|is_so| *is_so).map(|_| token)
    }

    /// Whether a message without answer is on its way; nothing if it was refused.
    fn is_handed_over(&mut self, at: At, waits: Waits) -> Option<bool> {
        let node = &mut self.nodes[at.life];
        let waiter = node.waiters.values().find(|waiter| waiter.waits == waits)?;
        let question = node.links[at.link].session.questions.get_mut(waiter.question);
        Some(question.is_none_or(|question| question.token.is_none()))
    }

    /// A node asks the owner for what was meant for it, or first who handed it on where the owner is.
    pub(super) fn claim(&mut self, life: usize, number: usize) {
        let proxy = &self.nodes[life].proxies[&number];
        let (owner, giver) = (proxy.identity.node, proxy.way.link);
        let patience = self.after(life, PATIENCE);
        self.agenda.enter(patience, Happening::Stay { life, proxy: number });
        match self.nodes[life].find(owner) {
            Some(link) => self.fulfil(At { life, link }, Waits::Claim(number)),
            None => {
                let (purpose, waits) = (Purpose::Address(owner), Waits::Address(number));
                self.ask_directory_of(At { life, link: giver }, purpose, waits);
            }
        }
    }

    /// It is known where the owner is.
    pub(super) fn reach_owner(&mut self, life: usize, number: usize) {
        let Some(proxy) = self.nodes[life].proxies.get(&number) else { return };
        let owner = proxy.identity.node;
        let place = self.nodes.iter().find(|node| node.id == owner).map(|node| node.place);
        let Some(place) = place else { unreachable!("every owner has a place") };
        self.wish(life, place, None, Waits::Claim(number));
    }

    /// The session that was wished for is there.
    pub(super) fn fulfil(&mut self, at: At, waits: Waits) {
        let purpose = match waits {
            Waits::Lookup => Purpose::Lookup,
            Waits::Claim(number) => {
                let node = &self.nodes[at.life];
                let Some(proxy) = node.proxies.get(&number) else { return };
                let Some(token) = proxy.token else { return };
                if proxy.identity.node != node.links[at.link].peer {
                    return self.stay(at.life, number);
                }
                Purpose::Claim(token)
            }
            other => unreachable!("nobody wishes for a session for {other:?}"),
        };
        self.ask_directory_of(at, purpose, waits);
    }

    fn ask_directory_of(&mut self, at: At, purpose: Purpose, waits: Waits) {
        let (manner, references) = (Manner::Ask, Vec::new());
        let outbound = Outbound { purpose, manner, nesting: 0, references, size: 0, waits };
        self.send(at, DIRECTORY, outbound);
    }

    /// A message to the directory begins.
    pub(super) fn ask_directory(
        &mut self,
        at: At,
        question: QuestionId,
        purpose: Purpose,
        references: Vec<Receiver>,
    ) {
        let local = self.local(at.life);
        let node = &mut self.nodes[at.life];
        match purpose {
            Purpose::Lookup => match node.published {
                Some(object) => {
                    let published = vec![node.hold(Receiver::Near(object))];
                    self.answer(at, question, Status::Value, published);
                }
                None => self.answer(at, question, Status::Fault, Vec::new()),
            },
            Purpose::Address(peer) => {
                let is_known = node.find(peer).is_some();
                let status = if is_known { Status::Value } else { Status::Fault };
                self.answer(at, question, status, Vec::new());
            }
            Purpose::Vouch { token, recipient } => {
                let [Receiver::Near(object)] = references[..] else {
                    // It is not this node's to give: it has it from others itself.
                    self.nodes[at.life].let_all_go(references);
                    return self.answer(at, question, Status::Fault, Vec::new());
                };
                // The gift is what holds it now.
                let gift = node.gifts.vouch(local, node.lease, token, recipient, object);
                gift.expect("there is room");
                self.answer(at, question, Status::Value, Vec::new());
                let is_for = |early: &mut Early| early.token == token;
                let early: Vec<Early> = self.nodes[at.life].early.extract_if(.., is_for).collect();
                for Early { link, question, .. } in early {
                    self.give_claimed(At { life: at.life, link }, question, token);
                }
                self.arrange_gifts(at.life);
            }
            Purpose::Claim(token) => self.give_claimed(at, question, token),
            other => unreachable!("a directory is not asked {other:?}"),
        }
    }

    fn give_claimed(&mut self, at: At, question: QuestionId, token: Token) {
        let local = self.local(at.life);
        let node = &mut self.nodes[at.life];
        let claimant = node.links[at.link].peer;
        match node.gifts.claim(local, token, claimant) {
            Claimed::Given(object) => {
                self.answer(at, question, Status::Value, vec![Receiver::Near(object)]);
            }
            Claimed::Unknown => {
                let until = local + SHORT_PATIENCE.min(node.lease / 3);
                node.early.push(Early { token, link: at.link, question, until });
                self.arrange_gifts(at.life);
            }
            Claimed::Refused => self.answer(at, question, Status::Fault, Vec::new()),
        }
    }

    /// Gifts and claims that have waited long enough are over.
    pub(super) fn time_gifts_out(&mut self, life: usize) {
        let local = self.local(life);
        let node = &mut self.nodes[life];
        let mut over = node.gifts.time_out(local);
        over.sort();
        over.into_iter().for_each(|object| node.let_go(Receiver::Near(object)));
        let is_over = |early: &mut Early| early.until <= local;
        let early: Vec<Early> = node.early.extract_if(.., is_over).collect();
        for Early { link, question, .. } in early {
            self.answer(At { life, link }, question, Status::Fault, Vec::new());
        }
        let next = self.nodes[life].gifts.poll_timeout();
        assert!(next.is_none_or(|next| next > local), "what is due was seen to");
        self.arrange_gifts(life);
    }

    fn arrange_gifts(&mut self, life: usize) {
        let node = &self.nodes[life];
        let early = node.early.iter().map(|early| early.until).min();
        for next in [node.gifts.poll_timeout(), early].into_iter().flatten() {
            self.agenda.enter(node.clock.moment(next), Happening::Gifts { life });
        }
    }

    pub(super) fn lose_patience(&mut self, life: usize, number: usize) {
        for waits in [Waits::Address(number), Waits::Claim(number)] {
            self.abandon(life, waits);
            self.nodes[life].wishes.retain(|wish| wish.waits != waits);
        }
        let proxy = self.nodes[life].proxies.get(&number);
        if proxy.is_some_and(|proxy| proxy.next.is_none()) {
            self.stay(life, number);
        }
    }

    /// The owner does not give it: the long way stays.
    pub(super) fn stay(&mut self, life: usize, number: usize) {
        if let Some(proxy) = self.nodes[life].proxies.get_mut(&number) {
            proxy.token = None;
        }
    }

    /// The owner has given it. What was sent the long way is let through first.
    pub(super) fn shorten(&mut self, life: usize, number: usize, given: Receiver) {
        let node = &mut self.nodes[life];
        let Some(proxy) = node.proxies.get(&number) else {
            return node.let_go(given); // It was dropped meanwhile.
        };
        let way = proxy.way;
        let Receiver::Far(direct) = given else { panic!("a gift of one's own was claimed") };
        assert_eq!(node.truth(given), proxy.truth, "another object was given");
        let next = node.take_way(direct);
        node.proxies.get_mut(&number).expect("it is there").next = Some(next);
        if node.is_over(way.link) {
            self.ledger.break_order();
            return self.go_direct(life, number);
        }
        let (purpose, waits) = (Purpose::Settle, Waits::Settle(number));
        let (manner, references) = (Manner::Ask, Vec::new());
        let outbound = Outbound { purpose, manner, nesting: 0, references, size: 0, waits };
        self.send(At { life, link: way.link }, Target::Object(way.entry), outbound);
    }

    /// Everything that was sent the long way has begun, or never will: from now on it is the short one.
    pub(super) fn go_direct(&mut self, life: usize, number: usize) {
        let node = &mut self.nodes[life];
        let Some(proxy) = node.proxies.get_mut(&number) else { return };
        let Some(next) = proxy.next.take() else { return };
        proxy.token = None;
        let former = std::mem::replace(&mut proxy.way, next);
        node.release(former);
        self.tally.shortened += 1;
        self.send_queue(life, number);
    }
}
