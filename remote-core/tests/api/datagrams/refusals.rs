//! Calls that are refused before they are sent, and are known not to be executed; and the operations that a reference
//! by address does not have.

use std::net::UdpSocket as StdSocket;

use remote_core::{Ended, Error, Limits, Node, Outcome, Ref, Stream};
use tokio::net::UdpSocket;

use crate::datagrams::{Keeper, Log, Nest, Scene, Shelf, nobody, received};
use crate::support::within;

fn refused(error: Error, what: &str) {
    assert_eq!(error.outcome(), Outcome::NotExecuted, "{error}");
    assert!(matches!(error, Error::Refused(_)) && error.to_string().contains(what), "{error}");
}

#[tokio::test]
async fn calls_that_udp_cannot_carry_are_refused() {
    let client = Node::new();
    let (socket, log) = nobody(&client).await;
    refused(log.note(1).await.unwrap_err(), "`Log.note` wants a reply");
    refused(log.numbers().await.unwrap_err(), "`.oneway()`");
    let own: Ref<dyn Log> = Ref::new(Keeper::new());
    refused(log.refer(own).oneway().await.unwrap_err(), "`Log.refer` passes a reference");
    refused(log.refer(log.clone()).oneway().await.unwrap_err(), "tcp://");
    refused(log.pour(Stream::from_iter([1, 2])).oneway().await.unwrap_err(), "a stream");

    let shelf: Ref<dyn Shelf> =
        client.lookup(format!("udp://{}/shelf", socket.local_addr().unwrap())).await.unwrap();
    let promised = shelf.log().pipelined();
    let broken = promised.numbers().await.unwrap_err();
    refused(broken.root().clone(), "`Shelf.log` wants a reply");

    log.note(2).oneway().await.unwrap();
    let first = received(&socket).await;
    assert!(first.ends_with(&[2]), "it is the only one that was sent: {first:?}");
}

#[tokio::test]
async fn a_message_may_be_as_large_as_the_limit_and_no_larger() {
    let client = Node::new();
    let (socket, log) = nobody(&client).await;
    let Err(Error::TooLarge { size, limit }) = log.bytes(&[0; 2000]).oneway().await else {
        panic!("2000 bytes do not fit into 1200");
    };
    assert_eq!(size, 2003, "three bytes say how many there are");
    assert!((1120..1200).contains(&limit), "{limit}");
    let most = vec![7; limit as usize - 3];
    log.bytes(&most).oneway().await.unwrap();
    let datagram = received(&socket).await;
    assert_eq!(datagram.len(), Limits::default().datagram);
    let more = [&most[..], &[7]].concat();
    let error = log.bytes(&more).oneway().await.unwrap_err();
    assert_eq!(error, Error::TooLarge { size: limit + 1, limit });
    assert_eq!(error.outcome(), Outcome::NotExecuted);

    // The receiver accepts as much.
    let scene = Scene::new().await;
    scene.log.bytes(&most).oneway().await.unwrap();
    assert_eq!(scene.keeper.numbers_until(most.len() as u64).await.len(), 1);
}

#[tokio::test]
async fn a_datagram_larger_than_the_receivers_limit_is_lost() {
    let limits = Limits { datagram: 5000, ..Limits::default() };
    let scene = Scene::limited(Limits::default(), limits.clone()).await;
    let server_takes = Node::new().lookup::<dyn Log>(scene.server.uri("log")).await.unwrap();
    let Err(Error::TooLarge { limit, .. }) = server_takes.bytes(&[0; 4900]).oneway().await else {
        panic!("4900 bytes do not fit into 1200");
    };
    // One byte too many, and far too many.
    scene.log.bytes(&vec![0; limit as usize - 3 + 1]).oneway().await.unwrap();
    scene.log.bytes(&[0; 4900]).oneway().await.unwrap();
    assert_eq!(scene.settle(1).await, [1]);
    let scene = Scene::limited(limits.clone(), limits).await;
    scene.log.bytes(&[0; 4900]).oneway().await.unwrap();
    assert_eq!(scene.settle(1).await, [4900, 1]);
}

#[tokio::test]
async fn arguments_that_cannot_be_encoded_are_refused_as_ever() {
    let scene = Scene::new().await;
    let deep = (0..200).fold(Nest(None), |inner, _| Nest(Some(Box::new(inner))));
    let error = scene.log.nest(deep).oneway().await.unwrap_err();
    assert!(matches!(error, Error::Quota(_)), "{error}");
}

#[tokio::test]
async fn an_operation_that_needs_an_answer_is_refused_over_udp() {
    let scene = Scene::new().await;
    let log = &scene.log;
    assert!(!Ref::is_near(log));
    assert_eq!(Ref::resolved(log).await.as_ref(), Ok(log));
    assert_eq!(format!("{log:?}"), "Ref<dyn Log>(by its address)");
    let again: Ref<dyn Log> = scene.client.lookup(scene.server.uri("log")).await.unwrap();
    assert_ne!(*log, again, "which object either means, nobody knows");

    let Err(error) = Ref::cast::<dyn Shelf>(log).await else {
        panic!("its interfaces are unknown")
    };
    refused(error, "wants a reply");
    let Ended::SessionEnded(reason) = within(Ref::monitor(log)).await else {
        panic!("there is no session")
    };
    assert!(reason.contains("tcp://"), "{reason}");
    let mine: Ref<dyn Log> = Ref::new(Keeper::new());
    refused(Ref::link(&mine, log).unwrap_err(), "tcp://");
    assert_eq!(mine.note(1).await, Ok(()), "it was not stopped");
    refused(Ref::stop(log, "enough").unwrap_err(), "near");

    let weak = Ref::downgrade(log);
    assert_eq!(weak.upgrade().await, Ok(Some(log.clone())));
    drop(scene.log);
    assert_eq!(weak.upgrade().await, Ok(None));
}

#[tokio::test]
async fn addresses_that_are_none_are_refused() {
    let listen = async |uri: &str| Node::listen(uri).await.expect_err("it is refused");
    assert!(matches!(listen("udp://0.0.0.0:0").await, Error::Refused(_)));
    assert!(matches!(listen("udp://127.0.0.1").await, Error::InvalidUri { .. }));
    assert!(matches!(listen("udp://").await, Error::InvalidUri { .. }));
    assert!(matches!(listen("udp://127.0.0.1:80/log").await, Error::InvalidUri { .. }));
    let taken = StdSocket::bind("127.0.0.1:0").unwrap();
    let error = listen(&format!("udp://{}", taken.local_addr().unwrap())).await;
    assert!(matches!(&error, Error::Io(reason) if reason.contains("already")), "{error}");

    let client = Node::new();
    let lookup = async |uri: &str| client.lookup::<dyn Log>(uri).await.expect_err("it is refused");
    assert!(matches!(lookup("udp://127.0.0.1:80").await, Error::InvalidUri { .. }));
    assert!(matches!(lookup("udp://127.0.0.1/log").await, Error::InvalidUri { .. }));
    assert!(matches!(lookup("udp://127.0.0.1:80/a\nb").await, Error::InvalidUri { .. }));

    let names = client.names("udp://127.0.0.1:80").await.unwrap_err();
    assert!(
        matches!(&names, Error::InvalidUri { .. }) && names.to_string().contains("tcp://"),
        "{names}"
    );
}

#[tokio::test]
async fn a_datagram_that_the_system_refuses_is_an_error() {
    let client = Node::builder()
        .limits(Limits { datagram: 65_507, ..Limits::default() })
        .start()
        .await
        .unwrap();
    // The system has a limit of its own for datagrams to port 0.
    let log: Ref<dyn Log> = client.lookup("udp://127.0.0.1:0/log").await.unwrap();
    let error = log.note(1).oneway().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotExecuted, "{error}");
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("udp://{}/log", socket.local_addr().unwrap());
    let log: Ref<dyn Log> = client.lookup(uri).await.unwrap();
    log.bytes(&[0; 65_400]).oneway().await.unwrap();
    assert!(received(&socket).await.len() > 65_400);
}
