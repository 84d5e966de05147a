//! Owns a hostile server: a listening socket that introduces itself, or does not, and answers what it likes.
//!
//! It must not know the library.

use tokio::net::{TcpListener, TcpStream};

use super::peer::{Peer, TARGET, greater};
use super::stage::soon;
use super::wire::{ACCEPT, Bytes, CALL, Call, Frame, Hello, answer, mine};

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

    /// The next connection, introduced: the server decides, and accepts.
    pub(crate) async fn session(&self) -> Peer {
        self.introduced(&ACCEPT).await
    }

    /// The next connection, introduced with this verdict.
    pub(crate) async fn introduced(&self, verdict: &[u8]) -> Peer {
        let mut peer = Peer::on(self.stranger().await);
        peer.hear_hello().await;
        peer.send_raw(&[Hello::of(greater()).write(), verdict.to_vec()].concat()).await;
        peer
    }

    /// The next session, in which the object has been looked up.
    pub(crate) async fn looked_up(&self) -> Peer {
        let mut peer = self.session().await;
        let lookup = peer.asked().await;
        let interface = peer.name(TARGET).await;
        peer.send(&answer(lookup.question, 0, Bytes::new().count(0), mine(OBJECT, interface)))
            .await;
        peer
    }
}

impl Peer {
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
