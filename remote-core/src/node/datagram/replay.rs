//! The anti-replay window for datagrams: which of the newest numbers have arrived, for each sender (as in IPsec, RFC 4303,
//! section 3.4.3; in blocks, as in RFC 6479).
//!
//! It must not know the content of datagrams. Its memory is bounded for any input: a number older than the window counts as a
//! duplicate, and if there are too many senders, the least recently seen one is evicted.

use std::collections::BTreeMap;

use foldhash::HashMap;

use crate::id::NodeId;

/// Numbers per block.
const BLOCK: u64 = u64::BITS as u64;
/// Blocks per window: 4,096 numbers, of which at least 4,032 precede the newest one. A sender numbers its datagrams to all
/// destinations consecutively, so that the window must be larger than the reordering of a network.
const BLOCKS: usize = 64;
/// The maximum number of senders. Each takes half a KiB.
const SENDERS: usize = 1024;

/// The windows of all senders.
#[derive(Default)]
pub(crate) struct ReplayWindow {
    windows: HashMap<NodeId, Window>,
    /// The senders, ordered by the count of datagrams at which each was last seen.
    last_seen: BTreeMap<u64, NodeId>,
    count: u64,
}

struct Window {
    /// The block of the newest number.
    newest: u64,
    /// One bit for each number; a ring of blocks.
    seen: Box<[u64; BLOCKS]>,
    last_seen: u64,
}

impl ReplayWindow {
    /// Notes the arrival of a datagram. Returns true if it is not a duplicate.
    pub(crate) fn is_first(&mut self, sender: NodeId, number: u64) -> bool {
        self.count += 1;
        if !self.windows.contains_key(&sender)
            && self.windows.len() >= SENDERS
            && let Some((_, oldest)) = self.last_seen.pop_first()
        {
            self.windows.remove(&oldest);
        }
        let window = self.windows.entry(sender).or_insert_with(|| Window::at(number));
        self.last_seen.remove(&window.last_seen);
        window.last_seen = self.count;
        self.last_seen.insert(self.count, sender);
        window.is_first(number)
    }
}

impl Window {
    fn at(number: u64) -> Window {
        Window { newest: number / BLOCK, seen: Box::new([0; BLOCKS]), last_seen: 0 }
    }

    fn is_first(&mut self, number: u64) -> bool {
        let (block, bit) = (number / BLOCK, 1 << (number % BLOCK));
        let blocks = BLOCKS as u64;
        if block > self.newest {
            // The new blocks replace those that are now too old.
            for new in (self.newest.max(block.saturating_sub(blocks)) + 1)..=block {
                self.seen[place(new)] = 0;
            }
            self.newest = block;
        } else if self.newest - block >= blocks {
            return false;
        }
        let seen = &mut self.seen[place(block)];
        let is_first = *seen & bit == 0;
        *seen |= bit;
        is_first
    }
}

/// Returns the place of a block in the ring.
fn place(block: u64) -> usize {
    (block % BLOCKS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NodeId = NodeId::from_bytes([1; 16]);

    /// A sender of its own for each number.
    fn sender(number: usize) -> NodeId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        NodeId::from_bytes(bytes)
    }

    #[test]
    fn each_number_counts_once_in_whatever_order() {
        let mut replay = ReplayWindow::default();
        // A stride that is prime to the count visits each once, far from its neighbours.
        let numbers = (0..4000_u64).map(|step| 10_000 + step * 1117 % 4000);
        for number in numbers.clone() {
            assert!(replay.is_first(ONE, number), "{number} for the first time");
            assert!(!replay.is_first(ONE, number), "{number} again");
        }
        assert!(numbers.into_iter().all(|number| !replay.is_first(ONE, number)));
        assert!(replay.is_first(sender(7), 10_000), "another sender's");
    }

    #[test]
    fn a_number_older_than_the_window_is_a_duplicate() {
        let mut replay = ReplayWindow::default();
        for newest in [6400, 1_000_000, u64::MAX / 2, u64::MAX] {
            assert!(replay.is_first(ONE, newest));
            assert!(replay.is_first(ONE, newest - 4032), "just within");
            assert!(!replay.is_first(ONE, newest - 4032), "again");
            assert!(!replay.is_first(ONE, newest - 4096), "beyond");
            assert!(!replay.is_first(ONE, 0), "far beyond");
            assert!(!replay.is_first(ONE, newest), "again");
        }
    }

    #[test]
    fn a_window_that_moves_by_little_forgets_nothing_within_it() {
        let mut replay = ReplayWindow::default();
        for number in (0..100_000).step_by(7) {
            assert!(replay.is_first(ONE, number));
            let within = number.saturating_sub(4032)..=number;
            let known = within.rev().find(|number| number % 7 == 0).unwrap();
            assert!(!replay.is_first(ONE, known));
            let oldest = number.saturating_sub(4026).next_multiple_of(7);
            assert!(!replay.is_first(ONE, oldest), "{oldest}, when {number} is the newest");
        }
    }

    #[test]
    fn of_too_many_senders_the_one_not_last_seen_for_longest_is_forgotten() {
        let mut replay = ReplayWindow::default();
        for number in 0..SENDERS {
            assert!(replay.is_first(sender(number), 1));
        }
        assert!(!replay.is_first(sender(0), 1), "seen again, it stays");
        for number in SENDERS..2 * SENDERS - 1 {
            assert!(replay.is_first(sender(number), 1));
        }
        assert!(!replay.is_first(sender(0), 1), "it was seen later than the others");
        assert!(replay.is_first(sender(1), 1), "which are forgotten");
        assert_eq!((replay.windows.len(), replay.last_seen.len()), (SENDERS, SENDERS));
    }
}
