//! Tests of the relay that other tests use, with a plain server that echoes.

use std::time::{Duration, Instant};

use crate::support::relay::{BOTH, Direction, Relay};
use crate::support::{takes, until, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A server that echoes, a record of its reads, and the relay in front of it.
struct Echo {
    relay: Relay,
    /// The size of each read; `None` for the end of a connection, in order or not.
    reads: mpsc::UnboundedReceiver<Option<usize>>,
}

impl Echo {
    async fn start(delay: Duration) -> Echo {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("tcp://{}", listener.local_addr().unwrap());
        let (reads, read) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(echo(stream, reads.clone()));
            }
        });
        Echo { relay: Relay::start(&server, delay).await, reads: read }
    }

    async fn connect(&self) -> TcpStream {
        let address = self.relay.address();
        TcpStream::connect(address.strip_prefix("tcp://").unwrap()).await.unwrap()
    }

    /// Returns a connection on which something has passed in both directions.
    async fn met(&mut self) -> TcpStream {
        let mut stream = self.connect().await;
        assert_eq!(answer(&mut stream, b"hello").await, b"hello");
        assert_eq!(within(self.reads.recv()).await, Some(Some(5)));
        stream
    }

    /// Returns a new connection, after the server has seen the end of this number of others.
    async fn met_after_ends(&mut self, ends: usize) -> TcpStream {
        for _ in 0..ends {
            assert_eq!(within(self.reads.recv()).await, Some(None));
        }
        self.met().await
    }
}

async fn echo(mut stream: TcpStream, reads: mpsc::UnboundedSender<Option<usize>>) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let _ = reads.send(Some(read));
        if stream.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    let _ = reads.send(None);
}

/// Sends bytes, and returns as many bytes of the answer.
async fn answer(stream: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    within(stream.write_all(bytes)).await.unwrap();
    let mut back = vec![0; bytes.len()];
    within(stream.read_exact(&mut back)).await.unwrap();
    back
}

/// Returns how the connection ends. Nothing else may arrive.
async fn end(stream: &mut TcpStream) -> Result<(), std::io::ErrorKind> {
    match within(stream.read(&mut [0])).await {
        Ok(read) => {
            assert_eq!(read, 0, "nothing more comes");
            Ok(())
        }
        Err(error) => Err(error.kind()),
    }
}

const RESET: Result<(), std::io::ErrorKind> = Err(std::io::ErrorKind::ConnectionReset);

#[tokio::test]
async fn without_faults_everything_passes_and_so_does_the_end() {
    let mut echo = Echo::start(Duration::ZERO).await;
    let mut stream = echo.met().await;
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|number| number as u8).collect();
    let (mut reader, mut writer) = stream.split();
    let mut back = vec![0; bytes.len()];
    let both = async { tokio::join!(writer.write_all(&bytes), reader.read_exact(&mut back)) };
    let (written, read) = within(both).await;
    assert!(written.is_ok() && read.is_ok() && back == bytes);
    within(stream.shutdown()).await.unwrap();
    assert_eq!(end(&mut stream).await, Ok(()), "the server closed, too");
    assert_eq!(echo.relay.connections(), 1);
    for direction in BOTH {
        assert_eq!(
            (echo.relay.taken(direction), echo.relay.carried(direction)),
            (1_000_005, 1_000_005)
        );
    }
}

#[tokio::test]
async fn a_delay_is_the_same_for_much_and_little() {
    const DELAY: Duration = Duration::from_millis(100);
    let mut echo = Echo::start(DELAY).await;
    let mut stream = echo.met().await;
    let begun = Instant::now();
    answer(&mut stream, b"x").await;
    assert!(begun.elapsed() >= 2 * DELAY, "{:?}", begun.elapsed());
    // Twenty buffers of the relay take twenty times as long if each waits for the one before.
    let much = vec![1; 20 * 64 * 1024];
    takes(2 * DELAY, 10 * DELAY, async || _ = answer(&mut stream, &much).await).await;
    echo.relay.delay([Direction::ToClient], Duration::ZERO);
    takes(DELAY, 2 * DELAY, async || _ = answer(&mut stream, b"x").await).await;
}

#[tokio::test]
async fn stalled_bytes_arrive_after_healing() {
    for direction in BOTH {
        let mut echo = Echo::start(Duration::ZERO).await;
        let mut stream = echo.met().await;
        echo.relay.stall([direction]);
        within(stream.write_all(b"more")).await.unwrap();
        if direction == Direction::ToClient {
            assert_eq!(
                within(echo.reads.recv()).await,
                Some(Some(4)),
                "the other direction is open"
            );
        }
        until("it is in the relay", || echo.relay.taken(direction) == 9).await;
        within(stream.shutdown()).await.unwrap();
        assert_eq!(echo.relay.carried(direction), 5);
        echo.relay.heal();
        let mut back = Vec::new();
        within(stream.read_to_end(&mut back)).await.unwrap();
        assert_eq!(back, b"more");
    }
}

#[tokio::test]
async fn a_stall_delays_the_end_of_a_stream_too() {
    let mut echo = Echo::start(Duration::ZERO).await;
    let mut stream = echo.met().await;
    echo.relay.stall([Direction::ToServer]);
    within(stream.write_all(b"x")).await.unwrap();
    drop(stream);
    until("it is in the relay", || echo.relay.taken(Direction::ToServer) == 6).await;
    assert!(echo.reads.try_recv().is_err());
    echo.relay.heal();
    assert_eq!(within(echo.reads.recv()).await, Some(Some(1)));
    assert_eq!(within(echo.reads.recv()).await, Some(None));
}

#[tokio::test]
async fn lost_bytes_are_lost_with_their_connection() {
    for direction in BOTH {
        let mut echo = Echo::start(Duration::ZERO).await;
        let (mut hurt, mut silent) = (echo.met().await, echo.met().await);
        echo.relay.lose([direction]);
        within(hurt.write_all(b"more")).await.unwrap();
        until("it is lost", || echo.relay.lost(direction) == 4).await;
        echo.relay.heal();
        assert_eq!(end(&mut hurt).await, RESET);
        assert_eq!(answer(&mut silent, b"again").await, b"again", "it lost nothing");
        assert_eq!(echo.relay.carried(direction), 15);
    }
}

#[tokio::test]
async fn connections_are_cut_and_reset_at_both_sides() {
    let mut echo = Echo::start(Duration::ZERO).await;
    let (mut one, mut other) = (echo.met().await, echo.met().await);
    echo.relay.cut();
    assert_eq!((end(&mut one).await, end(&mut other).await), (Ok(()), Ok(())));
    let mut third = echo.met_after_ends(2).await;
    echo.relay.reset();
    assert_eq!(end(&mut third).await, RESET);
    echo.met_after_ends(1).await;
    assert_eq!(echo.relay.connections(), 4);
}

#[tokio::test]
async fn stalled_bytes_are_lost_with_a_cut() {
    let mut echo = Echo::start(Duration::ZERO).await;
    let mut stream = echo.met().await;
    echo.relay.stall([Direction::ToServer]);
    within(stream.write_all(b"more")).await.unwrap();
    until("it is in the relay", || echo.relay.taken(Direction::ToServer) == 9).await;
    echo.relay.cut();
    assert_eq!(within(echo.reads.recv()).await, Some(None), "a cut needs no passage");
    echo.relay.heal();
    echo.met().await;
    assert_eq!(echo.relay.carried(Direction::ToServer), 10);
}

#[tokio::test]
async fn new_connections_are_refused_and_existing_ones_remain() {
    let mut echo = Echo::start(Duration::ZERO).await;
    let mut stream = echo.met().await;
    for _ in 0..3 {
        echo.relay.refuse().await;
        let address = echo.relay.address();
        let refused = TcpStream::connect(address.strip_prefix("tcp://").unwrap()).await;
        assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
        assert_eq!(answer(&mut stream, b"still").await, b"still");
        assert_eq!(within(echo.reads.recv()).await, Some(Some(5)));
        echo.relay.heal();
        until("it listens", || {
            std::net::TcpStream::connect(address.strip_prefix("tcp://").unwrap()).is_ok()
        })
        .await;
        assert_eq!(within(echo.reads.recv()).await, Some(None), "of the one that looked");
    }
}

#[tokio::test]
async fn split_input_arrives_in_small_pieces() {
    let mut echo = Echo::start(Duration::ZERO).await;
    let mut stream = echo.met().await;
    echo.relay.split([Direction::ToServer], 7);
    let bytes: Vec<u8> = (0..200).collect();
    assert_eq!(answer(&mut stream, &bytes).await, bytes);
    let mut reads = Vec::new();
    while reads.iter().sum::<usize>() < bytes.len() {
        reads.push(within(echo.reads.recv()).await.unwrap().unwrap());
    }
    // Pieces that arrive before one is read are read as one, which happens on a slow machine.
    assert!(reads.len() > 3, "{reads:?}");
    echo.relay.heal();
    assert_eq!(answer(&mut stream, &bytes).await, bytes);
    assert_eq!(within(echo.reads.recv()).await, Some(Some(200)));
}
