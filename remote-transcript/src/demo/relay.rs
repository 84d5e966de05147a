//! The network of the demo: a relay before the server, which can drop all bytes. It must not know the protocol.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A relay. When it is dropped, it accepts no more connections.
pub(super) struct Relay {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
    lost: watch::Receiver<u64>,
}

/// The state that all connections of a relay share.
#[derive(Clone)]
struct Network {
    server: SocketAddr,
    is_cut: watch::Receiver<bool>,
    lost: watch::Sender<u64>,
}

impl Relay {
    /// Starts a relay before the server at this address.
    pub(super) async fn start(server: SocketAddr) -> io::Result<Relay> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let ((is_cut, cut), (losses, lost)) = (watch::channel(false), watch::channel(0));
        tokio::spawn(Network { server, is_cut: cut, lost: losses }.listen(listener));
        Ok(Relay { address, is_cut, lost })
    }

    /// Returns the address of the relay.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drops all bytes from now on, without closing connections. New connections wait.
    pub(super) fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Forwards bytes again. Connections that have lost bytes are reset.
    pub(super) fn restore(&self) {
        self.is_cut.send_replace(false);
    }

    /// Waits until bytes were lost, and returns how many.
    pub(super) async fn lost(&self) -> u64 {
        // The listening task, which has the sender, lives as long as the relay.
        self.lost.clone().wait_for(|lost| *lost > 0).await.map_or(0, |lost| *lost)
    }
}

impl Network {
    async fn listen(mut self, listener: TcpListener) {
        while self.is_cut.wait_for(|is_cut| !is_cut).await.is_ok() {
            tokio::select! {
                biased; // while the network is cut, connections wait in the backlog of the listener
                changed = self.is_cut.changed() => if changed.is_err() { return },
                accepted = listener.accept() => {
                    // An error concerns a connection that is gone already.
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
        let there = self.forward(near_reader, far_writer);
        let back = self.forward(far_reader, near_writer);
        if tokio::try_join!(there, back).is_err() {
            near.set_zero_linger()?;
            far.set_zero_linger()?;
        }
        Ok(())
    }

    /// Forwards bytes, and the end of the stream. Returns an error if bytes were lost.
    async fn forward(
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
                // The connection is not reset before the network is restored.
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

    async fn connect(relay: &Relay, server: &TcpListener) -> (TcpStream, TcpStream) {
        let near = TcpStream::connect(relay.address()).await.unwrap();
        (near, server.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn while_the_network_is_cut_bytes_are_lost_and_connections_wait() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::start(server.local_addr().unwrap()).await.unwrap();
        let (mut near, mut far) = connect(&relay, &server).await;
        let (mut idle_near, mut idle_far) = connect(&relay, &server).await;
        let mut received = [0; 5];
        for (from, to) in [(&mut near, &mut far), (&mut idle_near, &mut idle_far)] {
            from.write_all(b"hello").await.unwrap();
            to.read_exact(&mut received).await.unwrap();
            assert_eq!(&received, b"hello");
        }

        relay.cut();
        near.write_all(b"lost!").await.unwrap();
        let mut late = TcpStream::connect(relay.address()).await.unwrap();
        late.write_all(b"later").await.unwrap();
        assert_eq!(relay.lost().await, 5);
        relay.restore();

        let (mut late_far, _) = server.accept().await.unwrap();
        late_far.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"later");
        idle_near.write_all(b"still").await.unwrap();
        idle_far.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"still", "a connection without lost bytes goes on");
        let end = far.read(&mut received).await.map_err(|error| error.kind());
        assert_eq!(end, Err(io::ErrorKind::ConnectionReset));
    }
}
