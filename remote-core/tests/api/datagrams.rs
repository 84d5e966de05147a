//! Tests of `udp://`: one-way messages to published names, each in one datagram; what is refused, what is lost, and
//! that any bytes may arrive.

mod ends;
mod forgeries;
mod network;
mod refusals;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::support::child::report;
use crate::support::{DropWatch, DropWitness, Pair, TIME_LIMIT, drop_witness, until, within};
use remote_core::{Limits, Node, Ref, Remote, Result, Stream, caller, remote};
use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;
use tokio::sync::{Semaphore, watch};

/// A value of any depth.
#[derive(Serialize, Deserialize)]
struct Nest(Option<Box<Nest>>);

#[remote]
trait Log {
    async fn note(&self, number: u64) -> Result<()>;
    /// Notes the number when the gate permits it.
    async fn note_later(&self, number: u64) -> Result<()>;
    async fn bytes(&self, bytes: &[u8]) -> Result<()>;
    async fn nest(&self, nest: Nest) -> Result<()>;
    async fn greet(&self) -> Result<()>;
    async fn panic(&self) -> Result<()>;
    /// Notes the number, and blocks its thread until the test releases it.
    async fn block(&self, number: u64) -> Result<()>;
    async fn refer(&self, other: Ref<dyn Log>) -> Result<()>;
    async fn pour(&self, numbers: Stream<u64>) -> Result<()>;
    /// Notes the number, and sends the next one to the reference that it has.
    async fn count(&self, number: u64) -> Result<()>;
    async fn numbers(&self) -> Result<Vec<u64>>;
}

#[remote]
trait Shelf {
    async fn log(&self) -> Result<Ref<dyn Log>>;
}

#[derive(Remote)]
#[remote(Shelf)]
struct Plank(Ref<dyn Log>);

#[remote]
impl Shelf for Plank {
    async fn log(&self) -> Result<Ref<dyn Log>> {
        Ok(self.0.clone())
    }
}

struct Book {
    numbers: watch::Sender<Vec<u64>>,
    /// Each permit lets one method pass.
    gate: Semaphore,
    /// The methods that wait there, or waited until they were dropped.
    waiting: Mutex<Vec<DropWatch>>,
    callers: Mutex<Vec<remote_core::Peer>>,
    next: Mutex<Option<Ref<dyn Log>>>,
    go_on: (mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>),
}

#[derive(Remote, Clone)]
#[remote(Log)]
struct Keeper(Arc<Book>);

#[remote]
impl Log for Keeper {
    async fn note(&self, number: u64) -> Result<()> {
        self.0.numbers.send_modify(|numbers| numbers.push(number));
        Ok(())
    }

    async fn note_later(&self, number: u64) -> Result<()> {
        let (witness, watch): (DropWitness, DropWatch) = drop_witness();
        self.0.waiting.lock().unwrap().push(watch);
        let _passed = self.0.gate.acquire().await.map(|permit| permit.forget());
        drop(witness);
        self.note(number).await
    }

    async fn bytes(&self, bytes: &[u8]) -> Result<()> {
        self.note(bytes.len() as u64).await
    }

    async fn nest(&self, _nest: Nest) -> Result<()> {
        self.note(0).await
    }

    async fn greet(&self) -> Result<()> {
        self.0.callers.lock().unwrap().push(caller());
        self.note(0).await
    }

    async fn panic(&self) -> Result<()> {
        panic!("as the test requested")
    }

    async fn block(&self, number: u64) -> Result<()> {
        self.note(number).await?;
        self.0.go_on.1.lock().unwrap().recv_timeout(2 * TIME_LIMIT).expect("the test goes on");
        Ok(())
    }

    async fn refer(&self, _other: Ref<dyn Log>) -> Result<()> {
        self.note(0).await
    }

    async fn pour(&self, _numbers: Stream<u64>) -> Result<()> {
        self.note(0).await
    }

    async fn count(&self, number: u64) -> Result<()> {
        self.note(number).await?;
        let next = self.0.next.lock().unwrap().clone();
        match next {
            Some(next) => next.count(number + 1).oneway().await,
            None => Ok(()),
        }
    }

    async fn numbers(&self) -> Result<Vec<u64>> {
        Ok(self.0.numbers.borrow().clone())
    }
}

impl Keeper {
    fn new() -> Keeper {
        let (go_on, goes_on) = mpsc::channel();
        Keeper(Arc::new(Book {
            numbers: watch::Sender::default(),
            gate: Semaphore::new(0),
            waiting: Mutex::default(),
            callers: Mutex::default(),
            next: Mutex::default(),
            go_on: (go_on, Mutex::new(goes_on)),
        }))
    }

    /// Returns the noted numbers, once this one is among them.
    async fn numbers_until(&self, last: u64) -> Vec<u64> {
        let mut numbers = self.0.numbers.subscribe();
        within(numbers.wait_for(|numbers| numbers.contains(&last))).await.unwrap().clone()
    }

    fn waiting(&self) -> Vec<DropWatch> {
        self.0.waiting.lock().unwrap().clone()
    }
}

/// A node that receives datagrams, the object that it publishes as `log`, and a reference to that by its address.
struct Scene {
    server: Node,
    keeper: Keeper,
    client: Node,
    log: Ref<dyn Log>,
}

impl Scene {
    async fn new() -> Scene {
        Scene::limited(Limits::default(), Limits::default()).await
    }

    async fn limited(server: Limits, client: Limits) -> Scene {
        let server =
            Node::builder().listen("udp://127.0.0.1:0").limits(server).start().await.unwrap();
        let client = Node::builder().limits(client).start().await.unwrap();
        let keeper = Keeper::new();
        server.publish("log", Ref::<dyn Log>::new(keeper.clone())).await.unwrap();
        let log = client.lookup(server.uri("log")).await.unwrap();
        Scene { server, keeper, client, log }
    }

    fn address(&self) -> String {
        let uri = self.server.uri("log");
        uri.strip_prefix("udp://").unwrap().split('/').next().unwrap().to_owned()
    }

    /// Waits until everything that was sent before has been received: one socket keeps the order.
    async fn settle(&self, number: u64) -> Vec<u64> {
        self.log.note(number).oneway().await.unwrap();
        self.keeper.numbers_until(number).await
    }
}

/// Returns a socket in place of a node, and a reference to an object at its address.
async fn nobody(client: &Node) -> (UdpSocket, Ref<dyn Log>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("udp://{}/log", socket.local_addr().unwrap());
    (socket, client.lookup(uri).await.unwrap())
}

/// Returns the next datagram that arrives at the socket.
async fn received(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = within(socket.recv(&mut buffer)).await.unwrap();
    buffer.truncate(length);
    buffer
}

/// Runs the server of `network`, in a process of its own.
#[tokio::main]
pub(crate) async fn serve() {
    let node =
        Node::builder().listen("tcp://127.0.0.1:0").listen("udp://127.0.0.1:0").start().await;
    let node = node.unwrap();
    node.publish("log", Ref::<dyn Log>::new(Keeper::new())).await.unwrap();
    node.uris("log").iter().for_each(|uri| report(uri));
    node.closed().await;
}

#[tokio::test]
async fn a_datagram_executes_its_method_and_names_its_sender() {
    let scene = Scene::new().await;
    scene.log.note(7).oneway().await.unwrap();
    scene.log.greet().oneway().await.unwrap();
    assert_eq!(scene.keeper.numbers_until(0).await, [7, 0]);
    let caller = scene.keeper.0.callers.lock().unwrap()[0].clone();
    assert_eq!(caller.id(), scene.client.id());
    assert!(caller.address().starts_with("udp://"), "{caller:?}");
    assert!(scene.client.sessions().is_empty() && scene.server.sessions().is_empty());
    assert_eq!(scene.server.exports(), 0);
}

#[tokio::test]
async fn messages_of_one_sender_start_in_their_order_as_long_as_the_network_keeps_it() {
    let scene = Scene::new().await;
    for round in 1..=20 {
        for number in round * 100..round * 100 + 50 {
            scene.log.note(number).oneway().await.unwrap();
        }
        // Before the buffer of the socket is full.
        scene.settle(round * 100 + 50).await;
    }
    let noted = scene.keeper.0.numbers.borrow().clone();
    assert_eq!(noted, (1..=20).flat_map(|r| r * 100..=r * 100 + 50).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_node_listens_for_both_and_says_where() {
    let node = Node::builder().listen("tcp://127.0.0.1:0").listen("udp://[::1]:0").start().await;
    let node = node.unwrap();
    let keeper = Keeper::new();
    node.publish("log", Ref::<dyn Log>::new(keeper.clone())).await.unwrap();
    let uris = node.uris("log");
    assert_eq!(uris[0], node.uri("log"));
    assert!(uris[0].starts_with("tcp://127.0.0.1:") && uris[0].ends_with("/log"), "{uris:?}");
    assert!(uris[1].starts_with("udp://[::1]:") && uris[1].ends_with("/log"), "{uris:?}");

    let client = Node::new();
    let asked: Ref<dyn Log> = client.lookup(&uris[0]).await.unwrap();
    let log: Ref<dyn Log> = client.lookup(&uris[1]).await.unwrap();
    log.note(1).oneway().await.unwrap();
    keeper.numbers_until(1).await;
    assert_eq!(asked.numbers().await, Ok(vec![1]));
    assert_eq!(Node::new().uris("log"), Vec::<String>::new());
}

#[tokio::test]
async fn a_deadline_travels_along() {
    let scene = Scene::new().await;
    scene.log.note_later(1).timeout(Duration::from_secs(2)).oneway().await.unwrap();
    until("it waits", || !scene.keeper.waiting().is_empty()).await;
    // The gate stays closed: the deadline ends the method.
    scene.keeper.waiting()[0].dropped().await;
    assert_eq!(scene.settle(2).await, [2]);
}

#[test]
fn no_runtime_is_needed_to_send() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(Scene::new());
    scene.log.note(1).oneway().wait().unwrap();
    runtime.block_on(scene.keeper.numbers_until(1));
}

#[tokio::test]
async fn a_circle_of_messages_ends() {
    let limits = Limits { nesting: 5, ..Limits::default() };
    let scene = Scene::limited(limits.clone(), limits).await;
    // The object sends the next number to itself, by its own address.
    let itself: Ref<dyn Log> = scene.server.lookup(scene.server.uri("log")).await.unwrap();
    *scene.keeper.0.next.lock().unwrap() = Some(itself);
    scene.log.count(1).oneway().await.unwrap();
    scene.keeper.numbers_until(5).await;
    assert_eq!(scene.settle(100).await, [1, 2, 3, 4, 5, 100]);
}

#[tokio::test]
async fn datagrams_through_a_passed_reference_are_forwarded() {
    let scene = Scene::new().await;
    let Pair { far: shelf, .. } = Pair::new(Ref::<dyn Shelf>::new(Plank(scene.log.clone()))).await;
    let log = shelf.log().await.unwrap();
    log.note(1).oneway().await.unwrap();
    assert_eq!(scene.keeper.numbers_until(1).await, [1]);
    let refused = log.numbers().await.unwrap_err();
    assert!(refused.to_string().contains("oneway"), "{refused}");
}

#[tokio::test]
async fn a_published_far_object_receives_datagrams() {
    let keeper = Keeper::new();
    let Pair { far, .. } = Pair::new(Ref::<dyn Log>::new(keeper.clone())).await;
    let between = Node::listen("udp://127.0.0.1:0").await.unwrap();
    between.publish("log", far).await.unwrap();
    let log: Ref<dyn Log> = Node::new().lookup(between.uri("log")).await.unwrap();
    log.note(1).oneway().await.unwrap();
    assert_eq!(keeper.numbers_until(1).await, [1]);
}
