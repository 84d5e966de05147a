//! Owns the calls that this side has in progress, and the window that the peer granted for them.
//!
//! It must not know callers beyond their token. Invariant 4: each call ends exactly once.

use std::collections::HashMap;

use crate::id::{FrameNumber, QuestionId};
use crate::wire::frame::Manner;
use crate::wire::hello::Grant;

/// The table of questions.
pub(crate) struct Questions {
    next: u64,
    open: HashMap<QuestionId, Question>,
    granted: Grant,
    calls: u64,
    bytes: u64,
}

/// A call in progress.
pub(crate) struct Question {
    /// The caller's, unless it gave up.
    pub(crate) token: Option<usize>,
    pub(crate) manner: Manner,
    pub(crate) size: u64,
    pub(crate) progress: Progress,
    /// Messages not yet sent that are for the answer: until they are, the peer must keep it.
    pub(crate) users: u32,
    pub(crate) finish: Finish,
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
        Questions { next: 0, open: HashMap::new(), granted, calls: 0, bytes: 0 }
    }

    pub(crate) fn open(&mut self, token: usize, manner: Manner, size: u64) -> QuestionId {
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
    pub(crate) fn answer(&mut self, id: QuestionId) -> Option<Option<usize>> {
        let question = self.open.get_mut(&id)?;
        if question.manner == Manner::Tell || !matches!(question.progress, Progress::Sent(Some(_)))
        {
            return None;
        }
        question.progress = Progress::Answered;
        self.calls -= 1;
        self.bytes -= question.size;
        let token = question.token;
        if question.manner == Manner::Ask || question.finish == Finish::Told {
            self.open.remove(&id);
        }
        Some(token)
    }

    pub(crate) fn get_mut(&mut self, id: QuestionId) -> Option<&mut Question> {
        self.open.get_mut(&id)
    }

    /// Forgets a call that was not sent, and gives back its place in the window if it had one.
    pub(crate) fn withdraw(&mut self, id: QuestionId) -> Option<Question> {
        let question = self.open.remove(&id)?;
        if question.progress == Progress::Admitted {
            self.calls -= 1;
            self.bytes -= question.size;
        }
        Some(question)
    }

    /// Forgets a call whose place in the window is accounted for elsewhere.
    pub(crate) fn forget(&mut self, id: QuestionId) {
        self.open.remove(&id);
    }

    /// The peer grants places of messages without answer anew. False if it grants more than there were.
    #[must_use]
    pub(crate) fn credit(&mut self, calls: u64, bytes: u64) -> bool {
        let left = (self.calls.checked_sub(calls), self.bytes.checked_sub(bytes));
        let (Some(calls), Some(bytes)) = left else { return false };
        (self.calls, self.bytes) = (calls, bytes);
        true
    }

    pub(crate) fn granted(&self) -> Grant {
        self.granted
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Empties the table: the session is over.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = Question> + use<> {
        (self.calls, self.bytes) = (0, 0);
        std::mem::take(&mut self.open).into_values()
    }
}
