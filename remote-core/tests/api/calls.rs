//! Tests of one call: it is sent at its first poll, in the order of the first polls; dropping it cancels it; its
//! deadline travels; it can be one-way, and it can block a thread.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{
    DropWatch, DropWitness, Pair, TIME_LIMIT, drop_witness, poll_once, until, within,
};
use remote_core::{Error, Ref, Remote, Result, remote};
use tokio::sync::{Semaphore, mpsc};

/// The remaining time travels in whole milliseconds: each hop loses a part of one.
const TICK: Duration = Duration::from_millis(1);

#[remote]
trait Clerk {
    /// Appends a line, and returns the number of lines.
    async fn note(&self, text: &str) -> Result<u64>;
    async fn keep(&self, other: Ref<dyn Clerk>) -> Result<()>;
    /// Never returns.
    async fn hang(&self, weight: Vec<u8>) -> Result<()>;
    /// Calls `hang` of the other after a pause, one-way.
    async fn delegate(&self, pause: Duration, other: Ref<dyn Clerk>) -> Result<()>;
    /// Returns when the test permits it.
    async fn gated(&self) -> Result<u64>;
}

#[derive(Remote)]
#[remote(Clerk)]
struct Desk {
    lines: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
    /// Receives, for each method that begins to hang, the watch for its end.
    hanging: mpsc::UnboundedSender<DropWatch>,
}

/// The state of a desk, as the test sees it.
struct Behind {
    lines: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
    hanging: mpsc::UnboundedReceiver<DropWatch>,
}

impl Behind {
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    async fn next_hanging(&mut self) -> DropWatch {
        within(self.hanging.recv()).await.unwrap()
    }
}

fn desk() -> (Ref<dyn Clerk>, Behind) {
    let (sender, hanging) = mpsc::unbounded_channel();
    let (lines, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let desk = Desk { lines: Arc::clone(&lines), gate: Arc::clone(&gate), hanging: sender };
    (Ref::new(desk), Behind { lines, gate, hanging })
}

#[remote]
impl Clerk for Desk {
    async fn note(&self, text: &str) -> Result<u64> {
        let mut lines = self.lines.lock().unwrap();
        lines.push(text.to_owned());
        Ok(lines.len() as u64)
    }

    async fn keep(&self, _other: Ref<dyn Clerk>) -> Result<()> {
        Ok(())
    }

    async fn hang(&self, weight: Vec<u8>) -> Result<()> {
        let (witness, watch): (DropWitness, _) = drop_witness();
        let _ = self.hanging.send(watch);
        std::future::pending::<()>().await;
        drop((witness, weight));
        Ok(())
    }

    async fn delegate(&self, pause: Duration, other: Ref<dyn Clerk>) -> Result<()> {
        tokio::time::sleep(pause).await;
        other.hang(vec![]).oneway().await
    }

    async fn gated(&self) -> Result<u64> {
        let _passed = self.gate.acquire().await.unwrap();
        self.note("gated").await
    }
}

#[tokio::test]
async fn nothing_is_sent_before_the_first_poll() {
    let (object, behind) = desk();
    let pair = Pair::new(object).await;
    let mine = desk().0;
    let (note, keep) = (pair.far.note("never"), pair.far.keep(mine));
    let (oneway, timed) =
        (pair.far.note("never").oneway(), pair.far.note("never").timeout(TIME_LIMIT));
    assert_eq!(within(pair.far.note("sent")).await, Ok(1));
    assert_eq!((pair.client_session().stats().calls_out, pair.client.exports()), (0, 0));
    drop((note, keep, oneway, timed));
    assert_eq!(within(pair.far.note("too")).await, Ok(2));
    assert_eq!(behind.lines(), ["sent", "too"]);
}

#[tokio::test]
async fn messages_start_in_the_order_of_their_first_polls() {
    let (object, behind) = desk();
    let pair = Pair::new(object).await;
    let clone = pair.far.clone();
    let (mut one, mut two, mut three) =
        (pair.far.note("one"), clone.note("two"), pair.far.note("three").oneway());
    assert!(poll_once(&mut two).await.is_none());
    assert!(poll_once(&mut three).await.is_some(), "there is room");
    assert!(poll_once(&mut one).await.is_none());
    assert_eq!(within(one).await, Ok(3));
    assert_eq!(within(two).await, Ok(1));
    assert_eq!(behind.lines(), ["two", "three", "one"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn order_holds_across_tasks_and_sizes() {
    let (object, behind) = desk();
    let pair = Pair::tcp(object).await;
    let mut tasks = Vec::new();
    let expected: Vec<String> = (0..300)
        // Every tenth is so large that it is sent in chunks.
        .map(
            |number| if number % 10 == 0 { format!("{number:060000}") } else { number.to_string() },
        )
        .collect();
    for text in expected.clone() {
        let clone = pair.far.clone();
        let (sent, is_sent) = tokio::sync::oneshot::channel();
        tasks.push(tokio::spawn(async move {
            let mut call = clone.note(&text);
            let first = poll_once(&mut call).await;
            sent.send(()).unwrap();
            match first {
                Some(result) => result,
                None => call.await,
            }
        }));
        is_sent.await.unwrap();
    }
    for (index, task) in tasks.into_iter().enumerate() {
        assert_eq!(within(task).await.unwrap(), Ok(index as u64 + 1));
    }
    assert!(behind.lines() == expected);
}

#[tokio::test]
async fn a_dropped_call_is_cancelled() {
    let (object, mut behind) = desk();
    let pair = Pair::new(object).await;
    let mut call = pair.far.hang(vec![]);
    assert!(poll_once(&mut call).await.is_none());
    let mut hanging = behind.next_hanging().await;
    assert_eq!(pair.server_session().stats().calls_in, 1);
    assert!(!hanging.is_dropped());
    drop(call);
    hanging.dropped().await;
    until("no call is in progress", || {
        (pair.server_session().stats().calls_in, pair.client_session().stats().calls_out) == (0, 0)
    })
    .await;
    assert_eq!(within(pair.far.note("on")).await, Ok(1));
}

#[tokio::test]
async fn a_call_dropped_while_its_arguments_travel_is_cancelled() {
    let (object, _behind) = desk();
    let pair = Pair::new(object).await;
    for _ in 0..5 {
        let mut call = pair.far.hang(vec![0; 3 << 20]);
        assert!(poll_once(&mut call).await.is_none());
        until("it begins to arrive", || pair.server_session().stats().calls_in == 1).await;
        drop(call);
        until("it is gone", || pair.server_session().stats().calls_in == 0).await;
    }
    assert_eq!(within(pair.far.note("on")).await, Ok(1));
}

#[tokio::test]
async fn a_deadline_ends_the_call_on_both_sides() {
    let (object, mut behind) = desk();
    let pair = Pair::new(object.clone()).await;
    for reference in [&pair.far, &object] {
        // So long that the method has begun by then.
        let limit = Duration::from_secs(2);
        let begun = Instant::now();
        assert_eq!(within(reference.hang(vec![]).timeout(limit)).await, Err(Error::Timeout));
        assert!(begun.elapsed() + TICK >= limit);
        behind.next_hanging().await.dropped().await;
    }
    assert_eq!(within(pair.far.note("in time").timeout(TIME_LIMIT)).await, Ok(1));
}

#[tokio::test]
async fn nested_calls_inherit_the_time_that_remains() {
    let (object, _) = desk();
    let pair = Pair::new(object).await;
    let (mine, mut behind) = desk();
    // Two seconds are left for the messages. A call without a deadline would end three seconds later.
    let (limit, pause) = (Duration::from_secs(5), Duration::from_secs(3));
    let begun = Instant::now();
    within(pair.far.delegate(pause, mine).timeout(limit)).await.unwrap();
    // This call is one-way, so that only the deadline can end it.
    let mut hanging = behind.next_hanging().await;
    assert!(!hanging.is_dropped());
    hanging.dropped().await;
    // It crossed the session twice, and lost a part of a millisecond each time.
    assert!(begun.elapsed() + 2 * TICK >= limit, "after {:?}", begun.elapsed());
    assert!(begun.elapsed() < limit + pause, "the whole time, not what remains of it");
}

#[tokio::test]
async fn a_oneway_call_is_done_when_it_is_handed_over() {
    let (object, behind) = desk();
    let pair = Pair::new(object.clone()).await;
    for (number, reference) in [&pair.far, &object].into_iter().enumerate() {
        within(reference.gated().oneway()).await.unwrap();
        behind.gate.add_permits(1);
        until("it runs to its end", || behind.lines().len() == number + 1).await;
    }
    until("its place in the window is free", || pair.server_session().stats().calls_in == 0).await;
}

#[tokio::test]
async fn more_oneway_calls_than_the_window_holds_all_arrive_in_order() {
    let (object, behind) = desk();
    let limits = remote_core::Limits { window_calls: 8, ..Default::default() };
    let pair = Pair::limited(object, limits.clone(), limits).await;
    for number in 0..1000 {
        within(pair.far.note(&number.to_string()).oneway()).await.unwrap();
    }
    assert_eq!(within(pair.far.note("last")).await, Ok(1001));
    assert!(
        behind.lines()[..1000].iter().enumerate().all(|(number, line)| *line == number.to_string())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_outside_the_runtime_can_wait() {
    let (object, mut behind) = desk();
    let pair = Pair::new(object).await;
    let far = pair.far.clone();
    let thread = std::thread::spawn(move || {
        let noted = far.note("from a thread").wait();
        let late = far.hang(vec![]).timeout(Duration::from_secs(2)).wait();
        (noted, late)
    });
    let joined = within(tokio::task::spawn_blocking(|| thread.join().unwrap())).await.unwrap();
    assert_eq!(joined, (Ok(1), Err(Error::Timeout)));
    behind.next_hanging().await.dropped().await;
}

#[tokio::test]
async fn waiting_inside_a_runtime_is_refused() {
    let (object, behind) = desk();
    let pair = Pair::new(object).await;
    assert_eq!(pair.far.note("never").wait(), Err(Error::InsideRuntime));
    assert_eq!(within(pair.far.note("on")).await, Ok(1));
    assert_eq!(behind.lines(), ["on"]);
}
