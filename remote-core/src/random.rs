//! Random bytes from the system's generator: the one source of identities, tokens, nonces and secrets.

/// Returns fresh random bytes.
///
/// # Panics
/// Panics if the system has no random generator: no identity and no secret would be safe.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random generator answers");
    bytes
}
