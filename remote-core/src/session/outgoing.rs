//! The output of a session: the buffer of frames, large bodies in chunks, and the calls that wait behind them.
//!
//! It must not know windows. Answers, control frames, and messages to other objects are sent between two chunks of a large
//! body. Messages to the same object wait for its last chunk, which keeps their order.

use std::collections::{HashMap, VecDeque};

use super::header::CallHeader;
use crate::id::{FrameNumber, NameId, QuestionId};
use crate::wire::content::Packed;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{CHUNK, Extent, Frame, Target};

/// The size up to which chunks are added to the buffer for one write.
const BATCH: usize = 8 * CHUNK;

/// A call that is not yet sent in full.
pub(crate) struct Queued {
    pub(crate) question: QuestionId,
    pub(crate) target: Target,
    pub(crate) header: CallHeader<NameId>,
    pub(crate) packed: Packed,
    /// The references in the call, which are pinned while it waits.
    pub(crate) references: Vec<Descriptor>,
}

/// A body that is sent in chunks.
pub(crate) struct LargeBody {
    pub(crate) message: BodyOf,
    bytes: Vec<u8>,
    sent: usize,
}

/// The message to which a large body belongs.
pub(crate) enum BodyOf {
    /// A call of this side. Calls in the same lane wait behind it.
    Call { question: QuestionId, lane: Target, references: Vec<Descriptor>, target: Target },
    /// An answer of this side.
    Answer { question: QuestionId, references: Vec<Descriptor> },
}

/// The output of a session.
#[derive(Default)]
pub(crate) struct Outgoing {
    buffer: Vec<u8>,
    last: u64,
    large: VecDeque<LargeBody>,
    large_left: usize,
    /// Large answers that wait, because the peer accepts no more bytes of answers at once.
    answers: VecDeque<(Frame<'static>, LargeBody)>,
    answer_bytes: u64,
    /// The calls that wait behind a large one, by lane.
    blocked: HashMap<Target, VecDeque<Queued>>,
    /// The lane in which a call waits, so that calls that are pipelined on it wait there, too.
    lanes: HashMap<QuestionId, Target>,
}

impl Outgoing {
    /// Appends a frame to the buffer. Returns its number, or that of the last numbered frame.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>) -> FrameNumber {
        self.frame_with(frame, &[])
    }

    /// Appends a frame whose last field consists of these parts.
    #[inline(always)]
    pub(crate) fn frame_with(&mut self, frame: &Frame<'_>, parts: &[&[u8]]) -> FrameNumber {
        if frame.is_numbered() {
            self.last += 1;
        }
        let number = FrameNumber(self.last);
        frame.write(number, &mut self.buffer, |out| {
            parts.iter().for_each(|part| out.extend_from_slice(part))
        });
        number
    }

    /// Returns the lane of a call to this target.
    pub(crate) fn lane(&self, target: Target) -> Target {
        match target {
            Target::Answer(question) if !self.lanes.is_empty() => {
                self.lanes.get(&question).copied().unwrap_or(target)
            }
            _ => target,
        }
    }

    /// Returns true if no call waits behind a large one.
    pub(crate) fn is_unblocked(&self) -> bool {
        self.blocked.is_empty()
    }

    pub(crate) fn is_blocked(&self, lane: Target) -> bool {
        !self.blocked.is_empty() && self.blocked.contains_key(&lane)
    }

    /// Queues a call behind the large one in its lane.
    pub(crate) fn queue_behind(&mut self, lane: Target, call: Queued) {
        self.lanes.insert(call.question, lane);
        self.blocked.entry(lane).or_default().push_back(call);
    }

    /// Sends the first chunk of a large call. Its lane is blocked until the last one.
    pub(crate) fn begin_call(
        &mut self,
        head: Frame<'_>,
        lane: Target,
        target: Target,
        references: Vec<Descriptor>,
        packed: Packed,
    ) {
        let Frame::Call { question, .. } = head else { return };
        self.blocked.entry(lane).or_default();
        self.begin(head, BodyOf::Call { question, lane, references, target }, packed.joined());
    }

    /// Sends the first chunk of a large answer, or queues the answer until the peer accepts it.
    pub(crate) fn begin_answer(
        &mut self,
        head: Frame<'static>,
        references: Vec<Descriptor>,
        packed: Packed,
        limit: u64,
    ) {
        let Frame::Answer { question, .. } = head else { return };
        let bytes = packed.joined();
        let large = LargeBody { message: BodyOf::Answer { question, references }, bytes, sent: 0 };
        if self.answers.is_empty()
            && (self.answer_bytes == 0 || self.answer_bytes + large.bytes.len() as u64 <= limit)
        {
            self.answer_bytes += large.bytes.len() as u64;
            self.begin(head, large.message, large.bytes);
        } else {
            self.large_left += large.bytes.len();
            self.answers.push_back((head, large));
        }
    }

    fn begin(&mut self, head: Frame<'_>, message: BodyOf, bytes: Vec<u8>) {
        self.frame_with(&head, &[&bytes[..CHUNK]]);
        self.large_left += bytes.len() - CHUNK;
        self.large.push_back(LargeBody { message, bytes, sent: CHUNK });
    }

    /// Appends chunks, from each large body in rotation, until a body is complete or the buffer suffices for one write.
    /// Returns the message of the complete body, and the number of its last frame.
    pub(crate) fn chunk(&mut self, answer_limit: u64) -> Option<(BodyOf, FrameNumber)> {
        while self.buffer.len() < BATCH {
            let mut large = self.large.pop_front()?;
            let end = (large.sent + CHUNK).min(large.bytes.len());
            let bytes = &large.bytes[large.sent..end];
            let frame = match large.message {
                BodyOf::Call { question, .. } => Frame::CallChunk { question, bytes },
                BodyOf::Answer { question, .. } => Frame::AnswerChunk { question, bytes },
            };
            let number = self.frame(&frame);
            self.large_left -= end - large.sent;
            large.sent = end;
            if end < large.bytes.len() {
                self.large.push_back(large);
                continue;
            }
            if let BodyOf::Answer { .. } = large.message {
                self.answer_bytes -= large.bytes.len() as u64;
                self.begin_waiting_answers(answer_limit);
            }
            return Some((large.message, number));
        }
        None
    }

    fn begin_waiting_answers(&mut self, limit: u64) {
        while let Some((_, large)) = self.answers.front() {
            let size = large.bytes.len() as u64;
            if self.answer_bytes > 0 && self.answer_bytes + size > limit {
                return;
            }
            let Some((head, large)) = self.answers.pop_front() else { return };
            self.answer_bytes += size;
            self.large_left -= large.bytes.len();
            self.begin(head, large.message, large.bytes);
        }
    }

    /// Unblocks a lane, whose large call is complete. Returns the calls that waited, in order.
    pub(crate) fn unblock(&mut self, lane: Target) -> VecDeque<Queued> {
        let waited = self.blocked.remove(&lane).unwrap_or_default();
        for call in &waited {
            self.lanes.remove(&call.question);
        }
        waited
    }

    #[cfg(test)]
    pub(crate) fn check(&self) {
        let begun = self.large.iter().map(|large| large.bytes.len() - large.sent);
        let waiting = self.answers.iter().map(|(_, large)| large.bytes.len());
        assert_eq!(self.large_left, begun.chain(waiting).sum::<usize>());
        let answers =
            self.large.iter().filter(|large| matches!(large.message, BodyOf::Answer { .. }));
        assert_eq!(self.answer_bytes, answers.map(|large| large.bytes.len() as u64).sum::<u64>());
        let blocked =
            || self.blocked.iter().flat_map(|(lane, calls)| calls.iter().map(move |c| (lane, c)));
        assert_eq!(self.lanes.len(), blocked().count());
        assert!(blocked().all(|(lane, call)| self.lanes.get(&call.question) == Some(lane)));
    }

    /// Returns the calls that wait behind a large one.
    #[cfg(test)]
    pub(crate) fn blocked(&self) -> impl Iterator<Item = &Queued> {
        self.blocked.values().flatten()
    }

    /// Returns the objects that the incomplete large bodies name.
    #[cfg(test)]
    pub(crate) fn incomplete(&self) -> impl Iterator<Item = (Option<Target>, &[Descriptor])> {
        self.large.iter().chain(self.answers.iter().map(|(_, large)| large)).map(|large| {
            match &large.message {
                BodyOf::Call { target, references, .. } => (Some(*target), references.as_slice()),
                BodyOf::Answer { references, .. } => (None, references.as_slice()),
            }
        })
    }

    /// Returns the number of bytes that wait to be written.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() + self.large_left
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.large.is_empty()
    }

    pub(crate) fn has_frames(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Returns the number of the last frame in the buffer.
    pub(crate) fn last(&self) -> FrameNumber {
        FrameNumber(self.last)
    }

    /// Takes the buffer, and replaces it by an empty one.
    pub(crate) fn take(&mut self, empty: Vec<u8>) -> Vec<u8> {
        std::mem::replace(&mut self.buffer, empty)
    }

    /// Drops everything except the buffer: the session has ended.
    pub(crate) fn keep_what_is_ready(&mut self) {
        let (buffer, last) = (std::mem::take(&mut self.buffer), self.last);
        *self = Outgoing { buffer, last, ..Outgoing::default() };
    }

    /// Drops everything: the session has ended, and nothing can be written.
    pub(crate) fn clear(&mut self) {
        *self = Outgoing { last: self.last, ..Outgoing::default() };
    }
}

/// Returns the extent of a content.
pub(crate) fn extent(packed: &Packed) -> Extent {
    let size = packed.size();
    let total = if size > CHUNK as u64 { size } else { 0 };
    Extent { references: packed.references.len() as u64, total }
}
