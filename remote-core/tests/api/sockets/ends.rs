//! Owns the promise of ends: each side's, in good order or not, of the connection, of who controls it, of who refers to it, of
//! the node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use remote_core::Ended;

use super::credit::stands_still;
use super::*;

/// What the last event of a socket without a failure means for who calls it, and who watches.
const CLOSED: &str = "the socket was closed";

#[tokio::test]
async fn closing_writes_what_was_sent_and_tells_all() {
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
    assert_eq!(line.heard.closed().await, None);
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
    // Nobody reads: closing, it waits for a while.
    let closed = within(socket.close()).await;
    assert!(matches!(closed.unwrap_err().root(), Error::Io(_)));
    assert!(matches!(line.heard.closed().await, Some(Error::Io(_))));
    within(sending).await.unwrap();
}

#[tokio::test]
async fn an_end_of_the_peers_is_told_without_credit_and_it_may_still_read() {
    let mut line = Line::new().await;
    within(line.peer.shutdown()).await.unwrap();
    assert!(matches!(line.heard.next().await, Told::Ended));
    within(line.socket.send_line("you may still hear this")).await.unwrap();
    within(line.socket.end()).await.unwrap();
    assert_eq!(line.rest().await, "you may still hear this\n");
    assert_eq!(line.heard.closed().await, None, "both have ended");
}

#[tokio::test]
async fn what_stands_before_the_end_is_told_before_it() {
    let mut line = Line::new().await;
    line.says("one\ntwo\n").await;
    within(line.peer.shutdown()).await.unwrap();
    within(line.socket.issue_credit(1)).await.unwrap();
    assert_eq!(line.heard.line().await, "one");
    within(line.socket.issue_credit(1)).await.unwrap();
    assert_eq!(line.heard.line().await, "two");
    assert!(matches!(line.heard.next().await, Told::Ended));
}

#[tokio::test]
async fn ones_own_end_leaves_the_other_direction_open() {
    let mut line = Line::new().await;
    within(line.socket.send_line("that was all")).await.unwrap();
    within(line.socket.end()).await.unwrap();
    assert_eq!(line.rest().await, "that was all\n");
    let more = within(line.socket.send(b"more")).await.unwrap_err();
    assert!(matches!(more.root(), Error::Ended(_)), "{more:?}");
    within(line.socket.issue_credit(2)).await.unwrap();
    line.says("but I have something\n").await;
    assert_eq!(line.heard.line().await, "but I have something");
    within(line.peer.shutdown()).await.unwrap();
    assert!(matches!(line.heard.next().await, Told::Ended));
    assert_eq!(line.heard.closed().await, None);
}

#[tokio::test]
async fn an_end_within_a_line_is_none() {
    let mut line = Line::new().await;
    within(line.socket.issue_credit(1)).await.unwrap();
    line.says("half a li").await;
    within(line.peer.shutdown()).await.unwrap();
    let failure = line.heard.closed().await;
    assert_eq!(failure, Some(Error::Decode("an end within a work unit".into())));
}

#[tokio::test]
async fn a_connection_that_is_reset_is_a_failure() {
    let mut line = Line::new().await;
    line.peer.set_zero_linger().unwrap();
    drop(line.peer);
    let failure = line.heard.closed().await.unwrap();
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
    let mut told = String::new();
    within(peer.read_to_string(&mut told)).await.unwrap();
    assert_eq!(told, "onetwo");
    assert_eq!(within(Ref::monitor(&socket)).await, Ended::Stopped(CLOSED.into()));
}

#[tokio::test]
async fn it_closes_when_nobody_refers_to_it() {
    let (_gateway, sockets) = gateway().await;
    let (service, mut heard) = ear();
    let server = within(sockets.listen("127.0.0.1:0", Ref::new(service))).await.unwrap();
    let Told::Ready(address) = heard.next().await else { panic!("it is ready first") };
    within(server.issue_credit(1)).await.unwrap();
    let mut client = within(TcpStream::connect(&address)).await.unwrap();
    let connection = heard.accepted().await;
    within(connection.send_line("written all the same")).await.unwrap();
    drop(connection);
    let mut told = String::new();
    within(client.read_to_string(&mut told)).await.unwrap();
    assert_eq!(told, "written all the same\n");

    drop(server);
    // Then nobody listens there: the system gives the address to another.
    let listening = async {
        while TcpListener::bind(&address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    within(listening).await;
}

#[tokio::test]
async fn it_closes_when_its_controlling_object_is_stopped() {
    let node = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let (service, mut heard) = ear();
    let service: Ref<dyn ServerController> = Ref::new(service);
    let server = within(node.sockets().listen("127.0.0.1:0", service.clone())).await.unwrap();
    let Told::Ready(address) = heard.next().await else { panic!("it is ready first") };
    within(server.issue_credit(1)).await.unwrap();
    let mut client = within(TcpStream::connect(&address)).await.unwrap();
    let connection = heard.accepted().await;
    let (session, mut lines) = ear();
    let session: Ref<dyn SocketController> = Ref::new(session);
    within(connection.controlled_by(session.clone())).await.unwrap();
    lines.connected().await;

    Ref::stop(&service, "killed").unwrap();
    let Ended::Stopped(reason) = within(Ref::monitor(&server)).await else {
        panic!("it was stopped")
    };
    assert!(reason.contains("killed"), "{reason}");
    assert!(within(TcpStream::connect(&address)).await.is_err(), "nobody listens");

    // What it had accepted goes on, until its own controlling object is stopped.
    within(client.write_all(b"still here\n")).await.unwrap();
    within(connection.issue_credit(1)).await.unwrap();
    assert_eq!(lines.line().await, "still here");
    Ref::stop(&session, "killed as well").unwrap();
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn it_closes_when_the_node_of_its_controlling_object_is_gone() {
    let gateway = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let another = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    another.publish("ear", Ref::<dyn SocketController>::new(ear().0)).await.unwrap();
    let far: Ref<dyn SocketController> = within(gateway.lookup(another.uri("ear"))).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let socket = within(gateway.sockets().connect(&address, far)).await.unwrap();
    let (mut peer, _) = within(listener.accept()).await.unwrap();
    within(another.shutdown(Duration::from_secs(10))).await;
    // Although it is referred to here.
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
    let stopped: Ref<dyn SocketController> = Ref::new(ear().0);
    Ref::stop(&stopped, "before it began").unwrap();
    let socket = within(node.sockets().connect(&address, stopped)).await.unwrap();
    let Ended::Stopped(reason) = within(Ref::monitor(&socket)).await else {
        panic!("it was stopped")
    };
    assert!(reason.contains("before it began"), "{reason}");
}

#[tokio::test]
async fn who_controlled_it_before_does_not_matter() {
    let mut line = Line::new().await;
    let (another, mut heard) = ear();
    within(line.socket.controlled_by(Ref::new(another))).await.unwrap();
    assert_eq!(heard.connected().await, line.socket);
    within(line.socket.issue_credit(1)).await.unwrap();
    line.says("for the other one\n").await;
    assert_eq!(heard.line().await, "for the other one");
    within(line.socket.close()).await.unwrap();
    assert_eq!(heard.closed().await, None);
    // The first is let go, and is told nothing more.
    assert!(within(line.heard.0.recv()).await.is_none());
}

#[tokio::test]
async fn its_own_node_can_stop_it() {
    let node = Node::builder().sockets(Policy::loopback()).start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (ear, mut heard) = ear();
    let socket = within(node.sockets().connect(&address, Ref::new(ear))).await.unwrap();
    heard.connected().await;
    Ref::stop(&socket, "no more of this").unwrap();
    assert_eq!(heard.closed().await, Some(Error::Ended("no more of this".into())));
    let (mut peer, _) = within(listener.accept()).await.unwrap();
    assert_eq!(within(peer.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_node_that_is_shut_down_closes_its_sockets() {
    let (gateway, sockets) = gateway().await;
    let ((near, mut heard), (far, mut far_heard)) = (ear(), ear());
    let near = within(gateway.sockets().listen("127.0.0.1:0", Ref::new(near))).await.unwrap();
    let far = within(sockets.listen("127.0.0.1:0", Ref::new(far))).await.unwrap();
    let Told::Ready(address) = heard.next().await else { panic!("it is ready first") };
    let Told::Ready(far_address) = far_heard.next().await else { panic!("it is ready first") };
    within(near.issue_credit(1)).await.unwrap();
    let mut client = within(TcpStream::connect(&address)).await.unwrap();
    let _connection = heard.accepted().await;
    within(gateway.shutdown(Duration::from_secs(10))).await;

    assert_eq!(heard.closed().await, Some(Error::Ended("the node was shut down".into())));
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
    for address in [address, far_address] {
        assert!(TcpListener::bind(&address).await.is_ok(), "nobody listens there any more");
    }
    // Whose controlling object is elsewhere sees the session end.
    let ended = within(Ref::monitor(&far)).await;
    assert!(matches!(ended, Ended::SessionEnded(_)), "{ended:?}");
    let late = within(gateway.sockets().listen("127.0.0.1:0", Ref::new(ear().0))).await;
    assert!(matches!(late.unwrap_err().root(), Error::Ended(_)));
}
