//! The frames that a hostile peer writes and reads, implemented a second time from the document.
//!
//! It must not know the library, whose implementation of the protocol is under test.

/// The kinds of frames that are named in the tests.
pub(crate) const CALL: u8 = 0x01;
pub(crate) const ANSWER: u8 = 0x02;
pub(crate) const CALL_CHUNK: u8 = 0x03;
pub(crate) const ANSWER_CHUNK: u8 = 0x04;
pub(crate) const CANCEL: u8 = 0x05;
pub(crate) const FINISH: u8 = 0x06;
pub(crate) const RELEASE: u8 = 0x07;
pub(crate) const NAME: u8 = 0x08;
pub(crate) const WATCH: u8 = 0x09;
pub(crate) const UNWATCH: u8 = 0x0a;
pub(crate) const ENDED: u8 = 0x0b;
pub(crate) const CREDIT: u8 = 0x0c;
pub(crate) const CLOSE: u8 = 0x0d;
pub(crate) const RENEW: u8 = 0x0e;
pub(crate) const CLOSING: u8 = 0x0f;
pub(crate) const ACKNOWLEDGE: u8 = 0x40;
pub(crate) const PING: u8 = 0x41;

/// The first kind of frame without a number.
pub(crate) const UNNUMBERED: u8 = 0x40;
/// The maximum size of a frame, without its length.
pub(crate) const LONGEST_FRAME: usize = 16 * 1024 + 512;
/// The maximum number of bytes of one body in one frame.
pub(crate) const CHUNK: usize = 16 * 1024;

/// A buffer that is filled field by field.
#[derive(Clone, Default, Debug, PartialEq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn new() -> Bytes {
        Bytes::default()
    }

    pub(crate) fn byte(self, byte: u8) -> Bytes {
        self.raw(&[byte])
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Bytes {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends a number as in frames: seven bits in a byte, low bits first.
    pub(crate) fn number(mut self, mut value: u64) -> Bytes {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    /// Appends a text as in frames.
    pub(crate) fn text(self, text: &str) -> Bytes {
        self.number(text.len() as u64).raw(text.as_bytes())
    }

    /// Appends a number as in bodies: one byte, or a byte that says how many follow.
    pub(crate) fn count(self, value: u64) -> Bytes {
        match value {
            0..=250 => self.byte(value as u8),
            251..=0xffff => self.byte(251).raw(&(value as u16).to_le_bytes()),
            0x1_0000..=0xffff_ffff => self.byte(252).raw(&(value as u32).to_le_bytes()),
            _ => self.byte(253).raw(&value.to_le_bytes()),
        }
    }

    /// Appends a text as in bodies.
    pub(crate) fn string(self, text: &str) -> Bytes {
        self.count(text.len() as u64).raw(text.as_bytes())
    }
}

/// A frame without its length and its number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) fields: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(kind: u8, fields: Bytes) -> Frame {
        Frame { kind, fields: fields.0 }
    }

    /// Makes a frame whose fields are numbers.
    pub(crate) fn numbers(kind: u8, numbers: &[u64]) -> Frame {
        Frame::new(kind, numbers.iter().fold(Bytes::new(), |fields, number| fields.number(*number)))
    }

    /// Returns the bytes of the frame, with this number if its kind has one.
    pub(crate) fn write(&self, number: u64) -> Vec<u8> {
        let head = Bytes::new().byte(self.kind);
        let head = if self.kind < UNNUMBERED { head.number(number) } else { head };
        let frame = head.raw(&self.fields);
        Bytes::new().raw(&(frame.0.len() as u32).to_le_bytes()).raw(&frame.0).0
    }

    /// Reads a frame, without its length. Returns its number if its kind has one.
    pub(crate) fn read(bytes: &[u8]) -> (Option<u64>, Frame) {
        let mut fields = Fields(bytes);
        let kind = fields.byte();
        let number = (kind < UNNUMBERED).then(|| fields.number());
        (number, Frame { kind, fields: fields.0.to_vec() })
    }

    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields(&self.fields)
    }
}

/// The fields of a frame from a node, which are trusted to be well formed.
pub(crate) struct Fields<'f>(pub(crate) &'f [u8]);

impl<'f> Fields<'f> {
    pub(crate) fn take(&mut self, length: usize) -> &'f [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    pub(crate) fn number(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }

    pub(crate) fn text(&mut self) -> &'f str {
        let length = self.number() as usize;
        std::str::from_utf8(self.take(length)).expect("a node writes text as UTF-8")
    }
}

/// The target of a call.
#[derive(Clone, Copy)]
pub(crate) enum To {
    Object(u64),
    Answer(u64),
}

/// The kind of reply that the sender of a call expects.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Call = 0,
    Promise = 1,
    OneWay = 2,
}

/// A call to be written.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) question: u64,
    pub(crate) to: To,
    pub(crate) selector: u64,
    pub(crate) manner: Manner,
    pub(crate) nesting: u8,
    pub(crate) deadline: u64,
    /// The number of bytes of references, after the body.
    pub(crate) references: u64,
    /// The size of the whole content, if it does not end in this frame.
    pub(crate) total: u64,
    pub(crate) content: Vec<u8>,
}

impl Call {
    pub(crate) fn new(question: u64, to: To, selector: u64, body: Bytes) -> Call {
        let (manner, content) = (Manner::Call, body.0);
        Call {
            question,
            to,
            selector,
            manner,
            nesting: 1,
            deadline: 0,
            references: 0,
            total: 0,
            content,
        }
    }

    /// Adds references after the body.
    pub(crate) fn with(mut self, references: Bytes) -> Call {
        self.references = references.0.len() as u64;
        self.content.extend_from_slice(&references.0);
        self
    }

    pub(crate) fn manner(mut self, manner: Manner) -> Call {
        self.manner = manner;
        self
    }

    pub(crate) fn frame(&self) -> Frame {
        let (kind, id) = match self.to {
            To::Object(object) => (0, object),
            To::Answer(question) => (1, question),
        };
        let fields = Bytes::new()
            .number(self.question)
            .byte(kind | (self.manner as u8) << 1)
            .number(id)
            .number(self.selector)
            .byte(self.nesting)
            .number(self.deadline)
            .number(self.references)
            .number(self.total)
            .raw(&self.content);
        Frame::new(CALL, fields)
    }

    /// Returns the frames of the call, as many as its content needs.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        if self.content.len() <= CHUNK {
            return vec![self.frame()];
        }
        let (first, rest) = self.content.split_at(CHUNK);
        let head =
            Call { total: self.content.len() as u64, content: first.to_vec(), ..self.clone() };
        let chunk =
            |bytes: &[u8]| Frame::new(CALL_CHUNK, Bytes::new().number(self.question).raw(bytes));
        std::iter::once(head.frame()).chain(rest.chunks(CHUNK).map(chunk)).collect()
    }
}

/// Returns an answer whose content is in one frame.
pub(crate) fn answer(question: u64, status: u8, body: Bytes, references: Bytes) -> Frame {
    let fields =
        Bytes::new().number(question).byte(status).number(references.0.len() as u64).number(0);
    Frame::new(ANSWER, fields.raw(&body.0).raw(&references.0))
}

/// Returns a reference to an object of the sender.
pub(crate) fn mine(object: u64, interface: u64) -> Bytes {
    Bytes::new().byte(0).number(object).number(interface)
}

/// Returns a reference to an object of the receiver.
pub(crate) fn yours(object: u64, interface: u64) -> Bytes {
    Bytes::new().byte(1).number(object).number(interface)
}
