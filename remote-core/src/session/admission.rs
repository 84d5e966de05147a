//! The queues of a call between the application and the wire: for the window, then for its lane. The order of calls is
//! kept.
//!
//! It must not know the content, except for the objects that it names: they must not be released before the call is sent.

use super::event::Event;
use super::header::{CallHeader, OUTERMOST_NESTING};
use super::lease::Reads;
use super::machine::Session;
use super::outgoing::{BodyOf, Queued, extent};
use super::questions::{Finish, Progress};
use crate::id::{FrameNumber, ObjectId, QuestionId};
use crate::wire::content::Packed;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{CHUNK, Frame, Manner, Target};

impl Session {
    /// Returns true if a call can skip the queues: it is small, the window and the buffer have room, and no call waits.
    pub(super) fn may_send_at_once(&self, packed: &Packed) -> bool {
        packed.size() <= CHUNK as u64
            && self.waiting.is_empty()
            && self.outgoing.is_unblocked()
            && self.has_room()
            && self.questions.has_room_for(packed.size())
    }

    /// Sends a call, or queues it until there is room.
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

    /// Admits waiting calls, because a call has ended or the peer has issued credit.
    pub(super) fn make_room(&mut self) {
        if !self.waiting.is_empty() {
            self.deadlock_timer.reset(self.now);
            self.admit_waiting();
        }
    }

    /// Refuses the nested calls that wait for the window, if the queue has not advanced for a term: they may be deadlocked.
    pub(super) fn refuse_deadlocked(&mut self, reads: Reads) {
        let waits = |call: &Queued| call.header.nesting > OUTERMOST_NESTING;
        // A queue that is not empty may still advance, or its frames may cause the peer to free window.
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

    /// Admits waiting calls, as far as there is room.
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

    /// Notes that a waiting call was withdrawn. Calls after it may now fit, and many withdrawn calls must not keep their
    /// memory.
    pub(super) fn note_withdrawn(&mut self) {
        self.withdrawn += 1;
        if self.withdrawn * 2 > self.waiting.len() {
            self.sweep_waiting();
        }
        self.admit_waiting();
    }

    /// Notes that the last chunk of a large body is in the buffer.
    pub(super) fn complete(&mut self, message: BodyOf, last: FrameNumber) {
        let (question, lane, target, references) = match message {
            BodyOf::Answer { references, .. } => return self.unpin(None, &references),
            BodyOf::Call { question, lane, target, references } => {
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

    /// Sends `Finish` for an answer, if the promise was dropped and no message to the answer waits.
    pub(super) fn finish_if_unused(&mut self, question: QuestionId) {
        let Some(open) = self.questions.get_mut(question) else { return };
        let sent = matches!(open.progress, Progress::Sent(_) | Progress::Answered);
        if open.finish != Finish::Wanted || open.users > 0 || !sent {
            return;
        }
        open.finish = Finish::Sent;
        let answered = open.progress == Progress::Answered;
        self.outgoing.frame(&Frame::Finish { question });
        if answered {
            self.questions.forget(question);
        }
    }

    /// Keeps objects from being released, until the message that names them is sent in full.
    pub(super) fn pin(&mut self, target: Option<Target>, references: &[Descriptor]) {
        named(target, references).for_each(|object| self.imports.pin(object));
    }

    fn unpin(&mut self, target: Option<Target>, references: &[Descriptor]) {
        named(target, references).for_each(|object| self.imports.unpin(object));
    }

    /// Takes back introductions in a message that will not be sent.
    pub(crate) fn retract_all(&mut self, references: &[Descriptor]) {
        for reference in references {
            if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } =
                *reference
            {
                self.retract(object);
            }
        }
    }

    /// Takes back one introduction that will not be sent.
    pub(super) fn retract(&mut self, object: ObjectId) {
        if self.exports.release(object, 1) == Ok(true) {
            self.events.push_back(Event::Unexported { object });
        }
    }

    fn has_room_for(&self, call: &Queued) -> bool {
        self.has_room() && self.questions.has_room_for(call.packed.size())
    }

    /// Counts a call in the window and sends it, or queues it behind the large call in its lane.
    fn admit(&mut self, call: Queued) {
        let Some(question) = self.questions.admit(call.question) else { return };
        if call.header.manner == Manner::OneWay
            && let Some(token) = question.token.take()
        {
            self.hand_over(call.question, token);
        }
        self.submit(call);
    }

    fn submit(&mut self, call: Queued) {
        let lane = self.outgoing.lane(call.target);
        if self.outgoing.is_blocked(lane) {
            self.hold(call.target, &call.references);
            self.outgoing.queue_behind(lane, call);
        } else {
            self.emit(call, lane);
        }
    }

    fn emit(&mut self, call: Queued, lane: Target) {
        let Queued { question, target, header, packed, references } = call;
        let CallHeader { selector, manner, nesting, deadline, chain, .. } = header;
        let deadline = deadline.map_or(0, |deadline| {
            // Rounded up: the deadline must not pass at the receiver before it passes here.
            let left = deadline.saturating_duration_since(self.now).as_nanos().div_ceil(1_000_000);
            u64::try_from(left).unwrap_or(u64::MAX - 1).saturating_add(1)
        });
        let extent = extent(&packed);
        let content = &[];
        let head = Frame::Call {
            question,
            target,
            selector,
            manner,
            nesting,
            deadline,
            chain: chain.bytes(),
            extent,
            content,
        };
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
        if let (Manner::OneWay, Progress::Sent(Some(last))) = (open.manner, progress) {
            self.questions.forget(question);
            self.note_one_way_sent(question, last);
        } else {
            self.finish_if_unused(question);
        }
    }

    /// Removes the withdrawn calls from the queue.
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

    /// Keeps the objects that a call names, and the answer that it is sent to, until the call is sent in full.
    fn hold(&mut self, target: Target, references: &[Descriptor]) {
        self.pin(Some(target), references);
        if let Target::Answer(question) = target
            && let Some(promise) = self.questions.get_mut(question)
        {
            promise.users += 1;
        }
    }

    /// Ends `hold` for the target of a call: the call was sent in full, is queued elsewhere, or will not be sent.
    fn unhold(&mut self, target: Target) {
        if let Target::Answer(question) = target
            && let Some(promise) = self.questions.get_mut(question)
        {
            promise.users -= 1;
            self.finish_if_unused(question);
        }
    }
}

/// Returns the peer's objects that a message names.
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
