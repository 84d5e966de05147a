//! The ends of a socket: of each side, in order or not; of the connection, of its controlling object, of its
//! references, and of its node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use remote_core::Ended;

use super::credit::stands_still;
use super::*;

/// The reason in errors and monitors after a socket has ended without a failure.
const CLOSED: &str = "the socket was closed";

/// Waits until nobody listens at an address: the child process of another test may hold the listener, until it is executed.
async fn free(address: &str) {
    while TcpListener::bind(address).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn closing_writes_pending_output_and_notifies_everyone() {
    let mut line = Line::new().await;
    let monitor = Ref::monitor(&line.socket);
    let text = "x".repeat(3 << 20);
    let socket = line.socket.clone();
    let closing = tokio::spawn(async move {
        socket.send(text.as_bytes()).await.unwrap();
        socket.close().await.unwrap();
    });
    assert_eq!(line.rest().await.len(), 3 << 20);
    within(closing).await.unwrap();
    assert_eq!(line.messages.closed().await, None);
    assert_eq!(within(monitor).await, Ended::Stopped(CLOSED.into()));
    let ended = Err(Error::Ended(CLOSED.into()));
    assert_eq!(within(line.socket.send(b"more")).await, ended);
    assert_eq!(within(line.socket.close()).await, ended);
}

#[tokio::test]
async fn a_peer_that_does_not_read_the_last_words_is_not_waited_for() {
    let mut line = Line::new().await;
    let sent = Arc::new(AtomicU64::new(0));
    let (counter, sender) = (Arc::clone(&sent), line.socket.clone());
    let sending = tokio::spawn(async move {
        while sender.send(&[b'x'; 50_000]).await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    stands_still(&sent).await;
    let socket = line.socket.clone();
    // Nobody reads: the close waits for some time.
    let closed = within(socket.close()).await;
    assert!(matches!(closed.unwrap_err().root(), Error::Io(_)));
    assert!(matches!(line.messages.closed().await, Some(Error::Io(_))));
    within(sending).await.unwrap();
}

#[tokio::test]
async fn the_peers_end_is_reported_without_credit_and_reading_continues() {
    let mut line = Line::new().await;
    within(line.peer.shutdown()).await.unwrap();
    assert!(matches!(line.messages.next().await, ControllerMessage::Ended));
    within(line.socket.send_line("you may still hear this")).await.unwrap();
    within(line.socket.end()).await.unwrap();
    assert_eq!(line.rest().await, "you may still hear this\n");
    assert_eq!(line.messages.closed().await, None, "both have ended");
}

#[tokio::test]
async fn input_before_the_end_is_reported_before_it() {
    let mut line = Line::new().await;
    line.says("one\ntwo\n").await;
    within(line.peer.shutdown()).await.unwrap();
    within(line.socket.issue_credit(1)).await.unwrap();
    assert_eq!(line.messages.line().await, "one");
    within(line.socket.issue_credit(1)).await.unwrap();
    assert_eq!(line.messages.line().await, "two");
    assert!(matches!(line.messages.next().await, ControllerMessage::Ended));
}

#[tokio::test]
async fn closing_one_direction_leaves_the_other_open() {
    let mut line = Line::new().await;
    within(line.socket.send_line("that was all")).await.unwrap();
    within(line.socket.end()).await.unwrap();
    assert_eq!(line.rest().await, "that was all\n");
    let more = within(line.socket.send(b"more")).await.unwrap_err();
    assert!(matches!(more.root(), Error::Ended(_)), "{more:?}");
    within(line.socket.issue_credit(2)).await.unwrap();
    line.says("but I have something\n").await;
    assert_eq!(line.messages.line().await, "but I have something");
    within(line.peer.shutdown()).await.unwrap();
    assert!(matches!(line.messages.next().await, ControllerMessage::Ended));
    assert_eq!(line.messages.closed().await, None);
}

#[tokio::test]
async fn an_end_within_a_line_is_none() {
    let mut line = Line::new().await;
    within(line.socket.issue_credit(1)).await.unwrap();
    line.says("half a li").await;
    within(line.peer.shutdown()).await.unwrap();
    let failure = line.messages.closed().await;
    assert_eq!(failure, Some(Error::Decode("an end within a work unit".into())));
}

#[tokio::test]
async fn a_connection_that_is_reset_is_a_failure() {
    let mut line = Line::new().await;
    line.peer.set_zero_linger().unwrap();
    drop(line.peer);
    let failure = line.messages.closed().await.unwrap();
    assert!(matches!(failure, Error::Io(_)), "{failure:?}");
}

#[tokio::test]
async fn unless_the_class_says_otherwise_an_end_closes() {
    let (_gateway, sockets) = gateway().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    #[derive(Remote)]
    #[remote(SocketController)]
    struct Plain;
    #[remote]
    impl SocketController for Plain {
        async fn data(&self, socket: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
            socket.send(unit.as_bytes()).await
        }
    }
    let socket = within(sockets.connect(&address, Ref::new(Plain))).await.unwrap();
    within(socket.issue_credit(10)).await.unwrap();
    let (mut peer, _) = within(listener.accept()).await.unwrap();
    within(peer.write_all(b"one\ntwo\n")).await.unwrap();
    within(peer.shutdown()).await.unwrap();
    let mut text = String::new();
    within(peer.read_to_string(&mut text)).await.unwrap();
    assert_eq!(text, "onetwo");
    assert_eq!(within(Ref::monitor(&socket)).await, Ended::Stopped(CLOSED.into()));
}

#[tokio::test]
async fn it_closes_with_its_last_reference() {
    let (_gateway, sockets) = gateway().await;
    let (service, mut messages) = controller();
    let server = within(sockets.listen("127.0.0.1:0", Ref::new(service))).await.unwrap();
    let ControllerMessage::Ready(address) = messages.next().await else {
        panic!("it is ready first")
    };
    within(server.issue_credit(1)).await.unwrap();
    let mut client = within(TcpStream::connect(&address)).await.unwrap();
    let connection = messages.accepted().await;
    within(connection.send_line("written all the same")).await.unwrap();
    drop(connection);
    let mut text = String::new();
    within(client.read_to_string(&mut text)).await.unwrap();
    assert_eq!(text, "written all the same\n");

    drop(server);
    // Then nobody listens there: the system assigns the address to another.
    let listening = free(&address);
    within(listening).await;
}

#[tokio::test]
async fn it_closes_when_its_controlling_object_is_stopped() {
    let node = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let (service, mut messages) = controller();
    let service: Ref<dyn ServerController> = Ref::new(service);
    let server = within(node.sockets().listen("127.0.0.1:0", service.clone())).await.unwrap();
    let ControllerMessage::Ready(address) = messages.next().await else {
        panic!("it is ready first")
    };
    within(server.issue_credit(1)).await.unwrap();
    let mut client = within(TcpStream::connect(&address)).await.unwrap();
    let connection = messages.accepted().await;
    let (session, mut lines) = controller();
    let session: Ref<dyn SocketController> = Ref::new(session);
    within(connection.controlled_by(session.clone())).await.unwrap();
    lines.connected().await;

    Ref::stop(&service, "killed").unwrap();
    let Ended::Stopped(reason) = within(Ref::monitor(&server)).await else {
        panic!("it was stopped")
    };
    assert!(reason.contains("killed"), "{reason}");
    assert!(within(TcpStream::connect(&address)).await.is_err(), "nobody listens");

    // Connections that it had accepted go on, until their own controlling object is stopped.
    within(client.write_all(b"still here\n")).await.unwrap();
    within(connection.issue_credit(1)).await.unwrap();
    assert_eq!(lines.line().await, "still here");
    Ref::stop(&session, "killed as well").unwrap();
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn it_closes_when_its_controllers_node_is_lost() {
    let gateway = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let another = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    another.publish("controller", Ref::<dyn SocketController>::new(controller().0)).await.unwrap();
    let far: Ref<dyn SocketController> =
        within(gateway.lookup(another.uri("controller"))).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let socket = within(gateway.sockets().connect(&address, far)).await.unwrap();
    let (mut peer, _) = within(listener.accept()).await.unwrap();
    within(another.shutdown(Duration::from_secs(10))).await;
    // Although there are references to it here.
    assert_eq!(within(peer.read(&mut [0])).await.unwrap(), 0);
    let Ended::Stopped(reason) = within(Ref::monitor(&socket)).await else {
        panic!("it was stopped")
    };
    assert!(reason.contains("its controlling object is gone"), "{reason}");
}

#[tokio::test]
async fn it_closes_if_its_controlling_object_was_stopped_before() {
    let node = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let stopped: Ref<dyn SocketController> = Ref::new(controller().0);
    Ref::stop(&stopped, "before it began").unwrap();
    let socket = within(node.sockets().connect(&address, stopped)).await.unwrap();
    let Ended::Stopped(reason) = within(Ref::monitor(&socket)).await else {
        panic!("it was stopped")
    };
    assert!(reason.contains("before it began"), "{reason}");
}

#[tokio::test]
async fn a_replaced_controller_has_no_effect() {
    let mut line = Line::new().await;
    let (another, mut messages) = controller();
    within(line.socket.controlled_by(Ref::new(another))).await.unwrap();
    assert_eq!(messages.connected().await, line.socket);
    within(line.socket.issue_credit(1)).await.unwrap();
    line.says("for the other one\n").await;
    assert_eq!(messages.line().await, "for the other one");
    within(line.socket.close()).await.unwrap();
    assert_eq!(messages.closed().await, None);
    // The first is dropped, and gets no more messages.
    assert!(within(line.messages.0.recv()).await.is_none());
}

#[tokio::test]
async fn its_own_node_can_stop_it() {
    let node = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (controller, mut messages) = controller();
    let socket = within(node.sockets().connect(&address, Ref::new(controller))).await.unwrap();
    messages.connected().await;
    Ref::stop(&socket, "no more of this").unwrap();
    assert_eq!(messages.closed().await, Some(Error::Ended("no more of this".into())));
    let (mut peer, _) = within(listener.accept()).await.unwrap();
    assert_eq!(within(peer.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_node_that_is_shut_down_closes_its_sockets() {
    let (gateway, sockets) = gateway().await;
    let ((near, mut messages), (far, mut far_heard)) = (controller(), controller());
    let near = within(gateway.sockets().listen("127.0.0.1:0", Ref::new(near))).await.unwrap();
    let far = within(sockets.listen("127.0.0.1:0", Ref::new(far))).await.unwrap();
    let ControllerMessage::Ready(address) = messages.next().await else {
        panic!("it is ready first")
    };
    let ControllerMessage::Ready(far_address) = far_heard.next().await else {
        panic!("it is ready first")
    };
    within(near.issue_credit(1)).await.unwrap();
    let mut client = within(TcpStream::connect(&address)).await.unwrap();
    let _connection = messages.accepted().await;
    within(gateway.shutdown(Duration::from_secs(10))).await;

    assert_eq!(messages.closed().await, Some(Error::Ended("the node was shut down".into())));
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
    for address in [address, far_address] {
        within(free(&address)).await;
    }
    // A node whose controlling object is elsewhere sees the end of the session.
    let ended = within(Ref::monitor(&far)).await;
    assert!(matches!(ended, Ended::SessionEnded(_)), "{ended:?}");
    let late = within(gateway.sockets().listen("127.0.0.1:0", Ref::new(controller().0))).await;
    assert!(matches!(late.unwrap_err().root(), Error::Ended(_)));
}
