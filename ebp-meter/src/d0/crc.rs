//! The checksum of customer interfaces (DSMR P1): CRC-16/ARC over everything from `/` to `!`, both
//! included, in four hexadecimal digits behind the `!`.
//!
//! Enters: a telegram's bytes, what stands behind its `!`. Leaves: whether they fit. Absent: where
//! a telegram begins and ends.

/// The number of its digits.
pub(crate) const DIGITS: usize = 4;

/// CRC-16/ARC: polynomial 8005 with its bits reversed, from 0.
pub(crate) fn compute(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xa001 } else { crc >> 1 }
            },
        )
    })
}

/// Whether those digits are the checksum of the bytes.
pub(crate) fn fits(digits: &[u8], bytes: &[u8]) -> bool {
    let number = |digits: &[u8]| u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
    digits.len() == DIGITS
        && digits.iter().all(u8::is_ascii_hexdigit)
        && number(digits) == Some(compute(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_s_check_value() {
        assert_eq!(compute(b"123456789"), 0xbb3d);
        assert!(fits(b"BB3D", b"123456789") && fits(b"bb3d", b"123456789"));
        for wrong in [&b"BB3E"[..], b"BB3", b"", b"+B3D", b"0BB3D"] {
            assert!(!fits(wrong, b"123456789"), "{wrong:?}");
        }
    }
}
