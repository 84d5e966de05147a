//! The frames that were written and not yet acknowledged, to be retransmitted on the next connection.
//!
//! It must not know frames, except for their numbers. A retransmitted frame may have arrived before, which the receiver
//! detects by its number. Blocks are shared with the writer, so that retaining them needs no copy.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::id::FrameNumber;

/// The number and the maximum size of the empty buffers that are kept for later writes.
const SPARE: usize = 4;
const SPARE_BYTES: usize = 256 * 1024;

/// The bytes of one write.
pub(crate) type Block = Arc<Vec<u8>>;

/// The blocks that are not acknowledged, in order.
#[derive(Default)]
pub(super) struct Retained {
    blocks: VecDeque<RetainedBlock>,
    bytes: usize,
    /// The number of blocks that were written on this connection, counted from the first.
    written: usize,
    spare: Vec<Vec<u8>>,
}

struct RetainedBlock {
    last: FrameNumber,
    /// The time at which it was first written.
    sent: Instant,
    block: Block,
}

impl Retained {
    /// Retains the bytes of a write, whose last frame has this number.
    pub(super) fn keep(&mut self, last: FrameNumber, now: Instant, bytes: Vec<u8>) -> Block {
        self.bytes += bytes.len();
        let block = Arc::new(bytes);
        self.blocks.push_back(RetainedBlock { last, sent: now, block: Arc::clone(&block) });
        self.written += 1;
        block
    }

    /// Removes the blocks whose frames are all acknowledged. Returns the time at which the newest of them was sent, if
    /// there is one.
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

    /// Starts again with the first block: there is a new connection.
    pub(super) fn rewind(&mut self) {
        self.written = 0;
    }

    /// Returns the next block to be retransmitted.
    pub(super) fn next_retransmit(&mut self) -> Option<Block> {
        let kept = self.blocks.get(self.written)?;
        self.written += 1;
        Some(Arc::clone(&kept.block))
    }

    pub(super) fn needs_retransmit(&self) -> bool {
        self.written < self.blocks.len()
    }

    /// Drops the blocks that were written on this connection: the session has ended, and only the others are still sent.
    pub(super) fn keep_unwritten(&mut self) {
        self.blocks.drain(..self.written);
        self.bytes = self.blocks.iter().map(|kept| kept.block.len()).sum();
        self.written = 0;
    }

    /// Returns the number of bytes retained.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    /// Returns an empty buffer, if possible one with capacity.
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
    fn unacknowledged_blocks_are_retransmitted_in_order() {
        let (now, mut retained) = (Instant::now(), Retained::default());
        for number in 1..=4 {
            retained.keep(FrameNumber(number * 10), now, vec![number as u8; 100]);
        }
        assert!(!retained.needs_retransmit());
        assert_eq!(retained.next_retransmit(), None);
        assert_eq!(retained.acknowledge(FrameNumber(9)), None);
        assert_eq!(retained.acknowledge(FrameNumber(25)), Some(now));
        assert_eq!(retained.len(), 200);
        retained.rewind();
        assert!(retained.needs_retransmit());
        assert_eq!(retained.next_retransmit().map(|block| block[0]), Some(3));
        assert_eq!(retained.acknowledge(FrameNumber(30)), Some(now));
        assert_eq!(retained.next_retransmit().map(|block| block[0]), Some(4));
        assert_eq!(retained.next_retransmit(), None);
        assert!(!retained.needs_retransmit());
        retained.check(FrameNumber(30));
    }

    #[test]
    fn acknowledged_buffers_are_reused() {
        let (now, mut retained) = (Instant::now(), Retained::default());
        for capacity in [500, 256 * 1024] {
            drop(retained.keep(FrameNumber(1), now, Vec::with_capacity(capacity)));
            retained.acknowledge(FrameNumber(1));
            assert_eq!(retained.buffer().capacity(), capacity);
            assert_eq!(retained.buffer().capacity(), 0);
        }
    }

    #[test]
    fn few_and_small_buffers_are_kept() {
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
