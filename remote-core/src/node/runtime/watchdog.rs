//! Owns the lookout: a thread that notices when a method blocks a thread of the runtime, and has what waits for that thread
//! go on elsewhere: a session's writer, what it is to see to by now, callers that are to be woken.
//!
//! It must not know sessions beyond what they tell it here. A timer of the runtime's would not do: the blocked thread may be
//! the one that was to see to the runtime's timers and sockets, and no other takes that over before it is woken. A
//! wake-up from outside of the runtime wakes one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::mutex::Mutex;
use crate::object::execution::contained;

/// How often it looks while calls are executed. A method is not called blocking before it has taken as long.
const INTERVAL: Duration = Duration::from_millis(10);

/// How long after it was due something is overdue: a busy machine is not a blocked one.
const GRACE: Duration = Duration::from_millis(50);
/// Never, in milliseconds.
const NEVER: u64 = u64::MAX;

/// What one session's tasks are up to, as the lookout sees it.
pub(crate) struct DispatchCount {
    /// The turns in which the reader executes calls: counted when one begins and when it ends, so odd while it goes on.
    count: AtomicU64,
    /// When the writer is to keep time next, in milliseconds of the lookout's.
    due: AtomicU64,
}

impl Default for DispatchCount {
    fn default() -> DispatchCount {
        DispatchCount { count: AtomicU64::new(0), due: AtomicU64::new(NEVER) }
    }
}

/// One turn, until it is dropped.
pub(crate) struct DispatchGuard<'t>(&'t DispatchCount);

/// What is to go on when a turn takes long.
pub(crate) trait Unblock: Send + Sync {
    /// Goes on without the thread that it waits for.
    fn drive(&self);

    /// Whether something of it may wait for a thread, it cannot say for which.
    fn may_be_stuck(&self) -> bool {
        false
    }
}

impl DispatchCount {
    /// A turn begins.
    pub(crate) fn begin(&self) -> DispatchGuard<'_> {
        self.count.fetch_add(1, Ordering::SeqCst);
        rouse();
        DispatchGuard(self)
    }

    /// Something is to be seen to at that time. If it is not, because a method blocks the thread that should, it is seen
    /// to without that thread.
    pub(crate) fn set_due(&self, due: Option<Instant>) {
        let due = due.map_or(NEVER, milliseconds);
        self.due.store(due, Ordering::SeqCst);
        if overdue(due) < WAKES.load(Ordering::SeqCst)
            && let Some(Some(thread)) = THREAD.get()
        {
            thread.unpark();
        }
    }
}

/// A time as the lookout counts.
fn milliseconds(time: Instant) -> u64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let begin = *BEGIN.get_or_init(Instant::now);
    u64::try_from(time.saturating_duration_since(begin).as_millis()).unwrap_or(NEVER)
}

impl Drop for DispatchGuard<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// What the lookout looks at.
struct Seen {
    posts: Vec<Post>,
    /// What is to be gone when it looks the next time.
    passing: Vec<Weak<dyn Unblock>>,
}

struct Post {
    turns: Arc<DispatchCount>,
    /// What was counted when it was last looked at.
    seen: u64,
    /// Whether its turn takes long.
    is_behind: bool,
    unblock: Weak<dyn Unblock>,
}

/// What the lookout has not yet taken over.
static NEW: Mutex<Seen> = Mutex::new(Seen { posts: Vec::new(), passing: Vec::new() });
static THREAD: OnceLock<Option<Thread>> = OnceLock::new();
static IS_ASLEEP: AtomicBool = AtomicBool::new(false);
/// When it wakes by itself, in milliseconds of its own; 0 while it is awake.
static WAKES: AtomicU64 = AtomicU64::new(0);

/// Looks after the turns of one more reader.
pub(crate) fn watch_session(turns: &Arc<DispatchCount>, unblock: Weak<dyn Unblock>) {
    let post = Post { turns: Arc::clone(turns), seen: 0, is_behind: false, unblock };
    new().posts.push(post);
    start();
}

/// Has something go on that is not gone soon.
pub(crate) fn expect(passing: Weak<dyn Unblock>) {
    new().passing.push(passing);
    start();
    rouse();
}

fn start() {
    THREAD.get_or_init(|| {
        let started = thread::Builder::new().name("remote-lookout".into()).spawn(keep_lookout);
        if let Err(error) = &started {
            tracing::error!(%error, "no thread to look out for methods that block");
        }
        started.ok().map(|handle| handle.thread().clone())
    });
}

/// Seldom does anything: the lookout stays awake for as long as something goes on.
fn rouse() {
    if IS_ASLEEP.load(Ordering::SeqCst)
        && IS_ASLEEP.swap(false, Ordering::SeqCst)
        && let Some(Some(thread)) = THREAD.get()
    {
        thread.unpark();
    }
}

fn new() -> MutexGuard<'static, Seen> {
    NEW.lock()
}

fn keep_lookout() {
    let mut seen = Seen { posts: Vec::new(), passing: Vec::new() };
    loop {
        if seen.look_at_all() {
            thread::park_timeout(INTERVAL);
            continue;
        }
        IS_ASLEEP.store(true, Ordering::SeqCst);
        WAKES.store(NEVER, Ordering::SeqCst);
        // What began before is seen here; what begins later sees that the lookout is asleep.
        if !seen.look_at_all() {
            sleep_until(overdue(seen.next_due()));
        }
        WAKES.store(0, Ordering::SeqCst);
        IS_ASLEEP.store(false, Ordering::SeqCst);
    }
}

/// When what is due then is overdue.
fn overdue(due: u64) -> u64 {
    due.saturating_add(GRACE.as_millis() as u64)
}

/// Sleeps until then, or until it is roused.
fn sleep_until(time: u64) {
    WAKES.store(time, Ordering::SeqCst);
    match time {
        NEVER => thread::park(),
        _ => thread::park_timeout(Duration::from_millis(
            time.saturating_sub(milliseconds(Instant::now())),
        )),
    }
}

impl Seen {
    fn look_at_all(&mut self) -> bool {
        let was_active = self.look();
        let mut new = new();
        self.posts.append(&mut new.posts);
        self.passing.append(&mut new.passing);
        was_active || !self.passing.is_empty()
    }

    /// Looks at each once. Whether anything went on since the last time.
    fn look(&mut self) -> bool {
        self.passing.drain(..).filter_map(|passing| passing.upgrade()).for_each(drive);
        let now = milliseconds(Instant::now());
        let (mut is_active, mut is_blocked) = (false, false);
        self.posts.retain_mut(|post| {
            let counted = post.turns.count.load(Ordering::SeqCst);
            let is_begun = counted % 2 == 1;
            is_active |= is_begun || counted != post.seen;
            post.is_behind = is_begun && counted == post.seen;
            is_blocked |= post.is_behind;
            post.seen = counted;
            Arc::strong_count(&post.turns) > 2
        });
        for post in &self.posts {
            let is_overdue = overdue(post.turns.due.load(Ordering::SeqCst)) < now;
            if !(is_blocked || is_overdue) {
                continue;
            }
            // The thread that is blocked may have another one's task next.
            post.unblock
                .upgrade()
                .into_iter()
                .filter(|it| post.is_behind || is_overdue || it.may_be_stuck())
                .for_each(drive);
        }
        is_active
    }

    /// When the first of them has something to see to.
    fn next_due(&self) -> u64 {
        self.posts.iter().map(|post| post.turns.due.load(Ordering::SeqCst)).min().unwrap_or(NEVER)
    }
}

/// What follows may be anything, and so may what goes with the last share of it.
fn drive(overdue: Arc<dyn Unblock>) {
    contained(|| overdue.drive());
    contained(|| drop(overdue));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Writer(AtomicU64);

    impl Unblock for Writer {
        fn drive(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_turn_that_takes_long_is_noticed_and_one_that_does_not_is_not() {
        let (turns, writer) = (Arc::<DispatchCount>::default(), Arc::<Writer>::default());
        let other = Arc::clone(&turns);
        let weak: Weak<Writer> = Arc::downgrade(&writer);
        let post = Post { turns: Arc::clone(&turns), seen: 0, is_behind: false, unblock: weak };
        let mut seen = Seen { posts: vec![post], passing: Vec::new() };
        assert!(!seen.look(), "nothing has begun");
        for _ in 0..3 {
            drop(turns.begin());
            let turn = turns.begin();
            assert!(seen.look());
            drop(turn);
        }
        assert_eq!(writer.0.load(Ordering::Relaxed), 0, "each was another turn");
        let turn = turns.begin();
        assert!(seen.look(), "it goes on");
        assert!(seen.look(), "it still goes on");
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
        drop(turn);
        assert!(seen.look(), "it has ended since");
        assert!(!seen.look());
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
        drop((turns, other));
        assert!(!seen.look());
        assert!(seen.posts.is_empty(), "who is gone is forgotten");
    }

    #[test]
    fn what_is_long_overdue_is_seen_to() {
        let (turns, writer) = (Arc::<DispatchCount>::default(), Arc::<Writer>::default());
        let _other = Arc::clone(&turns);
        let weak: Weak<Writer> = Arc::downgrade(&writer);
        let post = Post { turns: Arc::clone(&turns), seen: 0, is_behind: false, unblock: weak };
        let mut seen = Seen { posts: vec![post], passing: Vec::new() };
        milliseconds(Instant::now());
        let soon = Instant::now() + Duration::from_secs(3600);
        turns.set_due(Some(soon));
        assert_eq!((seen.look(), seen.next_due()), (false, milliseconds(soon)));
        assert_eq!(writer.0.load(Ordering::Relaxed), 0);
        turns.due.store(0, Ordering::SeqCst);
        while writer.0.load(Ordering::Relaxed) == 0 {
            seen.look(); // The lookout's time may have begun just now.
        }
        turns.set_due(None);
        assert_eq!(seen.next_due(), NEVER);
    }

    #[test]
    fn what_does_not_pass_unblock_once() {
        let writer = Arc::<Writer>::default();
        let (weak, gone): (Weak<Writer>, _) = (Arc::downgrade(&writer), Weak::<Writer>::new());
        let mut seen = Seen { posts: Vec::new(), passing: vec![weak, gone] };
        seen.look();
        seen.look();
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
    }
}
