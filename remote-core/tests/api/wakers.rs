//! Tests of wakers that call the library when they are woken and when they are dropped: the library holds no lock then, at none
//! of the places that keep a waker.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};

use crate::support::{Pair, TIME_LIMIT, poll_once, within};
use remote_core::{Limits, Ref, Remote, Result, Sink, Stream, remote};
use tokio::sync::Semaphore;

#[remote]
trait Bench {
    /// Returns when the test permits it.
    async fn gated(&self) -> Result<u64>;
    async fn quick(&self) -> Result<u64>;
    async fn gated_self(&self) -> Result<Ref<dyn Bench>>;
    /// The stream whose sink the test has.
    async fn offered(&self) -> Result<Stream<u64>>;
    /// Keeps the stream, and takes nothing from it until the test permits it.
    async fn take(&self, numbers: Stream<u64>) -> Result<u64>;
}

#[derive(Remote)]
#[remote(Bench)]
struct Free(Arc<Parts>);

/// The same, one call at a time.
#[derive(Remote)]
#[remote(Bench, serial)]
struct Serial(Arc<Parts>);

struct Parts {
    gate: Semaphore,
    offer: Mutex<Option<Stream<u64>>>,
}

impl Parts {
    fn new() -> Arc<Parts> {
        Arc::new(Parts { gate: Semaphore::new(0), offer: Mutex::default() })
    }

    async fn pass(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

#[remote]
impl Bench for Free {
    async fn gated(&self) -> Result<u64> {
        self.0.pass().await;
        Ok(1)
    }

    async fn quick(&self) -> Result<u64> {
        Ok(2)
    }

    async fn gated_self(&self) -> Result<Ref<dyn Bench>> {
        self.0.pass().await;
        Ok(remote_core::this())
    }

    async fn offered(&self) -> Result<Stream<u64>> {
        Ok(self.0.offer.lock().unwrap().take().unwrap())
    }

    async fn take(&self, mut numbers: Stream<u64>) -> Result<u64> {
        self.0.pass().await;
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }
}

#[remote]
impl Bench for Serial {
    async fn gated(&self) -> Result<u64> {
        self.0.pass().await;
        Ok(1)
    }

    async fn quick(&self) -> Result<u64> {
        Ok(2)
    }

    async fn gated_self(&self) -> Result<Ref<dyn Bench>> {
        self.0.pass().await;
        Ok(remote_core::this())
    }

    async fn offered(&self) -> Result<Stream<u64>> {
        Ok(self.0.offer.lock().unwrap().take().unwrap())
    }

    async fn take(&self, _: Stream<u64>) -> Result<u64> {
        Ok(0)
    }
}

/// A waker that does something when it is woken, and when it is dropped.
struct Meddler {
    meddle: Arc<dyn Fn() + Send + Sync>,
    inner: Waker,
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        (self.meddle)();
        self.inner.wake_by_ref();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        (self.meddle)();
    }
}

/// A future that polls another one with a new meddler each time.
struct Meddled<F> {
    future: Pin<Box<F>>,
    meddle: Arc<dyn Fn() + Send + Sync>,
}

impl<F: Future> Future for Meddled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let meddler = Meddler { meddle: self.meddle.clone(), inner: context.waker().clone() };
        let waker = Waker::from(Arc::new(meddler));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// The action of the wakers of a test, and how often it was done.
struct Meddling {
    meddle: Arc<dyn Fn() + Send + Sync>,
    count: Arc<AtomicUsize>,
}

impl Meddling {
    /// Calls the library: the tables of both nodes, and new calls to the objects.
    fn of(pair: &Arc<Pair<dyn Bench>>, own: impl Fn() + Send + Sync + 'static) -> Meddling {
        let (pair, count) = (Arc::downgrade(pair), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        let meddle = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let Some(pair) = pair.upgrade() else { return };
            for node in [&pair.client, &pair.server] {
                node.snapshot();
                node.is_idle();
                for session in node.sessions() {
                    session.stats();
                }
            }
            poll_and_drop(pair.far.quick());
            poll_and_drop(Ref::monitor(&pair.far));
            own();
        });
        Meddling { meddle, count }
    }

    /// Polls a future several times, and drops it.
    async fn abandon<F: Future>(&self, future: F) {
        let mut future = Meddled { future: Box::pin(future), meddle: self.meddle.clone() };
        let before = self.count();
        for _ in 0..3 {
            assert!(poll_once(&mut future).await.is_none(), "it waits");
        }
        drop(future);
        // The last one may be kept until the reply arrives.
        assert!(self.count() >= before + 2, "its wakers were dropped");
    }

    /// Polls a future several times, has `event` happen, and returns the output.
    async fn complete<F: Future>(&self, future: F, event: impl FnOnce()) -> F::Output {
        let mut future = Meddled { future: Box::pin(future), meddle: self.meddle.clone() };
        for _ in 0..3 {
            assert!(poll_once(&mut future).await.is_none(), "it waits");
        }
        let before = self.count();
        event();
        let output = within(future).await;
        assert!(self.count() > before, "its waker was woken");
        output
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

fn poll_and_drop(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// Runs a test in a thread of its own: where a lock is held, the thread never ends.
fn in_time<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(test());
        drop(runtime);
        let _ = done.send(());
    });
    match is_done.recv_timeout(TIME_LIMIT) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("a lock was held"),
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => thread.join().unwrap(),
    }
}

async fn pair(object: Ref<dyn Bench>) -> Arc<Pair<dyn Bench>> {
    Arc::new(Pair::new(object).await)
}

#[test]
fn of_calls() {
    in_time(|| async {
        let parts = Parts::new();
        let pair = pair(Ref::new(Free(Arc::clone(&parts)))).await;
        let meddling = Meddling::of(&pair, || ());
        meddling.abandon(pair.far.gated()).await;
        let answer = meddling.complete(pair.far.gated(), || parts.gate.add_permits(2)).await;
        assert_eq!(answer, Ok(1));
    });
}

#[test]
fn of_calls_that_wait_for_the_window() {
    in_time(|| async {
        let parts = Parts::new();
        let narrow = Limits { window_calls: 2, ..Limits::default() };
        let object: Ref<dyn Bench> = Ref::new(Free(Arc::clone(&parts)));
        let pair = Arc::new(Pair::limited(object, narrow.clone(), narrow).await);
        let meddling = Meddling::of(&pair, || ());
        let mut before: Vec<_> = (0..8).map(|_| pair.far.gated()).collect();
        for call in &mut before {
            assert!(poll_once(call).await.is_none());
        }
        meddling.abandon(pair.far.quick()).await;
        meddling.abandon(pair.far.quick().oneway()).await;
        let answer = meddling.complete(pair.far.quick(), || parts.gate.add_permits(8)).await;
        assert_eq!(answer, Ok(2));
        for call in before {
            assert_eq!(within(call).await, Ok(1));
        }
    });
}

#[test]
fn of_calls_to_serial_objects() {
    in_time(|| async {
        let parts = Parts::new();
        let near: Ref<dyn Bench> = Ref::new(Serial(Arc::clone(&parts)));
        let pair = pair(near.clone()).await;
        let to_near = near.clone();
        let meddling = Meddling::of(&pair, move || poll_and_drop(to_near.quick()));
        let mut first = near.gated();
        assert!(poll_once(&mut first).await.is_none());
        meddling.abandon(near.quick()).await;
        meddling.abandon(pair.far.quick()).await;
        let second = meddling.complete(near.quick(), || {
            parts.gate.add_permits(1);
            poll_and_drop(&mut first);
        });
        assert_eq!(second.await, Ok(2));
        // When the object is stopped, those that wait are woken.
        let mut third = near.gated();
        assert!(poll_once(&mut third).await.is_none());
        let stopped = meddling.complete(near.quick(), || Ref::stop(&near, "enough").unwrap());
        assert!(stopped.await.is_err());
    });
}

#[test]
fn of_monitors_and_links() {
    in_time(|| async {
        let near: Ref<dyn Bench> = Ref::new(Free(Parts::new()));
        let pair = pair(near.clone()).await;
        let monitored = near.clone();
        let meddling = Meddling::of(&pair, move || poll_and_drop(Ref::monitor(&monitored)));
        meddling.abandon(Ref::monitor(&near)).await;
        meddling.abandon(Ref::monitor(&pair.far)).await;
        let mut far =
            Meddled { future: Box::pin(Ref::monitor(&pair.far)), meddle: meddling.meddle.clone() };
        assert!(poll_once(&mut far).await.is_none());
        meddling.complete(Ref::monitor(&near), || Ref::stop(&near, "enough").unwrap()).await;
        within(far).await;
    });
}

#[test]
fn of_promises() {
    in_time(|| async {
        let parts = Parts::new();
        let near: Ref<dyn Bench> = Ref::new(Free(Arc::clone(&parts)));
        let pair = pair(near.clone()).await;
        for object in [&near, &pair.far] {
            let promise = object.gated_self().pipelined();
            let resolved = promise.clone();
            let meddling = Meddling::of(&pair, move || {
                poll_and_drop(Ref::resolved(&resolved));
                poll_and_drop(Ref::monitor(&resolved));
                poll_and_drop(resolved.quick());
            });
            meddling.abandon(Ref::resolved(&promise)).await;
            meddling.abandon(Ref::monitor(&promise)).await;
            meddling.abandon(promise.quick()).await;
            let resolved = Ref::resolved(&promise);
            meddling.complete(resolved, || parts.gate.add_permits(1)).await.unwrap();
        }
    });
}

#[test]
fn of_streams() {
    in_time(|| async {
        let parts = Parts::new();
        let (sink, stream) = Stream::channel();
        *parts.offer.lock().unwrap() = Some(stream);
        let pair = pair(Ref::new(Free(Arc::clone(&parts)))).await;
        let sink: Arc<Sink<u64>> = Arc::new(sink);
        let sending = Arc::clone(&sink);
        let meddling = Meddling::of(&pair, move || {
            poll_and_drop(sending.send(7));
            poll_and_drop(sending.closing());
            poll_and_drop(sending.closed());
        });
        meddling.abandon(sink.send(1)).await;
        meddling.abandon(sink.closing()).await;
        meddling.abandon(sink.closed()).await;
        let mut numbers = within(pair.far.offered()).await.unwrap();
        meddling.abandon(numbers.next()).await;
        let sends = tokio::spawn(async move { sink.send(1).await });
        assert!(within(numbers.next()).await.is_some());
        within(sends).await.unwrap().unwrap();
        // The stream is taken to its end, with meddlers at the receiver.
        drop(meddling);
        let (sink, stream) = Stream::channel();
        let meddling = Meddling::of(&pair, || ());
        let sum = pair.far.take(stream);
        let taken = meddling.complete(sum, || {
            parts.gate.add_permits(1);
            tokio::spawn(async move {
                sink.send(3).await?;
                sink.end().await
            });
        });
        assert_eq!(taken.await, Ok(3));
    });
}

#[test]
fn of_the_waits_of_a_node() {
    in_time(|| async {
        let parts = Parts::new();
        let pair = pair(Ref::new(Free(Arc::clone(&parts)))).await;
        let (client, server) = (pair.client.clone(), pair.server.clone());
        let meddling = Meddling::of(&pair, move || {
            for node in [&client, &server] {
                poll_and_drop(node.flush());
                poll_and_drop(node.closed());
            }
        });
        meddling.abandon(pair.client.closed()).await;
        within(pair.far.gated().oneway()).await.unwrap();
        let report = meddling.complete(pair.client.shutdown(TIME_LIMIT), || {
            parts.gate.add_permits(1);
        });
        assert!(report.await.is_complete());
        within(pair.server.shutdown(TIME_LIMIT)).await;
    });
}
