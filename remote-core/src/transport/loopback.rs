//! Resolves the addresses at which a node may listen: loopback addresses only, since nodes do not authenticate each other.
//!
//! It must not know what is listened for.

use std::net::SocketAddr;

use tokio::net::lookup_host;

use super::connection::not_listening;
use super::uri::Uri;
use crate::error::{Error, Result};

/// Resolves a place to listen at. Refuses it if one of its addresses can be reached from outside the machine.
pub(crate) async fn addresses(uri: &Uri) -> Result<Vec<SocketAddr>> {
    let addresses: Vec<SocketAddr> =
        lookup_host(&uri.place).await.map_err(|error| not_listening(uri, &error))?.collect();
    match addresses.iter().find(|address| !address.ip().is_loopback()) {
        Some(open) => Err(Error::Refused(format!(
            "{open} can be reached from outside, and there is no authentication yet; listen on 127.0.0.1 or [::1]"
        ))),
        None => Ok(addresses),
    }
}
