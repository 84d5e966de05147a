//! The watchdog: one thread of the process that detects when a method blocks a worker thread of the runtime, and then drives
//! the I/O and the timers of the sessions that depend on that worker.
//!
//! It must not know sessions: it reads counters, and calls [`Unblock::drive`]. See the [module](super), fact 2, for why a timer
//! of the runtime cannot do this. While no call is executed and no timer is due, the thread sleeps.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::mutex::Mutex;
use crate::object::execution::contained;

/// The time between two passes while calls are executed. A dispatch that spans two passes counts as blocked.
const INTERVAL: Duration = Duration::from_millis(10);

/// The delay after which a timer counts as overdue. It is long enough that a busy machine is not mistaken for a blocked worker.
const GRACE: Duration = Duration::from_millis(50);

/// A time that never comes, in milliseconds.
const NEVER: u64 = u64::MAX;

/// The counters that the watchdog observes of one session. The session's tasks only store to them.
pub(crate) struct DispatchCount {
    /// Is incremented at the start and the end of each dispatch by the reader, so that it is odd during a dispatch.
    count: AtomicU64,
    /// The time at which the timer of the session is due, in milliseconds of [`milliseconds`].
    due: AtomicU64,
}

impl Default for DispatchCount {
    fn default() -> DispatchCount {
        DispatchCount { count: AtomicU64::new(0), due: AtomicU64::new(NEVER) }
    }
}

/// Marks a dispatch as in progress, until it is dropped.
pub(crate) struct DispatchGuard<'c>(&'c DispatchCount);

/// An object that the watchdog can drive from outside of the runtime.
pub(crate) trait Unblock: Send + Sync {
    /// Does what its tasks would have done by now if no worker were blocked.
    fn drive(&self);

    /// Returns true if it may depend on a blocked worker without being the one that blocks it.
    fn may_be_stuck(&self) -> bool {
        false
    }
}

impl DispatchCount {
    /// Begins a dispatch.
    pub(crate) fn begin(&self) -> DispatchGuard<'_> {
        self.count.fetch_add(1, Ordering::SeqCst);
        wake_thread();
        DispatchGuard(self)
    }

    /// Sets the time at which the session's timer is due. If the timer becomes overdue, the watchdog drives the session.
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

impl Drop for DispatchGuard<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Converts a time to milliseconds since the first call.
fn milliseconds(time: Instant) -> u64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let begin = *BEGIN.get_or_init(Instant::now);
    u64::try_from(time.saturating_duration_since(begin).as_millis()).unwrap_or(NEVER)
}

/// The objects that the watchdog checks in each pass.
struct Watched {
    sessions: Vec<WatchedSession>,
    /// Objects to be driven once, in the next pass, if they still exist.
    once: Vec<Weak<dyn Unblock>>,
}

struct WatchedSession {
    dispatch: Arc<DispatchCount>,
    /// The count in the previous pass.
    seen: u64,
    /// True if its dispatch spans two passes.
    is_blocked: bool,
    unblock: Weak<dyn Unblock>,
}

/// The objects that were added since the last pass.
static NEW: Mutex<Watched> = Mutex::new(Watched { sessions: Vec::new(), once: Vec::new() });
static THREAD: OnceLock<Option<Thread>> = OnceLock::new();
static IS_ASLEEP: AtomicBool = AtomicBool::new(false);
/// The time at which the thread wakes by itself, in milliseconds; 0 while it is awake.
static WAKES: AtomicU64 = AtomicU64::new(0);

/// Adds a session, which is watched as long as it exists.
pub(crate) fn watch_session(dispatch: &Arc<DispatchCount>, unblock: Weak<dyn Unblock>) {
    let session =
        WatchedSession { dispatch: Arc::clone(dispatch), seen: 0, is_blocked: false, unblock };
    NEW.lock().sessions.push(session);
    start();
}

/// Drives an object once, within about two intervals, if it still exists.
pub(crate) fn drive_soon(unblock: Weak<dyn Unblock>) {
    NEW.lock().once.push(unblock);
    start();
    wake_thread();
}

/// Starts the thread, if it was not started before.
fn start() {
    THREAD.get_or_init(|| {
        let started = thread::Builder::new().name("remote-watchdog".into()).spawn(run);
        if let Err(error) = &started {
            tracing::error!(%error, "cannot start the watchdog for methods that block");
        }
        started.ok().map(|handle| handle.thread().clone())
    });
}

/// Wakes the thread if it sleeps. On the hot path this is one load: the thread is awake while calls are executed.
fn wake_thread() {
    if IS_ASLEEP.load(Ordering::SeqCst)
        && IS_ASLEEP.swap(false, Ordering::SeqCst)
        && let Some(Some(thread)) = THREAD.get()
    {
        thread.unpark();
    }
}

/// The body of the thread.
fn run() {
    let mut watched = Watched { sessions: Vec::new(), once: Vec::new() };
    loop {
        if watched.pass_and_add() {
            thread::park_timeout(INTERVAL);
            continue;
        }
        IS_ASLEEP.store(true, Ordering::SeqCst);
        WAKES.store(NEVER, Ordering::SeqCst);
        // A dispatch that started before the stores is counted in this pass; one that starts after them wakes the thread.
        if !watched.pass_and_add() {
            sleep_until(overdue(watched.next_due()));
        }
        WAKES.store(0, Ordering::SeqCst);
        IS_ASLEEP.store(false, Ordering::SeqCst);
    }
}

/// Returns the time at which a timer with this due time becomes overdue.
fn overdue(due: u64) -> u64 {
    due.saturating_add(GRACE.as_millis() as u64)
}

/// Sleeps until a time, or until the thread is unparked.
fn sleep_until(time: u64) {
    WAKES.store(time, Ordering::SeqCst);
    match time {
        NEVER => thread::park(),
        _ => thread::park_timeout(Duration::from_millis(
            time.saturating_sub(milliseconds(Instant::now())),
        )),
    }
}

impl Watched {
    /// Makes a pass, and adds the new objects for the next one. Returns true if another pass must follow after the interval.
    fn pass_and_add(&mut self) -> bool {
        let was_active = self.pass();
        let mut new = NEW.lock();
        self.sessions.append(&mut new.sessions);
        self.once.append(&mut new.once);
        was_active || !self.once.is_empty()
    }

    /// Checks each object once, and drives those that need it. Returns true if a session has dispatched calls since the last
    /// pass.
    fn pass(&mut self) -> bool {
        self.once.drain(..).filter_map(|once| once.upgrade()).for_each(drive);
        let now = milliseconds(Instant::now());
        let (mut is_active, mut any_blocked) = (false, false);
        self.sessions.retain_mut(|session| {
            let count = session.dispatch.count.load(Ordering::SeqCst);
            let in_progress = count % 2 == 1;
            is_active |= in_progress || count != session.seen;
            session.is_blocked = in_progress && count == session.seen;
            any_blocked |= session.is_blocked;
            session.seen = count;
            session.unblock.strong_count() > 0
        });
        for session in &self.sessions {
            let is_overdue = overdue(session.dispatch.due.load(Ordering::SeqCst)) < now;
            if !(any_blocked || is_overdue) {
                continue;
            }
            // The queue of the blocked worker may contain a task of any other session.
            session
                .unblock
                .upgrade()
                .into_iter()
                .filter(|it| session.is_blocked || is_overdue || it.may_be_stuck())
                .for_each(drive);
        }
        is_active
    }

    /// Returns the earliest time at which a timer is due.
    fn next_due(&self) -> u64 {
        let due = self.sessions.iter().map(|session| session.dispatch.due.load(Ordering::SeqCst));
        due.min().unwrap_or(NEVER)
    }
}

/// Drives one object. Panics are caught: driving it, or dropping it, may run user code.
fn drive(unblock: Arc<dyn Unblock>) {
    contained(|| unblock.drive());
    contained(|| drop(unblock));
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
    fn a_dispatch_that_takes_long_is_noticed_and_one_that_does_not_is_not() {
        let (dispatch, writer) = (Arc::<DispatchCount>::default(), Arc::<Writer>::default());
        let weak: Weak<Writer> = Arc::downgrade(&writer);
        let session = WatchedSession {
            dispatch: Arc::clone(&dispatch),
            seen: 0,
            is_blocked: false,
            unblock: weak,
        };
        let mut watched = Watched { sessions: vec![session], once: Vec::new() };
        assert!(!watched.pass(), "nothing has begun");
        for _ in 0..3 {
            drop(dispatch.begin());
            let guard = dispatch.begin();
            assert!(watched.pass());
            drop(guard);
        }
        assert_eq!(writer.0.load(Ordering::Relaxed), 0, "each was another dispatch");
        let guard = dispatch.begin();
        assert!(watched.pass(), "it goes on");
        assert!(watched.pass(), "it still goes on");
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
        drop(guard);
        assert!(watched.pass(), "it has ended since");
        assert!(!watched.pass());
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
        drop(writer);
        assert!(!watched.pass());
        assert!(watched.sessions.is_empty(), "who is gone is forgotten");
    }

    #[test]
    fn what_is_long_overdue_is_driven() {
        let (dispatch, writer) = (Arc::<DispatchCount>::default(), Arc::<Writer>::default());
        let weak: Weak<Writer> = Arc::downgrade(&writer);
        let session = WatchedSession {
            dispatch: Arc::clone(&dispatch),
            seen: 0,
            is_blocked: false,
            unblock: weak,
        };
        let mut watched = Watched { sessions: vec![session], once: Vec::new() };
        milliseconds(Instant::now());
        let soon = Instant::now() + Duration::from_secs(3600);
        dispatch.set_due(Some(soon));
        assert_eq!((watched.pass(), watched.next_due()), (false, milliseconds(soon)));
        assert_eq!(writer.0.load(Ordering::Relaxed), 0);
        dispatch.due.store(0, Ordering::SeqCst);
        while writer.0.load(Ordering::Relaxed) == 0 {
            watched.pass(); // The clock of the watchdog may have started just now.
        }
        dispatch.set_due(None);
        assert_eq!(watched.next_due(), NEVER);
    }

    #[test]
    fn what_is_not_gone_is_driven_once() {
        let writer = Arc::<Writer>::default();
        let (weak, gone): (Weak<Writer>, _) = (Arc::downgrade(&writer), Weak::<Writer>::new());
        let mut watched = Watched { sessions: Vec::new(), once: vec![weak, gone] };
        watched.pass();
        watched.pass();
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
    }
}
