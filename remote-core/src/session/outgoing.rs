//! Owns what waits to be written: frames ready, big bodies in chunks, and the messages that wait behind them.
//!
//! It must not know windows. Between two chunks of a big body pass answers, upkeep, and messages to other objects;
//! messages to the same object keep their order behind it.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::id::{FrameNumber, NameId, QuestionId};
use crate::wire::content::Packed;
use crate::wire::frame::{CHUNK, Descriptor, Extent, Frame, Manner, Target};

/// How much is made ready for one write, as far as chunks go.
const BATCH: usize = 8 * CHUNK;

/// A call that is not yet sent in full.
pub(crate) struct Queued {
    pub(crate) question: QuestionId,
    pub(crate) target: Target,
    pub(crate) selector: NameId,
    pub(crate) manner: Manner,
    pub(crate) nesting: u8,
    pub(crate) deadline: Option<Instant>,
    pub(crate) packed: Packed,
    /// The references inside, which are pinned while the call waits.
    pub(crate) references: Vec<Descriptor>,
}

/// A body that is being sent in chunks.
pub(crate) struct Big {
    pub(crate) whose: Whose,
    bytes: Vec<u8>,
    sent: usize,
}

/// What a big body belongs to.
pub(crate) enum Whose {
    /// A call of ours; what is for the same lane waits behind it.
    Call { question: QuestionId, lane: Target, references: Vec<Descriptor>, target: Target },
    /// An answer of ours.
    Answer { question: QuestionId, references: Vec<Descriptor> },
}

/// The outgoing side of a session.
#[derive(Default)]
pub(crate) struct Outgoing {
    buffer: Vec<u8>,
    last: u64,
    big: VecDeque<Big>,
    big_left: usize,
    /// Answers that are big, while as many bytes of others as the peer takes at once are on their way.
    answers: VecDeque<(Frame<'static>, Big)>,
    answer_bytes: u64,
    /// Calls behind a big one, by lane: the object that the big one is for.
    behind: HashMap<Target, VecDeque<Queued>>,
    /// The lane in which a question waits, so that what is pipelined on it waits there, too.
    lanes: HashMap<QuestionId, Target>,
}

impl Outgoing {
    /// Makes a frame ready. Its number, or that of the last numbered one.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>) -> FrameNumber {
        self.frame_with(frame, &[])
    }

    /// Makes a frame ready whose last field is these parts.
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

    /// The lane in which a call to this target goes.
    pub(crate) fn lane(&self, target: Target) -> Target {
        match target {
            Target::Answer(question) if !self.lanes.is_empty() => {
                self.lanes.get(&question).copied().unwrap_or(target)
            }
            _ => target,
        }
    }

    /// Whether no call waits behind a big one.
    pub(crate) fn is_unblocked(&self) -> bool {
        self.behind.is_empty()
    }

    pub(crate) fn is_blocked(&self, lane: Target) -> bool {
        !self.behind.is_empty() && self.behind.contains_key(&lane)
    }

    /// Puts a call behind the big one in its lane.
    pub(crate) fn wait_behind(&mut self, lane: Target, call: Queued) {
        self.lanes.insert(call.question, lane);
        self.behind.entry(lane).or_default().push_back(call);
    }

    /// Sends the first chunk of a big call; its lane is blocked until the last.
    pub(crate) fn begin_call(
        &mut self,
        head: Frame<'_>,
        lane: Target,
        target: Target,
        references: Vec<Descriptor>,
        packed: Packed,
    ) {
        let Frame::Call { question, .. } = head else { return };
        self.behind.entry(lane).or_default();
        self.begin(head, Whose::Call { question, lane, references, target }, packed.joined());
    }

    /// Sends the first chunk of a big answer, or lets it wait until the peer takes as many bytes.
    pub(crate) fn begin_answer(
        &mut self,
        head: Frame<'static>,
        references: Vec<Descriptor>,
        packed: Packed,
        limit: u64,
    ) {
        let Frame::Answer { question, .. } = head else { return };
        let bytes = packed.joined();
        let big = Big { whose: Whose::Answer { question, references }, bytes, sent: 0 };
        if self.answers.is_empty()
            && (self.answer_bytes == 0 || self.answer_bytes + big.bytes.len() as u64 <= limit)
        {
            self.answer_bytes += big.bytes.len() as u64;
            self.begin(head, big.whose, big.bytes);
        } else {
            self.big_left += big.bytes.len();
            self.answers.push_back((head, big));
        }
    }

    fn begin(&mut self, head: Frame<'_>, whose: Whose, bytes: Vec<u8>) {
        self.frame_with(&head, &[&bytes[..CHUNK]]);
        self.big_left += bytes.len() - CHUNK;
        self.big.push_back(Big { whose, bytes, sent: CHUNK });
    }

    /// Makes chunks ready, one of each big body in turn, until there is enough for one write. Tells of each body that
    /// is complete with this one, and the number of its last frame.
    pub(crate) fn chunk(&mut self, answer_limit: u64) -> Option<(Whose, FrameNumber)> {
        while self.buffer.len() < BATCH {
            let mut big = self.big.pop_front()?;
            let end = (big.sent + CHUNK).min(big.bytes.len());
            let bytes = &big.bytes[big.sent..end];
            let frame = match big.whose {
                Whose::Call { question, .. } => Frame::CallChunk { question, bytes },
                Whose::Answer { question, .. } => Frame::AnswerChunk { question, bytes },
            };
            let number = self.frame(&frame);
            self.big_left -= end - big.sent;
            big.sent = end;
            if end < big.bytes.len() {
                self.big.push_back(big);
                continue;
            }
            if let Whose::Answer { .. } = big.whose {
                self.answer_bytes -= big.bytes.len() as u64;
                self.begin_waiting_answers(answer_limit);
            }
            return Some((big.whose, number));
        }
        None
    }

    fn begin_waiting_answers(&mut self, limit: u64) {
        while let Some((_, big)) = self.answers.front() {
            let size = big.bytes.len() as u64;
            if self.answer_bytes > 0 && self.answer_bytes + size > limit {
                return;
            }
            let Some((head, big)) = self.answers.pop_front() else { return };
            self.answer_bytes += size;
            self.big_left -= big.bytes.len();
            self.begin(head, big.whose, big.bytes);
        }
    }

    /// The big call in a lane is complete: what waited behind it, in order.
    pub(crate) fn unblock(&mut self, lane: Target) -> VecDeque<Queued> {
        let waited = self.behind.remove(&lane).unwrap_or_default();
        for call in &waited {
            self.lanes.remove(&call.question);
        }
        waited
    }

    #[cfg(test)]
    pub(crate) fn check(&self) {
        let begun = self.big.iter().map(|big| big.bytes.len() - big.sent);
        let waiting = self.answers.iter().map(|(_, big)| big.bytes.len());
        assert_eq!(self.big_left, begun.chain(waiting).sum::<usize>());
        let answers = self.big.iter().filter(|big| matches!(big.whose, Whose::Answer { .. }));
        assert_eq!(self.answer_bytes, answers.map(|big| big.bytes.len() as u64).sum::<u64>());
        let behind =
            || self.behind.iter().flat_map(|(lane, calls)| calls.iter().map(move |c| (lane, c)));
        assert_eq!(self.lanes.len(), behind().count());
        assert!(behind().all(|(lane, call)| self.lanes.get(&call.question) == Some(lane)));
    }

    /// The calls behind a big one.
    #[cfg(test)]
    pub(crate) fn behind(&self) -> impl Iterator<Item = &Queued> {
        self.behind.values().flatten()
    }

    /// What the big bodies that are not yet complete name.
    #[cfg(test)]
    pub(crate) fn incomplete(&self) -> impl Iterator<Item = (Option<Target>, &[Descriptor])> {
        self.big.iter().chain(self.answers.iter().map(|(_, big)| big)).map(|big| match &big.whose {
            Whose::Call { target, references, .. } => (Some(*target), references.as_slice()),
            Whose::Answer { references, .. } => (None, references.as_slice()),
        })
    }

    /// Bytes that wait to be written.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() + self.big_left
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.big.is_empty()
    }

    pub(crate) fn has_frames(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The number of the last frame made ready.
    pub(crate) fn last(&self) -> FrameNumber {
        FrameNumber(self.last)
    }

    /// Hands over what is ready, and takes an empty buffer for it.
    pub(crate) fn take(&mut self, empty: Vec<u8>) -> Vec<u8> {
        std::mem::replace(&mut self.buffer, empty)
    }

    /// Drops all that is not yet ready: the session is over, once the rest is written.
    pub(crate) fn keep_what_is_ready(&mut self) {
        let (buffer, last) = (std::mem::take(&mut self.buffer), self.last);
        *self = Outgoing { buffer, last, ..Outgoing::default() };
    }

    /// Drops everything: the session is over, and nobody listens.
    pub(crate) fn clear(&mut self) {
        *self = Outgoing { last: self.last, ..Outgoing::default() };
    }
}

/// How far a content goes, as its head says.
pub(crate) fn extent(packed: &Packed) -> Extent {
    let size = packed.size();
    let total = if size > CHUNK as u64 { size } else { 0 };
    Extent { references: packed.references.len() as u64, total }
}
