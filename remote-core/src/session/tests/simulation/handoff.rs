//! Owns how a reference to a third node's object becomes a direct one: vouched for, claimed, and the way shortened in
//! order. And what a directory answers.
//!
//! It must not decide who hands what to whom.

use super::agenda::{At, Happening};
use super::gifts::Claimed;
use super::ledger::{Purpose, Token};
use super::node::{Outbound, Receiver, Waits};
use super::sending::DIRECTORY;
use super::world::World;
use crate::id::QuestionId;
use crate::wire::frame::{Manner, Status, Target};

impl World {
    /// Tells the owner of an object, before the message that hands it on is sent, for whom it is.
    pub(super) fn vouch(&mut self, at: At, reference: Receiver) -> Option<Token> {
        let Receiver::Far(proxy) = reference else { return None };
        let node = &self.nodes[at.life];
        let proxy = &node.proxies[&proxy];
        let way = proxy.next.unwrap_or(proxy.way);
        let owner = &node.links[way.link];
        let is_direct = owner.peer == proxy.identity.node && owner.session.closed().is_none();
        if way.link == at.link || !is_direct || !self.random.percent(self.settings.hand_on) {
            return None;
        }
        let recipient = node.links[at.link].peer;
        if recipient == owner.peer {
            return None;
        }
        let token = Token::from(self.fresh());
        let references = vec![self.nodes[at.life].hold(reference)];
        let purpose = Purpose::Vouch { token, recipient };
        let (manner, size, waits) = (Manner::Ask, 0, Waits::Vouch);
        let outbound = Outbound { purpose, manner, references, size, waits };
        self.send(At { life: at.life, link: way.link }, DIRECTORY, outbound);
        Some(token)
    }

    /// A node asks the owner for what was meant for it.
    pub(super) fn claim(&mut self, life: usize, number: usize, token: Token) {
        let proxy = self.nodes[life].proxies.get_mut(&number).expect("it was just made");
        proxy.is_claimed = true;
        let owner = proxy.identity.node;
        self.nodes[life].claims.insert(number, token);
        let place = self.nodes.iter().find(|node| node.id == owner).map(|node| node.place);
        let Some(place) = place else { unreachable!("every owner has a place") };
        self.wish(life, place, Some(owner), Waits::Claim(number));
    }

    /// The session that was wished for is there.
    pub(super) fn fulfil(&mut self, at: At, waits: Waits) {
        let purpose = match waits {
            Waits::Lookup => Purpose::Lookup,
            Waits::Claim(number) => {
                let node = &self.nodes[at.life];
                let token = node.claims[&number];
                let owner = node.proxies.get(&number).map(|proxy| proxy.identity.node);
                match owner {
                    Some(owner) if owner == node.links[at.link].peer => Purpose::Claim(token),
                    _ => return self.shorten(at.life, number, None),
                }
            }
            other => unreachable!("nobody wishes for a session for {other:?}"),
        };
        let outbound =
            Outbound { purpose, manner: Manner::Ask, references: Vec::new(), size: 0, waits };
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
            Purpose::Vouch { token, recipient } => {
                let [receiver @ Receiver::Near(object)] = references[..] else {
                    panic!("only an owner is told")
                };
                node.show(object, receiver);
                node.gifts.vouch(token, recipient, object, local);
                node.let_all_go(references);
                self.answer(at, question, Status::Value, Vec::new());
                let early = std::mem::take(&mut self.nodes[at.life].early);
                let (now, rest) = early.into_iter().partition(|(early, ..)| *early == token);
                self.nodes[at.life].early = rest;
                let now: Vec<(Token, usize, QuestionId)> = now;
                for (token, link, question) in now {
                    self.give(At { life: at.life, link }, question, token);
                }
                self.arrange_gifts(at.life);
            }
            Purpose::Claim(token) => self.give(at, question, token),
            other => unreachable!("a directory is not asked {other:?}"),
        }
    }

    fn give(&mut self, at: At, question: QuestionId, token: Token) {
        let local = self.local(at.life);
        let node = &mut self.nodes[at.life];
        let claimant = node.links[at.link].peer;
        match node.gifts.claim(token, claimant, local) {
            Claimed::Object(object) => {
                let receiver = node.hold(Receiver::Near(object));
                self.answer(at, question, Status::Value, vec![receiver]);
                self.nodes[at.life].hide(object);
            }
            Claimed::Unknown => {
                node.early.push((token, at.link, question));
                let until = node.clock.moment(local + node.lease / 4);
                self.agenda.enter(until, Happening::Gifts { life: at.life });
            }
            Claimed::Refused => self.answer(at, question, Status::Fault, Vec::new()),
        }
    }

    pub(super) fn time_gifts_out(&mut self, life: usize) {
        let local = self.local(life);
        let node = &mut self.nodes[life];
        for object in node.gifts.time_out(local) {
            node.hide(object);
        }
        for (_, link, question) in std::mem::take(&mut self.nodes[life].early) {
            self.answer(At { life, link }, question, Status::Fault, Vec::new());
        }
        self.arrange_gifts(life);
    }

    fn arrange_gifts(&mut self, life: usize) {
        let node = &self.nodes[life];
        if let Some(next) = node.gifts.poll_timeout() {
            self.agenda.enter(node.clock.moment(next), Happening::Gifts { life });
        }
    }

    /// The owner has answered a claim. What was sent the old way is let through first.
    pub(super) fn shorten(&mut self, life: usize, number: usize, given: Option<Receiver>) {
        let node = &mut self.nodes[life];
        node.claims.remove(&number);
        let Some(proxy) = node.proxies.get_mut(&number) else {
            // It was dropped meanwhile.
            return given.into_iter().for_each(|given| node.let_go(given));
        };
        proxy.is_claimed = false;
        let way = proxy.way;
        let Some(given) = given else {
            // It goes on as it was; what waited because that is over, fails.
            return self.send_queue(life, number);
        };
        let Receiver::Far(direct) = given else { panic!("a gift of one's own was claimed") };
        assert_eq!(node.truth(given), node.proxies[&number].truth, "another object was given");
        let next = node.take_way(direct);
        let proxy = node.proxies.get_mut(&number).expect("it is there");
        proxy.next = Some(next);
        if node.links[way.link].session.closed().is_some() {
            return self.go_direct(life, number);
        }
        let (purpose, waits) = (Purpose::Settle, Waits::Settle(number));
        let outbound =
            Outbound { purpose, manner: Manner::Ask, references: Vec::new(), size: 0, waits };
        self.send(At { life, link: way.link }, Target::Object(way.entry), outbound);
    }

    /// Everything that was sent the old way has begun, or never will: from now on it is the direct one.
    pub(super) fn go_direct(&mut self, life: usize, number: usize) {
        let node = &mut self.nodes[life];
        let Some(proxy) = node.proxies.get_mut(&number) else { return };
        let Some(next) = proxy.next.take() else { return };
        let former = std::mem::replace(&mut proxy.way, next);
        node.release(former);
        self.tally.shortened += 1;
        self.send_queue(life, number);
    }
}
