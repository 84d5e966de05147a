//! Owns what was said and who still has to read it: a log of bounded size, with any number of readers, each at its own
//! place. Knows nothing of nodes, interfaces or terminals.
//!
//! An entry makes room for a new one when every reader has taken it, or when it has waited for slow readers as long as
//! the log's patience, whichever comes first. So writers are slowed to the pace of the slowest reader, but never below
//! one whole log per patience; a reader that is stuck holds them up once, and then no more until it moves again; and
//! memory stays within the capacity whoever sleeps. A reader that was left behind sees a gap in the numbers.

use std::collections::{HashMap, VecDeque};
use std::iter::Peekable;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// What a batch holds at most, so that it stays small beside other messages: entries, and bytes unless a single entry
/// is larger.
const BATCH_ENTRIES: usize = 1024;
const BATCH_BYTES: usize = 64 * 1024;

/// A bounded log of entries, numbered from 0.
pub(crate) struct Log<E> {
    /// Whose turn it is to append. First come, first served, so that entries of one sender stay in order while it waits
    /// for room.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State<E>>,
    grown: Notify,
    drained: Notify,
}

/// How much a log keeps, and how long it waits for slow readers.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<E> {
    /// How many bytes are kept.
    pub(crate) capacity: usize,
    /// How long an entry waits for slow readers when its room is needed.
    pub(crate) patience: Duration,
    /// How many bytes an entry takes.
    pub(crate) size: fn(&E) -> usize,
}

/// Nothing can be appended any more.
#[derive(Debug, PartialEq)]
pub(crate) struct Closed;

/// Some consecutive entries.
#[derive(Debug, PartialEq)]
pub(crate) struct Batch<E> {
    /// The number of the first one.
    pub(crate) first: u64,
    /// The entries; never none.
    pub(crate) entries: Vec<E>,
}

/// One reader's place in a log. Dropping it ends the reader.
pub(crate) struct Reader<E: Clone> {
    log: Arc<Log<E>>,
    id: u64,
}

impl<E: Clone> Log<E> {
    /// An empty log.
    pub(crate) fn new(bounds: Bounds<E>) -> Arc<Log<E>> {
        let state = State {
            bounds,
            entries: VecDeque::new(),
            first: 0,
            bytes: 0,
            readers: HashMap::new(),
            next_reader: 0,
            slowest: 0,
            closed: false,
        };
        Arc::new(Log {
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
            grown: Notify::new(),
            drained: Notify::new(),
        })
    }

    /// Appends the entries in their order, nobody else's between them, and waits for room as long as it must.
    pub(crate) async fn append<I>(&self, entries: I) -> Result<(), Closed>
    where
        I: IntoIterator<Item = E, IntoIter: Send>,
        E: Send,
    {
        let mut entries = entries.into_iter().peekable();
        let _turn = self.turn.lock().await;
        loop {
            let drained = self.drained.notified();
            let pushed = self.state().push(&mut entries, Instant::now());
            self.grown.notify_waiters();
            let Err(patience_ends) = pushed? else { return Ok(()) };
            tokio::select! {
                () = drained => {}
                () = tokio::time::sleep_until(patience_ends) => {}
            }
        }
    }

    /// A reader that begins with the last `last` entries there are, as far as they are kept.
    pub(crate) fn reader(self: &Arc<Log<E>>, last: u64) -> Reader<E> {
        let id = self.state().add_reader(last);
        Reader { log: Arc::clone(self), id }
    }

    /// Ends the log: nothing more is appended. Waits until the readers have read the rest and are gone.
    pub(crate) async fn finish(&self) {
        self.state().closed = true;
        self.grown.notify_waiters();
        self.drained.notify_waiters();
        loop {
            let drained = self.drained.notified();
            if self.state().readers.is_empty() {
                return;
            }
            drained.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State<E>> {
        // No code of the entries' runs under the lock but `clone` and `drop`, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Clone> Reader<E> {
    /// The next entries, as soon as there are any; `None` when the log is closed and all of it was read.
    pub(crate) async fn next(&mut self) -> Option<Batch<E>> {
        loop {
            let grown = self.log.grown.notified();
            let (batch, closed) = {
                let mut state = self.log.state();
                (state.take(self.id), state.closed)
            };
            if batch.is_some() {
                self.log.drained.notify_waiters();
                return batch;
            }
            if closed {
                return None;
            }
            grown.await;
        }
    }
}

impl<E: Clone> Drop for Reader<E> {
    fn drop(&mut self) {
        self.log.state().readers.remove(&self.id);
        self.log.drained.notify_waiters();
    }
}

struct State<E> {
    bounds: Bounds<E>,
    entries: VecDeque<Kept<E>>,
    /// The number of the oldest entry kept.
    first: u64,
    bytes: usize,
    readers: HashMap<u64, Place>,
    next_reader: u64,
    /// No reader that is waited for stands before this number. Kept so that most entries leave without a look at all
    /// readers.
    slowest: u64,
    closed: bool,
}

struct Kept<E> {
    entry: E,
    size: usize,
    since: Instant,
}

#[derive(Clone, Copy)]
struct Place {
    /// The number of the entry it reads next.
    next: u64,
    /// Missed an entry and has not come back since: nobody waits for it.
    left_behind: bool,
}

impl<E: Clone> State<E> {
    /// Pushes the entries until there is no room: the inner error says when the oldest entry's patience ends.
    fn push<I>(
        &mut self,
        entries: &mut Peekable<I>,
        now: Instant,
    ) -> Result<Result<(), Instant>, Closed>
    where
        I: Iterator<Item = E>,
    {
        while let Some(entry) = entries.peek() {
            if self.closed {
                return Err(Closed);
            }
            let size = (self.bounds.size)(entry);
            while self.bytes + size > self.bounds.capacity && !self.entries.is_empty() {
                if let Err(patience_ends) = self.forget_oldest(now) {
                    return Ok(Err(patience_ends));
                }
            }
            self.bytes += size;
            self.entries.extend(entries.next().map(|entry| Kept { entry, size, since: now }));
        }
        Ok(Ok(()))
    }

    fn forget_oldest(&mut self, now: Instant) -> Result<(), Instant> {
        let Some(oldest) = self.entries.front() else { return Ok(()) };
        if self.first >= self.slowest {
            let waited_for = self.readers.values().filter(|place| !place.left_behind);
            self.slowest = waited_for.map(|place| place.next).min().unwrap_or(u64::MAX);
        }
        if self.first >= self.slowest {
            let patience_ends = oldest.since + self.bounds.patience;
            if now < patience_ends {
                return Err(patience_ends);
            }
            for place in self.readers.values_mut().filter(|place| place.next <= self.first) {
                place.left_behind = true;
            }
        }
        self.bytes -= oldest.size;
        self.entries.pop_front();
        self.first += 1;
        Ok(())
    }

    fn add_reader(&mut self, last: u64) -> u64 {
        let end = self.first + self.entries.len() as u64;
        let next = end.saturating_sub(last).max(self.first);
        let id = self.next_reader;
        self.next_reader += 1;
        self.readers.insert(id, Place { next, left_behind: false });
        self.slowest = self.slowest.min(next);
        id
    }

    fn take(&mut self, id: u64) -> Option<Batch<E>> {
        let place = self.readers.get_mut(&id)?;
        let first = place.next.max(self.first);
        let start = (first - self.first) as usize;
        let mut bytes = 0;
        let entries: Vec<E> = self
            .entries
            .iter()
            .skip(start)
            .take(BATCH_ENTRIES)
            .enumerate()
            .take_while(|(index, kept)| {
                bytes += kept.size;
                *index == 0 || bytes <= BATCH_BYTES
            })
            .map(|(_, kept)| kept.entry.clone())
            .collect();
        if entries.is_empty() {
            return None;
        }
        *place = Place { next: first + entries.len() as u64, left_behind: false };
        self.slowest = self.slowest.min(place.next);
        Some(Batch { first, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A log of numbers in which each takes one byte.
    fn log(capacity: usize) -> Arc<Log<u64>> {
        Log::new(Bounds { capacity, patience: PATIENCE, size: |_| 1 })
    }

    async fn read_to_end(mut reader: Reader<u64>) -> Vec<u64> {
        let mut seen = Vec::new();
        while let Some(batch) = reader.next().await {
            assert_eq!(batch.first, batch.entries[0], "a batch is numbered like its entries here");
            seen.extend(batch.entries);
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_keeps_up_sees_everything_in_order() {
        let log = log(100);
        let readers =
            [log.reader(0), log.reader(0)].map(|reader| tokio::spawn(read_to_end(reader)));
        log.append(0..10_000).await.unwrap();
        log.finish().await;
        for reader in readers {
            assert!(reader.await.unwrap().into_iter().eq(0..10_000));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stuck_reader_holds_writers_up_once_and_learns_what_it_missed() {
        let log = log(100);
        let mut stuck = log.reader(0);
        let begun = Instant::now();
        log.append(0..1_000).await.unwrap();
        assert_eq!(
            begun.elapsed().as_secs(),
            PATIENCE.as_secs(),
            "writers wait out one patience, not nine"
        );
        assert_eq!(stuck.next().await.unwrap().first, 900);
        let begun = Instant::now();
        log.append(1_000..1_100).await.unwrap();
        assert_eq!(
            begun.elapsed(),
            Duration::ZERO,
            "it came back and read everything: there is room"
        );
        log.append(1_100..1_101).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs(), "it is waited for again");
    }

    #[tokio::test(start_paused = true)]
    async fn writers_take_turns_in_the_order_in_which_they_came() {
        let log = log(4);
        let mut reader = log.reader(0);
        log.append(0..4).await.unwrap();
        let writers = (1..=8).map(|turn| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { log.append(turn * 4..turn * 4 + 4).await })
        });
        let writers: Vec<_> = writers.collect();
        tokio::task::yield_now().await; // each has been polled once: they stand in line
        let mut seen = Vec::new();
        while seen.len() < 36 {
            seen.extend(reader.next().await.unwrap().entries);
        }
        assert!(seen.into_iter().eq(0..36));
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_reader_begins_with_the_last_entries_that_are_kept() {
        let log = log(10);
        log.append(0..25).await.unwrap();
        assert_eq!(
            log.reader(3).next().await.unwrap(),
            Batch { first: 22, entries: vec![22, 23, 24] }
        );
        assert_eq!(log.reader(u64::MAX).next().await.unwrap().first, 15);
    }

    #[tokio::test(start_paused = true)]
    async fn closing_ends_writers_that_wait_and_readers_that_have_read() {
        let log = log(2);
        let reader = log.reader(0);
        log.append([0, 1]).await.unwrap();
        let reading = async {
            tokio::task::yield_now().await; // the writer waits, the log has ended
            read_to_end(reader).await
        };
        let (waiting, (), read) = tokio::join!(log.append([2]), log.finish(), reading);
        assert_eq!((waiting, read), (Err(Closed), vec![0, 1]));
        assert_eq!(log.append([3]).await, Err(Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn batches_are_small_and_an_entry_larger_than_one_goes_alone() {
        let log = Log::new(Bounds {
            capacity: 1 << 20,
            patience: PATIENCE,
            size: |entry: &usize| *entry,
        });
        let mut reader = log.reader(0);
        log.append([BATCH_BYTES * 2, 10, BATCH_BYTES, 1]).await.unwrap();
        let mut sizes = Vec::new();
        while sizes.iter().sum::<usize>() < 4 {
            sizes.push(reader.next().await.unwrap().entries.len());
        }
        assert_eq!(sizes, [1, 1, 1, 1]);
    }
}
