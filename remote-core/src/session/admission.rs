//! Owns the way of a call from the application to the wire: it waits for room, then behind a big one, and keeps its place.
//!
//! It must not know what is inside, but for the objects that it names: they are not given back before it.

use super::event::Event;
use super::lease::Reads;
use super::machine::Session;
use super::outgoing::{Queued, Whose, extent};
use super::questions::{Finish, Progress};
use crate::id::{FrameNumber, ObjectId, QuestionId};
use crate::wire::content::Packed;
use crate::wire::frame::{CHUNK, Descriptor, Frame, Manner, Target};

/// The nesting of a call that is made outside of any method.
const OUTERMOST: u8 = 1;

impl Session {
    /// Whether a call needs none of the steps below: it is small, there is room, and nothing is before it.
    pub(super) fn may_send_at_once(&self, packed: &Packed) -> bool {
        packed.size() <= CHUNK as u64
            && self.waiting.is_empty()
            && self.outgoing.is_unblocked()
            && self.has_room()
            && self.questions.has_room_for(packed.size())
    }

    /// Sends a call, or lets it wait for room.
    pub(super) fn enqueue(&mut self, call: Queued) {
        if self.waiting.is_empty() && self.has_room_for(&call) {
            self.admit(call);
        } else {
            if self.waiting.is_empty() {
                self.deadlock_timer.reset(self.now);
            }
            self.hold(call.target, &call.references);
            self.waiting.push_back(call);
        }
    }

    /// A call has ended, or places were granted anew: those that wait may go.
    pub(super) fn make_room(&mut self) {
        if !self.waiting.is_empty() {
            self.deadlock_timer.reset(self.now);
            self.admit_waiting();
        }
    }

    /// Refuses the nested calls that wait for the window, if the queue has not advanced for a term: they may be deadlocked.
    pub(super) fn refuse_deadlocked(&mut self, reads: Reads) {
        let waits = |call: &Queued| call.nesting > OUTERMOST;
        // What is still to be written may well be what makes room.
        let moves = reads == Reads::Blocked || self.suspended || !self.outgoing.is_empty();
        if moves || !self.waiting.iter().any(waits) {
            return self.deadlock_timer.reset(self.now);
        }
        if !self.deadlock_timer.has_expired(self.now) {
            return;
        }
        self.deadlock_timer.reset(self.now);
        for call in self.waiting.iter().filter(|call| waits(call)) {
            let Some(question) = self.questions.get_mut(call.question) else { continue };
            let token = question.token.take();
            self.questions.withdraw(call.question);
            self.events.extend(token.map(|token| Event::Refused { token }));
        }
        self.sweep_waiting();
        self.admit_waiting();
    }

    /// Lets calls that wait go, as far as there is room.
    pub(super) fn admit_waiting(&mut self) {
        while let Some(call) = self.waiting.front() {
            let withdrawn = self.questions.get_mut(call.question).is_none();
            if !withdrawn && !self.has_room_for(&self.waiting[0]) {
                return;
            }
            let Some(call) = self.waiting.pop_front() else { return };
            let target = call.target;
            self.unpin(Some(target), &call.references);
            if withdrawn {
                self.withdrawn -= 1;
                self.retract_all(&call.references);
            } else {
                self.admit(call);
            }
            self.unhold(target);
        }
    }

    /// A call that waits for room was withdrawn: those behind it may fit, and many such must not hold their memory.
    pub(super) fn note_withdrawn(&mut self) {
        self.withdrawn += 1;
        if self.withdrawn * 2 > self.waiting.len() {
            self.sweep_waiting();
        }
        self.admit_waiting();
    }

    /// The last chunk of a big body was made ready.
    pub(super) fn complete(&mut self, whose: Whose, last: FrameNumber) {
        let (question, lane, target, references) = match whose {
            Whose::Answer { references, .. } => return self.unpin(None, &references),
            Whose::Call { question, lane, target, references } => {
                (question, lane, target, references)
            }
        };
        self.unpin(Some(target), &references);
        self.note_sent(question, Progress::Sent(Some(last)));
        self.unhold(target);
        for call in self.outgoing.unblock(lane) {
            let target = call.target;
            self.unpin(Some(target), &call.references);
            if self.questions.get_mut(call.question).is_some() {
                self.submit(call);
            } else {
                self.retract_all(&call.references);
            }
            self.unhold(target);
        }
    }

    /// Tells the peer that it may let go of an answer, if nothing that is for it waits any more.
    pub(super) fn finish_if_unused(&mut self, question: QuestionId) {
        let Some(open) = self.questions.get_mut(question) else { return };
        let sent = matches!(open.progress, Progress::Sent(_) | Progress::Answered);
        if open.finish != Finish::Wanted || open.users > 0 || !sent {
            return;
        }
        open.finish = Finish::Told;
        let answered = open.progress == Progress::Answered;
        self.outgoing.frame(&Frame::Finish { question });
        if answered {
            self.questions.forget(question);
        }
    }

    /// Until a message is sent in full, the objects that it names must not be given back.
    pub(super) fn pin(&mut self, target: Option<Target>, references: &[Descriptor]) {
        named(target, references).for_each(|object| self.imports.pin(object));
    }

    fn unpin(&mut self, target: Option<Target>, references: &[Descriptor]) {
        named(target, references).for_each(|object| self.imports.unpin(object));
    }

    /// A message that would have introduced these will not be sent.
    pub(super) fn retract_all(&mut self, references: &[Descriptor]) {
        for reference in references {
            if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } =
                *reference
            {
                self.retract(object);
            }
        }
    }

    /// An introduction that was entered will not be sent.
    pub(crate) fn retract(&mut self, object: ObjectId) {
        if self.exports.release(object, 1) == Ok(true) {
            self.events.push_back(Event::Unexported { object });
        }
    }

    fn has_room_for(&self, call: &Queued) -> bool {
        self.has_room() && self.questions.has_room_for(call.packed.size())
    }

    /// Counts a call in the window and sends it, or puts it behind the big one that is on its way to the same object.
    fn admit(&mut self, call: Queued) {
        let Some(question) = self.questions.admit(call.question) else { return };
        if call.manner == Manner::Tell
            && let Some(token) = question.token.take()
        {
            self.events.push_back(Event::HandedOver { token });
        }
        self.submit(call);
    }

    fn submit(&mut self, call: Queued) {
        let lane = self.outgoing.lane(call.target);
        if self.outgoing.is_blocked(lane) {
            self.hold(call.target, &call.references);
            self.outgoing.wait_behind(lane, call);
        } else {
            self.emit(call, lane);
        }
    }

    fn emit(&mut self, call: Queued, lane: Target) {
        let Queued { question, target, selector, manner, nesting, deadline, packed, references } =
            call;
        let deadline = deadline.map_or(0, |deadline| {
            let left = deadline.saturating_duration_since(self.now).as_millis();
            u64::try_from(left).unwrap_or(u64::MAX - 1) + 1
        });
        let extent = extent(&packed);
        let content = &[];
        let head =
            Frame::Call { question, target, selector, manner, nesting, deadline, extent, content };
        let progress = if extent.total == 0 {
            Progress::Sent(Some(
                self.outgoing.frame_with(&head, &[&packed.body, &packed.references]),
            ))
        } else {
            debug_assert!(packed.size() > CHUNK as u64);
            self.hold(target, &references);
            self.outgoing.begin_call(head, lane, target, references, packed);
            Progress::Sent(None)
        };
        self.note_sent(question, progress);
    }

    fn note_sent(&mut self, question: QuestionId, progress: Progress) {
        let Some(open) = self.questions.get_mut(question) else { return };
        open.progress = progress;
        let complete = matches!(progress, Progress::Sent(Some(_)));
        if open.manner == Manner::Tell && complete {
            self.questions.forget(question);
        } else {
            self.finish_if_unused(question);
        }
    }

    /// Forgets the waiting calls that were withdrawn.
    fn sweep_waiting(&mut self) {
        for call in std::mem::take(&mut self.waiting) {
            if self.questions.get_mut(call.question).is_some() {
                self.waiting.push_back(call);
            } else {
                self.unpin(Some(call.target), &call.references);
                self.retract_all(&call.references);
                self.unhold(call.target);
            }
        }
        self.withdrawn = 0;
    }

    /// Until a call is sent in full, neither what it names nor the answer that it is for may be given back.
    fn hold(&mut self, target: Target, references: &[Descriptor]) {
        self.pin(Some(target), references);
        if let Target::Answer(question) = target
            && let Some(promise) = self.questions.get_mut(question)
        {
            promise.users += 1;
        }
    }

    /// The call has been sent in full, waits elsewhere, or never will be sent.
    fn unhold(&mut self, target: Target) {
        if let Target::Answer(question) = target
            && let Some(promise) = self.questions.get_mut(question)
        {
            promise.users -= 1;
            self.finish_if_unused(question);
        }
    }
}

/// The objects of the peer's that a message names.
pub(super) fn named(
    target: Option<Target>,
    references: &[Descriptor],
) -> impl Iterator<Item = ObjectId> + '_ {
    let target = match target {
        Some(Target::Object(object)) => Some(object),
        Some(Target::Answer(_)) | None => None,
    };
    target.into_iter().chain(references.iter().filter_map(|reference| match reference {
        Descriptor::Yours { object, .. } => Some(*object),
        _ => None,
    }))
}
