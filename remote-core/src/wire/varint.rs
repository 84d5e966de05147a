//! The encoding of numbers and byte strings in frames: LEB128, and a length before the bytes.
//!
//! It must not know frames.

use super::breach::Breach;

/// The size of the largest number, in bytes.
pub(crate) const MAX_NUMBER: usize = 10;

/// Appends a number in LEB128: seven bits in a byte, low bits first.
pub(crate) fn put(out: &mut Vec<u8>, value: u64) {
    let mut header = Header::<MAX_NUMBER>::new();
    header.number(value);
    out.extend_from_slice(header.bytes());
}

/// Appends a byte string, after its length.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A buffer for the header of a frame, which is then appended in one piece. It holds at most `N` bytes; the caller
/// guarantees that they suffice.
pub(crate) struct Header<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Header<N> {
    #[inline]
    pub(crate) fn new() -> Header<N> {
        Header { bytes: [0; N], length: 0 }
    }

    #[inline]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    #[inline]
    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    #[inline]
    pub(crate) fn array<const M: usize>(&mut self, bytes: [u8; M]) {
        self.bytes[self.length..self.length + M].copy_from_slice(&bytes);
        self.length += M;
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Reads the fields of a frame, one after another.
pub(crate) struct Cursor<'f> {
    rest: &'f [u8],
}

impl<'f> Cursor<'f> {
    pub(crate) fn new(bytes: &'f [u8]) -> Cursor<'f> {
        Cursor { rest: bytes }
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Breach> {
        let (first, rest) = self.rest.split_first().ok_or(Breach::Frame)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, Breach> {
        // Most numbers are small.
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, Breach> {
        // Most of the others are call and frame numbers of three bytes.
        if let [first, second, third, rest @ ..] = self.rest
            && *second >= 0x80
            && (1..0x80).contains(third)
        {
            self.rest = rest;
            let bits = |byte: &u8| u64::from(byte & 0x7f);
            return Ok(bits(first) | bits(second) << 7 | bits(third) << 14);
        }
        let mut value = 0;
        for (place, byte) in self.rest.iter().take(MAX_NUMBER).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if place == MAX_NUMBER - 1 && bits > 1 {
                return Err(Breach::Frame);
            }
            value |= bits << (7 * place);
            if *byte < 0x80 {
                if *byte == 0 {
                    return Err(Breach::Frame); // It is longer than necessary: one byte less means the same.
                }
                self.rest = &self.rest[place + 1..];
                return Ok(value);
            }
        }
        Err(Breach::Frame)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'f [u8], Breach> {
        let length = usize::try_from(self.number()?).map_err(|_| Breach::Frame)?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'f str, Breach> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Breach::Frame)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Breach> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| Breach::Frame)
    }

    /// Returns all bytes that are left.
    pub(crate) fn rest(&mut self) -> &'f [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Fails if bytes are left.
    pub(crate) fn end(&self) -> Result<(), Breach> {
        if self.rest.is_empty() { Ok(()) } else { Err(Breach::Frame) }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'f [u8], Breach> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Breach::Frame)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_written() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            put(&mut out, value);
            let mut cursor = Cursor::new(&out);
            assert_eq!(cursor.number(), Ok(value));
            assert_eq!(cursor.end(), Ok(()));
        }
    }

    #[test]
    fn numbers_beyond_64_bits_are_refused() {
        assert_eq!(Cursor::new(&[0xff; 11]).number(), Err(Breach::Frame));
        assert_eq!(
            Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).number(),
            Err(Breach::Frame)
        );
    }

    #[test]
    fn numbers_longer_than_necessary_are_refused() {
        for value in [0, 1, 127, 128, 300, 1 << 21, u64::from(u32::MAX), u64::MAX >> 1] {
            let mut out = Vec::new();
            put(&mut out, value);
            while out.len() < MAX_NUMBER {
                *out.last_mut().unwrap() |= 0x80;
                out.push(0);
                assert_eq!(Cursor::new(&out).number(), Err(Breach::Frame), "{value}: {out:?}");
            }
        }
    }

    #[test]
    fn lengths_beyond_the_bytes_are_refused() {
        let mut out = Vec::new();
        put(&mut out, u64::MAX);
        assert_eq!(Cursor::new(&out).bytes(), Err(Breach::Frame));
        assert_eq!(Cursor::new(&[2, b'a']).bytes(), Err(Breach::Frame));
    }
}
