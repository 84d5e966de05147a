//! Owns the lookout: a thread that notices when a method blocks the thread on which a session's reader executes calls, and
//! has the session's writer go on elsewhere.
//!
//! It must not know sessions beyond what they tell it here. A timer of the runtime's would not do: the blocked thread may be
//! the one that was to see to the runtime's timers and sockets, and no other takes that over before it is woken. A
//! wake-up from outside of the runtime wakes one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
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
    /// Goes on without the reader.
    fn go_on(&self);
}

impl Turns {
    /// A turn begins.
    pub(crate) fn begin(&self) -> Turn<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        // Seldom true: the lookout stays awake for as long as something goes on.
        if IS_ASLEEP.load(Ordering::SeqCst)
            && IS_ASLEEP.swap(false, Ordering::SeqCst)
            && let Some(Some(thread)) = THREAD.get()
        {
            thread.unpark();
        }
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Post {
    turns: Arc<Turns>,
    /// What was counted when it was last looked at.
    seen: u64,
    goes_on: Weak<dyn GoesOn>,
}

/// Posts that the lookout has not yet taken over.
static NEW: Mutex<Vec<Post>> = Mutex::new(Vec::new());
static THREAD: OnceLock<Option<Thread>> = OnceLock::new();
static IS_ASLEEP: AtomicBool = AtomicBool::new(false);

/// Looks after the turns of one more reader.
pub(crate) fn look_after(turns: &Arc<Turns>, goes_on: Weak<dyn GoesOn>) {
    let post = Post { turns: Arc::clone(turns), seen: 0, goes_on };
    NEW.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(post);
    THREAD.get_or_init(|| {
        let started = thread::Builder::new().name("remote-lookout".into()).spawn(keep_lookout);
        if let Err(error) = &started {
            tracing::error!(%error, "no thread to look out for methods that block");
        }
        started.ok().map(|handle| handle.thread().clone())
    });
}

fn keep_lookout() {
    let mut posts = Vec::new();
    loop {
        take_over_new(&mut posts);
        if look(&mut posts) {
            thread::park_timeout(INTERVAL);
            continue;
        }
        IS_ASLEEP.store(true, Ordering::SeqCst);
        // A turn that began before is seen here; one that begins later sees that the lookout is asleep.
        take_over_new(&mut posts);
        if look(&mut posts) {
            IS_ASLEEP.store(false, Ordering::SeqCst);
        } else {
            thread::park();
        }
    }
}

fn take_over_new(posts: &mut Vec<Post>) {
    posts.append(&mut NEW.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
}

/// Looks at each once. Whether anything went on since the last time.
fn look(posts: &mut Vec<Post>) -> bool {
    let mut is_active = false;
    posts.retain_mut(|post| {
        let counted = post.turns.0.load(Ordering::SeqCst);
        let goes_on = counted % 2 == 1;
        is_active |= goes_on || counted != post.seen;
        if goes_on
            && counted == post.seen
            && let Some(overdue) = post.goes_on.upgrade()
        {
            overdue.go_on();
            // What goes with the last share of it may be anything.
            contained(|| drop(overdue));
        }
        post.seen = counted;
        Arc::strong_count(&post.turns) > 1
    });
    is_active
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
        let mut posts = vec![Post { turns: Arc::clone(&turns), seen: 0, goes_on: weak }];
        assert!(!look(&mut posts), "nothing has begun");
        for _ in 0..3 {
            drop(turns.begin());
            let turn = turns.begin();
            assert!(look(&mut posts));
            drop(turn);
        }
        assert_eq!(writer.0.load(Ordering::Relaxed), 0, "each was another turn");
        let turn = turns.begin();
        assert!(look(&mut posts), "it goes on");
        assert!(look(&mut posts), "it still goes on");
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
        drop(turn);
        assert!(look(&mut posts), "it has ended since");
        assert!(!look(&mut posts));
        assert_eq!(writer.0.load(Ordering::Relaxed), 1);
        drop(turns);
        assert!(!look(&mut posts));
        assert!(posts.is_empty(), "who is gone is forgotten");
    }
}
