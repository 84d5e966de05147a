//! The messages of the handshake, as a hostile peer writes and reads them: introduction, resume state, verdict.
//!
//! It must not know the library, whose implementation of the protocol is under test: the proofs are computed here, too.

use hmac_sha256::HMAC;

use super::wire::{Bytes, Fields};

/// The preface of a connection, with the version.
pub(crate) const PREFACE: [u8; 8] = *b"REMOTE\x03\x00";

/// The lease of a peer in milliseconds, so long that on a busy machine neither a lease ends nor a silent connection is dropped,
/// which happens after a third of it.
const LEASE: u64 = 180_000;

/// The nonce of one connection.
pub(crate) type Nonce = [u8; 32];
/// The secret of a session, which both sides know.
pub(crate) type Secret = [u8; 32];

/// The secret of the sessions for which the peer is the decider.
pub(crate) const SECRET: Secret = [3; 32];
/// A secret that no session has.
pub(crate) const WRONG: Secret = [4; 32];

/// Adds the length of two bytes that precedes each message of the handshake.
pub(crate) fn framed(fields: &[u8]) -> Vec<u8> {
    [&(fields.len() as u16).to_le_bytes()[..], fields].concat()
}

/// The introduction of a peer, with its grants.
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

    /// Returns the bytes of preface and introduction.
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

    /// Returns all messages of a handshake with a node that does not know the peer, and for which the peer decides: a
    /// session begins.
    pub(crate) fn opening(&self) -> Vec<u8> {
        let verdict = Verdict::Accept(SECRET).write();
        [self.write(), ResumeState::nothing().write(), verdict].concat()
    }
}

/// The claim in a resume state.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Claim {
    Nothing,
    Live {
        /// The number of the last frame that has arrived.
        received: u64,
        /// True if the connection is known to be lost.
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

/// A resume state: the claim, and its proof.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct ResumeState {
    pub(crate) claim: Claim,
    pub(crate) proof: [u8; 32],
}

impl ResumeState {
    pub(crate) fn nothing() -> ResumeState {
        ResumeState::unproved(Claim::Nothing)
    }

    pub(crate) fn unproved(claim: Claim) -> ResumeState {
        ResumeState { claim, proof: [0; 32] }
    }

    /// Returns a resume state with the proof by one side to the other, for the introductions on this connection.
    pub(crate) fn proved(claim: Claim, secret: &Secret, by: &Hello, to: &Hello) -> ResumeState {
        let sides = Bytes::new().raw(&by.node).raw(&by.nonce).raw(&to.node).raw(&to.nonce);
        let said = Bytes::new().raw(b"remote: standing").raw(&sides.0);
        ResumeState { claim, proof: HMAC::mac(said.raw(&claim.write().0).0, secret) }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        match self.claim {
            Claim::Nothing => framed(&self.claim.write().0),
            claim => framed(&claim.write().raw(&self.proof).0),
        }
    }

    /// Reads a resume state without its length.
    pub(crate) fn read(bytes: &[u8]) -> ResumeState {
        let mut fields = Fields(bytes);
        let claim = match fields.byte() {
            0 => return ResumeState::nothing(),
            1 => Claim::Live { received: fields.number(), lost: fields.byte() == 1 },
            _ => Claim::Ended { code: fields.number() },
        };
        ResumeState { claim, proof: fields.take(32).try_into().expect("32 bytes") }
    }
}

/// The verdict on a connection.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Verdict {
    Accept(Secret),
    Duplicate,
    Refuse(String),
    /// The session resumes, on the connection with this number.
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

    /// Reads a verdict without its length.
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
