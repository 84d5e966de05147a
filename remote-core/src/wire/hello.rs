//! Owns the introduction: the first bytes on a connection, both ways, before there is a session.
//!
//! It must not know who decides about duplicates. Everything here is bounded by [`LONGEST`].

use std::time::Duration;

use super::breach::Breach;
use super::varint::{Cursor, put, put_bytes};
use crate::id::NodeId;
use crate::limits::Limits;

/// What every connection begins with, and the version after it.
pub(crate) const MAGIC: &[u8; 6] = b"REMOTE";
/// The version of the protocol that this side speaks.
pub(crate) const VERSION: u16 = 1;
/// Magic and version.
pub(crate) const PREFACE: usize = 8;
/// The longest introduction or verdict.
pub(crate) const LONGEST: usize = 1024;
/// The longest name that a node may give itself.
pub(crate) const LONGEST_NODE_NAME: usize = 128;

/// Who a node is, and what it grants its peer.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Hello {
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) grant: Grant,
    /// For how long references given to the peer live after it was last heard of.
    pub(crate) lease: Duration,
    /// Random, for what later proves that a resumed session is the same.
    pub(crate) nonce: [u8; 32],
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
    /// The session begins.
    Accept,
    /// The two have a session already; use that.
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
                nonce: cursor.array()?,
            };
            // What follows is of a later minor version, and is ignored.
            let granted = hello.grant.calls > 0 && hello.grant.body <= hello.grant.bytes;
            if hello.name.len() > LONGEST_NODE_NAME || !granted {
                Err(Breach::Hello)
            } else {
                Ok(hello)
            }
        };
        read().map_err(|_| Breach::Hello)
    }
}

impl Verdict {
    pub(crate) fn write(&self) -> Vec<u8> {
        framed(|out| match self {
            Verdict::Accept => out.push(0),
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
            0 => Ok(Verdict::Accept),
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
            nonce: [2; 32],
        }
    }

    #[test]
    fn introductions_and_verdicts_come_back() {
        assert_eq!(Hello::read(&hello().write()[2..]), Ok(hello()));
        for verdict in
            [Verdict::Accept, Verdict::Duplicate, Verdict::Refuse { code: 3, reason: "no".into() }]
        {
            assert_eq!(Verdict::read(&verdict.write()[2..]), Ok(verdict));
        }
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
        assert_eq!(check_preface(b"REMOTE\x02\x00"), Err(Breach::Version(2)));
    }
}
