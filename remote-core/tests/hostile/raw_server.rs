//! Owns a hostile server: a listening socket that introduces itself, or does not, and answers what it likes.
//!
//! It must not know the library.

use tokio::net::{TcpListener, TcpStream};

use super::hello::{Hello, SECRET, Standing, Verdict};
use super::peer::{Peer, TARGET, greater};
use super::stage::soon;
use super::wire::{Bytes, CALL, Call, Frame, answer, mine};

/// The number of the object that it shows.
pub(crate) const OBJECT: u64 = 5;

/// A socket that listens.
pub(crate) struct RawServer {
    listener: TcpListener,
}

/// A call of the client's, as far as a server must know it.
pub(crate) struct Asked {
    pub(crate) question: u64,
    pub(crate) manner: u8,
}

impl RawServer {
    pub(crate) async fn new() -> RawServer {
        RawServer { listener: TcpListener::bind("127.0.0.1:0").await.expect("a port is free") }
    }

    /// Where it shows its object.
    pub(crate) fn uri(&self) -> String {
        format!("tcp://{}/target", self.listener.local_addr().expect("it is bound"))
    }

    /// The next connection, on which nothing has been said.
    pub(crate) async fn stranger(&self) -> TcpStream {
        let (stream, _) =
            soon("the client connects", self.listener.accept()).await.expect("it can be accepted");
        stream.set_nodelay(true).expect("small writes leave at once");
        stream
    }

    /// The next connection, introduced: the server decides, and accepts. Each time it is another node.
    pub(crate) async fn session(&self) -> Peer {
        self.introduced(&Verdict::Accept(SECRET).write()).await
    }

    /// The next connection, introduced with this verdict. Connections for sessions that the server had as another node
    /// are not taken up: the client learns that it is gone.
    pub(crate) async fn introduced(&self, verdict: &[u8]) -> Peer {
        loop {
            let hello = Hello::of(greater());
            let mut peer = Peer::on(self.stranger().await, &hello);
            peer.hear_hello().await;
            peer.send_raw(&[hello.write(), Standing::nothing().write(), verdict.to_vec()].concat())
                .await;
            if peer.hear_standing().await.is_some() {
                return peer;
            }
        }
    }

    /// The next session, as this node, which goes on with it on other connections.
    pub(crate) async fn session_as(&self, node: [u8; 16]) -> Peer {
        let mut peer = Peer::on(self.stranger().await, &Hello::of(node));
        peer.welcome().await.expect("the client goes on");
        peer.begin().await;
        peer
    }

    /// The next connection on which a client wants to go on with its session, and what it says of that.
    pub(crate) async fn again(&self, former: &Peer) -> (Peer, Standing) {
        loop {
            let mut peer = former.twin(self.stranger().await);
            // A client may have given up on an older one.
            if let Some(standing) = peer.welcome().await {
                return (peer, standing);
            }
        }
    }

    /// Goes on with the session on the client's next connection, as is right.
    pub(crate) async fn resume(&self, peer: &mut Peer) {
        let (mut again, standing) = self.again(peer).await;
        assert!(again.believes(&standing), "{standing:?}");
        again.take_up(again.claim()).await;
        *peer = again;
    }

    /// Takes connections as another node each time, so that whatever client had a session with it learns that it is over.
    pub(crate) async fn is_restarted(&self) -> ! {
        loop {
            let hello = Hello::of(greater());
            let mut peer = Peer::on(self.stranger().await, &hello);
            peer.send_raw(&hello.write()).await;
            peer.ended_somehow().await;
        }
    }

    /// The next session, in which the object has been looked up.
    pub(crate) async fn looked_up(&self) -> Peer {
        let mut peer = self.session().await;
        peer.look_up().await;
        peer
    }
}

impl Peer {
    /// Answers the client's next call with the object.
    pub(crate) async fn look_up(&mut self) {
        let lookup = self.asked().await;
        let interface = self.name(TARGET).await;
        self.send(&answer(lookup.question, 0, Bytes::new().count(0), mine(OBJECT, interface)))
            .await;
    }

    /// The next call of the client's.
    pub(crate) async fn asked(&mut self) -> Asked {
        self.asked_unless_ended().await.expect("the client goes on")
    }

    /// The next call of the client's, if it makes one.
    pub(crate) async fn asked_unless_ended(&mut self) -> Option<Asked> {
        loop {
            let frame = self.next().await?;
            if frame.kind == CALL {
                let mut fields = frame.fields();
                return Some(Asked { question: fields.number(), manner: fields.byte() >> 1 });
            }
        }
    }

    /// A call to an object of the client's.
    pub(crate) async fn ask_back(&mut self, call: &Call) {
        let frames: Vec<Frame> = call.frames();
        self.send_all(&frames).await;
    }
}
