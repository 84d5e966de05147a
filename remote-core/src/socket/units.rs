//! Work units: their kinds, and splitting arrived bytes into them.
//!
//! It must not know where the bytes come from. The length of a unit is bounded, so that the buffer is, too.

use bytes::{Buf, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The kind of unit into which a socket splits what it reads; set by [`Socket::work_units`](super::Socket::work_units). Each
/// unit takes one unit of credit.
///
/// Each kind has a maximum length in bytes, 1 to 1 MiB, which bounds the memory. A longer unit closes the socket.
///
/// ```
/// use remote_core::socket::WorkUnits;
/// let short_lines = WorkUnits::Lines { longest: 80 };
/// assert_ne!(short_lines, WorkUnits::lines()); // 64 KiB
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkUnits {
    /// Lines of UTF-8. A unit does not include the line feed that ends the line, nor a carriage return before that.
    Lines {
        /// The maximum length of a line.
        longest: u32,
    },
    /// Bytes as they arrive, in pieces of arbitrary size.
    Raw {
        /// The maximum length of a piece; longer input is delivered in several.
        longest: u32,
    },
    /// Byte strings, each after its length as four bytes in big-endian order.
    Prefixed {
        /// The maximum length of a byte string.
        longest: u32,
    },
}

/// A work unit: what a socket delivers to its controlling object by [`SocketController::data`](super::SocketController::data).
///
/// ```
/// use remote_core::socket::WorkUnit;
/// let unit = WorkUnit::Line("hello".into());
/// assert!(matches!(&unit, WorkUnit::Line(line) if line == "hello"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkUnit {
    /// A line of [`WorkUnits::Lines`], without its end.
    Line(String),
    /// A unit of [`WorkUnits::Raw`] or [`WorkUnits::Prefixed`], without its length.
    Bytes(Bytes),
}

/// The upper bound of every maximum length: a unit must fit into a message.
const MAX_LENGTH: u32 = 1 << 20;
/// The number of bytes that are read at a time.
const CHUNK: usize = 8 << 10;
/// The size of a length prefix, in bytes.
const PREFIX: usize = 4;

impl WorkUnits {
    /// Returns lines of at most 64 KiB, which is the default.
    ///
    /// ```
    /// # use remote_core::socket::WorkUnits;
    /// assert_eq!(WorkUnits::lines(), WorkUnits::Lines { longest: 64 << 10 });
    /// ```
    pub const fn lines() -> WorkUnits {
        WorkUnits::Lines { longest: 64 << 10 }
    }

    /// Returns pieces of at most 16 KiB.
    ///
    /// ```
    /// # use remote_core::socket::WorkUnits;
    /// assert_eq!(WorkUnits::raw(), WorkUnits::Raw { longest: 16 << 10 });
    /// ```
    pub const fn raw() -> WorkUnits {
        WorkUnits::Raw { longest: 16 << 10 }
    }

    /// Returns byte strings of at most 64 KiB, each after its length.
    ///
    /// ```
    /// # use remote_core::socket::WorkUnits;
    /// assert_eq!(WorkUnits::prefixed(), WorkUnits::Prefixed { longest: 64 << 10 });
    /// ```
    pub const fn prefixed() -> WorkUnits {
        WorkUnits::Prefixed { longest: 64 << 10 }
    }

    /// Returns an error if the maximum length is out of bounds.
    pub(super) fn check(self) -> Result<WorkUnits> {
        let (WorkUnits::Lines { longest }
        | WorkUnits::Raw { longest }
        | WorkUnits::Prefixed { longest }) = self;
        if (1..=MAX_LENGTH).contains(&longest) {
            return Ok(self);
        }
        Err(Error::Refused(format!(
            "the maximum length of a work unit must be 1 to {MAX_LENGTH} bytes, not {longest}"
        )))
    }
}

impl WorkUnit {
    /// Returns the bytes of the unit.
    ///
    /// ```
    /// # use remote_core::socket::WorkUnit;
    /// assert_eq!(WorkUnit::Line("hello".into()).as_bytes(), b"hello");
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            WorkUnit::Line(line) => line.as_bytes(),
            WorkUnit::Bytes(bytes) => bytes,
        }
    }
}

/// The bytes that have arrived and are not yet a unit.
#[derive(Default)]
pub(super) struct Arrived {
    bytes: BytesMut,
    /// The number of leading bytes that contain no line feed.
    searched: usize,
}

impl Arrived {
    /// Returns the buffer for the next read.
    pub(super) fn room(&mut self) -> bytes::buf::Limit<&mut BytesMut> {
        use bytes::BufMut;
        self.bytes.reserve(CHUNK);
        (&mut self.bytes).limit(CHUNK)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Removes and returns the next unit, if it is complete. Fails if the bytes cannot become a unit.
    pub(super) fn next(&mut self, units: WorkUnits) -> Result<Option<WorkUnit>> {
        match units {
            WorkUnits::Lines { longest } => self.line(longest as usize),
            WorkUnits::Raw { longest } => Ok(self.piece(longest as usize)),
            WorkUnits::Prefixed { longest } => self.prefixed(longest as usize),
        }
    }

    fn line(&mut self, longest: usize) -> Result<Option<WorkUnit>> {
        let too_long = || Err(Error::Decode(format!("a line of more than {longest} bytes")));
        // After a change of the kind of units, fewer bytes may be left than were searched.
        let from = self.searched.min(self.bytes.len());
        let found = self.bytes[from..].iter().position(|byte| *byte == b'\n');
        let Some(end) = found.map(|at| from + at) else {
            self.searched = self.bytes.len();
            // The last byte may be a carriage return, which does not count.
            return if self.bytes.len() > longest + 1 { too_long() } else { Ok(None) };
        };
        self.searched = 0;
        let line = self.bytes.split_to(end);
        self.bytes.advance(1);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if line.len() > longest {
            return too_long();
        }
        match std::str::from_utf8(line) {
            Ok(line) => Ok(Some(WorkUnit::Line(line.to_owned()))),
            Err(error) => Err(Error::Decode(format!("a line that is not UTF-8: {error}"))),
        }
    }

    fn piece(&mut self, longest: usize) -> Option<WorkUnit> {
        self.searched = 0;
        let length = self.bytes.len().min(longest);
        (length > 0).then(|| WorkUnit::Bytes(self.bytes.split_to(length).freeze()))
    }

    fn prefixed(&mut self, longest: usize) -> Result<Option<WorkUnit>> {
        self.searched = 0;
        let Some(prefix) = self.bytes.first_chunk::<PREFIX>() else { return Ok(None) };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > longest {
            return Err(Error::Decode(format!(
                "a byte string of {length} bytes, where {longest} is the maximum"
            )));
        }
        if self.bytes.len() < PREFIX + length {
            return Ok(None);
        }
        self.bytes.advance(PREFIX);
        Ok(Some(WorkUnit::Bytes(self.bytes.split_to(length).freeze())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the units if bytes arrive in chunks of this size.
    fn split(bytes: &[u8], at_a_time: usize, units: WorkUnits) -> Result<Vec<Vec<u8>>> {
        let mut arrived = Arrived::default();
        let mut units_found = Vec::new();
        for chunk in bytes.chunks(at_a_time) {
            arrived.bytes.extend_from_slice(chunk);
            while let Some(unit) = arrived.next(units)? {
                units_found.push(unit.as_bytes().to_vec());
            }
        }
        if arrived.is_empty() { Ok(units_found) } else { Err(Error::Timeout) }
    }

    #[test]
    fn lines_are_split_at_any_chunk_size() {
        let text = "one\n\ntw\u{f6} \r\nthr\ree\n".as_bytes();
        for at_a_time in 1..=text.len() {
            let lines = split(text, at_a_time, WorkUnits::lines()).unwrap();
            assert_eq!(lines, [&b"one"[..], b"", "tw\u{f6} ".as_bytes(), b"thr\ree"]);
        }
    }

    #[test]
    fn byte_strings_are_split_at_any_chunk_size() {
        let bytes = b"\0\0\0\x05hello\0\0\0\0\0\0\0\x01\n";
        for at_a_time in 1..=bytes.len() {
            let strings = split(bytes, at_a_time, WorkUnits::prefixed()).unwrap();
            assert_eq!(strings, [&b"hello"[..], b"", b"\n"]);
        }
    }

    #[test]
    fn raw_units_return_what_has_arrived() {
        assert_eq!(
            split(b"abcdefg", 7, WorkUnits::Raw { longest: 3 }).unwrap(),
            [&b"abc"[..], b"def", b"g"]
        );
    }

    #[test]
    fn a_unit_that_is_too_long_is_refused_early() {
        let lines = WorkUnits::Lines { longest: 5 };
        for (text, fits) in
            [("12345\n", true), ("12345\r\n", true), ("123456\n", false), ("123456\r\n", false)]
        {
            for at_a_time in 1..=text.len() {
                let result = split(text.as_bytes(), at_a_time, lines);
                assert_eq!(result.is_ok(), fits, "{text:?}, {at_a_time} at a time: {result:?}");
                assert!(fits || matches!(result, Err(Error::Decode(_))), "{result:?}");
            }
        }
        let prefixed = WorkUnits::Prefixed { longest: 5 };
        assert!(split(b"\0\0\0\x0512345", 3, prefixed).is_ok());
        for wrong in [&b"\0\0\0\x06"[..], b"\xff\xff\xff\xff"] {
            assert!(matches!(split(wrong, 4, prefixed), Err(Error::Decode(_))));
        }
    }

    #[test]
    fn a_line_that_is_not_utf_8_is_refused() {
        let result = split(b"caf\xe9\n", 5, WorkUnits::lines());
        assert!(
            matches!(&result, Err(Error::Decode(reason)) if reason.contains("UTF-8")),
            "{result:?}"
        );
    }

    #[test]
    fn the_kind_of_units_may_change_after_bytes_arrived() {
        let mut arrived = Arrived::default();
        arrived.bytes.extend_from_slice(b"a line\n\0\0\0\x02\n\nand");
        let mut next = |units| arrived.next(units).unwrap().map(|unit| unit.as_bytes().to_vec());
        assert_eq!(next(WorkUnits::lines()).unwrap(), b"a line");
        assert_eq!(next(WorkUnits::prefixed()).unwrap(), b"\n\n");
        assert_eq!(next(WorkUnits::lines()), None);
        assert_eq!(next(WorkUnits::raw()).unwrap(), b"and");
        assert_eq!(next(WorkUnits::lines()), None);
    }

    #[test]
    fn maximum_lengths_out_of_bounds_are_refused() {
        assert_eq!(WorkUnits::raw().check(), Ok(WorkUnits::raw()));
        for longest in [0, MAX_LENGTH + 1] {
            let refused = WorkUnits::Lines { longest }.check();
            assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        }
    }
}
