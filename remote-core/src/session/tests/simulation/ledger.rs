//! Owns what really happened to each message and each call, and that none of it is what was promised never to happen.
//!
//! It must not know tables, counts or frames: it is told what was meant, what arrived, and what the caller was told.

use crate::error::Outcome;
use crate::id::{Identity, NodeId, Token};

/// What a message is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// An application's call, which may pass through several nodes.
    Call(usize),
    /// Everything sent before it the same way has begun when it is answered.
    Settle,
    /// To a directory: the published object, please.
    Lookup,
    /// To a directory: where is this node?
    Address(NodeId),
    /// To a directory: this object is meant for somebody else.
    Vouch {
        token: Token,
        recipient: NodeId,
    },
    /// To a directory: this is by way of others; the token for a shorter way, please.
    Introduction,
    /// The answer to that.
    Introduced(Token),
    /// To a directory: what was meant for this node, please.
    Claim(Token),
    Answer,
}

/// One message from one node to the next.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) purpose: Purpose,
    /// The node that sends it.
    pub(super) from: usize,
    /// What the references inside really are.
    pub(super) truths: Vec<Identity>,
    pub(super) fate: Fate,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Underway,
    Arrived,
    /// Its sender was told that it was not executed, or took it back in time.
    Withdrawn,
}

/// How a call ended for its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    Answered,
    /// There is no answer to wait for.
    HandedOver,
    /// Somewhere on the way a session had ended.
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

/// A reference of an application's, with its clones.
#[derive(Default)]
struct Lineage {
    /// Calls made.
    made: u64,
    /// The newest that was begun.
    begun: u64,
    /// The newest that was made before a way broke: one that was underway may still come, and late.
    doubtful: u64,
}

/// All messages and calls.
#[derive(Default)]
pub(super) struct Ledger {
    messages: Vec<Message>,
    calls: Vec<Call>,
    /// For each reference of an application's, with its clones.
    lineages: Vec<Lineage>,
}

impl Ledger {
    pub(super) fn send(&mut self, message: Message) -> usize {
        self.messages.push(message);
        self.messages.len() - 1
    }

    /// A message is taken in by the node it was sent to.
    pub(super) fn arrive(&mut self, number: usize, from: usize) -> &Message {
        let message = &mut self.messages[number];
        assert_eq!(message.from, from, "message {number} came from elsewhere");
        assert_eq!(message.fate, Fate::Underway, "message {number} arrived: {message:?}");
        message.fate = Fate::Arrived;
        message
    }

    /// Its sender will be believed that it was not executed.
    pub(super) fn withdraw(&mut self, number: usize) {
        let message = &mut self.messages[number];
        assert_eq!(message.fate, Fate::Underway, "message {number} had arrived: {message:?}");
        message.fate = Fate::Withdrawn;
    }

    /// A reference that no other is a clone of.
    pub(super) fn new_lineage(&mut self) -> usize {
        self.lineages.push(Lineage::default());
        self.lineages.len() - 1
    }

    /// An application calls what it holds by this reference.
    pub(super) fn call(&mut self, lineage: usize, truth: Identity) -> usize {
        self.lineages[lineage].made += 1;
        let sequence = self.lineages[lineage].made;
        self.calls.push(Call { lineage, sequence, truth, is_begun: false, ended: None });
        self.calls.len() - 1
    }

    /// A call begins at an object.
    pub(super) fn begin(&mut self, number: usize, reached: Identity) {
        let call = &mut self.calls[number];
        assert_eq!(call.truth, reached, "call {number} reached another object");
        assert!(!call.is_begun, "call {number} begins twice");
        assert_ne!(call.ended, Some(Ended::Lost(Outcome::NotExecuted)), "call {number}");
        call.is_begun = true;
        // One that was lost may come late: its caller knows that nothing is known of it.
        let lineage = &mut self.lineages[call.lineage];
        let is_lost = matches!(call.ended, Some(Ended::Lost(_) | Ended::Failed))
            || call.sequence <= lineage.doubtful;
        assert!(lineage.begun < call.sequence || is_lost, "call {number} begins after a later one");
        lineage.begun = call.sequence.max(lineage.begun);
    }

    /// A long way broke while it was being shortened. What it had taken in, some node may still pass on.
    pub(super) fn break_order(&mut self) {
        self.lineages.iter_mut().for_each(|lineage| lineage.doubtful = lineage.made);
    }

    /// The caller is told how a call ended.
    pub(super) fn end(&mut self, number: usize, ended: Ended) {
        let call = &mut self.calls[number];
        assert_eq!(call.ended, None, "call {number} ends twice: {ended:?}");
        if ended == Ended::Answered {
            assert!(call.is_begun, "call {number} is answered, and was not executed");
        }
        call.ended = Some(ended);
    }

    /// Every call has ended; if the world stayed whole, each was executed unless its caller gave up.
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
