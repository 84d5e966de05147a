//! Owns a relay between a client and a server: it delays what passes, each way, and can hold it back altogether.
//!
//! It must not know what passes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// A relay in front of a server.
pub(crate) struct Relay {
    address: SocketAddr,
    calls: watch::Sender<bool>,
    answers: watch::Sender<bool>,
}

impl Relay {
    /// In front of the server at `tcp://..`, with a delay each way.
    pub(crate) async fn start(server: &str, delay: Duration) -> Relay {
        let server: SocketAddr = server.strip_prefix("tcp://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, call_flow) = watch::channel(true);
        let (answers, answer_flow) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(server).await.unwrap();
                near.set_nodelay(true).unwrap();
                far.set_nodelay(true).unwrap();
                let (near_reader, near_writer) = near.into_split();
                let (far_reader, far_writer) = far.into_split();
                tokio::spawn(pass(near_reader, far_writer, delay, call_flow.clone()));
                tokio::spawn(pass(far_reader, near_writer, delay, answer_flow.clone()));
            }
        });
        Relay { address, calls, answers }
    }

    /// Where an object of the server is found through the relay.
    pub(crate) fn uri(&self, name: &str) -> String {
        format!("tcp://{}/{name}", self.address)
    }

    /// Lets nothing pass any more, either way.
    pub(crate) fn hold(&self) {
        self.calls.send_replace(false);
        self.hold_answers();
    }

    /// Lets nothing pass any more from the server to the client.
    pub(crate) fn hold_answers(&self) {
        self.answers.send_replace(false);
    }

    /// Lets everything pass again, what was held back first.
    pub(crate) fn release(&self) {
        self.calls.send_replace(true);
        self.answers.send_replace(true);
    }
}

/// Bytes read are due after the delay, whatever is read meanwhile: a delay, not a limit of speed.
async fn pass(
    mut reader: impl AsyncReadExt + Unpin + Send + 'static,
    mut writer: impl AsyncWriteExt + Unpin,
    delay: Duration,
    mut flowing: watch::Receiver<bool>,
) {
    let (sender, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = reader.read(&mut buffer).await {
            if sender.send((Instant::now() + delay, buffer[..read].to_vec())).await.is_err() {
                return;
            }
        }
    });
    while let Some((when, bytes)) = due.recv().await {
        tokio::time::sleep_until(when).await;
        if flowing.wait_for(|flows| *flows).await.is_err()
            || writer.write_all(&bytes).await.is_err()
        {
            return;
        }
    }
}
