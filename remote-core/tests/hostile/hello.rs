//! Owns the introduction as a hostile peer writes and reads it: who it is, how it stands with the other, what is decided.
//!
//! It must not know the library, whose idea of the protocol is what is tested: the proofs are made here once more.

use hmac_sha256::HMAC;

use super::wire::{Bytes, Fields};

/// The first bytes of a connection, and the version after them.
pub(crate) const PREFACE: [u8; 8] = *b"REMOTE\x02\x00";

/// The lease of a peer in milliseconds, so long that on a busy machine neither a lease ends nor a silent connection is dropped,
/// which happens after a third of it.
const LEASE: u64 = 180_000;

/// Random bytes of one connection.
pub(crate) type Nonce = [u8; 32];
/// What the two sides of a session know.
pub(crate) type Secret = [u8; 32];

/// The secret of the sessions for which the peer decides.
pub(crate) const SECRET: Secret = [3; 32];
/// One that no session has.
pub(crate) const WRONG: Secret = [4; 32];

/// With the length of two bytes that each part of an introduction has.
pub(crate) fn framed(fields: &[u8]) -> Vec<u8> {
    [&(fields.len() as u16).to_le_bytes()[..], fields].concat()
}

/// What a peer says of itself, and what it lets the other have in progress.
#[derive(Clone)]
pub(crate) struct Hello {
    pub(crate) node: [u8; 16],
    pub(crate) name: String,
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
    pub(crate) body: u64,
    pub(crate) references: u64,
    /// In milliseconds.
    pub(crate) lease: u64,
    pub(crate) address: String,
    pub(crate) nonce: Nonce,
}

impl Hello {
    pub(crate) fn of(node: [u8; 16]) -> Hello {
        let (calls, bytes, body, references) = (16_384, 16 << 20, 4 << 20, 1 << 21);
        let (name, lease, address, nonce) = ("raw".into(), LEASE, String::new(), [7; 32]);
        Hello { node, name, calls, bytes, body, references, lease, address, nonce }
    }

    /// Preface and introduction.
    pub(crate) fn write(&self) -> Vec<u8> {
        let fields = Bytes::new()
            .raw(&self.node)
            .text(&self.name)
            .number(self.calls)
            .number(self.bytes)
            .number(self.body)
            .number(self.references)
            .number(self.lease)
            .text(&self.address)
            .raw(&self.nonce);
        [&PREFACE[..], &framed(&fields.0)].concat()
    }

    /// Reads an introduction, without preface and length.
    pub(crate) fn read(bytes: &[u8]) -> Hello {
        let mut fields = Fields(bytes);
        Hello {
            node: fields.take(16).try_into().expect("sixteen bytes"),
            name: fields.text().to_owned(),
            calls: fields.number(),
            bytes: fields.number(),
            body: fields.number(),
            references: fields.number(),
            lease: fields.number(),
            address: fields.text().to_owned(),
            nonce: fields.take(32).try_into().expect("32 bytes"),
        }
    }

    /// All of an introduction of which the other side knows nothing, and for which this one decides: a session begins.
    pub(crate) fn opening(&self) -> Vec<u8> {
        let verdict = Verdict::Accept(SECRET).write();
        [self.write(), Standing::nothing().write(), verdict].concat()
    }
}

/// What is said of a session.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Claim {
    Nothing,
    Live {
        /// The last frame that has arrived.
        received: u64,
        /// Whether the connection is known to be lost.
        lost: bool,
    },
    Ended {
        code: u64,
    },
}

impl Claim {
    fn write(self) -> Bytes {
        match self {
            Claim::Nothing => Bytes::new().byte(0),
            Claim::Live { received, lost } => {
                Bytes::new().byte(1).number(received).byte(lost.into())
            }
            Claim::Ended { code } => Bytes::new().byte(2).number(code),
        }
    }
}

/// What is said of a session, with the proof of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Standing {
    pub(crate) claim: Claim,
    pub(crate) proof: [u8; 32],
}

impl Standing {
    pub(crate) fn nothing() -> Standing {
        Standing::unproved(Claim::Nothing)
    }

    pub(crate) fn unproved(claim: Claim) -> Standing {
        Standing { claim, proof: [0; 32] }
    }

    /// Proved by one side to the other, as they have introduced themselves on this connection.
    pub(crate) fn proved(claim: Claim, secret: &Secret, by: &Hello, to: &Hello) -> Standing {
        let sides = Bytes::new().raw(&by.node).raw(&by.nonce).raw(&to.node).raw(&to.nonce);
        let said = Bytes::new().raw(b"remote: standing").raw(&sides.0);
        Standing { claim, proof: HMAC::mac(said.raw(&claim.write().0).0, secret) }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        match self.claim {
            Claim::Nothing => framed(&self.claim.write().0),
            claim => framed(&claim.write().raw(&self.proof).0),
        }
    }

    /// Reads one without its length.
    pub(crate) fn read(bytes: &[u8]) -> Standing {
        let mut fields = Fields(bytes);
        let claim = match fields.byte() {
            0 => return Standing::nothing(),
            1 => Claim::Live { received: fields.number(), lost: fields.byte() == 1 },
            _ => Claim::Ended { code: fields.number() },
        };
        Standing { claim, proof: fields.take(32).try_into().expect("32 bytes") }
    }
}

/// What is decided about a connection.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Verdict {
    Accept(Secret),
    Duplicate,
    Refuse(String),
    /// The session goes on here, and this is its connection with this number.
    Resume(u64),
}

impl Verdict {
    pub(crate) fn write(&self) -> Vec<u8> {
        let fields = match self {
            Verdict::Accept(secret) => Bytes::new().byte(0).raw(secret),
            Verdict::Duplicate => Bytes::new().byte(1),
            Verdict::Refuse(reason) => Bytes::new().byte(2).number(9).text(reason),
            Verdict::Resume(connection) => Bytes::new().byte(3).number(*connection),
        };
        framed(&fields.0)
    }

    /// Reads one without its length.
    pub(crate) fn read(bytes: &[u8]) -> Verdict {
        let mut fields = Fields(bytes);
        match fields.byte() {
            0 => Verdict::Accept(fields.take(32).try_into().expect("32 bytes")),
            1 => Verdict::Duplicate,
            2 => {
                fields.number();
                Verdict::Refuse(fields.text().to_owned())
            }
            3 => Verdict::Resume(fields.number()),
            other => panic!("a node decides {other}"),
        }
    }
}
