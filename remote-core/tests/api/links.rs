//! Tests of links: an object is stopped when the one that it is linked to ends, in any way and on any node, with a
//! reason that names the first; but not after the link was dropped.

use std::time::Duration;

use crate::support::child::{Child, report};
use crate::support::relay::Relay;
use crate::support::{DropWitness, Pair, TIME_LIMIT, drop_witness, fresh_address, until, within};
use remote_core::{Ended, Error, Link, Node, Ref, Remote, Result, remote};

/// A lease that ends soon, but not because the machine is busy.
const SHORT: Duration = Duration::from_secs(3);

#[remote]
trait Part {
    async fn work(&self) -> Result<()>;
    /// Returns a new part.
    async fn make(&self) -> Result<Ref<dyn Part>>;
    async fn stop(&self, part: Ref<dyn Part>, reason: &str) -> Result<()>;
    async fn fail(&self) -> Result<()>;
}

#[derive(Remote, Default)]
#[remote(Part, stop_on_panic)]
struct Gear {
    #[allow(dead_code, reason = "it is there to be dropped")]
    witness: Option<DropWitness>,
}

#[remote]
impl Part for Gear {
    async fn work(&self) -> Result<()> {
        Ok(())
    }

    async fn make(&self) -> Result<Ref<dyn Part>> {
        Ok(gear())
    }

    async fn stop(&self, part: Ref<dyn Part>, reason: &str) -> Result<()> {
        Ref::stop(&part, reason)
    }

    async fn fail(&self) -> Result<()> {
        panic!("a tooth broke")
    }
}

fn gear() -> Ref<dyn Part> {
    Ref::new(Gear::default())
}

/// Waits until the part is stopped, and returns the reason.
async fn stopped(part: &Ref<dyn Part>) -> String {
    let Ended::Stopped(reason) = within(Ref::monitor(part)).await else {
        panic!("it was not stopped");
    };
    assert_eq!(within(part.work()).await, Err(Error::Ended(reason.clone())));
    reason
}

/// Returns the name of a part as in `Part #7 on 00f1..`, from the debug format of the reference.
fn number(part: &Ref<dyn Part>) -> String {
    let printed = format!("{part:?}");
    let number = printed.split('#').nth(1).unwrap().trim_end_matches(')');
    format!("Part #{number}")
}

#[tokio::test]
async fn an_object_is_stopped_when_the_other_is() {
    let (mine, other) = (gear(), gear());
    let link = Ref::link(&mine, &other).unwrap();
    let monitor = Ref::monitor(&mine);
    assert_eq!(within(mine.work()).await, Ok(()));
    Ref::stop(&other, "worn out").unwrap();
    // At once: both are near.
    let expected = format!("because of {}: worn out", number(&other));
    assert_eq!(mine.work().await, Err(Error::Ended(expected.clone())));
    assert_eq!(within(monitor).await, Ended::Stopped(expected));
    // Not in the other direction.
    let (mine, other) = (gear(), gear());
    let other_way = Ref::link(&mine, &other).unwrap();
    Ref::stop(&mine, "no matter").unwrap();
    assert_eq!(within(other.work()).await, Ok(()));
    drop((link, other_way));
}

#[tokio::test]
async fn it_is_stopped_when_a_far_object_ends_in_any_way() {
    let pair = Pair::new(gear()).await;
    // Stopped.
    let (mine, other) = (gear(), within(pair.far.make()).await.unwrap());
    let link = Ref::link(&mine, &other).unwrap();
    within(pair.far.stop(other.clone(), "worn out")).await.unwrap();
    assert_eq!(stopped(&mine).await, format!("because of {}: worn out", number(&other)));
    // By a panic.
    let (mine, other) = (gear(), within(pair.far.make()).await.unwrap());
    let panicking = Ref::link(&mine, &other).unwrap();
    let _ = within(other.fail()).await.unwrap_err();
    assert!(stopped(&mine).await.ends_with(": a method panicked: a tooth broke"));
    // Released: the last reference was dropped.
    let (mine, other) = (gear(), within(pair.far.make()).await.unwrap());
    let released = Ref::link(&mine, &other).unwrap();
    let expected = format!("because of {}: nobody refers to it any more", number(&other));
    drop(other);
    assert_eq!(stopped(&mine).await, expected);
    // Unknown: its session has ended.
    let (mine, other) = (gear(), within(pair.far.make()).await.unwrap());
    let ended = Ref::link(&mine, &other).unwrap();
    within(pair.server.shutdown(TIME_LIMIT)).await;
    let reason = stopped(&mine).await;
    assert!(reason.contains("the session with its node ended"), "{reason}");
    drop((link, panicking, released, ended));
}

#[tokio::test]
async fn it_is_stopped_when_the_lease_ends() {
    let server = Node::builder().listen("tcp://127.0.0.1:0").lease(SHORT).start().await.unwrap();
    server.publish("part", gear()).await.unwrap();
    let relay = Relay::start(server.uri("").trim_end_matches('/'), Duration::ZERO).await;
    let client = Node::builder().lease(SHORT).start().await.unwrap();
    let far: Ref<dyn Part> = within(client.lookup(relay.uri("part"))).await.unwrap();
    let mine = gear();
    let link = Ref::link(&mine, &far).unwrap();
    relay.refuse().await;
    relay.cut();
    let reason = stopped(&mine).await;
    assert!(reason.starts_with(&format!("because of {}: ", number(&far))), "{reason}");
    drop(link);
}

#[tokio::test]
async fn it_is_stopped_when_the_process_of_the_other_is_killed() {
    let mut child = Child::start("part server", &[]);
    let node = Node::builder().lease(SHORT).start().await.unwrap();
    let far: Ref<dyn Part> = within(node.lookup(child.receive())).await.unwrap();
    let mine = gear();
    let link = Ref::link(&mine, &far).unwrap();
    assert_eq!(within(mine.work()).await, Ok(()));
    child.kill();
    let reason = stopped(&mine).await;
    assert!(reason.starts_with(&format!("because of {}: ", number(&far))), "{reason}");
    drop(link);
}

/// Publishes a part, in a process of its own.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn serve() {
    let node = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    node.publish("part", gear()).await.unwrap();
    report(&node.uri("part"));
    node.closed().await;
}

#[tokio::test]
async fn a_chain_across_nodes_names_the_first_culprit() {
    let mut links: Vec<Link> = Vec::new();
    let first = gear();
    let mut parts = vec![first.clone()];
    let mut nodes = Vec::new();
    // On each node two objects that are linked to each other, and the first of them to the last of the node before.
    for _ in 0..4 {
        let node = Node::listen(fresh_address()).await.unwrap();
        node.publish("last", parts.last().unwrap().clone()).await.unwrap();
        let next = Node::new();
        let far: Ref<dyn Part> = within(next.lookup(node.uri("last"))).await.unwrap();
        let (one, two) = (gear(), gear());
        links.push(Ref::link(&one, &far).unwrap());
        links.push(Ref::link(&two, &one).unwrap());
        nodes.extend([node, next]);
        parts.extend([far, one, two]);
    }
    let culprit = number(&parts[1]);
    assert!(culprit.contains(&nodes[0].id().to_string()), "{culprit}");
    Ref::stop(&first, "worn out").unwrap();
    for part in &parts[2..] {
        assert_eq!(stopped(part).await, format!("because of {culprit}: worn out"));
    }
}

#[tokio::test]
async fn a_link_to_what_has_ended_stops_at_once() {
    let other = gear();
    let pair = Pair::new(other.clone()).await;
    Ref::stop(&other, "worn out").unwrap();
    let mine = gear();
    let link = Ref::link(&mine, &other).unwrap();
    assert!(matches!(mine.work().await, Err(Error::Ended(_))));
    let mine = gear();
    let far_link = Ref::link(&mine, &pair.far).unwrap();
    assert!(stopped(&mine).await.ends_with(": worn out"));
    // Also when the other object cannot be reached any more.
    within(pair.server.shutdown(TIME_LIMIT)).await;
    until("the session is over", || pair.client.sessions().is_empty()).await;
    let mine = gear();
    let late_link = Ref::link(&mine, &pair.far).unwrap();
    assert!(matches!(mine.work().await, Err(Error::Ended(_))));
    drop((link, far_link, late_link));
}

#[tokio::test]
async fn a_link_that_is_dropped_does_nothing() {
    let (mine, other) = (gear(), gear());
    let pair = Pair::new(other.clone()).await;
    drop(Ref::link(&mine, &other).unwrap());
    Ref::link(&mine, &other).unwrap().unlink();
    Ref::link(&mine, &pair.far).unwrap().unlink();
    let witness = gear();
    let link = Ref::link(&witness, &pair.far).unwrap();
    Ref::stop(&other, "worn out").unwrap();
    stopped(&witness).await;
    assert_eq!(within(mine.work()).await, Ok(()));
    drop(link);
}

#[tokio::test]
async fn circles_end() {
    // Both near.
    let (one, two) = (gear(), gear());
    let links = [
        Ref::link(&one, &two).unwrap(),
        Ref::link(&two, &one).unwrap(),
        Ref::link(&one, &one).unwrap(),
    ];
    Ref::stop(&one, "worn out").unwrap();
    assert_eq!(within(one.work()).await, Err(Error::Ended("worn out".into())));
    assert_eq!(stopped(&two).await, format!("because of {}: worn out", number(&one)));
    drop(links);
    // Between two nodes, each of which has one of them.
    let (here, there) = (gear(), gear());
    let (one, two) = (Pair::new(here.clone()).await, Pair::new(there.clone()).await);
    let links = [Ref::link(&there, &one.far).unwrap(), Ref::link(&here, &two.far).unwrap()];
    Ref::stop(&here, "worn out").unwrap();
    assert_eq!(stopped(&there).await, format!("because of {}: worn out", number(&one.far)));
    assert_eq!(within(here.work()).await, Err(Error::Ended("worn out".into())));
    drop(links);
}

#[tokio::test]
async fn a_chain_may_be_longer_than_the_stack_is_deep() {
    const LENGTH: usize = 100_000;
    let parts: Vec<_> = (0..LENGTH).map(|_| gear()).collect();
    let links: Vec<_> =
        parts.windows(2).map(|pair| Ref::link(&pair[1], &pair[0]).unwrap()).collect();
    Ref::stop(&parts[0], "worn out").unwrap();
    let expected = format!("because of {}: worn out", number(&parts[0]));
    assert_eq!(within(parts[LENGTH - 1].work()).await, Err(Error::Ended(expected)));
    drop(links);
}

#[tokio::test]
async fn only_a_near_object_is_stopped_by_a_link() {
    let pair = Pair::new(gear()).await;
    for mine in [pair.far.clone(), pair.far.make().pipelined()] {
        let Err(Error::Refused(reason)) = Ref::link(&mine, &gear()) else { panic!("it is far") };
        assert!(reason.contains("near"), "{reason}");
    }
}

#[tokio::test]
async fn a_link_keeps_nothing_alive() {
    let (witness, mut watch) = drop_witness();
    let (other_witness, mut other_watch) = drop_witness();
    let mine: Ref<dyn Part> = Ref::new(Gear { witness: Some(witness) });
    let other: Ref<dyn Part> = Ref::new(Gear { witness: Some(other_witness) });
    let link = Ref::link(&mine, &other).unwrap();
    drop(mine);
    watch.dropped().await;
    drop(other);
    other_watch.dropped().await;
    drop(link);
}

#[tokio::test]
async fn an_object_can_be_linked_to_a_promise() {
    let pair = Pair::new(gear()).await;
    let (mine, promised) = (gear(), pair.far.make().pipelined());
    let link = Ref::link(&mine, &promised).unwrap();
    let part = within(Ref::resolved(&promised)).await.unwrap();
    within(pair.far.stop(part, "worn out")).await.unwrap();
    assert_eq!(stopped(&mine).await, "because of a promised Part: worn out");
    drop(link);
}
