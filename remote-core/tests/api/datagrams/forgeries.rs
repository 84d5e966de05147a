//! Datagrams that anyone can send: malformed ones; ones with another protocol, version, name or message; truncated and
//! repeated ones. All of them are dropped, and well-formed ones are executed.

use remote_core::{Limits, Node, Ref};
use tokio::net::UdpSocket;

use crate::datagrams::{Log, Nest, Scene, Shelf, nobody, received};

/// The bytes before the number of a datagram: preface and identity.
const PREFACE: usize = 8;
const IDENTITY: usize = 16;

/// A node, and a socket that sends forged datagrams to it.
struct Attack {
    scene: Scene,
    socket: UdpSocket,
    address: String,
    sent: u64,
}

impl Attack {
    async fn new() -> Attack {
        let scene = Scene::limited(Limits::default(), Limits::default()).await;
        let address = scene.address();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Attack { scene, socket, address, sent: 0 }
    }

    /// Returns a datagram as the library makes it.
    async fn genuine<F>(&self, send: impl FnOnce(Ref<dyn Log>) -> F) -> Vec<u8>
    where
        F: Future<Output = ()>,
    {
        let (socket, log) = nobody(&self.scene.client).await;
        send(log).await;
        received(&socket).await
    }

    async fn note(&self, number: u64) -> Vec<u8> {
        self.genuine(async |log| log.note(number).oneway().await.unwrap()).await
    }

    /// Sends bytes, which must have no effect.
    async fn send(&mut self, bytes: &[u8]) {
        // Some are longer than the system permits.
        let _ = self.socket.send_to(bytes, &self.address).await;
        self.sent += 1;
        if self.sent.is_multiple_of(50) {
            self.has_had_no_effect().await; // before the buffer is full
        }
    }

    /// Sends bytes under a sender identity that was not used before.
    async fn send_as_another(&mut self, mut bytes: Vec<u8>) {
        let identity = &mut bytes[PREFACE..PREFACE + IDENTITY];
        identity[..8].copy_from_slice(&self.sent.to_le_bytes());
        identity[8] ^= 0xff;
        self.send(&bytes).await;
    }

    /// Asserts that a well-formed datagram is executed, and that no other was.
    async fn has_had_no_effect(&self) {
        let noted = self.scene.keeper.0.numbers.borrow().len() as u64;
        let noted_by_now = self.scene.settle(1_000_000 + noted).await;
        assert_eq!(noted_by_now, (0..=noted).map(|count| 1_000_000 + count).collect::<Vec<_>>());
    }
}

/// A pseudo-random generator with a fixed seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        // xorshift (Marsaglia 2003)
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[tokio::test]
async fn noise_is_dropped() {
    let mut attack = Attack::new().await;
    let mut noise = Noise(0x5eed);
    let head = attack.note(1).await[..PREFACE].to_vec();
    for round in 0..1000 {
        let length = noise.next() as usize % 1500;
        let mut bytes: Vec<u8> = (0..length).map(|_| noise.next() as u8).collect();
        if round % 2 == 0 {
            bytes.splice(0..0, head.iter().copied());
        }
        attack.send(&bytes).await;
    }
    for length in [0, 1, 1200, 1201, 60_000, 65_507] {
        attack.send(&vec![0xff; length]).await;
        attack.send(&[&head[..], &vec![0xff; length]].concat()).await;
    }
    attack.send(b"GET / HTTP/1.1\r\n\r\n").await;
    attack.has_had_no_effect().await;
}

#[tokio::test]
async fn a_truncated_datagram_is_dropped() {
    let mut attack = Attack::new().await;
    let whole = attack.note(1).await;
    for end in PREFACE + IDENTITY..whole.len() {
        attack.send_as_another(whole[..end].to_vec()).await;
    }
    for end in 0..PREFACE + IDENTITY {
        attack.send(&whole[..end]).await;
    }
    let with_more = [&whole[..], &[0]].concat();
    attack.send_as_another(with_more).await;
    attack.has_had_no_effect().await;
}

#[tokio::test]
async fn a_datagram_with_a_damaged_header_is_dropped() {
    let mut attack = Attack::new().await;
    let whole = attack.note(1).await;
    let body = whole.len() - 1;
    let number = PREFACE + IDENTITY;
    // After the number, which may be anything, follow the name, the fingerprint, and the text of the selector.
    let name = number + whole[number..].windows(4).position(|four| four == b"\x03log").unwrap();
    let places = (0..PREFACE).chain(name..body - 2);
    for place in places {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << bit;
            match place {
                0..PREFACE => attack.send(&bytes).await,
                _ => attack.send_as_another(bytes).await,
            }
        }
    }
    let mut nested = whole.clone();
    nested[body - 2] = 33; // deeper than may be
    attack.send_as_another(nested).await;
    attack.has_had_no_effect().await;
}

#[tokio::test]
async fn lengths_that_are_not_there_allocate_nothing() {
    let mut attack = Attack::new().await;
    let whole = attack.note(1).await;
    for claim in [&[0xff; 9][..], b"\xff\xff\xff\xff\x0f", b"\x7f"] {
        let mut bytes = whole[..PREFACE + IDENTITY].to_vec();
        bytes.push(1); // its number
        bytes.extend_from_slice(claim); // the length of the name
        attack.send_as_another(bytes).await;
    }
    let bytes = attack.genuine(async |log| log.bytes(b"").oneway().await.unwrap()).await;
    let body = bytes.len() - 1;
    for claim in [&[253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[251, 0xff, 0xff]] {
        attack.send_as_another([&bytes[..body], claim].concat()).await;
    }
    attack.has_had_no_effect().await;
}

#[tokio::test]
async fn values_within_each_other_without_end_are_dropped() {
    let mut attack = Attack::new().await;
    let nest = attack.genuine(async |log| log.nest(Nest(None)).oneway().await.unwrap()).await;
    let head = &nest[..nest.len() - 1];
    for depth in [65, 200, 1000, 1200 - nest.len()] {
        attack.send_as_another([head, &vec![1; depth], &[0]].concat()).await;
    }
    attack.has_had_no_effect().await;
    // The depth was wrong, and not the encoding.
    let fine = [head, &[1, 1, 0]].concat();
    attack.socket.send_to(&fine, &attack.address).await.unwrap();
    assert!(attack.scene.keeper.numbers_until(0).await.ends_with(&[0]));
}

#[tokio::test]
async fn datagrams_to_unknown_names_and_methods_are_lost() {
    let attack = Attack::new().await;
    let elsewhere = format!("udp://{}/elsewhere", attack.address);
    let other: Ref<dyn Log> = attack.scene.client.lookup(elsewhere).await.unwrap();
    other.note(1).oneway().await.unwrap();
    let shelf: Ref<dyn Shelf> =
        attack.scene.client.lookup(attack.scene.server.uri("log")).await.unwrap();
    shelf.log().oneway().await.unwrap();
    attack.scene.server.unpublish("log").await.unwrap();
    attack.scene.log.note(2).oneway().await.unwrap();
    attack
        .scene
        .server
        .publish("again", Ref::<dyn Log>::new(attack.scene.keeper.clone()))
        .await
        .unwrap();
    let again: Ref<dyn Log> =
        attack.scene.client.lookup(attack.scene.server.uri("again")).await.unwrap();
    again.note(3).oneway().await.unwrap();
    assert_eq!(attack.scene.keeper.numbers_until(3).await, [3]);
}

#[tokio::test]
async fn a_duplicate_datagram_runs_once_from_any_address() {
    let mut attack = Attack::new().await;
    let note = attack.note(1).await;
    attack.socket.send_to(&note, &attack.address).await.unwrap();
    attack.scene.keeper.numbers_until(1).await;
    for _ in 0..100 {
        attack.socket.send_to(&note, &attack.address).await.unwrap();
        attack.socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    }
    assert_eq!(attack.scene.settle(2).await, [1, 2]);
}

#[tokio::test]
async fn a_flood_of_senders_takes_no_sender_away_for_good() {
    let mut attack = Attack::new().await;
    let garbage = attack.note(1).await;
    let head = garbage.len() - 1;
    // Each from another sender, without arguments: more senders than are remembered.
    for _ in 0..3000 {
        attack.send_as_another(garbage[..head].to_vec()).await;
    }
    attack.has_had_no_effect().await;
    let late = Node::new();
    let log: Ref<dyn Log> = late.lookup(attack.scene.server.uri("log")).await.unwrap();
    log.note(5).oneway().await.unwrap();
    assert!(attack.scene.keeper.numbers_until(5).await.ends_with(&[5]));
}
