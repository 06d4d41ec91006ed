//! Reading SML's type-length encoding, one element after another.
//!
//! Enters: the data of a frame. Leaves: [`Element`]s, borrowed. Absent: recursion, allocation, and
//! what the elements mean.
//!
//! Each element begins with a byte of type (bits 6 to 4) and length (bits 3 to 0); bit 7 says that
//! another such byte adds four more bits. The length counts these bytes too, but for lists, where
//! it is the number of elements. `01`, an empty string, stands for what is absent; `00` ends a
//! message.

/// Why bytes are no element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The data end within an element.
    #[error("the data end within an element")]
    Short,
    /// A type that does not exist, or a length that its type cannot have.
    #[error("no such type or length: {0:#04x}")]
    TypeLength(u8),
    /// An element is another than the place asks for.
    #[error("another type than expected")]
    Unexpected,
}

/// A number on the wire: 1 to 8 bytes, signed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int {
    /// The bytes as a number without a sign.
    pub bits: u64,
    /// How many bytes there were.
    pub width: u8,
    /// Whether the type says that it has a sign.
    pub signed: bool,
}

impl Int {
    /// The number.
    #[must_use]
    pub fn value(self) -> i128 {
        if self.signed {
            let shift = 64 - 8 * u32::from(self.width);
            i128::from(((self.bits << shift).cast_signed()) >> shift)
        } else {
            self.bits.into()
        }
    }
}

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element<'a> {
    /// Bytes; none stand for what is absent.
    Octets(&'a [u8]),
    /// True or false.
    Bool(bool),
    /// A number.
    Int(Int),
    /// A list of that many elements, which follow.
    List(usize),
}

/// A position in the data. Copy it to look ahead.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

/// Types, bits 6 to 4.
const OCTETS: u8 = 0;
const BOOL: u8 = 4;
const SIGNED: u8 = 5;
const UNSIGNED: u8 = 6;
const LIST: u8 = 7;
/// So many bytes of type and length are read: more than any length that fits a frame needs.
const LONGEST_HEAD: usize = 5;

/// A number that is not at the very end, and what is behind it.
#[inline(always)]
pub(super) fn word(bytes: &[u8]) -> Option<(Int, &[u8])> {
    let [type_length, rest @ ..] = bytes else { return None };
    let width = (type_length & 0x0f).wrapping_sub(1);
    if !(1..=8).contains(&width) || !matches!(type_length >> 4, SIGNED | UNSIGNED) {
        return None;
    }
    let bits = u64::from_be_bytes(*rest.first_chunk()?) >> (64 - 8 * u32::from(width));
    Some((Int { bits, width, signed: type_length >> 4 == SIGNED }, &rest[width.into()..]))
}

impl<'a> Cursor<'a> {
    /// A cursor at the first of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes from here on.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Passes over zero bytes: end markers, and what some meters add to them.
    pub fn skip_zeros(&mut self) {
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Passes over the next element if it stands for what is absent.
    #[inline]
    pub fn is_absent(&mut self) -> bool {
        if let [0x01, rest @ ..] = self.rest {
            self.rest = rest;
            return true;
        }
        false
    }

    /// Reads bytes whose head is a single byte, if such come.
    #[inline(always)]
    pub(super) fn short_octets(&mut self) -> Option<&'a [u8]> {
        let [head @ 0x01..=0x0f, rest @ ..] = self.rest else { return None };
        let (octets, rest) = rest.split_at_checked(usize::from(*head) - 1)?;
        self.rest = rest;
        Some(octets)
    }

    /// Type, and length without the head's own bytes (or number of a list's elements).
    #[inline]
    fn head(&mut self) -> Result<(u8, usize), Malformed> {
        let [first, rest @ ..] = self.rest else { return Err(Malformed::Short) };
        self.rest = rest;
        let kind = first >> 4;
        let length = usize::from(first & 0x0f);
        if kind == LIST {
            return Ok((kind, length));
        }
        if kind < 8 {
            let length = length.checked_sub(1).ok_or(Malformed::TypeLength(*first))?;
            return Ok((kind, length));
        }
        self.long_head(*first, length)
    }

    #[cold]
    fn long_head(&mut self, first: u8, mut length: usize) -> Result<(u8, usize), Malformed> {
        let kind = first >> 4 & 7;
        for size in 2..=LONGEST_HEAD {
            let [next, rest @ ..] = self.rest else { return Err(Malformed::Short) };
            self.rest = rest;
            length = length << 4 | usize::from(next & 0x0f);
            if next & 0x80 == 0 {
                let own = if kind == LIST { 0 } else { size };
                let length = length.checked_sub(own).ok_or(Malformed::TypeLength(first))?;
                return Ok((kind, length));
            }
        }
        Err(Malformed::TypeLength(first))
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Reads the next element; of a list its head.
    ///
    /// # Errors
    /// Returns an error if the bytes are no valid element; the cursor's position is unspecified
    /// then.
    #[inline]
    pub fn element(&mut self) -> Result<Element<'a>, Malformed> {
        // The three kinds that meters send, with a length of one byte, and not at the very end.
        if let Some(octets) = self.short_octets() {
            return Ok(Element::Octets(octets));
        }
        if let Some((int, rest)) = word(self.rest) {
            self.rest = rest;
            return Ok(Element::Int(int));
        }
        if let [head @ 0x70..=0x7f, rest @ ..] = self.rest
            && usize::from(head & 0x0f) <= rest.len()
        {
            self.rest = rest;
            return Ok(Element::List(usize::from(head & 0x0f)));
        }
        self.other_element()
    }

    #[cold]
    fn other_element(&mut self) -> Result<Element<'a>, Malformed> {
        let (kind, length) = self.head()?;
        match kind {
            OCTETS => Ok(Element::Octets(self.take(length)?)),
            LIST if length <= self.rest.len() => Ok(Element::List(length)),
            LIST => Err(Malformed::Short),
            SIGNED | UNSIGNED if (1..=8).contains(&length) => {
                let bytes = self.take(length)?;
                let bits = bytes.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
                Ok(Element::Int(Int { bits, width: length as u8, signed: kind == SIGNED }))
            }
            BOOL if length == 1 => Ok(Element::Bool(self.take(1)? != [0])),
            _ => Err(Malformed::TypeLength(kind << 4 | (length as u8 & 0x0f))),
        }
    }

    /// Passes over the next element with all that is in it. Numbers too wide to read are passed
    /// over as well.
    ///
    /// # Errors
    /// Returns the same errors as [`Cursor::element`].
    pub fn skip(&mut self) -> Result<(), Malformed> {
        self.skip_elements(1)
    }

    /// Passes over the next `pending` elements.
    ///
    /// # Errors
    /// Returns the same errors as [`Cursor::element`].
    pub fn skip_elements(&mut self, mut pending: usize) -> Result<(), Malformed> {
        // Nested lists only add to the count of what is still to come, so no depth is too deep.
        while pending > 0 {
            pending -= 1;
            if let [first, behind @ ..] = self.rest {
                let (kind, length) = (first >> 4, usize::from(first & 0x0f));
                if kind == LIST {
                    self.rest = behind;
                    pending += length;
                    continue;
                }
                if matches!(kind, OCTETS | SIGNED | UNSIGNED) && length > 0 {
                    self.rest = behind.get(length - 1..).ok_or(Malformed::Short)?;
                    continue;
                }
            }
            pending += self.skip_other()?;
        }
        Ok(())
    }

    /// Passes over an element; of a list over its head, and returns how many are in it.
    #[cold]
    fn skip_other(&mut self) -> Result<usize, Malformed> {
        let (kind, length) = self.head()?;
        match kind {
            // Every element has a byte, so a count beyond the bytes left is a lie.
            LIST if length <= self.rest.len() => return Ok(length),
            LIST => return Err(Malformed::Short),
            OCTETS | BOOL | SIGNED | UNSIGNED => drop(self.take(length)?),
            _ => return Err(Malformed::TypeLength(kind << 4 | (length as u8 & 0x0f))),
        }
        Ok(0)
    }

    /// Reads bytes; none where they are absent.
    ///
    /// # Errors
    /// Returns an error if the next element is of another type.
    #[inline]
    pub fn octets(&mut self) -> Result<&'a [u8], Malformed> {
        if let Some(octets) = self.short_octets() {
            return Ok(octets);
        }
        match self.element()? {
            Element::Octets(bytes) => Ok(bytes),
            _ => Err(Malformed::Unexpected),
        }
    }

    /// Reads a number, signed or not, or nothing where it is absent.
    ///
    /// # Errors
    /// Returns an error if the next element is of another type.
    #[inline]
    pub fn optional_int(&mut self) -> Result<Option<Int>, Malformed> {
        match self.element()? {
            Element::Int(int) => Ok(Some(int)),
            Element::Octets([]) => Ok(None),
            _ => Err(Malformed::Unexpected),
        }
    }

    /// Reads a number.
    ///
    /// # Errors
    /// Returns an error if the next element is of another type.
    #[inline]
    pub fn int(&mut self) -> Result<Int, Malformed> {
        self.optional_int()?.ok_or(Malformed::Unexpected)
    }

    /// Reads a list's head.
    ///
    /// # Errors
    /// Returns an error if the next element is of another type.
    #[inline]
    pub fn list(&mut self) -> Result<usize, Malformed> {
        match self.element()? {
            Element::List(count) => Ok(count),
            _ => Err(Malformed::Unexpected),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(bytes: &[u8]) -> Result<Element<'_>, Malformed> {
        Cursor::new(bytes).element()
    }

    #[test]
    fn numbers_of_every_width() {
        for width in 1..=8_u8 {
            let mut bytes = vec![0x50 | (width + 1)];
            bytes.resize(1 + usize::from(width), 0xff);
            let Ok(Element::Int(int)) = element(&bytes) else { panic!("{width}") };
            assert_eq!(int.value(), -1);
            bytes[0] += 0x10;
            let Ok(Element::Int(int)) = element(&bytes) else { panic!("{width}") };
            assert_eq!(int.value(), i128::from(u64::MAX >> (64 - 8 * u32::from(width))));
        }
        assert!(element(&[0x51]).is_err());
        assert!(element(&[0x5a, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }

    #[test]
    fn heads_of_several_bytes() {
        assert_eq!(element(&[&[0xf1, 0x04][..], &[1; 20]].concat()), Ok(Element::List(20)));
        let octets = [&[0x81, 0x02][..], &[7; 16]].concat();
        assert_eq!(element(&octets), Ok(Element::Octets(&[7; 16])));
        let octets = [&[0x80, 0x80, 0x05][..], &[7; 2]].concat();
        assert_eq!(element(&octets), Ok(Element::Octets(&[7; 2])));
        assert_eq!(element(&[0x80, 0x01]), Err(Malformed::TypeLength(0x80)));
        assert!(element(&[0x81]).is_err());
        assert!(element(&[0xff; 40]).is_err());
    }

    #[test]
    fn counts_are_not_believed() {
        assert_eq!(element(&[0xff, 0x8f, 0x8f, 0x8f, 0x0f]), Err(Malformed::Short));
        assert_eq!(element(&[0x73, 1, 1]), Err(Malformed::Short));
        assert_eq!(Cursor::new(&[0x72, 0x7f, 1, 1]).skip(), Err(Malformed::Short));
    }

    #[test]
    fn deep_nesting_is_passed_over() {
        let mut bytes = vec![0x71; 60_000];
        bytes.push(1);
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(cursor.skip(), Ok(()));
        assert!(cursor.rest().is_empty());
    }

    #[test]
    fn types_that_do_not_exist() {
        for first in [0x00, 0x12, 0x22, 0x32, 0x43, 0x41] {
            assert!(element(&[first, 1, 1]).is_err(), "{first:#x}");
        }
    }

    proptest! {
        #[test]
        fn reading_and_skipping_end_at_the_same_place(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let (mut read, mut skip) = (Cursor::new(&bytes), Cursor::new(&bytes));
            let mut pending = 1;
            while pending > 0 {
                pending -= 1;
                match read.element() {
                    Ok(Element::List(count)) => pending += count,
                    Ok(_) => {}
                    Err(_) => return Ok(()),
                }
            }
            prop_assert_eq!(skip.skip(), Ok(()));
            prop_assert_eq!(read.rest(), skip.rest());
        }
    }
}
