//! The tokens that were passed to the peer with references to objects of third nodes.
//!
//! It must not know gifts. When the peer has released such a reference, the gift is withdrawn: either the peer has claimed it, or it
//! never will.

use foldhash::HashMap;

use crate::id::{NodeId, ObjectId, Token};

/// A gift that is to be withdrawn: its owner, and its token.
pub(crate) type Withdrawn = (NodeId, Token);

/// The maximum number of tokens for one object. A peer may request more: those expire.
const MAX_TOKENS: usize = 16;

/// The tokens, by the number under which this side forwards.
#[derive(Default)]
pub(crate) struct Vouched {
    tokens: HashMap<ObjectId, Vec<Withdrawn>>,
}

impl Vouched {
    pub(crate) fn add(&mut self, object: ObjectId, owner: NodeId, token: Token) {
        let tokens = self.tokens.entry(object).or_default();
        if tokens.len() < MAX_TOKENS {
            tokens.push((owner, token));
        }
    }

    /// Takes the tokens of an object that the peer has released.
    pub(crate) fn take(&mut self, object: ObjectId) -> Vec<Withdrawn> {
        // Few objects are passed on with a token.
        if self.tokens.is_empty() {
            Vec::new()
        } else {
            self.tokens.remove(&object).unwrap_or_default()
        }
    }

    /// Forgets all tokens: the session has ended, and the gifts expire.
    pub(crate) fn clear(&mut self) {
        self.tokens = HashMap::default();
    }
}
