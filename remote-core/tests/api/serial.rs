//! Tests of `#[remote(.., serial)]`: the methods of such an object run one after another, in the order of the calls,
//! and a call that has ended in any way lets the next one run.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Pair, fresh_address, only_session, poll_once, until, within};
use remote_core::{Error, Limits, Node, Outcome, Ref, Remote, Result, remote, this};
use tokio::sync::Semaphore;

#[remote]
trait Desk {
    /// Notes the number, waits for the test's permission, and notes it again.
    async fn serve(&self, number: u32) -> Result<u32>;
    async fn note(&self, number: u32) -> Result<()>;
    async fn fail(&self) -> Result<()>;
    /// Has the other desk call this one.
    async fn ask_around(&self, other: Ref<dyn Desk>) -> Result<()>;
    async fn call_back(&self, first: Ref<dyn Desk>) -> Result<()>;
    /// Has the other desk ask this one around.
    async fn ask_back(&self, other: Ref<dyn Desk>) -> Result<()>;
    /// Has the other desk note two numbers at once.
    async fn ask_twice(&self, other: Ref<dyn Desk>) -> Result<()>;
    /// Has itself note the number, later.
    async fn remind(&self, number: u32) -> Result<()>;
    async fn itself(&self) -> Result<Ref<dyn Desk>>;
}

#[derive(Remote)]
#[remote(Desk, serial)]
struct Counter {
    inside: AtomicUsize,
    notes: Mutex<Vec<u32>>,
    /// Each permit lets one call pass.
    gate: Semaphore,
}

/// The same object, not serial.
#[derive(Remote)]
#[remote(Desk, name = "Hall")]
struct Hall;

impl Counter {
    fn new() -> Arc<Counter> {
        let gate = Semaphore::new(0);
        Arc::new(Counter { inside: AtomicUsize::new(0), notes: Mutex::default(), gate })
    }

    fn notes(&self) -> Vec<u32> {
        self.notes.lock().unwrap().clone()
    }

    /// Marks that a call runs, alone, until the returned guard is dropped.
    fn enter(&self) -> Inside<'_> {
        assert_eq!(self.inside.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
        Inside(self)
    }
}

struct Inside<'c>(&'c Counter);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[remote]
impl Desk for Counter {
    async fn serve(&self, number: u32) -> Result<u32> {
        let _inside = self.enter();
        self.notes.lock().unwrap().push(number);
        self.gate.acquire().await.unwrap().forget();
        tokio::task::yield_now().await;
        self.notes.lock().unwrap().push(number);
        Ok(number)
    }

    async fn note(&self, number: u32) -> Result<()> {
        let _inside = self.enter();
        self.notes.lock().unwrap().push(number);
        Ok(())
    }

    async fn fail(&self) -> Result<()> {
        let _inside = self.enter();
        panic!("a bell rang");
    }

    async fn ask_around(&self, other: Ref<dyn Desk>) -> Result<()> {
        let _inside = self.enter();
        tokio::task::yield_now().await;
        other.call_back(this()).await
    }

    async fn call_back(&self, _: Ref<dyn Desk>) -> Result<()> {
        Ok(())
    }

    async fn ask_back(&self, other: Ref<dyn Desk>) -> Result<()> {
        let _inside = self.enter();
        other.ask_around(this()).await
    }

    async fn ask_twice(&self, other: Ref<dyn Desk>) -> Result<()> {
        let _inside = self.enter();
        let (first, second) = tokio::join!(other.note(7), other.note(8));
        first.and(second)
    }

    async fn remind(&self, number: u32) -> Result<()> {
        let _inside = self.enter();
        let desk: Ref<dyn Desk> = this();
        desk.note(number).oneway().await?;
        tokio::task::yield_now().await;
        self.notes.lock().unwrap().push(number - 1);
        Ok(())
    }

    async fn itself(&self) -> Result<Ref<dyn Desk>> {
        let _inside = self.enter();
        tokio::task::yield_now().await;
        Ok(this())
    }
}

#[remote]
impl Desk for Hall {
    async fn serve(&self, number: u32) -> Result<u32> {
        Ok(number)
    }

    async fn note(&self, _: u32) -> Result<()> {
        Ok(())
    }

    async fn fail(&self) -> Result<()> {
        Ok(())
    }

    async fn ask_around(&self, other: Ref<dyn Desk>) -> Result<()> {
        other.call_back(this()).await
    }

    async fn call_back(&self, first: Ref<dyn Desk>) -> Result<()> {
        tokio::task::yield_now().await;
        first.note(1).await
    }

    async fn ask_back(&self, other: Ref<dyn Desk>) -> Result<()> {
        other.ask_around(this()).await
    }

    async fn ask_twice(&self, other: Ref<dyn Desk>) -> Result<()> {
        other.note(7).await
    }

    async fn remind(&self, _: u32) -> Result<()> {
        Ok(())
    }

    async fn itself(&self) -> Result<Ref<dyn Desk>> {
        Ok(this())
    }
}

/// Sends the calls in order, and takes the replies as they arrive.
async fn all<F: Future + Unpin>(calls: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut calls: VecDeque<_> = calls.into_iter().collect();
    let mut outputs = Vec::new();
    std::future::poll_fn(|context| {
        let mut at = 0;
        while at < calls.len() {
            match std::pin::Pin::new(&mut calls[at]).poll(context) {
                std::task::Poll::Ready(output) => {
                    calls.remove(at);
                    outputs.push(output);
                }
                std::task::Poll::Pending => at += 1,
            }
        }
        match calls.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    outputs
}

fn each_twice(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    numbers.flat_map(|number| [number, number]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_run_one_after_another_in_the_order_in_which_they_were_sent() {
    const COUNT: u32 = 1000;
    let counter = Counter::new();
    let near: Ref<dyn Desk> = Ref::from_arc(counter.clone());
    let pair = Pair::tcp(near.clone()).await;
    for desk in [near, pair.far] {
        counter.notes.lock().unwrap().clear();
        counter.gate.add_permits(COUNT as usize);
        let served = within(all((0..COUNT).map(|number| desk.serve(number)))).await;
        assert_eq!(served, (0..COUNT).map(Ok).collect::<Vec<_>>());
        assert_eq!(counter.notes(), each_twice(0..COUNT));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_object_serves_many_callers() {
    let counter = Counter::new();
    let near: Ref<dyn Desk> = Ref::from_arc(counter.clone());
    let pair = Pair::tcp(near.clone()).await;
    counter.gate.add_permits(8 * 200);
    let callers = (0..8).map(|caller| {
        let desk = if caller % 2 == 0 { near.clone() } else { pair.far.clone() };
        tokio::spawn(async move {
            within(all((0..200).map(|number| desk.serve(caller * 1000 + number)))).await
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        assert!(within(caller).await.unwrap().iter().all(Result::is_ok));
    }
    let notes = counter.notes();
    assert!(notes.chunks(2).all(|notes| notes[0] == notes[1]), "one at a time");
    for caller in 0..8 {
        let of_one = notes.iter().filter(|note| **note / 1000 == caller).copied();
        let expected = each_twice((0..200).map(|number| caller * 1000 + number));
        assert_eq!(of_one.collect::<Vec<_>>(), expected, "in order");
    }
}

#[tokio::test]
async fn a_serial_method_that_waits_excludes_others() {
    let counter = Counter::new();
    let pair = Pair::<dyn Desk>::new(Ref::from_arc(counter.clone())).await;
    let (mut first, mut second) = (pair.far.serve(1), pair.far.note(2));
    assert!(poll_once(&mut first).await.is_none() && poll_once(&mut second).await.is_none());
    until("both are here", || pair.server_session().stats().calls_in == 2).await;
    // A message that every object understands does not reach the object, and does not wait.
    let again = within(Ref::cast::<dyn Desk>(&pair.far)).await.unwrap();
    assert_eq!((again, counter.notes()), (pair.far.clone(), vec![1]));
    assert!(poll_once(&mut second).await.is_none());
    counter.gate.add_permits(1);
    assert_eq!((within(second).await, within(first).await), (Ok(()), Ok(1)));
    assert_eq!(counter.notes(), [1, 1, 2]);
}

#[tokio::test]
async fn a_serial_call_that_ends_in_any_way_starts_the_next() {
    let counter = Counter::new();
    let near: Ref<dyn Desk> = Ref::from_arc(counter.clone());
    let pair = Pair::new(near.clone()).await;
    for desk in [&near, &pair.far] {
        counter.notes.lock().unwrap().clear();
        // Cancelled while it runs; cancelled while it waits; with a deadline that passes, running and waiting.
        let mut running = desk.serve(1);
        let mut waiting = desk.serve(2);
        assert!(poll_once(&mut running).await.is_none() && poll_once(&mut waiting).await.is_none());
        let mut limited = desk.serve(3).timeout(Duration::from_millis(50));
        assert!(poll_once(&mut limited).await.is_none());
        drop(waiting);
        assert_eq!(within(&mut limited).await, Err(Error::Timeout));
        let mut last = desk.note(4);
        assert!(poll_once(&mut last).await.is_none());
        drop(running);
        assert_eq!(within(&mut last).await, Ok(()));
        // Its deadline passes after it has begun.
        let late = within(desk.serve(5).timeout(Duration::from_secs(2))).await;
        assert_eq!(late, Err(Error::Timeout));
        // Neither a panic nor a finished call that is still held keeps the next one from running.
        let mut failed = desk.fail();
        assert_eq!(within(&mut failed).await, Err(Error::Panicked("a bell rang".into())));
        assert_eq!(within(desk.note(6)).await, Ok(()));
        assert_eq!(counter.notes(), [1, 4, 5, 6]);
        drop((failed, last, limited));
    }
}

#[tokio::test]
async fn stopping_a_serial_object_fails_its_waiting_calls_only() {
    let counter = Counter::new();
    let near: Ref<dyn Desk> = Ref::from_arc(counter.clone());
    let pair = Pair::new(near.clone()).await;
    let mut running = pair.far.serve(1);
    assert!(poll_once(&mut running).await.is_none());
    until("it runs", || counter.notes() == [1]).await;
    let (mut far, mut own) = (pair.far.note(2), near.note(3));
    assert!(poll_once(&mut far).await.is_none() && poll_once(&mut own).await.is_none());
    until("both wait", || pair.server_session().stats().calls_in == 2).await;
    Ref::stop(&near, "closed").unwrap();
    for waiting in [far, own] {
        let error = within(waiting).await.unwrap_err();
        assert_eq!((error.outcome(), error), (Outcome::NotExecuted, Error::Ended("closed".into())));
    }
    counter.gate.add_permits(1);
    assert_eq!(within(running).await, Ok(1));
    assert_eq!(counter.notes(), [1, 1]);
}

#[tokio::test]
async fn a_serial_object_that_would_await_itself_is_refused() {
    let counter = Counter::new();
    let desk: Ref<dyn Desk> = Ref::from_arc(counter.clone());
    let hall: Ref<dyn Desk> = Ref::new(Hall);
    let refused = |called: Result<()>| {
        let Err(Error::Nested(error)) = called else { panic!("{called:?}") };
        assert!(matches!(&*error, Error::Refused(_)), "{error:?}");
        assert!(error.to_string().contains("called itself"), "{error}");
        assert_eq!(error.outcome(), Outcome::NotExecuted);
    };
    // Directly; by way of another near object; and the same from another node.
    refused(within(desk.ask_around(desk.clone())).await);
    let by_way = within(desk.ask_around(hall.clone())).await.unwrap_err();
    assert!(matches!(by_way.root(), Error::Refused(_)), "{by_way:?}");
    let pair = Pair::new(desk.clone()).await;
    refused(within(pair.far.ask_around(pair.far.clone())).await);
    assert_eq!(within(desk.note(1)).await, Ok(()));
    // A sender that does not wait is allowed to.
    assert_eq!(within(desk.remind(3)).await, Ok(()));
    until("it was reminded", || counter.notes() == [1, 2, 3]).await;
    // Two objects that do not call each other are not mistaken for each other.
    let other: Ref<dyn Desk> = Ref::from_arc(Counter::new());
    assert_eq!(within(desk.ask_around(other)).await, Ok(()));
}

#[tokio::test]
async fn a_circle_through_another_node_is_refused() {
    let counter = Counter::new();
    let pair = Pair::<dyn Desk>::new(Ref::from_arc(counter.clone())).await;
    let elsewhere: Ref<dyn Desk> = Ref::new(Hall);
    let error = within(pair.far.ask_around(elsewhere)).await.unwrap_err();
    assert!(
        matches!(error.root(), Error::Refused(reason) if reason.contains("Counter")),
        "{error:?}"
    );
    assert_eq!(within(pair.far.note(1)).await, Ok(()));
    assert_eq!(counter.notes(), [1]);
}

#[tokio::test]
async fn a_circle_of_two_serial_objects_is_refused() {
    let (one, other) = (Counter::new(), Counter::new());
    let pair = Pair::<dyn Desk>::new(Ref::from_arc(one.clone())).await;
    let back: Ref<dyn Desk> = Ref::from_arc(other.clone());
    // The far desk calls the near one, which calls the far one back.
    let error = within(pair.far.ask_back(back)).await.unwrap_err();
    assert!(
        matches!(error.root(), Error::Refused(reason) if reason.contains("Counter")),
        "{error:?}"
    );
    // Two calls at once from one method are no circle.
    assert_eq!(within(pair.far.ask_twice(Ref::from_arc(other.clone()))).await, Ok(()));
    assert_eq!(other.notes(), [7, 8]);
}

#[tokio::test]
async fn waiting_serial_calls_are_bounded_by_the_window() {
    const COUNT: u32 = 100;
    let counter = Counter::new();
    let limits = Limits { window_calls: 8, ..Limits::default() };
    let desk: Ref<dyn Desk> = Ref::from_arc(counter.clone());
    let pair = Pair::limited(desk, limits, Limits::default()).await;
    let far = pair.far.clone();
    let calls = tokio::spawn(async move { all((0..COUNT).map(|number| far.serve(number))).await });
    let session = pair.server_session();
    until("the window is full", || session.stats().calls_in == 8).await;
    for passed in 0..COUNT as usize {
        until("the next one runs", || counter.notes().len() == 2 * passed + 1).await;
        assert!(session.stats().calls_in <= 8);
        counter.gate.add_permits(1);
    }
    assert!(within(calls).await.unwrap().iter().all(Result::is_ok));
    assert_eq!(counter.notes(), each_twice(0..COUNT));
}

#[tokio::test]
async fn promises_and_third_nodes_keep_the_order() {
    let counter = Counter::new();
    let pair = Pair::<dyn Desk>::new(Ref::from_arc(counter.clone())).await;
    let relay = Node::listen(fresh_address()).await.unwrap();
    relay.publish("desk", pair.far.clone()).await.unwrap();
    let third = Node::new();
    let forwarded: Ref<dyn Desk> = within(third.lookup(relay.uri("desk"))).await.unwrap();
    for desk in [&pair.far, &forwarded] {
        counter.notes.lock().unwrap().clear();
        let promised = desk.itself().pipelined();
        let calls = (0..100).map(|number| promised.note(number)).collect::<Vec<_>>();
        assert!(within(all(calls)).await.iter().all(Result::is_ok));
        assert_eq!(counter.notes(), (0..100).collect::<Vec<_>>());
    }
    assert_eq!(only_session(&pair.client).stats().calls_out, 0);
}
