//! The ledger of a run: the true fate of each message and each call, and the check that each is allowed.
//!
//! It must not know tables, counts or frames: its inputs are what was sent, what arrived, and what was reported to callers.

use crate::error::Outcome;
use crate::id::{Identity, NodeId, Token};

/// The purpose of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// A call of an application, which may be forwarded by several nodes.
    Call(usize),
    /// A message that is answered when all messages sent before it on the same path have started.
    Settle,
    /// To a directory: requests the published object.
    Lookup,
    /// To a directory: requests the address of a node.
    Address(NodeId),
    /// To a directory: deposits an object for another node.
    Vouch {
        token: Token,
        recipient: NodeId,
    },
    /// To a directory: withdraws a deposit that was not claimed.
    Withdraw(Token),
    /// To a directory: requests a token for a reference that is forwarded.
    Introduction,
    /// The answer to that.
    Introduced(Token),
    /// To a directory: claims a gift.
    Claim(Token),
    Answer,
}

/// One message from one node to the next.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) purpose: Purpose,
    /// The node that sends it.
    pub(super) from: usize,
    /// The true identities of its references.
    pub(super) truths: Vec<Identity>,
    pub(super) fate: Fate,
}

/// The fate of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Underway,
    Arrived,
    /// It was reported to its sender as not executed, or was withdrawn in time.
    Withdrawn,
}

/// The end of a call for its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    Answered,
    /// It has no answer.
    HandedOver,
    /// It failed on its path: a session had ended, or a limit was reached.
    Failed,
    Lost(Outcome),
    GivenUp,
}

#[derive(Debug)]
struct Call {
    lineage: usize,
    sequence: u64,
    truth: Identity,
    is_begun: bool,
    ended: Option<Ended>,
}

/// A reference of an application, with its clones.
#[derive(Default)]
struct Lineage {
    /// The number of calls made.
    made: u64,
    /// The newest call that has started.
    begun: u64,
    /// The newest call that was made before a path failed: one in transit may still start, out of order.
    doubtful: u64,
}

/// All messages and calls.
#[derive(Default)]
pub(super) struct Ledger {
    messages: Vec<Message>,
    calls: Vec<Call>,
    /// The references of applications.
    lineages: Vec<Lineage>,
}

impl Ledger {
    pub(super) fn send(&mut self, message: Message) -> usize {
        self.messages.push(message);
        self.messages.len() - 1
    }

    /// Notes that a message was received by the node to which it was sent.
    pub(super) fn arrive(&mut self, number: usize, from: usize) -> &Message {
        let message = &mut self.messages[number];
        assert_eq!(message.from, from, "message {number} came from elsewhere");
        assert_eq!(message.fate, Fate::Underway, "message {number} arrived: {message:?}");
        message.fate = Fate::Arrived;
        message
    }

    /// Notes that a message was reported to its sender as not executed.
    pub(super) fn withdraw(&mut self, number: usize) {
        let message = &mut self.messages[number];
        assert_eq!(message.fate, Fate::Underway, "message {number} had arrived: {message:?}");
        message.fate = Fate::Withdrawn;
    }

    /// Adds a reference that is not a clone of another one.
    pub(super) fn new_lineage(&mut self) -> usize {
        self.lineages.push(Lineage::default());
        self.lineages.len() - 1
    }

    /// Adds a call of an application by this reference.
    pub(super) fn call(&mut self, lineage: usize, truth: Identity) -> usize {
        self.lineages[lineage].made += 1;
        let sequence = self.lineages[lineage].made;
        self.calls.push(Call { lineage, sequence, truth, is_begun: false, ended: None });
        self.calls.len() - 1
    }

    /// Notes that a call has started at an object.
    pub(super) fn begin(&mut self, number: usize, reached: Identity) {
        let call = &mut self.calls[number];
        assert_eq!(call.truth, reached, "call {number} reached another object");
        assert!(!call.is_begun, "call {number} starts twice");
        assert_ne!(call.ended, Some(Ended::Lost(Outcome::NotExecuted)), "call {number}");
        call.is_begun = true;
        // A call whose outcome is unknown may start late.
        let lineage = &mut self.lineages[call.lineage];
        let is_lost = matches!(call.ended, Some(Ended::Lost(_) | Ended::Failed))
            || call.sequence <= lineage.doubtful;
        assert!(lineage.begun < call.sequence || is_lost, "call {number} starts after a later one");
        lineage.begun = call.sequence.max(lineage.begun);
    }

    /// Notes that a forwarded path failed while it was being shortened. A node may still forward calls that it had
    /// received.
    pub(super) fn break_order(&mut self) {
        self.lineages.iter_mut().for_each(|lineage| lineage.doubtful = lineage.made);
    }

    /// Notes the end of a call, as reported to its caller.
    pub(super) fn end(&mut self, number: usize, ended: Ended) {
        let call = &mut self.calls[number];
        assert_eq!(call.ended, None, "call {number} ends twice: {ended:?}");
        if ended == Ended::Answered {
            assert!(call.is_begun, "call {number} was answered without being executed");
        }
        call.ended = Some(ended);
    }

    /// Asserts that every call has ended; and if no fault happened, that each was executed unless it was cancelled.
    pub(super) fn assert_complete(&self, is_whole: bool) {
        for (number, call) in self.calls.iter().enumerate() {
            let Some(ended) = call.ended else { panic!("call {number} has not ended") };
            if is_whole {
                let whole = matches!(ended, Ended::Answered | Ended::HandedOver) && call.is_begun;
                assert!(whole || ended == Ended::GivenUp, "call {number}: {ended:?}");
            }
        }
    }

    pub(super) fn ended(&self, number: usize) -> Option<Ended> {
        self.calls[number].ended
    }

    pub(super) fn is_begun(&self, number: usize) -> bool {
        self.calls[number].is_begun
    }
}
