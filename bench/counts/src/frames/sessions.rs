//! The cases of the sessions of a node: begin, end, and resumption.

use std::io::{Read, Write};
use std::net::TcpStream;

use remote_core::SessionState;

use super::connection::crowded;
use super::hello::{Claim, Hello, PREFACE, ResumeState, SECRET, Secret, Verdict};
use super::peer::{greater, lesser};
use super::setup::{Host, Setup, wide_hello, wide_limits};
use super::wire::{Bytes, CLOSE, Frame};
use crate::collect::counted_section;
use crate::steps::step;

/// The number of sessions that are counted.
const SESSIONS: u64 = 100;
/// The number of connections that are made at once.
const AT_ONCE: u64 = 100;

/// The frame that ends a session in good order.
fn close_frame() -> Frame {
    Frame::new(CLOSE, Bytes::new().number(0).text("done"))
}

/// A peer on a socket that is read and written without the runtime.
struct Plain {
    stream: TcpStream,
    hello: Hello,
}

impl Plain {
    /// Connects, and sends the opening bytes.
    fn connect(host: &Host, hello: &Hello, opening: &[u8]) -> Plain {
        let mut stream = TcpStream::connect(host.address()).expect("the node listens");
        stream.set_nodelay(true).expect("small writes leave at once");
        stream.write_all(opening).expect("a node takes an introduction");
        Plain { stream, hello: hello.clone() }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("there is room");
    }

    /// Reads the node's hello, which it has already written.
    fn read_hello(&mut self) -> Hello {
        let mut preface = [0; PREFACE.len()];
        self.stream.read_exact(&mut preface).expect("a node introduces itself");
        Hello::read(&self.read_framed())
    }

    fn read_framed(&mut self) -> Vec<u8> {
        let mut length = [0; 2];
        self.stream.read_exact(&mut length).expect("the node has written it");
        let mut bytes = vec![0; u16::from_le_bytes(length).into()];
        self.stream.read_exact(&mut bytes).expect("the node has written it");
        bytes
    }
}

/// Returns the number of the node's connected sessions.
fn connected(host: &Host) -> u64 {
    let sessions = host.node.sessions();
    sessions.iter().filter(|session| session.state() == SessionState::Connected).count() as u64
}

/// Starts `count` sessions for which the peer decides.
fn begin(host: &Host, count: u64) -> Vec<Plain> {
    let before = connected(host);
    let open = |_| {
        let hello = wide_hello(greater());
        Plain::connect(host, &hello, &hello.opening())
    };
    let plain: Vec<Plain> = (0..count).map(open).collect();
    host.run_until(|| connected(host) == before + count);
    plain
}

/// Starts `count` sessions, which then lose their connections.
fn suspend(host: &Host, count: u64) {
    for first in (0..count).step_by(AT_ONCE as usize) {
        drop(begin(host, AT_ONCE.min(count - first)));
        host.run_until(|| connected(host) == 0);
    }
    host.rest();
}

/// Ends sessions in good order. `run` runs the node.
fn end(host: &Host, plain: &mut [Plain], run: impl Fn()) {
    let left = host.node.sessions().len() - plain.len();
    plain.iter_mut().for_each(|plain| plain.send(&close_frame().write(1)));
    while host.node.sessions().len() > left {
        run();
    }
}

/// A handshake for which the node decides, with many suspended sessions in the table.
pub(crate) fn handshake(size: u64) -> u64 {
    let host = Host::new(wide_limits());
    suspend(&host, size);
    let open = |_| {
        let hello = wide_hello(lesser());
        let opening = [hello.write(), ResumeState::nothing().write()].concat();
        Plain::connect(&host, &hello, &opening)
    };
    let plain: Vec<Plain> = (0..SESSIONS).map(open).collect();
    host.count_until(|| connected(&host) == SESSIONS);
    drop(plain);
    SESSIONS
}

/// A resumption for which the peer decides, with many suspended sessions in the table.
pub(crate) fn resumption(size: u64) -> u64 {
    let host = Host::new(wide_limits());
    suspend(&host, size);
    let mut plain = begin(&host, SESSIONS);
    for plain in &mut plain {
        // Until a frame of the peer arrives, the node assumes that the peer may not know the session.
        plain.send(&Frame::new(super::wire::RENEW, Bytes::new()).write(1));
    }
    host.run_until(|| host.node.sessions().len() as u64 == size + SESSIONS);
    host.rest();
    let hellos: Vec<Hello> = plain.into_iter().map(|plain| plain.hello).collect();
    host.run_until(|| connected(&host) == 0);
    host.rest();

    let again = |hello: &Hello| {
        let hello = Hello { nonce: [8; 32], ..hello.clone() };
        Plain::connect(&host, &hello, &hello.write())
    };
    let mut again: Vec<Plain> = hellos.iter().map(again).collect();
    // Until the node has sent its resume state.
    let mut buffer = [0; 1];
    for plain in &again {
        plain.stream.set_nonblocking(true).expect("a socket can be set so");
        host.count_until(|| plain.stream.peek(&mut buffer).is_ok());
        plain.stream.set_nonblocking(false).expect("a socket can be set so");
    }
    host.count_rest();
    for plain in &mut again {
        let other = plain.read_hello();
        let claim = Claim::Live { received: 0, lost: true };
        let state = ResumeState::proved(claim, secret(), &plain.hello, &other);
        plain.send(&[state.write(), Verdict::Resume(2).write()].concat());
    }
    host.count_until(|| connected(&host) == SESSIONS);
    SESSIONS
}

/// The secret of the sessions for which the peer decides.
fn secret() -> &'static Secret {
    &SECRET
}

/// `Close`, with many ended sessions in the table.
pub(crate) fn close(size: u64) -> u64 {
    let host = Host::new(wide_limits());
    for first in (0..size).step_by(AT_ONCE as usize) {
        let mut plain = begin(&host, AT_ONCE.min(size - first));
        end(&host, &mut plain, || step(&host.runtime));
    }
    let mut plain = begin(&host, SESSIONS);
    host.rest();
    end(&host, &mut plain, || counted_section(|| step(&host.runtime)));
    SESSIONS
}

/// Ends the session of a setup, and counts the node until it has removed the session.
fn count_end(mut setup: Setup) {
    setup.rest();
    let bytes = setup.peer.write(&[close_frame()]);
    assert_eq!(setup.peer.stream.try_write(&bytes).ok(), Some(bytes.len()), "there is room");
    setup.host.count_until(|| setup.host.node.sessions().is_empty());
    // The tasks of running calls are dropped by the runtime.
    setup.host.count_rest();
    std::mem::forget(setup);
}

/// `Close` of a session with many watches of one object, counted for each watch.
pub(crate) fn close_with_watches(size: u64) -> u64 {
    let mut setup = Setup::new();
    let object = setup.target;
    setup.watch(&[object], size);
    count_end(setup);
    size
}

/// `Close` of a session with full tables, counted for each entry of one table.
pub(crate) fn close_with_tables(size: u64) -> u64 {
    count_end(crowded(size));
    size
}
