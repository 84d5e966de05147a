//! The datagram: a one-way message to a published object, in one piece that contains what a session would have negotiated
//! (the format is in PROTOCOL.md).
//!
//! It must not know sockets, nor which objects are published.

use std::time::Duration;

use super::breach::Breach;
use super::fingerprint::Fingerprint;
use super::hello::{PREFACE, check_preface, preface};
use super::varint::{Cursor, put, put_bytes};
use crate::id::NodeId;

/// A one-way message outside of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Datagram<'d> {
    /// The sender's identity, which is not authenticated.
    pub(crate) sender: NodeId,
    /// The number of the datagram: the sender counts all its datagrams, whatever their destination.
    pub(crate) number: u64,
    /// The name under which the receiver is published.
    pub(crate) name: &'d str,
    /// The selector and its fingerprint, as in a `Name` frame.
    pub(crate) fingerprint: Fingerprint,
    pub(crate) selector: &'d str,
    /// The nesting, as in a `Call` frame.
    pub(crate) nesting: u8,
    /// The time left, if there is a deadline.
    pub(crate) deadline: Option<Duration>,
    /// The arguments.
    pub(crate) body: &'d [u8],
}

impl<'d> Datagram<'d> {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = preface().to_vec();
        out.extend_from_slice(self.sender.bytes());
        put(&mut out, self.number);
        put_bytes(&mut out, self.name.as_bytes());
        out.extend_from_slice(&self.fingerprint.bytes());
        put_bytes(&mut out, self.selector.as_bytes());
        out.push(self.nesting);
        put(&mut out, self.deadline.map_or(0, |left| left.as_millis() as u64 + 1));
        out.extend_from_slice(self.body);
        out
    }

    pub(crate) fn read(bytes: &'d [u8]) -> Result<Datagram<'d>, Breach> {
        let mut cursor = Cursor::new(bytes);
        check_preface(&cursor.array::<PREFACE>()?)?;
        Ok(Datagram {
            sender: NodeId::from_bytes(cursor.array()?),
            number: cursor.number()?,
            name: cursor.text()?,
            fingerprint: Fingerprint::from_bytes(cursor.array()?),
            selector: cursor.text()?,
            nesting: cursor.byte()?,
            deadline: cursor.number()?.checked_sub(1).map(Duration::from_millis),
            body: cursor.rest(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram() -> Datagram<'static> {
        Datagram {
            sender: NodeId::from_bytes([1; 16]),
            number: 300,
            name: "log",
            fingerprint: 0x0102_0304_0506_0708.into(),
            selector: "Log.line",
            nesting: 1,
            deadline: Some(Duration::from_millis(1500)),
            body: b"abc",
        }
    }

    #[test]
    fn datagrams_are_read_as_written() {
        let endless = Datagram { deadline: None, body: b"", ..datagram() };
        for datagram in [datagram(), endless] {
            assert_eq!(Datagram::read(&datagram.write()), Ok(datagram));
        }
    }

    #[test]
    fn a_truncated_datagram_is_refused() {
        let bytes = datagram().write();
        let head = bytes.len() - datagram().body.len();
        for end in 0..head {
            assert_eq!(Datagram::read(&bytes[..end]), Err(Breach::Frame), "cut at {end}");
        }
        for end in head..=bytes.len() {
            // The body is the rest of the datagram: if it is too short, decoding the arguments fails.
            assert_eq!(Datagram::read(&bytes[..end]).map(|read| read.body), Ok(&bytes[head..end]));
        }
    }

    #[test]
    fn another_protocol_and_another_version_are_refused() {
        let with = |place: usize, byte| {
            let mut bytes = datagram().write();
            bytes[place] = byte;
            Datagram::read(&bytes).map(|_| ())
        };
        assert_eq!(with(0, b'r'), Err(Breach::Magic));
        assert_eq!(with(6, 0xff), Err(Breach::Version(0xff)));
        assert_eq!(with(7, 0x01), Err(Breach::Version(0x0103)));
    }
}
