//! A relay between a server and its clients, which can close all connections and refuse new ones.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::process::Process;

/// The notes of a client when its connection is lost, and when it is restored.
pub(crate) const LOST: &str = "remote-transcript: connection lost; trying again ...";
pub(crate) const BACK: &str = "remote-transcript: connected again";

/// A relay. It runs until the tests end.
pub(crate) struct Network {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    server: SocketAddr,
    is_cut: bool,
    connections: Vec<TcpStream>,
}

impl Network {
    /// Starts a relay before the server of this Transcript.
    pub(crate) fn before(uri: &str) -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { server: server_address(uri), is_cut: false, connections: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                // If the server does not listen, the connection of the client is closed.
                let _ = carry(near.unwrap(), &shared);
            }
        });
        Network { address, state }
    }

    /// Returns the address of the Transcript through the relay.
    pub(crate) fn uri(&self) -> String {
        format!("tcp://{}/transcript", self.address)
    }

    /// Starts a member of the room, and waits until it has joined.
    pub(crate) fn member(&self, name: &str) -> Process {
        let to = format!("tcp://{}", self.address);
        let mut member = Process::start(&["chat", "--to", &to, "--name", name]);
        member.output.line_with("here: ");
        member
    }

    /// Closes all connections, and every new one.
    pub(crate) fn cut(&self) {
        let mut state = self.state();
        state.is_cut = true;
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both); // an error means that it is closed already
        }
    }

    /// Accepts connections again.
    pub(crate) fn restore(&self) {
        self.state().is_cut = false;
    }

    /// Connects new connections to another server.
    pub(crate) fn route_to(&self, uri: &str) {
        self.state().server = server_address(uri);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn carry(near: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut state = state.lock().unwrap();
    if state.is_cut {
        return Ok(());
    }
    let far = TcpStream::connect(state.server)?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    for (from, to) in [(&near, &far), (&far, &near)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to); // the other side is closed after errors, too
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    state.connections.extend([near, far]);
    Ok(())
}

fn server_address(uri: &str) -> SocketAddr {
    let address = uri.strip_prefix("tcp://").and_then(|rest| rest.strip_suffix("/transcript"));
    address.expect("the address of a Transcript").parse().unwrap()
}
