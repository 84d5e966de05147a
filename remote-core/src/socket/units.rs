//! Owns work units: what they are, and how bytes that have arrived come apart into them.
//!
//! It must not know whence the bytes come. A unit has a longest length, past which nothing is kept.

use bytes::{Buf, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a socket reads at a time, and takes a unit of its credit: one of these.
///
/// Each has a longest length in bytes, so that memory is bounded; what is longer closes the socket.
///
/// ```
/// use remote_core::socket::WorkUnits;
/// assert_eq!(WorkUnits::lines(), WorkUnits::Lines { longest: 64 << 10 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkUnits {
    /// Lines of UTF-8. The line feed that ends a line is not part of it, nor is a carriage return before that.
    Lines {
        /// The longest line.
        longest: u32,
    },
    /// What has arrived, in pieces that mean nothing.
    Raw {
        /// The longest piece; what is longer comes in several.
        longest: u32,
    },
    /// Byte strings, each behind its length in four bytes, the highest first.
    Prefixed {
        /// The longest byte string.
        longest: u32,
    },
}

/// A work unit: what a socket has read.
///
/// ```
/// use remote_core::socket::WorkUnit;
/// assert_eq!(WorkUnit::Line("hello".into()).as_bytes(), b"hello");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkUnit {
    /// One of [`WorkUnits::Lines`], without its end.
    Line(String),
    /// One of [`WorkUnits::Raw`] or [`WorkUnits::Prefixed`], without its length.
    Bytes(Bytes),
}

/// The longest that anybody can ask for: it must fit into a message.
const LONGEST: u32 = 1 << 20;
/// How many bytes are read at a time.
const CHUNK: usize = 8 << 10;
/// The bytes of a length.
const PREFIX: usize = 4;

impl WorkUnits {
    /// Lines of at most 64 KiB.
    pub const fn lines() -> WorkUnits {
        WorkUnits::Lines { longest: 64 << 10 }
    }

    /// Pieces of at most 16 KiB.
    pub const fn raw() -> WorkUnits {
        WorkUnits::Raw { longest: 16 << 10 }
    }

    /// Byte strings of at most 64 KiB.
    pub const fn prefixed() -> WorkUnits {
        WorkUnits::Prefixed { longest: 64 << 10 }
    }

    /// Refuses what could not be kept to.
    pub(super) fn check(self) -> Result<WorkUnits> {
        let (WorkUnits::Lines { longest }
        | WorkUnits::Raw { longest }
        | WorkUnits::Prefixed { longest }) = self;
        if (1..=LONGEST).contains(&longest) {
            return Ok(self);
        }
        Err(Error::Refused(format!(
            "a work unit of at most {longest} bytes cannot be; set 1 to {LONGEST}"
        )))
    }
}

impl WorkUnit {
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            WorkUnit::Line(line) => line.as_bytes(),
            WorkUnit::Bytes(bytes) => bytes,
        }
    }
}

/// What has arrived and is no work unit yet.
#[derive(Default)]
pub(super) struct Arrived {
    bytes: BytesMut,
    /// In so many of them there is no line feed.
    searched: usize,
}

impl Arrived {
    /// Where more may be read into.
    pub(super) fn room(&mut self) -> bytes::buf::Limit<&mut BytesMut> {
        use bytes::BufMut;
        self.bytes.reserve(CHUNK);
        (&mut self.bytes).limit(CHUNK)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next unit, if it is here. Fails if there will be none.
    pub(super) fn next(&mut self, units: WorkUnits) -> Result<Option<WorkUnit>> {
        match units {
            WorkUnits::Lines { longest } => self.line(longest as usize),
            WorkUnits::Raw { longest } => Ok(self.piece(longest as usize)),
            WorkUnits::Prefixed { longest } => self.prefixed(longest as usize),
        }
    }

    fn line(&mut self, longest: usize) -> Result<Option<WorkUnit>> {
        let too_long = || Err(Error::Decode(format!("a line of more than {longest} bytes")));
        // It may be less than was searched, if the units are others now.
        let from = self.searched.min(self.bytes.len());
        let found = self.bytes[from..].iter().position(|byte| *byte == b'\n');
        let Some(end) = found.map(|at| from + at) else {
            self.searched = self.bytes.len();
            // The last may be a carriage return, which does not count.
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
            Err(error) => Err(Error::Decode(format!("a line that is no UTF-8: {error}"))),
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
            return Err(Error::Decode(format!("{length} bytes where at most {longest} may be")));
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

    /// What comes out if so many bytes arrive at a time.
    fn apart(bytes: &[u8], at_a_time: usize, units: WorkUnits) -> Result<Vec<Vec<u8>>> {
        let mut arrived = Arrived::default();
        let mut apart = Vec::new();
        for chunk in bytes.chunks(at_a_time) {
            arrived.bytes.extend_from_slice(chunk);
            while let Some(unit) = arrived.next(units)? {
                apart.push(unit.as_bytes().to_vec());
            }
        }
        if arrived.is_empty() { Ok(apart) } else { Err(Error::Timeout) }
    }

    #[test]
    fn lines_come_apart_however_they_arrive() {
        let text = "one\n\ntw\u{f6} \r\nthr\ree\n".as_bytes();
        for at_a_time in 1..=text.len() {
            let lines = apart(text, at_a_time, WorkUnits::lines()).unwrap();
            assert_eq!(lines, [&b"one"[..], b"", "tw\u{f6} ".as_bytes(), b"thr\ree"]);
        }
    }

    #[test]
    fn byte_strings_come_apart_however_they_arrive() {
        let bytes = b"\0\0\0\x05hello\0\0\0\0\0\0\0\x01\n";
        for at_a_time in 1..=bytes.len() {
            let strings = apart(bytes, at_a_time, WorkUnits::prefixed()).unwrap();
            assert_eq!(strings, [&b"hello"[..], b"", b"\n"]);
        }
    }

    #[test]
    fn pieces_are_what_there_is() {
        assert_eq!(
            apart(b"abcdefg", 7, WorkUnits::Raw { longest: 3 }).unwrap(),
            [&b"abc"[..], b"def", b"g"]
        );
    }

    #[test]
    fn what_is_longer_is_refused_as_soon_as_that_is_known() {
        let lines = WorkUnits::Lines { longest: 5 };
        for (text, fits) in
            [("12345\n", true), ("12345\r\n", true), ("123456\n", false), ("123456\r\n", false)]
        {
            for at_a_time in 1..=text.len() {
                let result = apart(text.as_bytes(), at_a_time, lines);
                assert_eq!(result.is_ok(), fits, "{text:?}, {at_a_time} at a time: {result:?}");
                assert!(fits || matches!(result, Err(Error::Decode(_))), "{result:?}");
            }
        }
        let prefixed = WorkUnits::Prefixed { longest: 5 };
        assert!(apart(b"\0\0\0\x0512345", 3, prefixed).is_ok());
        for wrong in [&b"\0\0\0\x06"[..], b"\xff\xff\xff\xff"] {
            assert!(matches!(apart(wrong, 4, prefixed), Err(Error::Decode(_))));
        }
    }

    #[test]
    fn a_line_that_is_no_utf_8_is_refused() {
        let result = apart(b"caf\xe9\n", 5, WorkUnits::lines());
        assert!(
            matches!(&result, Err(Error::Decode(said)) if said.contains("UTF-8")),
            "{result:?}"
        );
    }

    #[test]
    fn units_may_change_with_what_has_arrived() {
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
    fn lengths_that_cannot_be_are_refused() {
        assert_eq!(WorkUnits::raw().check(), Ok(WorkUnits::raw()));
        for longest in [0, LONGEST + 1] {
            let refused = WorkUnits::Lines { longest }.check();
            assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        }
    }
}
