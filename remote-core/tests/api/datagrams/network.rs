//! The effects of a network on datagrams: loss, duplication, delay and reordering. Between two processes, with a relay
//! that does all of this.

use remote_core::{Node, Ref};
use tokio::net::UdpSocket;

use crate::datagrams::{Log, Scene, nobody, received};
use crate::support::child::Child;
use crate::support::{until, within};

const MESSAGES: u64 = 200;
/// So few datagrams at once that no buffer is full: only the relay loses datagrams.
const AT_ONCE: u64 = 50;

#[tokio::test]
async fn exactly_what_the_network_lost_is_missing_and_nothing_runs_twice() {
    let server = Child::start("keeper", &[]);
    let (sessions, datagrams) = (server.receive(), server.receive());
    let target = datagrams.strip_prefix("udp://").unwrap().strip_suffix("/log").unwrap();
    let client = Node::new();
    let asked: Ref<dyn Log> = within(client.lookup(sessions)).await.unwrap();
    let (relay, log) = nobody(&client).await;

    let outlet = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let pass = async |datagram: &[u8]| assert!(outlet.send_to(datagram, target).await.is_ok());
    let (mut all, mut held, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..MESSAGES {
        log.note(number).oneway().await.unwrap();
        let datagram = received(&relay).await;
        match number % 10 {
            3 => {} // lost
            5 => {
                pass(&datagram).await;
                pass(&datagram).await;
                expected.push(number);
            }
            7 => held.push((number, datagram.clone())), // late
            9 => {
                pass(&datagram).await;
                expected.push(number);
                for (late, datagram) in held.drain(..) {
                    pass(&datagram).await;
                    expected.push(late);
                }
            }
            _ => {
                pass(&datagram).await;
                expected.push(number);
            }
        }
        if number % 10 != 3 {
            all.push(datagram);
        }
        if (number + 1) % AT_ONCE == 0 {
            wait_for(&asked, expected.len()).await;
        }
    }
    assert_eq!(asked.numbers().await.unwrap(), expected, "in the order in which they passed");

    // All datagrams once more. The first new one is the next that is executed.
    for some in all.chunks(AT_ONCE as usize) {
        for datagram in some {
            pass(datagram).await;
        }
        let new = expected.len() as u64 + 1000;
        log.note(new).oneway().await.unwrap();
        pass(&received(&relay).await).await;
        expected.push(new);
        wait_for(&asked, expected.len()).await;
    }
    assert_eq!(asked.numbers().await.unwrap(), expected, "nothing ran twice");
}

/// Waits until this number of messages has arrived.
async fn wait_for(asked: &Ref<dyn Log>, count: usize) {
    within(async { while asked.numbers().await.unwrap().len() < count {} }).await;
}

#[tokio::test]
async fn a_datagram_overtaken_by_thousands_is_lost() {
    let scene = Scene::new().await;
    let (relay, log) = nobody(&scene.client).await;
    let outlet = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let pass = async |datagram: &[u8]| {
        outlet.send_to(datagram, scene.address()).await.unwrap();
    };
    log.note(1).oneway().await.unwrap();
    let early = received(&relay).await;
    // The sender also numbers the datagrams that it sends to others.
    for number in 0..5000 {
        log.note(number).oneway().await.unwrap();
        received(&relay).await;
    }
    scene.settle(2).await;
    pass(&early).await;
    assert_eq!(scene.settle(3).await, [2, 3]);
}

#[tokio::test]
async fn two_senders_do_not_take_each_others_numbers() {
    let scene = Scene::new().await;
    let other = Node::new();
    let log: Ref<dyn Log> = other.lookup(scene.server.uri("log")).await.unwrap();
    for number in 0..20 {
        scene.log.note(number).oneway().await.unwrap();
        log.note(number + 100).oneway().await.unwrap();
    }
    until("all have arrived", || scene.keeper.0.numbers.borrow().len() == 40).await;
}
