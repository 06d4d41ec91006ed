//! The values that a message lists.
//!
//! Enters: the content of a list response. Leaves: [`ListResponse`] and its [`RawEntry`]s,
//! borrowed. Absent: scaling, and what known meters get wrong in their values.

use ebp_core::{obis::ObisCode, quantity::Unit};

use super::{
    cursor::{Cursor, Element, Int, Malformed, word},
    end::End,
    time::{common_time, time, time_or_nothing},
};
use crate::readout::MeterTime;

/// Elements of a list response and of an entry that hold something of interest.
const LEAST_OF_RESPONSE: usize = 5;
const LEAST_OF_ENTRY: usize = 6;

/// A meter's list of values.
#[derive(Debug, Clone, Copy)]
pub struct ListResponse<'a> {
    /// The meter's identity; empty where it gives none.
    pub server_id: &'a [u8],
    /// The list's name; empty where it gives none.
    pub list_name: &'a [u8],
    /// The meter's own time (`actSensorTime`).
    pub sensor_time: Option<MeterTime>,
    /// How many entries it claims to have.
    pub count: usize,
    entries: Cursor<'a>,
    /// Elements behind the entries: signature, time of the gateway.
    more: usize,
    from: &'a [u8],
}

impl<'a> ListResponse<'a> {
    /// Reads the content of the message that begins at `from`.
    #[inline(always)]
    pub(super) fn read(cursor: Cursor<'a>, from: &'a [u8]) -> Result<Self, Malformed> {
        match Self::read_common(cursor, from) {
            Some(list) => Ok(list),
            None => Self::read_any(cursor, from),
        }
    }

    /// Reads a list as meters send it: seven elements, no client, short octets.
    #[inline(always)]
    pub(super) fn read_common(cursor: Cursor<'a>, from: &'a [u8]) -> Option<Self> {
        let [0x77, 0x01, rest @ ..] = cursor.rest() else { return None };
        let mut cursor = Cursor::new(rest);
        let server_id = cursor.short_octets()?;
        let list_name = cursor.short_octets()?;
        let mut sensor_time = None;
        if !cursor.is_absent() {
            let (time, rest) = common_time(cursor.rest())?;
            (sensor_time, cursor) = (Some(time), Cursor::new(rest));
        }
        let [head @ 0x70..=0x7f, rest @ ..] = cursor.rest() else { return None };
        let (count, entries) = (usize::from(head & 0x0f), Cursor::new(rest));
        let list = Self { server_id, list_name, sensor_time, count, entries, more: 2, from };
        (count <= rest.len()).then_some(list)
    }

    #[inline(never)]
    fn read_any(mut cursor: Cursor<'a>, from: &'a [u8]) -> Result<Self, Malformed> {
        let Some(more) = cursor.list()?.checked_sub(LEAST_OF_RESPONSE) else {
            return Err(Malformed::Unexpected);
        };
        octets_or_nothing(&mut cursor)?; // client's id
        let server_id = octets_or_nothing(&mut cursor)?;
        let list_name = octets_or_nothing(&mut cursor)?;
        let sensor_time = time_or_nothing(&mut cursor)?;
        // An absent list is an empty one.
        let count = match cursor.element()? {
            Element::List(count) => count,
            Element::Octets([]) => 0,
            _ => return Err(Malformed::Unexpected),
        };
        Ok(Self { server_id, list_name, sensor_time, count, entries: cursor, more, from })
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> Entries<'a> {
        Entries {
            cursor: self.entries,
            left: self.count,
            more: self.more,
            from: self.from,
            broken: false,
        }
    }
}

/// Iterates over entries. One that cannot be read is an error and passed over; one that has no end
/// is the last.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    cursor: Cursor<'a>,
    left: usize,
    more: usize,
    from: &'a [u8],
    broken: bool,
}

impl<'a> Entries<'a> {
    /// The end of the message that the entries are in, from where this iterator has come to; or
    /// nothing where the structure does not hold up to there.
    #[inline]
    #[must_use]
    pub fn end(&self) -> Option<End<'a>> {
        if self.broken {
            return None;
        }
        let mut behind = self.cursor;
        behind.skip_elements(self.left + self.more).ok()?;
        End::read(self.from, behind)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<RawEntry<'a>, Malformed>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        match self.next_common() {
            Some(entry) => Some(Ok(entry)),
            None => self.next_any(),
        }
    }
}

impl<'a> Entries<'a> {
    /// The next entry, where it is of the usual shape. Who handles it apart from those of
    /// [`Entries::next_any`] keeps its parts in registers.
    #[inline(always)]
    pub(super) fn next_common(&mut self) -> Option<RawEntry<'a>> {
        let left = self.left.checked_sub(1)?;
        let entry = RawEntry::read_common(&mut self.cursor)?;
        self.left = left;
        Some(entry)
    }

    /// The next entry of any shape.
    #[inline(always)]
    pub(super) fn next_any(&mut self) -> Option<Result<RawEntry<'a>, Malformed>> {
        self.left = self.left.checked_sub(1)?;
        // In a copy, so that only that one has to lie in memory.
        let mut copy = self.clone();
        let entry = copy.read_any();
        *self = copy;
        Some(entry)
    }

    /// Reads an entry of any shape, or passes over it.
    #[inline(never)]
    fn read_any(&mut self) -> Result<RawEntry<'a>, Malformed> {
        let start = self.cursor;
        let entry = RawEntry::read_any(&mut self.cursor);
        if entry.is_err() {
            self.cursor = start;
            if self.cursor.skip().is_err() {
                self.left = 0;
                self.broken = true;
            }
        }
        entry
    }
}

/// A value as an entry carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawValue<'a> {
    /// The entry is there, its value is not.
    Absent,
    /// True or false.
    Bool(bool),
    /// A number before scaling.
    Int(Int),
    /// Bytes: identifiers, keys, texts.
    Octets(&'a [u8]),
    /// A time.
    Time(MeterTime),
}

/// An entry as it lies in the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawEntry<'a> {
    /// Which quantity.
    pub obis: ObisCode,
    /// The status word.
    pub status: Option<u64>,
    /// When the value was valid.
    pub time: Option<MeterTime>,
    /// The unit.
    pub unit: Option<Unit>,
    /// The power of ten that the number is multiplied by.
    pub scaler: i8,
    /// The value.
    pub value: RawValue<'a>,
}

impl<'a> RawEntry<'a> {
    /// Reads an entry of the shape that nearly all have: seven elements, each with a head of one
    /// byte (or a public key of 48 bytes), a time in seconds of operation, no signature. Of any
    /// other shape it reads nothing. Each place has its own few comparisons, which a processor
    /// foresees far better than those of a loop over any elements.
    #[inline(always)]
    fn read_common(cursor: &mut Cursor<'a>) -> Option<Self> {
        let [0x77, 0x07, a, b, c, d, e, f, behind @ ..] = cursor.rest() else { return None };
        let mut rest = behind;
        let obis = ObisCode([*a, *b, *c, *d, *e, *f]);
        let (mut status, mut time, mut unit, mut scaler) = (None, None, None, 0);
        if let [0x01, 0x01, 0x01, 0x01, behind @ ..] = rest {
            rest = behind;
        } else {
            match rest {
                [0x01, behind @ ..] => rest = behind,
                _ => {
                    let (int, behind) = word(rest)?;
                    (status, rest) = (Some(int.bits), behind);
                }
            }
            match rest {
                [0x01, behind @ ..] => rest = behind,
                _ => {
                    let (seconds, behind) = common_time(rest)?;
                    (time, rest) = (Some(seconds), behind);
                }
            }
            match rest {
                [0x62, code, 0x52, power, behind @ ..] => {
                    (unit, scaler, rest) = (Some(Unit(*code)), power.cast_signed(), behind);
                }
                [0x01, 0x01, behind @ ..] => rest = behind,
                _ => return None,
            }
        }
        let (value, behind) = match rest {
            [0x01, behind @ ..] => (RawValue::Absent, behind),
            [length @ 0x02..=0x0f, behind @ ..] => {
                let (octets, behind) = behind.split_at_checked(usize::from(*length) - 1)?;
                (RawValue::Octets(octets), behind)
            }
            [0x83, 0x02, behind @ ..] => {
                let (octets, behind) = behind.split_at_checked(48)?;
                (RawValue::Octets(octets), behind)
            }
            _ => {
                let (int, behind) = word(rest)?;
                (RawValue::Int(int), behind)
            }
        };
        let [0x01, behind @ ..] = behind else { return None };
        *cursor = Cursor::new(behind);
        Some(Self { obis, status, time, unit, scaler, value })
    }

    /// Reads an entry of any shape.
    #[inline(never)]
    fn read_any(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        let count = cursor.list()?;
        let Some(more) = count.checked_sub(LEAST_OF_ENTRY) else {
            return Err(Malformed::Unexpected);
        };
        let obis = cursor.octets()?.try_into().map_err(|_| Malformed::Unexpected)?;
        let status = status(cursor)?;
        let time = time_or_nothing(cursor)?;
        let unit = unit(cursor)?;
        let scaler = scaler(cursor)?;
        let value = value(cursor)?;
        // The signature, which no meter sends.
        if !(more == 1 && cursor.is_absent()) {
            cursor.skip_elements(more)?;
        }
        Ok(Self { obis: ObisCode(obis), status, time, unit, scaler, value })
    }
}

/// Bytes, or nothing where something else stands in their place.
#[inline]
fn octets_or_nothing<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Malformed> {
    if let Some(octets) = cursor.short_octets() {
        return Ok(octets);
    }
    match cursor.element()? {
        Element::Octets(bytes) => Ok(bytes),
        Element::List(count) => cursor.skip_elements(count).map(|()| &[][..]),
        Element::Bool(_) | Element::Int(_) => Ok(&[]),
    }
}

/// Meters send the status as a number of 1 to 8 bytes, without sign or with one, or as octets.
#[inline]
fn status(cursor: &mut Cursor<'_>) -> Result<Option<u64>, Malformed> {
    match cursor.element()? {
        Element::Int(int) => Ok(Some(int.bits)),
        Element::Octets([]) => Ok(None),
        Element::Octets(bytes) if bytes.len() <= 8 => {
            Ok(Some(bytes.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))))
        }
        Element::Octets(_) => Ok(None),
        Element::Bool(bit) => Ok(Some(bit.into())),
        Element::List(count) => cursor.skip_elements(count).map(|()| None),
    }
}

/// A unit in one byte or two; the codes of DLMS fit one.
#[inline]
fn unit(cursor: &mut Cursor<'_>) -> Result<Option<Unit>, Malformed> {
    let code = cursor.optional_int()?.map(|int| int.bits);
    Ok(code.and_then(|code| u8::try_from(code).ok()).map(Unit))
}

/// A signed byte, 0 where it is absent. Without a sign bit in its type it is read with one all the
/// same: no meter multiplies by 10^255.
#[inline]
fn scaler(cursor: &mut Cursor<'_>) -> Result<i8, Malformed> {
    let Some(int) = cursor.optional_int()? else { return Ok(0) };
    if int.width == 1 {
        return Ok((int.bits as u8).cast_signed());
    }
    i8::try_from(int.value()).map_err(|_| Malformed::Unexpected)
}

#[inline]
fn value<'a>(cursor: &mut Cursor<'a>) -> Result<RawValue<'a>, Malformed> {
    let mut ahead = *cursor;
    Ok(match cursor.element()? {
        Element::Int(int) => RawValue::Int(int),
        Element::Octets([]) => RawValue::Absent,
        Element::Octets(bytes) => RawValue::Octets(bytes),
        Element::Bool(bit) => RawValue::Bool(bit),
        Element::List(_) => {
            let time = time(&mut ahead)?;
            *cursor = ahead;
            RawValue::Time(time)
        }
    })
}

#[cfg(test)]
mod tests;
