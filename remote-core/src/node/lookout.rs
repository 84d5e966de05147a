//! Owns the lookout: a thread that notices when a method blocks a thread of the runtime, and has what waits for that thread
//! go on elsewhere: a session's writer, callers that are to be woken.
//!
//! It must not know sessions beyond what they tell it here. A timer of the runtime's would not do: the blocked thread may be
//! the one that was to see to the runtime's timers and sockets, and no other takes that over before it is woken. A
//! wake-up from outside of the runtime wakes one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::object::execution::contained;

/// How often it looks while calls are executed. A method is not called blocking before it has taken as long.
const INTERVAL: Duration = Duration::from_millis(10);

/// The turns in which one reader executes calls: counted when one begins and when it ends, so odd while it goes on.
#[derive(Default)]
pub(crate) struct Turns(AtomicU64);

/// One turn, until it is dropped.
pub(crate) struct Turn<'t>(&'t Turns);

/// What is to go on when a turn takes long.
pub(crate) trait GoesOn: Send + Sync {
    /// Goes on without the thread that it waits for.
    fn go_on(&self);
}

impl Turns {
    /// A turn begins.
    pub(crate) fn begin(&self) -> Turn<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        rouse();
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// What the lookout looks at.
struct Seen {
    posts: Vec<Post>,
    /// What is to be gone when it looks the next time.
    passing: Vec<Weak<dyn GoesOn>>,
}

struct Post {
    turns: Arc<Turns>,
    /// What was counted when it was last looked at.
    seen: u64,
    goes_on: Weak<dyn GoesOn>,
}

/// What the lookout has not yet taken over.
static NEW: Mutex<Seen> = Mutex::new(Seen { posts: Vec::new(), passing: Vec::new() });
static THREAD: OnceLock<Option<Thread>> = OnceLock::new();
static IS_ASLEEP: AtomicBool = AtomicBool::new(false);

/// Looks after the turns of one more reader.
pub(crate) fn look_after(turns: &Arc<Turns>, goes_on: Weak<dyn GoesOn>) {
    let post = Post { turns: Arc::clone(turns), seen: 0, goes_on };
    new().posts.push(post);
    start();
}

/// Has something go on that is not gone soon.
pub(crate) fn expect(passing: Weak<dyn GoesOn>) {
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
    NEW.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn keep_lookout() {
    let mut seen = Seen { posts: Vec::new(), passing: Vec::new() };
    loop {
        if seen.look_at_all() {
            thread::park_timeout(INTERVAL);
            continue;
        }
        IS_ASLEEP.store(true, Ordering::SeqCst);
        // What began before is seen here; what begins later sees that the lookout is asleep.
        if seen.look_at_all() {
            IS_ASLEEP.store(false, Ordering::SeqCst);
        } else {
            thread::park();
        }
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
        self.passing.drain(..).filter_map(|passing| passing.upgrade()).for_each(go_on);
        let mut is_active = false;
        self.posts.retain_mut(|post| {
            let counted = post.turns.0.load(Ordering::SeqCst);
            let is_begun = counted % 2 == 1;
            is_active |= is_begun || counted != post.seen;
            if is_begun && counted == post.seen {
                post.goes_on.upgrade().into_iter().for_each(go_on);
            }
            post.seen = counted;
            Arc::strong_count(&post.turns) > 1
        });
        is_active
    }
}

/// What follows may be anything, and so may what goes with the last share of it.
fn go_on(overdue: Arc<dyn GoesOn>) {
    contained(|| overdue.go_on());
    contained(|| drop(overdue));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Writer(AtomicU64);

    impl GoesOn for Writer {
        fn go_on(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_turn_that_takes_long_is_noticed_and_one_that_does_not_is_not() {
        let (turns, writer) = (Arc::<Turns>::default(), Arc::<Writer>::default());
        let weak: Weak<Writer> = Arc::downgrade(&writer);
        let post = Post { turns: Arc::clone(&turns), seen: 0, goes_on: weak };
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
        drop(turns);
        assert!(!seen.look());
        assert!(seen.posts.is_empty(), "who is gone is forgotten");
    }

    #[test]
    fn what_does_not_pass_goes_on_once() {
        let writer = Arc::<Writer>::default();
        let (weak, gone): (Weak<Writer>, _) = (Arc::downgrade(&writer), Weak::<Writer>::new());
        let mut seen = Seen { posts: Vec::new(), passing: vec![weak, gone] };
        seen.look();
        seen.look();
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
    }
}
