//! The calls of the peer that are in progress here, and the check of the window that was granted to it.
//!
//! It must not know the executor. A cancelled call counts until its task has ended.

use std::collections::hash_map::Entry;

use foldhash::HashMap;

use crate::id::QuestionId;
use crate::wire::breach::Breach;
use crate::wire::frame::Manner;
use crate::wire::hello::Grant;

/// The table of answers.
pub(crate) struct Answers {
    open: HashMap<QuestionId, Answer>,
    granted: Grant,
    calls: u64,
    bytes: u64,
    /// The number of promises in the table. They stay until they are finished, and do not count in the window once
    /// answered.
    promises: u64,
    /// The calls and bytes of executed one-way messages, for which credit is due.
    credit: (u64, u64),
    /// The bytes of the calls that were in progress when the session ended.
    detached_bytes: u64,
}

struct Answer {
    manner: Manner,
    size: u64,
    answered: bool,
    finished: bool,
}

impl Answers {
    pub(crate) fn new(granted: Grant) -> Answers {
        Answers {
            open: HashMap::default(),
            granted,
            calls: 0,
            bytes: 0,
            promises: 0,
            credit: (0, 0),
            detached_bytes: 0,
        }
    }

    /// Enters a call whose first frame has arrived.
    pub(crate) fn open(&mut self, id: QuestionId, manner: Manner, size: u64) -> Result<(), Breach> {
        self.calls += 1;
        self.bytes = self.bytes.saturating_add(size);
        if self.calls > self.granted.calls || self.bytes > self.granted.bytes {
            return Err(Breach::Window);
        }
        if manner == Manner::Promise {
            self.promises += 1;
            if self.promises > self.granted.references {
                return Err(Breach::References);
            }
        }
        match self.open.insert(id, Answer { manner, size, answered: false, finished: false }) {
            None => Ok(()),
            Some(_) => Err(Breach::Question),
        }
    }

    /// Notes that the call has been answered here. Returns its manner, or `None` if it is not in the table or answered
    /// before.
    pub(crate) fn answer(&mut self, id: QuestionId) -> Option<Manner> {
        let Entry::Occupied(mut entry) = self.open.entry(id) else { return None };
        let answer = entry.get_mut();
        if answer.answered {
            return None;
        }
        answer.answered = true;
        let manner = answer.manner;
        let is_over = manner != Manner::Promise || answer.finished;
        self.calls -= 1;
        self.bytes -= answer.size;
        if manner == Manner::OneWay {
            self.credit.0 += 1;
            self.credit.1 += answer.size;
        }
        if is_over {
            self.promises -= u64::from(manner == Manner::Promise);
            entry.remove();
        }
        Some(manner)
    }

    /// Notes that the peer will send no more messages to the answer.
    pub(crate) fn finish(&mut self, id: QuestionId) -> Result<(), Breach> {
        let answer = self.open.get_mut(&id).ok_or(Breach::Question)?;
        if answer.manner != Manner::Promise || answer.finished {
            return Err(Breach::Question);
        }
        answer.finished = true;
        if answer.answered {
            self.remove(id);
        }
        Ok(())
    }

    pub(crate) fn is_promise(&self, id: QuestionId) -> bool {
        self.open.get(&id).is_some_and(|answer| answer.manner == Manner::Promise)
    }

    pub(crate) fn is_running(&self, id: QuestionId) -> bool {
        self.open.get(&id).is_some_and(|answer| !answer.answered)
    }

    /// Returns true if so much credit is due that the peer may soon wait for it.
    pub(crate) fn credit_due(&self) -> bool {
        // Any call that the peer may wait to send must fit into the window without the credit that is due.
        let spare = self.granted.bytes.saturating_sub(self.granted.body);
        self.credit.0 > self.granted.calls / 8 || self.credit.1 > spare.min(self.granted.bytes / 8)
    }

    pub(crate) fn has_credit(&self) -> bool {
        self.credit != (0, 0)
    }

    pub(crate) fn take_credit(&mut self) -> Option<(u64, u64)> {
        Some(std::mem::take(&mut self.credit)).filter(|credit| *credit != (0, 0))
    }

    pub(crate) fn running(&self) -> u64 {
        self.calls
    }

    /// Returns the bytes of the calls that were in progress when the session ended: methods may still have their arguments.
    pub(crate) fn detached_bytes(&self) -> u64 {
        self.detached_bytes
    }

    /// Asserts that the window is not exceeded and that the counters agree with the table, which has no entries that are
    /// over.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let running = || self.open.values().filter(|answer| !answer.answered);
        assert_eq!(self.calls, running().count() as u64);
        assert_eq!(self.bytes, running().map(|answer| answer.size).sum::<u64>());
        assert!(self.calls <= self.granted.calls && self.bytes <= self.granted.bytes);
        for answer in self.open.values().filter(|answer| answer.answered) {
            assert!(answer.manner == Manner::Promise && !answer.finished);
        }
        let promises = self.open.values().filter(|answer| answer.manner == Manner::Promise);
        assert_eq!(self.promises, promises.count() as u64);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    fn remove(&mut self, id: QuestionId) {
        if self.open.remove(&id).is_some_and(|answer| answer.manner == Manner::Promise) {
            self.promises -= 1;
        }
    }

    pub(crate) fn clear(&mut self) {
        let detached_bytes = self.bytes;
        *self = Answers { detached_bytes, ..Answers::new(self.granted) };
    }
}
