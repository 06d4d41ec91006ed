//! Cutting a stream into pieces.
//!
//! Enters: a byte that says how, and the stream. Leaves: the pieces. Absent: randomness; the same
//! input is always cut alike.

/// Cuts `bytes`: 0 into single bytes, up to 15 into pieces of so many, and otherwise into pieces
/// of many sizes.
pub fn pieces(how: u8, bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    let mut state = u32::from(how);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let size = match how {
            0..=15 => usize::from(how).max(1),
            _ => {
                // Numerical Recipes' generator: any will do.
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                1 + (state >> 16) as usize % (1 << (1 + how % 14))
            }
        };
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        rest = behind;
        Some(piece)
    })
}
