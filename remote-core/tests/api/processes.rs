//! Tests between processes: the effects of a kill, many processes that call one object, calls that come back through
//! another process, and a process that is stopped.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::child::{Child, report, setting};
use crate::support::{TIME_LIMIT, poll_once, until, within};
use remote_core::{Error, Limits, Node, Outcome, Ref, Remote, Result, SessionState, remote, this};

#[remote]
trait Register {
    /// Writes the number to a file, which survives a kill, and goes on for a while.
    async fn enter(&self, number: u64) -> Result<u64>;
    async fn add(&self, number: u64) -> Result<u64>;
    /// Calls back and forth this number of times.
    async fn bounce(&self, left: u32, other: Ref<dyn Register>) -> Result<u32>;
    async fn poison(&self) -> Result<()>;
    /// Blocks its thread.
    async fn block(&self, time: Duration) -> Result<()>;
    /// Makes this number of calls to the other at once, and returns when all of them have ended.
    async fn besiege(&self, other: Ref<dyn Register>, calls: u64) -> Result<()>;
}

#[derive(Remote)]
#[remote(Register)]
struct Ledger {
    file: Mutex<Option<std::fs::File>>,
    total: Mutex<u64>,
    entered: Arc<Mutex<Vec<u64>>>,
}

impl Ledger {
    fn new(path: Option<&str>) -> Ledger {
        let file = path.map(|path| std::fs::File::create(path).unwrap());
        Ledger { file: Mutex::new(file), total: Mutex::default(), entered: Arc::default() }
    }
}

#[remote]
impl Register for Ledger {
    async fn enter(&self, number: u64) -> Result<u64> {
        self.entered.lock().unwrap().push(number);
        if let Some(file) = &mut *self.file.lock().unwrap() {
            writeln!(file, "{number}").unwrap();
        }
        // Every fifth takes longer than any of the tests, so that a kill always finds some in progress.
        let lasts = if number.is_multiple_of(5) {
            2 * TIME_LIMIT
        } else {
            Duration::from_millis(number % 7)
        };
        tokio::time::sleep(lasts).await;
        Ok(number)
    }

    async fn add(&self, number: u64) -> Result<u64> {
        let mut total = self.total.lock().unwrap();
        *total += number;
        Ok(*total)
    }

    async fn bounce(&self, left: u32, other: Ref<dyn Register>) -> Result<u32> {
        match left {
            0 => Ok(0),
            _ => Ok(other.bounce(left - 1, this()).await? + 1),
        }
    }

    async fn poison(&self) -> Result<()> {
        let _total = self.total.lock().unwrap();
        panic!("while it holds the lock")
    }

    async fn block(&self, time: Duration) -> Result<()> {
        #[allow(
            clippy::disallowed_methods,
            reason = "not the test's waiting: what a careless method does"
        )]
        std::thread::sleep(time);
        Ok(())
    }

    async fn besiege(&self, other: Ref<dyn Register>, calls: u64) -> Result<()> {
        let calls = (0..calls).map(|number| {
            let other = other.clone();
            tokio::spawn(async move { other.enter(number).await })
        });
        for call in calls.collect::<Vec<_>>() {
            let _ = call.await;
        }
        Ok(())
    }
}

/// Publishes the ledger in a process of its own, with four worker threads on any machine, so that a method that blocks
/// leaves others.
#[tokio::main(worker_threads = 4)]
pub(crate) async fn serve(limits: Limits) {
    let path = std::env::var("LEDGER").ok();
    let node = Node::builder().listen("tcp://127.0.0.1:0").limits(limits).start().await.unwrap();
    node.publish("ledger", Ref::<dyn Register>::new(Ledger::new(path.as_deref()))).await.unwrap();
    report(&node.uri("ledger"));
    node.closed().await;
}

/// Adds to the ledger of another process.
#[tokio::main(worker_threads = 4)]
pub(crate) async fn add() {
    let ledger: Ref<dyn Register> = Node::new().lookup(setting("LEDGER_URI")).await.unwrap();
    let calls: u64 = setting("CALLS").parse().unwrap();
    let number = setting("NUMBER").parse().unwrap();
    let mut last = 0;
    for _ in 0..calls {
        let total = ledger.add(number).await.unwrap();
        assert!(total > last, "an own call was undone");
        last = total;
    }
}

/// Returns a node with a short lease.
async fn impatient() -> Node {
    Node::builder().lease(Duration::from_secs(2)).start().await.unwrap()
}

/// Returns limits under which a silent peer is noticed soon.
pub(crate) fn alert() -> Limits {
    Limits {
        ping: Duration::from_millis(100),
        silence: Duration::from_millis(500),
        ..Limits::default()
    }
}

/// Starts a child that serves. Returns it, and its ledger as this process refers to it.
async fn server(node: &Node, settings: &[(&str, &str)]) -> (Child, Ref<dyn Register>) {
    let child = Child::start("server", settings);
    let ledger = within(node.lookup(child.receive())).await.unwrap();
    (child, ledger)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_amid_a_thousand_calls_leaves_no_call_hanging_and_no_false_word() {
    for round in 0..3 {
        let path =
            std::env::temp_dir().join(format!("remote-ledger-{}-{round}", std::process::id()));
        let node = impatient().await;
        let (mut child, ledger) = server(&node, &[("LEDGER", path.to_str().unwrap())]).await;
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..1000 {
            let ledger = ledger.clone();
            calls.spawn(async move { (number, ledger.enter(number).await) });
        }
        // In the middle: some calls have ended, and more are in progress.
        let mut ended = Vec::new();
        while ended.len() < 100 + 100 * round {
            ended.push(within(calls.join_next()).await.unwrap().unwrap());
        }
        child.kill();
        while let Some(call) = within(calls.join_next()).await {
            ended.push(call.unwrap());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let executed: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
        let distinct: HashSet<u64> = executed.iter().copied().collect();
        assert_eq!(distinct.len(), executed.len(), "a call was executed twice");
        assert_eq!(ended.iter().map(|(number, _)| *number).collect::<HashSet<_>>().len(), 1000);
        let mut lost = 0;
        for (number, result) in ended {
            match result {
                Ok(answer) => assert!(answer == number && distinct.contains(&number)),
                Err(error @ Error::LeaseExpired) => {
                    lost += 1;
                    assert_eq!(error.outcome(), Outcome::Unknown);
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(lost > 0, "it was killed too late");
        assert_eq!(within(ledger.enter(0)).await, Err(Error::LeaseExpired));
        until("the session is gone", || node.sessions().is_empty()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_blocks_its_thread_silences_no_process() {
    let node = Node::builder().limits(alert()).start().await.unwrap();
    let child = Child::start("alert server", &[]);
    let ledger: Ref<dyn Register> = within(node.lookup(child.receive())).await.unwrap();
    // The whole runtime of the process is blocked: the thread that is woken, and then blocked, is the one that waited
    // for input.
    for _ in 0..3 {
        assert_eq!(within(ledger.block(Duration::from_millis(1000))).await, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_killed_amid_a_thousand_calls_leaves_nothing_behind() {
    let node = impatient().await;
    let (mut child, far) = server(&node, &[]).await;
    let ledger = Ledger::new(None);
    let entered = Arc::clone(&ledger.entered);
    let mine = Ref::<dyn Register>::new(ledger);
    let mut siege = far.besiege(mine.clone(), 1000);
    assert!(poll_once(&mut siege).await.is_none());
    until("many of its calls have begun here", || entered.lock().unwrap().len() > 100).await;
    child.kill();
    let error = within(siege).await.unwrap_err();
    assert_eq!(error, Error::LeaseExpired);
    until("what it held is released", || (node.exports(), node.sessions().len()) == (0, 0)).await;
    let entered = entered.lock().unwrap().clone();
    assert_eq!(
        entered.iter().collect::<HashSet<_>>().len(),
        entered.len(),
        "a call was executed twice"
    );
    assert_eq!(mine.add(1).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_processes_call_one_object() {
    const PROCESSES: u64 = 64;
    const CALLS: u64 = 50;
    let node = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    let ledger = Ref::<dyn Register>::new(Ledger::new(None));
    node.publish("ledger", ledger.clone()).await.unwrap();
    let (uri, calls) = (node.uri("ledger"), CALLS.to_string());
    let children: Vec<_> = (1..=PROCESSES)
        .map(|number| {
            let number = number.to_string();
            Child::start("adder", &[("LEDGER_URI", &uri), ("CALLS", &calls), ("NUMBER", &number)])
        })
        .collect();
    for child in children {
        assert!(within(tokio::task::spawn_blocking(|| child.join())).await.unwrap());
    }
    let sum = CALLS * PROCESSES * (PROCESSES + 1) / 2;
    assert_eq!(ledger.add(0).await, Ok(sum));
    until("all sessions are gone", || (node.sessions().len(), node.exports()) == (0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nested_calls_between_processes_are_bounded() {
    let node = Node::new();
    let (_child, far) = server(&node, &[]).await;
    let mine = || Ref::<dyn Register>::new(Ledger::new(None));
    assert_eq!(within(far.bounce(31, mine())).await, Ok(31));
    let error = within(far.bounce(32, mine())).await.unwrap_err();
    assert!(
        matches!(error.root(), Error::Quota(text) if text.contains("Limits::nesting")),
        "{error:?}"
    );
    assert_eq!(within(far.bounce(31, mine())).await, Ok(31));
    // Three processes: this one, another, and a third that is reached through this one.
    let (_other, elsewhere) = server(&node, &[]).await;
    assert_eq!(within(far.bounce(5, elsewhere)).await, Ok(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_poisoned_by_a_panic_is_the_objects_own_affair() {
    let node = Node::new();
    let (_child, far) = server(&node, &[]).await;
    assert_eq!(within(far.add(2)).await, Ok(2));
    assert_eq!(within(far.poison()).await, Err(Error::Panicked("while it holds the lock".into())));
    assert!(
        matches!(within(far.add(2)).await, Err(Error::Panicked(text)) if text.contains("Poison"))
    );
    assert_eq!(within(far.enter(3)).await, Ok(3), "object, session and node go on");
    assert_eq!(node.sessions().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_stopped_beyond_its_lease_expires_and_reconnects() {
    let node = impatient().await;
    let child = Child::start("server", &[]);
    let uri = child.receive();
    let far: Ref<dyn Register> = within(node.lookup(&uri)).await.unwrap();
    assert_eq!(within(far.add(1)).await, Ok(1));
    let monitor = Ref::monitor(&far);
    let mut state = crate::support::only_session(&node).watch();
    child.signal("STOP");
    // The signal takes some time to reach each of its threads.
    let mut answered = 1;
    let error = loop {
        match within(far.add(1)).await {
            Ok(_) => answered += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::LeaseExpired);
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(within(monitor).await, remote_core::Ended::LeaseExpired);
    within(state.wait_for(|state| *state == SessionState::Ended)).await.unwrap();
    child.signal("CONT");
    // Old references stay invalid. The object is looked up again, and meanwhile was called at most once.
    let again: Ref<dyn Register> = within(node.lookup(&uri)).await.unwrap();
    let total = within(again.add(1)).await.unwrap();
    assert!(total == answered + 1 || total == answered + 2, "{total} after {answered}");
    assert!(within(far.add(1).timeout(TIME_LIMIT)).await.is_err());
}
