//! Credit: without it nothing is accepted and nothing is read; and in the other direction, a sender waits for a peer
//! that does not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::support::until;

/// More than the system buffers between two sockets, at either side.
const SYSTEM: u64 = 16 << 20;

/// Waits until a growing number does not change any more.
pub(super) async fn stands_still(number: &AtomicU64) -> u64 {
    let (mut last, mut looked) = (0, 0);
    until("it stands still", || {
        let now = number.load(Ordering::SeqCst);
        looked = if now > 0 && now == last { looked + 1 } else { 0 };
        last = now;
        looked == 100
    })
    .await;
    last
}

#[tokio::test]
async fn a_connection_is_accepted_for_each_unit() {
    let (_gateway, sockets) = gateway().await;
    let (service, mut messages) = controller();
    let server = within(sockets.listen("127.0.0.1:0", Ref::new(service))).await.unwrap();
    let ControllerMessage::Ready(address) = messages.next().await else {
        panic!("it is ready first")
    };
    // The system accepts all three; the node accepts the first and the second, in their order.
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(within(TcpStream::connect(&address)).await.unwrap());
    }
    within(server.issue_credit(2)).await.unwrap();
    for client in &clients[..2] {
        let connection = messages.accepted().await;
        let peer = client.local_addr().unwrap().to_string();
        assert_eq!(within(connection.peer()).await.unwrap(), peer);
    }
    within(server.close()).await.unwrap();
    assert_eq!(messages.closed().await, None, "the third was not accepted before the end");
    // The system closes it without a message.
    let third = within(clients[2].read(&mut [0])).await;
    assert!(!matches!(third, Ok(1)), "{third:?}");
}

#[tokio::test]
async fn a_unit_is_read_for_each_unit_of_credit() {
    let mut line = Line::new().await;
    line.says("1\n2\n3\n4\n5\n").await;
    within(line.socket.issue_credit(1)).await.unwrap();
    assert_eq!(line.messages.line().await, "1");
    within(line.socket.issue_credit(2)).await.unwrap();
    assert_eq!(line.messages.line().await, "2");
    assert_eq!(line.messages.line().await, "3");
    within(line.socket.close()).await.unwrap();
    assert_eq!(line.messages.closed().await, None, "nothing more was sent before the end");
}

#[tokio::test]
async fn who_floods_waits() {
    let line = Line::new().await;
    let Line { socket, mut messages, mut peer, _gateway } = line;
    let written = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&written);
    let flood = tokio::spawn(async move {
        let text = "a line of a flood\n".repeat(1024);
        while peer.write_all(text.as_bytes()).await.is_ok() {
            counter.fetch_add(text.len() as u64, Ordering::SeqCst);
        }
    });
    let before = stands_still(&written).await;
    assert!(before < SYSTEM, "{before} bytes were taken without credit");
    for _ in 0..100 {
        within(socket.issue_credit(10)).await.unwrap();
        for _ in 0..10 {
            assert_eq!(messages.line().await, "a line of a flood");
        }
    }
    let after = stands_still(&written).await;
    assert!(after < SYSTEM, "{after} bytes were taken for a thousand lines");
    within(socket.close()).await.unwrap();
    assert_eq!(messages.closed().await, None);
    within(flood).await.unwrap();
}

#[tokio::test]
async fn a_sender_waits_for_a_peer_that_does_not_read() {
    let line = Line::new().await;
    let Line { socket, mut peer, _gateway, messages: _heard } = line;
    let sent = Arc::new(AtomicU64::new(0));
    let (counter, sender) = (Arc::clone(&sent), socket.clone());
    let sending = tokio::spawn(async move {
        let chunk = vec![7; 100_000];
        for _ in 0..500 {
            sender.send(&chunk).await.unwrap();
            counter.fetch_add(chunk.len() as u64, Ordering::SeqCst);
        }
        sender.end().await.unwrap();
    });
    let taken = stands_still(&sent).await;
    assert!(taken < SYSTEM, "{taken} bytes were taken, and nobody reads");
    let mut read = Vec::new();
    within(peer.read_to_end(&mut read)).await.unwrap();
    assert!(read.len() == 50_000_000 && read.iter().all(|byte| *byte == 7));
    within(sending).await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_cancelled_leaves_no_part_of_what_it_sends() {
    let mut line = Line::new().await;
    let chunk = "x".repeat(1 << 20) + "\n";
    // Until one waits for room, and times out: long after one for which there is room has ended.
    let limit = std::time::Duration::from_secs(5);
    let mut sent = 0;
    while line.socket.send(chunk.as_bytes()).timeout(limit).await.is_ok() {
        sent += 1;
        assert!(sent < 64, "nobody reads, and so much was taken");
    }
    let socket = line.socket.clone();
    let ending = tokio::spawn(async move {
        socket.send_line("the last").await.unwrap();
        socket.end().await.unwrap();
    });
    let rest = line.rest().await;
    assert!(rest == chunk.repeat(sent) + "the last\n", "{} bytes", rest.len());
    within(ending).await.unwrap();
}
