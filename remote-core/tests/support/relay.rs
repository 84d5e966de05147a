//! A relay between clients and a server, which simulates the faults of a network: it delays, stalls, loses and splits
//! data, cuts and resets connections, and refuses new ones, until it is healed.
//!
//! It must not know the data.

use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::address::Reserved;

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

pub(crate) const BOTH: [Direction; 2] = [Direction::ToServer, Direction::ToClient];

/// The time between two pieces of split data, so that they arrive separately.
const APART: Duration = Duration::from_millis(1);

/// A relay in front of a server. Dropping it ends it, and all its connections.
pub(crate) struct Relay {
    address: SocketAddr,
    controls: Controls,
    listening: watch::Receiver<bool>,
    traffic: Arc<Traffic>,
}

struct Controls {
    flows: [watch::Sender<Flow>; 2],
    /// The way in which the existing connections end. Later connections are not affected.
    end: watch::Sender<End>,
    open: watch::Sender<bool>,
}

/// The treatment of data in one direction.
#[derive(Clone, Copy)]
struct Flow {
    delay: Duration,
    passage: Passage,
    /// The maximum number of bytes that are passed on at once.
    piece: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Passage {
    Open,
    Stalled,
    Lost,
}

/// The way in which a connection ends, at both sides.
#[derive(Clone, Copy, Debug)]
enum End {
    Closed,
    Reset,
}

#[derive(Default)]
struct Traffic {
    connections: AtomicUsize,
    taken: [AtomicU64; 2],
    lost: [AtomicU64; 2],
    carried: [AtomicU64; 2],
}

impl Relay {
    /// Starts a relay in front of the server at `tcp://..`, with a delay in each direction.
    pub(crate) async fn start(server: &str, delay: Duration) -> Relay {
        let server = server.strip_prefix("tcp://").unwrap().parse().unwrap();
        let reserved = Reserved::new();
        let address = reserved.socket_address();
        let flow = || watch::Sender::new(Flow { delay, passage: Passage::Open, piece: usize::MAX });
        let controls = Controls {
            flows: [flow(), flow()],
            end: watch::Sender::new(End::Closed),
            open: watch::Sender::new(true),
        };
        let (is_listening, mut listening) = watch::channel(false);
        let traffic = Arc::<Traffic>::default();
        let line = Line {
            server,
            flows: [controls.flows[0].subscribe(), controls.flows[1].subscribe()],
            end: controls.end.subscribe(),
            traffic: Arc::clone(&traffic),
        };
        tokio::spawn(listen(reserved, line, controls.open.subscribe(), is_listening));
        listening.wait_for(|listens| *listens).await.unwrap();
        Relay { address, controls, listening, traffic }
    }

    /// Returns the address of the server through the relay.
    pub(crate) fn address(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Returns the address of an object of the server through the relay.
    pub(crate) fn uri(&self, name: &str) -> String {
        format!("{}/{name}", self.address())
    }

    /// Delays data. It does not limit the rate.
    pub(crate) fn delay(&self, directions: impl IntoIterator<Item = Direction>, delay: Duration) {
        self.change(directions, |flow| flow.delay = delay);
    }

    /// Passes nothing on, including the end of a connection. Once healed, all of it is passed on.
    pub(crate) fn stall(&self, directions: impl IntoIterator<Item = Direction>) {
        self.change(directions, |flow| flow.passage = Passage::Stalled);
    }

    /// Loses the data that arrives. Once healed, a connection that lost data is reset, because a stream has no gaps.
    pub(crate) fn lose(&self, directions: impl IntoIterator<Item = Direction>) {
        self.change(directions, |flow| flow.passage = Passage::Lost);
    }

    /// Passes on at most this number of bytes at once.
    pub(crate) fn split(&self, directions: impl IntoIterator<Item = Direction>, piece: usize) {
        self.change(directions, |flow| flow.piece = piece);
    }

    /// Closes every connection at both sides. The data in the relay is lost.
    pub(crate) fn cut(&self) {
        self.controls.end.send_replace(End::Closed);
    }

    /// Resets every connection at both sides.
    pub(crate) fn reset(&self) {
        self.controls.end.send_replace(End::Reset);
    }

    /// Refuses new connections. Existing ones stay.
    pub(crate) async fn refuse(&self) {
        self.controls.open.send_replace(false);
        self.listening.clone().wait_for(|listens| !listens).await.unwrap();
    }

    /// Ends all faults, except for the delay, which is the latency of the link.
    pub(crate) fn heal(&self) {
        self.change(BOTH, |flow| (flow.passage, flow.piece) = (Passage::Open, usize::MAX));
        self.controls.open.send_replace(true);
    }

    /// Returns the number of connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.traffic.connections.load(Ordering::SeqCst)
    }

    /// Returns the number of bytes that were read in one direction.
    pub(crate) fn taken(&self, direction: Direction) -> u64 {
        self.traffic.taken[direction as usize].load(Ordering::SeqCst)
    }

    /// Returns the number of bytes that were read in one direction while it lost data.
    pub(crate) fn lost(&self, direction: Direction) -> u64 {
        self.traffic.lost[direction as usize].load(Ordering::SeqCst)
    }

    /// Returns the number of bytes that were passed on in one direction.
    pub(crate) fn carried(&self, direction: Direction) -> u64 {
        self.traffic.carried[direction as usize].load(Ordering::SeqCst)
    }

    fn change(&self, directions: impl IntoIterator<Item = Direction>, change: impl Fn(&mut Flow)) {
        for direction in directions {
            self.controls.flows[direction as usize].send_modify(&change);
        }
    }
}

/// The parts that a connection needs.
#[derive(Clone)]
struct Line {
    server: SocketAddr,
    flows: [watch::Receiver<Flow>; 2],
    end: watch::Receiver<End>,
    traffic: Arc<Traffic>,
}

async fn listen(
    reserved: Reserved,
    line: Line,
    mut open: watch::Receiver<bool>,
    listening: watch::Sender<bool>,
) {
    while open.wait_for(|open| *open).await.is_ok() {
        let listener = reserved.listen().unwrap();
        listening.send_replace(true);
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // From here on the connection exists, and ends as existing connections do.
                    let mut line = line.clone();
                    line.end.mark_unchanged();
                    tokio::spawn(line.carry(accepted.unwrap().0));
                }
                _ = open.wait_for(|open| !*open) => break,
            }
        }
        // A child process of another test holds the listener, too, between its fork and its exec: without this, it would
        // go on listening until then.
        SockRef::from(&listener).shutdown(Shutdown::Both).unwrap();
        drop(listener);
        listening.send_replace(false);
    }
}

impl Line {
    async fn carry(self, mut near: TcpStream) {
        self.traffic.connections.fetch_add(1, Ordering::SeqCst);
        let Ok(mut far) = TcpStream::connect(self.server).await else {
            return near.set_zero_linger().unwrap();
        };
        near.set_nodelay(true).unwrap();
        far.set_nodelay(true).unwrap();
        let (near_reader, near_writer) = near.split();
        let (far_reader, far_writer) = far.split();
        let there = self.pass(Direction::ToServer, near_reader, far_writer);
        let back = self.pass(Direction::ToClient, far_reader, near_writer);
        let both = async { tokio::try_join!(there, back).err().unwrap_or(End::Closed) };
        let mut end = self.end.clone();
        let end = tokio::select! {
            end = both => end,
            changed = end.changed() => match changed {
                Ok(()) => *end.borrow(),
                Err(_) => End::Closed,
            },
        };
        if let End::Reset = end {
            near.set_zero_linger().unwrap();
            far.set_zero_linger().unwrap();
        }
    }

    /// Passes on what is read, including the end of the stream.
    async fn pass(
        &self,
        direction: Direction,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Result<(), End> {
        let mut flow = self.flows[direction as usize].clone();
        let entry = self.flows[direction as usize].clone();
        let (sender, mut due) = mpsc::channel::<Taken>(64);
        let take = async move {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let read = match reader.read(&mut buffer).await {
                    Ok(0) => Err(End::Closed),
                    Ok(read) => Ok(buffer[..read].to_vec()),
                    Err(_) => Err(End::Reset),
                };
                let taken = read.as_ref().map_or(0, Vec::len) as u64;
                let is_last = read.is_err();
                let Flow { delay, passage, .. } = *entry.borrow();
                if sender.send((Instant::now() + delay, passage, read)).await.is_err() || is_last {
                    return Ok(());
                }
                self.traffic.taken[direction as usize].fetch_add(taken, Ordering::SeqCst);
                // Not inferred from `taken`: these bytes may have been read before the loss began, and counted after.
                if passage == Passage::Lost {
                    self.traffic.lost[direction as usize].fetch_add(taken, Ordering::SeqCst);
                }
            }
        };
        let give = async move {
            while let Some((when, passed, read)) = due.recv().await {
                sleep_until(when).await;
                if passed == Passage::Lost {
                    return Err(hole(&mut flow).await);
                }
                let mut rest = read.as_deref().unwrap_or_default();
                while !rest.is_empty() {
                    let piece = passage(&mut flow).await?.min(rest.len());
                    writer.write_all(&rest[..piece]).await.map_err(|_| End::Reset)?;
                    self.traffic.carried[direction as usize]
                        .fetch_add(piece as u64, Ordering::SeqCst);
                    rest = &rest[piece..];
                    if !rest.is_empty() {
                        sleep(APART).await;
                    }
                }
                if let Err(end) = read {
                    passage(&mut flow).await?;
                    return match end {
                        End::Closed => writer.shutdown().await.map_err(|_| End::Reset),
                        End::Reset => Err(End::Reset),
                    };
                }
            }
            Ok(())
        };
        tokio::try_join!(take, give).map(|_| ())
    }
}

/// The data that was read, the time at which it is due, and the treatment at the time of the read.
type Taken = (Instant, Passage, Result<Vec<u8>, End>);

/// Waits until data may pass. Returns the maximum number of bytes.
async fn passage(flow: &mut watch::Receiver<Flow>) -> Result<usize, End> {
    let now = *flow.wait_for(|flow| flow.passage != Passage::Stalled).await.map_err(closed)?;
    match now.passage {
        Passage::Lost => Err(hole(flow).await),
        _ => Ok(now.piece),
    }
}

/// Waits until the direction is healed, after data was lost. Nothing can pass any more.
async fn hole(flow: &mut watch::Receiver<Flow>) -> End {
    match flow.wait_for(|flow| flow.passage == Passage::Open).await {
        Ok(_) => End::Reset,
        Err(gone) => closed(gone),
    }
}

/// Returns the end for a relay that was dropped.
fn closed(_: watch::error::RecvError) -> End {
    End::Closed
}
