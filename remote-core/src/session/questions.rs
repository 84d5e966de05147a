//! Owns the calls that this side has in progress, and the window that the peer granted for them.
//!
//! It must not know callers beyond their token. Invariant 4: each call ends exactly once.

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
    /// What of the window is in use.
    calls: u64,
    bytes: u64,
    /// What of that is in use by messages without answer that were sent, until the peer grants it anew.
    told: (u64, u64),
    /// How many in the table are promises: each is kept by the peer.
    promises: u64,
}

/// A call in progress.
pub(crate) struct Question {
    /// The caller's, unless it gave up.
    pub(crate) token: Option<CallToken>,
    pub(crate) manner: Manner,
    pub(crate) size: u64,
    pub(crate) progress: Progress,
    /// Messages not yet sent that are for the answer: until they are, the peer must keep it.
    pub(crate) users: u32,
    pub(crate) finish: Finish,
}

impl Question {
    fn awaits_answer(&self) -> bool {
        self.manner != Manner::Tell && matches!(self.progress, Progress::Sent(Some(_)))
    }
}

/// Whether the peer may let go of the answer to a promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Finish {
    /// Not yet: more may be sent to it.
    Open,
    /// Nobody will send anything more to it, once what waits is sent.
    Wanted,
    /// The peer was told.
    Told,
}

/// How far a question has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// It waits for room.
    Waiting,
    /// It counts in the window, and waits behind a big message to the same object.
    Admitted,
    /// Its first bytes are sent; the last stand in this frame, if they are, too.
    Sent(Option<FrameNumber>),
    /// The answer is here; a promise, which the peer keeps.
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
            told: (0, 0),
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

    /// Whether the peer may be asked to keep one more answer.
    pub(crate) fn has_room_for_promise(&self) -> bool {
        self.promises < self.granted.references
    }

    /// Enters a call that is sent in this moment, in full: the hot path, without the steps in between.
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
            manner: Manner::Ask,
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

    /// The answer is here. Its place in the window is free; a promise stays in the table until it is finished.
    /// Nothing if there was no such question to be answered.
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
        if question.manner == Manner::Ask || question.finish == Finish::Told {
            self.promises -= u64::from(question.manner == Manner::Promise);
            entry.remove();
        }
        Some(token)
    }

    /// Whether the peer may answer it now.
    pub(crate) fn awaits_answer(&self, id: QuestionId) -> bool {
        self.open.get(&id).is_some_and(Question::awaits_answer)
    }

    pub(crate) fn get_mut(&mut self, id: QuestionId) -> Option<&mut Question> {
        self.open.get_mut(&id)
    }

    /// Forgets a call that was not sent, and gives back its place in the window if it had one.
    pub(crate) fn withdraw(&mut self, id: QuestionId) {
        let Some(question) = self.remove(id) else { return };
        if question.progress == Progress::Admitted {
            self.calls -= 1;
            self.bytes -= question.size;
        }
    }

    /// Forgets a promise that is finished, or a message without answer that was sent: its place in the window stays in
    /// use until the peer grants it anew.
    pub(crate) fn forget(&mut self, id: QuestionId) {
        let Some(question) = self.remove(id) else { return };
        if question.manner == Manner::Tell {
            self.told.0 += 1;
            self.told.1 += question.size;
        }
    }

    /// The peer grants places of messages without answer anew. False if it grants more than there were.
    #[must_use]
    pub(crate) fn credit(&mut self, calls: u64, bytes: u64) -> bool {
        let left = (self.told.0.checked_sub(calls), self.told.1.checked_sub(bytes));
        let (Some(calls_left), Some(bytes_left)) = left else { return false };
        self.told = (calls_left, bytes_left);
        self.calls -= calls;
        self.bytes -= bytes;
        true
    }

    fn remove(&mut self, id: QuestionId) -> Option<Question> {
        let question = self.open.remove(&id)?;
        self.promises -= u64::from(question.manner == Manner::Promise);
        Some(question)
    }

    pub(crate) fn granted(&self) -> Grant {
        self.granted
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// The window is never exceeded, and is what the table says.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let counted = |question: &&Question| {
            matches!(question.progress, Progress::Admitted | Progress::Sent(_))
        };
        let sizes = || self.open.values().filter(counted).map(|question| question.size);
        assert_eq!(self.calls, sizes().count() as u64 + self.told.0);
        assert_eq!(self.bytes, sizes().sum::<u64>() + self.told.1);
        assert!(self.calls <= self.granted.calls && self.bytes <= self.granted.bytes);
        let promises = self.open.values().filter(|open| open.manner == Manner::Promise);
        assert_eq!(self.promises, promises.count() as u64);
        assert!(self.promises <= self.granted.references);
    }

    /// Each question in the table.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (QuestionId, &Question)> {
        self.open.iter().map(|(id, question)| (*id, question))
    }

    /// Empties the table: the session is over.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = Question> + use<> {
        let ended = Questions { next: self.next, ..Questions::new(self.granted) };
        std::mem::replace(self, ended).open.into_values()
    }
}
