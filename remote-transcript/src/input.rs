//! Reads standard input by lines, on a separate thread, because a read from a terminal or a pipe cannot be cancelled.
//! It must not know where the lines go.

use std::io::{self, Read};

use tokio::sync::mpsc;

use crate::transcript::LONGEST_LINE;

/// The size of the read buffer, and the capacity of the channel in chunks: together they bound what is read ahead.
const CHUNK_BYTES: usize = 64 * 1024;
const CHUNKS: usize = 16;

/// The result of one read: usually one line from a keyboard, many from a file.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// The lines that it completed, without line ends.
    pub(crate) lines: Vec<String>,
    /// The number of bytes of these lines in the input.
    pub(crate) bytes: u64,
    /// The number of lines that were not UTF-8; invalid bytes are replaced by U+FFFD.
    pub(crate) damaged: u64,
}

/// Returns the lines of `input` as they arrive. The last line needs no line end. An error is the last item.
pub(crate) fn lines(input: impl Read + Send + 'static) -> mpsc::Receiver<io::Result<Chunk>> {
    let (chunks, receiver) = mpsc::channel(CHUNKS);
    // Not a thread of the runtime: it may block in a read for ever, and the process exits without waiting for it.
    std::thread::spawn(move || {
        if let Err(error) = read_lines(input, |chunk| chunks.blocking_send(Ok(chunk)).is_ok()) {
            let _ = chunks.blocking_send(Err(error)); // the receiver was dropped
        }
    });
    receiver
}

/// Adds the chunks that are in the channel already, up to about `CHUNK_BYTES`, so that many short reads become one
/// message.
pub(crate) fn merge_waiting(
    chunks: &mut mpsc::Receiver<io::Result<Chunk>>,
    mut chunk: Chunk,
) -> (Chunk, io::Result<()>) {
    while chunk.bytes < CHUNK_BYTES as u64 {
        match chunks.try_recv() {
            Ok(Ok(more)) => {
                chunk.lines.extend(more.lines);
                chunk.bytes += more.bytes;
                chunk.damaged += more.damaged;
            }
            Ok(Err(error)) => return (chunk, Err(error)),
            Err(_) => break,
        }
    }
    (chunk, Ok(()))
}

/// Reads to the end, or until `deliver` returns false.
fn read_lines(mut input: impl Read, mut deliver: impl FnMut(Chunk) -> bool) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut partial: Vec<u8> = Vec::new(); // a line whose end has not arrived
    let mut lines_read = 0;
    loop {
        let count = match input.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut chunk = Chunk::default();
        let mut rest = &buffer[..count];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            partial.extend_from_slice(&rest[..end]);
            check_length(&partial, lines_read + chunk.lines.len())?;
            chunk.push(&partial, 1);
            partial.clear();
            rest = &rest[end + 1..];
        }
        partial.extend_from_slice(rest);
        check_length(&partial, lines_read + chunk.lines.len())?;
        if count == 0 && !partial.is_empty() {
            chunk.push(&partial, 0);
        }
        lines_read += chunk.lines.len();
        if !chunk.lines.is_empty() && !deliver(chunk) || count == 0 {
            return Ok(());
        }
    }
}

fn check_length(line: &[u8], lines_before: usize) -> io::Result<()> {
    if line.len() <= LONGEST_LINE {
        return Ok(());
    }
    let number = lines_before + 1;
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("line {number} is longer than {LONGEST_LINE} bytes: split it"),
    ))
}

impl Chunk {
    fn push(&mut self, line: &[u8], end_bytes: u64) {
        let text = String::from_utf8_lossy(line);
        self.damaged += u64::from(matches!(text, std::borrow::Cow::Owned(_)));
        self.bytes += line.len() as u64 + end_bytes;
        self.lines.push(text.into_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one piece at each read, as a keyboard or a pipe does.
    struct Pieces<'p>(std::slice::Iter<'p, &'static [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let piece = self.0.next().copied().unwrap_or_default();
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn chunks(pieces: &[&'static [u8]]) -> Vec<Vec<String>> {
        let mut seen = Vec::new();
        let keep = |chunk: Chunk| {
            seen.push(chunk.lines);
            true
        };
        read_lines(Pieces(pieces.iter()), keep).unwrap();
        seen
    }

    #[test]
    fn each_read_returns_the_lines_that_it_completes() {
        let seen = chunks(&[b"one\ntw", b"o", b"\n\nthree\n", b"four"]);
        assert_eq!(seen, [vec!["one"], vec!["two", "", "three"], vec!["four"]]);
        assert!(chunks(&[]).is_empty());
    }

    #[test]
    fn lines_that_are_not_utf8_are_repaired_and_counted() {
        let mut damaged = 0;
        let count = |chunk: Chunk| {
            damaged += chunk.damaged;
            assert_eq!(chunk.lines, ["fine", "b\u{fffd}d"]);
            true
        };
        read_lines(&b"fine\nb\xffd\n"[..], count).unwrap();
        assert_eq!(damaged, 1);
    }

    #[test]
    fn a_line_without_end_is_refused_at_the_limit() {
        let endless = io::repeat(b'x').take(1 << 40);
        let error = read_lines((&b"ok\n"[..]).chain(endless), |_| true).unwrap_err();
        assert!(error.to_string().starts_with("line 2 is longer than"), "{error}");
    }

    #[test]
    fn waiting_chunks_are_merged_up_to_one_message() {
        let (sender, mut receiver) = mpsc::channel(CHUNKS);
        let chunk = |text: &str| Chunk {
            lines: vec![text.to_owned()],
            bytes: CHUNK_BYTES as u64 / 2,
            damaged: 0,
        };
        for text in ["b", "c"] {
            sender.try_send(Ok(chunk(text))).unwrap();
        }
        let (merged, end) = merge_waiting(&mut receiver, chunk("a"));
        assert_eq!(merged.lines, ["a", "b"]);
        end.unwrap();
    }
}
