//! Owns how a reference to a third node's object becomes a direct one, as `node/handoff.rs` and `object/shortening.rs` have
//! it: vouched for, claimed, and the way shortened in order. And what a directory answers.
//!
//! It must not decide who hands what to whom.

use std::time::Duration;

use super::agenda::{At, Happening};
use super::ledger::Purpose;
use super::link::{Asking, Claimant, Early, Outbound, Waits};
use super::node::{Receiver, Way};
use super::sending::DIRECTORY;
use super::world::World;
use crate::id::{QuestionId, Token};
use crate::node::gifts::table::Claimed;
use crate::wire::frame::{Manner, Status, Target};

/// How long the owner is asked, before the way stays as it is; and how long a claim waits for its gift.
const PATIENCE: Duration = Duration::from_secs(10);
const SHORT_PATIENCE: Duration = Duration::from_secs(5);
/// So many tokens one node is asked for at once.
const ASKED: u64 = 8;

impl World {
    /// Tells the owner of an object, before the message that hands it on is sent, for whom it is.
    pub(super) fn vouch(&mut self, at: At, number: usize) -> Option<Token> {
        let node = &self.nodes[at.life];
        let proxy = &node.proxies[&number];
        let link = node.find(proxy.identity.node)?;
        // Only who was given it by its owner can vouch for it.
        proxy.import().filter(|import| import.link == link)?;
        let recipient = self.nodes[at.life].links[at.link].peer;
        let token = self.fresh_token();
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

    fn fresh_token(&mut self) -> Token {
        let mut token = [0; 16];
        token[..8].copy_from_slice(&self.fresh().to_le_bytes());
        Token::from_bytes(token)
    }

    /// Whether a message without answer is on its way; nothing if it was refused.
    fn is_handed_over(&mut self, at: At, waits: Waits) -> Option<bool> {
        let node = &mut self.nodes[at.life];
        let waiter = node.waiters.values().find(|waiter| waiter.waits == waits)?;
        let question = node.links[at.link].session.questions.get_mut(waiter.question);
        Some(question.is_none_or(|question| question.token.is_none()))
    }

    /// A node looks for a shorter way to what another introduced to it: by the token that came with it, or by one for
    /// which it asks the other, when that has few others to answer.
    pub(super) fn seek(&mut self, at: At, number: usize, token: Option<Token>) {
        let node = &mut self.nodes[at.life];
        let proxy = node.proxies.get_mut(&number).expect("it is new");
        (proxy.is_open, proxy.token) = (true, token);
        match token {
            Some(token) => {
                self.be_patient(at.life, number);
                self.claim(at.life, number, token);
            }
            None => {
                node.links[at.link].to_ask.push_back(number);
                self.ask_next(at);
            }
        }
    }

    fn be_patient(&mut self, life: usize, number: usize) {
        let patience = self.after(life, PATIENCE);
        self.agenda.enter(patience, Happening::Stay { life, proxy: number });
    }

    /// A node that handed something on before it had it directly is asked for a token.
    fn ask_next(&mut self, at: At) {
        let granted = self.nodes[at.life].links[at.link].session.most_calls();
        while self.nodes[at.life].links[at.link].asked < ASKED.min(granted / 2).max(1) {
            let node = &mut self.nodes[at.life];
            let Some(number) = node.links[at.link].to_ask.pop_front() else { return };
            if !node.proxies.contains_key(&number) {
                continue; // It was dropped meanwhile.
            }
            node.links[at.link].asked += 1;
            let references = vec![node.hold(Receiver::Far(number))];
            self.be_patient(at.life, number);
            let waits = Waits::Introduction { proxy: number, giver: at.link };
            self.ask_directory_of(at, Purpose::Introduction, waits, references);
        }
    }

    /// One of those who ask a node for a token has its answer, or waits no longer.
    pub(super) fn be_told(&mut self, at: At) {
        self.nodes[at.life].links[at.link].asked -= 1;
        self.ask_next(at);
    }

    /// A node asks the owner for what was meant for it, or first who handed it on where the owner is.
    pub(super) fn claim(&mut self, life: usize, number: usize, token: Token) {
        let node = &self.nodes[life];
        let Some(proxy) = node.proxies.get(&number) else { return };
        let owner = proxy.identity.node;
        if owner == node.id {
            return self.give_claimed(life, Claimant::Own { proxy: number }, token);
        }
        match node.find(owner) {
            Some(link) => self.fulfil(At { life, link }, Waits::Claim { proxy: number, token }),
            None => {
                let giver = proxy.import().expect("who introduced it is the way").link;
                let (purpose, waits) =
                    (Purpose::Address(owner), Waits::Address { proxy: number, token });
                self.ask_directory_of(At { life, link: giver }, purpose, waits, Vec::new());
            }
        }
    }

    /// It is known where the owner is.
    pub(super) fn reach_owner(&mut self, life: usize, number: usize, token: Token) {
        let Some(proxy) = self.nodes[life].proxies.get(&number) else { return };
        let owner = proxy.identity.node;
        let place = self.nodes.iter().find(|node| node.id == owner).map(|node| node.place);
        let Some(place) = place else { unreachable!("every owner has a place") };
        self.wish(life, place, None, Waits::Claim { proxy: number, token });
    }

    /// The session that was wished for is there.
    pub(super) fn fulfil(&mut self, at: At, waits: Waits) {
        let purpose = match waits {
            Waits::Lookup => Purpose::Lookup,
            Waits::Claim { proxy: number, token } => {
                let node = &self.nodes[at.life];
                let Some(proxy) = node.proxies.get(&number) else { return };
                if proxy.identity.node != node.links[at.link].peer {
                    return self.stay(at.life, number);
                }
                Purpose::Claim(token)
            }
            other => unreachable!("nobody wishes for a session for {other:?}"),
        };
        self.ask_directory_of(at, purpose, waits, Vec::new());
    }

    fn ask_directory_of(
        &mut self,
        at: At,
        purpose: Purpose,
        waits: Waits,
        references: Vec<Receiver>,
    ) {
        let manner = Manner::Ask;
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
                for Early { claimant, .. } in early {
                    self.give_claimed(at.life, claimant, token);
                }
                self.arrange_gifts(at.life);
            }
            Purpose::Introduction => {
                let [receiver] = references[..] else { panic!("one object is asked for") };
                match receiver {
                    Receiver::Far(proxy) if node.proxies[&proxy].is_open => {
                        node.asking.push(Asking { link: at.link, question, proxy });
                    }
                    receiver => self.introduce_late(at, question, receiver),
                }
            }
            Purpose::Claim(token) => {
                let claimant = Claimant::Peer { link: at.link, question };
                self.give_claimed(at.life, claimant, token);
            }
            other => unreachable!("a directory is not asked {other:?}"),
        }
    }

    /// Who asked for a token for what it was handed gets one, if this node can vouch for it now.
    fn introduce_late(&mut self, at: At, question: QuestionId, receiver: Receiver) {
        let token = match self.nodes[at.life].at_home(receiver) {
            Receiver::Far(number) if self.random.percent(self.settings.introduce) => {
                self.vouch(at, number)
            }
            Receiver::Far(_) => None,
            // Who has something of this node's own was told whose it is, and does not ask.
            other => unreachable!("{other:?} is asked for"),
        };
        let (status, purpose) = match token {
            Some(token) => (Status::Value, Purpose::Introduced(token)),
            None => (Status::Fault, Purpose::Answer),
        };
        self.answer_with(at, question, status, purpose, Vec::new());
        self.nodes[at.life].let_go(receiver);
    }

    fn give_claimed(&mut self, life: usize, claimant: Claimant, token: Token) {
        let local = self.local(life);
        let node = &mut self.nodes[life];
        let id = match claimant {
            Claimant::Peer { link, .. } => node.links[link].peer,
            Claimant::Own { .. } => node.id,
        };
        match (node.gifts.claim(local, token, id), claimant) {
            (Claimed::Given(object), Claimant::Peer { link, question }) => {
                let given = vec![Receiver::Near(object)];
                self.answer(At { life, link }, question, Status::Value, given);
            }
            (Claimed::Given(object), Claimant::Own { proxy }) => {
                self.shorten(life, proxy, Receiver::Near(object));
            }
            (Claimed::Unknown, claimant) => {
                let until = local + SHORT_PATIENCE.min(node.lease / 3);
                node.early.push(Early { token, claimant, until });
                self.arrange_gifts(life);
            }
            (Claimed::Refused, claimant) => self.refuse_claimed(life, claimant),
        }
    }

    fn refuse_claimed(&mut self, life: usize, claimant: Claimant) {
        match claimant {
            Claimant::Peer { link, question } => {
                self.answer(At { life, link }, question, Status::Fault, Vec::new());
            }
            Claimant::Own { proxy } => self.stay(life, proxy),
        }
    }

    /// Gifts and claims that have waited long enough are over.
    pub(super) fn time_gifts_out(&mut self, life: usize) {
        let local = self.local(life);
        let node = &mut self.nodes[life];
        let mut over = node.gifts.expire(local);
        over.sort();
        over.into_iter().for_each(|object| node.let_go(Receiver::Near(object)));
        let is_over = |early: &mut Early| early.until <= local;
        let early: Vec<Early> = node.early.extract_if(.., is_over).collect();
        early.into_iter().for_each(|early| self.refuse_claimed(life, early.claimant));
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

    /// Whatever a proxy does to find a shorter way ends: it has taken too long, or the proxy is gone.
    pub(super) fn give_up_seeking(&mut self, life: usize, number: usize) {
        let is_its = |waits: &Waits| waits.seeker() == Some(number);
        let node = &mut self.nodes[life];
        node.wishes.retain(|wish| !is_its(&wish.waits));
        node.early.retain(|early| early.claimant != Claimant::Own { proxy: number });
        let waits = node.waiters.values().map(|waiter| waiter.waits).find(is_its);
        let Some(waits) = waits else { return };
        self.abandon(life, waits);
        if let Waits::Introduction { giver, .. } = waits {
            self.be_told(At { life, link: giver });
        }
    }

    /// The owner does not give it: the long way stays.
    pub(super) fn stay(&mut self, life: usize, number: usize) {
        let proxy = self.nodes[life].proxies.get_mut(&number);
        if let Some(proxy) = proxy.filter(|proxy| proxy.next.is_none()) {
            (proxy.is_open, proxy.token) = (false, None);
            self.tell_who_asked(life, number);
        }
    }

    /// The way of a proxy changes no more.
    fn tell_who_asked(&mut self, life: usize, number: usize) {
        let is_for = |asking: &mut Asking| asking.proxy == number;
        let asking: Vec<Asking> = self.nodes[life].asking.extract_if(.., is_for).collect();
        for Asking { link, question, proxy } in asking {
            self.introduce_late(At { life, link }, question, Receiver::Far(proxy));
        }
    }

    /// The owner has given it. What was sent the long way is let through first.
    pub(super) fn shorten(&mut self, life: usize, number: usize, given: Receiver) {
        let node = &mut self.nodes[life];
        let Some(way) = node.proxies.get(&number).map(|proxy| proxy.import()) else {
            return node.let_go(given); // It was dropped meanwhile.
        };
        let way = way.expect("it is shortened once");
        assert_eq!(node.truth(given), node.proxies[&number].truth, "another object was given");
        let next = match given {
            Receiver::Far(direct) => node.take_way(direct),
            Receiver::Near(object) => Way::Home(object),
            Receiver::Directory => unreachable!("nobody vouches for a directory"),
        };
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
        (proxy.is_open, proxy.token) = (false, None);
        let former = std::mem::replace(&mut proxy.way, next);
        self.tally.shortened += 1;
        if let Way::Home(_) = next {
            self.tally.come_home += 1;
        }
        self.send_queue(life, number);
        self.nodes[life].leave(former);
        self.tell_who_asked(life, number);
    }
}
