//! Answers that hostile peers get, and ends of their sessions.
//!
//! It must not know the library, whose implementation of the protocol is under test.

use super::wire::Fields;

/// The way in which a session ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// With a `Close` frame, which has this code.
    Closed(u64),
    /// Without one.
    Dropped,
}

/// An answer of the node.
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

    /// Returns the number that a method returned.
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

    /// Returns the object that a method returned.
    #[track_caller]
    pub(crate) fn object(&self) -> u64 {
        assert_eq!(self.status, VALUE, "{self:?}");
        let mut fields = Fields(&self.references);
        assert_eq!(fields.byte(), 0, "an object of the node's own");
        fields.number()
    }

    /// Returns the index of the fault.
    #[track_caller]
    pub(crate) fn fault(&self) -> u8 {
        assert_eq!(self.status, FAULT, "{self:?}");
        self.body[0]
    }

    /// Returns the text of the error.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The indices of the faults of nodes.
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

/// The codes with which nodes end sessions.
pub(crate) mod code {
    use super::End;

    pub(crate) const FRAME: End = End::Closed(4);
    pub(crate) const FRAME_LENGTH: End = End::Closed(5);
    pub(crate) const NUMBER: End = End::Closed(6);
    pub(crate) const WINDOW: End = End::Closed(7);
    pub(crate) const BODY: End = End::Closed(8);
    pub(crate) const NAME: End = End::Closed(9);
    pub(crate) const QUESTION: End = End::Closed(10);
    pub(crate) const CHUNK: End = End::Closed(11);
    pub(crate) const RELEASE: End = End::Closed(12);
    pub(crate) const REFERENCES: End = End::Closed(13);
    pub(crate) const ACKNOWLEDGEMENT: End = End::Closed(14);
}
