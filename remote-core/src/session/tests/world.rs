//! Owns what both applications of a random schedule do and know, and whether all that they see is true.
//!
//! It must not choose: what happens next is the schedule's to say.

use std::collections::{HashMap, HashSet};

use super::super::questions::Progress;
use super::application::End;
use super::pair::{Pair, Side};
use crate::error::Outcome;
use crate::id::{ObjectId, QuestionId};
use crate::limits::Limits;
use crate::wire::body::Body;
use crate::wire::content::Content;
use crate::wire::frame::{Descriptor, Manner, Status, Target};

/// Two sessions and their applications.
pub(super) struct World {
    pub(super) pair: Pair,
    pub(super) ends: [Knowledge; 2],
    /// Every message ever sent, by its number, which stands in its body.
    sent: Vec<Sent>,
}

/// What one application has.
#[derive(Default)]
pub(super) struct Knowledge {
    /// Its own objects.
    pub(super) objects: Vec<ObjectId>,
    /// One proxy for each introduction received.
    pub(super) proxies: Vec<ObjectId>,
    /// Calls of its own in progress that it may give up: message numbers.
    pub(super) open: Vec<usize>,
    /// Promises that it may pipeline on.
    pub(super) promises: Vec<usize>,
    /// Calls of the other's that run here.
    pub(super) running: Vec<QuestionId>,
    /// The number of the last message that arrived for each target.
    last: HashMap<Target, usize>,
}

struct Sent {
    from: Side,
    question: QuestionId,
    target: Target,
    manner: Manner,
    token: usize,
    /// Nobody waits for its end any more.
    given_up: bool,
    /// It was given up before it was sent.
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

    /// The question of a message.
    pub(super) fn question(&self, number: usize) -> QuestionId {
        self.sent[number].question
    }

    /// Sends a message of this size; one that is refused leaves nothing behind.
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
            return self.see(from);
        };
        let token = self.pair.last_token();
        let (given_up, withdrawn, arrived) = (false, false, false);
        self.sent.push(Sent {
            from,
            question,
            target,
            manner,
            token,
            given_up,
            withdrawn,
            arrived,
        });
        self.end(from).open.push(number);
        if manner == Manner::Promise {
            self.end(from).promises.push(number);
        }
        self.see(from);
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
        self.pair.note(from);
        self.see(from);
    }

    pub(super) fn retract(&mut self, from: Side, references: &[Descriptor]) {
        for reference in references {
            if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } =
                reference
            {
                self.pair[from].retract(*object);
            }
        }
        self.pair.note(from);
    }

    /// The caller of a message gives it up.
    pub(super) fn cancel(&mut self, number: usize) {
        let (from, question) = (self.sent[number].from, self.sent[number].question);
        let progress = self.pair[from].questions.get_mut(question).map(|open| open.progress);
        self.sent[number].given_up = true;
        self.sent[number].withdrawn =
            matches!(progress, Some(Progress::Waiting | Progress::Admitted));
        self.pair[from].cancel(question);
        self.pair.note(from);
        self.see(from);
        self.finish(number);
    }

    /// The holder of a promise drops it.
    pub(super) fn finish(&mut self, number: usize) {
        let (from, question) = (self.sent[number].from, self.sent[number].question);
        let promises = &mut self.end(from).promises;
        let Some(at) = promises.iter().position(|promise| *promise == number) else { return };
        promises.swap_remove(at);
        self.sent[number].given_up = true;
        self.pair[from].finish(question);
        self.pair.note(from);
        self.see(from);
    }

    pub(super) fn release(&mut self, side: Side, object: ObjectId) {
        self.pair[side].release(object);
        self.pair.note(side);
    }

    /// Looks at what one application was told since.
    pub(super) fn see(&mut self, side: Side) {
        let seen = self.pair.seen(side);
        let calls = std::mem::take(&mut seen.calls);
        let ended: Vec<(usize, End)> = seen.ended.drain().collect();
        let unwanted = std::mem::take(&mut seen.unwanted);
        let cancelled = std::mem::take(&mut seen.cancelled);
        for call in calls {
            let number = check_body(&call.content.body);
            let sent = &mut self.sent[number];
            assert_eq!(sent.from, side.other());
            assert!(!sent.arrived, "message {number} arrived twice");
            assert!(!sent.withdrawn, "message {number} was withdrawn before it was sent");
            sent.arrived = true;
            let (question, manner, target) = (sent.question, sent.manner, sent.target);
            assert_eq!((call.question, call.header.manner), (question, manner));
            assert!(call.target == Some(target) || self.is_gone(side, target), "{:?}", call.target);
            let before = self.end(side).last.insert(target, number);
            assert!(before < Some(number), "{number} arrived after {before:?} at {target:?}");
            self.end(side).running.push(question);
            self.take_in(side, &call.content.references);
        }
        for (token, end) in ended {
            let number =
                self.sent.iter().position(|sent| sent.token == token).expect("it was sent");
            assert!(!self.sent[number].given_up, "nobody waits for {number} any more");
            self.end(side).open.retain(|open| *open != number);
            match end {
                End::Answered(_, content) => {
                    assert!(self.sent[number].manner != Manner::Tell && self.sent[number].arrived);
                    self.take_in(side, &content.references);
                }
                End::HandedOver => assert_eq!(self.sent[number].manner, Manner::Tell),
                // That it was not executed must stay true: as good as withdrawn.
                End::Lost(Outcome::NotExecuted) => {
                    assert!(!self.sent[number].arrived, "message {number} had arrived");
                    self.sent[number].withdrawn = true;
                }
                End::Refused => unreachable!("nobody here calls from within a method"),
                End::Lost(outcome) => assert_eq!(outcome, Outcome::Unknown),
            }
            self.sent[number].given_up = true;
        }
        unwanted.iter().for_each(|content| self.take_in(side, &content.references));
        for question in cancelled {
            assert!(self.end(side).running.contains(&question), "{question:?} does not run");
        }
        self.check_references();
    }

    /// A promise that was itself never sent cannot be pipelined on.
    fn is_gone(&self, side: Side, target: Target) -> bool {
        let Target::Answer(question) = target else { return false };
        let mut promises = self.sent.iter().filter(|sent| sent.from == side.other());
        promises.any(|sent| sent.question == question && sent.withdrawn)
    }

    /// Each introduction is a proxy; what comes home is still shown.
    fn take_in(&mut self, side: Side, references: &[Descriptor]) {
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

    /// Invariants 3 and 5: whoever holds a proxy is counted by the owner.
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

    /// Every message has ended as it should: each arrived once or was given up, and its caller was told.
    pub(super) fn assert_complete(&self) {
        for (number, sent) in self.sent.iter().enumerate() {
            assert!(
                sent.arrived != sent.withdrawn,
                "message {number} neither arrived nor was withdrawn"
            );
            assert!(sent.given_up, "the caller of {number} still waits");
        }
        let questions: HashSet<_> =
            self.sent.iter().map(|sent| (sent.from, sent.question)).collect();
        assert_eq!(questions.len(), self.sent.len(), "an id was used twice");
    }

    /// Every caller was told something, once; what it was told is true.
    pub(super) fn assert_all_told(&self) {
        assert!(self.sent.iter().all(|sent| sent.given_up));
    }
}

/// A body that begins with a number, and cannot lose a part unnoticed.
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
