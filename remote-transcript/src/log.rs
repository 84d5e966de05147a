//! A log of bounded size with any number of readers, each at its own position. It must not know nodes, interfaces or
//! terminals.
//!
//! The oldest entry is removed to make room for a new one when every reader has read it, or when it is older than the
//! log's timeout for slow readers. So there is backpressure: writers are slowed to the rate of the slowest reader, but
//! never below one whole log per timeout. A reader that is stuck delays writers for one timeout, and then no more until
//! it reads again. Memory is bounded by the capacity. A reader that missed entries sees a gap in the numbers.

use std::collections::{HashMap, VecDeque};
use std::iter::Peekable;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The most entries of a batch, and the most bytes unless a single entry is larger: a batch is one message, and must
/// not delay others for long.
const BATCH_ENTRIES: usize = 1024;
const BATCH_BYTES: usize = 64 * 1024;

/// A bounded log of entries, numbered from 0.
pub(crate) struct Log<E> {
    /// Held while entries are appended, in the order of the requests: entries of one sender stay in order while it
    /// waits for room.
    appending: tokio::sync::Mutex<()>,
    state: Mutex<State<E>>,
    grown: Notify,
    drained: Notify,
}

/// The capacity of a log, and its timeout for slow readers.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<E> {
    /// The most bytes of all entries.
    pub(crate) capacity: usize,
    /// The age at which an entry is removed even if readers have not read it.
    pub(crate) timeout: Duration,
    /// Returns the bytes of an entry.
    pub(crate) size: fn(&E) -> usize,
}

/// The error of appending to a log that was closed.
#[derive(Debug, PartialEq)]
pub(crate) struct Closed;

/// Consecutive entries.
#[derive(Debug, PartialEq)]
pub(crate) struct Batch<E> {
    /// The number of the first one.
    pub(crate) first: u64,
    /// The entries, at least one.
    pub(crate) entries: Vec<E>,
}

/// A reader of a log. Dropping it removes the reader.
pub(crate) struct Reader<E: Clone> {
    log: Arc<Log<E>>,
    id: u64,
}

impl<E: Clone> Log<E> {
    /// Creates an empty log.
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
            appending: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
            grown: Notify::new(),
            drained: Notify::new(),
        })
    }

    /// Appends the entries in their order, with no others between them. Waits for room. If it is cancelled, some of the
    /// entries may have been appended.
    pub(crate) async fn append<I>(&self, entries: I) -> Result<(), Closed>
    where
        I: IntoIterator<Item = E, IntoIter: Send>,
        E: Send,
    {
        let mut entries = entries.into_iter().peekable();
        let _appending = self.appending.lock().await;
        loop {
            let drained = self.drained.notified();
            let pushed = self.state().push(&mut entries, Instant::now());
            self.grown.notify_waiters();
            let Err(removable_at) = pushed? else { return Ok(()) };
            tokio::select! {
                () = drained => {}
                () = tokio::time::sleep_until(removable_at) => {}
            }
        }
    }

    /// Adds a reader that begins with the last `last` entries that are kept.
    pub(crate) fn reader(self: &Arc<Log<E>>, last: u64) -> Reader<E> {
        let id = self.state().add_reader(last);
        Reader { log: Arc::clone(self), id }
    }

    /// Closes the log, and waits until the readers have read the rest and are dropped.
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
        // A panic in `clone` or `drop` of an entry poisons the lock, but leaves the state consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Clone> Reader<E> {
    /// Waits for the next entries. Returns `None` when the log is closed and all of it was read.
    pub(crate) async fn next(&mut self) -> Option<Batch<E>> {
        loop {
            let grown = self.log.grown.notified();
            let (batch, closed) = {
                let mut state = self.log.state();
                (state.read(self.id), state.closed)
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
    readers: HashMap<u64, Position>,
    next_reader: u64,
    /// A lower bound of the positions of all readers that writers wait for: most entries are removed without a look at
    /// the readers.
    slowest: u64,
    closed: bool,
}

struct Kept<E> {
    entry: E,
    size: usize,
    since: Instant,
}

#[derive(Clone, Copy)]
struct Position {
    /// The number of the next entry to read.
    next: u64,
    /// True if the reader has missed an entry and has not read since: writers do not wait for it.
    behind: bool,
}

impl<E: Clone> State<E> {
    /// Appends entries while there is room. The inner error is the time at which the oldest entry can be removed.
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
                if let Err(removable_at) = self.remove_oldest(now) {
                    return Ok(Err(removable_at));
                }
            }
            self.bytes += size;
            self.entries.extend(entries.next().map(|entry| Kept { entry, size, since: now }));
        }
        Ok(Ok(()))
    }

    fn remove_oldest(&mut self, now: Instant) -> Result<(), Instant> {
        let Some(oldest) = self.entries.front() else { return Ok(()) };
        if self.first >= self.slowest {
            let waited_for = self.readers.values().filter(|position| !position.behind);
            self.slowest = waited_for.map(|position| position.next).min().unwrap_or(u64::MAX);
        }
        if self.first >= self.slowest {
            let removable_at = oldest.since + self.bounds.timeout;
            if now < removable_at {
                return Err(removable_at);
            }
            for position in self.readers.values_mut().filter(|position| position.next <= self.first)
            {
                position.behind = true;
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
        self.readers.insert(id, Position { next, behind: false });
        self.slowest = self.slowest.min(next);
        id
    }

    fn read(&mut self, id: u64) -> Option<Batch<E>> {
        let position = self.readers.get_mut(&id)?;
        let first = position.next.max(self.first);
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
        *position = Position { next: first + entries.len() as u64, behind: false };
        self.slowest = self.slowest.min(position.next);
        Some(Batch { first, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// Creates a log of numbers of one byte each.
    fn log(capacity: usize) -> Arc<Log<u64>> {
        Log::new(Bounds { capacity, timeout: TIMEOUT, size: |_| 1 })
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
    async fn a_reader_that_keeps_up_gets_all_entries_in_order() {
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
    async fn a_stuck_reader_delays_writers_once_and_sees_a_gap() {
        let log = log(100);
        let mut stuck = log.reader(0);
        let start = Instant::now();
        log.append(0..1_000).await.unwrap();
        assert_eq!(
            start.elapsed().as_secs(),
            TIMEOUT.as_secs(),
            "writers wait for one timeout, not for nine"
        );
        assert_eq!(stuck.next().await.unwrap().first, 900);
        let start = Instant::now();
        log.append(1_000..1_100).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "it has read everything: there is room");
        log.append(1_100..1_101).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), TIMEOUT.as_secs(), "writers wait for it again");
    }

    #[tokio::test(start_paused = true)]
    async fn writers_append_in_the_order_of_their_requests() {
        let log = log(4);
        let mut reader = log.reader(0);
        log.append(0..4).await.unwrap();
        let writers = (1..=8).map(|writer| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { log.append(writer * 4..writer * 4 + 4).await })
        });
        let writers: Vec<_> = writers.collect();
        tokio::task::yield_now().await; // each has been polled once: all wait for the lock
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
    async fn a_new_reader_begins_with_the_last_entries_that_are_kept() {
        let log = log(10);
        log.append(0..25).await.unwrap();
        assert_eq!(
            log.reader(3).next().await.unwrap(),
            Batch { first: 22, entries: vec![22, 23, 24] }
        );
        assert_eq!(log.reader(u64::MAX).next().await.unwrap().first, 15);
    }

    #[tokio::test(start_paused = true)]
    async fn closing_ends_waiting_writers_and_readers_at_the_end() {
        let log = log(2);
        let reader = log.reader(0);
        log.append([0, 1]).await.unwrap();
        let reading = async {
            tokio::task::yield_now().await; // the writer waits, the log is closed
            read_to_end(reader).await
        };
        let (waiting, (), read) = tokio::join!(log.append([2]), log.finish(), reading);
        assert_eq!((waiting, read), (Err(Closed), vec![0, 1]));
        assert_eq!(log.append([3]).await, Err(Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn batches_are_bounded_and_a_large_entry_is_one_batch() {
        let log =
            Log::new(Bounds { capacity: 1 << 20, timeout: TIMEOUT, size: |entry: &usize| *entry });
        let mut reader = log.reader(0);
        log.append([BATCH_BYTES * 2, 10, BATCH_BYTES, 1]).await.unwrap();
        let mut sizes = Vec::new();
        while sizes.iter().sum::<usize>() < 4 {
            sizes.push(reader.next().await.unwrap().entries.len());
        }
        assert_eq!(sizes, [1, 1, 1, 1]);
    }
}
