//! A meter's time in all the forms that meters give it.
//!
//! Enters: a cursor before an element. Leaves: [`MeterTime`]. Absent: calendars; a meter's clock is
//! not set and never taken for real time.

use super::cursor::{Cursor, Element, Int, Malformed, word};
use crate::readout::MeterTime;

/// A time, or nothing where it is absent or of no known form.
#[inline]
pub(super) fn time_or_nothing(cursor: &mut Cursor<'_>) -> Result<Option<MeterTime>, Malformed> {
    if cursor.is_absent() {
        return Ok(None);
    }
    if let Some((time, rest)) = common_time(cursor.rest()) {
        *cursor = Cursor::new(rest);
        return Ok(Some(time));
    }
    let mut ahead = *cursor;
    if let Ok(time) = time(&mut ahead) {
        *cursor = ahead;
        return Ok(Some(time));
    }
    cursor.skip()?;
    Ok(None)
}

/// Seconds of operation, as a list of choice 1 and number or (Holley) the number alone: what nearly
/// all meters send.
#[inline(always)]
pub(super) fn common_time(bytes: &[u8]) -> Option<(MeterTime, &[u8])> {
    let (int, rest) = match bytes {
        [0x72, 0x62, 0x01, rest @ ..] => word(rest)?,
        _ => word(bytes)?,
    };
    Some((MeterTime::SecIndex(u32::try_from(int.bits).ok()?), rest))
}

/// A time in any of its forms:
///
/// - a list of two of choice and number: 1 seconds of operation, 2 seconds since 1970;
/// - the same with choice 3 and a list of three: seconds since 1970, offset of the time zone and
///   of the season (EMH EDL40 with E-MOC, FROETEC ZG22);
/// - the number alone (Holley DTZ541: seconds of operation), or the list of three alone;
/// - any of these as content of a list of two with type 1, which is how a value is a time.
pub(super) fn time(cursor: &mut Cursor<'_>) -> Result<MeterTime, Malformed> {
    let mut choice = None;
    // The outer list of a time that is a value, the time's own list, its content: three at most.
    for _ in 0..3 {
        match cursor.element()? {
            Element::Int(int) => {
                let seconds = seconds(int)?;
                return Ok(match choice {
                    Some(2 | 3) => MeterTime::Timestamp(seconds),
                    _ => MeterTime::SecIndex(seconds),
                });
            }
            Element::List(2) => choice = Some(cursor.int()?.bits),
            Element::List(3) => {
                return Ok(MeterTime::Local {
                    timestamp: seconds(cursor.int()?)?,
                    offset: minutes(cursor.int()?)?,
                    season: minutes(cursor.int()?)?,
                });
            }
            _ => break,
        }
    }
    Err(Malformed::Unexpected)
}

fn seconds(int: Int) -> Result<u32, Malformed> {
    u32::try_from(int.bits).map_err(|_| Malformed::Unexpected)
}

fn minutes(int: Int) -> Result<i16, Malformed> {
    i16::try_from(int.value()).map_err(|_| Malformed::Unexpected)
}
