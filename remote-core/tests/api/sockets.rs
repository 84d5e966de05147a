//! Tests of sockets that others use: permission, credit, work units, ends, and that all data arrives. The other side of
//! each connection is a plain socket.

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

/// A message to a controlling object.
#[derive(Debug)]
enum ControllerMessage {
    Connected(Ref<dyn Socket>),
    Data(WorkUnit),
    Ended,
    Closed(Option<Error>),
    Ready(String),
    Accepted(Ref<dyn Socket>),
    ServerClosed(Option<Error>),
}

/// A controlling object that passes its messages to the test, and keeps a socket open whose peer has ended.
#[derive(Remote)]
#[remote(SocketController, ServerController)]
struct Controller {
    sender: UnboundedSender<ControllerMessage>,
    socket: Mutex<Option<Ref<dyn Socket>>>,
}

impl Controller {
    fn send(&self, sender: ControllerMessage) -> Result<()> {
        let _ = self.sender.send(sender); // unless the test does not listen any more
        Ok(())
    }
}

#[remote]
impl SocketController for Controller {
    async fn connected(&self, socket: Ref<dyn Socket>) -> Result<()> {
        *self.socket.lock().unwrap() = Some(socket.clone());
        self.send(ControllerMessage::Connected(socket))
    }

    async fn data(&self, _: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
        self.send(ControllerMessage::Data(unit))
    }

    async fn ended(&self, _: Ref<dyn Socket>) -> Result<()> {
        self.send(ControllerMessage::Ended)
    }

    async fn closed(&self, _: Ref<dyn Socket>, failure: Option<Error>) -> Result<()> {
        self.send(ControllerMessage::Closed(failure))
    }
}

#[remote]
impl ServerController for Controller {
    async fn ready(&self, _: Ref<dyn ServerSocket>, address: &str) -> Result<()> {
        self.send(ControllerMessage::Ready(address.to_owned()))
    }

    async fn accepted(&self, _: Ref<dyn ServerSocket>, connection: Ref<dyn Socket>) -> Result<()> {
        self.send(ControllerMessage::Accepted(connection))
    }

    async fn closed(&self, _: Ref<dyn ServerSocket>, failure: Option<Error>) -> Result<()> {
        self.send(ControllerMessage::ServerClosed(failure))
    }
}

/// The messages to a controlling object, in order.
struct Messages(UnboundedReceiver<ControllerMessage>);

impl Messages {
    async fn next(&mut self) -> ControllerMessage {
        within(self.0.recv()).await.expect("the controller lives")
    }

    /// Returns the next message, which is a line.
    async fn line(&mut self) -> String {
        match self.next().await {
            ControllerMessage::Data(WorkUnit::Line(line)) => line,
            other => panic!("no line: {other:?}"),
        }
    }

    /// Returns the next message, which is a byte string.
    async fn bytes(&mut self) -> Vec<u8> {
        match self.next().await {
            ControllerMessage::Data(WorkUnit::Bytes(bytes)) => bytes.to_vec(),
            other => panic!("no bytes: {other:?}"),
        }
    }

    async fn connected(&mut self) -> Ref<dyn Socket> {
        match self.next().await {
            ControllerMessage::Connected(socket) => socket,
            other => panic!("not connected: {other:?}"),
        }
    }

    async fn accepted(&mut self) -> Ref<dyn Socket> {
        match self.next().await {
            ControllerMessage::Accepted(connection) => connection,
            other => panic!("nothing was accepted: {other:?}"),
        }
    }

    /// Returns the failure of the last message, which is the end.
    async fn closed(&mut self) -> Option<Error> {
        match self.next().await {
            ControllerMessage::Closed(failure) | ControllerMessage::ServerClosed(failure) => {
                failure
            }
            other => panic!("not closed: {other:?}"),
        }
    }
}

fn controller() -> (Controller, Messages) {
    let (sender, messages) = unbounded_channel();
    (Controller { sender, socket: Mutex::default() }, Messages(messages))
}

/// Returns a node that lets others use its sockets within this machine, and its sockets as another node refers to them.
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

/// A connection between the socket of a far node and a plain socket.
struct Line {
    socket: Ref<dyn Socket>,
    messages: Messages,
    peer: TcpStream,
    _gateway: Node,
}

impl Line {
    async fn new() -> Line {
        let (gateway, sockets) = gateway().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (controller, mut messages) = controller();
        let socket = within(sockets.connect(&address, Ref::new(controller))).await.unwrap();
        let (peer, _) = within(listener.accept()).await.unwrap();
        assert_eq!(messages.connected().await, socket);
        Line { socket, messages, peer, _gateway: gateway }
    }

    async fn says(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.peer.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Returns what the peer reads until the end.
    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        within(self.peer.read_to_string(&mut rest)).await.unwrap();
        rest
    }
}

#[tokio::test]
async fn a_far_node_serves_at_a_socket_of_this_one() {
    let (_gateway, sockets) = gateway().await;
    let (service, mut messages) = controller();
    let server = within(sockets.listen("127.0.0.1:0", Ref::new(service))).await.unwrap();
    assert!(!Ref::is_near(&server));
    let ControllerMessage::Ready(address) = messages.next().await else {
        panic!("it is ready first")
    };
    assert_eq!(within(server.address()).await.unwrap(), address);
    within(server.issue_credit(1)).await.unwrap();

    let mut client = within(TcpStream::connect(&address)).await.unwrap();
    let connection = messages.accepted().await;
    assert_eq!(within(connection.address()).await.unwrap(), address);
    let own = client.local_addr().unwrap().to_string();
    assert_eq!(within(connection.peer()).await.unwrap(), own);

    let (session, mut lines) = controller();
    within(connection.controlled_by(Ref::new(session))).await.unwrap();
    assert_eq!(lines.connected().await, connection);
    within(connection.issue_credit(2)).await.unwrap();
    within(client.write_all(b"one\ntwo\n")).await.unwrap();
    assert_eq!((lines.line().await, lines.line().await), ("one".into(), "two".into()));
    within(connection.send_line("you said: one, two")).await.unwrap();
    within(connection.close()).await.unwrap();
    let mut text = String::new();
    within(client.read_to_string(&mut text)).await.unwrap();
    assert_eq!(text, "you said: one, two\n");
    assert_eq!(lines.closed().await, None);
}

#[tokio::test]
async fn a_near_program_uses_them_alike() {
    let node = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let (service, mut messages) = controller();
    let server = within(node.sockets().listen("127.0.0.1:0", Ref::new(service))).await.unwrap();
    within(server.issue_credit(1)).await.unwrap();
    let ControllerMessage::Ready(address) = messages.next().await else {
        panic!("it is ready first")
    };

    let (client, mut replies) = controller();
    let socket = within(node.sockets().connect(&address, Ref::new(client))).await.unwrap();
    let connection = messages.accepted().await;
    let (session, mut lines) = controller();
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
