//! Owns the network of the demo: a relay in front of the server, which can be cut. Knows nothing of what passes.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A relay. Dropped, it takes no more connections.
pub(super) struct Relay {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
    lost: watch::Receiver<u64>,
}

/// What every connection through it is subject to.
#[derive(Clone)]
struct Network {
    server: SocketAddr,
    is_cut: watch::Receiver<bool>,
    lost: watch::Sender<u64>,
}

impl Relay {
    /// In front of the server at this address, which is that of a socket: `127.0.0.1:4096`.
    pub(super) async fn start(server: SocketAddr) -> io::Result<Relay> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let ((is_cut, cut), (losses, lost)) = (watch::channel(false), watch::channel(0));
        tokio::spawn(Network { server, is_cut: cut, lost: losses }.listen(listener));
        Ok(Relay { address, is_cut, lost })
    }

    /// Where the server is found through the relay.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing passes, and nobody is told: what is sent is lost, and who connects waits.
    pub(super) fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// What is sent passes again. A connection that lost something is reset, since a stream has no holes.
    pub(super) fn heal(&self) {
        self.is_cut.send_replace(false);
    }

    /// How many bytes were lost so far, as soon as there are any.
    pub(super) async fn lost(&self) -> u64 {
        // The other end lives as long as this does.
        self.lost.clone().wait_for(|lost| *lost > 0).await.map_or(0, |lost| *lost)
    }
}

impl Network {
    async fn listen(mut self, listener: TcpListener) {
        while self.is_cut.wait_for(|is_cut| !is_cut).await.is_ok() {
            tokio::select! {
                biased; // who connects meanwhile waits in the system's queue
                changed = self.is_cut.changed() => if changed.is_err() { return },
                accepted = listener.accept() => {
                    // One that could not be taken is one that the network has lost.
                    let Ok((near, _)) = accepted else { continue };
                    tokio::spawn(self.clone().carry(near));
                }
            }
        }
    }

    async fn carry(self, mut near: TcpStream) -> io::Result<()> {
        let mut far = TcpStream::connect(self.server).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let ((near_reader, near_writer), (far_reader, far_writer)) = (near.split(), far.split());
        let there = self.pass(near_reader, far_writer);
        let back = self.pass(far_reader, near_writer);
        if tokio::try_join!(there, back).is_err() {
            near.set_zero_linger()?;
            far.set_zero_linger()?;
        }
        Ok(())
    }

    /// Hands on what is read, and at last that nothing more will come. An error if some of it was lost.
    async fn pass(
        &self,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut is_cut = self.is_cut.clone();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = reader.read(&mut buffer).await?;
            if *is_cut.borrow() {
                self.lost.send_modify(|lost| *lost += read as u64);
                // Nobody hears of it before the network is healed.
                let _ = is_cut.wait_for(|is_cut| !is_cut).await;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            match read {
                0 => return writer.shutdown().await,
                read => writer.write_all(&buffer[..read]).await?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn through(relay: &Relay, server: &TcpListener) -> (TcpStream, TcpStream) {
        let near = TcpStream::connect(relay.address()).await.unwrap();
        (near, server.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn what_is_sent_while_it_is_cut_is_lost_and_who_connects_meanwhile_waits() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::start(server.local_addr().unwrap()).await.unwrap();
        let (mut near, mut far) = through(&relay, &server).await;
        let (mut idle_near, mut idle_far) = through(&relay, &server).await;
        let mut heard = [0; 5];
        for (from, to) in [(&mut near, &mut far), (&mut idle_near, &mut idle_far)] {
            from.write_all(b"hello").await.unwrap();
            to.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hello");
        }

        relay.cut();
        near.write_all(b"lost!").await.unwrap();
        let mut late = TcpStream::connect(relay.address()).await.unwrap();
        late.write_all(b"later").await.unwrap();
        assert_eq!(relay.lost().await, 5);
        relay.heal();

        let (mut late_far, _) = server.accept().await.unwrap();
        late_far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"later");
        idle_near.write_all(b"still").await.unwrap();
        idle_far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"still", "where nothing was sent, nothing was lost");
        let end = far.read(&mut heard).await.map_err(|error| error.kind());
        assert_eq!(end, Err(io::ErrorKind::ConnectionReset));
    }
}
