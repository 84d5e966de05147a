//! Tests of holding and dropping references: a million references under one lease, and references that are dropped on
//! any thread, also by the destructor of an object.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Pair, fresh_address, only_session, until, within};
use remote_core::{Node, Ref, Remote, Result, SessionState, remote};

#[remote]
trait Depot {
    async fn make(&self, count: usize) -> Result<Vec<Ref<dyn Depot>>>;
    async fn keep(&self, others: Vec<Ref<dyn Depot>>) -> Result<()>;
    /// Drops the references.
    async fn refuse(&self, others: Vec<Ref<dyn Depot>>) -> Result<()>;
    async fn note(&self) -> Result<usize>;
}

/// Counts the live objects, and the notes to any of them.
#[derive(Default)]
struct Tally {
    alive: AtomicUsize,
    notes: AtomicUsize,
}

#[derive(Remote)]
#[remote(Depot)]
struct Crate {
    tally: Arc<Tally>,
    others: Mutex<Vec<Ref<dyn Depot>>>,
    /// True if its destructor calls others and panics.
    is_loud: bool,
}

impl Crate {
    fn new(tally: &Arc<Tally>, is_loud: bool) -> Crate {
        tally.alive.fetch_add(1, Ordering::SeqCst);
        Crate { tally: Arc::clone(tally), others: Mutex::default(), is_loud }
    }
}

impl Drop for Crate {
    fn drop(&mut self) {
        self.tally.alive.fetch_sub(1, Ordering::SeqCst);
        if self.is_loud {
            // It calls, drops what it holds of others, and panics.
            for other in self.others.get_mut().unwrap().drain(..) {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(async move { other.note().await });
                }
            }
            panic!("it would not go quietly");
        }
    }
}

#[remote]
impl Depot for Crate {
    async fn make(&self, count: usize) -> Result<Vec<Ref<dyn Depot>>> {
        Ok((0..count).map(|_| Ref::new(Crate::new(&self.tally, false))).collect())
    }

    async fn keep(&self, others: Vec<Ref<dyn Depot>>) -> Result<()> {
        self.others.lock().unwrap().extend(others);
        Ok(())
    }

    async fn refuse(&self, _others: Vec<Ref<dyn Depot>>) -> Result<()> {
        Ok(())
    }

    async fn note(&self) -> Result<usize> {
        Ok(self.tally.notes.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

/// Returns a server with a depot, and a client that refers to it, with a short lease.
async fn depot(lease: Duration) -> (Pair<dyn Depot>, Arc<Tally>) {
    let tally = Arc::<Tally>::default();
    let server = Node::builder().listen(fresh_address()).lease(lease).start().await.unwrap();
    let pair = Pair::of(server, Node::new(), Ref::new(Crate::new(&tally, false))).await;
    (pair, tally)
}

/// Holds this number of references for two terms, and drops all of them at once.
async fn held_and_let_go(count: usize, lease: Duration) {
    const BATCH: usize = 20_000;
    let (pair, tally) = depot(lease).await;
    let mut held = Vec::with_capacity(count);
    while held.len() < count {
        held.extend(within(pair.far.make(BATCH.min(count - held.len()))).await.unwrap());
    }
    let session = only_session(&pair.client);
    assert_eq!(session.stats().imports, count + 1);
    // Only the lease causes traffic; it is the same for any number of references.
    let mut state = session.watch();
    let ended = state.wait_for(|state| *state != SessionState::Connected);
    assert!(tokio::time::timeout(2 * lease, ended).await.is_err());
    assert_eq!(tally.alive.load(Ordering::SeqCst), count + 1);
    assert_eq!(within(held[count / 2].note()).await, Ok(1));

    let begun = Instant::now();
    // On a thread without a runtime: dropping a reference needs none.
    tokio::task::spawn_blocking(|| std::thread::spawn(move || drop(held)).join())
        .await
        .unwrap()
        .unwrap();
    let dropped = begun.elapsed();
    until("all are gone", || tally.alive.load(Ordering::SeqCst) == 1).await;
    println!("{count} let go in {dropped:?}, gone after {:?}", begun.elapsed());
    until("the tables are empty", || (pair.server.exports(), session.stats().imports) == (1, 1))
        .await;
    assert_eq!(within(pair.far.note()).await, Ok(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_references_are_held_renewed_and_released() {
    held_and_let_go(20_000, Duration::from_secs(4)).await;
}

/// Run by hand with optimisation: `cargo test --release -p remote-core --test api leases -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long without optimisation; `.ci/full` plays it"]
async fn a_million_references_are_held_renewed_and_released() {
    held_and_let_go(1_000_000, Duration::from_secs(6)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destructor_can_call_drop_references_and_panic() {
    let (pair, tally) = depot(Duration::from_secs(5)).await;
    // Objects of the client, which only the server holds, and which hold objects of the server.
    for _ in 0..20 {
        let loud = Ref::<dyn Depot>::new(Crate::new(&tally, true));
        within(loud.keep(within(pair.far.make(3)).await.unwrap())).await.unwrap();
        within(pair.far.keep(vec![loud])).await.unwrap();
    }
    assert_eq!(tally.alive.load(Ordering::SeqCst), 1 + 20 * 4);
    // The server drops its own object, and thereby those of the client, whose destructors call and panic.
    let Pair { server, client, far } = pair;
    within(server.unpublish("object")).await.unwrap();
    drop(far);
    until("all are gone", || tally.alive.load(Ordering::SeqCst) == 0).await;
    until("what they called was executed", || tally.notes.load(Ordering::SeqCst) == 60).await;
    until("the tables are empty", || (server.exports(), client.exports()) == (0, 0)).await;
    let names = within(client.names(server.uri("x").strip_suffix("/x").unwrap())).await;
    assert_eq!(names, Ok(Vec::new()), "both nodes and their session go on");
}

#[tokio::test]
async fn an_object_of_a_third_node_that_its_receiver_drops_is_freed_at_once() {
    // Only a withdrawal can free it: the leases last an hour.
    let (owner, tally) = depot(Duration::from_secs(3600)).await;
    let receiver = Node::builder().listen(fresh_address()).lease(Duration::from_secs(3600));
    let receiver = receiver.start().await.unwrap();
    receiver.publish("depot", Ref::new(Crate::new(&Arc::default(), false))).await.unwrap();
    let giver = &owner.client;
    let far: Ref<dyn Depot> = within(giver.lookup(receiver.uri("depot"))).await.unwrap();
    for count in [1, 1, 10, 100] {
        let made = within(owner.far.make(count)).await.unwrap();
        // At once, or after the receiver has claimed some of them.
        within(far.refuse(made.clone())).await.unwrap();
        within(far.refuse(made)).await.unwrap();
        until("they are freed", || tally.alive.load(Ordering::SeqCst) == 1).await;
        until("no gift is left", || owner.server.snapshot().gifts == 0).await;
    }
    // Those that it keeps remain.
    within(far.keep(within(owner.far.make(10)).await.unwrap())).await.unwrap();
    within(far.refuse(within(owner.far.make(10)).await.unwrap())).await.unwrap();
    until("those are freed", || tally.alive.load(Ordering::SeqCst) == 11).await;
    assert_eq!(within(owner.far.note()).await, Ok(1));
    assert_eq!(tally.alive.load(Ordering::SeqCst), 11);
}
