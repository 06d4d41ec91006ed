//! Checks whether a checksum is right once a change of line ends is reverted.

use memchr::memchr;

use super::LineEnds;
use crate::{
    decoder::{Decode, Event},
    sml::{Decoder, crc::Checksum},
};

const CR: u8 = b'\r';
const LF: u8 = b'\n';
/// So many ways of taking a change back are tried in a frame. One in 65,536 is right by chance, and
/// then the checksum of the message inside is not.
const MOST_TRIES: usize = 8192;
/// So many changed bytes of a frame are looked at.
const MOST_PLACES: usize = 64;
/// The longest frame that is looked at; meters' have 200 to 1,000 bytes.
const LONGEST: usize = 2048;

/// Whether a frame is whole once a change is taken back.
type Mends = Box<dyn Fn(&[u8]) -> bool>;

/// The change that explains at least two thirds of the damaged frames; `stream` is all that came.
pub(super) fn of_frames(frames: &[&[u8]], stream: &[u8]) -> Option<LineEnds> {
    let has = |byte| memchr(byte, stream).is_some();
    let (has_cr, has_lf) = (has(CR), has(LF));
    let explains = |mends: &dyn Fn(&[u8]) -> bool| {
        let mended = frames.iter().filter(|frame| frame.len() <= LONGEST && mends(frame)).count();
        mended > 0 && mended * 3 >= frames.len() * 2
    };
    let doubled = |first: u8, second: u8| {
        move |frame: &[u8]| {
            let before = joined(frame, first, second);
            before.len() < frame.len() && is_whole(&before)
        }
    };
    let mut changes: Vec<(LineEnds, Mends)> = Vec::new();
    if !has_cr && has_lf {
        changes.push((LineEnds::CrToLf, Box::new(|frame| is_whole_with_some(frame, LF, CR))));
    }
    if !has_lf && has_cr {
        changes.push((LineEnds::LfToCr, Box::new(|frame| is_whole_with_some(frame, CR, LF))));
    }
    changes.push((LineEnds::LfToCrLf, Box::new(doubled(CR, LF))));
    changes.push((
        LineEnds::CrToCrNul,
        Box::new(move |frame| {
            let before: Vec<u8> = drop_after(frame, CR, 0);
            before.len() < frame.len() && is_whole(&before)
        }),
    ));
    changes.push((
        LineEnds::CrToCrLf,
        Box::new(move |frame| {
            let before: Vec<u8> = drop_after(frame, CR, LF);
            before.len() < frame.len() && is_whole(&before)
        }),
    ));
    if !has_cr {
        changes.push((LineEnds::CrLost, Box::new(|frame| is_whole_with_one(frame, CR))));
    }
    if !has_lf {
        changes.push((LineEnds::LfLost, Box::new(|frame| is_whole_with_one(frame, LF))));
    }
    changes.into_iter().find_map(|(change, mends)| explains(&*mends).then_some(change))
}

/// A frame's length without escapes is a multiple of four, and its last two bytes are its checksum.
fn is_whole(frame: &[u8]) -> bool {
    frame.len().is_multiple_of(4)
        && frame
            .split_last_chunk::<2>()
            .is_some_and(|(covered, wire)| Checksum::X25.or_other(covered, *wire).is_some())
}

/// `second` instead of each pair of `first` and `second`.
fn joined(frame: &[u8], first: u8, second: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len());
    for (at, byte) in frame.iter().enumerate() {
        if *byte != first || frame.get(at + 1) != Some(&second) {
            out.push(*byte);
        }
    }
    out
}

/// Without each `byte` that follows `after`.
fn drop_after(frame: &[u8], after: u8, byte: u8) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(frame.len());
    let mut before = None;
    for &next in frame {
        if before == Some(after) && next == byte {
            before = None;
            continue;
        }
        out.push(next);
        before = Some(next);
    }
    out
}

/// Whether the frame is whole with some of its bytes `is` turned back into `was`, and its message,
/// too. Since a checksum's difference is the sum of those of single bytes, each set of places costs
/// one step.
fn is_whole_with_some(frame: &[u8], is: u8, was: u8) -> bool {
    let Some((covered, wire)) = frame.split_last_chunk::<2>() else { return false };
    Checksum::ALL.into_iter().any(|checksum| {
        let number = |bytes: [u8; 2]| u16::from_be_bytes(bytes);
        let right = checksum.on_wire(covered);
        let difference = number(right) ^ number(*wire);
        let mut changed = covered.to_vec();
        let mut places: Vec<(usize, u16)> = Vec::new();
        for at in memchr::memchr_iter(is, covered).take(MOST_PLACES) {
            changed[at] = was;
            places.push((at, number(checksum.on_wire(&changed)) ^ number(right)));
            changed[at] = is;
        }
        for (at, shift) in [(0, 8), (1, 0)] {
            if wire[at] == is {
                places.push((covered.len() + at, u16::from(is ^ was) << shift));
            }
        }
        let (all, every) = places
            .iter()
            .enumerate()
            .fold((0, 0_u128), |(sum, set), (at, (_, effect))| (sum ^ effect, set | 1 << at));
        let few_or_nearly_all =
            sets(&places).flat_map(|(sum, set)| [(sum, set), (all ^ sum, every ^ set)]);
        few_or_nearly_all.filter(|(sum, _)| *sum == difference).any(|(_, set)| {
            let mut mended = frame.to_vec();
            for (number, (at, _)) in places.iter().enumerate() {
                if set & (1 << number) != 0 {
                    mended[*at] = was;
                }
            }
            is_message_whole(mended)
        })
    })
}

/// Sets of places with the sum of their effects, small sets first, as many as are tried.
fn sets(places: &[(usize, u16)]) -> impl Iterator<Item = (u16, u128)> {
    let mut layer: Vec<(u16, u128)> = vec![(0, 0)];
    let mut all = vec![(0, 0)];
    while !layer.is_empty() && all.len() < MOST_TRIES {
        let mut next = Vec::new();
        for (sum, set) in layer {
            // Only places behind the last one of the set: each set comes once.
            let from = (u128::BITS - set.leading_zeros()) as usize;
            for (number, (_, effect)) in places.iter().enumerate().skip(from) {
                if all.len() < MOST_TRIES {
                    next.push((sum ^ effect, set | 1 << number));
                    all.push((sum ^ effect, set | 1 << number));
                }
            }
        }
        layer = next;
    }
    all.into_iter()
}

/// Whether a message in a whole frame is whole by its own checksum: it can be salvaged when that of
/// the frame is made wrong.
fn is_message_whole(mut frame: Vec<u8>) -> bool {
    let mut decoder = Decoder::new();
    decoder.push(&frame);
    if let Some(last) = frame.last_mut() {
        *last ^= 0xff;
    }
    decoder.push(&frame);
    decoder.finish();
    let events = std::iter::from_fn(|| decoder.next_event());
    events.filter(|event| matches!(event, Event::Readout(_))).count() >= 2
}

/// Whether the frame is whole with one more byte somewhere.
pub(super) fn is_whole_with_one(frame: &[u8], byte: u8) -> bool {
    if frame.len() > LONGEST || !(frame.len() + 1).is_multiple_of(4) {
        return false;
    }
    let mut with = Vec::with_capacity(frame.len() + 1);
    (8..frame.len().saturating_sub(8)).any(|at| {
        with.clear();
        with.extend_from_slice(&frame[..at]);
        with.push(byte);
        with.extend_from_slice(&frame[at..]);
        is_whole(&with) && is_message_whole(with.clone())
    })
}
