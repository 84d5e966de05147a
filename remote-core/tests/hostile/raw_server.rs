//! A hostile server: a listening socket that completes the handshake or does not, and sends any answers.
//!
//! It must not know the library.

use tokio::net::{TcpListener, TcpStream};

use super::hello::{Hello, ResumeState, SECRET, Verdict};
use super::peer::{Peer, TARGET, greater};
use super::setup::soon;
use super::wire::{Bytes, CALL, Call, Frame, answer, mine};

/// The number of the object that it exports.
pub(crate) const OBJECT: u64 = 5;

/// A listening socket.
pub(crate) struct RawServer {
    listener: TcpListener,
}

/// A call of the client, as far as a server needs it.
pub(crate) struct IncomingCall {
    pub(crate) question: u64,
    pub(crate) manner: u8,
}

impl RawServer {
    pub(crate) async fn new() -> RawServer {
        RawServer { listener: TcpListener::bind("127.0.0.1:0").await.expect("a port is free") }
    }

    /// Returns the address of its object.
    pub(crate) fn uri(&self) -> String {
        format!("tcp://{}/target", self.listener.local_addr().expect("it is bound"))
    }

    /// Returns the next connection, on which nothing was sent.
    pub(crate) async fn stranger(&self) -> TcpStream {
        let (stream, _) =
            soon("the client connects", self.listener.accept()).await.expect("it can be accepted");
        stream.set_nodelay(true).expect("small writes leave at once");
        stream
    }

    /// Returns the next connection after the handshake: the server is the decider, and accepts. Each time it is another
    /// node.
    pub(crate) async fn session(&self) -> Peer {
        self.introduced(&Verdict::Accept(SECRET).write()).await
    }

    /// Returns the next connection after a handshake with this verdict. It skips connections for sessions that the
    /// server had as another node: the client learns that the node is gone.
    pub(crate) async fn introduced(&self, verdict: &[u8]) -> Peer {
        loop {
            let hello = Hello::of(greater());
            let mut peer = Peer::on(self.stranger().await, &hello);
            peer.read_hello().await;
            peer.send_raw(
                &[hello.write(), ResumeState::nothing().write(), verdict.to_vec()].concat(),
            )
            .await;
            if peer.read_resume_state().await.is_some() {
                return peer;
            }
        }
    }

    /// Returns the next session, as this node, which resumes it on other connections.
    pub(crate) async fn session_as(&self, node: [u8; 16]) -> Peer {
        let mut peer = Peer::on(self.stranger().await, &Hello::of(node));
        peer.welcome().await.expect("the client goes on");
        peer.begin().await;
        peer
    }

    /// Returns the next connection on which a client wants to resume its session, and its resume state.
    pub(crate) async fn again(&self, former: &Peer) -> (Peer, ResumeState) {
        loop {
            let mut peer = former.copy(self.stranger().await);
            // A client may have abandoned an older attempt.
            if let Some(state) = peer.welcome().await {
                return (peer, state);
            }
        }
    }

    /// Resumes the session on the client's next connection, in good order.
    pub(crate) async fn resume(&self, peer: &mut Peer) {
        let (mut again, state) = self.again(peer).await;
        assert!(again.believes(&state), "{state:?}");
        again.resume_on(again.claim()).await;
        *peer = again;
    }

    /// Accepts connections as another node each time, so that a client that had a session with the server learns that
    /// it is over.
    pub(crate) async fn is_restarted(&self) -> ! {
        loop {
            let hello = Hello::of(greater());
            let mut peer = Peer::on(self.stranger().await, &hello);
            peer.send_raw(&hello.write()).await;
            peer.ended_somehow().await;
        }
    }

    /// Returns the next session, in which the object has been looked up.
    pub(crate) async fn looked_up(&self) -> Peer {
        let mut peer = self.session().await;
        peer.look_up().await;
        peer
    }
}

impl Peer {
    /// Answers the client's next call with the object.
    pub(crate) async fn look_up(&mut self) {
        let lookup = self.next_call().await;
        let interface = self.name(TARGET).await;
        self.send(&answer(lookup.question, 0, Bytes::new().count(0), mine(OBJECT, interface)))
            .await;
    }

    /// Returns the next call of the client.
    pub(crate) async fn next_call(&mut self) -> IncomingCall {
        self.next_call_unless_ended().await.expect("the client goes on")
    }

    /// Returns the next call of the client; `None` if the session ends.
    pub(crate) async fn next_call_unless_ended(&mut self) -> Option<IncomingCall> {
        loop {
            let frame = self.next().await?;
            if frame.kind == CALL {
                let mut fields = frame.fields();
                return Some(IncomingCall {
                    question: fields.number(),
                    manner: fields.byte() >> 1,
                });
            }
        }
    }

    /// Sends a call to an object of the client.
    pub(crate) async fn ask_back(&mut self, call: &Call) {
        let frames: Vec<Frame> = call.frames();
        self.send_all(&frames).await;
    }
}
