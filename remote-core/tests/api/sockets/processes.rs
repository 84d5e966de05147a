//! Tests between processes: a socket closes when the process of its controlling object is killed, and a flood does not
//! grow the memory of the process that has the socket.

use std::time::Duration;

use super::*;
use crate::support::child::{Child, report, setting};

/// A lease that ends soon, but not because the machine is busy.
const SHORT: Duration = Duration::from_secs(3);

/// Controls a socket of another process, and reports the lines that arrive, until it is killed.
#[tokio::main]
pub(crate) async fn control() {
    let sockets: Ref<dyn Sockets> = Node::new().lookup(setting("SOCKETS")).await.unwrap();
    let (controller, mut messages) = controller();
    let socket = sockets.connect(&setting("PEER"), Ref::new(controller)).await.unwrap();
    messages.connected().await;
    socket.issue_credit(10).await.unwrap();
    loop {
        report(&messages.line().await);
    }
}

/// Publishes the sockets of this process.
#[tokio::main]
pub(crate) async fn give_sockets() {
    let (gateway, _) = gateway().await;
    report(&gateway.uri("sockets"));
    gateway.closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_closes_when_the_process_of_its_controlling_object_is_killed() {
    let gateway = Node::builder()
        .listen("tcp://127.0.0.1:0")
        .sockets(Policy::loopback())
        .lease(SHORT)
        .start()
        .await
        .unwrap();
    gateway.publish("sockets", gateway.sockets()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let uri = gateway.uri("sockets");
    let mut child = Child::start("controller", &[("SOCKETS", &uri), ("PEER", &address)]);
    let (mut peer, _) = within(listener.accept()).await.unwrap();
    within(peer.write_all(b"to another process\n")).await.unwrap();
    assert_eq!(child.receive(), "to another process");
    child.kill();
    assert_eq!(within(peer.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_leaves_the_memory_of_the_process_as_it_is() {
    const FLOOD: usize = 256 << 20;
    // A few lines: the one that is read, the one that is sent, and those that wait for an acknowledgement.
    const GROWTH: u64 = 2 << 20;
    let child = Child::start("gateway", &[]);
    let sockets: Ref<dyn Sockets> = within(Node::new().lookup(child.receive())).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (controller, mut messages) = controller();
    let socket = within(sockets.connect(&address, Ref::new(controller))).await.unwrap();
    let (mut peer, _) = within(listener.accept()).await.unwrap();
    messages.connected().await;
    let before = child.allocated().now;
    let line = "x".repeat(64 << 10);
    let text = line.clone() + "\n";
    let flood = tokio::spawn(async move {
        for _ in 0..FLOOD / text.len() {
            peer.write_all(text.as_bytes()).await.unwrap();
        }
        peer
    });
    // All of it passes through, line by line. What exceeds the credit stays in the buffers of the system.
    for _ in 0..FLOOD / (line.len() + 1) {
        within(socket.issue_credit(1)).await.unwrap();
        assert!(messages.line().await == line);
    }
    let growth = child.allocated().peak.saturating_sub(before);
    println!("256 MiB passed in lines of 64 KiB; at most {} KiB more", growth >> 10);
    assert!(growth < GROWTH, "{growth} bytes more than {before}");
    drop(within(flood).await.unwrap());
    assert!(matches!(messages.next().await, ControllerMessage::Ended));
}
