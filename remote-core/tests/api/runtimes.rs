//! Tests of threads without a runtime, and of what the library does on them for user code that needs one.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::support::{Pair, TIME_LIMIT, fresh_address, within};
use remote_core::{Ended, Error, Node, Ref, Remote, Result, remote};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, oneshot};

#[remote]
trait Plant {
    async fn number(&self) -> Result<u64>;
    /// Returns a new object, when the test permits it.
    async fn make(&self) -> Result<Ref<dyn Plant>>;
    /// Blocks its thread until the test permits it.
    async fn block(&self) -> Result<()>;
}

#[derive(Remote)]
#[remote(Plant)]
struct Works {
    gate: Arc<Semaphore>,
    begun: Arc<Notify>,
    unblock: Mutex<Option<mpsc::Receiver<()>>>,
    destructor: Destructor,
}

/// Reports, when it is dropped, whether it is dropped within a runtime, where it could spawn a task.
#[derive(Clone, Default)]
struct Destructor(Option<mpsc::Sender<bool>>);

impl Drop for Destructor {
    fn drop(&mut self) {
        if let Some(dropped) = &self.0 {
            let _ = dropped.send(Handle::try_current().is_ok());
        }
    }
}

impl Works {
    fn new(gate: &Arc<Semaphore>) -> Works {
        Works {
            gate: Arc::clone(gate),
            begun: Arc::default(),
            unblock: Mutex::default(),
            destructor: Destructor::default(),
        }
    }
}

#[remote]
impl Plant for Works {
    async fn number(&self) -> Result<u64> {
        Ok(7)
    }

    async fn make(&self) -> Result<Ref<dyn Plant>> {
        self.gate.acquire().await.unwrap().forget();
        Ok(Ref::new(Works { destructor: self.destructor.clone(), ..Works::new(&self.gate) }))
    }

    async fn block(&self) -> Result<()> {
        let unblock = self.unblock.lock().unwrap().take().unwrap();
        self.begun.notify_one();
        unblock.recv_timeout(TIME_LIMIT).unwrap();
        Ok(())
    }
}

fn works() -> (Ref<dyn Plant>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    (Ref::new(Works::new(&gate)), gate)
}

/// Runs a closure on a thread without a runtime.
async fn outside<R: Send + 'static>(what: impl FnOnce() -> R + Send + 'static) -> R {
    let thread = std::thread::spawn(move || {
        assert!(Handle::try_current().is_err());
        what()
    });
    within(tokio::task::spawn_blocking(|| thread.join().unwrap())).await.unwrap()
}

#[tokio::test]
async fn a_promise_may_be_monitored_and_linked_to_outside_a_runtime() {
    let (near, gate) = works();
    let pair = Pair::new(near.clone()).await;
    for object in [&near, &pair.far] {
        let promise = object.make().pipelined();
        let promised = promise.clone();
        let mine = works().0;
        let (linked, own) = (mine.clone(), Ref::monitor(&mine));
        let (monitor, link) =
            outside(move || (Ref::monitor(&promised), Ref::link(&linked, &promised).unwrap()))
                .await;
        gate.add_permits(1);
        let resolved = within(Ref::resolved(&promise)).await.unwrap();
        // A near object is stopped by its owner; of a far one the session ends.
        if Ref::is_near(&resolved) {
            Ref::stop(&resolved, "enough").unwrap();
        } else {
            pair.server.shutdown(TIME_LIMIT).await;
        }
        let ended = within(monitor).await;
        assert!(matches!(ended, Ended::Stopped(_) | Ended::SessionEnded(_)), "{ended:?}");
        let Ended::Stopped(reason) = within(own).await else { panic!("the link stops it") };
        assert!(reason.contains("Plant"), "{reason}");
        drop(link);
    }
}

#[tokio::test]
async fn a_promise_that_fails_ends_its_monitors_outside_a_runtime() {
    let (near, gate) = works();
    let promise = near.make().pipelined();
    gate.close();
    let monitor = outside(move || Ref::monitor(&promise)).await;
    assert!(matches!(within(monitor).await, Ended::Stopped(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_task_may_wait() {
    let (near, _) = works();
    let pair = Pair::new(near.clone()).await;
    for object in [near, pair.far] {
        let (to_wait, to_refuse) = (object.clone(), object.clone());
        let waited = tokio::task::spawn_blocking(move || to_wait.number().wait());
        assert_eq!(within(waited).await.unwrap(), Ok(7));
        let refused = tokio::spawn(async move { to_refuse.number().wait() });
        assert_eq!(within(refused).await.unwrap(), Err(Error::InsideRuntime));
        // A runtime that is driven within the blocking task is one that must not be blocked.
        let refused = tokio::task::spawn_blocking(move || {
            Handle::current().block_on(async { object.number().wait() })
        });
        assert_eq!(within(refused).await.unwrap(), Err(Error::InsideRuntime));
    }
}

#[tokio::test]
async fn a_destructor_may_spawn_while_a_method_blocks_the_runtime() {
    let (dropped, is_in_runtime) = mpsc::channel();
    let (unblock, unblocked) = mpsc::channel();
    let gate = Arc::new(Semaphore::new(1));
    let works = Works {
        unblock: Mutex::new(Some(unblocked)),
        destructor: Destructor(Some(dropped)),
        ..Works::new(&gate)
    };
    let begun = Arc::clone(&works.begun);
    let (started, starting) = oneshot::channel();
    let (end, ended) = oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Node::builder().listen(fresh_address()).lease(Duration::from_secs(6));
            let server = server.start().await.unwrap();
            server.publish::<dyn Plant>("works", Ref::new(works)).await.unwrap();
            started.send(server.uri("works")).unwrap();
            let _ = ended.await;
        });
    });
    let client = Node::new();
    let far: Ref<dyn Plant> = within(client.lookup(starting.await.unwrap())).await.unwrap();
    let made = within(far.make()).await.unwrap();
    let blocking = tokio::spawn(async move { far.block().await });
    within(begun.notified()).await;
    // The only thread of the server's runtime is blocked: the watchdog reads the release.
    drop(made);
    let heard = tokio::task::spawn_blocking(move || is_in_runtime.recv_timeout(TIME_LIMIT));
    assert_eq!(within(heard).await.unwrap(), Ok(true));
    unblock.send(()).unwrap();
    within(blocking).await.unwrap().unwrap();
    drop(end);
    within(tokio::task::spawn_blocking(|| server.join().unwrap())).await.unwrap();
}
