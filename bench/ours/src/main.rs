//! The contestant that is the product, as a user would write it: through the public interface, with default limits. It
//! must not know anything of the library's that its documentation does not offer.

mod client;
mod interfaces;
mod server;

use std::process::ExitCode;

use contract::{Contestant, Result};
use remote_core::{Node, Ref};

use crate::server::{Root, Tally};

fn main() -> ExitCode {
    contract::play::<Ours>()
}

struct Ours;

impl Contestant for Ours {
    type Connection = client::Connection;

    async fn serve(announce: impl FnOnce(u16) + Send) -> Result<()> {
        let node = Node::listen("tcp://127.0.0.1:0").await?;
        node.publish(COUNTER, Ref::<dyn interfaces::Counter>::new(Tally::default())).await?;
        node.publish(ROOT, Ref::<dyn interfaces::Root>::new(Root)).await?;
        let uri = node.uri(ROOT);
        announce(port(&uri).ok_or_else(|| format!("no port in {uri}"))?);
        node.closed().await;
        Ok(())
    }

    async fn connect(port: u16) -> Result<client::Connection> {
        client::Connection::open(port).await
    }
}

const COUNTER: &str = "counter";
const ROOT: &str = "root";

/// What stands between the last colon and the path.
fn port(uri: &str) -> Option<u16> {
    let (_, rest) = uri.rsplit_once(':')?;
    rest.split('/').next()?.parse().ok()
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
