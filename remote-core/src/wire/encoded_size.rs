//! The sizes of encoded numbers in bodies, in their shortest form.
//!
//! It must not encode them: that is done by bincode.

/// Returns the bytes of a number in its shortest encoding.
#[inline(always)]
pub(super) fn number(value: u64) -> u64 {
    match value {
        0..=250 => 1,
        251..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Returns the bytes of a signed number in its shortest encoding.
#[inline(always)]
pub(super) fn signed(value: i64) -> u64 {
    number(((value << 1) ^ (value >> 63)) as u64)
}
