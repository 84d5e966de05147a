//! The hand-off of references, modelled after `node/handoff.rs` and `object/shortening.rs`: vouch, claim, and shortening in
//! order. Also the directory.
//!
//! It must not decide which references are passed on.

use std::time::Duration;

use super::agenda::{At, SimEvent};
use super::ledger::Purpose;
use super::link::{Claimant, EarlyClaim, Outbound, TokenRequest, Waits};
use super::node::{Path, Receiver};
use super::sending::DIRECTORY;
use super::world::World;
use crate::id::{NodeId, ObjectId, QuestionId, Token};
use crate::node::gifts::table::Claimed;
use crate::wire::frame::{Manner, Status, Target};

/// The timeout for shortening a path, and for a claim that waits for its gift.
const SHORTENING_TIMEOUT: Duration = Duration::from_secs(10);
const CLAIM_TIMEOUT: Duration = Duration::from_secs(5);
/// The number of tokens that are requested from one node at once.
const MAX_TOKEN_REQUESTS: u64 = 8;

impl World {
    /// Vouches for a reference at its owner, before the message that passes it on is sent.
    pub(super) fn vouch(&mut self, at: At, number: usize) -> Option<Token> {
        let node = &self.nodes[at.life];
        let proxy = &node.proxies[&number];
        let link = node.find(proxy.identity.node)?;
        // Only a node with a direct path to the owner can vouch.
        proxy.import().filter(|import| import.link == link)?;
        let recipient = self.nodes[at.life].links[at.link].peer;
        let token = self.fresh_token();
        let references = vec![self.nodes[at.life].add_holder(Receiver::Far(number))];
        let (purpose, waits) = (Purpose::Vouch { token, recipient }, Waits::Vouch(token));
        let manner = Manner::OneWay;
        let outbound = Outbound { purpose, manner, nesting: 0, references, size: 0, waits };
        let owner = At { life: at.life, link };
        self.send(owner, DIRECTORY, outbound);
        // If there is no room for the message now, this side continues to forward.
        let is_handed_over = self.is_handed_over(owner, waits);
        if is_handed_over == Some(false) {
            self.abandon(at.life, waits);
        }
        is_handed_over.filter(|is_so| *is_so).map(|_| token)
    }

    /// Withdraws the gifts of a reference that the peer has released. After the end of the session, the peer may still claim
    /// them.
    pub(super) fn withdraw(&mut self, at: At, object: ObjectId) {
        let side = &mut self.nodes[at.life].links[at.link];
        if side.session.closed().is_none() {
            let vouched = side.vouched.remove(&object).unwrap_or_default();
            vouched
                .into_iter()
                .for_each(|(owner, token)| self.withdraw_gift(at.life, owner, token));
        }
    }

    fn withdraw_gift(&mut self, life: usize, owner: NodeId, token: Token) {
        let Some(link) = self.nodes[life].find(owner) else { return };
        let (purpose, waits) = (Purpose::Withdraw(token), Waits::Withdraw(token));
        let (manner, references) = (Manner::OneWay, Vec::new());
        let outbound = Outbound { purpose, manner, nesting: 0, references, size: 0, waits };
        self.send(At { life, link }, DIRECTORY, outbound);
    }

    fn fresh_token(&mut self) -> Token {
        let mut token = [0; 16];
        token[..8].copy_from_slice(&self.fresh().to_le_bytes());
        Token::from_bytes(token)
    }

    /// Returns true if a one-way message was sent, false if it waits; `None` if it was refused.
    fn is_handed_over(&mut self, at: At, waits: Waits) -> Option<bool> {
        let node = &mut self.nodes[at.life];
        let waiter = node.waiters.values().find(|waiter| waiter.waits == waits)?;
        let question = node.links[at.link].session.questions.get_mut(waiter.question);
        Some(question.is_none_or(|question| question.token.is_none()))
    }

    /// Starts to shorten the path of a reference: by the token that came with it, or by one that is requested from the
    /// sender, if few requests to it are pending.
    pub(super) fn start_shortening(&mut self, at: At, number: usize, token: Option<Token>) {
        let node = &mut self.nodes[at.life];
        let proxy = node.proxies.get_mut(&number).expect("it is new");
        (proxy.is_open, proxy.token) = (true, token);
        match token {
            Some(token) => {
                self.set_shortening_timer(at.life, number);
                self.claim(at.life, number, token);
            }
            None => {
                node.links[at.link].queued_requests.push_back(number);
                self.request_next_token(at);
            }
        }
    }

    fn set_shortening_timer(&mut self, life: usize, number: usize) {
        let until = self.after(life, SHORTENING_TIMEOUT);
        self.agenda.enter(until, SimEvent::ShorteningTimeout { life, proxy: number });
    }

    /// Requests the next token from a node that passed a reference on before it had a direct path.
    fn request_next_token(&mut self, at: At) {
        let granted = self.nodes[at.life].links[at.link].session.max_calls();
        while self.nodes[at.life].links[at.link].asked < MAX_TOKEN_REQUESTS.min(granted / 2).max(1)
        {
            let node = &mut self.nodes[at.life];
            let Some(number) = node.links[at.link].queued_requests.pop_front() else { return };
            if !node.proxies.contains_key(&number) {
                continue; // The proxy was dropped meanwhile.
            }
            node.links[at.link].asked += 1;
            let references = vec![node.add_holder(Receiver::Far(number))];
            self.set_shortening_timer(at.life, number);
            let waits = Waits::Introduction { proxy: number, giver: at.link };
            self.ask_directory_of(at, Purpose::Introduction, waits, references);
        }
    }

    /// Handles the end of one such request: its reply, or its timeout.
    pub(super) fn end_token_request(&mut self, at: At) {
        self.nodes[at.life].links[at.link].asked -= 1;
        self.request_next_token(at);
    }

    /// Claims an object from its owner. First asks the sender of the reference for the owner's address, if it is not known.
    pub(super) fn claim(&mut self, life: usize, number: usize, token: Token) {
        let node = &self.nodes[life];
        let Some(proxy) = node.proxies.get(&number) else { return };
        let owner = proxy.identity.node;
        if owner == node.id {
            return self.give_claimed(life, Claimant::Own { proxy: number }, token);
        }
        match node.find(owner) {
            Some(link) => {
                self.handle_session(At { life, link }, Waits::Claim { proxy: number, token })
            }
            None => {
                let giver = proxy.import().expect("the path leads through the sender").link;
                let (purpose, waits) =
                    (Purpose::Address(owner), Waits::Address { proxy: number, token });
                self.ask_directory_of(At { life, link: giver }, purpose, waits, Vec::new());
            }
        }
    }

    /// Continues when the address of the owner is known.
    pub(super) fn reach_owner(&mut self, life: usize, number: usize, token: Token) {
        let Some(proxy) = self.nodes[life].proxies.get(&number) else { return };
        let owner = proxy.identity.node;
        let place = self.nodes.iter().find(|node| node.id == owner).map(|node| node.place);
        let Some(place) = place else { unreachable!("every owner has a place") };
        self.request_session(life, place, None, Waits::Claim { proxy: number, token });
    }

    /// Continues the request for which a session was made.
    pub(super) fn handle_session(&mut self, at: At, waits: Waits) {
        let purpose = match waits {
            Waits::Lookup => Purpose::Lookup,
            Waits::Claim { proxy: number, token } => {
                let node = &self.nodes[at.life];
                let Some(proxy) = node.proxies.get(&number) else { return };
                if proxy.identity.node != node.links[at.link].peer {
                    return self.keep_forwarded(at.life, number);
                }
                Purpose::Claim(token)
            }
            other => unreachable!("{other:?} never requests a session"),
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
        let manner = Manner::Call;
        let outbound = Outbound { purpose, manner, nesting: 0, references, size: 0, waits };
        self.send(at, DIRECTORY, outbound);
    }

    /// Handles a message to a directory.
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
                    let published = vec![node.add_holder(Receiver::Near(object))];
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
                    // The object belongs to another node, so that it cannot be the gift.
                    self.nodes[at.life].drop_holders(references);
                    return self.answer(at, question, Status::Fault, Vec::new());
                };
                // From here the gift holds the object.
                let giver = node.links[at.link].peer;
                let gift = node.gifts.vouch((local, node.lease), token, (giver, recipient), object);
                gift.expect("there is room");
                self.answer(at, question, Status::Value, Vec::new());
                let is_for = |early_claims: &mut EarlyClaim| early_claims.token == token;
                let early_claims: Vec<EarlyClaim> =
                    self.nodes[at.life].early_claims.extract_if(.., is_for).collect();
                for EarlyClaim { claimant, .. } in early_claims {
                    self.give_claimed(at.life, claimant, token);
                }
                self.arrange_gifts(at.life);
            }
            Purpose::Withdraw(token) => {
                let giver = node.links[at.link].peer;
                if let Some(object) = node.gifts.withdraw(token, giver) {
                    node.drop_holder(Receiver::Near(object));
                }
                self.answer(at, question, Status::Value, Vec::new());
            }
            Purpose::Introduction => {
                let [receiver] = references[..] else { panic!("one object is requested") };
                match receiver {
                    Receiver::Far(proxy) if node.proxies[&proxy].is_open => {
                        node.token_requests.push(TokenRequest { link: at.link, question, proxy });
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

    /// Answers a request for a token, if this node can now vouch for the object.
    fn introduce_late(&mut self, at: At, question: QuestionId, receiver: Receiver) {
        let token = match self.nodes[at.life].near_target(receiver) {
            Receiver::Far(number) if self.random.percent(self.settings.introduce) => {
                self.vouch(at, number)
            }
            Receiver::Far(_) => None,
            // A reference to an object of this node names its owner: no token is requested for it.
            other => unreachable!("{other:?} is asked for"),
        };
        if let (Some(token), Receiver::Far(number)) = (token, receiver) {
            self.note_late_token(at, number, token);
        }
        let (status, purpose) = match token {
            Some(token) => (Status::Value, Purpose::Introduced(token)),
            None => (Status::Fault, Purpose::Answer),
        };
        self.answer_with(at, question, status, purpose, Vec::new());
        self.nodes[at.life].drop_holder(receiver);
    }

    fn note_late_token(&mut self, at: At, number: usize, token: Token) {
        let node = &mut self.nodes[at.life];
        let owner = node.proxies[&number].identity.node;
        let object = node.forwarded_as(number);
        let side = &mut node.links[at.link];
        if side.session.is_exported(object) {
            side.note_vouched(object, owner, token);
        } else {
            self.withdraw_gift(at.life, owner, token);
        }
    }

    fn give_claimed(&mut self, life: usize, claimant: Claimant, token: Token) {
        let local = self.local(life);
        let node = &mut self.nodes[life];
        let id = match claimant {
            Claimant::Peer { link, .. } => node.links[link].peer,
            Claimant::Own { .. } => node.id,
        };
        match (node.gifts.claim(local, token, id), claimant) {
            (Claimed::Granted(object), Claimant::Peer { link, question }) => {
                let references = vec![Receiver::Near(object)];
                self.answer(At { life, link }, question, Status::Value, references);
            }
            (Claimed::Granted(object), Claimant::Own { proxy }) => {
                self.shorten(life, proxy, Receiver::Near(object));
            }
            (Claimed::Unknown, claimant) => {
                let until = local + CLAIM_TIMEOUT.min(node.lease / 3);
                node.early_claims.push(EarlyClaim { token, claimant, until });
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
            Claimant::Own { proxy } => self.keep_forwarded(life, proxy),
        }
    }

    /// Ends gifts and claims that have expired.
    pub(super) fn expire_gifts(&mut self, life: usize) {
        let local = self.local(life);
        let node = &mut self.nodes[life];
        let mut over = node.gifts.expire(local);
        over.sort();
        over.into_iter().for_each(|object| node.drop_holder(Receiver::Near(object)));
        let is_over = |early_claims: &mut EarlyClaim| early_claims.until <= local;
        let early_claims: Vec<EarlyClaim> = node.early_claims.extract_if(.., is_over).collect();
        early_claims
            .into_iter()
            .for_each(|early_claims| self.refuse_claimed(life, early_claims.claimant));
        let next = self.nodes[life].gifts.poll_timeout();
        assert!(next.is_none_or(|next| next > local), "a due timer was handled");
        self.arrange_gifts(life);
    }

    fn arrange_gifts(&mut self, life: usize) {
        let node = &self.nodes[life];
        let early_claims = node.early_claims.iter().map(|early_claims| early_claims.until).min();
        for next in [node.gifts.poll_timeout(), early_claims].into_iter().flatten() {
            self.agenda.enter(node.clock.moment(next), SimEvent::Gifts { life });
        }
    }

    /// Ends the attempt to shorten a path: it has timed out, or the proxy was dropped.
    pub(super) fn stop_shortening(&mut self, life: usize, number: usize) {
        let is_its = |waits: &Waits| waits.shortening_proxy() == Some(number);
        let node = &mut self.nodes[life];
        node.session_requests.retain(|request_session| !is_its(&request_session.waits));
        node.early_claims
            .retain(|early_claims| early_claims.claimant != Claimant::Own { proxy: number });
        let waits = node.waiters.values().map(|waiter| waiter.waits).find(is_its);
        let Some(waits) = waits else { return };
        self.abandon(life, waits);
        if let Waits::Introduction { giver, .. } = waits {
            self.end_token_request(At { life, link: giver });
        }
    }

    /// Keeps the forwarded path: the object could not be claimed.
    pub(super) fn keep_forwarded(&mut self, life: usize, number: usize) {
        let proxy = self.nodes[life].proxies.get_mut(&number);
        if let Some(proxy) = proxy.filter(|proxy| proxy.next.is_none()) {
            (proxy.is_open, proxy.token) = (false, None);
            self.answer_token_requests(life, number);
        }
    }

    /// Answers the requests that waited until a proxy's path is final.
    fn answer_token_requests(&mut self, life: usize, number: usize) {
        let is_for = |token_requests: &mut TokenRequest| token_requests.proxy == number;
        let token_requests: Vec<TokenRequest> =
            self.nodes[life].token_requests.extract_if(.., is_for).collect();
        for TokenRequest { link, question, proxy } in token_requests {
            self.introduce_late(At { life, link }, question, Receiver::Far(proxy));
        }
    }

    /// Shortens a path: the object was claimed. First settles the forwarded path.
    pub(super) fn shorten(&mut self, life: usize, number: usize, claimed: Receiver) {
        let node = &mut self.nodes[life];
        let Some(path) = node.proxies.get(&number).map(|proxy| proxy.import()) else {
            return node.drop_holder(claimed); // The proxy was dropped meanwhile.
        };
        let path = path.expect("it is shortened once");
        assert_eq!(node.truth(claimed), node.proxies[&number].truth, "another object was claimed");
        let next = match claimed {
            Receiver::Far(direct) => node.take_path(direct),
            Receiver::Near(object) => Path::Near(object),
            Receiver::Directory => unreachable!("a directory is never a gift"),
        };
        node.proxies.get_mut(&number).expect("it is there").next = Some(next);
        if node.is_over(path.link) {
            self.ledger.break_order();
            return self.use_direct_path(life, number);
        }
        let (purpose, waits) = (Purpose::Settle, Waits::Settle(number));
        let (manner, references) = (Manner::Call, Vec::new());
        let outbound = Outbound { purpose, manner, nesting: 0, references, size: 0, waits };
        self.send(At { life, link: path.link }, Target::Object(path.entry), outbound);
    }

    /// Uses the direct path from now on: all forwarded messages have started, or never will.
    pub(super) fn use_direct_path(&mut self, life: usize, number: usize) {
        let node = &mut self.nodes[life];
        let Some(proxy) = node.proxies.get_mut(&number) else { return };
        let Some(next) = proxy.next.take() else { return };
        (proxy.is_open, proxy.token) = (false, None);
        let former = std::mem::replace(&mut proxy.path, next);
        self.tally.shortened += 1;
        if let Path::Near(_) = next {
            self.tally.resolved_near += 1;
        }
        self.send_queue(life, number);
        self.nodes[life].leave(former);
        self.answer_token_requests(life, number);
    }
}
