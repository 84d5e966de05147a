//! The chain of a call: the serial executions that await it, each of which would wait for itself if the call were executed by
//! the same object.
//!
//! It must not know objects.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::random;
use crate::wire::frame::{EXECUTION, MAX_CHAIN};

/// The number of one execution of a method of a serial object, on any node: 64 bits that look random.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ExecutionId(u64);

impl ExecutionId {
    /// Returns a number that no other execution has: the output of SplitMix64 (Steele, Lea and Flood 2014) with a random seed,
    /// whose outputs do not repeat.
    pub(crate) fn fresh() -> ExecutionId {
        static SEED: OnceLock<u64> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let seed = *SEED.get_or_init(|| u64::from_le_bytes(random::bytes()));
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut mixed = seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ExecutionId(mixed ^ (mixed >> 31))
    }
}

/// A list of executions, as it is written in a frame. Most calls have none: it is one pointer, as it is part of every header.
#[derive(Clone, Default, Debug)]
pub(crate) struct Chain(Option<Arc<Vec<u8>>>);

impl Chain {
    /// Makes a chain of the bytes of a frame.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Chain {
        if bytes.is_empty() { Chain(None) } else { Chain(Some(Arc::new(bytes.to_vec()))) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Returns true if an execution is in the chain.
    pub(crate) fn contains(&self, execution: ExecutionId) -> bool {
        self.bytes().chunks_exact(EXECUTION).any(|bytes| bytes == execution.0.to_le_bytes())
    }

    /// Returns the chain with one more execution. One that is full is returned as it is: calls are not nested as deep as that.
    pub(crate) fn with(&self, execution: ExecutionId) -> Chain {
        let bytes = self.bytes();
        if bytes.len() >= MAX_CHAIN * EXECUTION {
            return self.clone();
        }
        Chain(Some(Arc::new([bytes, &execution.0.to_le_bytes()].concat())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_contains_what_was_added_up_to_its_limit() {
        let executions: Vec<ExecutionId> = (0..40).map(|_| ExecutionId::fresh()).collect();
        let chain = executions.iter().fold(Chain::default(), |chain, next| chain.with(*next));
        let contained = executions.iter().filter(|execution| chain.contains(**execution)).count();
        assert_eq!(contained, MAX_CHAIN);
        assert_eq!(Chain::from_bytes(chain.bytes()).bytes(), chain.bytes());
        assert!(Chain::from_bytes(&[]).bytes().is_empty());
    }
}
