//! The two applications of a random schedule, and the checks of all that they see.
//!
//! It must not choose what happens next.

use std::collections::{HashMap, HashSet};

use super::super::questions::Progress;
use super::application::End;
use super::pair::{Pair, Side};
use crate::error::Outcome;
use crate::id::{ObjectId, QuestionId};
use crate::limits::Limits;
use crate::wire::body::Body;
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{Manner, Status, Target};

/// Two sessions and their applications.
pub(super) struct World {
    pub(super) pair: Pair,
    pub(super) ends: [Knowledge; 2],
    /// Every message, by its number, which is in its body.
    sent: Vec<Sent>,
}

/// The state of one application.
#[derive(Default)]
pub(super) struct Knowledge {
    /// Its own objects.
    pub(super) objects: Vec<ObjectId>,
    /// One proxy for each introduction received.
    pub(super) proxies: Vec<ObjectId>,
    /// The numbers of its calls in progress that it may cancel.
    pub(super) open: Vec<usize>,
    /// The promises on which it may pipeline.
    pub(super) promises: Vec<usize>,
    /// The peer's calls that run here.
    pub(super) running: Vec<QuestionId>,
    /// The number of the last message that has arrived for each target.
    last: HashMap<Target, usize>,
}

struct Sent {
    from: Side,
    question: QuestionId,
    target: Target,
    manner: Manner,
    token: usize,
    /// It was cancelled.
    cancelled: bool,
    /// It was cancelled before it was sent.
    withdrawn: bool,
    arrived: bool,
}

impl World {
    pub(super) fn new(left: Limits, right: Limits) -> World {
        World { pair: Pair::with(left, right), ends: Default::default(), sent: Vec::new() }
    }

    pub(super) fn end(&mut self, side: Side) -> &mut Knowledge {
        &mut self.ends[side as usize]
    }

    /// Returns the question of a message.
    pub(super) fn question(&self, number: usize) -> QuestionId {
        self.sent[number].question
    }

    /// Sends a message of this size. One that is refused leaves nothing behind.
    pub(super) fn send(
        &mut self,
        from: Side,
        manner: Manner,
        target: Target,
        size: usize,
        references: Vec<Descriptor>,
    ) {
        let (number, introduced) = (self.sent.len(), references.clone());
        let content = Content { body: body(number, size), references };
        let Ok(question) = self.pair.send(from, manner, target, content) else {
            self.retract(from, &introduced);
            return self.check_events(from);
        };
        let token = self.pair.last_token();
        let (cancelled, withdrawn, arrived) = (false, false, false);
        self.sent.push(Sent {
            from,
            question,
            target,
            manner,
            token,
            cancelled,
            withdrawn,
            arrived,
        });
        self.end(from).open.push(number);
        if manner == Manner::Promise {
            self.end(from).promises.push(number);
        }
        self.check_events(from);
    }

    pub(super) fn answer(
        &mut self,
        from: Side,
        question: QuestionId,
        status: Status,
        size: usize,
        references: Vec<Descriptor>,
    ) {
        let content = Content { body: body(question.0 as usize, size), references };
        self.pair[from].answer(question, status, content);
        self.pair.handle_events(from);
        self.check_events(from);
    }

    pub(super) fn retract(&mut self, from: Side, references: &[Descriptor]) {
        for reference in references {
            if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } =
                reference
            {
                self.pair[from].retract(*object);
            }
        }
        self.pair.handle_events(from);
    }

    /// Cancels a message.
    pub(super) fn cancel(&mut self, number: usize) {
        let (from, question) = (self.sent[number].from, self.sent[number].question);
        let progress = self.pair[from].questions.get_mut(question).map(|open| open.progress);
        self.sent[number].cancelled = true;
        self.sent[number].withdrawn =
            matches!(progress, Some(Progress::Waiting | Progress::Admitted));
        self.pair[from].cancel(question);
        self.pair.handle_events(from);
        self.check_events(from);
        self.finish(number);
    }

    /// Drops a promise.
    pub(super) fn finish(&mut self, number: usize) {
        let (from, question) = (self.sent[number].from, self.sent[number].question);
        let promises = &mut self.end(from).promises;
        let Some(at) = promises.iter().position(|promise| *promise == number) else { return };
        promises.swap_remove(at);
        self.sent[number].cancelled = true;
        self.pair[from].finish(question);
        self.pair.handle_events(from);
        self.check_events(from);
    }

    pub(super) fn release(&mut self, side: Side, object: ObjectId) {
        self.pair[side].release(object);
        self.pair.handle_events(side);
    }

    /// Checks the events of one application since the last call.
    pub(super) fn check_events(&mut self, side: Side) {
        let application = self.pair.application(side);
        let calls = std::mem::take(&mut application.calls);
        let ended: Vec<(usize, End)> = application.ended.drain().collect();
        let unwanted = std::mem::take(&mut application.unwanted);
        let cancelled = std::mem::take(&mut application.cancelled);
        for call in calls {
            let number = check_body(&call.content.body);
            let sent = &mut self.sent[number];
            assert_eq!(sent.from, side.other());
            assert!(!sent.arrived, "message {number} arrived twice");
            assert!(!sent.withdrawn, "message {number} was withdrawn before it was sent");
            sent.arrived = true;
            let (question, manner, target) = (sent.question, sent.manner, sent.target);
            assert_eq!((call.question, call.header.manner), (question, manner));
            assert!(
                call.target == Some(target) || self.is_unsent(side, target),
                "{:?}",
                call.target
            );
            let before = self.end(side).last.insert(target, number);
            assert!(before < Some(number), "{number} arrived after {before:?} at {target:?}");
            self.end(side).running.push(question);
            self.receive_references(side, &call.content.references);
        }
        for (token, end) in ended {
            let number =
                self.sent.iter().position(|sent| sent.token == token).expect("it was sent");
            assert!(!self.sent[number].cancelled, "{number} was cancelled");
            self.end(side).open.retain(|open| *open != number);
            match end {
                End::Answered(_, content) => {
                    assert!(
                        self.sent[number].manner != Manner::OneWay && self.sent[number].arrived
                    );
                    self.receive_references(side, &content.references);
                }
                End::HandedOver | End::Flushed => {
                    assert_eq!(self.sent[number].manner, Manner::OneWay)
                }
                // It must never be executed after this.
                End::Lost(Outcome::NotExecuted) => {
                    assert!(!self.sent[number].arrived, "message {number} had arrived");
                    self.sent[number].withdrawn = true;
                }
                End::Refused => unreachable!("no calls from within a method"),
                End::Lost(outcome) => assert_eq!(outcome, Outcome::Unknown),
            }
            self.sent[number].cancelled = true;
        }
        unwanted.iter().for_each(|content| self.receive_references(side, &content.references));
        for question in cancelled {
            assert!(self.end(side).running.contains(&question), "{question:?} does not run");
        }
        self.check_references();
    }

    /// Returns true if a promise was never sent, so that it cannot be pipelined on.
    fn is_unsent(&self, side: Side, target: Target) -> bool {
        let Target::Answer(question) = target else { return false };
        let mut promises = self.sent.iter().filter(|sent| sent.from == side.other());
        promises.any(|sent| sent.question == question && sent.withdrawn)
    }

    /// Adds a proxy for each introduction. Checks that objects of this side are still exported.
    fn receive_references(&mut self, side: Side, references: &[Descriptor]) {
        for reference in references {
            match *reference {
                Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } => {
                    self.end(side).proxies.push(object);
                }
                Descriptor::Yours { object, .. } => {
                    assert!(self.end(side).objects.contains(&object), "{object:?} is not ours");
                }
            }
        }
    }

    /// Invariants 3 and 5: the owner counts every proxy.
    fn check_references(&self) {
        for side in Side::BOTH {
            let (holder, owner) = (&self.pair[side], &self.pair[side.other()]);
            if holder.closed().is_some() || owner.closed().is_some() {
                return;
            }
            let mut held: HashMap<ObjectId, u64> = HashMap::new();
            for object in &self.ends[side as usize].proxies {
                *held.entry(*object).or_default() += 1;
            }
            for (object, held) in held {
                let counts = (owner.exports.count(object), holder.imports.count(object));
                assert!(counts.0 >= counts.1 && counts.1 >= held, "{object:?}: {counts:?}, {held}");
            }
        }
    }

    /// Asserts that every message has ended: it has arrived once or was cancelled, and the caller was notified.
    pub(super) fn assert_complete(&self) {
        for (number, sent) in self.sent.iter().enumerate() {
            assert!(
                sent.arrived != sent.withdrawn,
                "message {number} neither arrived nor was withdrawn"
            );
            assert!(sent.cancelled, "the call {number} has not ended");
        }
        let questions: HashSet<_> =
            self.sent.iter().map(|sent| (sent.from, sent.question)).collect();
        assert_eq!(questions.len(), self.sent.len(), "an id was used twice");
    }

    /// Asserts that an outcome was reported for every call, once and correctly.
    pub(super) fn assert_all_reported(&self) {
        assert!(self.sent.iter().all(|sent| sent.cancelled));
    }
}

/// Returns a body that begins with a number and continues with a pattern, so that a missing part is detected.
pub(super) fn body(number: usize, size: usize) -> Body {
    let mut bytes = vec![number as u8; size.max(16)];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    let size = bytes.len() as u64;
    bytes[8..16].copy_from_slice(&size.to_le_bytes());
    Body::from_vec(bytes)
}

pub(super) fn check_body(bytes: &[u8]) -> usize {
    let number = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    assert!(body(number, bytes.len())[..] == *bytes, "message {number} is not as it was sent");
    number
}
