//! The connection of two parties over a socket.

use std::io;

use capnp::message::ReaderOptions;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::twoparty::VatNetwork;
use futures::io::{BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

pub(crate) type Network = VatNetwork<BufReader<Compat<OwnedReadHalf>>>;

/// Connects this side to the other one. Both streams are buffered, as `VatNetwork::new` recommends.
pub(crate) fn over(socket: TcpStream, side: Side) -> io::Result<Box<Network>> {
    socket.set_nodelay(true)?;
    let (input, output) = socket.into_split();
    let (input, output) = (BufReader::new(input.compat()), BufWriter::new(output.compat_write()));
    Ok(Box::new(VatNetwork::new(input, output, side, ReaderOptions::default())))
}
