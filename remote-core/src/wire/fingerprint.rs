//! Fingerprints: SHA-256 hashes of signatures, truncated to 128 bits.
//!
//! It must not know what a signature consists of. A collision would need about 2^64 attempts, also for a peer that chooses both
//! signatures.

use std::fmt;

use hmac_sha256::Hash;

/// The size of a fingerprint in frames.
pub(crate) const FINGERPRINT: usize = 16;

/// The fingerprint of a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(u128);

impl Fingerprint {
    /// Stands for the fingerprint of a name that has no signature: that of an interface.
    pub(crate) const NONE: Fingerprint = Fingerprint(0);

    /// Returns the fingerprint of a text: the first 128 bits of its hash.
    pub(crate) fn of(text: &str) -> Fingerprint {
        let hash = Hash::hash(text.as_bytes());
        let (first, _) = hash.split_first_chunk().expect("the hash has 32 bytes");
        Fingerprint::from_bytes(*first)
    }

    pub(crate) const fn from_bytes(bytes: [u8; FINGERPRINT]) -> Fingerprint {
        Fingerprint(u128::from_be_bytes(bytes))
    }

    pub(crate) const fn bytes(self) -> [u8; FINGERPRINT] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
impl From<u64> for Fingerprint {
    fn from(number: u64) -> Fingerprint {
        Fingerprint(number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_beginning_of_the_hash() {
        // The hash of "abc" in FIPS 180-4.
        let fingerprint = Fingerprint::of("abc");
        assert_eq!(fingerprint.to_string(), "ba7816bf8f01cfea414140de5dae2223");
        assert_eq!(Fingerprint::from_bytes(fingerprint.bytes()), fingerprint);
    }
}
