//! The handshake messages: the first bytes on a connection, both ways, before frames.
//!
//! It must not know who decides. Everything here is bounded by [`LONGEST`].

use std::time::Duration;

use hmac_sha256::HMAC;

use super::breach::Breach;
use super::varint::{Cursor, put, put_bytes};
use crate::id::{ConnectionId, FrameNumber, NodeId};
use crate::limits::Limits;

/// What every connection begins with, and the version after it.
pub(crate) const MAGIC: &[u8; 6] = b"REMOTE";
/// The version of the protocol that this side speaks.
pub(crate) const VERSION: u16 = 2;
/// Magic and version.
pub(crate) const PREFACE: usize = 8;
/// The longest introduction or verdict.
pub(crate) const LONGEST: usize = 1024;
/// The longest name that a node may give itself.
pub(crate) const LONGEST_NODE_NAME: usize = 128;
/// The longest address that a node may say of itself.
pub(crate) const LONGEST_ADDRESS: usize = 512;
/// The shortest term of a lease: below it no network keeps up.
pub(crate) const SHORTEST_LEASE: Duration = Duration::from_millis(100);

/// Who a node is, and what it grants its peer.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Hello {
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) grant: Grant,
    /// For how long references given to the peer live after it was last heard of.
    pub(crate) lease: Duration,
    /// Where others can reach the node; empty if nowhere.
    pub(crate) address: String,
    /// Random, new on each connection: what is proved on this one cannot be said again on another.
    pub(crate) nonce: Nonce,
}

/// Random bytes of one connection.
pub(crate) type Nonce = [u8; 32];
/// What only the two sides of a session know.
pub(crate) type Secret = [u8; 32];
/// What only somebody can say who knows the secret, on this connection.
pub(crate) type Proof = [u8; 32];

/// What a node knows of a session with the peer of a handshake, so that the two can resume it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ResumeState {
    /// It knows of no session.
    None,
    /// The session goes on.
    Live {
        /// The last frame that has arrived.
        received: FrameNumber,
        /// True if its connection is known to be lost.
        suspended: bool,
        proof: Proof,
    },
    /// The session is over, with this code.
    Ended { code: u64, proof: Proof },
}

/// What one side lets the other have in progress.
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

/// What is decided about a connection by the one of the two nodes that decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// A session begins; this is its secret.
    Accept(Secret),
    /// The session goes on here; of two connections on which it does, the one with the greater number counts.
    Resume { connection: ConnectionId },
    /// The two have a session already, and a connection for it; use that.
    Duplicate,
    /// There will be none.
    Refuse { code: u64, reason: String },
}

/// The preface as bytes.
pub(crate) fn preface() -> [u8; PREFACE] {
    let mut bytes = [0; PREFACE];
    bytes[..6].copy_from_slice(MAGIC);
    bytes[6..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// Checks a preface, as soon as its first byte is wrong.
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
            };
            // What follows is of a later minor version, and is ignored.
            let sound = hello.grant.calls > 0
                && hello.grant.body <= hello.grant.bytes
                && hello.lease >= SHORTEST_LEASE
                && hello.name.len() <= LONGEST_NODE_NAME
                && hello.address.len() <= LONGEST_ADDRESS;
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

    /// Returns true if the proof is that of somebody who knows the secret, sent by `sides.own` to `sides.peer`.
    pub(crate) fn is_proved(&self, secret: &Secret, sides: Sides<'_>) -> bool {
        let said = match self {
            ResumeState::None => return false,
            ResumeState::Live { proof, .. } | ResumeState::Ended { proof, .. } => proof,
        };
        HMAC::verify(self.claim(sides), secret, said)
    }

    fn prove(&self, secret: &Secret, sides: Sides<'_>) -> Proof {
        HMAC::mac(self.claim(sides), secret)
    }

    /// Returns the text that the proof authenticates: all fields, the sender and the receiver.
    fn claim(&self, sides: Sides<'_>) -> Vec<u8> {
        let mut claim = b"remote: standing".to_vec();
        // With the identities: a node that is made to say this on one connection has not said it for its peer on another.
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

/// The two sides of a connection, as the one who says something sees them.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'h> {
    pub(crate) own: &'h Hello,
    pub(crate) peer: &'h Hello,
}

impl Sides<'_> {
    /// As the other side sees them.
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

/// A length of two bytes, then what `write` writes.
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
        }
    }

    #[test]
    fn introductions_and_verdicts_come_back() {
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
        assert!(!altered.is_proved(&secret, sides), "something else was said");
        assert!(!ResumeState::None.is_proved(&secret, sides));
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let bytes = hello().write();
        for end in 2..bytes.len() {
            assert_eq!(Hello::read(&bytes[2..end]), Err(Breach::Hello));
        }
    }

    #[test]
    fn a_stranger_is_known_by_the_first_byte() {
        assert_eq!(check_preface(&preface()), Ok(()));
        assert_eq!(check_preface(b"G"), Err(Breach::Magic));
        assert_eq!(check_preface(b"REMOTE\x01\x00"), Err(Breach::Version(1)));
    }
}
