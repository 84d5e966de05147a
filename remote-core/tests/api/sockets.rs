//! Owns the promises about sockets that others use: permission, credit, work units, ends, and that what is sent arrives. The
//! other side of each connection is a plain socket of the system's.

mod credit;
mod ends;
mod permission;
#[cfg(target_os = "linux")]
pub(crate) mod processes;
mod units;

use std::sync::Mutex;

use crate::support::within;
use remote_core::socket::{
    Policy, ServerController, ServerSocket, Socket, SocketController, Sockets, WorkUnit,
};
use remote_core::{Error, Node, Ref, Remote, Result, remote};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a controlling object was told.
#[derive(Debug)]
enum Told {
    Connected(Ref<dyn Socket>),
    Data(WorkUnit),
    Ended,
    Closed(Option<Error>),
    Ready(String),
    Accepted(Ref<dyn Socket>),
    ServerClosed(Option<Error>),
}

/// A controlling object that passes on what it is told, and leaves a socket open whose peer has ended.
#[derive(Remote)]
#[remote(SocketController, ServerController)]
struct Ear {
    told: UnboundedSender<Told>,
    socket: Mutex<Option<Ref<dyn Socket>>>,
}

impl Ear {
    fn tell(&self, told: Told) -> Result<()> {
        let _ = self.told.send(told); // unless the test does not listen any more
        Ok(())
    }
}

#[remote]
impl SocketController for Ear {
    async fn connected(&self, socket: Ref<dyn Socket>) -> Result<()> {
        *self.socket.lock().unwrap() = Some(socket.clone());
        self.tell(Told::Connected(socket))
    }

    async fn data(&self, _: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
        self.tell(Told::Data(unit))
    }

    async fn ended(&self, _: Ref<dyn Socket>) -> Result<()> {
        self.tell(Told::Ended)
    }

    async fn closed(&self, _: Ref<dyn Socket>, failure: Option<Error>) -> Result<()> {
        self.tell(Told::Closed(failure))
    }
}

#[remote]
impl ServerController for Ear {
    async fn ready(&self, _: Ref<dyn ServerSocket>, address: &str) -> Result<()> {
        self.tell(Told::Ready(address.to_owned()))
    }

    async fn accepted(&self, _: Ref<dyn ServerSocket>, connection: Ref<dyn Socket>) -> Result<()> {
        self.tell(Told::Accepted(connection))
    }

    async fn closed(&self, _: Ref<dyn ServerSocket>, failure: Option<Error>) -> Result<()> {
        self.tell(Told::ServerClosed(failure))
    }
}

/// What an ear was told, in order.
struct Heard(UnboundedReceiver<Told>);

impl Heard {
    async fn next(&mut self) -> Told {
        within(self.0.recv()).await.expect("the ear lives")
    }

    /// The next is a line.
    async fn line(&mut self) -> String {
        match self.next().await {
            Told::Data(WorkUnit::Line(line)) => line,
            other => panic!("no line: {other:?}"),
        }
    }

    /// The next is a byte string.
    async fn bytes(&mut self) -> Vec<u8> {
        match self.next().await {
            Told::Data(WorkUnit::Bytes(bytes)) => bytes.to_vec(),
            other => panic!("no bytes: {other:?}"),
        }
    }

    async fn connected(&mut self) -> Ref<dyn Socket> {
        match self.next().await {
            Told::Connected(socket) => socket,
            other => panic!("not connected: {other:?}"),
        }
    }

    async fn accepted(&mut self) -> Ref<dyn Socket> {
        match self.next().await {
            Told::Accepted(connection) => connection,
            other => panic!("nothing was accepted: {other:?}"),
        }
    }

    /// The last is the end; how.
    async fn closed(&mut self) -> Option<Error> {
        match self.next().await {
            Told::Closed(failure) | Told::ServerClosed(failure) => failure,
            other => panic!("not closed: {other:?}"),
        }
    }
}

fn ear() -> (Ear, Heard) {
    let (told, heard) = unbounded_channel();
    (Ear { told, socket: Mutex::default() }, Heard(heard))
}

/// A node that lets others use its sockets within this machine, and how it looks from another node.
async fn gateway() -> (Node, Ref<dyn Sockets>) {
    let gateway = Node::builder()
        .listen("tcp://127.0.0.1:0")
        .sockets(Policy::loopback())
        .start()
        .await
        .unwrap();
    let far = from_afar(&gateway).await;
    (gateway, far)
}

async fn from_afar(gateway: &Node) -> Ref<dyn Sockets> {
    gateway.publish("sockets", gateway.sockets()).await.unwrap();
    within(Node::new().lookup(gateway.uri("sockets"))).await.unwrap()
}

/// A connection from a far node's socket to a plain one.
struct Line {
    socket: Ref<dyn Socket>,
    heard: Heard,
    peer: TcpStream,
    _gateway: Node,
}

impl Line {
    async fn new() -> Line {
        let (gateway, sockets) = gateway().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (ear, mut heard) = ear();
        let socket = within(sockets.connect(&address, Ref::new(ear))).await.unwrap();
        let (peer, _) = within(listener.accept()).await.unwrap();
        assert_eq!(heard.connected().await, socket);
        Line { socket, heard, peer, _gateway: gateway }
    }

    async fn says(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.peer.write_all(bytes.as_ref())).await.unwrap();
    }

    /// What the peer reads until the end.
    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        within(self.peer.read_to_string(&mut rest)).await.unwrap();
        rest
    }
}

#[tokio::test]
async fn a_far_node_serves_at_a_socket_of_this_one() {
    let (_gateway, sockets) = gateway().await;
    let (service, mut heard) = ear();
    let server = within(sockets.listen("127.0.0.1:0", Ref::new(service))).await.unwrap();
    assert!(!Ref::is_near(&server));
    let Told::Ready(address) = heard.next().await else { panic!("it is ready first") };
    assert_eq!(within(server.address()).await.unwrap(), address);
    within(server.issue_credit(1)).await.unwrap();

    let mut client = within(TcpStream::connect(&address)).await.unwrap();
    let connection = heard.accepted().await;
    assert_eq!(within(connection.address()).await.unwrap(), address);
    let own = client.local_addr().unwrap().to_string();
    assert_eq!(within(connection.peer()).await.unwrap(), own);

    let (session, mut lines) = ear();
    within(connection.controlled_by(Ref::new(session))).await.unwrap();
    assert_eq!(lines.connected().await, connection);
    within(connection.issue_credit(2)).await.unwrap();
    within(client.write_all(b"one\ntwo\n")).await.unwrap();
    assert_eq!((lines.line().await, lines.line().await), ("one".into(), "two".into()));
    within(connection.send_line("you said: one, two")).await.unwrap();
    within(connection.close()).await.unwrap();
    let mut told = String::new();
    within(client.read_to_string(&mut told)).await.unwrap();
    assert_eq!(told, "you said: one, two\n");
    assert_eq!(lines.closed().await, None);
}

#[tokio::test]
async fn a_near_program_uses_them_alike() {
    let node = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let (service, mut heard) = ear();
    let server = within(node.sockets().listen("127.0.0.1:0", Ref::new(service))).await.unwrap();
    within(server.issue_credit(1)).await.unwrap();
    let Told::Ready(address) = heard.next().await else { panic!("it is ready first") };

    let (client, mut replies) = ear();
    let socket = within(node.sockets().connect(&address, Ref::new(client))).await.unwrap();
    let connection = heard.accepted().await;
    let (session, mut lines) = ear();
    within(connection.controlled_by(Ref::new(session))).await.unwrap();
    within(socket.send_line("hello")).await.unwrap();
    within(connection.issue_credit(1)).await.unwrap();
    lines.connected().await;
    assert_eq!(lines.line().await, "hello");
    within(connection.send_line("yes?")).await.unwrap();
    within(socket.issue_credit(1)).await.unwrap();
    replies.connected().await;
    assert_eq!(replies.line().await, "yes?");
}
