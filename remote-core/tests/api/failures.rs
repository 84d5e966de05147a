//! Tests of failures: they are contained and reported correctly. Errors of the user arrive unchanged; other errors say
//! what is known about the call; a panic ends one call; calls back and forth end before they exhaust anything.

use std::sync::Mutex;
use std::time::Duration;

use crate::support::{Pair, TIME_LIMIT, fresh_address, poll_once, until, within};
use remote_core::{Error, Limits, Node, Outcome, Ref, Remote, Result, remote, this};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Mistake {
    Spelling(String),
    Remote(Error),
    Deep { causes: Vec<Option<Error>>, depth: u8 },
}

impl From<Error> for Mistake {
    fn from(error: Error) -> Mistake {
        Mistake::Remote(error)
    }
}

/// A value that cannot be transferred.
#[derive(Debug)]
struct Brittle {
    when: Breaks,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Breaks {
    Written,
    Read,
    Dropped,
}

impl Serialize for Brittle {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        assert_ne!(self.when, Breaks::Written, "broken while written");
        self.when.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Brittle {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Brittle, D::Error> {
        let when = Breaks::deserialize(deserializer)?;
        assert_ne!(when, Breaks::Read, "broken while read");
        Ok(Brittle { when })
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        assert!(self.when != Breaks::Dropped || std::thread::panicking(), "broken while dropped");
    }
}

#[remote]
trait Patient {
    async fn misspell(&self, word: &str) -> Result<(), Mistake>;
    async fn fail(&self, error: Error) -> Result<()>;
    async fn fail_deep(&self, error: Error) -> Result<(), Mistake>;
    /// Fails with the error of its own call to the other.
    async fn fail_through(&self, other: Ref<dyn Patient>) -> Result<(), Mistake>;
    async fn panic(&self, late: bool) -> Result<()>;
    /// Panics with a text of this length.
    async fn scream(&self, length: usize) -> Result<()>;
    /// Fails with a text of this length.
    async fn fail_long(&self, length: usize) -> Result<()>;
    async fn take(&self, brittle: Brittle) -> Result<()>;
    async fn give(&self, when: Breaks) -> Result<Brittle>;
    /// Returns an object that panics when it is dropped.
    async fn bomb(&self) -> Result<Ref<dyn Patient>>;
    /// Poisons the lock of the object.
    async fn poison(&self) -> Result<()>;
    async fn count(&self) -> Result<u32>;
    /// Calls back and forth this number of times.
    async fn bounce(&self, left: u32, other: Ref<dyn Patient>) -> Result<u32>;
}

#[derive(Remote, Default)]
#[remote(Patient)]
struct Tough {
    count: Mutex<u32>,
    #[allow(dead_code, reason = "it is there to be dropped")]
    inside: Option<Brittle>,
}

#[remote]
impl Patient for Tough {
    async fn misspell(&self, word: &str) -> Result<(), Mistake> {
        Err(Mistake::Spelling(word.to_owned()))
    }

    async fn fail(&self, error: Error) -> Result<()> {
        Err(error)
    }

    async fn fail_deep(&self, error: Error) -> Result<(), Mistake> {
        Err(Mistake::Deep { causes: vec![None, Some(error)], depth: 2 })
    }

    async fn fail_through(&self, other: Ref<dyn Patient>) -> Result<(), Mistake> {
        Ok(other.fail(Error::Timeout).await?)
    }

    async fn panic(&self, late: bool) -> Result<()> {
        if late {
            tokio::task::yield_now().await;
        }
        panic!("late: {late}")
    }

    async fn scream(&self, length: usize) -> Result<()> {
        panic!("{}", "a".repeat(length))
    }

    async fn fail_long(&self, length: usize) -> Result<()> {
        Err(Error::Refused("x".repeat(length)))
    }

    async fn take(&self, _brittle: Brittle) -> Result<()> {
        Ok(())
    }

    async fn give(&self, when: Breaks) -> Result<Brittle> {
        Ok(Brittle { when })
    }

    async fn bomb(&self) -> Result<Ref<dyn Patient>> {
        Ok(Ref::new(Tough { inside: Some(Brittle { when: Breaks::Dropped }), ..Tough::default() }))
    }

    async fn poison(&self) -> Result<()> {
        let _count = self.count.lock().unwrap();
        panic!("while it holds the lock")
    }

    async fn count(&self) -> Result<u32> {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        Ok(*count)
    }

    async fn bounce(&self, left: u32, other: Ref<dyn Patient>) -> Result<u32> {
        match left {
            0 => Ok(0),
            _ => Ok(other.bounce(left - 1, this()).await? + 1),
        }
    }
}

fn patient() -> Ref<dyn Patient> {
    Ref::new(Tough::default())
}

fn nested(error: Error) -> Error {
    Error::Nested(Box::new(error))
}

#[tokio::test]
async fn errors_of_the_users_arrive_as_themselves() {
    let near = patient();
    let pair = Pair::new(near.clone()).await;
    for reference in [&pair.far, &near] {
        assert_eq!(
            within(reference.misspell("recieve")).await,
            Err(Mistake::Spelling("recieve".into()))
        );
    }
}

#[tokio::test]
async fn an_error_that_leaves_a_method_is_nested_at_its_caller() {
    let near = patient();
    let pair = Pair::new(near.clone()).await;
    let lost = Error::SessionLost { reason: "elsewhere".into(), outcome: Outcome::NotExecuted };
    for reference in [&pair.far, &near] {
        let error = within(reference.fail(lost.clone())).await.unwrap_err();
        assert_eq!(error, nested(lost.clone()));
        assert_eq!(error.outcome(), Outcome::Failed, "this call was executed");
        // Also inside an error of the user, and only once, however many calls return it.
        let deep = within(reference.fail_deep(lost.clone())).await.unwrap_err();
        assert_eq!(
            deep,
            Mistake::Deep { causes: vec![None, Some(nested(lost.clone()))], depth: 2 }
        );
        let through = within(reference.fail_through(patient())).await.unwrap_err();
        assert_eq!(through, Mistake::Remote(nested(Error::Timeout)));
        // As a value it is not changed.
        assert_eq!(
            within(reference.fail(nested(Error::Timeout))).await,
            Err(nested(Error::Timeout))
        );
    }
}

#[tokio::test]
async fn a_panic_ends_its_call_and_nothing_else() {
    let near = patient();
    let pair = Pair::new(near.clone()).await;
    for reference in [&pair.far, &near] {
        for late in [false, true] {
            let error = within(reference.panic(late)).await.unwrap_err();
            assert_eq!(error, Error::Panicked(format!("late: {late}")));
            assert_eq!(error.outcome(), Outcome::Failed);
        }
    }
    assert_eq!(within(pair.far.count()).await, Ok(1));
    assert_eq!(pair.client.sessions().len(), 1);
}

#[tokio::test]
async fn an_error_with_a_long_text_fails_its_call_alone() {
    let limits = Limits { body: 1000, ..Limits::default() };
    let pair = Pair::limited(patient(), limits.clone(), limits).await;
    let long = || Error::Refused("x".repeat(900));
    let error = within(pair.far.fail(long())).await.unwrap_err();
    assert_eq!(error, nested(long()));
    let error = within(pair.far.scream(1200)).await.unwrap_err();
    assert!(matches!(error.root(), Error::TooLarge { limit: 1000, .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Failed);
    let error = within(pair.far.fail_long(1200)).await.unwrap_err();
    assert!(matches!(error.root(), Error::TooLarge { limit: 1000, .. }), "{error:?}");
    assert_eq!(within(pair.far.count()).await, Ok(1));
}

#[tokio::test]
async fn code_of_the_users_may_panic_anywhere() {
    let pair = Pair::new(patient()).await;
    let brittle = |when| Brittle { when };
    let read = within(pair.far.take(brittle(Breaks::Read))).await;
    assert_eq!(
        read,
        Err(Error::Panicked(
            "assertion `left != right` failed: broken while read\n  left: Read\n right: Read"
                .into()
        ))
    );
    let written = within(pair.far.give(Breaks::Written)).await.unwrap_err();
    assert!(
        matches!(&written, Error::Panicked(text) if text.contains("broken while written")),
        "{written:?}"
    );
    // The client drops the last reference; the session of the server drops the object.
    let bomb = within(pair.far.bomb()).await.unwrap();
    drop(bomb);
    crate::support::until("it is dropped", || pair.server.exports() == 1).await;
    assert_eq!(within(pair.far.count()).await, Ok(1));
}

#[tokio::test]
async fn an_object_that_poisoned_its_lock_is_still_asked() {
    let pair = Pair::new(patient()).await;
    let error = within(pair.far.poison()).await.unwrap_err();
    assert_eq!(error, Error::Panicked("while it holds the lock".into()));
    // The library does not care about the object's lock: each call that unwraps the poisoned lock panics, and is
    // answered.
    for _ in 0..3 {
        let error = within(pair.far.count()).await.unwrap_err();
        assert!(matches!(&error, Error::Panicked(text) if text.contains("Poison")), "{error:?}");
    }
    assert_eq!(within(pair.far.bounce(0, patient())).await, Ok(0));
}

#[tokio::test]
async fn calls_go_back_and_forth_so_deep_and_no_deeper() {
    let pair = Pair::new(patient()).await;
    assert_eq!(within(pair.far.bounce(31, patient())).await, Ok(31));
    let error = within(pair.far.bounce(32, patient())).await.unwrap_err();
    assert!(
        matches!(error.root(), Error::Quota(text) if text.contains("Limits::nesting")),
        "{error:?}"
    );
    assert_eq!(error.outcome(), Outcome::Failed);
    assert_eq!(within(pair.far.bounce(31, patient())).await, Ok(31));
    let shallow = Limits { nesting: 3, ..Limits::default() };
    let pair = Pair::limited(patient(), shallow.clone(), shallow).await;
    assert_eq!(within(pair.far.bounce(2, patient())).await, Ok(2));
    let error = within(pair.far.bounce(3, patient())).await.unwrap_err();
    assert!(matches!(error.root(), Error::Quota(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_deep_conversations_at_once_do_not_block_each_other() {
    let pair = Pair::new(patient()).await;
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let far = pair.far.clone();
            tokio::spawn(async move { (number % 32, far.bounce(number % 32, patient()).await) })
        })
        .collect();
    for call in calls {
        let (depth, reached) = within(call).await.unwrap();
        assert_eq!(reached, Ok(depth));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_method_that_blocks_its_thread_costs_no_session() {
    let limits = Limits {
        ping: Duration::from_millis(100),
        silence: Duration::from_millis(500),
        ..Limits::default()
    };
    let server =
        Node::builder().listen(fresh_address()).limits(limits.clone()).start().await.unwrap();
    server.publish("sleeper", Ref::<dyn Sleeper>::new(Sound)).await.unwrap();
    let client = Node::builder().limits(limits).start().await.unwrap();
    let sleeper: Ref<dyn Sleeper> = within(client.lookup(server.uri("sleeper"))).await.unwrap();
    assert_eq!(within(sleeper.block(Duration::from_secs(2))).await, Ok(()));
    assert_eq!(within(sleeper.block(Duration::ZERO)).await, Ok(()));
}

/// A lease that would end if nothing renewed it while a method blocks, and does not end because the machine is busy. Its
/// holder renews it after a third of the term, and the blocked side reads that after another third at the latest; after
/// nine tenths it has ended. What is left is for the machine: 2.3 s.
const TERM: Duration = Duration::from_secs(10);

/// The ways in which a method blocks its thread.
#[derive(Clone, Copy)]
enum Blocks {
    AtOnce,
    /// When it has a task of its own.
    Later,
}

const BOTH: [Blocks; 2] = [Blocks::AtOnce, Blocks::Later];

/// Starts a server with a method that blocks.
async fn sleeper(address: &str) -> Node {
    let server = Node::builder().listen(address).lease(TERM).start().await.unwrap();
    server.publish("sleeper", Ref::<dyn Sleeper>::new(Sound)).await.unwrap();
    server
}

/// Blocks a thread of the server for two terms of the lease, and asserts that the references of the client still work.
async fn blocked_for_two_terms(uri: &str, blocks: Blocks) {
    let client = Node::builder().lease(TERM).start().await.unwrap();
    let sleeper: Ref<dyn Sleeper> = within(client.lookup(uri)).await.unwrap();
    let session = client.sessions().pop().unwrap();
    let monitor = Ref::monitor(&sleeper);
    let blocked = match blocks {
        Blocks::AtOnce => sleeper.block(2 * TERM),
        Blocks::Later => sleeper.block_later(2 * TERM),
    };
    assert_eq!(within(blocked).await, Ok(()));
    assert_eq!(within(sleeper.block(Duration::ZERO)).await, Ok(()));
    assert_eq!(session.state(), remote_core::SessionState::Connected);
    assert_eq!(session.stats().reconnects, 0, "the connection was never given up");
    drop(monitor);
}

// Four workers are blocked; the rest is for the clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn a_method_that_blocks_its_thread_for_two_terms_costs_no_lease() {
    let blocked = async |address: String, blocks| {
        let server = sleeper(&address).await;
        blocked_for_two_terms(&server.uri("sleeper"), blocks).await;
    };
    let tcp = || "tcp://127.0.0.1:0".to_owned();
    tokio::join!(
        blocked(fresh_address(), Blocks::AtOnce),
        blocked(tcp(), Blocks::AtOnce),
        blocked(fresh_address(), Blocks::Later),
        blocked(tcp(), Blocks::Later),
    );
}

/// The server has one thread, and a method that blocks it: its runtime makes no progress.
#[test]
fn a_method_that_blocks_its_whole_runtime_for_two_terms_costs_no_lease() {
    fn one_thread<F: Future>(run: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run)
    }
    let both = BOTH.map(|blocks| {
        let (sender, receiver) = std::sync::mpsc::channel();
        let (over, end) = tokio::sync::oneshot::channel::<()>();
        let server = std::thread::spawn(move || {
            one_thread(async {
                let server = sleeper("tcp://127.0.0.1:0").await;
                sender.send(server.uri("sleeper")).unwrap();
                let _ = within(end).await;
            })
        });
        let client = std::thread::spawn(move || {
            one_thread(blocked_for_two_terms(&receiver.recv().unwrap(), blocks))
        });
        (client, over, server)
    });
    for (client, over, server) in both {
        client.join().unwrap();
        let _ = over.send(());
        server.join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn neither_answers_nor_calls_wait_behind_a_method_that_blocks() {
    for address in [fresh_address(), "tcp://127.0.0.1:0".into()] {
        let server = Node::builder().listen(address).start().await.unwrap();
        let (let_go, held) = std::sync::mpsc::channel();
        let guard = Stubborn { held: Mutex::new(held), other: Mutex::default() };
        server.publish("guard", Ref::<dyn Guard>::new(guard)).await.unwrap();
        let client = Node::builder().start().await.unwrap();
        let guard: Ref<dyn Guard> = within(client.lookup(server.uri("guard"))).await.unwrap();
        within(guard.know(Ref::new(Polite))).await.unwrap();
        // In a task, so that they arrive together: nothing is written before the task waits.
        let all = tokio::spawn(async move {
            for _ in 0..20 {
                let (mut greeting, mut standing) = (guard.greet(), guard.stand());
                assert_eq!(poll_once(&mut greeting).await, None);
                assert_eq!(poll_once(&mut standing).await, None);
                assert_eq!(within(greeting).await, Ok(()));
                let_go.send(()).expect("it still stands");
                assert_eq!(within(standing).await, Ok(()));
                let (mut passing, mut standing) = (guard.pass_on(), guard.stand());
                assert_eq!(poll_once(&mut passing).await, None);
                assert_eq!(poll_once(&mut standing).await, None);
                assert_eq!(within(passing).await, Ok(()));
                let_go.send(()).expect("it still stands");
                assert_eq!(within(standing).await, Ok(()));
            }
        });
        within(all).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_cancelled_behind_a_blocking_method_is_dropped() {
    let server = Node::builder().listen("tcp://127.0.0.1:0").start().await.unwrap();
    let (let_go, held) = std::sync::mpsc::channel();
    let guard = Stubborn { held: Mutex::new(held), other: Mutex::default() };
    server.publish("guard", Ref::<dyn Guard>::new(guard)).await.unwrap();
    let client = Node::builder().start().await.unwrap();
    let guard: Ref<dyn Guard> = within(client.lookup(server.uri("guard"))).await.unwrap();
    let (near, far) = (client.sessions().pop().unwrap(), server.sessions().pop().unwrap());
    let all = tokio::spawn(async move {
        let (mut standing, mut waiting) = (guard.stand(), guard.wait());
        assert_eq!(poll_once(&mut standing).await, None);
        assert_eq!(poll_once(&mut waiting).await, None);
        // Both have arrived: later input is read while the first one blocks.
        until("both have arrived", || far.stats().calls_in == 2).await;
        drop(waiting);
        until("it is acknowledged", || near.stats().unacknowledged == 0).await;
        let_go.send(()).expect("it still stands");
        assert_eq!(within(standing).await, Ok(()));
        until("nothing is executed", || far.stats().calls_in == 0).await;
    });
    within(all).await.unwrap();
}

#[remote]
trait Guard {
    async fn greet(&self) -> Result<()>;
    /// Blocks its thread until the test releases it.
    async fn stand(&self) -> Result<()>;
    /// Never returns.
    async fn wait(&self) -> Result<()>;
    async fn know(&self, other: Ref<dyn Guest>) -> Result<()>;
    /// Greets the other.
    async fn pass_on(&self) -> Result<()>;
}

#[derive(Remote)]
#[remote(Guard)]
struct Stubborn {
    held: Mutex<std::sync::mpsc::Receiver<()>>,
    other: Mutex<Option<Ref<dyn Guest>>>,
}

#[remote]
impl Guard for Stubborn {
    async fn greet(&self) -> Result<()> {
        Ok(())
    }

    async fn stand(&self) -> Result<()> {
        let held = self.held.lock().unwrap();
        held.recv_timeout(2 * TIME_LIMIT).map_err(|_| Error::Refused("it was not let go".into()))
    }

    async fn wait(&self) -> Result<()> {
        std::future::pending().await
    }

    async fn know(&self, other: Ref<dyn Guest>) -> Result<()> {
        *self.other.lock().unwrap() = Some(other);
        Ok(())
    }

    async fn pass_on(&self) -> Result<()> {
        let other = self.other.lock().unwrap().clone().expect("it was set");
        other.greet().await
    }
}

#[remote]
trait Guest {
    async fn greet(&self) -> Result<()>;
}

#[derive(Remote)]
#[remote(Guest)]
struct Polite;

#[remote]
impl Guest for Polite {
    async fn greet(&self) -> Result<()> {
        Ok(())
    }
}

#[remote]
trait Sleeper {
    async fn block(&self, time: Duration) -> Result<()>;
    /// Blocks its thread, but not before the method has a task of its own.
    async fn block_later(&self, time: Duration) -> Result<()>;
}

#[derive(Remote)]
#[remote(Sleeper)]
struct Sound;

#[remote]
impl Sleeper for Sound {
    async fn block(&self, time: Duration) -> Result<()> {
        #[allow(
            clippy::disallowed_methods,
            reason = "not the test's waiting: what a careless method does"
        )]
        std::thread::sleep(time);
        Ok(())
    }

    async fn block_later(&self, time: Duration) -> Result<()> {
        tokio::task::yield_now().await;
        self.block(time).await
    }
}
