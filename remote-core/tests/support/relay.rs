//! Owns a relay between clients and a server that does to what passes what a network does: it delays, stalls, loses and
//! splits it, cuts and resets connections, refuses new ones; and heals.
//!
//! It must not know what passes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::address::Reserved;

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From who connects to the server.
    There,
    /// From the server to who connected.
    Back,
}

pub(crate) const BOTH: [Way; 2] = [Way::There, Way::Back];

/// Between two pieces of what is split, so that they arrive as two.
const APART: Duration = Duration::from_millis(1);

/// A relay in front of a server. It ends when it is dropped, and all its connections with it.
pub(crate) struct Relay {
    address: SocketAddr,
    controls: Controls,
    listening: watch::Receiver<bool>,
    traffic: Arc<Traffic>,
}

struct Controls {
    flows: [watch::Sender<Flow>; 2],
    /// How the connections that are there end. Who comes later does not see it.
    end: watch::Sender<End>,
    open: watch::Sender<bool>,
}

/// What happens to what goes one way.
#[derive(Clone, Copy)]
struct Flow {
    delay: Duration,
    passage: Passage,
    /// The most bytes that go at once.
    piece: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Passage {
    Open,
    Stalled,
    Lost,
}

/// How a connection ends, at both sides alike.
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
    /// In front of the server at `tcp://..`, with a delay each way.
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

    /// Where the server is found through the relay.
    pub(crate) fn address(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Where an object of the server is found through the relay.
    pub(crate) fn uri(&self, name: &str) -> String {
        format!("{}/{name}", self.address())
    }

    /// Lets what passes later arrive so much later. A delay, not a limit of speed.
    pub(crate) fn delay(&self, ways: impl IntoIterator<Item = Way>, delay: Duration) {
        self.change(ways, |flow| flow.delay = delay);
    }

    /// Lets nothing pass any more, also no end of a connection. Once healed, all of it arrives.
    pub(crate) fn stall(&self, ways: impl IntoIterator<Item = Way>) {
        self.change(ways, |flow| flow.passage = Passage::Stalled);
    }

    /// Loses what arrives. Once healed, a connection that lost something is reset: a stream has no holes.
    pub(crate) fn lose(&self, ways: impl IntoIterator<Item = Way>) {
        self.change(ways, |flow| flow.passage = Passage::Lost);
    }

    /// Lets at most so many bytes pass at once.
    pub(crate) fn split(&self, ways: impl IntoIterator<Item = Way>, piece: usize) {
        self.change(ways, |flow| flow.piece = piece);
    }

    /// Closes every connection at both sides. What was in the relay is lost.
    pub(crate) fn cut(&self) {
        self.controls.end.send_replace(End::Closed);
    }

    /// The same without a word of farewell.
    pub(crate) fn reset(&self) {
        self.controls.end.send_replace(End::Reset);
    }

    /// Refuses new connections. Those that are there stay.
    pub(crate) async fn refuse(&self) {
        self.controls.open.send_replace(false);
        self.listening.clone().wait_for(|listens| !listens).await.unwrap();
    }

    /// Ends all of it but the delay, which is the length of the link.
    pub(crate) fn heal(&self) {
        self.change(BOTH, |flow| (flow.passage, flow.piece) = (Passage::Open, usize::MAX));
        self.controls.open.send_replace(true);
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.traffic.connections.load(Ordering::SeqCst)
    }

    /// How many bytes have been taken in that go this way; since when they are in the relay's hands.
    pub(crate) fn taken(&self, way: Way) -> u64 {
        self.traffic.taken[way as usize].load(Ordering::SeqCst)
    }

    /// Returns the number of bytes that were read in one direction while it lost what arrived.
    pub(crate) fn lost(&self, way: Way) -> u64 {
        self.traffic.lost[way as usize].load(Ordering::SeqCst)
    }

    /// How many bytes have been handed on.
    pub(crate) fn carried(&self, way: Way) -> u64 {
        self.traffic.carried[way as usize].load(Ordering::SeqCst)
    }

    fn change(&self, ways: impl IntoIterator<Item = Way>, change: impl Fn(&mut Flow)) {
        for way in ways {
            self.controls.flows[way as usize].send_modify(&change);
        }
    }
}

/// What a connection is carried by.
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
                    // From here on it is there, and ends as those that are there.
                    let mut line = line.clone();
                    line.end.mark_unchanged();
                    tokio::spawn(line.carry(accepted.unwrap().0));
                }
                _ = open.wait_for(|open| !*open) => break,
            }
        }
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
        let there = self.pass(Way::There, near_reader, far_writer);
        let back = self.pass(Way::Back, far_reader, near_writer);
        let both = async { tokio::try_join!(there, back).err().unwrap_or(End::Closed) };
        let mut told = self.end.clone();
        let end = tokio::select! {
            end = both => end,
            changed = told.changed() => match changed {
                Ok(()) => *told.borrow(),
                Err(_) => End::Closed,
            },
        };
        if let End::Reset = end {
            near.set_zero_linger().unwrap();
            far.set_zero_linger().unwrap();
        }
    }

    /// Hands on what is read, until its end is handed on, too.
    async fn pass(
        &self,
        way: Way,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Result<(), End> {
        let mut flow = self.flows[way as usize].clone();
        let entry = self.flows[way as usize].clone();
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
                self.traffic.taken[way as usize].fetch_add(taken, Ordering::SeqCst);
                // Not inferred from `taken`: these bytes may have been read before the loss began, and counted after.
                if passage == Passage::Lost {
                    self.traffic.lost[way as usize].fetch_add(taken, Ordering::SeqCst);
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
                    self.traffic.carried[way as usize].fetch_add(piece as u64, Ordering::SeqCst);
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

/// What was read, when it is due, and the passage where it came in.
type Taken = (Instant, Passage, Result<Vec<u8>, End>);

/// Waits until something may pass; how much at once.
async fn passage(flow: &mut watch::Receiver<Flow>) -> Result<usize, End> {
    let now = *flow.wait_for(|flow| flow.passage != Passage::Stalled).await.map_err(closed)?;
    match now.passage {
        Passage::Lost => Err(hole(flow).await),
        _ => Ok(now.piece),
    }
}

/// Something was lost: nothing can pass any more, which is noticed when it is healed.
async fn hole(flow: &mut watch::Receiver<Flow>) -> End {
    match flow.wait_for(|flow| flow.passage == Passage::Open).await {
        Ok(_) => End::Reset,
        Err(gone) => closed(gone),
    }
}

/// The relay is gone.
fn closed(_: watch::error::RecvError) -> End {
    End::Closed
}
