//! A session survives any number of lost connections: under load, the network fails in one of several ways and
//! recovers, and no call notices it.
//!
//! `REMOTE_CYCLES` sets the number of failures; the default is 200.

use std::time::{Duration, Instant};

use remote_core::Ref;

use super::load::{Books, Noted, Work, is_noted_at_both};
use super::setup::commands;
use super::support::child::Child;
use super::support::relay::{BOTH, Direction, Relay};
use super::support::{TIME_LIMIT, until, within};

/// The bytes by which a process may grow between the first fifth of the cycles and the end: it keeps a bit for each
/// call.
const FLAT: u64 = 1 << 20;

struct Worker {
    process: Child,
    work: Ref<dyn Work>,
    address: String,
}

impl Worker {
    async fn start() -> Worker {
        let process = Child::start("worker", &[]);
        let (address, work) = (process.receive(), process.receive());
        let work = within(commands().start().await.unwrap().lookup(work)).await.unwrap();
        Worker { process, work, address }
    }

    async fn books(&self) -> Books {
        within(self.work.books()).await.unwrap()
    }
}

/// A pseudo-random generator with a fixed seed (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn draw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn direction(&mut self) -> Direction {
        BOTH[self.draw(2) as usize]
    }
}

/// Waits until this number of bytes has passed in each direction: the session works, and is in the middle of calls.
async fn flows(relay: &Relay, bytes: u64, caller: &Worker) {
    let (there, back) = (relay.carried(Direction::ToServer), relay.carried(Direction::ToClient));
    let begun = Instant::now();
    while relay.carried(Direction::ToServer) < there + bytes
        || relay.carried(Direction::ToClient) < back + bytes
    {
        if begun.elapsed() > TIME_LIMIT {
            panic!("nothing passes any more: {:?}", caller.books().await);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Makes the network fail in one of several ways, and recover.
async fn fail_and_heal(relay: &Relay, random: &mut Random) {
    let connections = relay.connections();
    match random.draw(6) {
        0 | 1 => relay.cut(),
        2 => relay.reset(),
        3 => {
            // More bytes are in transit than have arrived.
            let direction = random.direction();
            relay.stall([direction]);
            let taken = relay.taken(direction);
            until("something is in transit", || relay.taken(direction) > taken).await;
            relay.cut();
        }
        4 => {
            let direction = random.direction();
            relay.lose([direction]);
            let lost = relay.lost(direction);
            until("something is lost", || relay.lost(direction) > lost).await;
        }
        _ => {
            relay.refuse().await;
            relay.reset();
            tokio::time::sleep(Duration::from_millis(random.draw(100))).await;
        }
    }
    relay.heal();
    until("there is another connection", || relay.connections() > connections).await;
    if random.draw(4) == 0 {
        // The next connection is cut, too, during its handshake.
        relay.cut();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_lost_and_none_runs_twice_however_often_the_connection_is() {
    let cycles = std::env::var("REMOTE_CYCLES").map_or(200, |cycles| cycles.parse().unwrap());
    let (server, caller) = (Worker::start().await, Worker::start().await);
    let relay = Relay::start(&server.address, Duration::ZERO).await;
    let till = relay.uri("till");
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let allocated = || [&server, &caller].map(|worker| worker.process.allocated().now);
    let mut before = [0, 0];
    within(caller.work.begin(&till)).await.unwrap();
    for cycle in 0..cycles {
        if cycle == cycles / 5 {
            within(caller.work.rest()).await.unwrap();
            before = allocated();
            within(caller.work.begin(&till)).await.unwrap();
        }
        flows(&relay, 20_000 + random.draw(200_000), &caller).await;
        fail_and_heal(&relay, &mut random).await;
    }
    flows(&relay, 200_000, &caller).await;
    within(caller.work.rest()).await.unwrap();
    let after = allocated();
    assert!(relay.connections() as u64 > cycles, "{} connections", relay.connections());

    let (server_books, caller_books) = (server.books().await, caller.books().await);
    assert_eq!(caller_books.failures, Vec::<String>::new());
    for (lane, made) in caller_books.made {
        let once = Noted { distinct: made, twice: 0, end: made };
        assert!(made > cycles / 10, "lane {lane} was busy: {made}");
        assert_eq!(server_books.noted[&lane], once, "lane {lane}");
        if is_noted_at_both(lane) {
            assert_eq!(caller_books.noted[&lane], once, "lane {lane}, called back");
        }
    }

    within(server.work.forget()).await.unwrap();
    for worker in [&server, &caller] {
        let begun = Instant::now();
        loop {
            let books = worker.books().await;
            // The published till is the only one left.
            if (books.tills, books.exports) == (1, 0) && books.sessions == [(0, 0)] {
                break;
            }
            assert!(begun.elapsed() < TIME_LIMIT, "entries are left: {books:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    println!(
        "{cycles} cycles; {before:?} bytes allocated after a fifth of them, {after:?} in the end"
    );
    let is_flat = before.iter().zip(&after).all(|(before, after)| *after < before + FLAT);
    assert!(is_flat, "{before:?} {after:?}");
}
