//! Owns which datagrams have arrived before: of each sender a window of numbers that ends with the newest, as IPsec keeps
//! one against replays (RFC 4303, section 3.4.3; in blocks, as RFC 6479 does).
//!
//! It must not know what the datagrams say. It stays within its bounds whatever arrives: what is older than the window
//! counts as a duplicate, and of too many senders the one that was not heard for longest is forgotten.

use std::collections::BTreeMap;

use foldhash::HashMap;

use crate::id::NodeId;

/// The numbers of one block.
const BLOCK: u64 = u64::BITS as u64;
/// The blocks of one window: 4,096 numbers, and at least 4,032 behind the newest. A sender counts all its datagrams,
/// also those to others, so that it needs more than the few that a network lets overtake.
const BLOCKS: usize = 64;
/// The senders that are remembered, of half a KiB each.
const SENDERS: usize = 1024;

/// What has arrived.
#[derive(Default)]
pub(crate) struct Arrivals {
    windows: HashMap<NodeId, Window>,
    /// The senders by when they were last heard, as the arrivals are counted.
    heard: BTreeMap<u64, NodeId>,
    count: u64,
}

struct Window {
    /// The block of the newest number.
    newest: u64,
    /// A bit for each number, at its block's place in the ring.
    seen: Box<[u64; BLOCKS]>,
    heard: u64,
}

impl Arrivals {
    /// Notes that a datagram has arrived. Whether it is the first time.
    pub(crate) fn is_first(&mut self, sender: NodeId, number: u64) -> bool {
        self.count += 1;
        if !self.windows.contains_key(&sender)
            && self.windows.len() >= SENDERS
            && let Some((_, oldest)) = self.heard.pop_first()
        {
            self.windows.remove(&oldest);
        }
        let window = self.windows.entry(sender).or_insert_with(|| Window::at(number));
        self.heard.remove(&window.heard);
        window.heard = self.count;
        self.heard.insert(self.count, sender);
        window.is_first(number)
    }
}

impl Window {
    fn at(number: u64) -> Window {
        Window { newest: number / BLOCK, seen: Box::new([0; BLOCKS]), heard: 0 }
    }

    fn is_first(&mut self, number: u64) -> bool {
        let (block, bit) = (number / BLOCK, 1 << (number % BLOCK));
        let blocks = BLOCKS as u64;
        if block > self.newest {
            // The blocks that are new stand where others stood that are too old now.
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

/// The place of a block in the ring.
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
        let mut arrivals = Arrivals::default();
        // A stride that is prime to the count visits each once, far from its neighbours.
        let numbers = (0..4000_u64).map(|step| 10_000 + step * 1117 % 4000);
        for number in numbers.clone() {
            assert!(arrivals.is_first(ONE, number), "{number} for the first time");
            assert!(!arrivals.is_first(ONE, number), "{number} again");
        }
        assert!(numbers.into_iter().all(|number| !arrivals.is_first(ONE, number)));
        assert!(arrivals.is_first(sender(7), 10_000), "another sender's");
    }

    #[test]
    fn what_is_older_than_the_window_counts_as_a_duplicate() {
        let mut arrivals = Arrivals::default();
        for newest in [6400, 1_000_000, u64::MAX / 2, u64::MAX] {
            assert!(arrivals.is_first(ONE, newest));
            assert!(arrivals.is_first(ONE, newest - 4032), "just within");
            assert!(!arrivals.is_first(ONE, newest - 4032), "again");
            assert!(!arrivals.is_first(ONE, newest - 4096), "beyond");
            assert!(!arrivals.is_first(ONE, 0), "far beyond");
            assert!(!arrivals.is_first(ONE, newest), "again");
        }
    }

    #[test]
    fn a_window_that_moves_by_little_forgets_nothing_within_it() {
        let mut arrivals = Arrivals::default();
        for number in (0..100_000).step_by(7) {
            assert!(arrivals.is_first(ONE, number));
            let within = number.saturating_sub(4032)..=number;
            let known = within.rev().find(|number| number % 7 == 0).unwrap();
            assert!(!arrivals.is_first(ONE, known));
            let oldest = number.saturating_sub(4026).next_multiple_of(7);
            assert!(!arrivals.is_first(ONE, oldest), "{oldest}, when {number} is the newest");
        }
    }

    #[test]
    fn of_too_many_senders_the_one_not_heard_for_longest_is_forgotten() {
        let mut arrivals = Arrivals::default();
        for number in 0..SENDERS {
            assert!(arrivals.is_first(sender(number), 1));
        }
        assert!(!arrivals.is_first(sender(0), 1), "heard again, it stays");
        for number in SENDERS..2 * SENDERS - 1 {
            assert!(arrivals.is_first(sender(number), 1));
        }
        assert!(!arrivals.is_first(sender(0), 1), "it was heard later than the others");
        assert!(arrivals.is_first(sender(1), 1), "which are forgotten");
        assert_eq!((arrivals.windows.len(), arrivals.heard.len()), (SENDERS, SENDERS));
    }
}
