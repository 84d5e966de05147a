//! Tests of near calls that are nested so deep that a stack would overflow if each was polled within the one before.

use std::sync::{Arc, Mutex};

use crate::support::{Pair, until, within};
use remote_core::{Error, Ref, Remote, Result, remote, this};

#[remote]
trait Stair {
    /// Goes down one step, and sends itself the same message, one-way.
    async fn descend(&self, steps: u32) -> Result<()>;
    /// Goes down, awaiting each step, and returns the number of steps.
    async fn depth(&self, steps: u32) -> Result<u32>;
    /// Goes down, and notes numbers at the bottom, one-way.
    async fn note_below(&self, steps: u32, numbers: u32) -> Result<()>;
    async fn note(&self, number: u32) -> Result<()>;
    /// Goes down by one promise for each step.
    async fn promised(&self, steps: u32) -> Result<Ref<dyn Stair>>;
}

#[derive(Remote, Default)]
#[remote(Stair)]
struct Steps {
    notes: Arc<Mutex<Vec<u32>>>,
}

#[remote]
impl Stair for Steps {
    async fn descend(&self, steps: u32) -> Result<()> {
        if steps == 0 {
            return self.note(0).await;
        }
        this::<dyn Stair>().descend(steps - 1).oneway().await
    }

    async fn depth(&self, steps: u32) -> Result<u32> {
        if steps == 0 { Ok(0) } else { Ok(this::<dyn Stair>().depth(steps - 1).await? + 1) }
    }

    async fn note_below(&self, steps: u32, numbers: u32) -> Result<()> {
        if steps > 0 {
            return this::<dyn Stair>().note_below(steps - 1, numbers).await;
        }
        for number in 0..numbers {
            this::<dyn Stair>().note(number).oneway().await?;
        }
        Ok(())
    }

    async fn note(&self, number: u32) -> Result<()> {
        self.notes.lock().unwrap().push(number);
        Ok(())
    }

    async fn promised(&self, steps: u32) -> Result<Ref<dyn Stair>> {
        if steps == 0 {
            return Ok(this());
        }
        Ok(this::<dyn Stair>().promised(steps - 1).pipelined())
    }
}

fn stair() -> (Ref<dyn Stair>, Arc<Mutex<Vec<u32>>>) {
    let steps = Steps::default();
    let notes = Arc::clone(&steps.notes);
    (Ref::new(steps), notes)
}

async fn descend_and_return() {
    let (near, notes) = stair();
    let pair = Pair::new(near.clone()).await;
    for (number, object) in [&near, &pair.far].into_iter().enumerate() {
        within(object.descend(10_000).oneway()).await.unwrap();
        until("the bottom is reached", || notes.lock().unwrap().len() == number + 1).await;
        assert_eq!(within(object.depth(1_000)).await, Ok(1_000));
        let bottom = within(Ref::resolved(&object.promised(1_000).pipelined())).await.unwrap();
        assert_eq!(within(bottom.depth(1)).await, Ok(1));
    }
}

#[tokio::test]
async fn near_calls_may_be_nested_deep_on_one_thread() {
    descend_and_return().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn near_calls_may_be_nested_deep_on_several_threads() {
    descend_and_return().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_keep_their_order_at_any_depth() {
    for depth in (0..=40).chain([64, 65, 100]) {
        let (near, notes) = stair();
        within(near.note_below(depth, 100)).await.unwrap();
        until("all have arrived", || notes.lock().unwrap().len() == 100).await;
        assert!(notes.lock().unwrap().iter().copied().eq(0..100), "at depth {depth}");
    }
}

#[tokio::test]
async fn dropping_a_call_drops_the_calls_nested_in_it() {
    #[remote]
    trait Well {
        async fn wait_below(&self, steps: u32) -> Result<()>;
    }
    #[derive(Remote)]
    #[remote(Well)]
    struct Shaft(Mutex<Option<crate::support::DropWitness>>);
    #[remote]
    impl Well for Shaft {
        async fn wait_below(&self, steps: u32) -> Result<()> {
            if steps > 0 {
                return this::<dyn Well>().wait_below(steps - 1).await;
            }
            let _witness = self.0.lock().unwrap().take();
            std::future::pending().await
        }
    }
    let (witness, mut watch) = crate::support::drop_witness();
    let shaft = Arc::new(Shaft(Mutex::new(Some(witness))));
    let well: Ref<dyn Well> = Ref::from_arc(Arc::clone(&shaft));
    let call = tokio::spawn(async move { well.wait_below(200).await });
    until("it waits at the bottom", || shaft.0.lock().unwrap().is_none()).await;
    assert!(!watch.is_dropped());
    call.abort();
    watch.dropped().await;
}

#[test]
fn outside_a_runtime_a_call_nested_too_deep_is_refused() {
    let (near, _) = stair();
    assert_eq!(near.depth(20).wait(), Ok(20));
    let error = near.depth(100).wait().unwrap_err();
    assert!(matches!(error.root(), Error::Quota(_)), "{error:?}");
}
