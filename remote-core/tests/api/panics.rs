//! Tests of panics: a panic ends its call, and nothing else; or, if the class says so, its object, whose users are
//! notified.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::{Pair, poll_once, until, within};
use remote_core::{Ended, Error, Outcome, Ref, Remote, Result, remote};
use tokio::sync::Notify;

#[remote]
trait Till {
    async fn put(&self, coin: u32) -> Result<u32>;
    /// Waits for the test's permission, and then inserts a coin.
    async fn slow_put(&self, coin: u32) -> Result<u32>;
}

/// A panic poisons its `Mutex`: it is better to stop the object than to have every later call fail.
#[derive(Remote, Default)]
#[remote(Till, stop_on_panic)]
struct Fragile(Content);

#[derive(Remote, Default)]
#[remote(Till, serial, stop_on_panic)]
struct FragileAndSerial(Content);

#[derive(Remote, Default)]
#[remote(Till)]
struct Sturdy(Content);

#[derive(Default)]
struct Content {
    sum: Mutex<u32>,
    begun: AtomicUsize,
    go: Notify,
}

impl Content {
    fn put(&self, coin: u32) -> u32 {
        let mut sum = self.sum.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        assert_ne!(coin, 13, "no coin of 13");
        *sum += coin;
        *sum
    }

    async fn slow_put(&self, coin: u32) -> u32 {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.go.notified().await;
        self.put(coin)
    }
}

macro_rules! till {
    ($class:ty) => {
        #[remote]
        impl Till for $class {
            async fn put(&self, coin: u32) -> Result<u32> {
                Ok(self.0.put(coin))
            }

            async fn slow_put(&self, coin: u32) -> Result<u32> {
                Ok(self.0.slow_put(coin).await)
            }
        }
    };
}

till!(Fragile);
till!(FragileAndSerial);
till!(Sturdy);

fn is_panic(called: Result<u32>) -> bool {
    matches!(called, Err(Error::Panicked(message)) if message.contains("no coin of 13"))
}

fn is_ended(called: Result<u32>) -> bool {
    let Err(error) = called else { return false };
    error.outcome() == Outcome::NotExecuted
        && matches!(error, Error::Ended(reason)
            if reason.starts_with("a method panicked: ") && reason.contains("no coin of 13"))
}

#[tokio::test]
async fn a_panic_ends_its_call_alone() {
    let pair = Pair::<dyn Till>::new(Ref::new(Sturdy::default())).await;
    assert!(is_panic(within(pair.far.put(13)).await));
    assert_eq!(within(pair.far.put(1)).await, Ok(1));
}

#[tokio::test]
async fn a_panic_stops_the_object_of_a_class_that_asks_for_it() {
    let near: Ref<dyn Till> = Ref::new(Fragile::default());
    let pair = Pair::new(near.clone()).await;
    let other: Ref<dyn Till> = Ref::new(Fragile::default());
    let monitors = [Ref::monitor(&near), Ref::monitor(&pair.far)];
    assert_eq!(within(pair.far.put(1)).await, Ok(1));
    assert!(is_panic(within(pair.far.put(13)).await));
    for till in [&near, &pair.far] {
        assert!(is_ended(within(till.put(1)).await));
    }
    for monitor in monitors {
        let ended = within(monitor).await;
        assert!(
            matches!(&ended, Ended::Stopped(reason) if reason.contains("no coin of 13")),
            "{ended:?}"
        );
    }
    assert_eq!(within(other.put(1)).await, Ok(1), "it is the object's own affair");
    // The same in a call that has a task.
    let till = Arc::new(Fragile::default());
    let pair = Pair::<dyn Till>::new(Ref::from_arc(till.clone())).await;
    let mut slow = pair.far.slow_put(13);
    assert!(poll_once(&mut slow).await.is_none());
    until("it waits", || till.0.begun.load(Ordering::SeqCst) == 1).await;
    till.0.go.notify_one();
    assert!(is_panic(within(slow).await));
    assert!(is_ended(within(pair.far.put(1)).await));
}

#[tokio::test]
async fn waiting_serial_calls_do_not_start() {
    let till = Arc::new(FragileAndSerial::default());
    let pair = Pair::<dyn Till>::new(Ref::from_arc(till.clone())).await;
    let (mut slow, mut next) = (pair.far.slow_put(13), pair.far.slow_put(1));
    assert!(poll_once(&mut slow).await.is_none() && poll_once(&mut next).await.is_none());
    until("both are here", || pair.server_session().stats().calls_in == 2).await;
    till.0.go.notify_one();
    assert!(is_panic(within(slow).await));
    assert!(is_ended(within(next).await));
    assert_eq!(till.0.begun.load(Ordering::SeqCst), 1);
}
