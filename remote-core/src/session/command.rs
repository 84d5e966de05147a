//! The commands of the application.
//!
//! It must not know when their effect is complete: a command changes the tables and appends frames to the buffer.

use std::time::Instant;

use super::ending::truncated;
use super::exports::Presence;
use super::header::CallHeader;
use super::machine::Session;
use super::outgoing::{Queued, extent};
use super::questions::{Finish, Progress};
use crate::error::{Error, Outcome};
use crate::id::{CallToken, NameId, ObjectId, QuestionId, WatchId};
use crate::limits::Bounds;
use crate::wire::bounded_writer::Role;
use crate::wire::codec::Encoder;
use crate::wire::content::Content;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::{Frame, Manner, Status, Target};

/// A call to be sent.
pub(crate) struct OutgoingCall<'a> {
    pub(crate) token: CallToken,
    pub(crate) target: Target,
    /// The selector is the name and its fingerprint.
    pub(crate) header: CallHeader<(&'a str, Fingerprint)>,
    pub(crate) content: Content,
}

impl Session {
    /// Returns the number of the name of a message, which is announced if it is new; `None` if the peer accepts no more names.
    pub(crate) fn intern(&mut self, text: &str, fingerprint: Fingerprint) -> Option<NameId> {
        let (id, is_new) = self.announced.intern(fingerprint, text)?;
        if is_new {
            self.send(&Frame::Name { id, fingerprint, name: text });
        }
        Some(id)
    }

    /// Does the same for the name of an interface.
    pub(crate) fn intern_interface(&mut self, text: &str) -> Option<NameId> {
        let (id, is_new) = self.announced.intern_interface(text)?;
        if is_new {
            self.send(&Frame::Name { id, fingerprint: Fingerprint::NONE, name: text });
        }
        Some(id)
    }

    /// Counts an introduction of an object of this node in a message to the peer.
    pub(crate) fn introduce(&mut self, object: ObjectId) -> Result<Presence, Error> {
        let limit = self.limits.references.min(self.questions.granted().references as usize);
        if self.exports.len() >= limit && !self.exports.contains(object) {
            return Err(Error::Quota(format!(
                "{limit} objects exported to one peer (`Limits::references`)"
            )));
        }
        Ok(self.exports.introduce(object))
    }

    /// Sends a call, or queues it until there is room. If it fails, nothing was sent, and the caller must retract the
    /// introductions in the call.
    pub(crate) fn ask(
        &mut self,
        now: Option<Instant>,
        ask: OutgoingCall<'_>,
    ) -> Result<QuestionId, Error> {
        if let Some(now) = now {
            self.now = now;
        }
        if let Some(cause) = &self.closed {
            return Err(cause.error(Outcome::NotExecuted));
        }
        let OutgoingCall { token, target, header, content } = ask;
        self.admit_new(&header)?;
        let CallHeader {
            selector: (text, fingerprint), manner, nesting, deadline, ref chain, ..
        } = header;
        let references = content.references.clone();
        let packed = content.pack();
        let (size, limit) = (packed.size(), self.questions.granted().body);
        if size > limit {
            return Err(Error::TooLarge { size, limit });
        }
        if manner == Manner::Promise && !self.questions.has_room_for_promise() {
            let limit = self.questions.granted().references;
            return Err(Error::Quota(format!(
                "{limit} promises of one peer's (`Limits::references`)"
            )));
        }
        let Some(selector) = self.intern(text, fingerprint) else {
            return Err(Error::Quota("the names that one peer takes are used up".into()));
        };
        if manner == Manner::Call && deadline.is_none() && self.may_send_at_once(&packed) {
            let extent = extent(&packed);
            let (deadline, content) = (0, &[]);
            let head = |question, chain| Frame::Call {
                question,
                target,
                selector,
                manner,
                nesting,
                deadline,
                chain,
                extent,
                content,
            };
            let (chain, parts) = (chain.bytes(), [&packed.body[..], &packed.references]);
            return Ok(self.questions.open_sent(token, size, |question| match chain {
                // Most calls: without the code for a chain.
                [] => self.outgoing.frame_with(&head(question, &[]), &parts),
                chain => self.outgoing.frame_with(&head(question, chain), &parts),
            }));
        }
        let question = self.questions.open(token, manner, size);
        let header = header.with_selector(selector);
        self.enqueue(Queued { question, target, header, packed, references });
        Ok(question)
    }

    /// Cancels a call, or withdraws it if it was not sent.
    pub(crate) fn cancel(&mut self, question: QuestionId) {
        self.flushes.cancel_sender(question);
        let Some(open) = self.questions.get_mut(question) else { return };
        match open.progress {
            Progress::Waiting => {
                self.questions.withdraw(question);
                self.note_withdrawn();
            }
            Progress::Admitted => {
                self.questions.withdraw(question);
                self.admit_waiting();
            }
            Progress::Sent(_) => {
                open.token = None;
                self.send(&Frame::Cancel { question });
            }
            Progress::Answered => {}
        }
    }

    /// Notes that a promise was dropped: no more messages will be sent to its answer.
    pub(crate) fn finish(&mut self, question: QuestionId) {
        let Some(open) = self.questions.get_mut(question) else { return };
        if open.finish == Finish::Open {
            open.finish = Finish::Wanted;
        }
        open.token = None;
        self.finish_if_unused(question);
    }

    /// Answers a call of the peer. Each call is answered once: a second answer is dropped, and its introductions are
    /// retracted.
    pub(crate) fn answer(&mut self, question: QuestionId, status: Status, content: Content) {
        match self.answers.answer(question) {
            Some(Manner::Call | Manner::Promise) => {}
            Some(Manner::OneWay) | None => return self.retract_all(&content.references),
        }
        let (mut status, mut references) = (status, content.references.clone());
        let mut packed = content.pack();
        let (size, limit) = (packed.size(), self.largest_answer());
        if size > limit {
            self.retract_all(&references);
            references.clear();
            (status, packed) = (Status::Fault, too_large(size, limit).pack());
        }
        let extent = extent(&packed);
        let head = Frame::Answer { question, status, extent, content: &[] };
        if extent.total == 0 {
            self.outgoing.frame_with(&head, &[&packed.body, &packed.references]);
        } else {
            self.pin(None, &references);
            self.outgoing.begin_answer(head, references, packed, self.questions.granted().bytes);
        }
    }

    /// Releases one introduction: its proxy was dropped.
    pub(crate) fn release(&mut self, object: ObjectId) {
        self.imports.drop_one(object);
    }

    pub(crate) fn watch(&mut self, watch: WatchId, object: ObjectId) {
        self.send(&Frame::Watch { watch, object });
    }

    pub(crate) fn unwatch(&mut self, watch: WatchId) {
        self.send(&Frame::Unwatch { watch });
    }

    pub(crate) fn notify_ended(&mut self, watch: WatchId, stopped: bool, reason: &str) {
        if self.watches.close(watch) {
            self.send(&Frame::Ended { watch, stopped, reason: truncated(reason) });
        }
    }
}

/// Returns the fault that replaces an answer that is larger than the peer's limit.
fn too_large(size: u64, limit: u64) -> Content {
    let error = Error::Nested(Box::new(Error::TooLarge { size, limit }));
    let mut encoder = Encoder::new(Bounds::default(), usize::MAX, Role::Value);
    let encoded = encoder.push(&error).and_then(|()| encoder.finish());
    Content { body: encoded.unwrap_or_default(), references: Vec::new() }
}
