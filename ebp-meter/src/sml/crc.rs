//! The two checksums that meters use, up to 128 bytes at a step.
//!
//! Enters: bytes. Leaves: CRC-16/X-25 (the standard's, DIN VDE 0418-63-9 after ISO/IEC 13239) and
//! CRC-16/KERMIT (which Holley's DTZ541 uses in its place), as numbers or as the wire holds them.
//! Absent: where in a telegram they stand.
//!
//! Both have the reflected polynomial 0x8408, so they share one set of tables; they differ in the
//! initial value and in the final inversion only.

mod fold;

/// `TABLES[k][b]` is the remainder of byte `b` followed by `k` zero bytes.
static TABLES: [[u16; 256]; 16] = tables();

const fn tables() -> [[u16; 256]; 16] {
    let mut tables = [[0_u16; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            let odd = remainder & 1 == 1;
            remainder >>= 1;
            if odd {
                remainder ^= 0x8408;
            }
            bit += 1;
        }
        tables[0][byte] = remainder;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < 16 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[zeros - 1][byte];
            tables[zeros][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

/// Carries the remainder `crc` over `bytes`.
fn advance(crc: u16, bytes: &[u8]) -> u16 {
    let (before, chunks) = bytes.as_rchunks::<{ fold::CHUNK }>();
    let crc = by_tables(crc, before);
    match fold::shortened(crc, chunks) {
        Some(words) => words.as_chunks().0.iter().fold(0, |crc, block: &[u16; 8]| {
            let word = |from: usize| {
                (0..4).fold(0, |word, at| word | u64::from(block[from + at]) << (16 * at))
            };
            sixteen(crc, word(0), word(4))
        }),
        None => crc,
    }
}

/// Carries the remainder `crc` over `bytes` by the tables alone.
fn by_tables(mut crc: u16, bytes: &[u8]) -> u16 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    for block in blocks {
        let [first, second] =
            [0, 8].map(|from| u64::from_le_bytes(std::array::from_fn(|byte| block[from + byte])));
        crc = sixteen(crc, first, second);
    }
    // Telegrams are short: what is left over would cost a fifth of the time byte by byte.
    let (blocks, rest) = rest.as_chunks::<4>();
    for &[a, b, c, d] in blocks {
        let [low, high] = crc.to_le_bytes();
        crc = TABLES[3][usize::from(a ^ low)]
            ^ TABLES[2][usize::from(b ^ high)]
            ^ TABLES[1][usize::from(c)]
            ^ TABLES[0][usize::from(d)];
    }
    for &byte in rest {
        crc = (crc >> 8) ^ TABLES[0][usize::from(byte ^ crc.to_le_bytes()[0])];
    }
    crc
}

/// Carries the remainder over sixteen bytes. Only the first two of them meet the old remainder;
/// the other fourteen look-ups do not wait for it, which is where the speed comes from. The bytes
/// are taken out of two words (the first byte is the lowest), since a load of each byte would take as long as the look-ups do.
#[inline]
fn sixteen(crc: u16, first: u64, second: u64) -> u16 {
    let byte_of = |word: u64, byte: usize| usize::from((word >> (8 * byte)) as u8);
    let mut others = 0;
    for byte in 0..8 {
        others ^= TABLES[7 - byte][byte_of(second, byte)];
    }
    for byte in 2..8 {
        others ^= TABLES[15 - byte][byte_of(first, byte)];
    }
    let met = first ^ u64::from(crc);
    TABLES[15][byte_of(met, 0)] ^ TABLES[14][byte_of(met, 1)] ^ others
}

/// Which checksum a meter uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Checksum {
    /// CRC-16/X-25, the standard's.
    #[default]
    X25,
    /// CRC-16/KERMIT with its high byte first, seen in Holley DTZ541 (inside and outside).
    Kermit,
}

impl Checksum {
    /// Every checksum, the standard's first.
    pub const ALL: [Self; 2] = [Self::X25, Self::Kermit];

    /// The checksum of `bytes`.
    ///
    /// ```
    /// use ebp_meter::sml::crc::Checksum;
    /// assert_eq!(Checksum::X25.compute(b"123456789"), 0x906e);
    /// assert_eq!(Checksum::Kermit.compute(b"123456789"), 0x2189);
    /// ```
    #[must_use]
    pub fn compute(self, bytes: &[u8]) -> u16 {
        match self {
            Self::X25 => !advance(0xffff, bytes),
            Self::Kermit => advance(0, bytes),
        }
    }

    /// The checksum of `bytes` as a telegram holds it. The two differ in their byte order.
    #[must_use]
    pub fn on_wire(self, bytes: &[u8]) -> [u8; 2] {
        match self {
            Self::X25 => self.compute(bytes).to_le_bytes(),
            Self::Kermit => self.compute(bytes).to_be_bytes(),
        }
    }

    /// The checksum by which `bytes` are right, `self` being tried first: a meter that used one
    /// once will use it again.
    #[must_use]
    pub fn or_other(self, bytes: &[u8], wire: [u8; 2]) -> Option<Self> {
        if self.on_wire(bytes) == wire {
            return Some(self);
        }
        Self::ALL.into_iter().find(|other| *other != self && other.on_wire(bytes) == wire)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bit by bit, as ISO/IEC 13239 describes it.
    fn by_bits(mut crc: u16, bytes: &[u8]) -> u16 {
        for byte in bytes {
            crc ^= u16::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 };
            }
        }
        crc
    }

    #[test]
    fn check_values_of_the_catalogue() {
        assert_eq!(Checksum::X25.compute(b"123456789"), 0x906e);
        assert_eq!(Checksum::Kermit.compute(b"123456789"), 0x2189);
        assert_eq!(Checksum::X25.compute(b""), 0);
        assert_eq!(Checksum::X25.on_wire(b"123456789"), [0x6e, 0x90]);
    }

    #[test]
    fn the_other_checksum_is_found() {
        for (used, first) in [(Checksum::X25, Checksum::Kermit), (Checksum::Kermit, Checksum::X25)]
        {
            let wire = used.on_wire(b"a telegram");
            assert_eq!(first.or_other(b"a telegram", wire), Some(used));
            assert_eq!(used.or_other(b"a telegram", wire), Some(used));
            assert_eq!(used.or_other(b"a Telegram", wire), None);
        }
    }

    proptest! {
        #[test]
        fn tables_agree_with_bits(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
            prop_assert_eq!(Checksum::X25.compute(&bytes), !by_bits(0xffff, &bytes));
            prop_assert_eq!(Checksum::Kermit.compute(&bytes), by_bits(0, &bytes));
        }
    }
}
