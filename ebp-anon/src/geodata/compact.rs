//! The compact file (`.ebpgeo`): everything that the server needs, in one file.
//!
//! Enters: [`Geodata`] or bytes. Leaves: the other. Absent: the index, which is built in a few
//! milliseconds and would only be redundant.
//!
//! Little-endian: `EBPGEO` and the version (1) as 16 bits; the provenance as texts; the regions,
//! each with code, name, density and shapes; and at the end the FNV-1a hash (64 bits) of everything
//! before it. A text is its length (32 bits) and UTF-8, a list its length (32 bits) and its items.
//! Lengths are checked against the number of remaining bytes.

use super::country::{Geodata, Provenance, RegionData, Ring, Vertex};
use crate::RegionCode;

const MAGIC: &[u8; 6] = b"EBPGEO";
const VERSION: u16 = 1;

/// Why bytes are not compact geodata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompactError {
    /// It begins with other bytes.
    #[error("this is no file of `ebp geodata import`")]
    OtherKind,
    /// A later version wrote it.
    #[error("this is version {0} of the format, and version {VERSION} is the latest known")]
    Newer(u16),
    /// It is cut off or altered.
    #[error("the file is damaged: it is cut off, or was altered after it had been written")]
    Damaged,
}

impl Geodata {
    /// The compact file's bytes.
    #[must_use]
    pub fn to_compact(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        let Provenance { imported, borders, projection, densities, notices } = &self.provenance;
        for text in [imported, borders, projection, densities] {
            put_text(&mut bytes, text);
        }
        put_list(&mut bytes, notices, |bytes, notice| put_text(bytes, notice));
        put_list(&mut bytes, &self.regions, |bytes, region| {
            put_text(bytes, region.code.as_str());
            put_text(bytes, &region.name);
            bytes.extend(region.density.to_le_bytes());
            put_list(bytes, &region.shapes, |bytes, shape| {
                put_list(bytes, shape, |bytes, ring| {
                    put_list(bytes, ring, |bytes, vertex| {
                        bytes.extend(vertex.x.to_le_bytes());
                        bytes.extend(vertex.y.to_le_bytes());
                    });
                });
            });
        });
        let hash = fnv1a(&bytes);
        bytes.extend(hash.to_le_bytes());
        bytes
    }

    /// Reads a compact file's bytes.
    ///
    /// # Errors
    /// Returns [`CompactError`] for anything that [`to_compact`](Self::to_compact) did not write.
    pub fn from_compact(bytes: &[u8]) -> Result<Self, CompactError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(CompactError::OtherKind)?;
        let version = Reader(rest).array().map(u16::from_le_bytes).ok_or(CompactError::Damaged)?;
        if version != VERSION {
            return Err(CompactError::Newer(version));
        }
        let (content, hash) = bytes.split_last_chunk::<8>().ok_or(CompactError::Damaged)?;
        if fnv1a(content) != u64::from_le_bytes(*hash) {
            return Err(CompactError::Damaged);
        }
        content
            .get(MAGIC.len() + 2..)
            .and_then(|content| Reader(content).geodata())
            .ok_or(CompactError::Damaged)
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn put_list<T>(bytes: &mut Vec<u8>, list: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    bytes.extend((list.len() as u32).to_le_bytes());
    for item in list {
        put(bytes, item);
    }
}

/// Detects a damaged copy, not manipulation: an attacker would replace the hash, too.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn geodata(mut self) -> Option<Geodata> {
        let provenance = Provenance {
            imported: self.text()?,
            borders: self.text()?,
            projection: self.text()?,
            densities: self.text()?,
            notices: self.list(4, Self::text)?,
        };
        let regions = self.list(20, |reader| {
            Some(RegionData {
                code: RegionCode::new(&reader.text()?).ok()?,
                name: reader.text()?,
                density: f64::from_le_bytes(reader.array()?),
                shapes: reader.list(4, |reader| reader.list(4, Self::ring))?,
            })
        })?;
        self.0.is_empty().then_some(Geodata { provenance, regions })
    }

    /// Most of the file.
    fn ring(&mut self) -> Option<Ring> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let (taken, rest) = self.0.split_at_checked(length.checked_mul(8)?)?;
        self.0 = rest;
        let (vertices, _) = taken.as_chunks::<8>();
        let vertex = |&[x0, x1, x2, x3, y0, y1, y2, y3]: &[u8; 8]| Vertex {
            x: i32::from_le_bytes([x0, x1, x2, x3]),
            y: i32::from_le_bytes([y0, y1, y2, y3]),
        };
        Some(vertices.iter().map(vertex).collect())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn text(&mut self) -> Option<String> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(taken.to_vec()).ok()
    }

    /// A list of items with a minimum size in bytes.
    fn list<T>(&mut self, least: usize, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        if length > self.0.len() / least {
            return None;
        }
        let mut list = Vec::with_capacity(length);
        for _ in 0..length {
            list.push(item(self)?);
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Geodata {
        let ring = vec![Vertex { x: 0, y: 0 }, Vertex { x: 9, y: 0 }, Vertex { x: 0, y: -9 }];
        Geodata {
            provenance: Provenance {
                notices: vec!["© Somebody".to_owned()],
                ..Provenance::default()
            },
            regions: vec![RegionData {
                code: RegionCode::new("XX001").unwrap(),
                name: "Böblingen".to_owned(),
                density: 634.0,
                shapes: vec![vec![ring.clone(), ring]],
            }],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Geodata::from_compact(&sample().to_compact()), Ok(sample()));
    }

    #[test]
    fn other_kinds_and_versions_are_told() {
        assert_eq!(Geodata::from_compact(b"PK\x03\x04"), Err(CompactError::OtherKind));
        assert_eq!(Geodata::from_compact(b""), Err(CompactError::OtherKind));
        let mut bytes = sample().to_compact();
        bytes[6] = 2;
        assert_eq!(Geodata::from_compact(&bytes), Err(CompactError::Newer(2)));
    }

    proptest! {
        #[test]
        fn a_broken_copy_is_refused(at in 8_usize..150, bit in 0_u32..8, cut in any::<bool>()) {
            let mut bytes = sample().to_compact();
            let at = at % bytes.len();
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            prop_assert!(Geodata::from_compact(&bytes).is_err());
        }

        /// With a matching hash, so that the lengths are tested.
        #[test]
        fn lengths_are_not_believed(at in 8_usize..150, value: u8) {
            let mut bytes = sample().to_compact();
            bytes.truncate(bytes.len() - 8);
            let at = at % bytes.len();
            bytes[at.max(8)] = value;
            let hash = fnv1a(&bytes);
            bytes.extend(hash.to_le_bytes());
            let _ = Geodata::from_compact(&bytes);
        }
    }
}
