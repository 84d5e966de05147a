//! The layout of the frames.
//!
//! All numbers are little-endian. A frame is its length as `u32`, which does not count itself, and then
//!
//! | request | reply |
//! |---|---|
//! | call `u64`, operation `u8`, target `u32`, body | call `u64`, body |
//!
//! The body of a reply is one number (`u64`), except that of an echo. The client chooses the ids of new objects, so that it
//! can call an object before the server has confirmed its creation.

use std::io;

use bytes::{Buf, BufMut, BytesMut};

/// The operation of a request on its target. Only `Release` has no reply.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
pub(crate) enum Operation {
    /// Adds the `u64` of the body; the reply is the sum.
    Add = 0,
    /// The reply is the body.
    Echo = 1,
    /// Creates a counter with the target's id, which is the reply.
    Make = 2,
    /// Creates the first node of a chain with the target's id, which is the reply.
    Node = 3,
    /// Creates the target's next node with the id (`u32`) in the body, which is the reply.
    Next = 4,
    /// The reply is the node's value.
    Value = 5,
    /// Removes the target.
    Release = 6,
}

pub(crate) struct Request<'a> {
    pub(crate) call: u64,
    pub(crate) operation: Operation,
    pub(crate) target: u32,
    pub(crate) body: &'a [u8],
}

const REQUEST_HEAD: usize = 8 + 1 + 4;
const REPLY_HEAD: usize = 8;
/// Longer than any frame of the workloads.
const LONGEST: usize = 64 << 20;

impl<'a> Request<'a> {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u32_le(length(REQUEST_HEAD + self.body.len()));
        out.put_u64_le(self.call);
        out.put_u8(self.operation as u8);
        out.put_u32_le(self.target);
        out.put_slice(self.body);
    }

    pub(crate) fn read(mut frame: &'a [u8]) -> io::Result<Self> {
        if frame.len() < REQUEST_HEAD {
            return Err(broken("a request without a head"));
        }
        let (call, operation, target) = (frame.get_u64_le(), frame.get_u8(), frame.get_u32_le());
        Ok(Self { call, operation: known(operation)?, target, body: frame })
    }
}

pub(crate) fn write_reply(out: &mut Vec<u8>, call: u64, body: &[u8]) {
    out.put_u32_le(length(REPLY_HEAD + body.len()));
    out.put_u64_le(call);
    out.put_slice(body);
}

/// Returns the call of a reply, and the offset of the body.
pub(crate) fn read_reply(frame: &[u8]) -> io::Result<(u64, usize)> {
    let call = frame.first_chunk().ok_or_else(|| broken("a reply without a head"))?;
    Ok((u64::from_le_bytes(*call), REPLY_HEAD))
}

/// Returns the length of the complete frames at the front. Reserves space for the rest of the next one if its length is
/// known.
pub(crate) fn complete(buffer: &mut BytesMut) -> io::Result<usize> {
    let mut end = 0;
    while let Some(length) = peek(&buffer[end..])? {
        let next = end + 4 + length;
        if next > buffer.len() {
            buffer.reserve(next - buffer.len());
            break;
        }
        end = next;
    }
    Ok(end)
}

/// Returns the length of the frame at the front, without the prefix. None if the prefix is incomplete.
pub(crate) fn peek(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(prefix) = bytes.first_chunk() else { return Ok(None) };
    let length = u32::from_le_bytes(*prefix) as usize;
    if length > LONGEST { Err(broken("a frame too long")) } else { Ok(Some(length)) }
}

/// Reads a body that is one number.
pub(crate) fn number(body: &[u8]) -> io::Result<u64> {
    body.try_into().map(u64::from_le_bytes).map_err(|_| broken("a body that is not a number"))
}

/// Reads a body that is one id.
pub(crate) fn object(body: &[u8]) -> io::Result<u32> {
    body.try_into().map(u32::from_le_bytes).map_err(|_| broken("a body that is not an id"))
}

pub(crate) fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn known(operation: u8) -> io::Result<Operation> {
    use Operation::{Add, Echo, Make, Next, Node, Release, Value};
    [Add, Echo, Make, Node, Next, Value, Release]
        .into_iter()
        .find(|known| *known as u8 == operation)
        .ok_or_else(|| broken("an unknown operation"))
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("no workload sends so much")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_round_trip() {
        let mut out = Vec::new();
        Request { call: 7, operation: Operation::Next, target: 9, body: &[1, 2, 3, 4] }
            .write(&mut out);
        assert_eq!(out.len(), 4 + peek(&out).expect("valid").expect("there"));
        let request = Request::read(&out[4..]).expect("complete");
        assert_eq!((request.call, request.operation, request.target), (7, Operation::Next, 9));
        assert_eq!(request.body, [1, 2, 3, 4]);
    }

    #[test]
    fn replies_round_trip() {
        let mut out = Vec::new();
        write_reply(&mut out, 7, &42u64.to_le_bytes());
        let (call, body) = read_reply(&out[4..]).expect("complete");
        assert_eq!(call, 7);
        assert_eq!(number(&out[4 + body..]).expect("a number"), 42);
    }

    #[test]
    fn only_complete_frames_are_taken() {
        let mut out = Vec::new();
        write_reply(&mut out, 1, &[]);
        let first = out.len();
        write_reply(&mut out, 2, &[0; 100_000]);
        for cut in 0..first + 20 {
            let mut buffer = BytesMut::from(&out[..cut]);
            assert_eq!(
                complete(&mut buffer).expect("valid"),
                if cut < first { 0 } else { first },
                "{cut}"
            );
            assert!(cut < first + 4 || buffer.capacity() >= out.len(), "{cut}");
        }
        assert_eq!(complete(&mut BytesMut::from(&out[..])).expect("valid"), out.len());
    }

    #[test]
    fn broken_frames_are_errors() {
        assert!(Request::read(&[0; REQUEST_HEAD - 1]).is_err());
        assert!(Request::read(&[9; REQUEST_HEAD]).is_err());
        assert!(read_reply(&[0; 7]).is_err());
        assert!(peek(&u32::MAX.to_le_bytes()).is_err());
        assert!(number(&[1]).is_err() && object(&[1]).is_err());
    }
}
