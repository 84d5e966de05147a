//! Owns the network between a server and some clients, which can be cut: all connections are closed, and new ones, too.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::process::Process;

/// What a client notes when its connection is lost, and when it is back.
pub(crate) const LOST: &str = "remote-transcript: connection lost; trying again ...";
pub(crate) const BACK: &str = "remote-transcript: connected again";

/// A relay, which stays as long as the tests.
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
    /// Before the server of this Transcript.
    pub(crate) fn before(uri: &str) -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { server: place(uri), is_cut: false, connections: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                // A server that does not listen leaves the client with a connection that is closed.
                let _ = carry(near.unwrap(), &shared);
            }
        });
        Network { address, state }
    }

    /// The address of the Transcript through the network.
    pub(crate) fn uri(&self) -> String {
        format!("tcp://{}/transcript", self.address)
    }

    /// A member of the room that has joined.
    pub(crate) fn member(&self, name: &str) -> Process {
        let to = format!("tcp://{}", self.address);
        let mut member = Process::start(&["chat", "--to", &to, "--name", name]);
        member.output.line_with("here: ");
        member
    }

    /// Closes all connections, and those that are made from now on.
    pub(crate) fn cut(&self) {
        let mut state = self.state();
        state.is_cut = true;
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both); // one that has ended already
        }
    }

    /// Lets connections be made again.
    pub(crate) fn heal(&self) {
        self.state().is_cut = false;
    }

    /// Leads to another server from now on.
    pub(crate) fn lead_to(&self, uri: &str) {
        self.state().server = place(uri);
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
            let _ = io::copy(&mut from, &mut to); // however it ends, the other side is told
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    state.connections.extend([near, far]);
    Ok(())
}

fn place(uri: &str) -> SocketAddr {
    let place = uri.strip_prefix("tcp://").and_then(|rest| rest.strip_suffix("/transcript"));
    place.expect("the address of a Transcript").parse().unwrap()
}
