//! The forms with a server process: the same server and client over `tcp://` and over `unix://`.

use std::marker::PhantomData;

use contract::{Contestant, Result};
use remote_core::{Error, Node};

use crate::client;
use crate::server::publish;

/// A transport: the part in which the forms differ.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Starts a node, and returns the number from which a client derives its address.
    fn listen() -> impl Future<Output = Result<(Node, u16)>> + Send;

    /// Returns the address of the node with that number.
    fn address(number: u16) -> String;
}

/// The contestant over one transport.
pub(crate) struct Over<T>(PhantomData<T>);

impl<T: Transport> Contestant for Over<T> {
    type Connection = client::Connection;

    async fn serve(announce: impl FnOnce(u16) + Send) -> Result<()> {
        let (node, number) = T::listen().await?;
        publish(&node).await?;
        announce(number);
        node.closed().await;
        Ok(())
    }

    async fn connect(number: u16) -> Result<client::Connection> {
        client::Connection::open(&T::address(number)).await
    }
}

pub(crate) struct Tcp;

impl Transport for Tcp {
    async fn listen() -> Result<(Node, u16)> {
        let node = Node::listen("tcp://127.0.0.1:0").await?;
        let uri = node.uri("root");
        let port = port(&uri).ok_or_else(|| format!("no port in {uri}"))?;
        Ok((node, port))
    }

    fn address(port: u16) -> String {
        format!("tcp://127.0.0.1:{port}")
    }
}

/// Returns the number between the last colon and the path.
fn port(uri: &str) -> Option<u16> {
    let (_, rest) = uri.rsplit_once(':')?;
    rest.split('/').next()?.parse().ok()
}

pub(crate) struct Unix;

impl Transport for Unix {
    /// Takes the first socket of a numbered series on which no other server listens. A server is killed and leaves its
    /// socket file behind, so that names which are never used again would accumulate.
    async fn listen() -> Result<(Node, u16)> {
        for number in 0..=u16::MAX {
            match Node::listen(Self::address(number)).await {
                Ok(node) => return Ok((node, number)),
                Err(Error::Io(_)) if number < u16::MAX => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err("no free socket".into())
    }

    fn address(number: u16) -> String {
        let path = std::env::temp_dir().join(format!("bench-ours-{number}.sock"));
        format!("unix://{}", path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_stands_before_the_name() {
        assert_eq!(port("tcp://127.0.0.1:4096/root"), Some(4096));
        assert_eq!(port("tcp://[::1]:4096"), Some(4096));
        assert_eq!(port("memory://here/root"), None);
    }
}
