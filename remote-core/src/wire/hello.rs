//! The messages of the handshake, which precede the frames on a connection.
//!
//! It must not decide anything. Every message has a maximum size.

use std::time::Duration;

use hmac_sha256::HMAC;

use super::breach::Breach;
use super::varint::{Cursor, put, put_bytes};
use crate::id::{ConnectionId, FrameNumber, NodeId, ProcessId};
use crate::limits::Limits;

/// The first bytes on every connection. The version follows.
pub(crate) const MAGIC: &[u8; 6] = b"REMOTE";
/// The version of the protocol.
pub(crate) const VERSION: u16 = 3;
/// The size of the preface: magic and version.
pub(crate) const PREFACE: usize = 8;
/// The maximum size of a handshake message.
pub(crate) const MAX_MESSAGE: usize = 1024;
/// The maximum length of a node's name.
pub(crate) const MAX_NODE_NAME: usize = 128;
/// The maximum length of a node's address.
pub(crate) const MAX_ADDRESS: usize = 512;
/// The minimum term of a lease: shorter ones would expire on an ordinary network.
pub(crate) const MIN_LEASE: Duration = Duration::from_millis(100);

/// The introduction of a node, with the limits that it grants to its peer.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Hello {
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) grant: Grant,
    /// The term of the lease: how long the peer's references live after the last frame from it has arrived.
    pub(crate) lease: Duration,
    /// The address at which others can connect to the node; empty if there is none.
    pub(crate) address: String,
    /// Random bytes, new on each connection, so that a proof of one connection is not valid on another.
    pub(crate) nonce: Nonce,
    /// The process of the node, on a connection within one machine.
    pub(crate) process: Option<ProcessId>,
}

/// Random bytes that belong to one connection.
pub(crate) type Nonce = [u8; 32];
/// The secret of a session, which only its two nodes know.
pub(crate) type Secret = [u8; 32];
/// A proof, valid on one connection, that the sender knows the secret.
pub(crate) type Proof = [u8; 32];

/// The state of a node's session with the peer of a handshake, so that the two can resume it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ResumeState {
    /// The node has no session with the peer.
    None,
    /// The session is live.
    Live {
        /// The number of the last frame that has arrived.
        received: FrameNumber,
        /// True if its connection is known to be lost.
        suspended: bool,
        proof: Proof,
    },
    /// The session is over, with this code.
    Ended { code: u64, proof: Proof },
}

/// The limits of what the peer may have in progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Grant {
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
    pub(crate) body: u64,
    pub(crate) references: u64,
}

impl Grant {
    pub(crate) fn of(limits: &Limits) -> Grant {
        Grant {
            calls: limits.window_calls.into(),
            bytes: limits.window_bytes,
            body: limits.body as u64,
            references: limits.references as u64,
        }
    }
}

/// The decision about a connection, by the one of the two nodes that decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// A session begins, with this secret.
    Accept(Secret),
    /// The session resumes on this connection. If it resumes on two, the one with the greater number is used.
    Resume { connection: ConnectionId },
    /// The two nodes already have a session with a connection, which they continue to use.
    Duplicate,
    /// The connection is refused.
    Refuse { code: u64, reason: String },
}

/// Returns the preface.
pub(crate) fn preface() -> [u8; PREFACE] {
    let mut bytes = [0; PREFACE];
    bytes[..6].copy_from_slice(MAGIC);
    bytes[6..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// Checks a preface, or its beginning, so that a wrong byte is detected as soon as it arrives.
pub(crate) fn check_preface(bytes: &[u8]) -> Result<(), Breach> {
    let magic = bytes.len().min(MAGIC.len());
    if bytes[..magic] != MAGIC[..magic] {
        return Err(Breach::Magic);
    }
    match bytes.get(6..8) {
        Some(version) => match u16::from_le_bytes([version[0], version[1]]) {
            VERSION => Ok(()),
            other => Err(Breach::Version(other)),
        },
        None => Ok(()),
    }
}

impl Hello {
    pub(crate) fn write(&self) -> Vec<u8> {
        framed(|out| {
            out.extend_from_slice(self.node.bytes());
            put_bytes(out, self.name.as_bytes());
            put(out, self.grant.calls);
            put(out, self.grant.bytes);
            put(out, self.grant.body);
            put(out, self.grant.references);
            put(out, self.lease.as_millis() as u64);
            put_bytes(out, self.address.as_bytes());
            out.extend_from_slice(&self.nonce);
            if let Some(process) = self.process {
                put(out, process.get().into());
            }
        })
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Hello, Breach> {
        let mut cursor = Cursor::new(bytes);
        let mut read = || -> Result<Hello, Breach> {
            let hello = Hello {
                node: NodeId::from_bytes(cursor.array()?),
                name: cursor.text()?.to_owned(),
                grant: Grant {
                    calls: cursor.number()?,
                    bytes: cursor.number()?,
                    body: cursor.number()?,
                    references: cursor.number()?,
                },
                lease: Duration::from_millis(cursor.number()?),
                address: cursor.text()?.to_owned(),
                nonce: cursor.array()?,
                process: cursor
                    .number()
                    .ok()
                    .and_then(|id| ProcessId::new(u32::try_from(id).unwrap_or(0))),
            };
            // Bytes that follow belong to a later minor version, and are ignored.
            let sound = hello.grant.calls > 0
                && hello.grant.body <= hello.grant.bytes
                && hello.lease >= MIN_LEASE
                && hello.name.len() <= MAX_NODE_NAME
                && hello.address.len() <= MAX_ADDRESS;
            if sound { Ok(hello) } else { Err(Breach::Hello) }
        };
        read().map_err(|_| Breach::Hello)
    }
}

impl ResumeState {
    /// Returns the state of a live session, with its proof.
    pub(crate) fn live(
        received: FrameNumber,
        suspended: bool,
        secret: &Secret,
        sides: Sides<'_>,
    ) -> ResumeState {
        let unproved = ResumeState::Live { received, suspended, proof: [0; 32] };
        ResumeState::Live { received, suspended, proof: unproved.prove(secret, sides) }
    }

    /// Returns the state of a session that is over, with its proof.
    pub(crate) fn ended(code: u64, secret: &Secret, sides: Sides<'_>) -> ResumeState {
        let unproved = ResumeState::Ended { code, proof: [0; 32] };
        ResumeState::Ended { code, proof: unproved.prove(secret, sides) }
    }

    /// Returns true if the proof was made with the secret, by `sides.own` for `sides.peer`.
    pub(crate) fn is_proved(&self, secret: &Secret, sides: Sides<'_>) -> bool {
        let proof = match self {
            ResumeState::None => return false,
            ResumeState::Live { proof, .. } | ResumeState::Ended { proof, .. } => proof,
        };
        HMAC::verify(self.claim(sides), secret, proof)
    }

    fn prove(&self, secret: &Secret, sides: Sides<'_>) -> Proof {
        HMAC::mac(self.claim(sides), secret)
    }

    /// Returns the bytes that the proof authenticates: all fields, the sender and the receiver.
    fn claim(&self, sides: Sides<'_>) -> Vec<u8> {
        let mut claim = b"remote: standing".to_vec();
        // The identities are included, so that a proof cannot be replayed to another node.
        for side in [sides.own, sides.peer] {
            claim.extend_from_slice(side.node.bytes());
            claim.extend_from_slice(&side.nonce);
        }
        self.write_fields(&mut claim);
        claim
    }

    fn write_fields(&self, out: &mut Vec<u8>) {
        match self {
            ResumeState::None => out.push(0),
            ResumeState::Live { received, suspended, .. } => {
                out.push(1);
                put(out, received.0);
                out.push(u8::from(*suspended));
            }
            ResumeState::Ended { code, .. } => {
                out.push(2);
                put(out, *code);
            }
        }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        framed(|out| {
            self.write_fields(out);
            if let ResumeState::Live { proof, .. } | ResumeState::Ended { proof, .. } = self {
                out.extend_from_slice(proof);
            }
        })
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<ResumeState, Breach> {
        let mut cursor = Cursor::new(bytes);
        let mut read = || -> Result<ResumeState, Breach> {
            Ok(match cursor.byte()? {
                0 => ResumeState::None,
                1 => ResumeState::Live {
                    received: FrameNumber(cursor.number()?),
                    suspended: cursor.byte()? != 0,
                    proof: cursor.array()?,
                },
                2 => ResumeState::Ended { code: cursor.number()?, proof: cursor.array()? },
                _ => return Err(Breach::Hello),
            })
        };
        read().map_err(|_| Breach::Hello)
    }
}

/// The two nodes of a connection, from the point of view of the sender.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'h> {
    pub(crate) own: &'h Hello,
    pub(crate) peer: &'h Hello,
}

impl Sides<'_> {
    /// Returns the two from the point of view of the receiver.
    pub(crate) fn reversed(self) -> Self {
        Sides { own: self.peer, peer: self.own }
    }
}

impl Verdict {
    pub(crate) fn write(&self) -> Vec<u8> {
        framed(|out| match self {
            Verdict::Accept(secret) => {
                out.push(0);
                out.extend_from_slice(secret);
            }
            Verdict::Resume { connection } => {
                out.push(3);
                put(out, connection.0);
            }
            Verdict::Duplicate => out.push(1),
            Verdict::Refuse { code, reason } => {
                out.push(2);
                put(out, *code);
                put_bytes(out, reason.as_bytes());
            }
        })
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Verdict, Breach> {
        let mut cursor = Cursor::new(bytes);
        match cursor.byte()? {
            0 => Ok(Verdict::Accept(cursor.array()?)),
            3 => Ok(Verdict::Resume { connection: ConnectionId(cursor.number()?) }),
            1 => Ok(Verdict::Duplicate),
            2 => Ok(Verdict::Refuse { code: cursor.number()?, reason: cursor.text()?.to_owned() }),
            _ => Err(Breach::Hello),
        }
    }
}

/// Writes a length of two bytes, then what `write` writes.
fn framed(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![0; 2];
    write(&mut out);
    let length = (out.len() - 2) as u16;
    out[..2].copy_from_slice(&length.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Hello {
        Hello {
            node: NodeId::from_bytes([1; 16]),
            name: "one".into(),
            grant: Grant::of(&Limits::default()),
            lease: Duration::from_secs(30),
            address: "tcp://127.0.0.1:1".into(),
            nonce: [2; 32],
            process: None,
        }
    }

    #[test]
    fn introductions_and_verdicts_are_read_as_written() {
        assert_eq!(Hello::read(&hello().write()[2..]), Ok(hello()));
        for verdict in [
            Verdict::Accept([7; 32]),
            Verdict::Resume { connection: ConnectionId(300) },
            Verdict::Duplicate,
            Verdict::Refuse { code: 3, reason: "no".into() },
        ] {
            assert_eq!(Verdict::read(&verdict.write()[2..]), Ok(verdict));
        }
    }

    #[test]
    fn a_resume_state_is_proved_to_one_peer_on_one_connection() {
        let secret = [1; 32];
        let side = |node, nonce| Hello {
            node: NodeId::from_bytes([node; 16]),
            nonce: [nonce; 32],
            ..hello()
        };
        let (own, peer) = (side(1, 2), side(3, 4));
        let sides = Sides { own: &own, peer: &peer };
        for state in [
            ResumeState::live(FrameNumber(300), true, &secret, sides),
            ResumeState::ended(32, &secret, sides),
        ] {
            assert_eq!(ResumeState::read(&state.write()[2..]), Ok(state));
            assert!(state.is_proved(&secret, sides));
            assert!(!state.is_proved(&[9; 32], sides), "another secret");
            assert!(!state.is_proved(&secret, sides.reversed()), "sent back to its sender");
            let elsewhere = Sides { own: &own, peer: &side(3, 5) };
            assert!(!state.is_proved(&secret, elsewhere), "on another connection");
            let swapped = Sides { own: &side(3, 2), peer: &side(1, 4) };
            assert!(!state.is_proved(&secret, swapped), "by the other, with the same nonces");
        }
        let ResumeState::Live { suspended, proof, .. } =
            ResumeState::live(FrameNumber(300), true, &secret, sides)
        else {
            unreachable!("it is live")
        };
        let altered = ResumeState::Live { received: FrameNumber(301), suspended, proof };
        assert!(!altered.is_proved(&secret, sides), "another field");
        assert!(!ResumeState::None.is_proved(&secret, sides));
    }

    #[test]
    fn a_truncated_introduction_is_refused() {
        let bytes = hello().write();
        for end in 2..bytes.len() {
            assert_eq!(Hello::read(&bytes[2..end]), Err(Breach::Hello));
        }
    }

    #[test]
    fn another_protocol_is_detected_by_its_first_byte() {
        assert_eq!(check_preface(&preface()), Ok(()));
        assert_eq!(check_preface(b"G"), Err(Breach::Magic));
        assert_eq!(check_preface(b"REMOTE\x01\x00"), Err(Breach::Version(1)));
    }
}
