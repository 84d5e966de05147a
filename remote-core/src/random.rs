//! Random bytes from the system's generator: the one source of identities, tokens, nonces and secrets.

/// Returns fresh random bytes.
///
/// # Panics
/// If the system has no random generator: without one no identity and no secret is safe to use.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random generator answers");
    bytes
}
