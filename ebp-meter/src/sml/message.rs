//! From a frame's data to messages and the values that they list.
//!
//! Enters: the data of a frame. Leaves: [`Message`]s, of these the list responses' [`RawEntry`]s,
//! all borrowed. Absent: frames, scaling, and what known meters get wrong in their values.
//!
//! A message is a list of six: transaction id, group, abort on error, body (a list of two: tag and
//! content), checksum over all before it, end marker. The meters' values are in the content of
//! `GetList.Res`, tag 0x0701. Everything else is passed over by its structure.

use ebp_core::{obis::ObisCode, quantity::Unit};

use super::{
    crc::Checksum,
    cursor::{Cursor, Element, Int, Malformed},
};
use crate::readout::MeterTime;

/// The tag of `GetList.Res` (BSI TR-03109-1 annex IV, 6.2.1).
pub const LIST_RESPONSE: u64 = 0x0701;

/// Elements of a message up to its body, and of a list response that hold something of interest.
const MESSAGE: usize = 6;
const LEAST_OF_RESPONSE: usize = 5;
const LEAST_OF_ENTRY: usize = 6;

/// The messages in a frame's data.
///
/// ```
/// # use ebp_meter::sml::{encode, message};
/// # let telegram = encode::Telegram { server_id: vec![1], file_id: 1, sec_index: None, list_name: None, entries: vec![] };
/// let file = encode::encode_file(&telegram).unwrap();
/// let tags: Vec<_> = message::messages(&file).map(|m| m.unwrap().tag).collect();
/// assert_eq!(tags, [0x0101, 0x0701, 0x0201]);
/// ```
#[must_use]
pub fn messages(data: &[u8]) -> Messages<'_> {
    Messages { cursor: Cursor::new(data), broken: false }
}

/// Iterates over messages; ends after the first error, behind which nothing has a known place.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    cursor: Cursor<'a>,
    broken: bool,
}

impl<'a> Messages<'a> {
    /// What has not been read: nothing, or what lies behind a message that is broken.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.cursor.rest()
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        // End markers are passed over here, be there none, one or several.
        self.cursor.skip_zeros();
        if self.broken || self.cursor.rest().is_empty() {
            return None;
        }
        let message = Message::read(&mut self.cursor);
        self.broken = message.as_ref().map_or(true, |message| !message.complete);
        Some(message)
    }
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// What kind it is of.
    pub tag: u64,
    /// Whether its structure holds to the end. Of one that does not, the beginning can be read.
    pub complete: bool,
    content: Cursor<'a>,
    covered: &'a [u8],
    checksum: Option<Int>,
}

impl<'a> Message<'a> {
    /// Reads a message up to its checksum.
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        let from = cursor.rest();
        let (tag, content) = head(cursor)?;
        let mut message = Self { tag, complete: false, content, covered: from, checksum: None };
        // Where the body has no end, the cursor stays before it: what follows is searched, not read.
        let mut behind = content;
        if behind.skip().is_err() {
            return Ok(message);
        }
        message.covered = &from[..from.len() - behind.rest().len()];
        *cursor = behind;
        if let Ok(checksum) = behind.optional_int() {
            message.checksum = checksum;
            message.complete = true;
            *cursor = behind;
        }
        Ok(message)
    }

    /// The checksum by which the message is whole, `first` being tried first; nothing where it
    /// has none or a wrong one (eBZ DD3 sends wrong ones in good frames).
    #[must_use]
    pub fn checked(&self, first: Checksum) -> Option<Checksum> {
        // Iskra MT691 leaves a high byte away that is 0; as a number it is the same.
        let wire = u16::try_from(self.checksum?.bits).ok()?.to_be_bytes();
        first.or_other(self.covered, wire)
    }

    /// The list response that this message is, or nothing where it is of another kind.
    ///
    /// # Errors
    /// When it claims to be one but has another structure.
    pub fn list_response(&self) -> Option<Result<ListResponse<'a>, Malformed>> {
        (self.tag == LIST_RESPONSE).then(|| ListResponse::read(self.content))
    }
}

/// Reads a message's elements before its body's content.
fn head<'a>(cursor: &mut Cursor<'a>) -> Result<(u64, Cursor<'a>), Malformed> {
    if cursor.list()? != MESSAGE {
        return Err(Malformed::Unexpected);
    }
    cursor.octets()?;
    cursor.optional_int()?;
    cursor.optional_int()?;
    if cursor.list()? != 2 {
        return Err(Malformed::Unexpected);
    }
    let tag = cursor.int()?.bits;
    Ok((tag, *cursor))
}

/// Whether a whole list response with a right checksum of its own begins at the first of `bytes`;
/// `looked` counts how often it was worth a closer look.
pub(super) fn intact_list<'a>(
    bytes: &'a [u8],
    first: Checksum,
    looked: &mut usize,
) -> Option<(Message<'a>, Checksum, &'a [u8])> {
    let mut cursor = Cursor::new(bytes);
    if head(&mut cursor).ok()?.0 != LIST_RESPONSE {
        return None;
    }
    *looked += 1;
    let mut cursor = Cursor::new(bytes);
    let message = Message::read(&mut cursor).ok().filter(|message| message.complete)?;
    let checksum = message.checked(first)?;
    Some((message, checksum, cursor.rest()))
}

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
}

impl<'a> ListResponse<'a> {
    fn read(mut cursor: Cursor<'a>) -> Result<Self, Malformed> {
        if cursor.list()? < LEAST_OF_RESPONSE {
            return Err(Malformed::Unexpected);
        }
        cursor.skip()?; // client's id
        let server_id = octets_or_nothing(&mut cursor)?;
        let list_name = octets_or_nothing(&mut cursor)?;
        let sensor_time = time_or_nothing(&mut cursor)?;
        // An absent list is an empty one.
        let count = match cursor.element()? {
            Element::List(count) => count,
            Element::Octets([]) => 0,
            _ => return Err(Malformed::Unexpected),
        };
        Ok(Self { server_id, list_name, sensor_time, count, entries: cursor })
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> Entries<'a> {
        Entries { cursor: self.entries, left: self.count }
    }
}

/// Iterates over entries. One that cannot be read is an error and passed over; one that has no end
/// is the last.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    cursor: Cursor<'a>,
    left: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<RawEntry<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let start = self.cursor;
        let entry = RawEntry::read(&mut self.cursor);
        if entry.is_err() {
            self.cursor = start;
            if self.cursor.skip().is_err() {
                self.left = 0;
            }
        }
        Some(entry)
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
    #[inline]
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
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
        cursor.skip_elements(more)?; // signature
        Ok(Self { obis: ObisCode(obis), status, time, unit, scaler, value })
    }
}

/// Bytes, or nothing where something else stands in their place.
fn octets_or_nothing<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Malformed> {
    let mut ahead = *cursor;
    cursor.skip()?;
    Ok(ahead.octets().unwrap_or_default())
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

/// A time, or nothing where it is absent or of no known form.
#[inline]
fn time_or_nothing(cursor: &mut Cursor<'_>) -> Result<Option<MeterTime>, Malformed> {
    if let [0x01, ..] = cursor.rest() {
        cursor.skip()?;
        return Ok(None);
    }
    let mut ahead = *cursor;
    if let Ok(time) = time(&mut ahead) {
        *cursor = ahead;
        return Ok(Some(time));
    }
    cursor.skip()?;
    Ok(None)
}

/// A time in any of its forms:
///
/// - a list of two of choice and number: 1 seconds of operation, 2 seconds since 1970;
/// - the same with choice 3 and a list of three: seconds since 1970, offset of the time zone and
///   of the season (EMH EDL40 with E-MOC, FROETEC ZG22);
/// - the number alone (Holley DTZ541: seconds of operation), or the list of three alone;
/// - any of these as content of a list of two with type 1, which is how a value is a time.
fn time(cursor: &mut Cursor<'_>) -> Result<MeterTime, Malformed> {
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
