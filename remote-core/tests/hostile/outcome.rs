//! Owns what hostile peers are told: answers, and how their sessions end.
//!
//! It must not know the library, whose idea of the protocol is what is tested.

use super::wire::Fields;

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// With a last frame.
    Told(u64),
    /// Without.
    Dropped,
}

/// An answer of the node's.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) question: u64,
    pub(crate) status: u8,
    pub(crate) body: Vec<u8>,
    pub(crate) references: Vec<u8>,
}

/// The statuses of answers.
pub(crate) const VALUE: u8 = 0;
pub(crate) const FAULT: u8 = 2;

impl Answer {
    pub(super) fn new(
        question: u64,
        status: u8,
        references: usize,
        mut content: Vec<u8>,
    ) -> Answer {
        let references = content.split_off(content.len() - references);
        Answer { question, status, body: content, references }
    }

    /// The number that a method returned.
    #[track_caller]
    pub(crate) fn value(&self) -> u64 {
        assert_eq!(self.status, VALUE, "{self:?}");
        match self.body[0] {
            small @ 0..=250 => small.into(),
            251 => u16::from_le_bytes(self.body[1..3].try_into().unwrap()).into(),
            252 => u32::from_le_bytes(self.body[1..5].try_into().unwrap()).into(),
            _ => u64::from_le_bytes(self.body[1..9].try_into().unwrap()),
        }
    }

    /// The object that a method returned.
    #[track_caller]
    pub(crate) fn object(&self) -> u64 {
        assert_eq!(self.status, VALUE, "{self:?}");
        let mut fields = Fields(&self.references);
        assert_eq!(fields.byte(), 0, "an object of the node's own");
        fields.number()
    }

    /// Which error the node itself answered with: its place among the kinds.
    #[track_caller]
    pub(crate) fn fault(&self) -> u8 {
        assert_eq!(self.status, FAULT, "{self:?}");
        self.body[0]
    }

    /// The text of the error.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The kinds of error that nodes answer with.
pub(crate) mod fault {
    pub(crate) const NO_SUCH_OBJECT: u8 = 4;
    pub(crate) const MESSAGE_NOT_UNDERSTOOD: u8 = 9;
    pub(crate) const SIGNATURE_MISMATCH: u8 = 10;
    pub(crate) const UNKNOWN_CLASS: u8 = 12;
    pub(crate) const DECODE: u8 = 15;
    pub(crate) const QUOTA: u8 = 17;
    pub(crate) const TIMEOUT: u8 = 18;
    pub(crate) const CANCELLED: u8 = 19;
    pub(crate) const PANICKED: u8 = 20;
    pub(crate) const NESTED: u8 = 21;
    pub(crate) const BROKEN: u8 = 22;
}

/// Why nodes end sessions.
pub(crate) mod code {
    use super::End;

    pub(crate) const FRAME: End = End::Told(4);
    pub(crate) const FRAME_LENGTH: End = End::Told(5);
    pub(crate) const NUMBER: End = End::Told(6);
    pub(crate) const WINDOW: End = End::Told(7);
    pub(crate) const BODY: End = End::Told(8);
    pub(crate) const NAME: End = End::Told(9);
    pub(crate) const QUESTION: End = End::Told(10);
    pub(crate) const CHUNK: End = End::Told(11);
    pub(crate) const RELEASE: End = End::Told(12);
    pub(crate) const REFERENCES: End = End::Told(13);
    pub(crate) const ACKNOWLEDGEMENT: End = End::Told(14);
}
