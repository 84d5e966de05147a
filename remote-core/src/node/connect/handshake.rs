//! The messages of the handshake on a new connection: hello, resume state, verdict.
//!
//! It must not know sessions, nor the contents of decisions. The node with the greater identity decides about a connection, no
//! matter which side dialled, so that of two simultaneous connections both sides keep the same one.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::transport::connection::Connection;
use crate::wire::breach::Breach;
use crate::wire::hello::{
    Hello, MAX_MESSAGE, PREFACE, ResumeState, Verdict, check_preface, preface,
};

/// The node that decides about a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decides {
    This,
    Peer,
}

/// Exchanges hellos, as the side that dialled: it writes first.
pub(crate) async fn introduce(connection: &mut Connection, own: &Hello) -> Result<Hello> {
    write_hello(connection, own).await?;
    read_hello(connection).await
}

pub(crate) async fn write_hello(connection: &mut Connection, own: &Hello) -> Result<()> {
    let mut bytes = preface().to_vec();
    bytes.extend_from_slice(&own.write());
    connection.writer.write_all(&bytes).await?;
    Ok(connection.writer.flush().await?)
}

pub(crate) async fn read_hello(connection: &mut Connection) -> Result<Hello> {
    let mut bytes = [0; PREFACE];
    // Reads byte by byte, so that the first wrong byte ends the handshake.
    for read in 0..PREFACE {
        bytes[read] = connection.reader.read_u8().await.map_err(gone)?;
        check_preface(&bytes[..=read]).map_err(breach)?;
    }
    Hello::read(&read_framed(connection).await?).map_err(breach)
}

pub(crate) async fn write_resume_state(
    connection: &mut Connection,
    state: &ResumeState,
) -> Result<()> {
    connection.writer.write_all(&state.write()).await?;
    Ok(connection.writer.flush().await?)
}

pub(crate) async fn read_resume_state(connection: &mut Connection) -> Result<ResumeState> {
    ResumeState::read(&read_framed(connection).await?).map_err(breach)
}

pub(crate) async fn write_verdict(connection: &mut Connection, verdict: &Verdict) -> Result<()> {
    connection.writer.write_all(&verdict.write()).await?;
    Ok(connection.writer.flush().await?)
}

pub(crate) async fn read_verdict(connection: &mut Connection) -> Result<Verdict> {
    Verdict::read(&read_framed(connection).await?).map_err(breach)
}

/// Returns which of two nodes decides.
pub(crate) fn decides(own: NodeId, peer: NodeId) -> Decides {
    if own > peer { Decides::This } else { Decides::Peer }
}

async fn read_framed(connection: &mut Connection) -> Result<Vec<u8>> {
    let length = connection.reader.read_u16_le().await.map_err(gone)?;
    if usize::from(length) > MAX_MESSAGE {
        return Err(breach(Breach::Hello));
    }
    let mut bytes = vec![0; length.into()];
    connection.reader.read_exact(&mut bytes).await.map_err(gone)?;
    Ok(bytes)
}

fn breach(breach: Breach) -> Error {
    Error::Protocol(breach.to_string())
}

fn gone(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            Error::Io("the connection was closed during the introduction".into())
        }
        _ => error.into(),
    }
}
