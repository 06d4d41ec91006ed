//! Recognises bytes that a terminal has edited, as `cat /dev/ttyUSB0` receives them unless the line was
//! made raw.
//!
//! Enters: all bytes, the damaged telegrams among them. Leaves: whether a terminal took some for keys.
//! Absent: CR that became LF, which [`super::line_ends`] recognises.
//!
//! Of its default settings `isig` takes 03, 1a and 1c for keys, drops them and all that was not yet read
//! with them; `ixon` drops 11 and 13; `icrnl` turns 0d into 0a; `icanon` drops 04. Each telegram in SML
//! ends with 1b 1b 1b 1b 1a, a padding count, and two bytes of checksum: without `raw` the last three are
//! left, and no 1a in all the stream.

use memchr::memmem;

use super::{line_ends, structure};
use crate::sml::frame::{ESCAPE, START};

/// XON and XOFF.
const FLOW: [u8; 2] = [0x11, 0x13];
/// What never comes through: keys of signals, flow control, CR.
const NEVER: [u8; 6] = [0x03, 0x0d, 0x11, 0x13, 0x1a, 0x1c];
/// So many telegrams are no accident.
const MANY: usize = 3;
/// So many damaged telegrams are looked at closely.
const CLOSELY: usize = 4;
/// The padding count and the checksum.
const REST: usize = 3;

/// Whether a terminal has edited telegrams in SML; `ended` are the damaged ones that have an end.
pub(super) fn has_edited(bytes: &[u8], ended: &[&[u8]]) -> bool {
    has_lost_ends(bytes) || has_lost_flow_control(bytes, ended)
}

/// Whether no byte came that a terminal drops, so no telegram has an end, and what is left of each is
/// broken or has the padding count and the checksum alone behind it. A buffer that is too small leaves
/// telegrams that are well-formed up to its end.
fn has_lost_ends(bytes: &[u8]) -> bool {
    if bytes.iter().any(|byte| NEVER.contains(byte)) {
        return false;
    }
    let starts: Vec<usize> = memmem::find_iter(bytes, &START).collect();
    let pieces: Vec<&[u8]> = starts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
    let is_rest = |piece: &&&[u8]| {
        // A padding count of 3 is dropped, too.
        let has_escape = [REST, REST - 1].iter().any(|rest| {
            piece.len().checked_sub(*rest).is_some_and(|at| piece[..at].ends_with(&ESCAPE))
        });
        has_escape || structure::break_of(piece).is_some()
    };
    let rests = pieces.iter().filter(is_rest).count();
    pieces.len() + 1 >= MANY && rests * 5 >= pieces.len() * 4
}

/// Whether neither XON nor XOFF came, and most checksums are right with one more of them.
fn has_lost_flow_control(bytes: &[u8], ended: &[&[u8]]) -> bool {
    if bytes.iter().any(|byte| FLOW.contains(byte)) {
        return false;
    }
    // One byte is missing of a length that is a multiple of four.
    let lacking: Vec<&[u8]> = ended.iter().copied().filter(|raw| raw.len() % 4 == 3).collect();
    if lacking.len() * 3 < ended.len() * 2 {
        return false;
    }
    let closely = &lacking[..lacking.len().min(CLOSELY)];
    let is_mended =
        |raw: &&&[u8]| FLOW.into_iter().any(|byte| line_ends::is_whole_with_one(raw, byte));
    let mended = closely.iter().filter(is_mended).count();
    mended > 0 && mended * 3 >= closely.len() * 2
}

/// Whether text with a block check character lost each ETX (03) and each CR to a terminal.
pub(super) fn has_edited_text(text: &[u8]) -> bool {
    const STX: u8 = 0x02;
    let ends = memmem::find_iter(text, b"!\n").count();
    let begins = memmem::find_iter(text, &[STX]).count();
    begins > 0 && ends > 0 && !text.iter().any(|byte| NEVER.contains(byte))
}
