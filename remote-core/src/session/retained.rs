//! Owns what was written and not yet acknowledged: kept as it was written, to be sent again on the next connection.
//!
//! It must not know frames beyond their numbers. What is sent again may have arrived already: the receiver knows by the
//! number. Blocks are shared with whoever writes them, so that keeping them costs no copy.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::id::FrameNumber;

/// How many buffers, of which size at most, are kept for what is written next.
const SPARE: usize = 4;
const SPARE_BYTES: usize = 256 * 1024;

/// What is written at once.
pub(crate) type Block = Arc<Vec<u8>>;

/// The blocks that are not acknowledged, in order.
#[derive(Default)]
pub(super) struct Retained {
    blocks: VecDeque<Kept>,
    bytes: usize,
    /// How many of them, from the first, were written on this connection.
    written: usize,
    spare: Vec<Vec<u8>>,
}

struct Kept {
    last: FrameNumber,
    /// When it was first written.
    sent: Instant,
    block: Block,
}

impl Retained {
    /// Keeps what is being written, up to the frame with this number.
    pub(super) fn keep(&mut self, last: FrameNumber, now: Instant, bytes: Vec<u8>) -> Block {
        self.bytes += bytes.len();
        let block = Arc::new(bytes);
        self.blocks.push_back(Kept { last, sent: now, block: Arc::clone(&block) });
        self.written += 1;
        block
    }

    /// Everything up to this number has arrived. When the newest of it was sent, if anything is news.
    pub(super) fn acknowledge(&mut self, number: FrameNumber) -> Option<Instant> {
        let mut newest = None;
        while let Some(kept) = self.blocks.front()
            && kept.last <= number
        {
            newest = Some(kept.sent);
            let Some(kept) = self.blocks.pop_front() else { break };
            self.bytes -= kept.block.len();
            self.written = self.written.saturating_sub(1);
            self.reclaim(kept.block);
        }
        newest
    }

    /// There is a new connection: all of it is to be written again.
    pub(super) fn rewind(&mut self) {
        self.written = 0;
    }

    /// What is to be written again next.
    pub(super) fn again(&mut self) -> Option<Block> {
        let kept = self.blocks.get(self.written)?;
        self.written += 1;
        Some(Arc::clone(&kept.block))
    }

    pub(super) fn wants_again(&self) -> bool {
        self.written < self.blocks.len()
    }

    /// The session is over: only what must still be written on this connection is kept until it is.
    pub(super) fn keep_unwritten(&mut self) {
        self.blocks.drain(..self.written);
        self.bytes = self.blocks.iter().map(|kept| kept.block.len()).sum();
        self.written = 0;
    }

    /// Bytes kept.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    /// An empty buffer, with room if there was one to spare.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    pub(super) fn clear(&mut self) {
        *self = Retained::default();
    }

    #[cfg(test)]
    pub(super) fn check(&self, acknowledged: FrameNumber) {
        assert_eq!(self.bytes, self.blocks.iter().map(|kept| kept.block.len()).sum::<usize>());
        assert!(self.blocks.iter().all(|kept| kept.last > acknowledged));
        assert!(self.blocks.iter().is_sorted_by(|one, next| one.last < next.last));
        assert!(self.written <= self.blocks.len());
    }

    fn reclaim(&mut self, block: Block) {
        if self.spare.len() < SPARE
            && let Ok(mut bytes) = Arc::try_unwrap(block)
            && bytes.capacity() <= SPARE_BYTES
        {
            bytes.clear();
            self.spare.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_acknowledged_is_written_again_in_order() {
        let (now, mut retained) = (Instant::now(), Retained::default());
        for number in 1..=4 {
            retained.keep(FrameNumber(number * 10), now, vec![number as u8; 100]);
        }
        assert!(!retained.wants_again());
        assert_eq!(retained.again(), None);
        assert_eq!(retained.acknowledge(FrameNumber(9)), None);
        assert_eq!(retained.acknowledge(FrameNumber(25)), Some(now));
        assert_eq!(retained.len(), 200);
        retained.rewind();
        assert!(retained.wants_again());
        assert_eq!(retained.again().map(|block| block[0]), Some(3));
        assert_eq!(retained.acknowledge(FrameNumber(30)), Some(now));
        assert_eq!(retained.again().map(|block| block[0]), Some(4));
        assert_eq!(retained.again(), None);
        assert!(!retained.wants_again());
        retained.check(FrameNumber(30));
    }

    #[test]
    fn acknowledged_buffers_are_used_again() {
        let (now, mut retained) = (Instant::now(), Retained::default());
        for capacity in [500, 256 * 1024] {
            drop(retained.keep(FrameNumber(1), now, Vec::with_capacity(capacity)));
            retained.acknowledge(FrameNumber(1));
            assert_eq!(retained.buffer().capacity(), capacity);
            assert_eq!(retained.buffer().capacity(), 0);
        }
    }

    #[test]
    fn few_buffers_are_kept_and_none_that_are_large_or_still_being_written() {
        let (now, mut retained) = (Instant::now(), Retained::default());
        for number in 1..=10 {
            drop(retained.keep(FrameNumber(number), now, Vec::with_capacity(500)));
        }
        retained.acknowledge(FrameNumber(10));
        let spare = (0..10).filter(|_| retained.buffer().capacity() > 0).count();
        assert_eq!(spare, 4);
        drop(retained.keep(FrameNumber(11), now, Vec::with_capacity(256 * 1024 + 1)));
        let _being_written = retained.keep(FrameNumber(12), now, Vec::with_capacity(500));
        retained.acknowledge(FrameNumber(12));
        assert_eq!(retained.buffer().capacity(), 0);
    }
}
