//! Tests of peers on the same machine whose process is killed: over `unix://` the session ends at once.

use std::path::PathBuf;
use std::time::Duration;

use crate::support::child::{Child, report, setting};
use crate::support::{fresh_address, only_session, until, within};
use remote_core::{Ended, Error, Node, Outcome, Ref, Remote, Result, SessionState, remote};
use tokio::net::{UnixListener, UnixStream};

/// A lease that does not end in a test.
const LONG: Duration = Duration::from_secs(3600);

#[remote]
trait Visitor {
    /// Never returns.
    async fn stay(&self) -> Result<()>;
    /// Lets the object be visited by this one, which never leaves.
    async fn welcome(&self, other: Ref<dyn Visitor>) -> Result<()>;
}

#[derive(Remote)]
#[remote(Visitor)]
struct House;

#[remote]
impl Visitor for House {
    async fn stay(&self) -> Result<()> {
        std::future::pending().await
    }

    async fn welcome(&self, other: Ref<dyn Visitor>) -> Result<()> {
        other.stay().await
    }
}

/// Serves in a process of its own.
#[tokio::main]
pub(crate) async fn serve() {
    let node = Node::builder().listen(setting("LISTEN")).lease(LONG).start().await.unwrap();
    node.publish("house", Ref::<dyn Visitor>::new(House)).await.unwrap();
    report(&node.uri("house"));
    node.closed().await;
}

/// Calls a house of another process, which calls back.
#[tokio::main]
pub(crate) async fn visit() {
    let node = Node::builder().lease(LONG).start().await.unwrap();
    let house: Ref<dyn Visitor> = node.lookup(setting("HOUSE")).await.unwrap();
    house.welcome(Ref::new(House)).await.unwrap();
}

fn socket() -> PathBuf {
    std::env::temp_dir().join(fresh_address().replace("memory://", "remote-process-") + ".sock")
}

fn at(socket: &std::path::Path) -> String {
    format!("unix://{}", socket.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_gone_before_its_lease_ends() {
    let mut child = Child::start("house", &[("LISTEN", &at(&socket()))]);
    let node = Node::builder().lease(LONG).start().await.unwrap();
    let house: Ref<dyn Visitor> = within(node.lookup(child.receive())).await.unwrap();
    let monitor = Ref::monitor(&house);
    let call = tokio::spawn({
        let house = house.clone();
        async move { house.stay().await }
    });
    until("the call was sent", || only_session(&node).stats().calls_out == 1).await;
    child.kill();
    let error = within(call).await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::SessionLost { reason, .. } if reason.contains("process")));
    assert_eq!(error.outcome(), Outcome::Unknown);
    let ended = within(monitor).await;
    assert!(matches!(&ended, Ended::SessionEnded(reason) if reason.contains("process")), "{ended}");
    assert_eq!(within(house.stay()).await.unwrap_err().outcome(), Outcome::NotExecuted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_client_holds_nothing_any_more() {
    let node = Node::builder().listen(at(&socket())).lease(LONG).start().await.unwrap();
    node.publish("house", Ref::<dyn Visitor>::new(House)).await.unwrap();
    let mut child = Child::start("visitor", &[("HOUSE", &node.uri("house"))]);
    until("it is visited", || {
        node.sessions().first().is_some_and(|session| session.stats().calls_out == 1)
    })
    .await;
    child.kill();
    until("the session is gone", || node.sessions().is_empty()).await;
    assert_eq!(node.exports(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_process_that_relays_says_nothing_about_the_peer() {
    let (behind, front) = (socket(), socket());
    let mut child = Child::start("house", &[("LISTEN", &at(&behind))]);
    child.receive();
    let listener = UnixListener::bind(&front).unwrap();
    // This process relays; it does not end, and the process of the peer is not the one at the other end.
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let Ok(mut far) = UnixStream::connect(&behind).await else { continue };
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    let node = Node::builder().lease(Duration::from_secs(2)).start().await.unwrap();
    let uri = format!("{}/house", at(&front));
    let house: Ref<dyn Visitor> = within(node.lookup(&uri)).await.unwrap();
    let mut state = only_session(&node).watch();
    child.kill();
    within(state.wait_for(|state| *state == SessionState::Suspended)).await.unwrap();
    assert_eq!(within(house.stay()).await, Err(Error::LeaseExpired));
    std::fs::remove_file(&front).unwrap();
}
