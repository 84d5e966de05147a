//! The calls of this side that are in progress, and the window that the peer has granted.
//!
//! It must not know callers, except for their tokens. Invariant 4: each call ends exactly once.

use std::collections::hash_map::Entry;

use foldhash::HashMap;

use crate::id::{CallToken, FrameNumber, QuestionId};
use crate::wire::frame::Manner;
use crate::wire::hello::Grant;

/// The table of questions.
pub(crate) struct Questions {
    next: u64,
    open: HashMap<QuestionId, Question>,
    granted: Grant,
    /// The part of the window that is in use.
    calls: u64,
    bytes: u64,
    /// The part of the window that is used by one-way messages, which were sent and for which the peer has not issued credit yet.
    uncredited: (u64, u64),
    /// The number of promises in the table, each of which the peer keeps.
    promises: u64,
}

/// A call in progress.
pub(crate) struct Question {
    /// The caller's token, until the call is cancelled.
    pub(crate) token: Option<CallToken>,
    pub(crate) manner: Manner,
    pub(crate) size: u64,
    pub(crate) progress: Progress,
    /// The number of unsent messages to the answer. While there are any, the peer must keep it.
    pub(crate) users: u32,
    pub(crate) finish: Finish,
}

impl Question {
    fn awaits_answer(&self) -> bool {
        self.manner != Manner::OneWay && matches!(self.progress, Progress::Sent(Some(_)))
    }
}

/// The progress towards `Finish`, by which the peer may drop the answer to a promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Finish {
    /// More messages may be sent to the answer.
    Open,
    /// No more messages will be made for it. `Finish` is sent after those that wait.
    Wanted,
    /// `Finish` was sent.
    Sent,
}

/// The progress of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// It waits for the window.
    Waiting,
    /// It counts in the window, and waits behind a large call in its lane.
    Admitted,
    /// Its first bytes were sent. Its last frame has this number, if it was sent.
    Sent(Option<FrameNumber>),
    /// The answer has arrived. It is a promise, which the peer keeps.
    Answered,
}

impl Questions {
    pub(crate) fn new(granted: Grant) -> Questions {
        Questions {
            next: 0,
            open: HashMap::default(),
            granted,
            calls: 0,
            bytes: 0,
            uncredited: (0, 0),
            promises: 0,
        }
    }

    pub(crate) fn open(&mut self, token: CallToken, manner: Manner, size: u64) -> QuestionId {
        self.next += 1;
        let id = QuestionId(self.next);
        let question = Question {
            token: Some(token),
            manner,
            size,
            progress: Progress::Waiting,
            users: 0,
            finish: Finish::Open,
        };
        self.open.insert(id, question);
        self.promises += u64::from(manner == Manner::Promise);
        id
    }

    /// Returns true if the peer keeps one more promise.
    pub(crate) fn has_room_for_promise(&self) -> bool {
        self.promises < self.granted.references
    }

    /// Enters a small call that is sent at once: the fast path.
    #[inline(always)]
    pub(crate) fn open_sent(
        &mut self,
        token: CallToken,
        size: u64,
        send: impl FnOnce(QuestionId) -> FrameNumber,
    ) -> QuestionId {
        self.next += 1;
        let id = QuestionId(self.next);
        let question = Question {
            token: Some(token),
            manner: Manner::Call,
            size,
            progress: Progress::Sent(Some(send(id))),
            users: 0,
            finish: Finish::Open,
        };
        self.open.insert(id, question);
        self.calls += 1;
        self.bytes += size;
        id
    }

    pub(crate) fn has_room_for(&self, size: u64) -> bool {
        self.calls < self.granted.calls && self.bytes + size <= self.granted.bytes
    }

    /// Counts a call in the window.
    pub(crate) fn admit(&mut self, id: QuestionId) -> Option<&mut Question> {
        let question = self.open.get_mut(&id)?;
        question.progress = Progress::Admitted;
        self.calls += 1;
        self.bytes += question.size;
        Some(question)
    }

    /// Notes that the answer has arrived, which frees the window. A promise stays in the table until it is finished.
    /// Returns `None` if no such question awaits an answer.
    pub(crate) fn answer(&mut self, id: QuestionId) -> Option<Option<CallToken>> {
        let Entry::Occupied(mut entry) = self.open.entry(id) else { return None };
        let question = entry.get_mut();
        if !question.awaits_answer() {
            return None;
        }
        question.progress = Progress::Answered;
        self.calls -= 1;
        self.bytes -= question.size;
        let token = question.token;
        if question.manner == Manner::Call || question.finish == Finish::Sent {
            self.promises -= u64::from(question.manner == Manner::Promise);
            entry.remove();
        }
        Some(token)
    }

    /// Returns true if the peer may answer the question now.
    pub(crate) fn awaits_answer(&self, id: QuestionId) -> bool {
        self.open.get(&id).is_some_and(Question::awaits_answer)
    }

    pub(crate) fn get_mut(&mut self, id: QuestionId) -> Option<&mut Question> {
        self.open.get_mut(&id)
    }

    /// Removes a call that was not sent, and frees its part of the window.
    pub(crate) fn withdraw(&mut self, id: QuestionId) {
        let Some(question) = self.remove(id) else { return };
        if question.progress == Progress::Admitted {
            self.calls -= 1;
            self.bytes -= question.size;
        }
    }

    /// Removes a finished promise, or a one-way message that was sent. The latter uses the window until the peer issues
    /// credit.
    pub(crate) fn forget(&mut self, id: QuestionId) {
        let Some(question) = self.remove(id) else { return };
        if question.manner == Manner::OneWay {
            self.uncredited.0 += 1;
            self.uncredited.1 += question.size;
        }
    }

    /// Frees the window by credit of the peer. Returns false if the credit exceeds what one-way messages use.
    #[must_use]
    pub(crate) fn credit(&mut self, calls: u64, bytes: u64) -> bool {
        let left = (self.uncredited.0.checked_sub(calls), self.uncredited.1.checked_sub(bytes));
        let (Some(calls_left), Some(bytes_left)) = left else { return false };
        self.uncredited = (calls_left, bytes_left);
        self.calls -= calls;
        self.bytes -= bytes;
        true
    }

    fn remove(&mut self, id: QuestionId) -> Option<Question> {
        let question = self.open.remove(&id)?;
        self.promises -= u64::from(question.manner == Manner::Promise);
        Some(question)
    }

    /// Returns the calls and bytes of the one-way messages that were sent, for which the peer has issued no credit.
    pub(crate) fn uncredited(&self) -> (u64, u64) {
        self.uncredited
    }

    pub(crate) fn granted(&self) -> Grant {
        self.granted
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Asserts that the window is not exceeded and that the counters agree with the table.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let counted = |question: &&Question| {
            matches!(question.progress, Progress::Admitted | Progress::Sent(_))
        };
        let sizes = || self.open.values().filter(counted).map(|question| question.size);
        assert_eq!(self.calls, sizes().count() as u64 + self.uncredited.0);
        assert_eq!(self.bytes, sizes().sum::<u64>() + self.uncredited.1);
        assert!(self.calls <= self.granted.calls && self.bytes <= self.granted.bytes);
        let promises = self.open.values().filter(|open| open.manner == Manner::Promise);
        assert_eq!(self.promises, promises.count() as u64);
        assert!(self.promises <= self.granted.references);
    }

    /// Returns each question in the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (QuestionId, &Question)> {
        self.open.iter().map(|(id, question)| (*id, question))
    }

    /// Empties the table: the session has ended.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = Question> + use<> {
        let ended = Questions { next: self.next, ..Questions::new(self.granted) };
        std::mem::replace(self, ended).open.into_values()
    }
}
