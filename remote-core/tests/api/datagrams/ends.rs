//! The bound on methods that datagrams start, and their end: by a panic, a shutdown, or when the last handle of the
//! node is dropped.

use std::net::UdpSocket;
use std::time::Duration;

use remote_core::{Error, Limits, Node, Ref};

use crate::datagrams::{Log, Scene};
use crate::support::{until, within};

#[tokio::test]
async fn datagrams_beyond_the_bound_of_running_methods_are_lost() {
    let limits = Limits { datagram_calls: 2, ..Limits::default() };
    let scene = Scene::limited(limits, Limits::default()).await;
    for number in 1..=5 {
        scene.log.note_later(number).oneway().await.unwrap();
    }
    until("two wait", || scene.keeper.waiting().len() == 2).await;
    scene.keeper.0.gate.add_permits(100);
    scene.keeper.numbers_until(2).await;
    // From now on there is room. Nobody reports when the node knows it, so that the test tries.
    let mut numbers = scene.keeper.0.numbers.subscribe();
    for number in 6.. {
        scene.log.note(number).oneway().await.unwrap();
        let noted = numbers.wait_for(|numbers| numbers.iter().any(|number| *number >= 6));
        if tokio::time::timeout(Duration::from_millis(10), noted).await.is_ok() {
            break;
        }
    }
    let noted = numbers.borrow().clone();
    let mut early: Vec<u64> = noted.into_iter().filter(|number| *number < 6).collect();
    early.sort_unstable();
    assert_eq!(early, [1, 2], "3, 4 and 5 came when two were in progress");
}

#[tokio::test]
async fn a_panic_ends_its_method_and_nothing_else() {
    let scene = Scene::new().await;
    scene.log.panic().oneway().await.unwrap();
    assert_eq!(scene.settle(1).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_blocks_its_thread_holds_up_none_that_has_begun() {
    let scene = Scene::new().await;
    let release = || scene.keeper.0.go_on.0.send(()).unwrap();
    scene.log.block(1).oneway().await.unwrap();
    scene.keeper.numbers_until(1).await;
    // Both have arrived when the first continues: so one is begun, and then the other blocks.
    scene.log.note_later(2).oneway().await.unwrap();
    scene.log.block(3).oneway().await.unwrap();
    release();
    scene.keeper.numbers_until(3).await;
    scene.keeper.0.gate.add_permits(1);
    assert_eq!(scene.keeper.numbers_until(2).await, [1, 3, 2]);
    release();
    assert_eq!(scene.settle(4).await, [1, 3, 2, 4]);
}

#[tokio::test]
async fn a_shutdown_takes_no_more_and_lets_methods_end() {
    let scene = Scene::new().await;
    let address = scene.address();
    scene.log.note_later(1).oneway().await.unwrap();
    until("it waits", || scene.keeper.waiting().len() == 1).await;
    let server = scene.server.clone();
    let shutdown = tokio::spawn(async move { server.shutdown(Duration::from_secs(60)).await });
    // The port is free before the method has ended.
    until("the port is free", || UdpSocket::bind(&address).is_ok()).await;
    assert!(!shutdown.is_finished() && !scene.keeper.waiting()[0].is_dropped());
    scene.keeper.0.gate.add_permits(1);
    within(shutdown).await.unwrap();
    assert_eq!(*scene.keeper.0.numbers.borrow(), [1]);
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let scene = Scene::new().await;
    scene.log.note_later(1).oneway().await.unwrap();
    until("it waits", || scene.keeper.waiting().len() == 1).await;
    within(scene.server.shutdown(Duration::from_millis(10))).await;
    scene.keeper.waiting()[0].dropped().await;
    assert!(scene.keeper.0.numbers.borrow().is_empty());
}

#[tokio::test]
async fn dropping_the_last_handle_frees_the_address_and_lets_methods_end() {
    let Scene { server, keeper, log, client } = Scene::new().await;
    let uri = server.uri("log");
    let address = uri.strip_prefix("udp://").unwrap().strip_suffix("/log").unwrap();
    log.note_later(1).oneway().await.unwrap();
    until("it waits", || keeper.waiting().len() == 1).await;
    drop(server);
    until("the port is free", || UdpSocket::bind(address).is_ok()).await;
    keeper.0.gate.add_permits(1);
    assert_eq!(keeper.numbers_until(1).await, [1]);
    // Nobody receives any more, and nobody reports that.
    assert_eq!(log.note(2).oneway().await, Ok(()));
    drop(client);
}

#[tokio::test]
async fn a_node_that_has_shut_down_sends_nothing() {
    let scene = Scene::new().await;
    within(scene.client.shutdown(Duration::ZERO)).await;
    let refused = scene.log.note(1).oneway().await;
    assert!(matches!(refused, Err(Error::Ended(_))), "{refused:?}");
    let refused = scene.client.lookup::<dyn Log>(scene.server.uri("log")).await;
    assert!(matches!(refused, Err(Error::Ended(_))), "{refused:?}");
    let log: Ref<dyn Log> = Node::new().lookup(scene.server.uri("log")).await.unwrap();
    log.note(2).oneway().await.unwrap();
    assert_eq!(scene.keeper.numbers_until(2).await, [2]);
}
