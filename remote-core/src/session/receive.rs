//! The input of a session: bytes from the connection, and time.
//!
//! It must not trust any of it. Invariant 7: input from a peer never panics; a violation of the protocol ends the session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chain::Chain;
use super::event::{Event, IncomingCall};
use super::header::{CallHeader, Selector};
use super::lease::{self, Reads};
use super::liveness::Due;
use super::machine::{PartialCall, Session};
use crate::id::{NameId, QuestionId};
use crate::wire::body::Body;
use crate::wire::breach::Breach;
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{Extent, Frame, LENGTH, MAX_FRAME, Manner, Status, Target};

impl Session {
    /// Handles bytes from the connection. Returns how many were used: the rest is the beginning of a frame.
    pub(crate) fn handle_input(&mut self, now: Instant, input: &[u8]) -> usize {
        self.now = now;
        self.liveness.note_input(now);
        self.lease.note_input(now);
        let mut used = 0;
        while self.closed.is_none() {
            let rest = &input[used..];
            let Some((length, rest)) = rest.split_first_chunk::<LENGTH>() else { return used };
            let length = u32::from_le_bytes(*length);
            if length == 0 || length as usize > MAX_FRAME {
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

    /// Handles the passage of time. While the connection cannot be read, missing input does not count as silence of the
    /// peer, and nothing ends because of it.
    pub(crate) fn handle_timeout(&mut self, now: Instant, reads: Reads) {
        self.now = now;
        if self.closed.is_some() {
            if self.keeps_exports && now >= self.lease.owner_end() {
                self.unexport_all();
                self.events.push_back(Event::PeerGone);
            }
            return;
        }
        if reads == Reads::Blocked || self.liveness.is_late(now) {
            self.liveness.note_input(now);
        }
        self.refuse_deadlocked(reads);
        match self.lease.due(now, self.holding(), reads) {
            lease::Due::Nothing | lease::Due::GracePeriod => {}
            lease::Due::Renewal => {
                self.lease.renew(now);
                if !self.suspended {
                    self.send(&Frame::Renew);
                }
            }
            lease::Due::Expired => return self.expire(),
        }
        if self.suspended {
            return;
        }
        match self.liveness.due(now) {
            Due::Nothing => {}
            Due::Ping => {
                // Any frame keeps the connection alive, so that an acknowledgement is preferred.
                if self.received > self.acknowledged {
                    self.acknowledgement_due = true;
                } else {
                    self.ping_due = true;
                }
                self.liveness.note_output(now);
            }
            Due::Lost => {
                let silence = self.liveness.silence().as_secs_f32();
                self.suspend(&format!("the peer was silent for {silence} s"));
            }
        }
    }

    fn receive_frame(&mut self, bytes: &[u8]) -> Result<(), Breach> {
        let (number, frame) = Frame::read(bytes)?;
        if let Some(number) = number {
            if number.0 <= self.received.0 {
                return Ok(()); // Retransmitted, but it had arrived.
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
                chain,
                extent,
                content,
            } => {
                let selector = Selector::Announced(Arc::clone(self.peer_names.get(selector)?));
                let left = deadline.checked_sub(1).map(Duration::from_millis);
                let (deadline, is_continuation) = (None, false);
                let chain = Chain::from_bytes(chain);
                let header =
                    CallHeader { selector, manner, nesting, deadline, chain, is_continuation };
                let call = PartialCall { target, header, left, cancelled: false };
                self.receive_call(question, call, extent, content)
            }
            Frame::Answer { question, status, extent, content } => {
                self.receive_answer(question, status, extent, content)
            }
            Frame::CallChunk { question, bytes } => {
                match self.partial_calls.chunk(question, bytes)? {
                    Some((call, content)) => self.deliver_call(question, call, content),
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
                self.receive_cancel(question);
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
            Frame::Name { id, fingerprint, name } => {
                self.peer_names.announce(id, fingerprint, name)
            }
            Frame::Watch { watch, object } => {
                if !self.exports.contains(object) {
                    return Err(Breach::References);
                }
                if self.watches.open(watch, self.limits.references)? {
                    self.events.push_back(Event::Watch { watch, object });
                } else if !self.has_room() {
                    // The peer continues to send without reading its input.
                    return Err(Breach::Window);
                } else {
                    // Not a breach: the peer could not know how many of its watches have ended here.
                    let reason = "too many objects are watched (`Limits::references`)";
                    self.send(&Frame::Ended { watch, stopped: true, reason });
                }
                Ok(())
            }
            Frame::Unwatch { watch } => {
                // The report of the end may have crossed it.
                if self.watches.close(watch) {
                    self.events.push_back(Event::Unwatch { watch });
                }
                Ok(())
            }
            Frame::Ended { watch, stopped, reason } => {
                let reason = reason.to_owned();
                self.events.push_back(Event::WatchEnded { watch, stopped, reason });
                Ok(())
            }
            Frame::Close { code, reason } => {
                self.end_there(code, reason);
                Ok(())
            }
            Frame::Renew => {
                self.acknowledgement_due = true;
                Ok(())
            }
            Frame::Acknowledge { number } => self.receive_acknowledgement(number),
            Frame::Credit { calls, bytes } => {
                if !self.questions.credit(calls, bytes) {
                    return Err(Breach::Window);
                }
                self.make_room();
                Ok(())
            }
            Frame::Closing => {
                self.receive_closing();
                Ok(())
            }
            Frame::Ping => Ok(()),
        }
    }

    fn receive_call(
        &mut self,
        question: QuestionId,
        call: PartialCall,
        extent: Extent,
        content: &[u8],
    ) -> Result<(), Breach> {
        let size = self.size(extent, content)?;
        self.answers.open(question, call.header.manner, size)?;
        if call.header.manner == Manner::Promise {
            self.events.push_back(Event::Promised { question });
        }
        if extent.total > 0 {
            let limit = self.limits.window_bytes;
            return self.partial_calls.begin(question, call, extent, content, limit);
        }
        let content = Content::read(Body::from_slice(content), extent.references)?;
        self.deliver_call(question, call, content)
    }

    #[inline(always)]
    fn deliver_call(
        &mut self,
        question: QuestionId,
        call: PartialCall,
        content: Content,
    ) -> Result<(), Breach> {
        self.register(&content)?;
        let PartialCall { target, mut header, left, cancelled } = call;
        let known = match target {
            Target::Object(object) => self.exports.contains(object),
            Target::Answer(question) => self.answers.is_promise(question),
        };
        header.deadline = left.and_then(|left| self.now.checked_add(left));
        let target = known.then_some(target);
        let call = IncomingCall { question, target, header, content };
        self.events.push_back(Event::Call(call));
        if cancelled {
            self.events.push_back(Event::Cancelled { question });
        }
        Ok(())
    }

    fn receive_cancel(&mut self, question: QuestionId) {
        if let Some(call) = self.partial_calls.head_mut(question) {
            // The call is not delivered yet: the cancellation follows it.
            call.cancelled = true;
        } else if self.answers.is_running(question) {
            self.events.push_back(Event::Cancelled { question });
        }
        // Otherwise the answer has crossed it, and nothing is left to cancel.
    }

    fn receive_answer(
        &mut self,
        question: QuestionId,
        status: Status,
        extent: Extent,
        content: &[u8],
    ) -> Result<(), Breach> {
        // A small fault is accepted even if it exceeds the limit, which may be very small.
        if status != Status::Fault || extent.total > 0 {
            self.size(extent, content)?;
        }
        if extent.total > 0 {
            if !self.questions.awaits_answer(question) {
                return Err(Breach::Question);
            }
            let limit = self.limits.window_bytes;
            return self.partial_answers.begin(question, status, extent, content, limit);
        }
        let content = Content::read(Body::from_slice(content), extent.references)?;
        self.deliver_answer(question, status, content)
    }

    #[inline(always)]
    fn deliver_answer(
        &mut self,
        question: QuestionId,
        status: Status,
        content: Content,
    ) -> Result<(), Breach> {
        self.register(&content)?;
        let token = self.questions.answer(question).ok_or(Breach::Question)?;
        self.events.push_back(Event::Answered { token, status, content });
        self.make_room();
        Ok(())
    }

    /// Returns the size of a message. Fails if it exceeds the limit.
    fn size(&self, extent: Extent, first: &[u8]) -> Result<u64, Breach> {
        let size = if extent.total > 0 { extent.total } else { first.len() as u64 };
        if size > self.limits.body as u64 { Err(Breach::Body(size)) } else { Ok(size) }
    }

    /// Enters the references of a message into the tables, before user code decodes the body.
    #[inline(always)]
    fn register(&mut self, content: &Content) -> Result<(), Breach> {
        if content.references.is_empty() { Ok(()) } else { self.register_some(content) }
    }

    fn register_some(&mut self, content: &Content) -> Result<(), Breach> {
        for reference in &content.references {
            let (Descriptor::Mine { interface, .. }
            | Descriptor::Yours { interface, .. }
            | Descriptor::Forwarded { interface, .. }) = *reference;
            if interface != NameId::NONE {
                self.peer_names.get(interface)?;
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
