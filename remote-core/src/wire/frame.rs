//! The frames, byte by byte (the format is in PROTOCOL.md).
//!
//! It must not know sessions. A frame that can be read may still be a breach, which the session checks.

use super::breach::Breach;
use super::fingerprint::Fingerprint;
use super::varint::{Cursor, Header, MAX_NUMBER};
use crate::id::{FrameNumber, NameId, ObjectId, QuestionId, WatchId};

/// The maximum number of bytes of one body in one frame. Other frames are sent between two chunks.
pub(crate) const CHUNK: usize = 16 * 1024;
/// The maximum size of a frame: a chunk and its header.
pub(crate) const MAX_FRAME: usize = CHUNK + 512;
/// The maximum number of serial executions in the chain of a call.
pub(crate) const MAX_CHAIN: usize = 32;
/// The size of the number of a serial execution.
pub(crate) const EXECUTION: usize = 8;
/// The maximum length of the name of a message or an interface.
pub(crate) const MAX_NAME: usize = 1024;
/// The size of the length field that precedes a frame.
pub(crate) const LENGTH: usize = 4;

/// The maximum size of a frame's header: length and kind, a byte for each of four small fields, and seven numbers.
const MAX_HEADER: usize = LENGTH + 5 + 7 * MAX_NUMBER;

/// The bit of a call's mode that says that it has a chain.
const HAS_CHAIN: u8 = 0x08;

/// The first kind of frame without a number. Such frames are about the connection, and are not retransmitted.
const UNNUMBERED: u8 = 0x40;

/// The target of a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Target {
    /// An object that the receiver has exported to the sender.
    Object(ObjectId),
    /// The result of this question of the sender: a pipelined call.
    Answer(QuestionId),
}

/// The kind of reply that the sender of a call expects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// An answer.
    Call,
    /// An answer, which the receiver keeps until the sender sends `Finish`, so that messages can be pipelined on it.
    Promise,
    /// Nothing.
    OneWay,
}

impl Manner {
    /// Returns the manner for a node that forwards the message and does not pipeline on it.
    pub(crate) fn for_the_reply(self) -> Manner {
        if self == Manner::Promise { Manner::Call } else { self }
    }
}

/// The kind of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// The value that the method returned.
    Value,
    /// The error that the method returned, of the interface's error type.
    Failure,
    /// An [`Error`](crate::Error) of the system, which the method did not return.
    Fault,
}

/// The size of the content of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Extent {
    /// The bytes of the references, which follow the body.
    pub(crate) references: u64,
    /// Zero if this frame contains all of the content; otherwise the size of the content in this frame and the chunks that
    /// follow.
    pub(crate) total: u64,
}

/// A frame. `content` is the body and, after it, the references.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Frame<'f> {
    Call {
        question: QuestionId,
        target: Target,
        selector: NameId,
        manner: Manner,
        nesting: u8,
        /// The milliseconds that are left, plus one; zero for no deadline.
        deadline: u64,
        /// The numbers of the serial executions that await the call, eight bytes each.
        chain: &'f [u8],
        extent: Extent,
        content: &'f [u8],
    },
    Answer {
        question: QuestionId,
        status: Status,
        extent: Extent,
        content: &'f [u8],
    },
    /// A further part of the content of a call of the sender, or of an answer to a question of the receiver.
    CallChunk {
        question: QuestionId,
        bytes: &'f [u8],
    },
    AnswerChunk {
        question: QuestionId,
        bytes: &'f [u8],
    },
    /// Cancels a call: the caller no longer needs an answer.
    Cancel {
        question: QuestionId,
    },
    /// The caller will send no more messages to the answer.
    Finish {
        question: QuestionId,
    },
    /// Gives back a number of introductions of an object.
    Release {
        object: ObjectId,
        introductions: u64,
    },
    /// Defines the number of a name.
    Name {
        id: NameId,
        fingerprint: Fingerprint,
        name: &'f str,
    },
    /// Requests a notification when the object ends. The number is chosen by the sender.
    Watch {
        watch: WatchId,
        object: ObjectId,
    },
    /// Withdraws the request.
    Unwatch {
        watch: WatchId,
    },
    /// Reports that the object of a watch has ended.
    Ended {
        watch: WatchId,
        stopped: bool,
        reason: &'f str,
    },
    /// Ends the session. It is the last frame.
    Close {
        code: u64,
        reason: &'f str,
    },
    /// Acknowledges all frames up to this number.
    Acknowledge {
        number: FrameNumber,
    },
    /// Extends the window by the one-way messages that have been executed, and their bytes.
    Credit {
        calls: u64,
        bytes: u64,
    },
    /// Requests an acknowledgement at once, which renews the lease.
    Renew,
    /// The sender begins no more calls, and asks the receiver for the same.
    Closing,
    /// Keeps the connection alive.
    Ping,
}

impl<'f> Frame<'f> {
    /// Returns true if the frame has a number.
    #[inline]
    pub(crate) fn is_numbered(&self) -> bool {
        self.kind() < UNNUMBERED
    }

    /// Appends the frame to `out`; `more` appends to its last field.
    #[inline(always)]
    pub(crate) fn write(
        &self,
        number: FrameNumber,
        out: &mut Vec<u8>,
        more: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut header = Header::<MAX_HEADER>::new();
        header.array([0; LENGTH]);
        header.byte(self.kind());
        if self.is_numbered() {
            header.number(number.0);
        }
        let last = self.write_fields(&mut header);
        let start = out.len();
        out.extend_from_slice(header.bytes());
        if let Frame::Call { chain, .. } = self {
            out.extend_from_slice(chain);
        }
        out.extend_from_slice(last);
        more(out);
        let length = (out.len() - start - LENGTH) as u32;
        out[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
    }

    /// Reads one frame, without its length field.
    pub(crate) fn read(bytes: &'f [u8]) -> Result<(Option<FrameNumber>, Frame<'f>), Breach> {
        let mut cursor = Cursor::new(bytes);
        let kind = cursor.byte()?;
        let number = if kind < UNNUMBERED { Some(FrameNumber(cursor.number()?)) } else { None };
        let frame = Frame::read_fields(kind, &mut cursor)?;
        cursor.end()?;
        Ok((number, frame))
    }

    #[inline]
    fn kind(&self) -> u8 {
        match self {
            Frame::Call { .. } => 0x01,
            Frame::Answer { .. } => 0x02,
            Frame::CallChunk { .. } => 0x03,
            Frame::AnswerChunk { .. } => 0x04,
            Frame::Cancel { .. } => 0x05,
            Frame::Finish { .. } => 0x06,
            Frame::Release { .. } => 0x07,
            Frame::Name { .. } => 0x08,
            Frame::Watch { .. } => 0x09,
            Frame::Unwatch { .. } => 0x0a,
            Frame::Ended { .. } => 0x0b,
            Frame::Credit { .. } => 0x0c,
            Frame::Close { .. } => 0x0d,
            Frame::Renew => 0x0e,
            Frame::Closing => 0x0f,
            Frame::Acknowledge { .. } => 0x40,
            Frame::Ping => 0x41,
        }
    }

    /// Writes the fields, except for the bytes at the end of some frames, which it returns.
    #[inline(always)]
    fn write_fields(&self, header: &mut Header<MAX_HEADER>) -> &'f [u8] {
        match *self {
            Frame::Call {
                question,
                target,
                selector,
                manner,
                nesting,
                deadline,
                chain,
                extent,
                content,
            } => {
                header.number(question.0);
                let (kind, id) = match target {
                    Target::Object(object) => (0, object.0),
                    Target::Answer(question) => (1, question.0),
                };
                let has_chain = if chain.is_empty() { 0 } else { HAS_CHAIN };
                header.byte(kind | (manner as u8) << 1 | has_chain);
                header.number(id);
                header.number(selector.0);
                header.byte(nesting);
                header.number(deadline);
                extent.write(header);
                if has_chain > 0 {
                    header.byte((chain.len() / EXECUTION) as u8);
                }
                return content;
            }
            Frame::Answer { question, status, extent, content } => {
                header.number(question.0);
                header.byte(status as u8);
                extent.write(header);
                return content;
            }
            Frame::CallChunk { question, bytes } | Frame::AnswerChunk { question, bytes } => {
                header.number(question.0);
                return bytes;
            }
            Frame::Cancel { question } | Frame::Finish { question } => header.number(question.0),
            Frame::Release { object, introductions } => {
                header.number(object.0);
                header.number(introductions);
            }
            Frame::Name { id, fingerprint, name } => {
                header.number(id.0);
                header.array(fingerprint.bytes());
                return write_length(header, name);
            }
            Frame::Watch { watch, object } => {
                header.number(watch.0);
                header.number(object.0);
            }
            Frame::Unwatch { watch } => header.number(watch.0),
            Frame::Ended { watch, stopped, reason } => {
                header.number(watch.0);
                header.byte(u8::from(stopped));
                return write_length(header, reason);
            }
            Frame::Close { code, reason } => {
                header.number(code);
                return write_length(header, reason);
            }
            Frame::Acknowledge { number } => header.number(number.0),
            Frame::Credit { calls, bytes } => {
                header.number(calls);
                header.number(bytes);
            }
            Frame::Ping | Frame::Renew | Frame::Closing => {}
        }
        &[]
    }

    fn read_fields(kind: u8, cursor: &mut Cursor<'f>) -> Result<Frame<'f>, Breach> {
        Ok(match kind {
            0x01 => {
                let question = QuestionId(cursor.number()?);
                let bits = cursor.byte()?;
                let id = cursor.number()?;
                let target = if bits & 1 == 0 {
                    Target::Object(ObjectId(id))
                } else {
                    Target::Answer(QuestionId(id))
                };
                let manner = match (bits & !HAS_CHAIN) >> 1 {
                    0 => Manner::Call,
                    1 => Manner::Promise,
                    2 => Manner::OneWay,
                    _ => return Err(Breach::Frame),
                };
                Frame::Call {
                    question,
                    target,
                    manner,
                    selector: NameId(cursor.number()?),
                    nesting: cursor.byte()?,
                    deadline: cursor.number()?,
                    extent: Extent::read(cursor)?,
                    chain: if bits & HAS_CHAIN == 0 { &[] } else { read_chain(cursor)? },
                    content: cursor.rest(),
                }
            }
            0x02 => Frame::Answer {
                question: QuestionId(cursor.number()?),
                status: match cursor.byte()? {
                    0 => Status::Value,
                    1 => Status::Failure,
                    2 => Status::Fault,
                    _ => return Err(Breach::Frame),
                },
                extent: Extent::read(cursor)?,
                content: cursor.rest(),
            },
            0x03 => {
                Frame::CallChunk { question: QuestionId(cursor.number()?), bytes: cursor.rest() }
            }
            0x04 => {
                Frame::AnswerChunk { question: QuestionId(cursor.number()?), bytes: cursor.rest() }
            }
            0x05 => Frame::Cancel { question: QuestionId(cursor.number()?) },
            0x06 => Frame::Finish { question: QuestionId(cursor.number()?) },
            0x07 => Frame::Release {
                object: ObjectId(cursor.number()?),
                introductions: cursor.number()?,
            },
            0x08 => Frame::Name {
                id: NameId(cursor.number()?),
                fingerprint: Fingerprint::from_bytes(cursor.array()?),
                name: cursor.text()?,
            },
            0x09 => Frame::Watch {
                watch: WatchId(cursor.number()?),
                object: ObjectId(cursor.number()?),
            },
            0x0a => Frame::Unwatch { watch: WatchId(cursor.number()?) },
            0x0b => Frame::Ended {
                watch: WatchId(cursor.number()?),
                stopped: match cursor.byte()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Breach::Frame),
                },
                reason: cursor.text()?,
            },
            0x0c => Frame::Credit { calls: cursor.number()?, bytes: cursor.number()? },
            0x0d => Frame::Close { code: cursor.number()?, reason: cursor.text()? },
            0x0e => Frame::Renew,
            0x0f => Frame::Closing,
            0x40 => Frame::Acknowledge { number: FrameNumber(cursor.number()?) },
            0x41 => Frame::Ping,
            _ => return Err(Breach::Frame),
        })
    }
}

/// Reads the chain of a call, without an interpretation of its numbers.
fn read_chain<'f>(cursor: &mut Cursor<'f>) -> Result<&'f [u8], Breach> {
    match usize::from(cursor.byte()?) {
        executions @ 1..=MAX_CHAIN => cursor.take(executions * EXECUTION),
        _ => Err(Breach::Frame),
    }
}

/// Writes the length of a text, and returns its bytes.
fn write_length<'t>(header: &mut Header<MAX_HEADER>, text: &'t str) -> &'t [u8] {
    header.number(text.len() as u64);
    text.as_bytes()
}

impl Extent {
    #[inline]
    fn write(self, header: &mut Header<MAX_HEADER>) {
        header.number(self.references);
        header.number(self.total);
    }

    #[inline(always)]
    fn read(cursor: &mut Cursor<'_>) -> Result<Extent, Breach> {
        Ok(Extent { references: cursor.number()?, total: cursor.number()? })
    }
}

#[cfg(test)]
mod tests;
