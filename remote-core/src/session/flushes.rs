//! The requests to be notified when the peer has received one-way messages.
//!
//! It must not know messages, except for their questions and their frames.

use foldhash::HashSet;

use crate::id::{CallToken, FrameNumber, QuestionId};

/// The table of requests.
pub(super) struct Flushes {
    requests: Vec<Request>,
    /// The last frame of the messages that were sent in full.
    last_sent: FrameNumber,
}

struct Request {
    token: CallToken,
    /// The message whose sender waits for its receipt; `None` if the request is for all messages.
    message: Option<QuestionId>,
    /// The messages that are not sent in full.
    unsent: HashSet<QuestionId>,
    /// The last frame of those that are.
    last: FrameNumber,
}

impl Flushes {
    pub(super) fn new() -> Flushes {
        Flushes { requests: Vec::new(), last_sent: FrameNumber(0) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Returns the last frame of the messages that were sent in full.
    pub(super) fn last_sent(&self) -> FrameNumber {
        self.last_sent
    }

    /// Adds a request for all messages, of which these are not sent in full.
    pub(super) fn add(&mut self, token: CallToken, unsent: HashSet<QuestionId>) {
        self.requests.push(Request { token, message: None, unsent, last: self.last_sent });
    }

    /// Adds a request of the sender of a message, which is not sent in full.
    pub(super) fn add_sender(&mut self, token: CallToken, message: QuestionId) {
        let (unsent, last) = (HashSet::from_iter([message]), FrameNumber(0));
        self.requests.push(Request { token, message: Some(message), unsent, last });
    }

    /// Withdraws a request. Returns false if it is complete.
    pub(super) fn cancel(&mut self, token: CallToken) -> bool {
        let before = self.requests.len();
        self.requests.retain(|request| request.token != token);
        self.requests.len() < before
    }

    /// Withdraws the request of the sender of a message.
    pub(super) fn cancel_sender(&mut self, message: QuestionId) {
        if !self.requests.is_empty() {
            self.requests.retain(|request| request.message != Some(message));
        }
    }

    /// Notes that a message is sent in full, up to this frame. Returns true if a request waits only for acknowledgements now.
    pub(super) fn note_sent(&mut self, message: QuestionId, last: FrameNumber) -> bool {
        self.last_sent = last;
        let mut is_last = false;
        for request in &mut self.requests {
            if request.unsent.remove(&message) {
                request.last = request.last.max(last);
                is_last |= request.unsent.is_empty();
            }
        }
        is_last
    }

    /// Removes the requests for which everything is acknowledged, and returns their tokens.
    pub(super) fn take_done(&mut self, acknowledged: FrameNumber) -> Vec<CallToken> {
        let is_done =
            |request: &mut Request| request.unsent.is_empty() && request.last <= acknowledged;
        self.requests.extract_if(.., is_done).map(|request| request.token).collect()
    }

    /// Removes all requests, and returns their tokens.
    pub(super) fn take_all(&mut self) -> Vec<CallToken> {
        self.requests.drain(..).map(|request| request.token).collect()
    }
}
