//! Owns the frames: what stands on the wire, byte by byte (PROTOCOL.md says the same in words).
//!
//! It must not know sessions: a frame that can be read may still be wrong, which is for the session to say.

use super::breach::Breach;
use super::varint::{Cursor, Front, LONGEST_NUMBER, put};
use crate::id::{FrameNumber, Identity, NameId, NodeId, ObjectId, QuestionId, Token, WatchId};

/// The most bytes of one body that one frame carries: between two of them other frames pass.
pub(crate) const CHUNK: usize = 16 * 1024;
/// The longest frame: a chunk and its head.
pub(crate) const LONGEST_FRAME: usize = CHUNK + 256;
/// The longest name of a message or an interface.
pub(crate) const LONGEST_NAME: usize = 1024;
/// The bytes before a frame that say how long it is.
pub(crate) const LENGTH: usize = 4;

/// No front of a frame is longer: its length and kind, a byte for each of three small fields, and seven numbers.
const LONGEST_FRONT: usize = LENGTH + 4 + 7 * LONGEST_NUMBER;

/// Kinds from here on carry no number: they are about the connection, and are not sent again after it broke.
const UNNUMBERED: u8 = 0x40;

/// Whom a call is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Target {
    /// An object that the receiver gave to the sender.
    Object(ObjectId),
    /// Whatever the answer to this question of the sender's will refer to.
    Answer(QuestionId),
}

/// What the sender of a call wants back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// An answer.
    Ask,
    /// An answer, which the receiver keeps until told to finish, so that messages can be sent to it meanwhile.
    Promise,
    /// Nothing.
    Tell,
}

impl Manner {
    /// The same for one who passes the message on, and does not pipeline himself.
    pub(crate) fn for_the_reply(self) -> Manner {
        if self == Manner::Promise { Manner::Ask } else { self }
    }
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// With the value that the method returned.
    Value,
    /// With the error that the method returned, of the interface's error type.
    Failure,
    /// Without the method having a say: an [`Error`](crate::Error) of the system.
    Fault,
}

/// A reference in a body, as its sender sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Descriptor {
    /// An object of the sender's node.
    Mine { object: ObjectId, interface: NameId },
    /// An object of the receiver's node, which comes home.
    Yours { object: ObjectId, interface: NameId },
    /// An object elsewhere, to which the sender forwards. With the token, its owner gives it to the receiver.
    Forwarded { object: ObjectId, owner: Identity, interface: NameId, token: Option<Token> },
}

/// How far the content of a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Extent {
    /// The bytes of the references, which stand behind the body.
    pub(crate) references: u64,
    /// Zero if all of the content is in this frame, else the bytes that it and the chunks that follow come to.
    pub(crate) total: u64,
}

/// One frame. `content` is the body and, behind it, the references.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Frame<'f> {
    Call {
        question: QuestionId,
        target: Target,
        selector: NameId,
        manner: Manner,
        nesting: u8,
        /// Milliseconds left, plus one; zero for no deadline.
        deadline: u64,
        extent: Extent,
        content: &'f [u8],
    },
    Answer {
        question: QuestionId,
        status: Status,
        extent: Extent,
        content: &'f [u8],
    },
    /// More of the content of a call (of the sender's) or of an answer (to the receiver's question).
    CallChunk {
        question: QuestionId,
        bytes: &'f [u8],
    },
    AnswerChunk {
        question: QuestionId,
        bytes: &'f [u8],
    },
    /// The asker wants no answer any more.
    Cancel {
        question: QuestionId,
    },
    /// The asker will send nothing more to the answer.
    Finish {
        question: QuestionId,
    },
    /// So many of the introductions of an object are given back.
    Release {
        object: ObjectId,
        introductions: u64,
    },
    /// From now on this number stands for this name.
    Name {
        id: NameId,
        fingerprint: u64,
        name: &'f str,
    },
    /// Tell me when the object ends; the number is the asker's.
    Watch {
        watch: WatchId,
        object: ObjectId,
    },
    /// Do not tell me any more.
    Unwatch {
        watch: WatchId,
    },
    /// It ended.
    Ended {
        watch: WatchId,
        stopped: bool,
        reason: &'f str,
    },
    /// The last frame.
    Close {
        code: u64,
        reason: &'f str,
    },
    /// All frames up to this number have arrived.
    Acknowledge {
        number: FrameNumber,
    },
    /// Messages without answer that have been executed, and their bytes: room for as many more.
    Credit {
        calls: u64,
        bytes: u64,
    },
    /// Acknowledge this at once: it renews the lease.
    Renew,
    /// I am here.
    Ping,
}

impl<'f> Frame<'f> {
    /// Whether the frame carries a number.
    #[inline]
    pub(crate) fn is_numbered(&self) -> bool {
        self.kind() < UNNUMBERED
    }

    /// Appends the frame; `more` appends to its last field.
    #[inline(always)]
    pub(crate) fn write(
        &self,
        number: FrameNumber,
        out: &mut Vec<u8>,
        more: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut front = Front::<LONGEST_FRONT>::new();
        front.array([0; LENGTH]);
        front.byte(self.kind());
        if self.is_numbered() {
            front.number(number.0);
        }
        let last = self.write_fields(&mut front);
        let start = out.len();
        out.extend_from_slice(front.bytes());
        out.extend_from_slice(last);
        more(out);
        let length = (out.len() - start - LENGTH) as u32;
        out[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
    }

    /// Reads the bytes of one frame, without its length.
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
            Frame::Acknowledge { .. } => 0x40,
            Frame::Ping => 0x41,
        }
    }

    /// Writes the fields but for the bytes at the end of some, which it gives back.
    #[inline(always)]
    fn write_fields(&self, front: &mut Front<LONGEST_FRONT>) -> &'f [u8] {
        match *self {
            Frame::Call {
                question,
                target,
                selector,
                manner,
                nesting,
                deadline,
                extent,
                content,
            } => {
                front.number(question.0);
                let (kind, id) = match target {
                    Target::Object(object) => (0, object.0),
                    Target::Answer(question) => (1, question.0),
                };
                front.byte(kind | (manner as u8) << 1);
                front.number(id);
                front.number(selector.0);
                front.byte(nesting);
                front.number(deadline);
                extent.write(front);
                return content;
            }
            Frame::Answer { question, status, extent, content } => {
                front.number(question.0);
                front.byte(status as u8);
                extent.write(front);
                return content;
            }
            Frame::CallChunk { question, bytes } | Frame::AnswerChunk { question, bytes } => {
                front.number(question.0);
                return bytes;
            }
            Frame::Cancel { question } | Frame::Finish { question } => front.number(question.0),
            Frame::Release { object, introductions } => {
                front.number(object.0);
                front.number(introductions);
            }
            Frame::Name { id, fingerprint, name } => {
                front.number(id.0);
                front.array(fingerprint.to_le_bytes());
                return with_length(front, name);
            }
            Frame::Watch { watch, object } => {
                front.number(watch.0);
                front.number(object.0);
            }
            Frame::Unwatch { watch } => front.number(watch.0),
            Frame::Ended { watch, stopped, reason } => {
                front.number(watch.0);
                front.byte(u8::from(stopped));
                return with_length(front, reason);
            }
            Frame::Close { code, reason } => {
                front.number(code);
                return with_length(front, reason);
            }
            Frame::Acknowledge { number } => front.number(number.0),
            Frame::Credit { calls, bytes } => {
                front.number(calls);
                front.number(bytes);
            }
            Frame::Ping | Frame::Renew => {}
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
                let manner = match bits >> 1 {
                    0 => Manner::Ask,
                    1 => Manner::Promise,
                    2 => Manner::Tell,
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
                fingerprint: u64::from_le_bytes(cursor.array()?),
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
            0x40 => Frame::Acknowledge { number: FrameNumber(cursor.number()?) },
            0x41 => Frame::Ping,
            _ => return Err(Breach::Frame),
        })
    }
}

/// A text is its length and its bytes.
fn with_length<'t>(front: &mut Front<LONGEST_FRONT>, text: &'t str) -> &'t [u8] {
    front.number(text.len() as u64);
    text.as_bytes()
}

impl Extent {
    #[inline]
    fn write(self, front: &mut Front<LONGEST_FRONT>) {
        front.number(self.references);
        front.number(self.total);
    }

    #[inline(always)]
    fn read(cursor: &mut Cursor<'_>) -> Result<Extent, Breach> {
        Ok(Extent { references: cursor.number()?, total: cursor.number()? })
    }
}

impl Descriptor {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (kind, object, interface) = match *self {
            Descriptor::Mine { object, interface } => (0, object, interface),
            Descriptor::Yours { object, interface } => (1, object, interface),
            Descriptor::Forwarded { object, interface, token: None, .. } => (2, object, interface),
            Descriptor::Forwarded { object, interface, token: Some(_), .. } => {
                (3, object, interface)
            }
        };
        out.push(kind);
        put(out, object.0);
        put(out, interface.0);
        if let Descriptor::Forwarded { owner, token, .. } = self {
            out.extend_from_slice(owner.node.bytes());
            put(out, owner.object.0);
            if let Some(token) = token {
                out.extend_from_slice(token.bytes());
            }
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Descriptor, Breach> {
        let kind = cursor.byte()?;
        let object = ObjectId(cursor.number()?);
        let interface = NameId(cursor.number()?);
        Ok(match kind {
            0 => Descriptor::Mine { object, interface },
            1 => Descriptor::Yours { object, interface },
            2 | 3 => {
                let node = NodeId::from_bytes(cursor.array()?);
                let owner = Identity { node, object: ObjectId(cursor.number()?) };
                let token = if kind == 3 { Some(Token::from_bytes(cursor.array()?)) } else { None };
                Descriptor::Forwarded { object, owner, interface, token }
            }
            _ => return Err(Breach::Frame),
        })
    }
}

#[cfg(test)]
mod tests;
