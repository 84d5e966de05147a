//! Owns the session: what comes in, what goes out, and the tables between them.
//!
//! It must not know tasks, sockets, objects or users' types. Every method is one of four kinds: getters; `receive` and
//! `time_out` for what comes in; commands of the application (`ask`, `answer`, `cancel`, `finish`, `release`, `watch`,
//! `close`); and `poll_*` for what goes out. Invariant 6: after a mutation, drain: transmit, timeout, event.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answers::Answers;
use super::event::{Cause, Event, IncomingCall};
use super::exports::{Exports, Presence};
use super::imports::Imports;
use super::incoming::Partials;
use super::liveness::{Due, Liveness};
use super::names::{Announced, Heard, Name};
use super::outgoing::{Outgoing, Queued, Whose, extent};
use super::questions::{Finish, Progress, Questions};
use crate::error::{Error, Outcome};
use crate::id::{FrameNumber, NameId, ObjectId, QuestionId};
use crate::limits::Limits;
use crate::wire::breach::Breach;
use crate::wire::codec::Body;
use crate::wire::content::Content;
use crate::wire::frame::{
    CHUNK, Descriptor, Extent, Frame, LENGTH, LONGEST_FRAME, Manner, Status, Target,
};
use crate::wire::hello::Grant;

/// Acknowledge at the latest after so many frames, if nothing else is sent meanwhile.
const UNACKNOWLEDGED: u64 = 64;

/// What a session is made of.
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    /// What the peer lets this side have in progress.
    pub(crate) granted: Grant,
}

/// A call to be sent.
pub(crate) struct Ask<'a> {
    pub(crate) token: usize,
    pub(crate) target: Target,
    pub(crate) selector: (&'a str, u64),
    pub(crate) manner: Manner,
    pub(crate) nesting: u8,
    pub(crate) deadline: Option<Instant>,
    pub(crate) content: Content,
}

/// One session, from the verdict to the end.
pub(crate) struct Session {
    limits: Limits,
    now: Instant,
    exports: Exports,
    imports: Imports,
    questions: Questions,
    answers: Answers,
    announced: Announced,
    heard: Heard,
    partial_calls: Partials<CallHead>,
    partial_answers: Partials<Status>,
    outgoing: Outgoing,
    /// Calls for which there is no room yet, in order.
    waiting: VecDeque<Queued>,
    /// How many of them were withdrawn meanwhile.
    withdrawn: usize,
    events: VecDeque<Event>,
    liveness: Liveness,
    received: FrameNumber,
    acknowledged: FrameNumber,
    transmitted: FrameNumber,
    acknowledged_by_peer: FrameNumber,
    closed: Option<Cause>,
}

struct CallHead {
    target: Target,
    selector: Arc<Name>,
    manner: Manner,
    nesting: u8,
    deadline: Option<Duration>,
}

// ---- getters

impl Session {
    pub(crate) fn new(settings: Settings, now: Instant) -> Session {
        let Settings { limits, granted } = settings;
        let own = Grant::of(&limits);
        Session {
            liveness: Liveness::new(limits.ping, limits.silence, now),
            now,
            exports: Exports::default(),
            imports: Imports::default(),
            questions: Questions::new(granted),
            answers: Answers::new(own),
            announced: Announced::default(),
            heard: Heard::default(),
            partial_calls: Partials::default(),
            partial_answers: Partials::default(),
            outgoing: Outgoing::default(),
            waiting: VecDeque::new(),
            withdrawn: 0,
            events: VecDeque::new(),
            received: FrameNumber(0),
            acknowledged: FrameNumber(0),
            transmitted: FrameNumber(0),
            acknowledged_by_peer: FrameNumber(0),
            closed: None,
            limits,
        }
    }

    pub(crate) fn closed(&self) -> Option<&Cause> {
        self.closed.as_ref()
    }

    /// The name of an interface in a descriptor, if the sender knew one.
    pub(crate) fn name(&self, id: NameId) -> Option<&Arc<Name>> {
        self.heard.get(id).ok()
    }

    /// Whether answers may be made: past the limit of the queue they wait.
    pub(crate) fn has_room(&self) -> bool {
        self.outgoing.len() < self.limits.queue
    }

    /// Whether messages to this answer still wait to be sent.
    pub(crate) fn is_behind(&self, question: QuestionId) -> bool {
        self.outgoing.is_blocked(self.outgoing.lane(Target::Answer(question)))
            || self.waiting.iter().any(|call| call.target == Target::Answer(question))
    }

    pub(crate) fn export_count(&self) -> usize {
        self.exports.len()
    }

    pub(crate) fn import_count(&self) -> usize {
        self.imports.len()
    }

    pub(crate) fn question_count(&self) -> usize {
        self.questions.len()
    }

    pub(crate) fn running(&self) -> u64 {
        self.answers.running()
    }

    /// Bytes held for the peer.
    pub(crate) fn held(&self) -> usize {
        self.outgoing.len() + self.partial_calls.held() + self.partial_answers.held()
    }
}

// ---- what comes in

impl Session {
    /// Takes bytes from the connection. Returns how many were used: what is left is the beginning of a frame.
    pub(crate) fn receive(&mut self, now: Instant, input: &[u8]) -> usize {
        self.now = now;
        self.liveness.heard(now);
        let mut used = 0;
        while self.closed.is_none() {
            let rest = &input[used..];
            let Some((length, rest)) = rest.split_first_chunk::<LENGTH>() else { return used };
            let length = u32::from_le_bytes(*length);
            if length == 0 || length as usize > LONGEST_FRAME {
                self.breach(Breach::FrameLength(length));
                break;
            }
            let Some(frame) = rest.get(..length as usize) else { return used };
            if let Err(breach) = self.receive_frame(frame) {
                self.breach(breach);
                break;
            }
            used += LENGTH + length as usize;
        }
        input.len()
    }

    /// The connection has ended.
    pub(crate) fn lose(&mut self, reason: &str) {
        self.end(Cause::Lost { reason: reason.to_owned() });
    }

    /// Time has passed.
    pub(crate) fn time_out(&mut self, now: Instant) {
        self.now = now;
        match self.liveness.due(now) {
            Due::Nothing => {}
            Due::Ping if self.closed.is_none() => {
                self.outgoing.frame(&Frame::Ping);
                self.liveness.sent(now);
            }
            Due::Ping => {}
            Due::Lost => {
                let silence = self.liveness.silence().as_secs_f32();
                self.lose(&format!("the peer was silent for {silence} s"));
            }
        }
    }

    fn receive_frame(&mut self, bytes: &[u8]) -> Result<(), Breach> {
        let (number, frame) = Frame::read(bytes)?;
        if let Some(number) = number {
            if number.0 <= self.received.0 {
                return Ok(()); // Sent again, but it had arrived.
            }
            if number.0 != self.received.0 + 1 {
                return Err(Breach::Number);
            }
            self.received = number;
        }
        match frame {
            Frame::Call {
                question,
                target,
                selector,
                manner,
                nesting,
                deadline,
                extent,
                content,
            } => {
                let head = CallHead {
                    target,
                    selector: Arc::clone(self.heard.get(selector)?),
                    manner,
                    nesting,
                    deadline: deadline.checked_sub(1).map(Duration::from_millis),
                };
                self.receive_call(question, head, extent, content)
            }
            Frame::Answer { question, status, extent, content } => {
                self.receive_answer(question, status, extent, content)
            }
            Frame::CallChunk { question, bytes } => {
                match self.partial_calls.chunk(question, bytes)? {
                    Some((head, content)) => self.deliver_call(question, head, content),
                    None => Ok(()),
                }
            }
            Frame::AnswerChunk { question, bytes } => {
                match self.partial_answers.chunk(question, bytes)? {
                    Some((status, content)) => self.deliver_answer(question, status, content),
                    None => Ok(()),
                }
            }
            Frame::Cancel { question } => {
                // The answer may have crossed it: then there is nothing left to cancel.
                if self.answers.is_running(question) {
                    self.events.push_back(Event::Cancelled { question });
                }
                Ok(())
            }
            Frame::Finish { question } => {
                self.answers.finish(question)?;
                self.events.push_back(Event::Finished { question });
                Ok(())
            }
            Frame::Release { object, introductions } => {
                if self.exports.release(object, introductions)? {
                    self.events.push_back(Event::Unexported { object });
                }
                Ok(())
            }
            Frame::Name { id, fingerprint, name } => self.heard.announce(id, fingerprint, name),
            Frame::Watch { watch, object } => {
                if !self.exports.contains(object) {
                    return Err(Breach::References);
                }
                self.events.push_back(Event::Watch { watch, object });
                Ok(())
            }
            Frame::Unwatch { watch } => {
                self.events.push_back(Event::Unwatch { watch });
                Ok(())
            }
            Frame::Ended { watch, stopped, reason } => {
                self.events.push_back(Event::WatchEnded {
                    watch,
                    stopped,
                    reason: reason.to_owned(),
                });
                Ok(())
            }
            Frame::Close { reason, .. } => {
                self.end(Cause::ClosedThere { reason: reason.to_owned() });
                Ok(())
            }
            Frame::Acknowledge { number } => {
                if number.0 > self.transmitted.0 {
                    return Err(Breach::Acknowledgement);
                }
                self.acknowledged_by_peer = self.acknowledged_by_peer.max(number);
                Ok(())
            }
            Frame::Credit { calls, bytes } => {
                if !self.questions.credit(calls, bytes) {
                    return Err(Breach::Window);
                }
                self.admit_waiting();
                Ok(())
            }
            Frame::Ping => Ok(()),
        }
    }

    fn receive_call(
        &mut self,
        question: QuestionId,
        head: CallHead,
        extent: Extent,
        content: &[u8],
    ) -> Result<(), Breach> {
        let size = if extent.total > 0 { extent.total } else { content.len() as u64 };
        if size > self.limits.body as u64 {
            return Err(Breach::Body(size));
        }
        self.answers.open(question, head.manner, size)?;
        if head.manner == Manner::Promise {
            self.events.push_back(Event::Promised { question });
        }
        if extent.total > 0 {
            return self.partial_calls.begin(
                question,
                head,
                extent,
                content,
                self.limits.window_bytes,
            );
        }
        self.deliver_call(
            question,
            head,
            Content::read(Body::from_slice(content), extent.references)?,
        )
    }

    fn deliver_call(
        &mut self,
        question: QuestionId,
        head: CallHead,
        content: Content,
    ) -> Result<(), Breach> {
        self.register(&content)?;
        let known = match head.target {
            Target::Object(object) => self.exports.contains(object),
            Target::Answer(question) => self.answers.is_promise(question),
        };
        let CallHead { target, selector, manner, nesting, deadline } = head;
        let target = known.then_some(target);
        let call = IncomingCall { question, target, selector, manner, nesting, deadline, content };
        self.events.push_back(Event::Call(call));
        Ok(())
    }

    fn receive_answer(
        &mut self,
        question: QuestionId,
        status: Status,
        extent: Extent,
        content: &[u8],
    ) -> Result<(), Breach> {
        if extent.total > self.limits.body as u64 {
            return Err(Breach::Body(extent.total));
        }
        if extent.total > 0 {
            if self.questions.get_mut(question).is_none() {
                return Err(Breach::Question);
            }
            return self.partial_answers.begin(
                question,
                status,
                extent,
                content,
                self.limits.window_bytes,
            );
        }
        self.deliver_answer(
            question,
            status,
            Content::read(Body::from_slice(content), extent.references)?,
        )
    }

    fn deliver_answer(
        &mut self,
        question: QuestionId,
        status: Status,
        content: Content,
    ) -> Result<(), Breach> {
        self.register(&content)?;
        let token = self.questions.answer(question).ok_or(Breach::Question)?;
        self.events.push_back(Event::Answered { token, status, content });
        self.admit_waiting();
        Ok(())
    }

    /// Enters the references of a message into the tables, before anything of the user's is decoded.
    fn register(&mut self, content: &Content) -> Result<(), Breach> {
        for reference in &content.references {
            let (Descriptor::Mine { interface, .. }
            | Descriptor::Yours { interface, .. }
            | Descriptor::Forwarded { interface, .. }) = *reference;
            if interface != NameId::NONE {
                self.heard.get(interface)?;
            }
            match *reference {
                Descriptor::Yours { object, .. } if !self.exports.contains(object) => {
                    return Err(Breach::References);
                }
                Descriptor::Yours { .. } => {}
                Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } => {
                    self.imports.introduce(object);
                    if self.imports.len() > self.limits.references {
                        return Err(Breach::References);
                    }
                }
            }
        }
        Ok(())
    }
}

// ---- commands

impl Session {
    /// The number that stands for a name, which is announced if it is new.
    pub(crate) fn intern(&mut self, text: &str, fingerprint: u64) -> NameId {
        let (id, new) = self.announced.intern(fingerprint);
        if new {
            self.outgoing.frame(&Frame::Name { id, fingerprint, name: text });
        }
        id
    }

    /// Enters an object of ours that is about to be named to the peer.
    pub(crate) fn introduce(&mut self, object: ObjectId) -> Result<Presence, Error> {
        let limit = self.limits.references.min(self.questions.granted().references as usize);
        if self.exports.len() >= limit && !self.exports.contains(object) {
            return Err(Error::Quota(format!(
                "{limit} objects exported to one peer (`Limits::references`)"
            )));
        }
        Ok(self.exports.introduce(object))
    }

    /// An introduction that was entered will not be sent.
    pub(crate) fn retract(&mut self, object: ObjectId) {
        if self.exports.release(object, 1) == Ok(true) {
            self.events.push_back(Event::Unexported { object });
        }
    }

    /// Sends a call, or lets it wait for room: it keeps its place.
    pub(crate) fn ask(&mut self, now: Option<Instant>, ask: Ask<'_>) -> Result<QuestionId, Error> {
        if let Some(now) = now {
            self.now = now;
        }
        if let Some(cause) = &self.closed {
            return Err(Error::SessionLost {
                reason: cause.reason().to_owned(),
                outcome: Outcome::NotExecuted,
            });
        }
        let Ask {
            token,
            target,
            selector: (text, fingerprint),
            manner,
            nesting,
            deadline,
            content,
        } = ask;
        let references = content.references.clone();
        let packed = content.pack();
        let (size, limit) = (packed.size(), self.questions.granted().body);
        if size > limit {
            return Err(Error::TooLarge { size, limit });
        }
        let selector = self.intern(text, fingerprint);
        let question = self.questions.open(token, manner, size);
        let call =
            Queued { question, target, selector, manner, nesting, deadline, packed, references };
        if self.waiting.is_empty() && self.has_room() && self.questions.has_room_for(size) {
            self.admit(call);
        } else {
            self.hold(&call);
            self.waiting.push_back(call);
        }
        Ok(question)
    }

    /// The caller gave up. What was not sent is not sent; what was is cancelled.
    pub(crate) fn cancel(&mut self, question: QuestionId) {
        let Some(open) = self.questions.get_mut(question) else { return };
        match open.progress {
            Progress::Waiting => {
                self.questions.withdraw(question);
                self.withdrawn += 1;
                if self.withdrawn * 2 > self.waiting.len() {
                    self.sweep_waiting();
                }
            }
            Progress::Admitted => {
                self.questions.withdraw(question);
                self.admit_waiting();
            }
            Progress::Sent(_) => {
                open.token = None;
                self.outgoing.frame(&Frame::Cancel { question });
            }
            Progress::Answered => {}
        }
    }

    /// The promise is gone: nothing more will be sent to its answer.
    pub(crate) fn finish(&mut self, question: QuestionId) {
        let Some(open) = self.questions.get_mut(question) else { return };
        open.finish = Finish::Wanted;
        open.token = None;
        self.finish_if_unused(question);
    }

    /// A call of the peer's has ended. Every call is answered exactly once: what comes later is dropped. Returns the
    /// objects whose introduction was in vain.
    pub(crate) fn answer(&mut self, question: QuestionId, status: Status, content: Content) {
        if self.closed.is_some() {
            return;
        }
        match self.answers.answer(question) {
            Some(Manner::Ask | Manner::Promise) => {}
            Some(Manner::Tell) | None => return self.retract_all(&content.references),
        }
        let packed = content.pack();
        let extent = extent(&packed);
        let head = Frame::Answer { question, status, extent, content: &[] };
        if extent.total == 0 {
            self.outgoing.frame_with(&head, &[&packed.body, &packed.references]);
        } else {
            self.outgoing.begin_answer(head, packed, self.questions.granted().bytes);
        }
    }

    /// The largest answer that the peer takes.
    pub(crate) fn largest_answer(&self) -> u64 {
        self.questions.granted().body
    }

    /// A proxy that stood for one introduction was dropped.
    pub(crate) fn release(&mut self, object: ObjectId) {
        self.imports.drop_one(object);
    }

    pub(crate) fn watch(&mut self, watch: u64, object: ObjectId) {
        self.outgoing.frame(&Frame::Watch { watch, object });
    }

    pub(crate) fn unwatch(&mut self, watch: u64) {
        self.outgoing.frame(&Frame::Unwatch { watch });
    }

    pub(crate) fn tell_ended(&mut self, watch: u64, stopped: bool, reason: &str) {
        self.outgoing.frame(&Frame::Ended { watch, stopped, reason: shortened(reason) });
    }

    /// Ends the session in good order.
    pub(crate) fn close(&mut self, reason: &str) {
        if self.closed.is_none() {
            self.say_goodbye(0, reason);
            self.end(Cause::ClosedHere { reason: reason.to_owned() });
        }
    }
}

// ---- what goes out

impl Session {
    /// What happened, in the order in which it did.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When `time_out` is to be called next, if nothing happens before.
    pub(crate) fn poll_timeout(&self) -> Instant {
        self.liveness.next()
    }

    /// Whether there is something to be written.
    pub(crate) fn wants_transmit(&self) -> bool {
        !self.outgoing.is_empty()
            || (self.closed.is_none()
                && (self.imports.has_releases()
                    || self.answers.owes_credit()
                    || self.received.0 - self.acknowledged.0 >= UNACKNOWLEDGED))
    }

    /// Hands over the bytes to be written next, and takes an empty buffer for them.
    pub(crate) fn poll_transmit(&mut self, now: Instant, empty: &mut Vec<u8>) {
        self.now = now;
        if self.closed.is_none() {
            self.imports.take_releases(|object, introductions| {
                self.outgoing.frame(&Frame::Release { object, introductions });
            });
            while let Some((whose, last)) = self.outgoing.chunk(self.questions.granted().bytes) {
                self.complete(whose, last);
            }
            if self.answers.owes_credit() || self.outgoing.has_frames() {
                if let Some((calls, bytes)) = self.answers.take_credit() {
                    self.outgoing.frame(&Frame::Credit { calls, bytes });
                }
            }
            let unacknowledged = self.received.0 - self.acknowledged.0;
            if unacknowledged >= UNACKNOWLEDGED
                || (unacknowledged > 0 && self.outgoing.has_frames())
            {
                self.acknowledge();
            }
        }
        self.outgoing.take(empty);
        self.transmitted = self.outgoing.last();
        if !empty.is_empty() {
            self.liveness.sent(now);
        }
        self.admit_waiting();
    }
}

// ---- helpers

impl Session {
    /// Counts a call in the window and sends it, or puts it behind the big one that is on its way to the same object.
    fn admit(&mut self, call: Queued) {
        let Some(question) = self.questions.admit(call.question) else { return };
        if call.manner == Manner::Tell {
            if let Some(token) = question.token.take() {
                self.events.push_back(Event::HandedOver { token });
            }
        }
        self.submit(call);
    }

    fn submit(&mut self, call: Queued) {
        let lane = self.outgoing.lane(call.target);
        if self.outgoing.is_blocked(lane) {
            self.hold(&call);
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
            self.pin(target, &references);
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

    /// Tells the peer that it may let go of an answer, if nothing that is for it waits any more.
    fn finish_if_unused(&mut self, question: QuestionId) {
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

    /// The last chunk of a big body was made ready.
    fn complete(&mut self, whose: Whose, last: FrameNumber) {
        let Whose::Call { question, lane, references, target } = whose else { return };
        self.unpin(target, &references);
        self.note_sent(question, Progress::Sent(Some(last)));
        for call in self.outgoing.unblock(lane) {
            let target = call.target;
            self.unpin(target, &call.references);
            if self.questions.get_mut(call.question).is_some() {
                self.submit(call);
            } else {
                self.retract_all(&call.references);
            }
            self.unhold(target);
        }
    }

    /// Lets calls that wait go, as far as there is room.
    fn admit_waiting(&mut self) {
        while let Some(call) = self.waiting.front() {
            let withdrawn = self.questions.get_mut(call.question).is_none();
            if !withdrawn && (!self.has_room() || !self.questions.has_room_for(call.packed.size()))
            {
                return;
            }
            let Some(call) = self.waiting.pop_front() else { return };
            let target = call.target;
            self.unpin(target, &call.references);
            if withdrawn {
                self.withdrawn = self.withdrawn.saturating_sub(1);
                self.retract_all(&call.references);
            } else {
                self.admit(call);
            }
            self.unhold(target);
        }
    }

    /// Forgets the waiting calls that were withdrawn, once they are the greater part.
    fn sweep_waiting(&mut self) {
        for call in std::mem::take(&mut self.waiting) {
            if self.questions.get_mut(call.question).is_some() {
                self.waiting.push_back(call);
            } else {
                self.unpin(call.target, &call.references);
                self.retract_all(&call.references);
                self.unhold(call.target);
            }
        }
        self.withdrawn = 0;
    }

    /// While a call waits, what it names must not be given back before it.
    fn hold(&mut self, call: &Queued) {
        self.pin(call.target, &call.references);
        if let Target::Answer(question) = call.target {
            if let Some(promise) = self.questions.get_mut(question) {
                promise.users += 1;
            }
        }
    }

    /// A call that waited has been sent, waits elsewhere, or never will be sent.
    fn unhold(&mut self, target: Target) {
        if let Target::Answer(question) = target {
            if let Some(promise) = self.questions.get_mut(question) {
                promise.users -= 1;
                self.finish_if_unused(question);
            }
        }
    }

    fn pin(&mut self, target: Target, references: &[Descriptor]) {
        named(target, references).for_each(|object| self.imports.pin(object));
    }

    fn unpin(&mut self, target: Target, references: &[Descriptor]) {
        named(target, references).for_each(|object| self.imports.unpin(object));
    }

    fn retract_all(&mut self, references: &[Descriptor]) {
        for reference in references {
            if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } =
                *reference
            {
                self.retract(object);
            }
        }
    }

    fn breach(&mut self, breach: Breach) {
        let reason = breach.to_string();
        self.say_goodbye(breach.code(), &reason);
        self.end(Cause::Breach { reason });
    }

    fn say_goodbye(&mut self, code: u64, reason: &str) {
        // What the peer has of ours in progress is over: what was not acknowledged by now was not executed.
        self.acknowledge();
        self.outgoing.frame(&Frame::Close { code, reason: shortened(reason) });
    }

    fn acknowledge(&mut self) {
        self.outgoing.frame(&Frame::Acknowledge { number: self.received });
        self.acknowledged = self.received;
    }

    /// Ends the session: every call in progress is told what is known, every export is given back.
    fn end(&mut self, cause: Cause) {
        if self.closed.is_some() {
            return;
        }
        let in_good_order = matches!(cause, Cause::ClosedThere { .. });
        for question in self.questions.clear() {
            let outcome = match question.progress {
                Progress::Answered => continue,
                Progress::Waiting | Progress::Admitted | Progress::Sent(None) => {
                    Outcome::NotExecuted
                }
                Progress::Sent(Some(frame)) if frame.0 > self.transmitted.0 => Outcome::NotExecuted,
                Progress::Sent(Some(frame))
                    if in_good_order && frame.0 > self.acknowledged_by_peer.0 =>
                {
                    Outcome::NotExecuted
                }
                Progress::Sent(Some(_)) => Outcome::Unknown,
            };
            if let Some(token) = question.token {
                self.events.push_back(Event::Lost { token, outcome });
            }
        }
        self.events.extend(self.exports.clear().map(|object| Event::Unexported { object }));
        self.imports.clear();
        self.answers.clear();
        self.partial_calls = Partials::default();
        self.partial_answers = Partials::default();
        self.waiting.clear();
        self.outgoing.clear();
        self.closed = Some(cause.clone());
        self.events.push_back(Event::Closed { cause });
    }
}

/// The objects of the peer's that a message names.
fn named(target: Target, references: &[Descriptor]) -> impl Iterator<Item = ObjectId> + '_ {
    let target = match target {
        Target::Object(object) => Some(object),
        Target::Answer(_) => None,
    };
    target.into_iter().chain(references.iter().filter_map(|reference| match reference {
        Descriptor::Yours { object, .. } => Some(*object),
        _ => None,
    }))
}

/// Text for the peer that fits into a frame.
fn shortened(text: &str) -> &str {
    const LONGEST: usize = 1024;
    &text[..text.floor_char_boundary(LONGEST.min(text.len()))]
}
